//! Guardians' sheets put together: each is scanned or typed, and what is there and what is missing stands beside it.

use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::ActionBar;
use crate::components::scanner::Scanner;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use amulet_app_api::recovery::{ReadSheets, SheetsReadView};
use dioxus::prelude::*;

/// Collects sheets until there are enough; `onenough` gets their texts.
#[component]
pub fn CollectSheets(label: String, onenough: EventHandler<Vec<String>>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut texts = use_signal(Vec::<String>::new);
    let mut read = use_signal(|| None::<SheetsReadView>);
    let mut typed = use_signal(String::new);
    let mut scans = use_signal(|| false);
    let add = use_callback(move |text: String| {
        if text.trim().is_empty() {
            return;
        }
        let mut with = texts.peek().clone();
        if !with.contains(&text) {
            with.push(text);
        }
        action.call(ReadSheets { texts: with.clone() }, move |view| {
            texts.set(with);
            read.set(Some(view));
            typed.set(String::new());
        });
    });
    let view = read();
    let missing = view.as_ref().map(|view| usize::from(view.threshold).saturating_sub(view.numbers.len()));
    rsx! {
        div { role: "status", "data-testid": "sheets-read",
            if let Some(view) = &view {
                ul { class: "list",
                    for number in view.numbers.clone() {
                        li { key: "{number}", class: "line",
                            Glyph { icon: Icon::Check }
                            span { class: "strong", {tr!(t, "sheet-number", n = number)} }
                        }
                    }
                }
            }
            match missing {
                None => rsx! { p { {tr!(t, "sheets-first")} } },
                Some(0) => rsx! { p { class: "strong", {tr!(t, "sheets-enough")} } },
                Some(n) => rsx! { p { class: "strong", {tr!(t, "sheets-missing", n = n)} } },
            }
        }
        if missing != Some(0) {
            if scans() {
                Scanner { paused: action.is_running(), oncode: move |code| add.call(code), onpicture: move |()| action.clear_error() }
            }
            div {
                Button {
                    label: if scans() { tr!(t, "sheets-type") } else { tr!(t, "sheets-scan") },
                    weight: Weight::Second,
                    icon: if scans() { Icon::File } else { Icon::Camera },
                    testid: "sheets-scan",
                    onclick: move |()| {
                        scans.toggle();
                        action.clear_error();
                    },
                }
            }
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                if missing == Some(0) {
                    onenough.call(texts.peek().clone());
                } else {
                    add.call(typed.peek().clone());
                }
            },
            if missing != Some(0) && !scans() {
                div { class: "field",
                    label { r#for: "sheet-words", {tr!(t, "sheet-words")} }
                    p { class: "hint", id: "sheet-words-hint", {tr!(t, "sheet-words-hint")} }
                    textarea {
                        id: "sheet-words",
                        "data-testid": "sheet-words",
                        rows: "5",
                        autocomplete: "off",
                        autocapitalize: "none",
                        spellcheck: "false",
                        "aria-describedby": "sheet-words-hint",
                        value: "{typed}",
                        oninput: move |event| {
                            typed.set(event.value());
                            action.clear_error();
                        },
                    }
                }
            }
            if missing == Some(0) || !scans() {
                ActionBar {
                    Button {
                        label: if missing == Some(0) { label } else { tr!(t, "sheets-add") },
                        weight: Weight::Main,
                        testid: "sheets-continue",
                        submits: true,
                        busy: action.is_running(),
                        onclick: |()| {},
                    }
                }
            }
        }
    }
}
