//! Erasing a wallet from this device: asked twice, because only the recovery words bring it back.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::field::TextField;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::wallet::RemoveWallet;
use dioxus::prelude::*;

/// The page, for a wallet of this device, open or not.
#[component]
pub fn Erase(id: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let action = use_action();
    let typed = use_signal(String::new);
    let mut differs = use_signal(|| false);
    let mut asking = use_signal(|| false);
    let wallets = app.status.read().as_ref().map(|status| status.wallets.clone()).unwrap_or_default();
    let listed = wallets.iter().find(|wallet| wallet.id == id).map(|wallet| wallet.name.clone());
    let session = app.session.read().clone();
    let open = session.as_ref().filter(|session| session.wallet.id == id);
    let name = listed.or_else(|| open.map(|session| session.wallet.name.clone())).unwrap_or_default();
    let back = if open.is_some() { Route::Security {} } else { Route::Unlock { id: id.clone() } };
    let wanted = name.clone();
    let ask = move || {
        let is_name = typed.peek().trim() == wanted;
        differs.set(!is_name);
        asking.set(is_name);
    };
    let mut ask_form = ask;
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "erase-title"), lead: name.clone(), back }
            div { class: "notice danger",
                Glyph { icon: Icon::Warning, size: 24 }
                p { {tr!(t, "erase-lost")} }
            }
            ul { class: "points",
                li { {tr!(t, "erase-stays")} }
                li { {tr!(t, "erase-words")} }
                li { {tr!(t, "erase-others")} }
            }
            form {
                class: "stack",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    ask_form();
                },
                TextField {
                    id: "erase-name",
                    label: tr!(t, "erase-type", name = name.clone()),
                    value: typed,
                    plain: true,
                    complaint: differs().then(|| tr!(t, "erase-differs", name = name.clone())),
                }
                ActionBar {
                    Button { label: tr!(t, "erase-confirm"), weight: Weight::Danger, testid: "erase-go", submits: true, onclick: |()| {} }
                }
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
                            app.close();
                            navigator.replace(Route::Welcome {});
                        });
                    },
                }
            }
        }
    }
}
