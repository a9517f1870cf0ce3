//! Opening a wallet with its passphrase.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{Action, use_action, use_now};
use crate::i18n::{tr, use_translator, words};
use crate::platform;
use crate::route::Route;
use amulet_app_api::ErrorCode;
use amulet_app_api::wallet::{TimeMs, Unlock as UnlockCall};
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
            navigator.replace(app.next_page());
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
    let waiting = use_waiting(action);
    let now = use_now(1_000);
    let left = waiting().map_or(0, |until| until.saturating_sub(now()));
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
                TriesWait { waiting, left }
                ActionProgress { action, waiting: tr!(t, "task-unlocking") }
                ActionBar {
                    Button { label: tr!(t, "unlock"), weight: Weight::Main, testid: "unlock", submits: true, disabled: left > 0, busy: action.is_running(), onclick: |()| {} }
                }
            }
            div {
                Link { class: "ghost danger-text", to: Route::Erase { id }, "data-testid": "remove-wallet", {tr!(t, "remove-wallet")} }
            }
        }
    }
}

/// Until when the passphrase may not be tried, after the wallet said so.
fn use_waiting(action: Action) -> Signal<Option<TimeMs>> {
    let mut until = use_signal(|| None);
    use_effect(move || {
        let error = action.error.read().clone().filter(|error| error.code == ErrorCode::TooManyTries);
        let wait = error.and_then(|error| error.details.get("wait_ms")?.parse::<u64>().ok());
        if let Some(wait) = wait {
            until.set(Some(platform::now().saturating_add(wait)));
        }
    });
    until
}

/// The time left, counted down for the eye.
#[component]
fn TriesWait(waiting: Signal<Option<TimeMs>>, left: u64) -> Element {
    let t = use_translator();
    if waiting().is_none() || left == 0 {
        return rsx! {};
    }
    let seconds = left.div_ceil(1_000);
    let clock = format!("{}:{:02}", seconds / 60, seconds % 60);
    rsx! {
        // The notice above has said how long; a voice that counts every second says nothing else.
        p { class: "strong tabular", "aria-hidden": "true", "data-testid": "tries-wait", {tr!(t, "tries-left", time = clock)} }
    }
}
