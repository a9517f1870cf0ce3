//! On a new device: the wallet taken over from the old one.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::code_form::CodeForm;
use crate::components::copied::Copied;
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{use_action, use_leaving_when_open, use_load_once};
use crate::i18n::{tr, use_translator};
use crate::pages::patient::card::QrCode;
use crate::route::Route;
use amulet_app_api::recovery::{BeginMove, FinishMove, MoveCodeView};
use dioxus::prelude::*;

#[derive(Clone, PartialEq)]
enum Step {
    Show,
    Scan,
    Open { code: String },
}

/// The page.
#[component]
pub fn RestoreDevice() -> Element {
    let t = use_translator();
    let mut step = use_signal(|| Step::Show);
    // Asked once: a second code would make the first worthless.
    let load = use_load_once(BeginMove {});
    let scan = use_action();
    use_leaving_when_open();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "restore-device-title"), lead: tr!(t, "restore-device-lead"), back: Route::Restore {} }
            match step() {
                Step::Show => rsx! {
                    {show(load, |view| rsx! { Shown { view: view.clone() } })}
                    ActionBar {
                        Button { label: tr!(t, "move-scan-back"), weight: Weight::Main, testid: "move-scan-back", disabled: load.state.read().value().is_none(), onclick: move |()| step.set(Step::Scan) }
                    }
                },
                Step::Scan => rsx! {
                    p { {tr!(t, "move-scan-lead")} }
                    CodeForm { action: scan, testid: "moved-code", oncode: move |code| step.set(Step::Open { code }) }
                    Again { onback: move |()| step.set(Step::Show) }
                },
                Step::Open { code } => rsx! {
                    Open { code }
                    Again { onback: move |()| step.set(Step::Scan) }
                },
            }
        }
    }
}

#[component]
fn Again(onback: EventHandler<()>) -> Element {
    let t = use_translator();
    rsx! {
        div {
            button { class: "ghost back", r#type: "button", "data-testid": "step-back", onclick: move |_| onback.call(()),
                Glyph { icon: Icon::Back }
                {tr!(t, "move-again")}
            }
        }
    }
}

#[component]
fn Shown(view: MoveCodeView) -> Element {
    let t = use_translator();
    rsx! {
        ol { class: "points",
            for key in ["move-new-open", "move-new-scan", "move-new-digits"] {
                li { key: "{key}", {t.text(key, &[])} }
            }
        }
        div { class: "card-box stack center",
            p { class: "digits", "data-testid": "move-check", translate: "no", {view.check} }
            QrCode { svg: view.qr_svg, label: tr!(t, "move-new-qr") }
        }
        p { class: "soft small", {tr!(t, "move-until", time = t.date_time(view.until))} }
        Copied { id: "move-shown", copy_testid: "move-copy", label: tr!(t, "move-text"), text: view.qr_text }
    }
}

#[component]
fn Open(code: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let passphrase = use_signal(String::new);
    let mut missing = use_signal(|| false);
    rsx! {
        p { {tr!(t, "move-open-lead")} }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                missing.set(passphrase.peek().is_empty());
                if !missing() {
                    let call = FinishMove { code: code.clone(), passphrase: passphrase.peek().clone() };
                    action.call(call, move |session| app.open(session));
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
                Button { label: tr!(t, "move-take"), weight: Weight::Main, testid: "move-take", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}
