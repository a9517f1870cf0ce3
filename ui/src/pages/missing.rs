//! Records that no hospital delivers just now: a list without them must say so.

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use dioxus::prelude::*;

/// The notice; nothing when all are there.
#[component]
pub fn Missing(records: u64) -> Element {
    let t = use_translator();
    if records == 0 {
        return rsx! {};
    }
    rsx! {
        div { class: "notice wait", role: "status", "data-testid": "records-missing",
            Glyph { icon: Icon::Clock, size: 24 }
            p { {tr!(t, "records-missing", n = records)} }
        }
    }
}
