//! Opening a wallet with its passphrase.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::wallet::{RemoveWallet, Unlock as UnlockCall};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Unlock(id: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let passphrase = use_signal(String::new);
    use_effect(move || {
        if app.session.read().is_some() {
            navigator.replace(app.first_page());
        }
    });
    let wallet = app
        .status
        .read()
        .as_ref()
        .and_then(|status| status.wallets.iter().find(|wallet| wallet.id == id).cloned());
    let name = wallet.as_ref().map(|wallet| wallet.name.clone()).unwrap_or_default();
    let role = wallet.as_ref().map(|wallet| t.text(words::role(&wallet.role), &[]));
    let unlock = use_callback({
        let id = id.clone();
        move |()| {
            let request = UnlockCall { id: id.clone(), passphrase: passphrase.peek().clone() };
            action.call(request, move |session| app.open(session));
        }
    });
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "unlock-title", name = name.clone()), lead: role, back: Route::Welcome {} }
            form {
                class: "stack",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    unlock.call(());
                },
                PassphraseField {
                    id: "passphrase",
                    label: tr!(t, "passphrase"),
                    value: passphrase,
                    autocomplete: "current-password",
                    oninput: move |_| action.clear_error(),
                }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error, onretry: unlock }
                }
                ActionProgress { action, waiting: tr!(t, "task-unlocking") }
                ActionBar {
                    Button { label: tr!(t, "unlock"), weight: Weight::Main, testid: "unlock", submits: true, busy: action.is_running(), onclick: |()| {} }
                }
            }
            Remove { id, name }
        }
    }
}

/// Removing the wallet from this device.
#[component]
fn Remove(id: String, name: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    rsx! {
        div {
            button { class: "ghost danger-text", r#type: "button", "data-testid": "remove-wallet", onclick: move |_| asking.set(true), {tr!(t, "remove-wallet")} }
        }
        if asking() {
            Confirm {
                id: "confirm-remove",
                title: tr!(t, "remove-title", name = name.clone()),
                text: tr!(t, "remove-text"),
                confirm: tr!(t, "remove-confirm"),
                keep: tr!(t, "keep-it"),
                action,
                oncancel: move |()| asking.set(false),
                onconfirm: move |()| {
                    action.call(RemoveWallet { id: id.clone() }, move |()| {
                        app.refresh_later();
                        navigator.replace(Route::Welcome {});
                    });
                },
            }
        }
    }
}
