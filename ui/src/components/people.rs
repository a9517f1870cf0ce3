//! People, hospitals, and how long they may read.

use crate::hooks::use_now;
use crate::i18n::dates::{TimeLeft, countdown};
use crate::i18n::{Translator, tr, use_translator, words};
use amulet_app_api::access::PractitionerView;
use amulet_app_api::records::Category;
use amulet_app_api::wallet::TimeMs;
use dioxus::prelude::*;

/// "Zhao Lei, Emergency, County Hospital", in the order and the language of the page.
pub fn who(t: Translator, person: &PractitionerView) -> String {
    tr!(
        t,
        "who",
        name = person.name.clone(),
        department = person.department.clone(),
        hospital = t.hospital(&person.hospital)
    )
}

/// "Labs 42, Medicines 7".
pub fn counted(t: Translator, counts: &[(Category, u64)]) -> String {
    let items: Vec<String> = counts
        .iter()
        .map(|(category, count)| tr!(t, "category-count", category = t.text(words::category(category), &[]), n = *count))
        .collect();
    t.list(&items)
}

/// "labs, medicines".
pub fn named(t: Translator, categories: &[Category]) -> String {
    let items: Vec<String> = categories.iter().map(|category| t.text(words::category(category), &[])).collect();
    t.list(&items)
}

/// Time left, running.
#[component]
pub fn Countdown(until: TimeMs) -> Element {
    let t = use_translator();
    let now = use_now(1000);
    let text = match countdown(until, now()) {
        Some(TimeLeft::Clock(clock)) => tr!(t, "time-left", time = clock),
        Some(TimeLeft::Days(days)) => tr!(t, "days-left", n = days),
        None => tr!(t, "time-over"),
    };
    rsx! {
        span { class: "countdown", role: "timer", "data-testid": "time-left", {text} }
    }
}
