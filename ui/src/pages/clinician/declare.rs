//! What the card says by itself, and the declaration that opens the rest.

use crate::app::{ScannedCard, use_app};
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator, words};
use crate::pages::patient::card::FactList;
use crate::route::Route;
use amulet_app_api::access::EmergencyReason;
use amulet_app_api::clinician::{CardPreviewView, DeclareEmergency, ReadCard};
use dioxus::prelude::*;

/// Longest note, in characters.
const NOTE_LENGTH_MAX: usize = 200;

const REASONS: [EmergencyReason; 4] = [
    EmergencyReason::Unconscious,
    EmergencyReason::CannotCommunicate,
    EmergencyReason::LifeThreatening,
    EmergencyReason::Other,
];

/// The page.
#[component]
pub fn Declare() -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let scanned = app.scanned.read().clone();
    let missing = scanned.is_none();
    use_effect(use_reactive!(|(missing,)| {
        if missing {
            navigator.replace(Route::Scan {});
        }
    }));
    let Some(card) = scanned else { return rsx! {} };
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "declare-title"), back: Route::Scan {} }
            OnTheCard { preview: card.preview.clone() }
            if card.preview.online {
                Declaration { card }
            } else {
                Offline { code: card.code.clone() }
            }
        }
    }
}

/// The facts printed on the card itself, marked as such.
#[component]
fn OnTheCard(preview: CardPreviewView) -> Element {
    let t = use_translator();
    if preview.facts.is_empty() {
        return rsx! { p { class: "soft", {tr!(t, "preview-no-facts")} } };
    }
    rsx! {
        section { class: "stack tight", "aria-labelledby": "on-card", "data-testid": "offline-facts",
            div { class: "row wrap",
                h2 { id: "on-card", {tr!(t, "preview-title")} }
                if preview.facts_signed {
                    span { class: "mark good", "data-testid": "facts-signed", Glyph { icon: Icon::Check, size: 16 } {tr!(t, "preview-signed")} }
                } else {
                    span { class: "mark wait", "data-testid": "facts-unsigned", Glyph { icon: Icon::Warning, size: 16 } {tr!(t, "preview-unsigned")} }
                }
            }
            p { class: "soft small", {tr!(t, "preview-offline-hint")} }
            div { class: "card-box", FactList { facts: preview.facts.clone() } }
        }
    }
}

#[component]
fn Offline(code: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    rsx! {
        div { class: "notice wait", role: "status", "data-testid": "offline",
            Glyph { icon: Icon::Offline, size: 24 }
            p { {tr!(t, "preview-offline")} }
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        ActionBar {
            Button {
                label: tr!(t, "try-again"),
                weight: Weight::Main,
                icon: Icon::Refresh,
                testid: "retry-online",
                busy: action.is_running(),
                onclick: move |()| {
                    let code = code.clone();
                    let mut scanned = app.scanned;
                    action.call(ReadCard { code: code.clone() }, move |preview| scanned.set(Some(ScannedCard { code, preview })));
                },
            }
        }
    }
}

#[component]
fn Declaration(card: ScannedCard) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let mut reason = use_signal(|| None::<EmergencyReason>);
    let mut note = use_signal(String::new);
    let mut complaint = use_signal(|| None::<&'static str>);
    let me = app.session.read().as_ref().map(|session| {
        let department = t.department(session.department.as_deref().unwrap_or_default());
        tr!(
            t,
            "who",
            name = session.wallet.name.clone(),
            department = department,
            hospital = t.hospital(&session.hospital)
        )
    });
    let code = card.code.clone();
    let declare = use_callback(move |()| {
        let chosen = *reason.peek();
        let written = note.peek().trim().to_owned();
        let problem = match chosen {
            None => Some("declare-reason-missing"),
            Some(EmergencyReason::Other) if written.is_empty() => Some("declare-note-missing"),
            Some(_) => None,
        };
        complaint.set(problem);
        let (Some(reason), None) = (chosen, problem) else { return };
        let mut emergency = app.emergency;
        action.call(DeclareEmergency { code: code.clone(), reason, note: written }, move |view| {
            let declaration = view.declaration.clone();
            emergency.set(Some(view));
            navigator.replace(Route::Emergency { declaration });
        });
    });
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                declare.call(());
            },
            if let Some(me) = me {
                p { {tr!(t, "declare-you")} " " span { class: "strong", "data-testid": "declare-me", {me} } }
            }
            fieldset { class: "stack tight", disabled: action.is_running(),
                legend { class: "legend", {tr!(t, "declare-why")} }
                for choice in REASONS {
                    Choice {
                        key: "{words::reason(&choice)}",
                        name: "reason",
                        testid: words::reason(&choice),
                        label: t.text(words::reason(&choice), &[]),
                        chosen: reason() == Some(choice),
                        onchoose: move |()| {
                            reason.set(Some(choice));
                            complaint.set(None);
                        },
                    }
                }
                div { class: "field",
                    label { r#for: "note", {if reason() == Some(EmergencyReason::Other) { tr!(t, "declare-note-needed") } else { tr!(t, "declare-note") }} }
                    textarea {
                        id: "note",
                        "data-testid": "note",
                        rows: "2",
                        maxlength: "{NOTE_LENGTH_MAX}",
                        value: "{note}",
                        oninput: move |event| note.set(event.value()),
                    }
                }
                Complaint { text: complaint().map(|key| t.text(key, &[])) }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: declare }
            }
            ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
            ActionBar {
                // Beside the button, so that nobody presses it without having had this before their eyes.
                p { class: "bar-note", "data-testid": "declare-warning",
                    Glyph { icon: Icon::Warning, size: 20 }
                    span { {tr!(t, "declare-warning", hours = card.preview.access_hours.unwrap_or_default())} }
                }
                Button {
                    label: tr!(t, "declare-submit"),
                    weight: Weight::Emergency,
                    icon: Icon::Emergency,
                    testid: "declare",
                    submits: true,
                    busy: action.is_running(),
                    onclick: |()| {},
                }
            }
        }
    }
}
