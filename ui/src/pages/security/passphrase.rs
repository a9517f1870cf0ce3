//! Changing the passphrase of the open wallet.

use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::PageHead;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::pages::start::owner::ChoosePassphrase;
use crate::route::Route;
use amulet_app_api::security::ChangePassphrase as ChangeCall;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn ChangePassphrase() -> Element {
    let t = use_translator();
    let action = use_action();
    let old = use_signal(String::new);
    let mut changed = use_signal(|| false);
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "passphrase-change-title"), lead: tr!(t, "passphrase-change-lead"), back: Route::Security {} }
            if changed() {
                div { class: "notice good", role: "status", "data-testid": "passphrase-changed",
                    Glyph { icon: Icon::Check, size: 24 }
                    div { class: "grow",
                        p { class: "strong", {tr!(t, "passphrase-changed")} }
                        p { class: "small", {tr!(t, "passphrase-changed-next")} }
                    }
                }
            } else {
                PassphraseField {
                    id: "passphrase-old",
                    label: tr!(t, "passphrase-now"),
                    value: old,
                    autocomplete: "current-password",
                    oninput: move |_| action.clear_error(),
                }
                ChoosePassphrase {
                    action,
                    label: tr!(t, "passphrase-new"),
                    submit_label: tr!(t, "passphrase-change"),
                    onsubmit: move |new: String| {
                        let call = ChangeCall { passphrase: old.peek().clone(), new };
                        action.call(call, move |()| changed.set(true));
                    },
                }
            }
        }
    }
}
