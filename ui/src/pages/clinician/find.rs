//! Finding a patient by their code: scanned, from a picture, or typed.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::TextField;
use crate::components::progress::ActionProgress;
use crate::components::scanner::Scanner;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::scan::CodeKind;
use amulet_app_api::clinician::{FindPatient, PatientFoundView};
use dioxus::prelude::*;

/// Asks for a patient's code and reports the person found.
#[component]
pub fn FindByCode(onfound: EventHandler<PatientFoundView>) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let typed = use_signal(String::new);
    let mut complaint = use_signal(|| None::<&'static str>);
    let mut scanning = use_signal(|| false);
    let find = use_callback(move |code: String| {
        complaint.set(match CodeKind::of(&code) {
            CodeKind::Person => None,
            CodeKind::Card => Some("find-is-card"),
            CodeKind::Unknown => Some("find-is-no-code"),
        });
        if complaint.peek().is_none() {
            action.call(FindPatient { code: code.trim().to_owned() }, move |found| onfound.call(found));
        }
    });
    use_hook(|| {
        // A code scanned on another page comes along.
        let mut handed_over = app.patient_code;
        let code = std::mem::take(&mut *handed_over.write());
        if !code.is_empty() {
            let mut typed = typed;
            typed.set(code.clone());
            find.call(code);
        }
    });
    let mut from_link = use_signal(|| false);
    use_effect(move || {
        // Only filled in: whoever made the link does not decide for whom this person looks.
        let mut linked = app.linked_code;
        if !linked.read().is_empty() {
            let mut typed = typed;
            typed.set(std::mem::take(&mut *linked.write()));
            from_link.set(true);
        }
    });
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                let code = typed.peek().trim().to_owned();
                if !code.is_empty() {
                    find.call(code);
                }
            },
            TextField {
                id: "patient-code",
                label: tr!(t, "find-code"),
                hint: tr!(t, "find-code-hint"),
                value: typed,
                plain: true,
                complaint: complaint().map(|key| t.text(key, &[])),
                oninput: move |_| {
                    complaint.set(None);
                    action.clear_error();
                    from_link.set(false);
                },
            }
            if from_link() {
                p { class: "notice wait", role: "status", "data-testid": "code-from-link", {tr!(t, "find-from-link")} }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "find-looking") }
            div { class: "row wrap",
                Button { label: tr!(t, "find"), weight: Weight::Main, testid: "find-patient", submits: true, busy: action.is_running(), onclick: |()| {} }
                if !scanning() {
                    Button { label: tr!(t, "find-scan"), weight: Weight::Second, testid: "find-scan", onclick: move |()| scanning.set(true) }
                }
            }
        }
        if scanning() {
            Scanner { paused: action.is_running(), oncode: find, onpicture: move |()| action.clear_error() }
        }
    }
}

/// The person found.
#[component]
pub fn Found(found: PatientFoundView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "card-box row spread wrap", "data-testid": "patient-found",
            div { class: "grow",
                p { class: "strong", {tr!(t, "found", n = found.records)} }
                p { class: "mono soft", {found.did.clone()} }
            }
            button { class: "ghost", r#type: "button", "data-testid": "other-patient", onclick: move |_| onchange.call(()), {tr!(t, "found-other")} }
        }
    }
}
