//! The records of a grant. Opening this page is recorded on the ledger before anything is shown.

use crate::components::check::ProofPanel;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::Countdown;
use crate::components::record::{RecordBody, Timeline};
use crate::hooks::{use_load_once, use_now};
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::clinician::{ClosedByRulesView, GrantedRecordsView, ReadGrant};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Reading(grant: String) -> Element {
    let t = use_translator();
    let load = use_load_once(ReadGrant { grant });
    let loaded = load.state.read().value().is_some();
    rsx! {
        div { class: "page",
            if !loaded {
                PageHead { title: tr!(t, "reading-title"), lead: tr!(t, "reading-opening"), back: Route::Accesses {} }
            }
            {show(load, |view| rsx! { Body { view: view.clone() } })}
        }
    }
}

#[component]
fn Body(view: GrantedRecordsView) -> Element {
    let t = use_translator();
    let now = use_now(1000);
    // Which record is open stays inside the page: opening one is no second reading on the ledger.
    let mut open = use_signal(|| None::<String>);
    if now() >= view.until {
        return rsx! {
            PageHead { title: tr!(t, "summary-over-title"), back: Route::Accesses {} }
            Empty { icon: Icon::Clock, title: tr!(t, "time-over"), text: tr!(t, "reading-over-text") }
        };
    }
    let chosen =
        open.read().as_ref().and_then(|id| view.records.iter().find(|record| record.line.id == *id).cloned());
    if let Some(record) = chosen {
        return rsx! {
            div { class: "stack tight", key: "{record.line.id}",
                button { class: "ghost back", r#type: "button", "data-testid": "back-to-list", onclick: move |_| open.set(None),
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back-to-list")}
                }
                PageHead { title: record.line.title.clone(), lead: record.line.highlight.clone() }
                p { class: "row small soft", Countdown { until: view.until } }
            }
            RecordBody { record }
        };
    }
    rsx! {
        div { class: "stack tight",
            PageHead { title: tr!(t, "reading-title"), lead: tr!(t, "reading-recorded"), back: Route::Accesses {} }
            p { class: "row wrap small soft",
                Countdown { until: view.until }
                span { "data-testid": "reading-count", {tr!(t, "records-count", n = view.records.len())} }
            }
        }
        if view.narrowed {
            div { class: "notice wait", role: "status", "data-testid": "reading-narrowed",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "reading-narrowed")} }
            }
        }
        ClosedByRules { closed: view.closed_by_rules.clone() }
        if view.missing > 0 {
            div { class: "notice wait", role: "status",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "reading-missing", n = view.missing)} }
            }
        }
        Timeline { lines: view.records.iter().map(|record| record.line.clone()).collect::<Vec<_>>(), onopen: move |id| open.set(Some(id)) }
        if let Some(proof) = view.proof.clone() {
            ProofPanel { proof }
        }
    }
}

/// What the consortium's rules keep from this reader, and in whose words.
#[component]
fn ClosedByRules(closed: Vec<ClosedByRulesView>) -> Element {
    let t = use_translator();
    if closed.is_empty() {
        return rsx! {};
    }
    let records: u64 = closed.iter().map(|kind| kind.records).sum();
    rsx! {
        section { class: "notice wait", "data-testid": "reading-closed-by-rules",
            Glyph { icon: Icon::Lock, size: 24 }
            div { class: "stack tight",
                p { class: "strong", {tr!(t, "rules-closed", n = records)} }
                ul {
                    for (place, kind) in closed.into_iter().enumerate() {
                        li { key: "{place}",
                            {tr!(
                                t,
                                "rules-closed-kind",
                                category = t.text(words::category(&kind.category), &[]),
                                class = t.text(words::class(&kind.class), &[]),
                                n = kind.records
                            )}
                            for rule in kind.rules.iter() {
                                p { class: "small", {t.wording(&rule.zh, &rule.en)} }
                            }
                            if kind.rules.is_empty() {
                                p { class: "small", {tr!(t, "rules-closed-unpermitted")} }
                            }
                        }
                    }
                }
                p { class: "small", {tr!(t, "rules-closed-help")} }
            }
        }
    }
}
