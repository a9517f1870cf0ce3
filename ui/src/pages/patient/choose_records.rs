//! Exactly these records, by category, each with a tick to leave it out, and a button for a whole category.

use crate::components::field::Tick;
use crate::components::icon::{Glyph, Icon};
use crate::components::record::line_details;
use crate::i18n::{tr, use_translator, words};
use amulet_app_api::records::{Category, RecordLineView};
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// The number of these records by category, in the order in which the categories are offered, no zeroes.
pub fn by_category(lines: &[RecordLineView]) -> Vec<(Category, u64)> {
    let count = |category: Category| lines.iter().filter(|line| line.category == category).count() as u64;
    words::ASKABLE.into_iter().map(|category| (category, count(category))).filter(|(_, n)| *n > 0).collect()
}

/// The records of these categories: those that are left out until somebody ticks them.
pub fn left_out(lines: &[RecordLineView], categories: &[Category]) -> BTreeSet<String> {
    lines.iter().filter(|line| categories.contains(&line.category)).map(|line| line.id.clone()).collect()
}

/// What is signed: of the records that are shown, those that are ticked.
pub fn ticked(lines: &[RecordLineView], without: &BTreeSet<String>) -> Vec<String> {
    lines.iter().filter(|line| !without.contains(&line.id)).map(|line| line.id.clone()).collect()
}

/// That some records cannot be shown just now, and are therefore not allowed.
#[component]
pub fn NotShown(records: u64) -> Element {
    let t = use_translator();
    if records == 0 {
        return rsx! {};
    }
    rsx! {
        div { class: "notice wait", role: "status", "data-testid": "records-not-shown",
            Glyph { icon: Icon::Clock, size: 24 }
            p { {tr!(t, "records-not-shown", n = records)} }
        }
    }
}

/// The records by category.
#[component]
pub fn ChooseRecords(lines: Vec<RecordLineView>, without: Signal<BTreeSet<String>>, locked: bool) -> Element {
    rsx! {
        for (category, count) in by_category(&lines) {
            ChooseCategory {
                key: "{words::category(&category)}",
                category,
                count,
                lines: lines.iter().filter(|line| line.category == category).cloned().collect::<Vec<_>>(),
                without,
                locked,
            }
        }
    }
}

#[component]
fn ChooseCategory(
    category: Category,
    count: u64,
    lines: Vec<RecordLineView>,
    without: Signal<BTreeSet<String>>,
    locked: bool,
) -> Element {
    let t = use_translator();
    let mut without = without;
    let name = t.text(words::category(&category), &[]);
    let testid = words::category(&category).replace("category-", "exposed-");
    let all = words::category(&category).replace("category-", "all-");
    let left_out = lines.iter().filter(|line| without.read().contains(&line.id)).count();
    let takes_out = left_out < lines.len();
    let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
    rsx! {
        details { class: "technical", "data-testid": testid,
            summary {
                span { class: "strong", {tr!(t, "category-count", category = name.clone(), n = count)} }
                if left_out > 0 {
                    span { class: "tag", {tr!(t, "left-out-count", n = left_out)} }
                }
            }
            fieldset { disabled: locked,
                legend { class: "visually-hidden", {tr!(t, "request-exactly-hint")} }
                button {
                    class: "ghost",
                    r#type: "button",
                    "data-testid": all,
                    onclick: move |_| {
                        let mut without = without.write();
                        for id in &ids {
                            if takes_out {
                                without.insert(id.clone());
                            } else {
                                without.remove(id);
                            }
                        }
                    },
                    {if takes_out { tr!(t, "leave-out-all", category = name) } else { tr!(t, "put-back-all", category = name) }}
                }
                for line in lines {
                    Tick {
                        key: "{line.id}",
                        testid: "include-{line.id}",
                        label: match &line.highlight {
                            Some(highlight) => format!("{} · {highlight}", line.title),
                            None => line.title.clone(),
                        },
                        more: line_details(t, &line, false),
                        ticked: !without.read().contains(&line.id),
                        onchange: move |included: bool| {
                            if included {
                                without.write().remove(&line.id);
                            } else {
                                without.write().insert(line.id.clone());
                            }
                        },
                    }
                }
            }
        }
    }
}
