//! Security: when the wallet locks by itself, and the ways to its passphrase, its keys and its end on this device.

use crate::app::use_app;
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Tick};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::hooks::{use_action, use_load_kept};
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::security::{AutoLock, AutoLockView, SetAutoLock};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Security() -> Element {
    let app = use_app();
    let t = use_translator();
    let chosen = use_load_kept(AutoLock {});
    let Some(session) = app.session.read().clone() else { return rsx! {} };
    let id = session.wallet.id;
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "security-title"), lead: tr!(t, "security-lead"), back: Route::Settings {} }
            {show(chosen, |view| rsx! { Locking { view: view.clone() } })}
            div { class: "stack tight",
                Line { to: Route::ChangePassphrase {}, icon: Icon::Lock, testid: "change-passphrase", title: tr!(t, "passphrase-change-title"), text: tr!(t, "security-passphrase") }
                Line { to: Route::Guardians {}, icon: Icon::Person, testid: "guardians", title: tr!(t, "guardians-title"), text: tr!(t, "security-guardians") }
                Line { to: Route::Backup {}, icon: Icon::File, testid: "backup", title: tr!(t, "backup-title"), text: tr!(t, "security-backup") }
                Line { to: Route::HandOver {}, icon: Icon::Next, testid: "move", title: tr!(t, "move-title"), text: tr!(t, "security-move") }
                Line { to: Route::ReplaceKeys {}, icon: Icon::Key, testid: "replace-keys", title: tr!(t, "keys-title"), text: tr!(t, "security-keys") }
                Line { to: Route::Erase { id }, icon: Icon::Cross, testid: "erase", title: tr!(t, "erase-title"), text: tr!(t, "security-erase") }
            }
        }
    }
}

#[component]
fn Line(to: Route, icon: Icon, testid: &'static str, title: String, text: String) -> Element {
    rsx! {
        Link { class: "line boxed", to, "data-testid": testid,
            Glyph { icon }
            span { class: "grow",
                span { class: "strong block", {title} }
                span { class: "soft small block", {text} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

/// After how long without use the wallet locks, and whether it does when another app is in front.
#[component]
fn Locking(view: AutoLockView) -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let mut now = use_signal(|| view);
    let choose = use_callback(move |call: SetAutoLock| {
        action.call(call, move |view| {
            now.set(view);
            app.auto_lock_is_changed();
        });
    });
    let chosen = now();
    let (minutes_now, away_now) = (chosen.minutes, chosen.away);
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "auto-lock-title")} }
            p { class: "soft small", {tr!(t, "auto-lock-text")} }
            for minutes in chosen.choices {
                Choice {
                    key: "{minutes}",
                    name: "auto-lock",
                    testid: "auto-lock-{minutes}",
                    label: tr!(t, "auto-lock-minutes", n = minutes),
                    chosen: minutes == minutes_now,
                    onchoose: move |()| choose.call(SetAutoLock { minutes, away: away_now }),
                }
            }
            Tick {
                testid: "auto-lock-away",
                label: tr!(t, "auto-lock-away"),
                more: tr!(t, "auto-lock-away-text"),
                ticked: away_now,
                onchange: move |away| choose.call(SetAutoLock { minutes: minutes_now, away }),
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
        }
    }
}
