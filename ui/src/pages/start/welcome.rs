//! The first page: who is here, and the ways in.

use crate::app::use_app;
use crate::components::actions::Weight;
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::{use_action, use_leaving_when_open};
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::wallet::{AddDemoPerson, DemoPersonView, Language, WalletEntry};
use dioxus::prelude::*;

/// The welcome page.
#[component]
pub fn Welcome() -> Element {
    let app = use_app();
    let t = use_translator();
    use_leaving_when_open();
    let Some(status) = app.status.read().clone() else { return rsx! {} };
    let known = |person: &DemoPersonView| {
        status.wallets.iter().any(|wallet| wallet.name == person.name && wallet.role == person.role)
    };
    let people: Vec<DemoPersonView> =
        status.demo_people.iter().filter(|person| !known(person)).cloned().collect();
    let fresh = status.wallets.is_empty();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "welcome-title"), lead: tr!(t, "welcome-lead") }
            if !fresh {
                section { class: "stack tight", "aria-labelledby": "on-device",
                    h2 { id: "on-device", {tr!(t, "welcome-on-device")} }
                    ul { class: "list",
                        for wallet in status.wallets.clone() {
                            li { key: "{wallet.id}", WalletLine { wallet } }
                        }
                    }
                }
            }
            if !people.is_empty() {
                DemoPeople { people }
            }
            ul { class: "promises",
                for key in ["welcome-promise-keys", "welcome-promise-decide", "welcome-promise-log"] {
                    li { key: "{key}", Glyph { icon: Icon::Check } span { {t.text(key, &[])} } }
                }
            }
            ActionBar {
                Link { class: if fresh { Weight::Main.class() } else { Weight::Second.class() }, to: Route::Create {}, "data-testid": "create-wallet",
                    {tr!(t, "welcome-create")}
                }
                Link { class: Weight::Second.class(), to: Route::Restore {}, "data-testid": "restore-wallet", {tr!(t, "welcome-restore")} }
            }
            Link { class: "ghost", to: Route::CheckpointStart {}, "data-testid": "start-from-checkpoint", {tr!(t, "welcome-checkpoint")} }
        }
    }
}

#[component]
fn WalletLine(wallet: WalletEntry) -> Element {
    let t = use_translator();
    rsx! {
        Link { class: "line", to: Route::Unlock { id: wallet.id.clone() }, "data-testid": "wallet-{wallet.id}",
            Glyph { icon: Icon::Lock }
            span { class: "grow",
                span { class: "strong block", {wallet.name.clone()} }
                span { class: "soft small block", {t.text(words::role(&wallet.role), &[])} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

/// People of the demonstration; their wallets are real and encrypted, so opening one still asks for its passphrase.
#[component]
fn DemoPeople(people: Vec<DemoPersonView>) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let navigator = use_navigator();
    let about = move |person: &DemoPersonView| match t.language() {
        Language::En => person.about_en.clone(),
        Language::Zh => person.about_zh.clone(),
    };
    let open = move |id: String| {
        action.call(AddDemoPerson { id }, move |wallet: WalletEntry| {
            // The unlock page names the wallet as soon as the list has it.
            app.refresh_later();
            navigator.push(Route::Unlock { id: wallet.id });
        });
    };
    rsx! {
        section { class: "stack tight", "aria-labelledby": "demo-people",
            h2 { id: "demo-people", {tr!(t, "demo-title")} }
            p { class: "soft small", {tr!(t, "demo-text")} }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ul { class: "list",
                for person in people {
                    li { key: "{person.id}",
                        button {
                            class: "line",
                            r#type: "button",
                            "data-testid": "demo-{person.id}",
                            disabled: action.is_running(),
                            onclick: {
                                let id = person.id.clone();
                                move |_| open(id.clone())
                            },
                            Glyph { icon: Icon::Person }
                            span { class: "grow",
                                span { class: "strong block", {tr!(t, "demo-open-as", name = person.name.clone())} }
                                span { class: "soft small block", {about(&person)} }
                            }
                            Glyph { icon: Icon::Next, size: 18 }
                        }
                    }
                }
            }
        }
    }
}
