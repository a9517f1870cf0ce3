//! One way to render remote data: waiting, here, refreshing, failed.

use crate::components::error::ErrorNotice;
use crate::hooks::Load;
use crate::i18n::{tr, use_translator};
use dioxus::prelude::*;

/// Renders loaded data. What was shown before stays while it refreshes; an error stands above it, with a retry.
pub fn show<T: 'static>(load: Load<T>, render: impl FnOnce(&T) -> Element) -> Element {
    let state = load.state.read();
    let error = state.error().cloned();
    let waiting = state.value().is_none() && error.is_none();
    rsx! {
        if let Some(error) = error {
            ErrorNotice { error, onretry: move |()| load.reload.call(()) }
        }
        if waiting {
            Waiting {}
        }
        if let Some(value) = state.value() {
            {render(value)}
        }
    }
}

/// A quiet sign that something is on its way; it appears only when the wait is long enough to notice.
#[component]
pub fn Waiting() -> Element {
    let t = use_translator();
    rsx! {
        div { class: "waiting", role: "status", "aria-live": "polite",
            progress { "aria-label": tr!(t, "loading") }
            p { class: "soft", {tr!(t, "loading")} }
        }
    }
}
