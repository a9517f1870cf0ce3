//! The patient's first page: what needs an answer, then what is new.

use super::events;
use crate::app::use_app;
use crate::components::check::CheckedBadge;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{named, who};
use crate::components::record::RecordLine;
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::access::{LogLineView, RequestView};
use amulet_app_api::checking::Background;
use amulet_app_api::records::RecordLineView;
use amulet_app_api::wallet::{Home as HomeCall, HomeView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Home() -> Element {
    let app = use_app();
    let t = use_translator();
    let home = use_load(HomeCall {});
    // The first check runs at once, so that the page is not older than it looks.
    use_future(move || async move { app.check_now().await });
    let name = app.session.read().as_ref().map(|session| session.wallet.name.clone()).unwrap_or_default();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "home-title", name = name) }
            {show(home, |view| rsx! { HomeBody { view: view.clone() } })}
        }
    }
}

#[component]
fn HomeBody(view: HomeView) -> Element {
    let app = use_app();
    let t = use_translator();
    if *app.simple.read() {
        return rsx! { Simple { view } };
    }
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        Paused {}
        Alerts { view: view.clone() }
        div { class: "stack tight",
            Link { class: "line boxed", to: if view.has_card { Route::Card {} } else { Route::CardMake {} }, "data-testid": "home-card",
                span { class: "tile danger", Glyph { icon: Icon::Emergency } }
                span { class: "grow",
                    span { class: "strong block", {tr!(t, "home-card")} }
                    span { class: "soft small block", {if view.has_card { tr!(t, "home-card-ready") } else { tr!(t, "home-card-none") }} }
                }
                Glyph { icon: Icon::Next, size: 18 }
            }
            Link { class: "line boxed", to: Route::Sharing {}, "data-testid": "home-readers",
                span { class: "tile", Glyph { icon: Icon::Sharing } }
                span { class: "grow strong", {tr!(t, "home-readers", n = view.readers_now)} }
                Glyph { icon: Icon::Next, size: 18 }
            }
            if view.deletions_overdue > 0 {
                Link { class: "notice wait link", to: Route::Sharing {}, "data-testid": "home-overdue",
                    Glyph { icon: Icon::Clock, size: 24 }
                    span { class: "grow strong", {tr!(t, "home-overdue", n = view.deletions_overdue)} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
            }
            if view.erasures_overdue > 0 {
                Link { class: "notice wait link", to: Route::records(), "data-testid": "home-erasures-overdue",
                    Glyph { icon: Icon::Clock, size: 24 }
                    span { class: "grow strong", {tr!(t, "home-erasures-overdue", n = view.erasures_overdue)} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
            }
            Link { class: "line boxed", to: Route::Code {}, "data-testid": "home-code",
                span { class: "tile", Glyph { icon: Icon::Scan } }
                span { class: "grow",
                    span { class: "strong block", {tr!(t, "code-title")} }
                    span { class: "soft small block", {tr!(t, "home-code-text")} }
                }
                Glyph { icon: Icon::Next, size: 18 }
            }
        }
        Newest { newest: view.newest.clone(), records: view.records }
    }
}

/// What must be seen before anything else.
#[component]
fn Alerts(view: HomeView) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "stack tight", "aria-live": "polite",
            if view.keys_elsewhere {
                Link { class: "notice danger link", to: Route::ReplaceKeys {}, "data-testid": "home-keys-elsewhere",
                    Glyph { icon: Icon::Warning, size: 24 }
                    span { class: "grow",
                        span { class: "strong block", {tr!(t, "keys-elsewhere")} }
                        span { class: "small block", {tr!(t, "keys-elsewhere-next")} }
                    }
                    Glyph { icon: Icon::Next, size: 18 }
                }
            }
            for line in view.emergencies_unseen.clone() {
                EmergencyAlert { key: "{line.line.identity}-{line.line.number}", line }
            }
            for request in view.requests_waiting.clone() {
                RequestAlert { key: "{request.id}", request }
            }
        }
    }
}

/// The same page for who wants few choices: what needs an answer, and four large ways on.
#[component]
fn Simple(view: HomeView) -> Element {
    let t = use_translator();
    let card = if view.has_card { Route::Card {} } else { Route::CardMake {} };
    let ways = [
        (card, Icon::Emergency, tr!(t, "home-card"), "home-card"),
        (Route::records(), Icon::Records, tr!(t, "nav-records"), "simple-records"),
        (Route::Sharing {}, Icon::Sharing, tr!(t, "home-readers", n = view.readers_now), "home-readers"),
        (Route::Code {}, Icon::Scan, tr!(t, "code-title"), "home-code"),
    ];
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        Alerts { view: view.clone() }
        div { class: "ways",
            for (to, icon, label, testid) in ways {
                Link { key: "{testid}", class: "way", to, "data-testid": testid,
                    Glyph { icon, size: 40 }
                    span { class: "strong", {label} }
                }
            }
        }
        Link { class: "ghost", to: Route::Settings {}, {tr!(t, "simple-more")} }
    }
}

/// Says that this device does not check by itself, if the person wanted it so.
#[component]
fn Paused() -> Element {
    let t = use_translator();
    let background = use_load(Background {});
    if !background.state.read().value().is_some_and(|background| background.paused) {
        return rsx! {};
    }
    rsx! {
        Link { class: "notice wait link", to: Route::CheckingPage {}, "data-testid": "home-paused",
            Glyph { icon: Icon::Clock, size: 24 }
            span { class: "grow",
                span { class: "strong block", {tr!(t, "home-paused")} }
                span { class: "small block", {tr!(t, "home-paused-next")} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

#[component]
fn Newest(newest: Vec<RecordLineView>, records: u64) -> Element {
    let t = use_translator();
    let navigator = use_navigator();
    if newest.is_empty() {
        return rsx! {
            Empty { icon: Icon::Records, title: tr!(t, "home-empty-title"), text: tr!(t, "home-empty-text"),
                Link { class: "button second", to: Route::Code {}, {tr!(t, "home-empty-step")} }
            }
        };
    }
    rsx! {
        section { class: "stack tight", "aria-labelledby": "newest",
            div { class: "row spread wrap",
                h2 { id: "newest", {tr!(t, "home-newest")} }
                Link { class: "ghost", to: Route::records(), "data-testid": "home-all-records", {tr!(t, "home-all-records", n = records)} }
            }
            ul { class: "list",
                for line in newest {
                    li { key: "{line.id}",
                        RecordLine { line, onopen: move |id: String| {
                            navigator.push(Route::Record { id });
                        } }
                    }
                }
            }
        }
    }
}

#[component]
fn EmergencyAlert(line: LogLineView) -> Element {
    let t = use_translator();
    rsx! {
        Link { class: "notice danger link", to: events::route(&line), "data-testid": "emergency-alert",
            Glyph { icon: Icon::Emergency, size: 24 }
            span { class: "grow",
                span { class: "tag danger", {tr!(t, "emergency")} }
                span { class: "strong block", {tr!(t, "home-emergency", who = events::actor(t, &line))} }
                span { class: "small block", {t.date_time(line.at)} }
                if let Some(details) = events::details(t, &line) {
                    span { class: "small block", {details} }
                }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

#[component]
fn RequestAlert(request: RequestView) -> Element {
    let t = use_translator();
    rsx! {
        Link { class: "notice wait link", to: Route::Request { id: request.id.clone() }, "data-testid": "request-alert",
            Glyph { icon: Icon::Ask, size: 24 }
            span { class: "grow",
                span { class: "strong block", {tr!(t, "home-request", who = who(t, &request.from), what = named(t, &request.categories))} }
                span { class: "small block", {tr!(t, "answer-by", date = t.date_time(request.answer_by))} }
            }
            span { class: "strong", {tr!(t, "see")} }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
