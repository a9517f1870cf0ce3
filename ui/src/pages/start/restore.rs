//! Restoring a wallet from its recovery words.

use super::owner::{ChoosePassphrase, WhoAndWhere};
use super::ways::OtherWays;
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::{use_action, use_leaving_when_open};
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::{CheckWords, RestoreWallet};
use dioxus::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Words,
    Owner,
    Passphrase,
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Words => "restore-words-title",
            Self::Owner => "create-owner-title",
            Self::Passphrase => "create-passphrase-title",
        }
    }
}

/// The page.
#[component]
pub fn Restore() -> Element {
    let app = use_app();
    let t = use_translator();
    let mut step = use_signal(|| Step::Words);
    let words = use_signal(String::new);
    let name = use_signal(String::new);
    let hospital = use_signal(|| None::<String>);
    let action = use_action();
    let submit = move |passphrase: String| {
        let request = RestoreWallet {
            name: name.peek().trim().to_owned(),
            words: words.peek().clone(),
            passphrase,
            hospital: hospital.peek().clone().unwrap_or_default(),
        };
        // Opening the session moves on: the shell leads an open wallet to its first page.
        action.call(request, move |session| app.open(session));
    };
    let now = step();
    let navigator = use_navigator();
    use_leaving_when_open();
    let go_back = move |_| match now {
        Step::Words => {
            navigator.push(Route::Welcome {});
        }
        Step::Owner => step.set(Step::Words),
        Step::Passphrase => step.set(Step::Owner),
    };
    rsx! {
        div { class: "page",
            div { class: "stack tight",
                button { class: "ghost back", r#type: "button", "data-testid": "step-back", disabled: action.is_running(), onclick: go_back,
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
                PageHead { key: "{now.title()}", title: t.text(now.title(), &[]) }
            }
            match now {
                Step::Words => rsx! {
                    TypeWords { words, onnext: move |()| step.set(Step::Owner) }
                    OtherWays {}
                },
                Step::Owner => rsx! { WhoAndWhere { name, hospital, onnext: move |()| step.set(Step::Passphrase) } },
                Step::Passphrase => rsx! {
                    p { class: "soft", {tr!(t, "create-passphrase-lead")} }
                    ChoosePassphrase { action, submit_label: tr!(t, "restore-submit"), onsubmit: submit }
                },
            }
        }
    }
}

#[component]
fn TypeWords(words: Signal<String>, onnext: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut words = words;
    let action = use_action();
    let check = move || {
        let text = words.peek().clone();
        action.call(CheckWords { text }, move |_| onnext.call(()));
    };
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                check();
            },
            div { class: "field",
                label { r#for: "recovery-words", {tr!(t, "restore-words")} }
                p { class: "hint", id: "recovery-words-hint", {tr!(t, "restore-words-hint")} }
                textarea {
                    id: "recovery-words",
                    "data-testid": "recovery-words",
                    rows: "4",
                    autocomplete: "off",
                    autocapitalize: "none",
                    spellcheck: "false",
                    "aria-describedby": "recovery-words-hint",
                    value: "{words}",
                    oninput: move |event| {
                        words.set(event.value());
                        action.clear_error();
                    },
                }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionBar {
                Button { label: tr!(t, "continue"), weight: Weight::Main, testid: "restore-continue", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}
