//! Parts of the forms in which access is asked for and given.

use crate::components::field::Tick;
use crate::i18n::{tr, use_translator, words};
use amulet_app_api::preferences::PreferencesView;
use amulet_app_api::records::Category;
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// Kinds of records to tick.
#[component]
pub fn Categories(
    legend: String,
    hint: String,
    categories: Signal<BTreeSet<Category>>,
    #[props(default)] preferences: PreferencesView,
) -> Element {
    let t = use_translator();
    let mut categories = categories;
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {legend} }
            p { class: "hint", {hint} }
            div { class: "ticks two",
                for category in words::ASKABLE {
                    Tick {
                        key: "{words::category(&category)}",
                        testid: words::category(&category),
                        label: t.text(words::category(&category), &[]),
                        more: if preferences.never.contains(&category) {
                            Some(tr!(t, "settled-never"))
                        } else if preferences.ask.contains(&category) {
                            Some(tr!(t, "settled-not-later"))
                        } else {
                            None
                        },
                        disabled: preferences.never.contains(&category),
                        ticked: categories.read().contains(&category),
                        onchange: move |wanted| {
                            if wanted {
                                categories.write().insert(category);
                            } else {
                                categories.write().remove(&category);
                            }
                        },
                    }
                }
            }
        }
    }
}

/// A length of time out of a few.
#[component]
pub fn Hours(id: String, label: String, choices: Vec<u64>, hours: Signal<u64>) -> Element {
    let t = use_translator();
    let mut hours = hours;
    rsx! {
        div { class: "field",
            label { r#for: "{id}", {label} }
            select {
                id: "{id}",
                "data-testid": "{id}",
                onchange: move |event| {
                    if let Ok(chosen) = event.value().parse() {
                        hours.set(chosen);
                    }
                },
                for choice in choices {
                    option { key: "{choice}", value: "{choice}", selected: hours() == choice, {tr!(t, "span-days", n = choice / 24)} }
                }
            }
        }
    }
}
