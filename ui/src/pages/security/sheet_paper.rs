//! The sheets to hand out: one on the screen at a time, each on a page of its own on paper.

use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::ActionBar;
use crate::i18n::{tr, use_translator};
use crate::pages::patient::card::QrCode;
use crate::platform;
use amulet_app_api::recovery::{SheetView, SheetsView};
use dioxus::prelude::*;

/// All sheets, one after the other.
#[component]
pub fn SheetPapers(sheets: SheetsView, ondone: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut at = use_signal(|| 0_usize);
    let total = sheets.sheets.len();
    let is_last = at() + 1 >= total;
    let (owner, threshold) = (sheets.owner.clone(), sheets.threshold);
    rsx! {
        div { class: "notice wait no-print",
            Glyph { icon: Icon::Warning, size: 24 }
            p { {tr!(t, "sheets-once")} }
        }
        p { class: "faint no-print", role: "status", {tr!(t, "sheet-of", n = at() + 1, total = total)} }
        for (index, sheet) in sheets.sheets.into_iter().enumerate() {
            div { key: "{sheet.number}", class: if index == at() { "sheet-paper" } else { "sheet-paper print-only" },
                Paper { sheet, owner: owner.clone(), threshold, total }
            }
        }
        p { class: "soft small no-print", {tr!(t, "sheets-photo")} }
        ActionBar {
            if is_last {
                Button { label: tr!(t, "sheets-handed-out"), weight: Weight::Main, testid: "sheets-done", onclick: ondone }
            } else {
                Button { label: tr!(t, "sheets-next"), weight: Weight::Main, testid: "sheets-next", onclick: move |()| at += 1 }
            }
            Button { label: tr!(t, "sheets-print"), weight: Weight::Second, icon: Icon::Print, testid: "sheets-print", onclick: |()| platform::print() }
        }
    }
}

/// One sheet: what it is, the code, the words with their numbers.
#[component]
fn Paper(sheet: SheetView, owner: String, threshold: u8, total: usize) -> Element {
    let t = use_translator();
    rsx! {
        section { class: "card-box stack tight", "data-testid": "sheet-{sheet.number}",
            h2 { {tr!(t, "sheet-title", owner = owner.clone())} }
            p { class: "strong", {tr!(t, "sheet-for", name = sheet.name.clone(), n = sheet.number, total = total)} }
            p { {tr!(t, "sheet-what", n = threshold, total = total, owner = owner)} }
            QrCode { svg: sheet.qr_svg.clone(), label: tr!(t, "sheet-qr") }
            ol { class: "words sheet-words", "data-testid": "sheet-words-{sheet.number}", translate: "no",
                for (index, (word, number)) in sheet.words.iter().zip(&sheet.numbers).enumerate() {
                    li { key: "{index}",
                        span { class: "number", "aria-hidden": "true", "{index + 1}" }
                        span { class: "word", {word.clone()} }
                        span { class: "soft small", "{number}" }
                    }
                }
            }
            p { class: "small", {tr!(t, "sheet-numbers")} }
            p { class: "small", {tr!(t, "sheet-keep")} }
        }
    }
}
