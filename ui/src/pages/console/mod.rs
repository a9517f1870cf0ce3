//! The hospital's console: how the node does, for the people who run it. The node's console listener serves these pages and
//! answers them; at any other address they say so.

mod ask;
pub mod blocks;
pub mod overview;

use crate::components::actions::{Button, Weight};
use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::Waiting;
use crate::components::page::PageHead;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use ask::{TOKEN, Trouble};
use dioxus::prelude::*;

/// Frame of the console's pages: the token first, then the ways and the page.
#[component]
fn Console(title: String, children: Element) -> Element {
    let t = use_translator();
    let open = !TOKEN.read().is_empty();
    rsx! {
        div { class: "page",
            PageHead { title, lead: tr!(t, "console-lead") }
            if open {
                nav { class: "row", "aria-label": tr!(t, "console-title"),
                    Link { class: "button second", to: Route::Console {}, "data-testid": "console-overview", {tr!(t, "console-overview")} }
                    Link { class: "button second", to: Route::ConsoleBlocks { page: 1 }, "data-testid": "console-blocks", {tr!(t, "console-blocks")} }
                }
                {children}
                Button {
                    label: tr!(t, "console-close"),
                    weight: Weight::Second,
                    icon: Icon::Lock,
                    testid: "console-close",
                    onclick: move |()| TOKEN.write().clear(),
                }
            } else {
                TokenForm {}
            }
        }
    }
}

#[component]
fn TokenForm() -> Element {
    let t = use_translator();
    let typed = use_signal(String::new);
    rsx! {
        form {
            class: "stack",
            onsubmit: move |event| {
                event.prevent_default();
                *TOKEN.write() = typed.peek().trim().to_owned();
            },
            p { {tr!(t, "console-token-where")} }
            PassphraseField {
                id: "console-token",
                label: tr!(t, "console-token"),
                value: typed,
                autocomplete: "off",
            }
            Button {
                label: tr!(t, "console-open"),
                weight: Weight::Main,
                testid: "console-open",
                submits: true,
                disabled: typed.read().trim().is_empty(),
                onclick: |()| {},
            }
        }
    }
}

/// Renders an answer of the node: waiting, here, or why not and what to do.
fn show<T>(answer: Resource<Result<T, Trouble>>, render: impl FnOnce(&T) -> Element) -> Element {
    match &*answer.read() {
        None => rsx! { Waiting {} },
        Some(Ok(value)) => render(value),
        Some(Err(trouble)) => {
            let mut answer = answer;
            rsx! { TroubleNotice { trouble: *trouble, onretry: move |()| answer.restart() } }
        }
    }
}

#[component]
fn TroubleNotice(trouble: Trouble, onretry: EventHandler<()>) -> Element {
    let t = use_translator();
    let key = match trouble {
        Trouble::WrongToken => "console-wrong-token",
        Trouble::NoConsole => "console-not-here",
        Trouble::Unreachable => "console-unreachable",
    };
    rsx! {
        div { class: "notice wait", role: "alert", "data-testid": "console-trouble",
            Glyph { icon: Icon::Warning, size: 24 }
            p { class: "grow", {t.text(key, &[])} }
        }
        if trouble == Trouble::Unreachable {
            Button {
                label: tr!(t, "console-again"),
                weight: Weight::Main,
                icon: Icon::Refresh,
                testid: "console-again",
                onclick: move |()| onretry.call(()),
            }
        }
    }
}
