//! Records: a line of a list, the filter chips, the list by year and month, and one record in full.

use crate::components::check::ProofPanel;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{Translator, tr, use_translator, words};
use amulet_app_api::records::{Category, RecordLineView, RecordView};
use dioxus::prelude::*;

/// Lines shown at first, and added by each press of "show more": a long history must not freeze a cheap phone.
const LINES_STEP: usize = 100;

/// What a line says besides its title. Under the heading of a month the day is enough, elsewhere the year is said too.
pub fn line_details(t: Translator, line: &RecordLineView, under_month: bool) -> String {
    let mut parts = vec![t.text(words::category(&line.category), &[])];
    if let Some(date) = &line.date {
        parts.push(if under_month { t.record_day(date) } else { t.record_date(date) });
    }
    parts.push(t.hospital(&line.hospital));
    parts.join(" · ")
}

/// Chips that filter by category, with counts; the first clears the filter.
#[component]
pub fn CategoryChips(
    counts: Vec<(Category, u64)>,
    chosen: Option<Category>,
    onchoose: EventHandler<Option<Category>>,
) -> Element {
    let t = use_translator();
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    rsx! {
        div { class: "chips", role: "group", "aria-label": tr!(t, "records-filter"),
            button {
                class: "chip",
                r#type: "button",
                "data-testid": "chip-all",
                "aria-pressed": if chosen.is_none() { "true" } else { "false" },
                onclick: move |_| onchoose.call(None),
                {tr!(t, "category-count", category = tr!(t, "category-all"), n = all)}
            }
            for (category, count) in counts {
                button {
                    key: "{words::category(&category)}",
                    class: "chip",
                    r#type: "button",
                    "data-testid": words::category(&category).replace("category-", "chip-"),
                    "aria-pressed": if chosen == Some(category) { "true" } else { "false" },
                    onclick: move |_| onchoose.call((chosen != Some(category)).then_some(category)),
                    {tr!(t, "category-count", category = t.text(words::category(&category), &[]), n = count)}
                }
            }
        }
    }
}

/// Records under their year and month, newest first as given; those without a date come last.
#[component]
pub fn Timeline(lines: Vec<RecordLineView>, onopen: EventHandler<String>) -> Element {
    let t = use_translator();
    let mut shown = use_signal(|| LINES_STEP);
    let rest = lines.len().saturating_sub(shown());
    let groups = by_month(t, &lines[..lines.len().min(shown())]);
    rsx! {
        div { class: "stack",
            for (heading, lines) in groups {
                section { key: "{heading}", class: "stack tight",
                    h2 { class: "month", {heading} }
                    ul { class: "list",
                        for line in lines {
                            li { key: "{line.id}", RecordLine { line, under_month: true, onopen } }
                        }
                    }
                }
            }
            if rest > 0 {
                button {
                    class: "button second",
                    r#type: "button",
                    "data-testid": "show-more",
                    onclick: move |_| shown += LINES_STEP,
                    {tr!(t, "show-more", n = rest)}
                }
            }
        }
    }
}

/// Consecutive lines of one month (or of one year, where only that is known) under one heading.
fn by_month(t: Translator, lines: &[RecordLineView]) -> Vec<(String, Vec<RecordLineView>)> {
    let mut groups: Vec<(String, Vec<RecordLineView>)> = Vec::new();
    for line in lines {
        let heading = match &line.date {
            Some(date) => t.record_month(date).unwrap_or_else(|| t.record_date(date)),
            None => tr!(t, "no-date"),
        };
        match groups.last_mut() {
            Some((last, group)) if *last == heading => group.push(line.clone()),
            _ => groups.push((heading, vec![line.clone()])),
        }
    }
    groups
}

/// One line that opens its record.
#[component]
pub fn RecordLine(
    line: RecordLineView,
    #[props(default)] under_month: bool,
    onopen: EventHandler<String>,
) -> Element {
    let t = use_translator();
    let id = line.id.clone();
    rsx! {
        button { class: "line", r#type: "button", "data-testid": "record-line", onclick: move |_| onopen.call(id.clone()),
            span { class: "grow",
                span { class: "strong block", {line.title.clone()} }
                span { class: "soft small block", {line_details(t, &line, under_month)} }
            }
            if let Some(highlight) = line.highlight.clone() {
                span { class: "highlight", {highlight} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

/// A record in full: facts first, what the page adds, then its own words, the proof, and the source.
#[component]
pub fn RecordBody(record: RecordView, children: Element) -> Element {
    let t = use_translator();
    let line = &record.line;
    rsx! {
        dl { class: "facts card-box", "data-testid": "record-facts",
            dt { {tr!(t, "record-category")} }
            dd { {t.text(words::category(&line.category), &[])} }
            if let Some(date) = &line.date {
                dt { {tr!(t, "record-date")} }
                dd { {t.record_date(date)} }
            }
            for (index, fact) in record.facts.iter().enumerate() {
                dt { key: "label-{index}", {label(t, &fact.label)} }
                dd { {t.fact_value(&fact.label, &fact.value)} }
            }
            dt { {tr!(t, "record-hospital")} }
            dd { {t.hospital(&line.hospital)} }
            dt { {tr!(t, "record-class")} }
            dd { {t.text(words::class(&line.class), &[])} }
        }
        {children}
        if let Some(narrative) = record.narrative.clone() {
            section { class: "stack tight",
                h2 { {tr!(t, "record-narrative")} }
                p { class: "narrative", {narrative} }
            }
        }
        ProofPanel { proof: record.proof.clone() }
        details { class: "technical", "data-testid": "record-source",
            summary { {tr!(t, "record-source", kind = line.resource_type.clone())} }
            pre { tabindex: "0", {record.source_json.clone()} }
        }
    }
}

/// A fact's label; one the locales do not know is shown as it came, readable.
fn label(t: Translator, code: &str) -> String {
    t.known(&format!("label-{}", code.replace('_', "-"))).unwrap_or_else(|| code.replace('_', " "))
}
