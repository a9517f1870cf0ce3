//! The frame of a page's content: heading, way back, empty state, and the main button's place.

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::platform;
use crate::route::Route;
use dioxus::prelude::*;

/// Heading of a page; takes the focus when the page opens, so that it is announced.
#[component]
pub fn PageHead(
    title: String,
    #[props(default)] lead: Option<String>,
    #[props(default)] back: Option<Route>,
) -> Element {
    let t = use_translator();
    use_effect(platform::focus_heading);
    let full_title = tr!(t, "document-title", page = title.clone());
    use_effect(use_reactive!(|(full_title,)| platform::set_document_title(&full_title)));
    rsx! {
        header { class: "page-head",
            if let Some(back) = back {
                Link { class: "ghost back", to: back, "data-testid": "back",
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
            }
            h1 { tabindex: "-1", {title} }
            if let Some(lead) = lead {
                p { class: "lead", {lead} }
            }
        }
    }
}

/// The place of the main button: at the bottom, within the thumb's reach.
#[component]
pub fn ActionBar(children: Element) -> Element {
    rsx! {
        div { class: "action-bar", {children} }
    }
}

/// Nothing here yet: what will be here, and the step that brings it.
#[component]
pub fn Empty(icon: Icon, title: String, text: String, #[props(default)] children: Element) -> Element {
    rsx! {
        div { class: "empty", "data-testid": "empty",
            Glyph { icon, size: 40 }
            h2 { {title} }
            p { class: "soft", {text} }
            {children}
        }
    }
}
