//! Answering a request: the sentence, exactly what it would open, what comes later, then the signature.

use super::choose_records::{ChooseRecords, NotShown, left_out, ticked};
use super::preferences::Settled;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::Tick;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::people::{named, staff, who};
use crate::components::progress::ActionProgress;
use crate::components::relationship::AsPatientOf;
use crate::hooks::{use_action, use_load_once};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::access::{DeclineRequest, Exposure, ExposureView, GrantRequest, RequestView, ShareView};
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// How a request was answered.
#[derive(Clone, PartialEq)]
enum Answer {
    Granted(Box<ShareView>),
    Declined(String),
}

/// The page.
#[component]
pub fn Request(id: String) -> Element {
    let t = use_translator();
    let exposure = use_load_once(Exposure { request: id });
    let answer = use_signal(|| None::<Answer>);
    rsx! {
        div { class: "page",
            match answer.read().clone() {
                Some(answer) => rsx! { Answered { answer } },
                None => rsx! {
                    PageHead { title: tr!(t, "request-title"), back: Route::Sharing {} }
                    {show(exposure, |view| rsx! { Question { view: view.clone(), answer } })}
                },
            }
        }
    }
}

/// Who, what, until when, why; in that order; in one sentence.
fn sentence(t: Translator, request: &RequestView) -> String {
    tr!(
        t,
        "request-sentence",
        who = who(t, &request.from),
        what = named(t, &request.categories),
        until = t.date_time(request.access_until),
        purpose = t.text(words::purpose(&request.purpose), &[])
    )
}

/// Which record dates the request covers, if it limits them.
fn dates(t: Translator, request: &RequestView) -> Option<String> {
    match (&request.records_from, &request.records_to) {
        (Some(from), Some(to)) => {
            Some(tr!(t, "request-dates-between", from = t.record_date(from), to = t.record_date(to)))
        }
        (Some(from), None) => Some(tr!(t, "request-dates-from", from = t.record_date(from))),
        (None, Some(to)) => Some(tr!(t, "request-dates-to", to = t.record_date(to))),
        (None, None) => None,
    }
}

#[component]
fn Question(view: ExposureView, answer: Signal<Option<Answer>>) -> Element {
    let t = use_translator();
    let mut answer = answer;
    let action = use_action();
    let without: Signal<BTreeSet<String>> = use_signal(|| left_out(&view.records, &view.ask));
    let mut once = use_signal(|| false);
    let mut new_records = use_signal(|| false);
    let mut only_asker = use_signal(|| false);
    // Who asks for the records of a time that ends does not ask for those to come.
    let open_ended = view.request.records_to.is_none();
    let left = view.records.len() - without.read().len();
    let (request, shown) = (view.request.clone(), view.records.clone());
    let (grant_id, decline_id, asker) = (request.id.clone(), request.id.clone(), request.from.name.clone());
    rsx! {
        p { class: "sentence", "data-testid": "request-sentence", {sentence(t, &request)} }
        AsPatientOf { hospital: request.relationship.clone() }
        if request.staff.is_none() {
            p { class: "soft small", "data-testid": "cannot-pass-on", {tr!(t, "cannot-pass-on")} }
        }
        if let Some(colleagues) = &request.staff {
            div { class: "notice wait", "data-testid": "request-staff",
                Glyph { icon: Icon::Person, size: 24 }
                p { {tr!(t, "request-staff", who = staff(t, colleagues))} }
            }
        }
        p { class: "soft", {tr!(t, "request-take-back")} }
        Settled { withheld: view.withheld.clone(), ask: view.ask.clone() }
        Exposed { view: view.clone(), without, locked: action.is_running() }
        fieldset { disabled: action.is_running(),
            Tick {
                testid: "only-once",
                label: tr!(t, "request-once"),
                more: tr!(t, "request-once-more"),
                ticked: once(),
                onchange: move |only: bool| once.set(only),
            }
        }
        if request.staff.is_some() {
            fieldset { disabled: action.is_running(),
                Tick {
                    testid: "only-asker",
                    label: tr!(t, "request-only-asker", name = request.from.name.clone()),
                    more: tr!(t, "request-only-asker-more"),
                    ticked: only_asker(),
                    onchange: move |only: bool| only_asker.set(only),
                }
            }
        }
        if open_ended {
            fieldset { disabled: action.is_running(),
                Tick {
                    testid: "new-records",
                    label: tr!(t, "request-new-records"),
                    more: tr!(t, "request-new-records-more", until = t.date_time(request.access_until)),
                    ticked: new_records(),
                    onchange: move |wanted: bool| new_records.set(wanted),
                }
            }
        }
        details { class: "technical",
            summary { {tr!(t, "request-later")} }
            if !new_records() {
                p { {tr!(t, "request-later-text")} }
            }
            if let Some(dates) = dates(t, &request) {
                p { {dates} }
            }
            p { {tr!(t, "answer-by", date = t.date_time(request.answer_by))} }
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        ActionProgress { action, waiting: tr!(t, "task-sealing") }
        ActionBar {
            Button {
                label: tr!(t, "grant", n = left),
                weight: Weight::Main,
                testid: "grant",
                busy: action.is_running(),
                disabled: left == 0 && !new_records(),
                onclick: move |()| {
                    let records = ticked(&shown, &without.peek());
                    let uses_max = once().then_some(1);
                    let request = GrantRequest {
                        request: grant_id.clone(),
                        records,
                        new_records: new_records(),
                        only_asker: only_asker(),
                        uses_max,
                    };
                    action.call(request, move |share| answer.set(Some(Answer::Granted(Box::new(share)))));
                },
            }
            Button {
                label: tr!(t, "decline"),
                weight: Weight::Second,
                testid: "decline",
                busy: action.is_running(),
                onclick: move |()| {
                    let asker = asker.clone();
                    action.call(DeclineRequest { request: decline_id.clone() }, move |()| answer.set(Some(Answer::Declined(asker))));
                },
            }
        }
    }
}

/// Exactly these records, by category, each with a tick to leave it out.
#[component]
fn Exposed(view: ExposureView, without: Signal<BTreeSet<String>>, locked: bool) -> Element {
    let t = use_translator();
    let left = view.records.len() - without.read().len();
    rsx! {
        section { class: "stack tight", "aria-labelledby": "exposed", "data-testid": "exposure",
            h2 { id: "exposed",
                span { role: "status", "aria-live": "polite", {tr!(t, "request-exactly", n = left)} }
            }
            p { class: "soft small", {tr!(t, "request-exactly-hint")} }
            NotShown { records: view.missing }
            if view.records.is_empty() {
                div { class: "notice wait",
                    Glyph { icon: Icon::Clock, size: 24 }
                    p { {tr!(t, "request-nothing")} }
                }
            }
            ChooseRecords { lines: view.records.clone(), without, locked }
        }
    }
}

#[component]
fn Answered(answer: Answer) -> Element {
    let t = use_translator();
    let (title, text) = match &answer {
        Answer::Granted(share) => (tr!(t, "granted-title"), super::sharing::share_sentence(t, share)),
        Answer::Declined(asker) => (tr!(t, "declined-title"), tr!(t, "declined-text", name = asker.clone())),
    };
    rsx! {
        PageHead { title }
        div { class: "notice good", role: "status", "data-testid": "answered",
            Glyph { icon: Icon::Check, size: 24 }
            p { {text} }
        }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::Sharing {}, "data-testid": "to-sharing", {tr!(t, "to-sharing")} }
        }
    }
}
