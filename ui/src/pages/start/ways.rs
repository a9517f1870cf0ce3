//! The other ways back to a wallet, below the recovery words.

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use dioxus::prelude::*;

/// A line for each.
#[component]
pub fn OtherWays() -> Element {
    let t = use_translator();
    rsx! {
        section { class: "stack tight apart", "aria-labelledby": "other-ways",
            h2 { id: "other-ways", {tr!(t, "restore-others")} }
            Way { to: Route::RestoreSheets {}, icon: Icon::Person, testid: "restore-sheets", title: tr!(t, "restore-sheets"), text: tr!(t, "restore-sheets-text") }
            Way { to: Route::RestoreFile {}, icon: Icon::File, testid: "restore-file", title: tr!(t, "restore-file"), text: tr!(t, "restore-file-text") }
            Way { to: Route::RestoreDevice {}, icon: Icon::Scan, testid: "restore-device", title: tr!(t, "restore-device"), text: tr!(t, "restore-device-text") }
        }
    }
}

#[component]
fn Way(to: Route, icon: Icon, testid: &'static str, title: String, text: String) -> Element {
    rsx! {
        Link { class: "line boxed", to, "data-testid": testid,
            Glyph { icon }
            span { class: "grow",
                span { class: "strong block", {title} }
                span { class: "soft small block", {text} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
