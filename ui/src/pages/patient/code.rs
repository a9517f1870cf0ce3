//! The codes by which clinicians and hospitals find this person.

use super::card::QrCode;
use crate::components::field::Choice;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::hooks::use_load_once;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::{MyCodeView, MyCodes};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Code() -> Element {
    let t = use_translator();
    let load = use_load_once(MyCodes {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "code-title"), lead: tr!(t, "code-lead"), back: Route::Home {} }
            {show(load, |view| rsx! { Codes { codes: view.codes.clone() } })}
        }
    }
}

/// One code, and with several hospitals the choice of which.
#[component]
fn Codes(codes: Vec<MyCodeView>) -> Element {
    let t = use_translator();
    let mut chosen = use_signal(|| 0_usize);
    let Some(code) = codes.get(chosen()).cloned() else { return rsx! {} };
    let several = codes.len() > 1;
    rsx! {
        if several {
            fieldset { class: "stack tight",
                legend { class: "legend", {tr!(t, "code-for")} }
                for (place, one) in codes.iter().enumerate() {
                    Choice { key: "{one.text}", name: "code-for", testid: "code-for-{place + 1}", label: t.hospital(&one.hospital), chosen: chosen() == place, onchoose: move |()| chosen.set(place) }
                }
            }
        }
        div { class: "card-box stack center",
            QrCode { svg: code.qr_svg.clone(), label: tr!(t, "code-qr-label") }
            p { class: "mono", "data-testid": "my-code-text", translate: "no", {code.text.clone()} }
        }
        p { class: "soft small", {tr!(t, "code-safe")} }
        if several {
            p { class: "soft small", {tr!(t, "code-not-joined")} }
        }
        Link { class: "line boxed", to: Route::Hospitals {}, "data-testid": "to-hospitals",
            Glyph { icon: Icon::Plus }
            span { class: "grow strong", {tr!(t, "hospitals-add")} }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
