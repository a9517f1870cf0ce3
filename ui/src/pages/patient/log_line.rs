//! One line of the access log and the proof behind it.

use super::events;
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::check::ProofPanel;
use crate::components::dialog::Confirm;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::components::relationship::AsPatientOf;
use crate::hooks::{use_action, use_load, use_load_kept};
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SaveProof;
use crate::route::Route;
use amulet_app_api::access::{
    AccessLog, DisputeEmergency, LineId, LogEvent, LogLineView, LogProof, ReviewStanding,
};
use amulet_app_api::files::ProofOf;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn LogLine(identity: u32, number: u64) -> Element {
    let app = use_app();
    let t = use_translator();
    let log = use_load(AccessLog {});
    let wanted = LineId { identity, number };
    let proof = use_load_kept(LogProof { line: wanted });
    let line =
        log.state.read().value().and_then(|log| log.lines.iter().find(|line| line.line == wanted).cloned());
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "log-line-title", n = number), back: Route::Log { filter: app.log_shown.0.peek().clone() } }
            if let Some(line) = line {
                What { line, onchange: log.reload }
            }
            {show(proof, |proof| rsx! {
                ProofPanel { proof: proof.clone(), open: true }
                SaveProof { of: ProofOf::LogLine { line: wanted } }
            })}
        }
    }
}

#[component]
fn What(line: LogLineView, onchange: EventHandler<()>) -> Element {
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
                AsPatientOf { hospital: line.relationship.clone() }
                if let Some(details) = events::details(t, &line) {
                    p { {details} }
                }
            }
        }
        if let LogEvent::EmergencyDeclared { disputed, review, .. } = line.what {
            Review { review }
            Report { line: line.line, disputed, onchange }
        }
    }
}

/// What the clinician's hospital still owes for an emergency access.
#[component]
fn Review(review: ReviewStanding) -> Element {
    let t = use_translator();
    match review {
        ReviewStanding::Done => rsx! {},
        ReviewStanding::Due { by } => rsx! {
            p { class: "soft small", "data-testid": "review-due", {tr!(t, "review-due", by = t.date_time(by))} }
        },
        ReviewStanding::Overdue { by } => rsx! {
            div { class: "notice wait", "data-testid": "review-overdue",
                Glyph { icon: Icon::Warning, size: 24 }
                p { {tr!(t, "review-overdue", by = t.date_time(by))} }
            }
        },
    }
}

/// Saying that an emergency access was not right.
#[component]
fn Report(line: LineId, disputed: bool, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    if disputed {
        return rsx! {
            div { class: "notice good", role: "status", "data-testid": "reported",
                Glyph { icon: Icon::Check, size: 24 }
                p { {tr!(t, "report-done")} }
            }
        };
    }
    rsx! {
        p { class: "soft small", {tr!(t, "log-emergency-help")} }
        div {
            Button { label: tr!(t, "report"), weight: Weight::Danger, testid: "report", onclick: move |()| asking.set(true) }
        }
        if asking() {
            Confirm {
                id: "confirm-report",
                title: tr!(t, "report-title"),
                text: tr!(t, "report-text"),
                confirm: tr!(t, "report"),
                keep: tr!(t, "report-keep"),
                action,
                oncancel: move |()| {
                    action.clear_error();
                    asking.set(false);
                },
                onconfirm: move |()| {
                    action.call(DisputeEmergency { line }, move |()| {
                        asking.set(false);
                        onchange.call(());
                    });
                },
            }
        }
    }
}
