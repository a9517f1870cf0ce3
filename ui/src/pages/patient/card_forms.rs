//! The card in other forms: a picture for the lock screen, and text for the phone's own emergency page.

use crate::components::actions::{Button, Weight};
use crate::components::copied::Copied;
use crate::components::error::ErrorNotice;
use crate::components::icon::Icon;
use crate::hooks::use_action;
use crate::i18n::{Arg, Translator, lookup, tr, use_translator, words};
use crate::pages::save_file::SavedFile;
use crate::wallpaper::{self, FACTS_MAX, Wallpaper as Picture};
use amulet_app_api::card::{CardFact, CardView, FactKind, SaveCardPicture};
use amulet_app_api::files::SavedFileView;
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

const TEXT_ID: &str = "card-text";

/// Both forms, folded away.
#[component]
pub fn OtherForms(card: CardView) -> Element {
    let t = use_translator();
    rsx! {
        details { class: "technical", "data-testid": "card-forms",
            summary { {tr!(t, "card-forms")} }
            div { class: "stack",
                p { {tr!(t, "card-forms-text")} }
                Wallpaper { card: card.clone() }
                Copied { id: TEXT_ID, copy_testid: "card-text-copy", label: tr!(t, "card-as-text"), text: as_text(t, &card) }
            }
        }
    }
}

/// A fact with what it is, in the language of the page.
fn fact(t: Translator, fact: &CardFact) -> String {
    tr!(t, "card-fact", kind = t.text(words::fact_kind(&fact.kind), &[]), text = fact.text.clone())
}

/// The facts without the name, which stands above them.
fn facts(t: Translator, card: &CardView) -> Vec<String> {
    let others = card.facts.iter().filter(|fact| fact.kind != FactKind::Name);
    others.map(|one| fact(t, one)).collect()
}

/// The card as lines of text: what it says, and how a registered doctor opens the rest, in both languages.
fn as_text(t: Translator, card: &CardView) -> String {
    let mut lines = vec![banner(), card.name.clone()];
    lines.extend(facts(t, card));
    lines.push(card.typed_code.clone());
    for language in [Language::Zh, Language::En] {
        lines.push(lookup(language, "card-text-how", None, &[("hours", Arg::from(card.access_hours))]));
    }
    lines.join("\n")
}

/// "急救 Emergency": whoever finds the phone may read only one of them.
fn banner() -> String {
    [Language::Zh, Language::En].map(|language| lookup(language, "card-banner", None, &[])).join("  ")
}

#[component]
fn Wallpaper(card: CardView) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedFileView>);
    let mut impossible = use_signal(|| false);
    let save = use_callback(move |()| {
        let card = card.clone();
        saved.set(None);
        spawn(async move {
            let mut facts = facts(t, &card);
            facts.truncate(FACTS_MAX);
            let picture = Picture {
                banner: banner(),
                name: &card.name,
                facts,
                code_svg: &card.far_svg,
                typed_code: &card.typed_code,
            };
            match wallpaper::draw(&picture).await {
                Some(png) => action.call(SaveCardPicture { png }, move |file| saved.set(Some(file))),
                None => impossible.set(true),
            }
        });
    });
    rsx! {
        div { class: "stack tight",
            p { {tr!(t, "card-wallpaper-text")} }
            if impossible() {
                p { class: "strong", role: "alert", {tr!(t, "card-wallpaper-impossible")} }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            SavedFile { saved: saved() }
            div {
                Button { label: tr!(t, "card-wallpaper"), weight: Weight::Second, icon: Icon::Picture, testid: "card-wallpaper", busy: action.is_running(), onclick: move |()| save.call(()) }
            }
        }
    }
}
