//! The emergency card in force.

use super::card_forms::OtherForms;
use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, Empty, PageHead};
use crate::hooks::{use_action, use_load};
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::card::{Card as CardCall, CardFact, CardView, RevokeCard};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Card() -> Element {
    let t = use_translator();
    let load = use_load(CardCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "card-title") }
            {show(load, |view| match view.clone() {
                Some(card) => rsx! { InForce { card, onchange: load.reload } },
                None => rsx! { NoCard {} },
            })}
        }
    }
}

#[component]
fn NoCard() -> Element {
    let t = use_translator();
    rsx! {
        Empty { icon: Icon::Emergency, title: tr!(t, "card-none-title"), text: tr!(t, "card-none-text") }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::CardMake {}, "data-testid": "make-card", {tr!(t, "card-make")} }
        }
    }
}

#[component]
fn InForce(card: CardView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "emergency-card", "data-testid": "card",
            div { class: "emergency-card-head",
                Glyph { icon: Icon::Emergency, size: 24 }
                span { {tr!(t, "card-banner")} }
            }
            p { class: "emergency-card-name", {card.name.clone()} }
            QrCode { svg: card.qr_svg.clone(), label: tr!(t, "card-qr-label") }
            p { class: "small center", {tr!(t, "card-scan-hint", hours = card.access_hours)} }
            FactList { facts: card.facts.clone() }
            div { class: "typed-code",
                p { class: "faint", {tr!(t, "card-typed-code")} }
                p { class: "mono code-groups", "data-testid": "typed-code", translate: "no", {card.typed_code.clone()} }
            }
        }
        p { class: "faint", {tr!(t, "card-made-at", date = t.date_time(card.made_at))} }
        OtherForms { card: card.clone() }
        RevokeOrReplace { onchange }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::CardPrint {}, "data-testid": "print-card",
                Glyph { icon: Icon::Print }
                {tr!(t, "card-print")}
            }
        }
    }
}

/// A QR code made by the wallet of this device.
#[component]
pub fn QrCode(svg: String, label: String) -> Element {
    rsx! {
        // The markup comes from our own wallet, never from a card or a server.
        div { class: "qr", role: "img", "aria-label": label, "data-testid": "qr", dangerous_inner_html: svg }
    }
}

/// The facts that anyone who scans the card may read.
#[component]
pub fn FactList(facts: Vec<CardFact>) -> Element {
    let t = use_translator();
    rsx! {
        dl { class: "facts", "data-testid": "card-facts",
            for (index, fact) in facts.iter().enumerate() {
                dt { key: "kind-{index}", {t.text(words::fact_kind(&fact.kind), &[])} }
                dd { class: "strong", {fact.text.clone()} }
            }
        }
    }
}

#[component]
fn RevokeOrReplace(onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    rsx! {
        div { class: "row wrap",
            Link { class: Weight::Second.class(), to: Route::CardMake {}, "data-testid": "replace-card", {tr!(t, "card-replace")} }
            Button { label: tr!(t, "card-revoke"), weight: Weight::Danger, testid: "revoke-card", onclick: move |()| asking.set(true) }
        }
        if asking() {
            Confirm {
                id: "confirm-revoke-card",
                title: tr!(t, "card-revoke-title"),
                text: tr!(t, "card-revoke-text"),
                confirm: tr!(t, "card-revoke"),
                keep: tr!(t, "keep-it"),
                action,
                oncancel: move |()| asking.set(false),
                onconfirm: move |()| {
                    action.call(RevokeCard {}, move |()| {
                        asking.set(false);
                        onchange.call(());
                    });
                },
            }
        }
    }
}
