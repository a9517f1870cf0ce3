//! The hospitals that the person deals with: who they are at each, and one more.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint, PassphraseField};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::{AddHospital, HospitalView, SessionView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Hospitals() -> Element {
    let app = use_app();
    let t = use_translator();
    let added = use_signal(|| None::<String>);
    let Some(session) = app.session.read().clone() else { return rsx! {} };
    let all = app.status.read().as_ref().map(|status| status.hospitals.clone()).unwrap_or_default();
    let has = |hospital: &HospitalView| {
        session.relationships.iter().any(|relationship| relationship.hospital.did == hospital.did)
    };
    let others: Vec<HospitalView> = all.into_iter().filter(|hospital| !has(hospital)).collect();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "hospitals-title"), lead: tr!(t, "hospitals-lead"), back: Route::Settings {} }
            if let Some(name) = added() {
                div { class: "notice good", role: "status", "data-testid": "hospital-added",
                    Glyph { icon: Icon::Check, size: 24 }
                    p { {tr!(t, "hospitals-added", hospital = name)} }
                }
            }
            Known { session }
            if others.is_empty() {
                p { class: "soft", {tr!(t, "hospitals-all")} }
            } else {
                Add { key: "{others.len()}", others, added }
            }
        }
    }
}

#[component]
fn Known(session: SessionView) -> Element {
    let t = use_translator();
    rsx! {
        section { class: "stack tight", "aria-labelledby": "known-hospitals",
            h2 { id: "known-hospitals", {tr!(t, "hospitals-known", n = session.relationships.len())} }
            ul { class: "list",
                for relationship in session.relationships {
                    li { key: "{relationship.did}", class: "line", "data-testid": "known-hospital",
                        span { class: "grow",
                            span { class: "strong block", {t.hospital(&relationship.hospital)} }
                            span { class: "mono small soft block", translate: "no", {relationship.did.clone()} }
                        }
                    }
                }
            }
            p { class: "soft small", {tr!(t, "hospitals-apart")} }
        }
    }
}

#[component]
fn Add(others: Vec<HospitalView>, added: Signal<Option<String>>) -> Element {
    let app = use_app();
    let t = use_translator();
    let mut added = added;
    let action = use_action();
    let passphrase = use_signal(String::new);
    let mut chosen = use_signal(|| None::<HospitalView>);
    let mut complaint = use_signal(|| None::<&'static str>);
    let submit = use_callback(move |()| {
        let problem = match (&*chosen.peek(), passphrase.peek().is_empty()) {
            (None, _) => Some("owner-hospital-missing"),
            (Some(_), true) => Some("passphrase-missing"),
            (Some(_), false) => None,
        };
        complaint.set(problem);
        let Some(hospital) = chosen.peek().clone().filter(|_| problem.is_none()) else { return };
        let call = AddHospital { hospital: hospital.did.clone(), passphrase: passphrase.peek().clone() };
        action.call(call, move |session| {
            added.set(Some(t.hospital(&hospital)));
            app.open(session);
        });
    });
    let said = move |key: &str| (*complaint.read()).filter(|said| *said == key).map(|said| t.text(said, &[]));
    rsx! {
        section { class: "stack", "aria-labelledby": "add-hospital",
            h2 { id: "add-hospital", {tr!(t, "hospitals-add")} }
            p { class: "soft", {tr!(t, "hospitals-add-text")} }
            form {
                class: "stack",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    submit.call(());
                },
                fieldset { class: "stack tight", disabled: action.is_running(),
                    legend { class: "legend", {tr!(t, "give-hospital")} }
                    for (place, other) in others.into_iter().enumerate() {
                        Choice {
                            key: "{other.did}",
                            name: "add-hospital",
                            testid: "add-hospital-{place + 1}",
                            label: t.hospital(&other),
                            chosen: chosen.read().as_ref() == Some(&other),
                            onchoose: move |()| {
                                complaint.set(None);
                                chosen.set(Some(other.clone()));
                            },
                        }
                    }
                    Complaint { text: said("owner-hospital-missing") }
                }
                PassphraseField {
                    id: "passphrase",
                    label: tr!(t, "passphrase"),
                    value: passphrase,
                    autocomplete: "current-password",
                    complaint: said("passphrase-missing"),
                    oninput: move |_| action.clear_error(),
                }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error, onretry: submit }
                }
                ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
                ActionBar {
                    Button { label: tr!(t, "hospitals-add"), weight: Weight::Main, testid: "add-hospital", submits: true, busy: action.is_running(), onclick: |()| {} }
                }
            }
        }
    }
}
