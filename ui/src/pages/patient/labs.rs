//! What was measured, test by test: the newest value of each, and behind it how it went.

use crate::components::field::{TextField, Tick};
use crate::components::icon::Icon;
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::trend::{StandingWord, Trend};
use crate::filter::words_are_in;
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator};
use crate::pages::missing::Missing;
use crate::route::Route;
use amulet_app_api::records::{Labs as Call, LabsView, Standing, TrendView};
use dioxus::prelude::*;

/// Tests shown at first, and added by each press of "show more".
const TESTS_STEP: usize = 50;

/// The page.
#[component]
pub fn Labs() -> Element {
    let t = use_translator();
    let load = use_load(Call {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "labs-title"), lead: tr!(t, "labs-lead"), back: Route::records() }
            {show(load, |view| rsx! { Body { view: view.clone() } })}
        }
    }
}

#[component]
fn Body(view: LabsView) -> Element {
    let t = use_translator();
    let words = use_signal(String::new);
    let mut only_out = use_signal(|| false);
    let mut shown = use_signal(|| TESTS_STEP);
    if view.tests.is_empty() {
        return rsx! {
            Missing { records: view.missing }
            Empty { icon: Icon::Records, title: tr!(t, "labs-none-title"), text: tr!(t, "labs-none-text") }
        };
    }
    let fits = |test: &&TrendView| words_are_in(&words.read(), &test.name) && (!only_out() || is_out(test));
    let found: Vec<TrendView> = view.tests.iter().filter(fits).cloned().collect();
    let rest = found.len().saturating_sub(shown());
    rsx! {
        Missing { records: view.missing }
        TextField { id: "labs-search", label: tr!(t, "labs-search"), kind: "search", value: words, plain: true }
        Tick { testid: "labs-out", label: tr!(t, "labs-only-out"), ticked: only_out(), onchange: move |wanted| only_out.set(wanted) }
        p { class: "faint", role: "status", "aria-live": "polite", {tr!(t, "labs-count", n = found.len())} }
        div { class: "stack tight",
            for test in found.into_iter().take(shown()) {
                Test { key: "{test.name} {test.points.first().map(|point| point.record.clone()).unwrap_or_default()}", test }
            }
        }
        if rest > 0 {
            button { class: "button second", r#type: "button", "data-testid": "show-more", onclick: move |_| shown += TESTS_STEP, {tr!(t, "show-more", n = rest)} }
        }
    }
}

/// Whether the newest value is out of its range.
fn is_out(test: &TrendView) -> bool {
    test.points.first().is_some_and(|point| matches!(point.standing, Some(Standing::Low | Standing::High)))
}

#[component]
fn Test(test: TrendView) -> Element {
    let t = use_translator();
    let mut open = use_signal(|| false);
    let Some(newest) = test.points.first().cloned() else { return rsx! {} };
    let date = newest.date.as_ref().map_or_else(|| tr!(t, "no-date"), |date| t.record_date(date));
    rsx! {
        details { class: "boxed test", "data-testid": "lab", ontoggle: move |_| open.toggle(),
            summary { class: "line",
                span { class: "grow",
                    span { class: "strong block", {test.name.clone()} }
                    span { class: "soft small block", {date} " · " {t.hospital(&newest.hospital)} }
                    if let Some(standing) = newest.standing.filter(|standing| *standing != Standing::Within) {
                        StandingWord { standing }
                    }
                }
                span { class: "highlight", {newest.value.clone()} }
            }
            // Drawn only when looked at: there may be hundreds.
            if open() {
                div { class: "stack tight inside",
                    Trend { trend: test.clone() }
                    Link { class: "button second", to: Route::Record { id: newest.record.clone() }, {tr!(t, "labs-open")} }
                }
            }
        }
    }
}
