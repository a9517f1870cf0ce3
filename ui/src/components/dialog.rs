//! The question before something that cannot be undone.

use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::progress::ActionProgress;
use crate::hooks::Action;
use crate::i18n::{tr, use_translator};
use crate::platform;
use dioxus::prelude::*;

/// Asks before a loss. Names what is lost; keeping everything is the easy way out.
#[component]
pub fn Confirm(
    id: String,
    title: String,
    text: String,
    confirm: String,
    keep: String,
    action: Action,
    onconfirm: EventHandler<()>,
    oncancel: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let dialog_id = id.clone();
    use_effect(move || platform::show_modal(&dialog_id));
    rsx! {
        dialog {
            id: "{id}",
            class: "dialog",
            role: "alertdialog",
            "aria-labelledby": "{id}-title",
            "aria-describedby": "{id}-text",
            "data-testid": "{id}",
            onkeydown: move |event| {
                // The browser would close it also while the answer is still on its way, and leave nobody to show it.
                if event.key() == Key::Escape {
                    event.prevent_default();
                    if !action.is_running() {
                        oncancel.call(());
                    }
                }
            },
            div { class: "stack",
                h2 { id: "{id}-title", {title} }
                p { id: "{id}-text", {text} }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
                div { class: "dialog-actions",
                    Button { label: keep, weight: Weight::Main, testid: format!("{id}-keep"), disabled: action.is_running(), onclick: oncancel }
                    Button { label: confirm, weight: Weight::Danger, testid: format!("{id}-confirm"), busy: action.is_running(), onclick: onconfirm }
                }
            }
        }
    }
}
