//! The code by which clinicians and hospitals find this person.

use super::card::QrCode;
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::hooks::use_load_once;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::MyCode;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Code() -> Element {
    let t = use_translator();
    let load = use_load_once(MyCode {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "code-title"), lead: tr!(t, "code-lead"), back: Route::Home {} }
            {show(load, |code| rsx! {
                div { class: "card-box stack center",
                    QrCode { svg: code.qr_svg.clone(), label: tr!(t, "code-qr-label") }
                    p { class: "mono", "data-testid": "my-code-text", translate: "no", {code.text.clone()} }
                }
                p { class: "soft small", {tr!(t, "code-safe")} }
            })}
        }
    }
}
