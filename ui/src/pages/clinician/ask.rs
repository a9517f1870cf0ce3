//! Asking a patient for time-bound access.

use super::find::{FindByCode, Found};
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::people::named;
use crate::components::progress::ActionProgress;
use crate::components::terms::{Categories, Hours};
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::access::Purpose;
use amulet_app_api::clinician::{AskAccess, AskFor, MyAccessView, PatientFoundView};
use amulet_app_api::records::Category;
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// Lengths of access on offer, in hours.
const ACCESS_HOURS: [u64; 4] = [24, 7 * 24, 30 * 24, 90 * 24];

/// Times to answer on offer, in hours.
const ANSWER_HOURS: [u64; 3] = [24, 3 * 24, 7 * 24];

const PURPOSES: [Purpose; 3] = [Purpose::Treatment, Purpose::SecondOpinion, Purpose::OngoingCare];

/// The page.
#[component]
pub fn Ask() -> Element {
    let t = use_translator();
    let mut found = use_signal(|| None::<PatientFoundView>);
    let mut sent = use_signal(|| None::<MyAccessView>);
    if let Some(access) = sent.read().clone() {
        return rsx! {
            div { class: "page", Sent { access } }
        };
    }
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "ask-title"), lead: tr!(t, "ask-lead") }
            match found.read().clone() {
                None => rsx! { FindByCode { onfound: move |person| found.set(Some(person)) } },
                Some(person) => rsx! {
                    Found { found: person.clone(), onchange: move |()| found.set(None) }
                    What { patient: person.did, onsent: move |access| sent.set(Some(access)) }
                },
            }
        }
    }
}

#[component]
fn What(patient: String, onsent: EventHandler<MyAccessView>) -> Element {
    let t = use_translator();
    let action = use_action();
    let categories = use_signal(BTreeSet::<Category>::new);
    let purpose = use_signal(|| PURPOSES[0]);
    let reader = use_signal(AskFor::default);
    let access_hours = use_signal(|| ACCESS_HOURS[0]);
    let answer_hours = use_signal(|| ANSWER_HOURS[1]);
    let from = use_signal(String::new);
    let to = use_signal(String::new);
    let mut complaint = use_signal(|| None::<&'static str>);
    let submit = use_callback(move |()| {
        let given = |date: Signal<String>| Some(date.peek().clone()).filter(|date| !date.is_empty());
        let (records_from, records_to) = (given(from), given(to));
        let backwards = records_from.is_some() && records_to.is_some() && records_from > records_to;
        let problem = if categories.peek().is_empty() {
            Some("ask-categories-missing")
        } else if backwards {
            Some("ask-dates-backwards")
        } else {
            None
        };
        complaint.set(problem);
        if problem.is_some() {
            return;
        }
        let request = AskAccess {
            patient: patient.clone(),
            categories: categories.peek().iter().copied().collect(),
            purpose: *purpose.peek(),
            access_hours: *access_hours.peek(),
            answer_hours: *answer_hours.peek(),
            records_from,
            records_to,
            reader: *reader.peek(),
        };
        action.call(request, move |access| onsent.call(access));
    });
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit.call(());
            },
            Categories { legend: tr!(t, "ask-categories"), hint: tr!(t, "ask-categories-hint"), categories }
            Purposes { purpose }
            Readers { reader }
            Hours { id: "access-hours", label: tr!(t, "ask-access-hours"), choices: ACCESS_HOURS.to_vec(), hours: access_hours }
            Hours { id: "answer-hours", label: tr!(t, "ask-answer-hours"), choices: ANSWER_HOURS.to_vec(), hours: answer_hours }
            Dates { from, to }
            Complaint { text: complaint().map(|key| t.text(key, &[])) }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: submit }
            }
            ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
            ActionBar {
                Button { label: tr!(t, "ask-submit"), weight: Weight::Main, testid: "ask-submit", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

#[component]
fn Purposes(purpose: Signal<Purpose>) -> Element {
    let t = use_translator();
    let mut purpose = purpose;
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "ask-purpose")} }
            for choice in PURPOSES {
                Choice {
                    key: "{words::purpose(&choice)}",
                    name: "purpose",
                    testid: words::purpose(&choice),
                    label: t.text(words::purpose(&choice), &[]),
                    chosen: purpose() == choice,
                    onchoose: move |()| purpose.set(choice),
                }
            }
        }
    }
}

/// For whom it is asked.
#[component]
fn Readers(reader: Signal<AskFor>) -> Element {
    let t = use_translator();
    let mut reader = reader;
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "ask-reader")} }
            p { class: "hint", {tr!(t, "ask-reader-hint")} }
            for choice in [AskFor::Myself, AskFor::MyDepartment, AskFor::MyHospital] {
                Choice {
                    key: "{words::ask_for(&choice)}",
                    name: "reader",
                    testid: words::ask_for(&choice),
                    label: t.text(words::ask_for(&choice), &[]),
                    chosen: reader() == choice,
                    onchoose: move |()| reader.set(choice),
                }
            }
        }
    }
}

/// Which record dates, if not all.
#[component]
fn Dates(from: Signal<String>, to: Signal<String>) -> Element {
    let t = use_translator();
    let (mut from, mut to) = (from, to);
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "ask-dates")} }
            p { class: "hint", {tr!(t, "ask-dates-hint")} }
            div { class: "row wrap",
                div { class: "field grow",
                    label { r#for: "records-from", {tr!(t, "ask-dates-from")} }
                    input { id: "records-from", "data-testid": "records-from", r#type: "date", value: "{from}", oninput: move |event| from.set(event.value()) }
                }
                div { class: "field grow",
                    label { r#for: "records-to", {tr!(t, "ask-dates-to")} }
                    input { id: "records-to", "data-testid": "records-to", r#type: "date", value: "{to}", oninput: move |event| to.set(event.value()) }
                }
            }
        }
    }
}

#[component]
fn Sent(access: MyAccessView) -> Element {
    let t = use_translator();
    rsx! {
        PageHead { title: tr!(t, "ask-sent-title") }
        div { class: "notice good", role: "status", "data-testid": "ask-sent",
            Glyph { icon: Icon::Check, size: 24 }
            p { {tr!(t, "ask-sent-text", what = named(t, &access.categories))} }
        }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::Accesses {}, "data-testid": "to-accesses", {tr!(t, "to-accesses")} }
        }
    }
}
