//! A device was lost or stolen: all keys are replaced, so that whoever has it, or the old words, is nobody any more.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{use_action, use_load};
use crate::i18n::{tr, use_translator};
use crate::pages::start::words::{AskWords, ShowWords, use_words};
use crate::route::Route;
use amulet_app_api::keys::{Keys, KeysView, ReplaceKeys as ReplaceCall};
use amulet_app_api::wallet::Role;
use dioxus::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Why,
    Words,
    Check,
    Sign,
    Done,
}

impl Step {
    const LAST: u64 = 4;

    fn number(self) -> u64 {
        match self {
            Self::Why => 1,
            Self::Words => 2,
            Self::Check => 3,
            Self::Sign | Self::Done => Self::LAST,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Why => "keys-title",
            Self::Words => "keys-words-title",
            Self::Check => "create-check-title",
            Self::Sign => "keys-sign-title",
            Self::Done => "keys-done-title",
        }
    }

    fn before(self) -> Option<Self> {
        match self {
            Self::Why | Self::Done => None,
            Self::Words => Some(Self::Why),
            Self::Check => Some(Self::Words),
            Self::Sign => Some(Self::Check),
        }
    }
}

/// The page.
#[component]
pub fn ReplaceKeys() -> Element {
    let t = use_translator();
    let mut step = use_signal(|| Step::Why);
    let words_language = use_signal(|| t.language());
    let words = use_words(words_language);
    let mut answers = use_signal(Vec::<String>::new);
    let mut done = use_signal(|| None::<KeysView>);
    let now = step();
    rsx! {
        div { class: "page",
            Head { step }
            match now {
                Step::Why => rsx! { Why { onnext: move |()| step.set(Step::Words) } },
                Step::Words => rsx! { ShowWords { words, language: words_language, onnext: move |()| step.set(Step::Check) } },
                Step::Check => rsx! {
                    AskWords {
                        words: words.state.read().value().cloned(),
                        onnext: move |given| {
                            answers.set(given);
                            step.set(Step::Sign);
                        },
                    }
                },
                Step::Sign => rsx! {
                    Sign { answers: answers(), ondone: move |view| {
                        done.set(Some(view));
                        step.set(Step::Done);
                    } }
                },
                Step::Done => rsx! {
                    if let Some(view) = done.read().clone() {
                        Done { view }
                    }
                },
            }
        }
    }
}

#[component]
fn Head(step: Signal<Step>) -> Element {
    let t = use_translator();
    let mut step = step;
    let now = step();
    rsx! {
        div { class: "stack tight",
            if let Some(before) = now.before() {
                button { class: "ghost back", r#type: "button", "data-testid": "step-back", onclick: move |_| step.set(before),
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
            } else {
                Link { class: "ghost back", to: Route::Security {}, "data-testid": "back",
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
            }
            if now != Step::Done {
                p { class: "faint", {tr!(t, "step-of", n = now.number(), total = Step::LAST)} }
            }
            // A new key makes a new heading, which takes the focus: each step is announced like a page.
            PageHead { key: "{now.title()}", title: t.text(now.title(), &[]) }
        }
    }
}

/// What it does, what stays, and what it cannot do.
#[component]
fn Why(onnext: EventHandler<()>) -> Element {
    let t = use_translator();
    let keys = use_load(Keys {});
    let powerless = keys.state.read().value().is_some_and(|view| view.powerless);
    rsx! {
        p { {tr!(t, "keys-lead")} }
        ul { class: "points",
            for key in ["keys-point-lost", "keys-point-words", "keys-point-stays", "keys-point-card", "keys-point-read"] {
                li { key: "{key}", {t.text(key, &[])} }
            }
        }
        {show(keys, |view| rsx! { Standing { view: view.clone() } })}
        ActionBar {
            Button { label: tr!(t, "continue"), weight: Weight::Main, testid: "keys-start", disabled: powerless, onclick: onnext }
        }
    }
}

/// How it stands with the keys now.
#[component]
fn Standing(view: KeysView) -> Element {
    let t = use_translator();
    rsx! {
        if view.elsewhere {
            div { class: "notice danger", role: "alert", "data-testid": "keys-elsewhere",
                Glyph { icon: Icon::Warning, size: 24 }
                div { class: "grow",
                    p { class: "strong", {tr!(t, "keys-elsewhere")} }
                    p { class: "small", {tr!(t, "keys-elsewhere-next")} }
                }
            }
        }
        if !view.waiting.is_empty() {
            div { class: "notice wait", role: "status", "data-testid": "keys-waiting",
                Glyph { icon: Icon::Clock, size: 24 }
                div { class: "grow",
                    p { class: "strong", {tr!(t, "keys-waiting", n = view.waiting.len())} }
                    p { class: "small", {tr!(t, "keys-waiting-next")} }
                }
            }
        }
        if let Some(at) = view.at {
            p { class: "soft small", "data-testid": "keys-last", {tr!(t, "keys-last", date = t.date_time(at))} }
        }
    }
}

/// The passphrase, and the signature.
#[component]
fn Sign(answers: Vec<String>, ondone: EventHandler<KeysView>) -> Element {
    let t = use_translator();
    let app = use_app();
    let action = use_action();
    let passphrase = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let submit = use_callback(move |()| {
        missing.set(passphrase.peek().is_empty());
        if missing() {
            return;
        }
        let call = ReplaceCall { answers: answers.clone(), passphrase: passphrase.peek().clone() };
        action.run(async move { app.call(call).await }, move |view| ondone.call(view));
    });
    rsx! {
        p { {tr!(t, "keys-sign-lead")} }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit.call(());
            },
            PassphraseField {
                id: "passphrase",
                label: tr!(t, "passphrase"),
                value: passphrase,
                autocomplete: "current-password",
                complaint: missing().then(|| tr!(t, "passphrase-missing")),
                oninput: move |_| action.clear_error(),
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: submit }
            }
            ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
            ActionBar {
                Button { label: tr!(t, "keys-replace"), weight: Weight::Main, testid: "keys-replace", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// What holds now, and what is left to do by hand.
#[component]
fn Done(view: KeysView) -> Element {
    let t = use_translator();
    let app = use_app();
    let is_patient = app.session.read().as_ref().is_some_and(|session| session.wallet.role == Role::Patient);
    // Where the replacement still waits, the old words are the ones that count.
    let is_complete = view.waiting.is_empty();
    rsx! {
        if is_complete && !view.elsewhere {
            div { class: "notice good", role: "status", "data-testid": "keys-done",
                Glyph { icon: Icon::Check, size: 24 }
                p { {tr!(t, "keys-done-text")} }
            }
        }
        Standing { view }
        if is_complete {
            p { "data-testid": "keys-done-paper", {tr!(t, "keys-done-paper")} }
        }
        if is_patient {
            Link { class: "line boxed", to: Route::CardMake {}, "data-testid": "keys-card",
                Glyph { icon: Icon::Card }
                span { class: "grow",
                    span { class: "strong block", {tr!(t, "keys-done-card")} }
                    span { class: "soft small block", {tr!(t, "keys-done-card-why")} }
                }
                Glyph { icon: Icon::Next, size: 18 }
            }
        }
    }
}
