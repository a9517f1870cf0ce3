//! Bringing a patient's FHIR file in.

use super::find::{FindByCode, Found};
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::{ErrorNotice, refusal};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{Translator, tr, use_translator};
use crate::platform::PickedFile;
use amulet_app_api::clinician::{Intake, IntakeView, PatientFoundView, RefusedView};
use amulet_app_api::{ApiError, ErrorCode};
use dioxus::prelude::*;

/// Largest file this page reads into memory, in bytes; the hospital has its own, smaller limit and says so.
const FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;

const FILE_ID: &str = "fhir-file";

/// The page.
#[component]
pub fn BringIn() -> Element {
    let t = use_translator();
    let mut found = use_signal(|| None::<PatientFoundView>);
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "intake-title"), lead: tr!(t, "intake-lead") }
            match found.read().clone() {
                None => rsx! { FindByCode { onfound: move |person| found.set(Some(person)) } },
                Some(person) => rsx! {
                    Found { found: person.clone(), onchange: move |()| found.set(None) }
                    File { patient: person.did }
                },
            }
        }
    }
}

#[component]
fn File(patient: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let mut result = use_signal(|| None::<(String, IntakeView)>);
    let mut picked = use_signal(|| None::<String>);
    let take_in = use_callback(move |file: PickedFile| {
        let (patient, file_name) = (patient.clone(), file.name());
        result.set(None);
        picked.set(Some(file_name.clone()));
        let shown_name = file_name.clone();
        let work = async move {
            if file.size() > FILE_BYTES_MAX {
                return Err(ApiError::new(ErrorCode::TooLarge)
                    .with("size", file.size())
                    .with("limit", FILE_BYTES_MAX));
            }
            let text = file
                .text()
                .await
                .ok_or_else(|| ApiError::new(ErrorCode::FhirRefused).with("message", file_name.clone()))?;
            app.call(Intake { patient, file_name, text }).await
        };
        action.run(work, move |view| result.set(Some((shown_name, view))));
    });
    rsx! {
        if let Some(error) = action.error.read().clone() {
            if let Some(name) = picked.read().clone() {
                p { class: "strong", {tr!(t, "intake-file", name = name)} }
            }
            ErrorNotice { error }
        }
        ActionProgress { action, waiting: tr!(t, "task-taking-in") }
        if let Some((name, view)) = result.read().clone() {
            Outcome { name, view }
        }
        ActionBar {
            label { class: if action.is_running() { "button main file-button busy" } else { "button main file-button" },
                Glyph { icon: Icon::File }
                {if result.read().is_some() { tr!(t, "intake-another") } else { tr!(t, "intake-choose") }}
                input {
                    id: FILE_ID,
                    class: "visually-hidden",
                    "data-testid": FILE_ID,
                    r#type: "file",
                    accept: ".json,application/json,application/fhir+json",
                    disabled: action.is_running(),
                    onchange: move |_| {
                        if let Some(file) = PickedFile::take(FILE_ID) {
                            take_in.call(file);
                        }
                    },
                }
            }
            if result.read().is_some() {
                Button { label: tr!(t, "intake-clear"), weight: Weight::Second, testid: "intake-clear", onclick: move |()| result.set(None) }
            }
        }
    }
}

#[component]
fn Outcome(name: String, view: IntakeView) -> Element {
    let t = use_translator();
    rsx! {
        section { class: "stack", role: "status", "data-testid": "intake-result",
            h2 { {tr!(t, "intake-file", name = name)} }
            dl { class: "figures",
                div { dt { {tr!(t, "intake-in")} } dd { "data-testid": "intake-in", "{view.resources_in}" } }
                div { dt { {tr!(t, "intake-out")} } dd { "data-testid": "intake-out", "{view.records_out}" } }
                div { dt { {tr!(t, "intake-refused")} } dd { "data-testid": "intake-refused", "{view.refused.len()}" } }
            }
            if !view.refused.is_empty() {
                ul { class: "list",
                    for (index, refused) in view.refused.iter().enumerate() {
                        li { key: "{index}", class: "line", "data-testid": "refused",
                            Glyph { icon: Icon::Cross }
                            span { class: "grow",
                                span { class: "strong block", {refused.resource.clone()} }
                                span { class: "small block", {reason(t, refused)} }
                                span { class: "faint mono block", {refused.code.clone()} }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The reason in the person's language where it is known, else as the hospital gave it.
fn reason(t: Translator, refused: &RefusedView) -> String {
    refusal(t, &refused.code).unwrap_or_else(|| refused.reason.clone())
}
