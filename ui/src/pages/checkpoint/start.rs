//! Starting from another device's checkpoint.

use super::Comparison;
use super::form::CheckpointForm;
use crate::app::use_app;
use crate::components::actions::Weight;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::platform;
use crate::route::Route;
use amulet_app_api::checkpoints::{ComparisonView, StartFromCheckpoint};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn CheckpointStart() -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let mut found = use_signal(|| None::<ComparisonView>);
    let back = if app.session.read().is_some() { Route::CheckpointShow {} } else { Route::Welcome {} };
    use_effect(move || {
        if found.read().is_some() {
            platform::reveal("[role=status]");
        }
    });
    let started = match found() {
        Some(ComparisonView::Same { height, .. }) => Some(height),
        _ => None,
    };
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "start-title"), lead: tr!(t, "start-lead"), back }
            if let Some(height) = started {
                div { class: "notice good", role: "status", "data-testid": "checkpoint-started",
                    Glyph { icon: Icon::Check, size: 24 }
                    div { class: "stack tight grow",
                        h2 { {tr!(t, "start-done")} }
                        p { {tr!(t, "start-done-means", height = height.to_string())} }
                    }
                }
                ActionBar {
                    Link { class: Weight::Main.class(), to: app.first_page(), "data-testid": "checkpoint-go-on", {tr!(t, "continue")} }
                }
            } else {
                p { {tr!(t, "start-when")} }
                if let Some(found) = found() {
                    p { class: "strong", {tr!(t, "start-not-done")} }
                    Comparison { found }
                }
                CheckpointForm {
                    action,
                    submit_label: tr!(t, "start-submit"),
                    oncode: move |code| {
                        found.set(None);
                        action.call(StartFromCheckpoint { code }, move |answer| found.set(Some(answer)));
                    },
                    oninput: move |()| found.set(None),
                }
            }
        }
    }
}
