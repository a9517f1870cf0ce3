//! Buttons.

use crate::components::icon::{Glyph, Icon};
use dioxus::prelude::*;

/// How much a button weighs on its page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The one main button.
    Main,
    /// Another way on.
    Second,
    /// Something that takes away; never the main button.
    Danger,
    /// The main button of an emergency.
    Emergency,
}

impl Weight {
    /// The CSS classes, also for links that look like buttons.
    pub fn class(self) -> &'static str {
        match self {
            Self::Main => "button main",
            Self::Second => "button second",
            Self::Danger => "button danger",
            Self::Emergency => "button emergency",
        }
    }
}

/// A button. While it is busy it keeps its words and does nothing.
#[component]
pub fn Button(
    label: String,
    weight: Weight,
    testid: String,
    onclick: EventHandler<()>,
    #[props(default)] icon: Option<Icon>,
    #[props(default)] disabled: bool,
    #[props(default)] busy: bool,
    #[props(default = false)] submits: bool,
) -> Element {
    rsx! {
        button {
            class: weight.class(),
            r#type: if submits { "submit" } else { "button" },
            "data-testid": testid,
            "aria-busy": if busy { "true" },
            disabled: disabled || busy,
            onclick: move |_| {
                if !submits {
                    onclick.call(());
                }
            },
            if let Some(icon) = icon {
                Glyph { icon }
            }
            {label}
        }
    }
}
