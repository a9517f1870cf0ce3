//! New recovery words, shown and asked back: for a new wallet, and when a wallet's keys are replaced.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::field::{Choice, TextField};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::ActionBar;
use crate::hooks::Load;
use crate::i18n::{tr, use_translator};
use crate::loadable::Loadable;
use amulet_app_api::wallet::{Language, NewWords, WordsView};
use dioxus::prelude::*;

/// Words of the chosen language; choosing another language makes new ones.
pub fn use_words(language: Signal<Language>) -> Load<WordsView> {
    let app = use_app();
    let mut state = use_signal(|| Loadable::Loading);
    let reload = use_callback(move |()| {
        let request = NewWords { language: *language.peek() };
        spawn(async move {
            state.set(Loadable::Loading);
            let answer = app.call(request).await;
            state.set(Loadable::Loading.answered(answer));
        });
    });
    use_effect(move || {
        language.read();
        reload.call(());
    });
    Load { state, reload }
}

/// The words, to be written down.
#[component]
pub fn ShowWords(words: Load<WordsView>, language: Signal<Language>, onnext: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut language = language;
    rsx! {
        p { {tr!(t, "create-words-lead")} }
        div { class: "notice wait",
            Glyph { icon: Icon::Warning, size: 24 }
            p { {tr!(t, "create-words-warning")} }
        }
        fieldset { class: "row wrap",
            legend { class: "visually-hidden", {tr!(t, "words-language")} }
            for (choice, label, testid) in [
                (Language::Zh, tr!(t, "words-chinese"), "words-zh"),
                (Language::En, tr!(t, "words-english"), "words-en"),
            ] {
                Choice { key: "{testid}", name: "words-language", testid, label, chosen: language() == choice, onchoose: move |()| language.set(choice) }
            }
        }
        {show(words, |view| rsx! {
            ol { class: "words", "data-testid": "words", translate: "no",
                for (index, word) in view.words.iter().enumerate() {
                    li { key: "{index}", "data-testid": "word-{index + 1}",
                        span { class: "number", "aria-hidden": "true", "{index + 1}" }
                        span { class: "word", {word.clone()} }
                    }
                }
            }
        })}
        ActionBar {
            Button {
                label: tr!(t, "create-words-written"),
                weight: Weight::Main,
                testid: "words-written",
                disabled: words.state.read().value().is_none(),
                onclick: onnext,
            }
        }
    }
}

/// Some of the words, typed back from the paper.
#[component]
pub fn AskWords(words: Option<WordsView>, onnext: EventHandler<Vec<String>>) -> Element {
    let t = use_translator();
    let Some(words) = words else { return rsx! {} };
    let typed: Vec<Signal<String>> =
        use_hook(|| words.ask.iter().map(|_| Signal::new(String::new())).collect());
    let mut wrong = use_signal(|| None::<usize>);
    let asked = words.ask.clone();
    let given = typed.clone();
    let check = move || {
        let answers: Vec<String> = given.iter().map(|word| word.peek().trim().to_lowercase()).collect();
        let differs = |(position, answer): &(&usize, &String)| {
            words.words.get(position.saturating_sub(1)) != Some(answer)
        };
        let first_wrong = words.ask.iter().zip(&answers).find(differs).map(|(position, _)| *position);
        wrong.set(first_wrong);
        if first_wrong.is_none() {
            onnext.call(answers);
        }
    };
    let mut check_form = check;
    rsx! {
        p { {tr!(t, "create-check-lead")} }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                check_form();
            },
            for (position, value) in asked.into_iter().zip(typed) {
                TextField {
                    key: "{position}",
                    id: "word-answer-{position}",
                    label: tr!(t, "word-number", n = position),
                    value,
                    plain: true,
                    complaint: (wrong() == Some(position)).then(|| tr!(t, "word-differs", n = position)),
                }
            }
            ActionBar {
                Button { label: tr!(t, "continue"), weight: Weight::Main, testid: "words-check", submits: true, onclick: |()| {} }
            }
        }
    }
}
