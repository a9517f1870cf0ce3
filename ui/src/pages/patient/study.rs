//! Taking part in a study: what it is, exactly what that opens, what remains in the records, then the signature.

use super::choose_records::{ChooseRecords, NotShown, left_out, ticked};
use super::give::{GivenShares, Joins};
use super::preferences::Settled;
use super::research::StudyFacts;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::Tick;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::people::{named, study_title};
use crate::components::progress::ActionProgress;
use crate::hooks::{use_action, use_load_once};
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::giving::GivenView;
use amulet_app_api::research::{JoinStudy, PreviewStudy, StudyPreviewView};
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// The page.
#[component]
pub fn Study(id: String) -> Element {
    let t = use_translator();
    let preview = use_load_once(PreviewStudy { study: id });
    let joined = use_signal(|| None::<GivenView>);
    rsx! {
        div { class: "page",
            match joined.read().clone() {
                Some(given) => rsx! { Done { given } },
                None => rsx! {
                    PageHead { title: tr!(t, "study-title"), back: Route::Research {} }
                    {show(preview, |view| rsx! { Sign { view: view.clone(), joined } })}
                },
            }
        }
    }
}

#[component]
fn Sign(view: StudyPreviewView, joined: Signal<Option<GivenView>>) -> Element {
    let t = use_translator();
    let mut joined = joined;
    let action = use_action();
    let without: Signal<BTreeSet<String>> = use_signal(|| left_out(&view.records, &view.ask));
    let mut new_records = use_signal(|| false);
    let left = view.records.len() - without.read().len();
    let (id, shown) = (view.study.name.id.clone(), view.records.clone());
    rsx! {
        h2 { {study_title(t, &view.study.name)} }
        StudyFacts { study: view.study.clone() }
        div { class: "notice wait", "data-testid": "study-not-anonymous",
            Glyph { icon: Icon::Warning, size: 24 }
            p { {tr!(t, "study-not-anonymous")} }
        }
        Joins { relationships: view.relationships.clone() }
        Settled { withheld: view.withheld.clone(), ask: view.ask.clone() }
        section { class: "stack tight", "aria-labelledby": "exposed", "data-testid": "exposure",
            h2 { id: "exposed",
                span { role: "status", "aria-live": "polite", {tr!(t, "request-exactly", n = left)} }
            }
            p { class: "soft small", {tr!(t, "request-exactly-hint")} }
            NotShown { records: view.missing }
            ChooseRecords { lines: view.records.clone(), without, locked: action.is_running() }
        }
        if view.standing.is_empty() {
            p { class: "soft", {tr!(t, "request-later-text")} }
        } else {
            fieldset { disabled: action.is_running(),
                Tick {
                    testid: "new-records",
                    label: tr!(t, "request-new-records"),
                    more: tr!(t, "study-new-records-more", what = named(t, &view.standing), until = t.day(view.until)),
                    ticked: new_records(),
                    onchange: move |wanted: bool| new_records.set(wanted),
                }
            }
        }
        p { class: "soft", {tr!(t, "study-take-back", until = t.day(view.until))} }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        ActionProgress { action, waiting: tr!(t, "task-sealing") }
        ActionBar {
            Button {
                label: tr!(t, "study-join", n = left),
                weight: Weight::Main,
                testid: "study-join",
                busy: action.is_running(),
                disabled: left == 0 && !new_records(),
                onclick: move |()| {
                    let records = ticked(&shown, &without.peek());
                    let call = JoinStudy { study: id.clone(), records, new_records: new_records() };
                    action.call(call, move |given| joined.set(Some(given)));
                },
            }
        }
    }
}

#[component]
fn Done(given: GivenView) -> Element {
    let t = use_translator();
    rsx! {
        PageHead { title: tr!(t, "study-joined-title") }
        GivenShares { view: given, testid: "study-joined" }
        p { class: "soft", {tr!(t, "request-take-back")} }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::Research {}, "data-testid": "to-research", {tr!(t, "study-joined-back")} }
        }
    }
}
