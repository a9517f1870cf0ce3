//! Settings, behind the person's name.

use crate::app::use_app;
use crate::backend;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Tick};
use crate::components::icon::{Glyph, Icon};
use crate::components::page::PageHead;
use crate::components::relationship;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator, words};
use crate::pages::checkpoint::CheckpointLine;
use crate::platform;
use crate::route::Route;
use amulet_app_api::desktop::{Notices, SetNotices};
use amulet_app_api::reporting::{Reporting, SetReporting};
use amulet_app_api::wallet::{Language, Lock, Role};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Settings() -> Element {
    let app = use_app();
    let t = use_translator();
    let Some(session) = app.session.read().clone() else { return rsx! {} };
    let mut about = vec![t.text(words::role(&session.wallet.role), &[])];
    about.extend(session.department.as_deref().map(|department| t.department(department)));
    let hospitals: Vec<_> =
        session.relationships.iter().map(|relationship| relationship.hospital.clone()).collect();
    about.push(relationship::hospitals(t, &hospitals));
    rsx! {
        div { class: "page",
            PageHead { title: session.wallet.name.clone(), lead: about.join(" · "), back: app.first_page() }
            if session.wallet.role == Role::Patient {
                Link { class: "line boxed", to: Route::Code {}, "data-testid": "my-code",
                    Glyph { icon: Icon::Scan }
                    span { class: "grow strong", {tr!(t, "code-title")} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
                Link { class: "line boxed", to: Route::Hospitals {}, "data-testid": "hospitals",
                    Glyph { icon: Icon::Plus }
                    span { class: "grow strong", {tr!(t, "hospitals-title")} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
                Link { class: "line boxed", to: Route::Preferences {}, "data-testid": "preferences",
                    Glyph { icon: Icon::Sharing }
                    span { class: "grow strong", {tr!(t, "preferences-title")} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
            }
            Link { class: "line boxed", to: Route::CheckingPage {}, "data-testid": "how-checked",
                Glyph { icon: Icon::Check }
                span { class: "grow strong", {tr!(t, "checking-title")} }
                Glyph { icon: Icon::Next, size: 18 }
            }
            Link { class: "line boxed", to: Route::Security {}, "data-testid": "security",
                Glyph { icon: Icon::Lock }
                span { class: "grow strong", {tr!(t, "security-title")} }
                Glyph { icon: Icon::Next, size: 18 }
            }
            CheckpointLine {}
            Languages {}
            TextSize { can_be_simple: session.wallet.role == Role::Patient }
            Theme {}
            if backend::is_window() {
                SystemNotices {}
            }
            Reports {}
            About { dids: session.relationships.iter().map(|relationship| relationship.did.clone()).collect::<Vec<_>>() }
            LockWallet {}
        }
    }
}

#[component]
fn Languages() -> Element {
    let app = use_app();
    let t = use_translator();
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "settings-language")} }
            for (language, label, testid) in [
                (Language::Zh, tr!(t, "language-zh"), "settings-zh"),
                (Language::En, tr!(t, "language-en"), "settings-en"),
            ] {
                Choice { key: "{testid}", name: "language", testid, label, chosen: t.language() == language, onchoose: move |()| app.choose_language(language) }
            }
        }
    }
}

/// The size of text; and few choices in large type, for who wants no more.
#[component]
fn TextSize(can_be_simple: bool) -> Element {
    let app = use_app();
    let t = use_translator();
    let mut simple = app.simple;
    let mut size = use_signal(platform::text_size);
    let mut choose = move |value: &'static str| {
        platform::set_text_size(value);
        size.set(value.to_owned());
    };
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "settings-text-size")} }
            for (value, label) in platform::TEXT_SIZES.into_iter().zip([tr!(t, "text-normal"), tr!(t, "text-large"), tr!(t, "text-larger")]) {
                Choice {
                    key: "{value}",
                    name: "text-size",
                    testid: "text-{value}",
                    label,
                    chosen: size() == value,
                    onchoose: move |()| choose(value),
                }
            }
        }
        if can_be_simple {
            Tick {
                testid: "simple",
                label: tr!(t, "settings-simple"),
                more: tr!(t, "settings-simple-text"),
                ticked: simple(),
                onchange: move |wanted: bool| {
                    platform::set_simple(wanted);
                    if wanted {
                        choose(platform::TEXT_SIZES[platform::TEXT_SIZES.len() - 1]);
                    }
                    simple.set(wanted);
                },
            }
        }
    }
}

#[component]
fn Theme() -> Element {
    let t = use_translator();
    let mut theme = use_signal(platform::theme);
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "settings-theme")} }
            for (value, label) in platform::THEMES.into_iter().zip([tr!(t, "theme-system"), tr!(t, "theme-light"), tr!(t, "theme-dark")]) {
                Choice {
                    key: "{value}",
                    name: "theme",
                    testid: "theme-{value}",
                    label,
                    chosen: theme() == value,
                    onchoose: move |()| {
                        platform::set_theme(value);
                        theme.set(value.to_owned());
                    },
                }
            }
        }
    }
}

/// Whether this wallet reports how the hospitals' computers served it.
#[component]
fn Reports() -> Element {
    let t = use_translator();
    let app = use_app();
    let mut on = use_signal(|| None::<bool>);
    let action = use_action();
    use_future(move || async move {
        if let Ok(view) = app.call(Reporting {}).await {
            on.set(Some(view.on));
        }
    });
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "reports-title")} }
            p { class: "soft small", {tr!(t, "reports-text")} }
            for (value, label, testid) in [
                (false, tr!(t, "reports-off"), "reports-off"),
                (true, tr!(t, "reports-on"), "reports-on"),
            ] {
                Choice {
                    key: "{testid}",
                    name: "reports",
                    testid,
                    label,
                    chosen: on() == Some(value),
                    onchoose: move |()| action.call(SetReporting { on: value }, move |view| on.set(Some(view.on))),
                }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
        }
    }
}

/// Whether this device shows system notices.
#[component]
fn SystemNotices() -> Element {
    let t = use_translator();
    let app = use_app();
    let mut on = use_signal(|| None::<bool>);
    let action = use_action();
    use_future(move || async move {
        if let Ok(view) = app.call(Notices {}).await {
            on.set(Some(view.on));
        }
    });
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "notices-title")} }
            p { class: "soft small", {tr!(t, "notices-text")} }
            for (value, label, testid) in [
                (true, tr!(t, "notices-on"), "notices-on"),
                (false, tr!(t, "notices-off"), "notices-off"),
            ] {
                Choice {
                    key: "{testid}",
                    name: "notices",
                    testid,
                    label,
                    chosen: on() == Some(value),
                    onchoose: move |()| action.call(SetNotices { on: value }, move |view| on.set(Some(view.on))),
                }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
        }
    }
}

/// What is checked, what is not, and this person's identifiers.
#[component]
fn About(dids: Vec<String>) -> Element {
    let t = use_translator();
    rsx! {
        details { class: "technical",
            summary { {tr!(t, "about-title")} }
            div { class: "stack tight",
                p { {tr!(t, "about-checked")} }
                p { {tr!(t, "about-not-checked")} }
                dl { class: "facts",
                    dt { {tr!(t, "about-did")} }
                    for did in dids {
                        dd { key: "{did}", class: "mono", {did.clone()} }
                    }
                    dt { {tr!(t, "about-version")} }
                    dd { {env!("CARGO_PKG_VERSION")} }
                }
            }
        }
    }
}

#[component]
fn LockWallet() -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    rsx! {
        section { class: "stack tight",
            p { class: "soft small", {tr!(t, "lock-text")} }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            div {
                Button {
                    label: tr!(t, "lock"),
                    weight: Weight::Second,
                    icon: Icon::Lock,
                    testid: "lock",
                    busy: action.is_running(),
                    onclick: move |()| {
                        action.call(Lock {}, move |()| app.close());
                    },
                }
            }
        }
    }
}
