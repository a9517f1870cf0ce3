//! The card on paper, wallet size, in both languages: who finds it may read only one of them.

use super::card::QrCode;
use crate::components::actions::{Button, Weight};
use crate::components::field::Tick;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, Empty, PageHead};
use crate::hooks::use_load;
use crate::i18n::{Arg, lookup, tag, tr, use_translator, words};
use crate::platform;
use crate::route::Route;
use amulet_app_api::card::{Card as CardCall, CardFact, CardView, FactKind};
use amulet_app_api::links::{HealthLinkView, HealthLinks};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn CardPrint() -> Element {
    let t = use_translator();
    let load = use_load(CardCall {});
    rsx! {
        div { class: "page print-page",
            PageHead { title: tr!(t, "print-title"), lead: tr!(t, "print-lead"), back: Route::Card {} }
            {show(load, |view| match view.clone() {
                Some(card) => rsx! {
                    Sides { card }
                    p { class: "soft small no-print", {tr!(t, "print-pdf")} }
                    ActionBar {
                        Button { label: tr!(t, "print-now"), weight: Weight::Main, icon: Icon::Print, testid: "print-now", onclick: |()| platform::print() }
                    }
                },
                None => rsx! { Empty { icon: Icon::Card, title: tr!(t, "card-none-title"), text: tr!(t, "card-none-text") } },
            })}
        }
    }
}

/// The card, and if the person wants it a third side for helpers without Amulet.
#[component]
fn Sides(card: CardView) -> Element {
    let t = use_translator();
    let links = use_load(HealthLinks {});
    let mut chosen = use_signal(|| None::<String>);
    let all = links.state.read().value().map(|view| view.links.clone()).unwrap_or_default();
    // Only with a passcode: a card lies about.
    let guarded: Vec<HealthLinkView> =
        all.into_iter().filter(|link| link.code.is_some() && link.attempts_left.is_some()).collect();
    let third = guarded.iter().find(|link| Some(&link.id) == chosen.read().as_ref()).cloned();
    rsx! {
        fieldset { class: "stack tight no-print",
            legend { class: "legend", {tr!(t, "print-helpers")} }
            p { class: "hint", {tr!(t, "print-helpers-hint")} }
            for link in guarded {
                Tick {
                    key: "{link.id}",
                    testid: "print-link",
                    label: tr!(t, "print-with-link", name = link.label.clone(), until = t.day(link.ends)),
                    ticked: chosen.read().as_ref() == Some(&link.id),
                    onchange: move |wanted: bool| chosen.set(wanted.then(|| link.id.clone())),
                }
            }
            Link { class: Weight::Second.class(), to: Route::Abroad {}, "data-testid": "print-make-link", {tr!(t, "print-make-link")} }
        }
        Paper { card, third }
    }
}

/// The sides of the paper card, to be folded along the line.
#[component]
fn Paper(card: CardView, third: Option<HealthLinkView>) -> Element {
    // The name stands above the facts; there is no room to say it twice.
    let is_headline = |fact: &CardFact| fact.kind == FactKind::Name && fact.text == card.name;
    let facts: Vec<CardFact> = card.facts.iter().filter(|fact| !is_headline(fact)).cloned().collect();
    rsx! {
        div { class: "paper", "data-testid": "paper",
            div { class: "paper-side",
                p { class: "paper-banner",
                    Glyph { icon: Icon::Emergency, size: 18 }
                    Both { message: "card-banner" }
                }
                // Read from farther than the other code, and enough where there is a network.
                div { class: "paper-far",
                    QrCode { svg: card.far_svg.clone(), label: lookup(Language::En, "card-far-label", None, &[]) }
                }
                p { class: "paper-name", {card.name.clone()} }
                dl { class: "paper-facts",
                    for (index, fact) in facts.iter().enumerate() {
                        dt { key: "kind-{index}", Both { message: words::fact_kind(&fact.kind) } }
                        dd { {fact.text.clone()} }
                    }
                }
            }
            div { class: "paper-side paper-code",
                QrCode { svg: card.qr_svg.clone(), label: lookup(Language::En, "card-qr-label", None, &[]) }
                div { class: "paper-how",
                    for language in [Language::Zh, Language::En] {
                        p { key: "{tag(language)}", lang: tag(language),
                            {lookup(language, "print-how", None, &[("hours", Arg::from(card.access_hours))])}
                        }
                    }
                    p { class: "mono code-groups", {card.typed_code.clone()} }
                }
            }
            if let Some(code) = third.and_then(|link| link.code) {
                div { class: "paper-side paper-code", "data-testid": "paper-link",
                    QrCode { svg: code.qr_svg, label: lookup(Language::En, "abroad-qr-label", None, &[]) }
                    div { class: "paper-how",
                        for language in [Language::Zh, Language::En] {
                            p { key: "{tag(language)}", lang: tag(language), {lookup(language, "print-link-how", None, &[])} }
                        }
                    }
                }
            }
        }
    }
}

/// A text in both languages.
#[component]
fn Both(message: String) -> Element {
    rsx! {
        span { lang: tag(Language::Zh), {lookup(Language::Zh, &message, None, &[])} }
        " "
        span { lang: tag(Language::En), {lookup(Language::En, &message, None, &[])} }
    }
}
