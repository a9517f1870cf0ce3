//! All records on a timeline, filtered by category and by words.

use super::erasure::ErasedRecords;
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::check::CheckedBadge;
use crate::components::field::{Select, TextField};
use crate::components::icon::Icon;
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::record::{CategoryChips, Timeline};
use crate::filter::{Filter, words_are_in};
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator, words};
use crate::pages::missing::Missing;
use crate::pages::save_file::SaveSummary;
use crate::route::Route;
use amulet_app_api::records::{Category, RecordLineView, Records as RecordsCall, TimelineView};
use amulet_app_api::wallet::HospitalView;
use dioxus::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The page.
#[component]
pub fn Records(filter: Filter) -> Element {
    let t = use_translator();
    let timeline = use_load(RecordsCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-records") }
            {show(timeline, |view| rsx! { Body { view: view.clone(), filter: filter.clone() } })}
        }
    }
}

#[component]
fn Body(view: TimelineView, filter: Filter) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let (mut shown, words) = app.records_shown;
    let now = filter.clone();
    use_effect(use_reactive!(|(now,)| shown.set(now)));
    let found = matching(&view.records, &filter, &words.read());
    let key = format!("{filter} {}", words.read());
    let choose = use_callback(move |filter: Filter| {
        navigator.replace(Route::Records { filter });
    });
    if view.records.is_empty() && view.missing == 0 {
        return rsx! {
            CheckedBadge { checked: view.checked.clone() }
            Empty { icon: Icon::Records, title: tr!(t, "home-empty-title"), text: tr!(t, "home-empty-text"),
                Link { class: "button second", to: Route::Code {}, {tr!(t, "home-empty-step")} }
            }
            ErasedRecords { records: view.erased.clone() }
        };
    }
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        Missing { records: view.missing }
        div { class: "row wrap",
            Link { class: "button second", to: Route::Labs {}, "data-testid": "records-labs", {tr!(t, "labs-title")} }
            Link { class: "button second", to: Route::Medicines {}, "data-testid": "records-medicines", {tr!(t, "medicines-title")} }
        }
        div { class: "stack tight",
            TextField { id: "records-search", label: tr!(t, "records-search"), kind: "search", value: words, plain: true }
            Kinds { counts: view.categories.clone(), filter: filter.clone(), onchoose: choose }
            WhereAndWhen { records: view.records.clone(), filter: filter.clone(), onchoose: choose }
            p { class: "faint", role: "status", "aria-live": "polite", "data-testid": "records-count", {tr!(t, "records-count", n = found.len())} }
        }
        if found.is_empty() {
            Empty { icon: Icon::Search, title: tr!(t, "records-none-title"), text: tr!(t, "records-none-text"),
                ShowAll { words, onchoose: choose }
            }
        } else {
            // A new filter starts a new list, at its beginning.
            Timeline { key: "{key}", lines: found, onopen: move |id: String| {
                navigator.push(Route::Record { id });
            } }
        }
        ErasedRecords { records: view.erased.clone() }
        SaveSummary {}
    }
}

/// Takes every restriction away.
#[component]
fn ShowAll(words: Signal<String>, onchoose: EventHandler<Filter>) -> Element {
    let t = use_translator();
    let mut words = words;
    rsx! {
        Button {
            label: tr!(t, "filter-clear"),
            weight: Weight::Second,
            testid: "filter-clear",
            onclick: move |()| {
                words.set(String::new());
                onchoose.call(Filter::default());
            },
        }
    }
}

#[component]
fn Kinds(counts: Vec<(Category, u64)>, filter: Filter, onchoose: EventHandler<Filter>) -> Element {
    let chosen =
        counts.iter().map(|(category, _)| *category).find(|category| kind_of(category) == filter.kind);
    rsx! {
        CategoryChips {
            counts,
            chosen,
            onchoose: move |chosen: Option<Category>| {
                let kind = chosen.as_ref().map(kind_of).unwrap_or_default().to_owned();
                onchoose.call(Filter { kind, ..filter.clone() });
            },
        }
    }
}

/// A category's name in the address.
fn kind_of(category: &Category) -> &'static str {
    words::category(category).trim_start_matches("category-")
}

/// The hospitals and years that there are; nothing where there is only one.
#[component]
fn WhereAndWhen(records: Vec<RecordLineView>, filter: Filter, onchoose: EventHandler<Filter>) -> Element {
    let t = use_translator();
    let hospitals: BTreeMap<String, HospitalView> =
        records.iter().map(|line| (line.hospital.did.clone(), line.hospital.clone())).collect();
    let years: BTreeSet<String> = records.iter().filter_map(year_of).map(str::to_owned).collect();
    let (at, when) = (filter.clone(), filter.clone());
    rsx! {
        div { class: "row wrap",
            if hospitals.len() > 1 {
                Select {
                    id: "records-hospital",
                    label: tr!(t, "record-hospital"),
                    all: tr!(t, "filter-all-hospitals"),
                    choices: hospitals.into_iter().map(|(did, hospital)| (did, t.hospital(&hospital))).collect::<Vec<_>>(),
                    chosen: filter.hospital.clone(),
                    onchoose: move |hospital| onchoose.call(Filter { hospital, ..at.clone() }),
                }
            }
            if years.len() > 1 {
                Select {
                    id: "records-year",
                    label: tr!(t, "filter-year"),
                    all: tr!(t, "filter-all-years"),
                    choices: years.into_iter().rev().map(|year| (year.clone(), year)).collect::<Vec<_>>(),
                    chosen: filter.year.clone(),
                    onchoose: move |year| onchoose.call(Filter { year, ..when.clone() }),
                }
            }
        }
    }
}

/// The year of a record's date, as the record has it.
fn year_of(line: &RecordLineView) -> Option<&str> {
    line.date.as_deref().and_then(|date| date.get(..4))
}

/// Records that fit, and whose visible words contain every word typed.
fn matching(records: &[RecordLineView], filter: &Filter, words: &str) -> Vec<RecordLineView> {
    let fits = |line: &&RecordLineView| {
        (filter.kind.is_empty() || kind_of(&line.category) == filter.kind)
            && (filter.hospital.is_empty() || line.hospital.did == filter.hospital)
            && (filter.year.is_empty() || year_of(line) == Some(&filter.year))
    };
    let says = |line: &&RecordLineView| {
        let mut text = format!("{} {} {}", line.title, line.hospital.name_en, line.hospital.name_zh);
        for part in [&line.highlight, &line.date].into_iter().flatten() {
            text.push(' ');
            text.push_str(part);
        }
        words_are_in(words, &text)
    };
    records.iter().filter(fits).filter(says).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::records::DataClass;

    fn line(title: &str, category: Category) -> RecordLineView {
        RecordLineView {
            id: title.to_owned(),
            title: title.to_owned(),
            date: Some("2024-03-01".to_owned()),
            highlight: Some("13.2 g/dL".to_owned()),
            category,
            class: DataClass::Sensitive,
            resource_type: "Observation".to_owned(),
            hospital: HospitalView {
                did: String::new(),
                name_en: "City First".to_owned(),
                name_zh: "市一医院".to_owned(),
            },
            large: None,
        }
    }

    #[test]
    fn every_word_typed_must_be_found_somewhere_on_the_line() {
        let records = [line("Hemoglobin", Category::Labs), line("青霉素", Category::Allergies)];
        let titles = |category: Option<Category>, search| {
            let kind = category.as_ref().map(kind_of).unwrap_or_default().to_owned();
            matching(&records, &Filter { kind, ..Filter::default() }, search)
                .iter()
                .map(|line| line.title.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(titles(None, "hemo 13.2"), ["Hemoglobin"]);
        assert_eq!(titles(None, "霉素 市一"), ["青霉素"]);
        assert_eq!(titles(None, "hemo urine"), Vec::<String>::new());
        assert_eq!(titles(Some(Category::Labs), "city"), ["Hemoglobin"]);
        assert_eq!(titles(None, " ").len(), 2);
        let at = |hospital: &str, year: &str| Filter {
            hospital: hospital.to_owned(),
            year: year.to_owned(),
            ..Filter::default()
        };
        assert_eq!(matching(&records, &at("", "2024"), "").len(), 2);
        assert_eq!(matching(&records, &at("", "2023"), "").len(), 0);
        assert_eq!(matching(&records, &at("did:amulet:other", ""), "").len(), 0);
    }
}
