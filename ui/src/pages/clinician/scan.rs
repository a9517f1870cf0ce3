//! Reading an emergency card: camera, picture, or typed code.

use crate::app::{ScannedCard, use_app};
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::TextField;
use crate::components::page::PageHead;
use crate::components::progress::ActionProgress;
use crate::components::scanner::Scanner;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use crate::scan::CodeKind;
use amulet_app_api::clinician::ReadCard;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Scan() -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let typed = use_signal(String::new);
    let read = use_callback(move |code: String| {
        if CodeKind::of(&code) == CodeKind::Person {
            // A patient's own code asks for ordinary access, not for an emergency.
            let mut patient = app.patient_code;
            patient.set(code.trim().to_owned());
            navigator.push(Route::Ask {});
            return;
        }
        let mut scanned = app.scanned;
        action.call(ReadCard { code: code.clone() }, move |preview| {
            scanned.set(Some(ScannedCard { code, preview }));
            navigator.push(Route::Declare {});
        });
    });
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "scan-title"), lead: tr!(t, "scan-lead") }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "scan-reading") }
            Scanner { paused: action.is_running(), oncode: read, onpicture: move |()| action.clear_error() }
            form {
                class: "stack tight",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    let code = typed.peek().trim().to_owned();
                    if !code.is_empty() {
                        read.call(code);
                    }
                },
                TextField {
                    id: "typed-code",
                    label: tr!(t, "scan-typed"),
                    hint: tr!(t, "scan-typed-hint"),
                    value: typed,
                    plain: true,
                    oninput: move |_| action.clear_error(),
                }
                div {
                    Button { label: tr!(t, "scan-typed-read"), weight: Weight::Main, testid: "read-code", submits: true, busy: action.is_running(), onclick: |()| {} }
                }
            }
        }
    }
}
