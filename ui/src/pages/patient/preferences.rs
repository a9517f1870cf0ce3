//! What the patient has settled beforehand: categories given to nobody, and those asked about each time.

use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::components::people::named;
use crate::hooks::{use_action, use_load_once};
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::preferences::{Preferences as PreferencesCall, PreferencesView, SetPreferences};
use amulet_app_api::records::Category;
use dioxus::prelude::*;

/// What is settled for one category.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Free,
    Ask,
    Never,
}

impl Rule {
    fn of(preferences: &PreferencesView, category: Category) -> Self {
        if preferences.never.contains(&category) {
            Self::Never
        } else if preferences.ask.contains(&category) {
            Self::Ask
        } else {
            Self::Free
        }
    }

    /// Its name in the page, where no words of people are.
    fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Ask => "ask",
            Self::Never => "never",
        }
    }

    fn named(name: &str) -> Self {
        [Self::Ask, Self::Never].into_iter().find(|rule| rule.name() == name).unwrap_or(Self::Free)
    }

    /// The preferences with this rule for a category.
    fn set(self, preferences: &PreferencesView, category: Category) -> PreferencesView {
        let mut changed = preferences.clone();
        changed.never.retain(|other| *other != category);
        changed.ask.retain(|other| *other != category);
        match self {
            Self::Free => {}
            Self::Ask => changed.ask.push(category),
            Self::Never => changed.never.push(category),
        }
        changed
    }
}

/// The page.
#[component]
pub fn Preferences() -> Element {
    let t = use_translator();
    let preferences = use_load_once(PreferencesCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "preferences-title"), lead: tr!(t, "preferences-lead"), back: Route::Settings {} }
            {show(preferences, |view| rsx! { Body { view: view.clone() } })}
        }
    }
}

#[component]
fn Body(view: PreferencesView) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut now = use_signal(|| view);
    let rules = [
        (Rule::Free, tr!(t, "preference-free")),
        (Rule::Ask, tr!(t, "preference-ask")),
        (Rule::Never, tr!(t, "preference-never")),
    ];
    rsx! {
        p { class: "soft small", {tr!(t, "preferences-limits")} }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        for category in words::ASKABLE {
            div { key: "{words::category(&category)}", class: "field",
                label { r#for: "rule-{words::category(&category)}", {t.text(words::category(&category), &[])} }
                select {
                    id: "rule-{words::category(&category)}",
                    "data-testid": "rule-{words::category(&category)}",
                    onchange: move |event| {
                        let rule = Rule::named(&event.value());
                        let preferences = rule.set(&now.peek(), category);
                        action.call(SetPreferences { preferences }, move |kept| now.set(kept));
                    },
                    for (rule, label) in rules.clone() {
                        option { key: "{rule.name()}", value: rule.name(), selected: Rule::of(&now.read(), category) == rule, {label} }
                    }
                }
            }
        }
    }
}

/// What the preferences do to an access that somebody asks for.
#[component]
pub fn Settled(withheld: Vec<Category>, ask: Vec<Category>) -> Element {
    let t = use_translator();
    rsx! {
        if !withheld.is_empty() {
            div { class: "notice", "data-testid": "withheld",
                Glyph { icon: Icon::Lock, size: 24 }
                p { {tr!(t, "settled-withheld", what = named(t, &withheld))} }
            }
        }
        if !ask.is_empty() {
            div { class: "notice", "data-testid": "asked-about",
                Glyph { icon: Icon::Ask, size: 24 }
                p { {tr!(t, "settled-ask", what = named(t, &ask))} }
            }
        }
    }
}
