//! Checkpoints: ten words or a code by which two devices see whether they follow the same record, and from which a device
//! can start.

pub mod compare;
mod form;
pub mod show;
pub mod start;

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use amulet_app_api::checkpoints::ComparisonView;
use dioxus::prelude::*;

/// How another device's checkpoint compares, and what to do.
#[component]
fn Comparison(found: ComparisonView) -> Element {
    let t = use_translator();
    let (class, icon, key) = match &found {
        ComparisonView::Same { .. } => ("notice good", Icon::Check, "comparison-same"),
        ComparisonView::Different { word: Some(_), .. } => {
            ("notice danger", Icon::Warning, "comparison-word")
        }
        ComparisonView::Different { word: None, .. } => {
            ("notice danger", Icon::Warning, "comparison-different")
        }
        ComparisonView::OtherNetwork => ("notice wait", Icon::Clock, "comparison-other-network"),
        ComparisonView::Newer { .. } => ("notice wait", Icon::Clock, "comparison-newer"),
    };
    let (height, newest, word, time) = match &found {
        ComparisonView::Same { height, at } => (*height, 0, 0, t.date_time(*at)),
        ComparisonView::Different { height, word } => (*height, 0, word.unwrap_or_default(), String::new()),
        ComparisonView::OtherNetwork => (0, 0, 0, String::new()),
        ComparisonView::Newer { height, newest } => (*height, *newest, 0, String::new()),
    };
    let args =
        [("height", height.into()), ("newest", newest.into()), ("word", word.into()), ("time", time.into())];
    rsx! {
        div { class, role: "status", "data-testid": "comparison", "data-found": key,
            Glyph { icon, size: 24 }
            div { class: "stack tight grow",
                h2 { {t.text(key, &args)} }
                p { {t.attribute(key, "means", &args)} }
                p { class: "strong", {t.attribute(key, "next", &args)} }
            }
        }
    }
}

/// A way to one of these pages, as a line.
#[component]
pub fn CheckpointLine() -> Element {
    let t = use_translator();
    rsx! {
        Link { class: "line boxed", to: crate::route::Route::CheckpointShow {}, "data-testid": "checkpoint-line",
            Glyph { icon: Icon::Check }
            span { class: "grow",
                span { class: "strong block", {tr!(t, "checkpoint-title")} }
                span { class: "soft small block", {tr!(t, "checkpoint-line")} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
