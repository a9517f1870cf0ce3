//! This device's checkpoint, for another device: ten words to read out, a code to scan or copy.

use crate::app::use_app;
use crate::components::actions::Weight;
use crate::components::copied::Copied;
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::use_load_once;
use crate::i18n::{tr, use_translator};
use crate::pages::patient::card::QrCode;
use crate::route::Route;
use amulet_app_api::checkpoints::{CheckpointView, ShowCheckpoint};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

const TEXT_ID: &str = "checkpoint-code";

/// The page. It asks once: the words must not change while somebody reads them out.
#[component]
pub fn CheckpointShow() -> Element {
    let app = use_app();
    let t = use_translator();
    let load = use_load_once(ShowCheckpoint {});
    let back = if app.session.read().is_some() { Route::CheckingPage {} } else { Route::Welcome {} };
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "checkpoint-title"), lead: tr!(t, "checkpoint-lead"), back }
            {show(load, |view| rsx! { Shown { view: view.clone() } })}
            details { class: "technical",
                summary { {tr!(t, "checkpoint-what")} }
                div { class: "stack tight",
                    p { {tr!(t, "checkpoint-what-text")} }
                    Link { class: "strong", to: Route::CheckpointStart {}, "data-testid": "checkpoint-start-link", {tr!(t, "checkpoint-start-link")} }
                }
            }
            ActionBar {
                Link { class: Weight::Main.class(), to: Route::CheckpointCompare {}, "data-testid": "checkpoint-compare", {tr!(t, "checkpoint-compare")} }
            }
        }
    }
}

#[component]
fn Shown(view: CheckpointView) -> Element {
    let t = use_translator();
    let words = match t.language() {
        Language::En => &view.words_en,
        Language::Zh => &view.words_zh,
    };
    rsx! {
        section { class: "stack tight",
            h2 { {tr!(t, "checkpoint-here")} }
            p { {tr!(t, "checkpoint-entry", height = view.height.to_string(), time = t.date_time(view.at))} }
            p {
                span { class: "soft", {tr!(t, "checkpoint-number")} ": " }
                span { class: "strong", "data-testid": "checkpoint-height", "{view.height}" }
            }
            ol { class: "words", "data-testid": "checkpoint-shown", translate: "no",
                for (index, word) in words.iter().enumerate() {
                    li { key: "{index}",
                        span { class: "number", "aria-hidden": "true", "{index + 1}" }
                        span { class: "word", {word.clone()} }
                    }
                }
            }
            if let Some(height) = view.started_from {
                p { class: "soft small", "data-testid": "checkpoint-started-from", {tr!(t, "checkpoint-started-from", height = height.to_string())} }
            }
        }
        section { class: "stack tight",
            h2 { {tr!(t, "checkpoint-code")} }
            div { class: "card-box stack center",
                QrCode { svg: view.qr_svg.clone(), label: tr!(t, "checkpoint-qr-label") }
            }
            Copied { id: TEXT_ID, copy_testid: "checkpoint-copy", label: tr!(t, "checkpoint-text"), text: view.text.clone() }
        }
    }
}
