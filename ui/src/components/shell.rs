//! The frame around every page: top bar, places, and the guard that keeps a page to those it is for.

use crate::app::use_app;
use crate::components::icon::{Glyph, Icon};
use crate::components::language::LanguageSwitch;
use crate::components::opened_link::OpenedLink;
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator};
use crate::idle::LockWarning;
use crate::route::Route;
use amulet_app_api::inbox::Inbox;
use amulet_app_api::wallet::Role;
use dioxus::prelude::*;

/// The layout of all pages.
#[component]
pub fn Shell() -> Element {
    let app = use_app();
    let t = use_translator();
    let route: Route = use_route();
    let session = app.session.read().clone();
    let role = session.as_ref().map(|session| session.wallet.role);
    let allowed = route.is_for(role);
    let navigator = use_navigator();
    use_effect(use_reactive!(|(allowed,)| {
        if !allowed {
            navigator.replace(app.first_page());
        }
    }));
    rsx! {
        a { class: "skip", href: "#content", onclick: move |event| {
                // The fragment is the router's: jump by hand.
                event.prevent_default();
                crate::platform::focus_heading();
            }, {tr!(t, "skip-to-content")} }
        header { class: if role.is_some() { "top signed-in" } else { "top" },
            Link { class: "brand", to: app.first_page(), "data-testid": "brand",
                img { src: "./assets/icon.svg", alt: "", width: "32", height: "32" }
                span { {tr!(t, "app-name")} }
            }
            div { class: "top-end",
                if let Some(session) = session {
                    Bell {}
                    Link { class: "ghost person", to: Route::Settings {}, "data-testid": "person",
                        Glyph { icon: Icon::Person }
                        span { {session.wallet.name} }
                        span { class: "visually-hidden", {tr!(t, "settings-title")} }
                    }
                }
                LanguageSwitch {}
            }
        }
        if let Some(role) = role {
            Places { role, here: route.place() }
        }
        LockWarning {}
        main { id: "content", class: if role.is_some() { "with-places" } else { "" },
            OpenedLink {}
            if allowed {
                Outlet::<Route> {}
            }
        }
    }
}

/// The way to the inbox, with how much in it is new.
#[component]
fn Bell() -> Element {
    let mut app = use_app();
    let t = use_translator();
    let inbox = use_load(Inbox {});
    use_effect(move || {
        if let Some(view) = inbox.state.read().value() {
            app.unread.set(view.unread);
        }
    });
    let unread = *app.unread.read();
    rsx! {
        Link { class: "ghost bell", to: Route::Inbox {}, "aria-label": tr!(t, "inbox-bell", n = unread), "data-testid": "bell",
            Glyph { icon: Icon::Bell, size: 24 }
            if unread > 0 {
                span { class: "count", "aria-hidden": "true", "data-testid": "bell-count", "{unread}" }
            }
        }
    }
}

/// The places: at the bottom on a phone, at the left on a desk.
#[component]
fn Places(role: Role, here: Option<Route>) -> Element {
    let t = use_translator();
    let navigator = use_navigator();
    let simple = *use_app().simple.read();
    let places = match role {
        Role::Patient if simple => vec![
            (Route::Home {}, Icon::Home, tr!(t, "nav-home"), "nav-home"),
            (Route::records(), Icon::Records, tr!(t, "nav-records"), "nav-records"),
            (Route::Card {}, Icon::Card, tr!(t, "nav-card"), "nav-card"),
        ],
        Role::Patient => vec![
            (Route::Home {}, Icon::Home, tr!(t, "nav-home"), "nav-home"),
            (Route::records(), Icon::Records, tr!(t, "nav-records"), "nav-records"),
            (Route::Sharing {}, Icon::Sharing, tr!(t, "nav-sharing"), "nav-sharing"),
            (Route::Card {}, Icon::Card, tr!(t, "nav-card"), "nav-card"),
            (Route::log(), Icon::Log, tr!(t, "nav-log"), "nav-log"),
        ],
        Role::Clinician => vec![
            (Route::Scan {}, Icon::Scan, tr!(t, "nav-scan"), "nav-scan"),
            (Route::Ask {}, Icon::Ask, tr!(t, "nav-ask"), "nav-ask"),
            (Route::Accesses {}, Icon::Key, tr!(t, "nav-accesses"), "nav-accesses"),
            (Route::BringIn {}, Icon::Inbox, tr!(t, "nav-intake"), "nav-intake"),
        ],
    };
    rsx! {
        nav { class: "places", "aria-label": tr!(t, "nav-label"),
            ul {
                for (route, icon, label, testid) in places {
                    li { key: "{testid}",
                        // Not the router's link: it marks only the very page as current, not the pages of a place.
                        a {
                            class: "place",
                            href: "#{route}",
                            "data-testid": testid,
                            "aria-current": if here.as_ref() == Some(&route) { "page" } else { "false" },
                            onclick: move |event| {
                                event.prevent_default();
                                navigator.push(route.clone());
                            },
                            Glyph { icon, size: 24 }
                            span { {label} }
                        }
                    }
                }
            }
        }
    }
}
