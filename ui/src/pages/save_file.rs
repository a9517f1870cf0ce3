//! Saving something as a file: what it proves or says, whom to give it to, how they check it, and where it went.

use crate::components::actions::{Button, Weight};
use crate::components::error::{ErrorNotice, bytes};
use crate::components::icon::{Glyph, Icon};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use amulet_app_api::files::{
    ProofOf, SaveAccessHistory as SaveAccessHistoryCall, SaveConsents,
    SaveContradiction as SaveContradictionCall, SaveProof as SaveProofCall, SaveSummary as SaveSummaryCall,
    SavedFileView, SavedSummaryView,
};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

/// What a proof file proves, in words.
fn meaning(of: &ProofOf) -> &'static str {
    match of {
        ProofOf::LogLine { .. } => "file-log",
        ProofOf::Record { .. } => "file-record",
        ProofOf::RecordStory { .. } => "file-story",
        ProofOf::Grant { .. } => "file-grant",
        ProofOf::NewestEntry => "file-entry",
    }
}

/// Offers a proof as a file, folded away: few people need it, and those who do read first.
#[component]
pub fn SaveProof(of: ProofOf) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedFileView>);
    let about_a_person = of != ProofOf::NewestEntry;
    let meaning = meaning(&of);
    rsx! {
        details { class: "technical", "data-testid": "save-proof",
            summary { {tr!(t, "file-title")} }
            div { class: "stack tight",
                p { {t.text(meaning, &[])} }
                p { {tr!(t, "file-whom")} }
                if about_a_person {
                    p { {tr!(t, "file-private")} }
                }
                p { {tr!(t, "file-how")} }
                p { class: "mono small", translate: "no", "amulet-light verify-proof --genesis genesis.bin …" }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-checking") }
                SavedFile { saved: saved() }
                div {
                    Button {
                        label: tr!(t, "file-save"),
                        weight: Weight::Second,
                        icon: Icon::File,
                        testid: "save-proof-file",
                        busy: action.is_running(),
                        onclick: move |()| {
                            saved.set(None);
                            action.call(SaveProofCall { of: of.clone() }, move |file| saved.set(Some(file)));
                        },
                    }
                }
            }
        }
    }
}

/// Offers a contradiction between hospitals as a file.
#[component]
pub fn SaveContradiction(place: usize) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedFileView>);
    rsx! {
        p { class: "small", {tr!(t, "contradiction-file")} }
        p { class: "mono small", translate: "no", "amulet-light verify-fork --genesis genesis.bin …" }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        SavedFile { saved: saved() }
        div {
            Button {
                label: tr!(t, "contradiction-save"),
                weight: Weight::Second,
                icon: Icon::File,
                testid: "save-contradiction",
                busy: action.is_running(),
                onclick: move |()| {
                    saved.set(None);
                    action.call(SaveContradictionCall { place }, move |file| saved.set(Some(file)));
                },
            }
        }
    }
}

/// Offers the patient summary as a file, in the language of whoever is to read it. It is medical content in clear, so what that means
/// is said before.
#[component]
pub fn SaveSummary() -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedSummaryView>);
    let mut save = move |language: Language| {
        saved.set(None);
        action.call(SaveSummaryCall { language }, move |summary| saved.set(Some(summary)));
    };
    rsx! {
        details { class: "technical", "data-testid": "save-summary",
            summary { {tr!(t, "summary-file-title")} }
            div { class: "stack tight",
                p { {tr!(t, "summary-file-what")} }
                p { {tr!(t, "summary-file-core")} }
                p { class: "strong", {tr!(t, "summary-file-open")} }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-fetching") }
                SavedFile { saved: saved().map(|summary| summary.file) }
                if let Some(summary) = saved() {
                    SummaryCounts { summary }
                }
                div { class: "stack tight",
                    Button {
                        label: tr!(t, "summary-file-en"),
                        weight: Weight::Second,
                        icon: Icon::File,
                        testid: "save-summary-en",
                        busy: action.is_running(),
                        onclick: move |()| save(Language::En),
                    }
                    Button {
                        label: tr!(t, "summary-file-zh"),
                        weight: Weight::Second,
                        icon: Icon::File,
                        testid: "save-summary-zh",
                        busy: action.is_running(),
                        onclick: move |()| save(Language::Zh),
                    }
                }
            }
        }
    }
}

/// Offers the whole history of accesses in the standard's form. It proves nothing: that is what proofs are for.
#[component]
pub fn SaveAccessHistory() -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedFileView>);
    rsx! {
        details { class: "technical", "data-testid": "save-history",
            summary { {tr!(t, "history-file-title")} }
            div { class: "stack tight",
                p { {tr!(t, "history-file-what")} }
                p { {tr!(t, "history-file-open")} }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-checking") }
                SavedFile { saved: saved() }
                div {
                    Button {
                        label: tr!(t, "file-save"),
                        weight: Weight::Second,
                        icon: Icon::File,
                        testid: "save-history-file",
                        busy: action.is_running(),
                        onclick: move |()| {
                            saved.set(None);
                            action.call(SaveAccessHistoryCall {}, move |file| saved.set(Some(file)));
                        },
                    }
                }
                div {
                    Button {
                        label: tr!(t, "history-file-r5"),
                        weight: Weight::Second,
                        icon: Icon::File,
                        testid: "save-consents-file",
                        busy: action.is_running(),
                        onclick: move |()| {
                            saved.set(None);
                            action.call(SaveConsents {}, move |file| saved.set(Some(file)));
                        },
                    }
                }
            }
        }
    }
}

/// What a saved summary lists, and what it does not.
#[component]
fn SummaryCounts(summary: SavedSummaryView) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "stack tight", "data-testid": "saved-summary",
            p { {tr!(t, "summary-file-listed", n = summary.listed)} }
            if summary.left_out > 0 {
                p { {tr!(t, "summary-file-left-out", n = summary.left_out)} }
            }
            if summary.core > 0 {
                p { {tr!(t, "summary-file-kept-back", n = summary.core)} }
            }
            if summary.missing > 0 {
                p { class: "strong", {tr!(t, "summary-file-missing", n = summary.missing)} }
            }
        }
    }
}

/// Where a file went. The region is there before, so that a screen reader announces what comes into it.
#[component]
pub fn SavedFile(saved: Option<SavedFileView>) -> Element {
    let t = use_translator();
    rsx! {
        div { role: "status",
            if let Some(file) = saved {
                div { class: "notice good", "data-testid": "saved-file",
                    Glyph { icon: Icon::Check, size: 24 }
                    div { class: "stack tight grow",
                        p { class: "strong", {tr!(t, "file-saved", name = file.name.clone(), bytes = bytes(file.bytes))} }
                        match file.place.clone() {
                            Some(place) => rsx! {
                                p { {tr!(t, "file-at")} }
                                p { class: "mono", "data-testid": "saved-place", translate: "no", {place} }
                            },
                            None => rsx! { p { {tr!(t, "file-in-browser")} } },
                        }
                    }
                }
            }
        }
    }
}
