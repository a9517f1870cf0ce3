//! Creating a wallet: words shown, words checked, who and where, passphrase, done.

use super::owner::{ChoosePassphrase, WhoAndWhere};
use super::words::{AskWords, ShowWords, use_words};
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::{CreateWallet, SessionView};
use dioxus::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Words,
    Check,
    Owner,
    Passphrase,
    Done,
}

impl Step {
    const LAST: u64 = 4;

    fn number(self) -> u64 {
        match self {
            Self::Words => 1,
            Self::Check => 2,
            Self::Owner => 3,
            Self::Passphrase | Self::Done => Self::LAST,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Words => "create-words-title",
            Self::Check => "create-check-title",
            Self::Owner => "create-owner-title",
            Self::Passphrase => "create-passphrase-title",
            Self::Done => "create-done-title",
        }
    }

    fn before(self) -> Option<Self> {
        match self {
            Self::Words | Self::Done => None,
            Self::Check => Some(Self::Words),
            Self::Owner => Some(Self::Check),
            Self::Passphrase => Some(Self::Owner),
        }
    }
}

/// The page.
#[component]
pub fn Create() -> Element {
    let app = use_app();
    let t = use_translator();
    let mut step = use_signal(|| Step::Words);
    let words_language = use_signal(|| t.language());
    let words = use_words(words_language);
    let mut answers = use_signal(Vec::<String>::new);
    let name = use_signal(String::new);
    let hospital = use_signal(|| None::<String>);
    let mut created = use_signal(|| None::<SessionView>);
    let action = use_action();
    let navigator = use_navigator();
    let submit = move |passphrase: String| {
        let request = CreateWallet {
            name: name.peek().trim().to_owned(),
            answers: answers.peek().clone(),
            passphrase,
            hospital: hospital.peek().clone().unwrap_or_default(),
        };
        action.call(request, move |session| {
            created.set(Some(session));
            step.set(Step::Done);
        });
    };
    let now = step();
    rsx! {
        div { class: "page",
            StepHead { step, locked: action.is_running() }
            match now {
                Step::Words => rsx! { ShowWords { words, language: words_language, onnext: move |()| step.set(Step::Check) } },
                Step::Check => rsx! {
                    AskWords {
                        words: words.state.read().value().cloned(),
                        onnext: move |given| {
                            answers.set(given);
                            step.set(Step::Owner);
                        },
                    }
                },
                Step::Owner => rsx! { WhoAndWhere { name, hospital, onnext: move |()| step.set(Step::Passphrase) } },
                Step::Passphrase => rsx! {
                    p { class: "soft", {tr!(t, "create-passphrase-lead")} }
                    ChoosePassphrase { action, submit_label: tr!(t, "create-submit"), onsubmit: submit }
                },
                Step::Done => rsx! {
                    Done { name: name(), onopen: move |()| {
                        if let Some(session) = created.peek().clone() {
                            app.open(session);
                            navigator.replace(app.first_page());
                        }
                    } }
                },
            }
        }
    }
}

#[component]
fn StepHead(step: Signal<Step>, locked: bool) -> Element {
    let t = use_translator();
    let mut step = step;
    let now = step();
    rsx! {
        div { class: "stack tight",
            if let Some(before) = now.before() {
                button { class: "ghost back", r#type: "button", "data-testid": "step-back", disabled: locked, onclick: move |_| step.set(before),
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
            } else if now == Step::Words {
                Link { class: "ghost back", to: Route::Welcome {}, "data-testid": "back",
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

#[component]
fn Done(name: String, onopen: EventHandler<()>) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "notice good", role: "status",
            Glyph { icon: Icon::Check, size: 24 }
            p { {tr!(t, "create-done-text", name = name)} }
        }
        p { {tr!(t, "create-done-next")} }
        ActionBar {
            Button { label: tr!(t, "create-done-open"), weight: Weight::Main, testid: "open-wallet", onclick: onopen }
        }
    }
}
