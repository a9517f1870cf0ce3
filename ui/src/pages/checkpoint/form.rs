//! Another device's checkpoint: its words typed, or its code scanned or pasted.

use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint, TextField};
use crate::components::page::ActionBar;
use crate::components::progress::ActionProgress;
use crate::components::scanner::Scanner;
use crate::hooks::Action;
use crate::i18n::{tr, use_translator};
use amulet_app_api::checkpoints::CheckpointCode;
use dioxus::prelude::*;

/// Words of a checkpoint.
pub const WORDS: usize = 10;

/// The form. `oninput` says that what was found of the earlier input is over.
#[component]
pub fn CheckpointForm(
    action: Action,
    submit_label: String,
    oncode: EventHandler<CheckpointCode>,
    oninput: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let mut by_words = use_signal(|| true);
    let text = use_signal(String::new);
    let mut chose = move |words: bool| {
        by_words.set(words);
        action.clear_error();
        oninput.call(());
    };
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "checkpoint-how")} }
            Choice { name: "checkpoint-how", testid: "by-words", label: tr!(t, "checkpoint-by-words"), chosen: by_words(), onchoose: move |()| chose(true) }
            Choice { name: "checkpoint-how", testid: "by-code", label: tr!(t, "checkpoint-by-code"), chosen: !by_words(), onchoose: move |()| chose(false) }
        }
        if by_words() {
            Words { action, submit_label, oncode, oninput }
        } else {
            Scanner {
                paused: action.is_running(),
                oncode: move |text| oncode.call(CheckpointCode::Text { text }),
                onpicture: move |()| oninput.call(()),
            }
            Pasted { action, submit_label, text, oncode, oninput }
        }
    }
}

#[component]
fn Words(
    action: Action,
    submit_label: String,
    oncode: EventHandler<CheckpointCode>,
    oninput: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let number = use_signal(String::new);
    let mut words = use_signal(String::new);
    let mut complaint = use_signal(|| false);
    let mut submit = move || {
        let height = number.peek().trim().parse().ok();
        complaint.set(height.is_none());
        if let Some(height) = height {
            oncode.call(CheckpointCode::Words { height, words: words.peek().clone() });
        }
    };
    let typed = count(&words.read());
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit();
            },
            TextField {
                id: "checkpoint-number",
                label: tr!(t, "checkpoint-number"),
                hint: tr!(t, "checkpoint-number-hint"),
                value: number,
                plain: true,
                oninput: move |_| {
                    action.clear_error();
                    oninput.call(());
                },
                complaint: complaint().then(|| tr!(t, "checkpoint-number-missing")),
            }
            div { class: "field",
                label { r#for: "checkpoint-words", {tr!(t, "checkpoint-words")} }
                p { class: "hint", id: "checkpoint-words-hint", {tr!(t, "checkpoint-words-hint")} }
                textarea {
                    id: "checkpoint-words",
                    "data-testid": "checkpoint-words",
                    rows: "4",
                    autocomplete: "off",
                    autocapitalize: "none",
                    spellcheck: "false",
                    "aria-describedby": "checkpoint-words-hint checkpoint-words-count",
                    value: "{words}",
                    oninput: move |event| {
                        words.set(event.value());
                        action.clear_error();
                        oninput.call(());
                    },
                }
                p { class: "hint", id: "checkpoint-words-count", {tr!(t, "checkpoint-words-count", n = typed, total = WORDS)} }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "task-checking") }
            ActionBar {
                Button { label: submit_label, weight: Weight::Main, testid: "checkpoint-submit", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

#[component]
fn Pasted(
    action: Action,
    submit_label: String,
    text: Signal<String>,
    oncode: EventHandler<CheckpointCode>,
    oninput: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let mut text = text;
    let mut missing = use_signal(|| false);
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                let text = text.peek().trim().to_owned();
                missing.set(text.is_empty());
                if !text.is_empty() {
                    oncode.call(CheckpointCode::Text { text });
                }
            },
            div { class: "field",
                label { r#for: "checkpoint-text", {tr!(t, "checkpoint-text")} }
                p { class: "hint", id: "checkpoint-text-hint", {tr!(t, "checkpoint-text-hint")} }
                textarea {
                    id: "checkpoint-text",
                    "data-testid": "checkpoint-text",
                    rows: "4",
                    autocomplete: "off",
                    autocapitalize: "none",
                    spellcheck: "false",
                    "aria-describedby": "checkpoint-text-hint",
                    value: "{text}",
                    oninput: move |event| {
                        text.set(event.value());
                        action.clear_error();
                        oninput.call(());
                    },
                }
                Complaint { text: missing().then(|| tr!(t, "checkpoint-text-missing")) }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "task-checking") }
            ActionBar {
                Button { label: submit_label, weight: Weight::Main, testid: "checkpoint-submit", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// Words typed so far; a Chinese character is a word.
fn count(text: &str) -> usize {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、' | '.' | '。');
    let words = text.split(between).filter(|word| !word.is_empty());
    words.map(|word| if word.is_ascii() { 1 } else { word.chars().count() }).sum()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_are_counted_as_people_write_them() {
        assert_eq!(count(""), 0);
        assert_eq!(count(" zoo, zone\nabout "), 3);
        assert_eq!(count("的一是 在、不"), 5);
    }
}
