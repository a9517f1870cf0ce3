//! The summary: who it is, how long it stays open, allergies first and large.

use crate::app::use_app;
use crate::components::check::ProofPanel;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::Countdown;
use crate::hooks::{use_load_once, use_now};
use crate::i18n::dates::age_years;
use crate::i18n::{Translator, tr, use_translator, words};
use crate::platform;
use crate::route::Route;
use amulet_app_api::card::SummarySection;
use amulet_app_api::clinician::{EmergencyView, EntryView, OpenEmergency, SectionContent, SectionView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Emergency(declaration: String) -> Element {
    let app = use_app();
    let open = app.emergency.read().clone().filter(|view| view.declaration == declaration);
    rsx! {
        div { class: "page",
            match open {
                Some(view) => rsx! { Summary { view } },
                None => rsx! { Reopen { declaration } },
            }
        }
    }
}

/// The page was left or loaded anew: the summary is asked for again under the declaration that still runs.
#[component]
fn Reopen(declaration: String) -> Element {
    let t = use_translator();
    let load = use_load_once(OpenEmergency { declaration });
    let loaded = load.state.read().value().is_some();
    rsx! {
        if !loaded {
            PageHead { title: tr!(t, "summary-title"), back: Route::Accesses {} }
        }
        {show(load, |view| rsx! { Summary { view: view.clone() } })}
    }
}

#[component]
fn Summary(view: EmergencyView) -> Element {
    let t = use_translator();
    let now = use_now(1000);
    if now() >= view.until {
        return rsx! {
            PageHead { title: tr!(t, "summary-over-title"), back: Route::Accesses {} }
            Empty { icon: Icon::Clock, title: tr!(t, "time-over"), text: tr!(t, "summary-over-text") }
        };
    }
    let name = view.name.clone().unwrap_or_else(|| tr!(t, "name-unknown"));
    rsx! {
        div { class: "summary-head",
            PageHead { title: name }
            p { class: "summary-person", "data-testid": "summary-person", {person(t, &view)} }
            p { class: "summary-time",
                Glyph { icon: Icon::Clock, size: 20 }
                Countdown { until: view.until }
            }
        }
        if view.unreadable > 0 {
            p { class: "notice wait", role: "status", "data-testid": "summary-unreadable",
                Glyph { icon: Icon::Warning, size: 22 }
                {tr!(t, "summary-unreadable", count = view.unreadable)}
            }
        }
        div { class: "stack", "data-testid": "summary",
            for section in view.sections.clone() {
                Section { key: "{words::section(&section.section)}", section }
            }
        }
        p { class: "faint", {tr!(t, "summary-made", date = t.date_time(view.made_at))} }
        ProofPanel { proof: view.proof.clone() }
    }
}

/// Sex, age, birth date: what is known of them.
fn person(t: Translator, view: &EmergencyView) -> String {
    let mut parts = Vec::new();
    if let Some(sex) = &view.sex {
        parts.push(t.known(&format!("sex-{sex}")).unwrap_or_else(|| sex.clone()));
    }
    if let Some(birth_date) = &view.birth_date {
        if let Some(age) = age_years(birth_date, platform::now()) {
            parts.push(tr!(t, "age", n = age));
        }
        parts.push(tr!(t, "born", date = t.record_date(birth_date)));
    }
    parts.join(" · ")
}

#[component]
fn Section(section: SectionView) -> Element {
    let t = use_translator();
    let name = words::section(&section.section);
    let first = section.section == SummarySection::Allergies;
    rsx! {
        section { class: if first { "summary-section first" } else { "summary-section" }, "aria-labelledby": "{name}-heading", "data-testid": name,
            h2 { id: "{name}-heading", {t.text(name, &[])} }
            match section.content {
                SectionContent::Entries { entries } => rsx! {
                    ul { class: "entries",
                        for (index, entry) in entries.into_iter().enumerate() {
                            li { key: "{index}", Entry { entry } }
                        }
                    }
                },
                // Three different silences: a doctor must never take one for another.
                SectionContent::KnownNone => rsx! {
                    p { class: "silence known", "data-testid": "known-none", Glyph { icon: Icon::Check } {tr!(t, "section-known-none")} }
                },
                SectionContent::NoInformation => rsx! {
                    p { class: "silence unknown", "data-testid": "no-information", Glyph { icon: Icon::Warning } {tr!(t, "section-no-information")} }
                },
                SectionContent::LeftOut => rsx! {
                    p { class: "silence left-out", "data-testid": "left-out", Glyph { icon: Icon::Lock } {tr!(t, "section-left-out")} }
                },
            }
        }
    }
}

#[component]
fn Entry(entry: EntryView) -> Element {
    let t = use_translator();
    rsx! {
        div { class: if entry.critical { "entry critical" } else { "entry" }, "data-testid": if entry.critical { "entry-critical" } else { "entry" },
            if entry.critical {
                Glyph { icon: Icon::Warning, size: 28 }
            }
            div { class: "grow",
                if entry.critical {
                    span { class: "tag danger", {tr!(t, "critical")} }
                }
                p { class: "entry-text", {entry.text.clone()} }
                if let Some(detail) = entry.detail.clone() {
                    p { class: "entry-detail", {t.summary_detail(&detail)} }
                }
                if let Some(source) = entry.source.clone() {
                    p { class: "faint", {t.summary_source(&source)} }
                }
            }
        }
    }
}
