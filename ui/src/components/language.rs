//! The switch between the two languages, on every page.

use crate::app::use_app;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{lookup, tag, use_translator};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

/// A button that names the other language in that language, so that whoever needs it can read it.
#[component]
pub fn LanguageSwitch() -> Element {
    let app = use_app();
    let t = use_translator();
    let other = match t.language() {
        Language::En => Language::Zh,
        Language::Zh => Language::En,
    };
    rsx! {
        button {
            class: "ghost",
            r#type: "button",
            "data-testid": "language-switch",
            lang: tag(other),
            onclick: move |_| app.choose_language(other),
            Glyph { icon: Icon::Globe }
            {lookup(other, "language-own-name", None, &[])}
        }
    }
}
