//! Another device's code, scanned or pasted.

use crate::components::actions::{Button, Weight};
use crate::components::scanner::Scanner;
use crate::hooks::Action;
use crate::i18n::{tr, use_translator};
use dioxus::prelude::*;

/// The scanner, and a field for where there is no camera.
#[component]
pub fn CodeForm(action: Action, testid: &'static str, oncode: EventHandler<String>) -> Element {
    let t = use_translator();
    let mut text = use_signal(String::new);
    rsx! {
        Scanner { paused: action.is_running(), oncode: move |code| oncode.call(code), onpicture: move |()| action.clear_error() }
        form {
            class: "stack tight",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                let code = text.peek().trim().to_owned();
                if !code.is_empty() {
                    oncode.call(code);
                }
            },
            div { class: "field",
                label { r#for: testid, {tr!(t, "move-paste")} }
                textarea {
                    id: testid,
                    "data-testid": testid,
                    rows: "4",
                    autocomplete: "off",
                    autocapitalize: "none",
                    spellcheck: "false",
                    value: "{text}",
                    oninput: move |event| {
                        text.set(event.value());
                        action.clear_error();
                    },
                }
            }
            div {
                Button { label: tr!(t, "move-read"), weight: Weight::Second, testid: "code-read", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}
