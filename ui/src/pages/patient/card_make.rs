//! Making or replacing the card: what everyone may read, what stays behind the check, and what it will look like.

use super::card::FactList;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Complaint, Tick};
use crate::components::icon::Icon;
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{use_action, use_load_once};
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::card::{
    CardDraft, CardDraftView, CardFact, DraftFactView, FactKind, MakeCard, SummarySection,
};
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// Longest text of a fact, in bytes, as the card has room for.
const FACT_BYTES_MAX: usize = 60;

/// Kinds a person can add by hand.
const OWN_KINDS: [FactKind; 8] = [
    FactKind::Contact,
    FactKind::Allergy,
    FactKind::BloodGroup,
    FactKind::Medicine,
    FactKind::Condition,
    FactKind::Device,
    FactKind::Name,
    FactKind::BirthYear,
];

/// The page.
#[component]
pub fn CardMake() -> Element {
    let t = use_translator();
    let draft = use_load_once(CardDraft {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "card-make-title"), lead: tr!(t, "card-make-lead"), back: Route::Card {} }
            {show(draft, |view| rsx! { Form { draft: view.clone() } })}
        }
    }
}

#[component]
fn Form(draft: CardDraftView) -> Element {
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let facts = use_signal(|| draft.facts.clone());
    let without = use_signal(BTreeSet::<SummarySection>::new);
    let chosen: Vec<CardFact> = facts
        .read()
        .iter()
        .filter(|fact| fact.chosen)
        .map(|fact| CardFact { kind: fact.kind, text: fact.text.clone() })
        .collect();
    let bytes: u64 = chosen.iter().map(|fact| fact.text.len() as u64).sum();
    let too_much = bytes > draft.bytes_max;
    let request = MakeCard { facts: chosen.clone(), without: without.read().iter().copied().collect() };
    rsx! {
        section { class: "stack tight", "aria-labelledby": "open-facts",
            h2 { id: "open-facts", {tr!(t, "card-open-facts")} }
            p { class: "soft small", {tr!(t, "card-open-facts-hint")} }
            ChooseFacts { facts }
            div { class: "room",
                meter { min: "0", max: "{draft.bytes_max}", value: "{bytes}", "aria-label": tr!(t, "card-room-label") }
                p { class: "faint", {tr!(t, "card-room", used = bytes, all = draft.bytes_max)} }
            }
            Complaint { text: too_much.then(|| tr!(t, "card-too-much")) }
        }
        section { class: "stack tight", "aria-labelledby": "summary",
            h2 { id: "summary", {tr!(t, "card-summary")} }
            p { class: "soft small", {tr!(t, "card-summary-hint")} }
            ChooseSections { summary: draft.summary.clone(), without }
        }
        section { class: "stack tight", "aria-labelledby": "preview",
            h2 { id: "preview", {tr!(t, "card-preview")} }
            div { class: "card-box", "data-testid": "card-preview",
                if chosen.is_empty() {
                    p { class: "soft", {tr!(t, "card-preview-empty")} }
                } else {
                    FactList { facts: chosen }
                }
            }
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
        ActionBar {
            Button {
                label: tr!(t, "card-make-submit"),
                weight: Weight::Main,
                testid: "card-submit",
                busy: action.is_running(),
                disabled: too_much,
                onclick: move |()| {
                    action.call(request.clone(), move |_| {
                        navigator.replace(Route::Card {});
                    });
                },
            }
        }
    }
}

#[component]
fn ChooseFacts(facts: Signal<Vec<DraftFactView>>) -> Element {
    let t = use_translator();
    let mut facts = facts;
    rsx! {
        fieldset { class: "ticks",
            legend { class: "visually-hidden", {tr!(t, "card-open-facts")} }
            for (index, fact) in facts.read().iter().cloned().enumerate() {
                Tick {
                    key: "{index}",
                    testid: "fact-{index + 1}",
                    label: fact.text,
                    more: t.text(words::fact_kind(&fact.kind), &[]),
                    ticked: fact.chosen,
                    onchange: move |chosen| {
                        if let Some(fact) = facts.write().get_mut(index) {
                            fact.chosen = chosen;
                        }
                    },
                }
            }
        }
        AddFact { onadd: move |fact| facts.write().push(fact) }
    }
}

/// A fact in the person's own words.
#[component]
fn AddFact(onadd: EventHandler<DraftFactView>) -> Element {
    let t = use_translator();
    let mut kind = use_signal(|| OWN_KINDS[0]);
    let mut text = use_signal(String::new);
    let too_long = text.read().trim().len() > FACT_BYTES_MAX;
    let key = |kind: FactKind| words::fact_kind(&kind);
    rsx! {
        details { class: "technical", "data-testid": "add-fact",
            summary { {tr!(t, "card-add-fact")} }
            form {
                class: "stack tight",
                onsubmit: move |event| {
                    event.prevent_default();
                    let typed = text.peek().trim().to_owned();
                    if !typed.is_empty() && typed.len() <= FACT_BYTES_MAX {
                        onadd.call(DraftFactView { kind: *kind.peek(), text: typed, chosen: true });
                        text.set(String::new());
                    }
                },
                div { class: "field",
                    label { r#for: "fact-kind", {tr!(t, "card-fact-kind")} }
                    select {
                        id: "fact-kind",
                        "data-testid": "fact-kind",
                        onchange: move |event| {
                            if let Some(chosen) = OWN_KINDS.into_iter().find(|kind| key(*kind) == event.value()) {
                                kind.set(chosen);
                            }
                        },
                        for choice in OWN_KINDS {
                            option { key: "{key(choice)}", value: key(choice), selected: kind() == choice, {t.text(key(choice), &[])} }
                        }
                    }
                }
                div { class: "field",
                    label { r#for: "fact-text", {tr!(t, "card-fact-text")} }
                    p { class: "hint", id: "fact-text-hint", {tr!(t, "card-fact-hint")} }
                    input {
                        id: "fact-text",
                        "data-testid": "fact-text",
                        r#type: "text",
                        value: "{text}",
                        autocomplete: "off",
                        "aria-describedby": "fact-text-hint",
                        oninput: move |event| text.set(event.value()),
                    }
                    Complaint { text: too_long.then(|| tr!(t, "card-fact-too-long")) }
                }
                div {
                    Button { label: tr!(t, "card-fact-add"), weight: Weight::Second, icon: Icon::Plus, testid: "fact-add", submits: true, disabled: too_long, onclick: |()| {} }
                }
            }
        }
    }
}

#[component]
fn ChooseSections(summary: Vec<(SummarySection, u64)>, without: Signal<BTreeSet<SummarySection>>) -> Element {
    let t = use_translator();
    let mut without = without;
    rsx! {
        fieldset { class: "ticks",
            legend { class: "visually-hidden", {tr!(t, "card-summary")} }
            for (section, entries) in summary {
                Tick {
                    key: "{words::section(&section)}",
                    testid: words::section(&section),
                    label: t.text(words::section(&section), &[]),
                    more: tr!(t, "card-entries", n = entries),
                    ticked: !without.read().contains(&section),
                    onchange: move |included| {
                        if included {
                            without.write().remove(&section);
                        } else {
                            without.write().insert(section);
                        }
                    },
                }
            }
        }
    }
}
