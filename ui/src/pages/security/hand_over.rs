//! On the old device: the wallet handed over to a new one, by codes that only these two can use.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::code_form::CodeForm;
use crate::components::copied::Copied;
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::pages::patient::card::QrCode;
use crate::route::Route;
use amulet_app_api::recovery::{HandOver as Call, HandedOverView, ReadMoveCode};
use dioxus::prelude::*;

#[derive(Clone, PartialEq)]
enum Step {
    Scan,
    Compare { code: String, check: String },
    Show(HandedOverView),
}

/// The page.
#[component]
pub fn HandOver() -> Element {
    let t = use_translator();
    let mut step = use_signal(|| Step::Scan);
    let action = use_action();
    let read = move |code: String| {
        action.call(ReadMoveCode { code: code.clone() }, move |view| {
            step.set(Step::Compare { code, check: view.check });
        });
    };
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "move-title"), lead: tr!(t, "move-lead"), back: Route::Security {} }
            match step() {
                Step::Scan => rsx! {
                    ol { class: "points",
                        for key in ["move-step-new", "move-step-scan", "move-step-back"] {
                            li { key: "{key}", {t.text(key, &[])} }
                        }
                    }
                    if let Some(error) = action.error.read().clone() {
                        ErrorNotice { error }
                    }
                    CodeForm { action, testid: "move-code", oncode: read }
                },
                Step::Compare { code, check } => rsx! {
                    Compare { code, check, onshow: move |view| step.set(Step::Show(view)), onback: move |()| step.set(Step::Scan) }
                },
                Step::Show(view) => rsx! { Shown { view } },
            }
        }
    }
}

/// The digits, and the passphrase.
#[component]
fn Compare(
    code: String,
    check: String,
    onshow: EventHandler<HandedOverView>,
    onback: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let action = use_action();
    let passphrase = use_signal(String::new);
    let mut missing = use_signal(|| false);
    rsx! {
        div { class: "card-box stack tight center",
            p { {tr!(t, "move-compare")} }
            p { class: "digits", "data-testid": "move-check", translate: "no", {check} }
        }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                missing.set(passphrase.peek().is_empty());
                if !missing() {
                    let call = Call { code: code.clone(), passphrase: passphrase.peek().clone() };
                    action.call(call, move |view| onshow.call(view));
                }
            },
            PassphraseField {
                id: "passphrase",
                label: tr!(t, "passphrase"),
                value: passphrase,
                autocomplete: "current-password",
                complaint: missing().then(|| tr!(t, "passphrase-missing")),
                oninput: move |_| action.clear_error(),
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "task-unlocking") }
            ActionBar {
                Button { label: tr!(t, "move-same"), weight: Weight::Main, testid: "move-hand-over", submits: true, busy: action.is_running(), onclick: |()| {} }
                Button { label: tr!(t, "move-differs"), weight: Weight::Second, testid: "move-differs", onclick: onback }
            }
        }
    }
}

/// The wallet for the new device to scan, and what is left to do here.
#[component]
fn Shown(view: HandedOverView) -> Element {
    let t = use_translator();
    let app = use_app();
    let id = app.session.read().as_ref().map(|session| session.wallet.id.clone()).unwrap_or_default();
    rsx! {
        p { {tr!(t, "move-show")} }
        div { class: "card-box stack center",
            QrCode { svg: view.qr_svg, label: tr!(t, "move-qr") }
        }
        Copied { id: "moved-code", copy_testid: "moved-copy", label: tr!(t, "move-text"), text: view.qr_text }
        p { {tr!(t, "move-then")} }
        Link { class: "line boxed", to: Route::Erase { id }, "data-testid": "move-erase",
            Glyph { icon: Icon::Cross }
            span { class: "grow",
                span { class: "strong block", {tr!(t, "erase-title")} }
                span { class: "soft small block", {tr!(t, "move-erase")} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
