//! One line of the access log and the proof behind it.

use super::events;
use crate::components::check::ProofPanel;
use crate::components::icon::Glyph;
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::hooks::{use_load, use_load_kept};
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SaveProof;
use crate::route::Route;
use amulet_app_api::access::{AccessLog, LogLineView, LogProof};
use amulet_app_api::files::ProofOf;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn LogLine(number: u64) -> Element {
    let t = use_translator();
    let log = use_load(AccessLog {});
    let proof = use_load_kept(LogProof { number });
    let line =
        log.state.read().value().and_then(|log| log.lines.iter().find(|line| line.number == number).cloned());
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "log-line-title", n = number), back: Route::Log {} }
            if let Some(line) = line {
                What { line }
            }
            {show(proof, |proof| rsx! {
                ProofPanel { proof: proof.clone(), open: true }
                SaveProof { of: ProofOf::LogLine { number } }
            })}
        }
    }
}

#[component]
fn What(line: LogLineView) -> Element {
    let t = use_translator();
    let emergency = events::is_emergency(&line);
    rsx! {
        div { class: if emergency { "notice danger" } else { "card-box row" },
            Glyph { icon: events::icon(&line.what), size: 24 }
            div { class: "stack tight grow",
                if emergency {
                    p { span { class: "tag danger", {tr!(t, "emergency")} } }
                }
                p { class: "strong", "data-testid": "log-headline", {events::headline(t, &line)} }
                p { {events::actor(t, &line)} }
                p { {t.date_time(line.at)} }
                if let Some(details) = events::details(t, &line) {
                    p { {details} }
                }
            }
        }
        if emergency {
            p { class: "soft small", {tr!(t, "log-emergency-help")} }
        }
    }
}
