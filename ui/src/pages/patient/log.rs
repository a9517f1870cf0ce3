//! The access log: everything that ever happened, by month, emergencies standing out.

use super::events;
use crate::components::check::{CheckedBadge, ProvenMark};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::relationship::AsPatientOf;
use crate::hooks::use_load;
use crate::i18n::{Translator, tr, use_translator};
use crate::pages::save_file::SaveAccessHistory;
use amulet_app_api::access::{AccessLog, AccessLogView, LogLineView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Log() -> Element {
    let t = use_translator();
    let log = use_load(AccessLog {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-log"), lead: tr!(t, "log-lead") }
            {show(log, |view| rsx! { Body { view: view.clone() } })}
        }
    }
}

#[component]
fn Body(view: AccessLogView) -> Element {
    let t = use_translator();
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        if view.complete && !view.lines.is_empty() {
            p { class: "mark good", "data-testid": "log-complete",
                Glyph { icon: Icon::Check, size: 18 }
                {tr!(t, "log-complete", n = view.lines.len())}
            }
        }
        if !view.complete {
            div { class: "notice wait", role: "status", "data-testid": "log-incomplete",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "log-incomplete")} }
            }
        }
        if view.lines.is_empty() {
            Empty { icon: Icon::Log, title: tr!(t, "log-empty-title"), text: tr!(t, "log-empty-text") }
        }
        for (month, lines) in by_month(t, &view.lines) {
            section { key: "{month}", class: "stack tight",
                h2 { class: "month", {month} }
                ul { class: "list",
                    for line in lines {
                        li { key: "{line.line.identity}-{line.line.number}", Line { line } }
                    }
                }
            }
        }
        SaveAccessHistory {}
    }
}

fn by_month(t: Translator, lines: &[LogLineView]) -> Vec<(String, Vec<LogLineView>)> {
    let mut months: Vec<(String, Vec<LogLineView>)> = Vec::new();
    for line in lines {
        let month = t.month(line.at);
        match months.last_mut() {
            Some((last, group)) if *last == month => group.push(line.clone()),
            _ => months.push((month, vec![line.clone()])),
        }
    }
    months
}

#[component]
fn Line(line: LogLineView) -> Element {
    let t = use_translator();
    let emergency = events::is_emergency(&line);
    rsx! {
        Link {
            class: if emergency { "line emergency" } else { "line" },
            to: events::route(&line),
            "data-testid": if emergency { "log-line-emergency" } else { "log-line" },
            span { class: if emergency { "tile danger" } else { "tile" }, Glyph { icon: events::icon(&line.what) } }
            span { class: "grow",
                span { class: "small soft block", {t.day_and_time(line.at)} " · " {events::actor(t, &line)} }
                if emergency {
                    span { class: "tag danger", {tr!(t, "emergency")} }
                }
                span { class: "strong block", {events::headline(t, &line)} }
                if let Some(details) = events::details(t, &line) {
                    span { class: "small block", {details} }
                }
                AsPatientOf { hospital: line.relationship.clone() }
                ProvenMark {}
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
