//! A slow task: what is happening, and how far it is.

use crate::hooks::Action;
use crate::i18n::{tr, use_translator, words};
use crate::platform;
use amulet_app_api::wallet::ProgressView;
use dioxus::prelude::*;

/// Shows how far an action is while it runs, and nothing otherwise.
#[component]
pub fn ActionProgress(action: Action, #[props(default)] waiting: Option<String>) -> Element {
    if !action.is_running() {
        return rsx! {};
    }
    let progress = action.progress.read().clone();
    rsx! {
        Progress { progress, waiting }
    }
}

/// A progress bar with its sentence.
#[component]
fn Progress(progress: Option<ProgressView>, waiting: Option<String>) -> Element {
    let t = use_translator();
    use_effect(|| platform::reveal("[data-testid=progress]"));
    let text = match (&progress, waiting) {
        (Some(progress), _) => t.text(words::task(&progress.task), &[]),
        (None, Some(waiting)) => waiting,
        (None, None) => tr!(t, "working"),
    };
    let measured = progress
        .as_ref()
        .and_then(|progress| Some((progress.done, progress.total.filter(|total| *total > 0)?)));
    rsx! {
        div { class: "progress", role: "status", "aria-live": "polite", "data-testid": "progress",
            p { {text} }
            if let Some((done, total)) = measured {
                progress { value: "{done}", max: "{total}", "aria-label": tr!(t, "progress-label") }
                p { class: "faint", {tr!(t, "progress-count", done = done, total = total)} }
            } else {
                progress { "aria-label": tr!(t, "progress-label") }
            }
        }
    }
}
