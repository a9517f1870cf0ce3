//! An address that leads nowhere.

use crate::app::use_app;
use crate::components::icon::Icon;
use crate::components::page::{Empty, PageHead};
use crate::i18n::{tr, use_translator};
use dioxus::prelude::*;

/// The page for addresses that do not exist.
#[component]
pub fn NotFound(rest: Vec<String>) -> Element {
    let app = use_app();
    let t = use_translator();
    let asked = rest.join("/");
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "not-found-title") }
            Empty { icon: Icon::Search, title: asked, text: tr!(t, "not-found-text"),
                Link { class: "button main", to: app.first_page(), {tr!(t, "not-found-go")} }
            }
        }
    }
}
