//! Comparing with another device.

use super::Comparison;
use super::form::CheckpointForm;
use crate::components::page::PageHead;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::platform;
use crate::route::Route;
use amulet_app_api::checkpoints::{CompareCheckpoint, ComparisonView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn CheckpointCompare() -> Element {
    let t = use_translator();
    let action = use_action();
    let mut found = use_signal(|| None::<ComparisonView>);
    use_effect(move || {
        if found.read().is_some() {
            platform::reveal("[data-testid=comparison]");
        }
    });
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "compare-title"), lead: tr!(t, "compare-lead"), back: Route::CheckpointShow {} }
            if let Some(found) = found() {
                Comparison { found }
            }
            CheckpointForm {
                action,
                submit_label: tr!(t, "compare-submit"),
                oncode: move |code| {
                    found.set(None);
                    action.call(CompareCheckpoint { code }, move |answer| found.set(Some(answer)));
                },
                oninput: move |()| found.set(None),
            }
        }
    }
}
