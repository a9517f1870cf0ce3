//! Two steps that creating and restoring share: who and where, and the passphrase.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint, PassphraseField, TextField};
use crate::components::page::ActionBar;
use crate::components::progress::ActionProgress;
use crate::hooks::Action;
use crate::i18n::{tr, use_translator, words};
use crate::platform;
use amulet_app_api::wallet::{PassphraseStrength, StrengthView};
use dioxus::prelude::*;

/// Longest name the form takes, in characters.
const NAME_LENGTH_MAX: u32 = 60;

/// A pause in typing after which the passphrase is judged.
const TYPING_PAUSE_MS: u32 = 250;

/// Name and hospital.
#[component]
pub fn WhoAndWhere(
    name: Signal<String>,
    hospital: Signal<Option<String>>,
    onnext: EventHandler<()>,
) -> Element {
    let app = use_app();
    let t = use_translator();
    let mut hospital = hospital;
    let mut complaint = use_signal(|| None::<&'static str>);
    let hospitals = app.status.read().as_ref().map(|status| status.hospitals.clone()).unwrap_or_default();
    let submit = move |()| {
        let missing = if name.peek().trim().is_empty() {
            Some("owner-name-missing")
        } else if hospital.peek().is_none() {
            Some("owner-hospital-missing")
        } else {
            None
        };
        complaint.set(missing);
        if missing.is_none() {
            onnext.call(());
        }
    };
    let mut submit_form = submit;
    let complaint_about =
        move |key: &str| (*complaint.read()).filter(|said| *said == key).map(|said| t.text(said, &[]));
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit_form(());
            },
            TextField {
                id: "owner-name",
                label: tr!(t, "owner-name"),
                hint: tr!(t, "owner-name-hint"),
                value: name,
                autocomplete: "name",
                max_length: NAME_LENGTH_MAX,
                complaint: complaint_about("owner-name-missing"),
            }
            fieldset { class: "stack tight",
                legend { class: "legend", {tr!(t, "owner-hospital")} }
                p { class: "hint", {tr!(t, "owner-hospital-hint")} }
                for (index, choice) in hospitals.into_iter().enumerate() {
                    Choice {
                        key: "{choice.did}",
                        name: "hospital",
                        testid: "hospital-{index + 1}",
                        label: t.hospital(&choice),
                        chosen: hospital.read().as_ref() == Some(&choice.did),
                        onchoose: move |()| hospital.set(Some(choice.did.clone())),
                    }
                }
                Complaint { text: complaint_about("owner-hospital-missing") }
            }
            ActionBar {
                Button { label: tr!(t, "continue"), weight: Weight::Main, testid: "owner-continue", submits: true, onclick: |()| {} }
            }
        }
    }
}

/// The passphrase, twice, with its strength.
#[component]
pub fn ChoosePassphrase(
    action: Action,
    #[props(default)] label: Option<String>,
    submit_label: String,
    onsubmit: EventHandler<String>,
) -> Element {
    let t = use_translator();
    let mut complaint = use_signal(|| None::<&'static str>);
    let first = use_signal(String::new);
    let second = use_signal(String::new);
    let strength = use_strength(first);
    let finish = move || {
        let problem = if first.peek().is_empty() {
            Some("passphrase-missing")
        } else if strength.peek().as_ref().is_some_and(|strength| !strength.accepted) {
            Some("passphrase-too-weak")
        } else if *first.peek() != *second.peek() {
            Some("passphrase-differs")
        } else {
            None
        };
        complaint.set(problem);
        if problem.is_none() {
            onsubmit.call(first.peek().clone());
        }
    };
    let mut finish_form = finish;
    let said = *complaint.read();
    let about_second = said == Some("passphrase-differs");
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                finish_form();
            },
            PassphraseField {
                id: "passphrase",
                label: label.unwrap_or_else(|| tr!(t, "passphrase")),
                value: first,
                autocomplete: "new-password",
                complaint: said.filter(|_| !about_second).map(|key| t.text(key, &[])),
            }
            StrengthMeter { strength: strength.read().clone(), typed: !first.read().is_empty() }
            PassphraseField {
                id: "passphrase-again",
                label: tr!(t, "passphrase-again"),
                value: second,
                autocomplete: "new-password",
                complaint: said.filter(|_| about_second).map(|key| t.text(key, &[])),
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: move |()| onsubmit.call(first.peek().clone()) }
            }
            ActionProgress { action, waiting: tr!(t, "task-unlocking") }
            ActionBar {
                Button { label: submit_label, weight: Weight::Main, testid: "passphrase-submit", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// Judges what was typed, once the typing pauses.
fn use_strength(typed: Signal<String>) -> Signal<Option<StrengthView>> {
    let app = use_app();
    let mut strength = use_signal(|| None);
    let mut typing = use_signal(|| 0_u32);
    use_effect(move || {
        let passphrase = typed.read().clone();
        let this = *typing.peek() + 1;
        typing.set(this);
        spawn(async move {
            platform::sleep_ms(TYPING_PAUSE_MS).await;
            if *typing.peek() != this {
                return;
            }
            if passphrase.is_empty() {
                strength.set(None);
            } else if let Ok(judged) = app.call(PassphraseStrength { passphrase }).await
                && *typing.peek() == this
            {
                strength.set(Some(judged));
            }
        });
    });
    strength
}

/// The strength as a bar, a word, and what would help.
#[component]
fn StrengthMeter(strength: Option<StrengthView>, typed: bool) -> Element {
    let t = use_translator();
    let verdict = strength.as_ref().map(|strength| match strength.score {
        0 | 1 => tr!(t, "strength-weak"),
        2 => tr!(t, "strength-fair"),
        3 => tr!(t, "strength-good"),
        _ => tr!(t, "strength-strong"),
    });
    let hint =
        strength.as_ref().and_then(|strength| strength.hint).map(|hint| t.text(words::hint(&hint), &[]));
    let score = strength.as_ref().map_or(0, |strength| strength.score.min(4));
    let accepted = strength.as_ref().is_some_and(|strength| strength.accepted);
    rsx! {
        div { class: "strength", role: "status", "aria-live": "polite", "data-testid": "strength", "data-score": "{score}",
            meter { min: "0", max: "4", low: "2", high: "3", optimum: "4", value: "{score}", "aria-label": tr!(t, "strength-label") }
            if let Some(verdict) = verdict.filter(|_| typed) {
                p {
                    span { class: "strong", {verdict} }
                    if !accepted {
                        if let Some(hint) = hint {
                            span { class: "soft", " {hint}" }
                        }
                        span { class: "soft", " " {tr!(t, "strength-not-yet")} }
                    }
                }
            } else {
                p { class: "soft", {tr!(t, "strength-advice")} }
            }
        }
    }
}
