//! All records on a timeline, filtered by category and by words.

use super::erasure::ErasedRecords;
use crate::components::check::CheckedBadge;
use crate::components::field::TextField;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::record::{CategoryChips, Timeline};
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SaveSummary;
use crate::route::Route;
use amulet_app_api::records::{Category, RecordLineView, Records as RecordsCall, TimelineView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Records() -> Element {
    let t = use_translator();
    let timeline = use_load(RecordsCall {});
    let chosen = use_signal(|| None::<Category>);
    let search = use_signal(String::new);
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-records") }
            {show(timeline, |view| rsx! { Body { view: view.clone(), chosen, search } })}
        }
    }
}

#[component]
fn Body(view: TimelineView, chosen: Signal<Option<Category>>, search: Signal<String>) -> Element {
    let t = use_translator();
    let navigator = use_navigator();
    let found = matching(&view.records, chosen(), &search.read());
    let filter = format!("{:?} {}", chosen(), search.read());
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
        if view.missing > 0 {
            div { class: "notice wait", role: "status", "data-testid": "records-missing",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "records-missing", n = view.missing)} }
            }
        }
        div { class: "stack tight",
            TextField { id: "records-search", label: tr!(t, "records-search"), kind: "search", value: search, plain: true }
            CategoryChips { counts: view.categories.clone(), chosen }
            p { class: "faint", role: "status", "aria-live": "polite", "data-testid": "records-count", {tr!(t, "records-count", n = found.len())} }
        }
        if found.is_empty() {
            Empty { icon: Icon::Search, title: tr!(t, "records-none-title"), text: tr!(t, "records-none-text") }
        } else {
            // A new filter starts a new list, at its beginning.
            Timeline { key: "{filter}", lines: found, onopen: move |id: String| {
                navigator.push(Route::Record { id });
            } }
        }
        ErasedRecords { records: view.erased.clone() }
        SaveSummary {}
    }
}

/// Records of the category whose visible words contain every word typed.
fn matching(records: &[RecordLineView], category: Option<Category>, search: &str) -> Vec<RecordLineView> {
    let wanted: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let fits = |line: &&RecordLineView| {
        if category.is_some_and(|category| line.category != category) {
            return false;
        }
        let mut text =
            format!("{} {} {}", line.title, line.hospital.name_en, line.hospital.name_zh).to_lowercase();
        for part in [&line.highlight, &line.date].into_iter().flatten() {
            text.push(' ');
            text.push_str(&part.to_lowercase());
        }
        wanted.iter().all(|word| text.contains(word))
    };
    records.iter().filter(fits).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::records::DataClass;
    use amulet_app_api::wallet::HospitalView;

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
        let titles = |category, search| {
            matching(&records, category, search).iter().map(|line| line.title.clone()).collect::<Vec<_>>()
        };
        assert_eq!(titles(None, "hemo 13.2"), ["Hemoglobin"]);
        assert_eq!(titles(None, "霉素 市一"), ["青霉素"]);
        assert_eq!(titles(None, "hemo urine"), Vec::<String>::new());
        assert_eq!(titles(Some(Category::Labs), "city"), ["Hemoglobin"]);
        assert_eq!(titles(None, " ").len(), 2);
    }
}
