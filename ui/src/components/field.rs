//! Form fields with their labels, hints and complaints tied together for screen readers.

use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::platform;
use dioxus::prelude::*;

/// A line of text.
#[component]
pub fn TextField(
    id: String,
    label: String,
    value: Signal<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] complaint: Option<String>,
    #[props(default = "text".to_owned())] kind: String,
    #[props(default = "off".to_owned())] autocomplete: String,
    #[props(default)] max_length: Option<u32>,
    #[props(default)] plain: bool,
    #[props(default)] oninput: Option<EventHandler<String>>,
) -> Element {
    let mut value = value;
    let described = format!("{id}-hint");
    let invalid = complaint.is_some();
    rsx! {
        div { class: "field",
            label { r#for: "{id}", {label} }
            if let Some(hint) = hint {
                p { class: "hint", id: "{described}", {hint} }
            }
            input {
                id: "{id}",
                "data-testid": "{id}",
                r#type: "{kind}",
                value: "{value}",
                autocomplete: "{autocomplete}",
                autocapitalize: if plain { "none" } else { "sentences" },
                spellcheck: if plain { "false" } else { "true" },
                maxlength: max_length.map(|length| length.to_string()),
                "aria-describedby": "{described}",
                "aria-invalid": if invalid { "true" },
                oninput: move |event| {
                    value.set(event.value());
                    if let Some(oninput) = oninput {
                        oninput.call(event.value());
                    }
                },
            }
            Complaint { text: complaint }
        }
    }
}

/// A passphrase, hidden unless the person wants to see it.
#[component]
pub fn PassphraseField(
    id: String,
    label: String,
    value: Signal<String>,
    autocomplete: String,
    #[props(default)] complaint: Option<String>,
    #[props(default)] oninput: Option<EventHandler<String>>,
) -> Element {
    let t = use_translator();
    let mut value = value;
    let mut visible = use_signal(|| false);
    let invalid = complaint.is_some();
    rsx! {
        div { class: "field",
            label { r#for: "{id}", {label} }
            div { class: "with-button",
                input {
                    id: "{id}",
                    "data-testid": "{id}",
                    r#type: if visible() { "text" } else { "password" },
                    value: "{value}",
                    autocomplete: "{autocomplete}",
                    autocapitalize: "none",
                    spellcheck: "false",
                    "aria-invalid": if invalid { "true" },
                    oninput: move |event| {
                        value.set(event.value());
                        if let Some(oninput) = oninput {
                            oninput.call(event.value());
                        }
                    },
                }
                button {
                    class: "ghost",
                    r#type: "button",
                    "aria-pressed": if visible() { "true" } else { "false" },
                    onclick: move |_| visible.toggle(),
                    if visible() { {tr!(t, "hide")} } else { {tr!(t, "show")} }
                }
            }
            Complaint { text: complaint }
        }
    }
}

/// What is wrong with a field, announced at once.
#[component]
pub fn Complaint(text: Option<String>) -> Element {
    let there = text.is_some();
    use_effect(use_reactive!(|(there,)| {
        if there {
            platform::reveal(".complaint > span");
        }
    }));
    rsx! {
        div { class: "complaint", "aria-live": "polite",
            if let Some(text) = text {
                Glyph { icon: Icon::Warning, size: 18 }
                span { {text} }
            }
        }
    }
}

/// One of many, or all of them.
#[component]
pub fn Select(
    id: String,
    label: String,
    all: String,
    choices: Vec<(String, String)>,
    chosen: String,
    onchoose: EventHandler<String>,
) -> Element {
    rsx! {
        div { class: "field",
            label { r#for: "{id}", {label} }
            select { id: "{id}", "data-testid": "{id}", onchange: move |event| onchoose.call(event.value()),
                option { value: "", selected: chosen.is_empty(), {all} }
                for (value, text) in choices {
                    option { key: "{value}", value: "{value}", selected: value == chosen, {text} }
                }
            }
        }
    }
}

/// One of several: a radio button as a whole tappable line.
#[component]
pub fn Choice(
    name: String,
    testid: String,
    label: String,
    #[props(default)] more: Option<String>,
    chosen: bool,
    onchoose: EventHandler<()>,
) -> Element {
    rsx! {
        label { class: if chosen { "choice chosen" } else { "choice" },
            input { r#type: "radio", name: "{name}", "data-testid": "{testid}", checked: chosen, onchange: move |_| onchoose.call(()) }
            span { class: "grow",
                span { class: "strong", {label} }
                if let Some(more) = more {
                    span { class: "soft small block", {more} }
                }
            }
        }
    }
}

/// Yes or no: a tick box as a whole tappable line.
#[component]
pub fn Tick(
    testid: String,
    label: String,
    #[props(default)] more: Option<String>,
    ticked: bool,
    #[props(default)] disabled: bool,
    onchange: EventHandler<bool>,
) -> Element {
    rsx! {
        label { class: "tick",
            input {
                r#type: "checkbox",
                disabled,
                "data-testid": "{testid}",
                checked: ticked,
                onchange: move |event| onchange.call(event.checked()),
            }
            span { class: "grow",
                span { {label} }
                if let Some(more) = more {
                    span { class: "soft small block", {more} }
                }
            }
        }
    }
}
