//! The summary for a clinic that has no Amulet: SMART Health Links, made, shown, and taken back.

use super::card::QrCode;
use crate::components::actions::{Button, Weight};
use crate::components::copied::Copied;
use crate::components::dialog::Confirm;
use crate::components::error::ErrorNotice;
use crate::components::field::{Complaint, TextField, Tick};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::components::relationship::hospitals;
use crate::hooks::{use_action, use_load};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::links::{
    HealthLinkView, HealthLinks, HealthLinksView, LinkStanding, MadeHealthLinkView, MakeHealthLink,
    RevokeHealthLink,
};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

/// How long a link lasts, in days.
const DAYS: [u64; 5] = [1, 7, 30, 90, 365];
/// A week: a journey's visit and the one after it.
const DAYS_FIRST: u64 = 7;
/// Characters of a passcode at least.
const PASSCODE_MIN: usize = 6;
/// Characters of a label at most.
const LABEL_MAX: u32 = 80;
const LINK_ID: &str = "health-link";

/// The page.
#[component]
pub fn Abroad() -> Element {
    let t = use_translator();
    let links = use_load(HealthLinks {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "abroad-title"), lead: tr!(t, "abroad-lead"), back: Route::Sharing {} }
            {show(links, |view| rsx! { Body { view: view.clone(), onchange: links.reload } })}
        }
    }
}

#[component]
fn Body(view: HealthLinksView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut made = use_signal(|| None::<MadeHealthLinkView>);
    let open: Vec<HealthLinkView> =
        view.links.iter().filter(|link| link.standing == LinkStanding::Open).cloned().collect();
    let over: Vec<HealthLinkView> =
        view.links.iter().filter(|link| link.standing != LinkStanding::Open).cloned().collect();
    let taken_back = move |()| {
        made.set(None);
        onchange.call(());
    };
    rsx! {
        if !view.silent.is_empty() {
            div { class: "notice wait", role: "status",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "abroad-silent", hospitals = hospitals(t, &view.silent))} }
            }
        }
        if let Some(made) = made() {
            Made { made }
        } else if view.can_make {
            Make { onmade: move |link| {
                made.set(Some(link));
                onchange.call(());
            } }
        } else {
            p { class: "soft", "data-testid": "abroad-nothing", {tr!(t, "abroad-nothing")} }
        }
        if !open.is_empty() {
            section { class: "stack tight", "aria-labelledby": "open-links",
                h2 { id: "open-links", {tr!(t, "abroad-open", n = open.len())} }
                for link in open {
                    OpenLink { key: "{link.id}", link, onchange: taken_back }
                }
            }
        }
        if !over.is_empty() {
            details { class: "technical", "data-testid": "links-over",
                summary { {tr!(t, "abroad-over", n = over.len())} }
                ul { class: "stack",
                    for link in over {
                        li { key: "{link.id}",
                            p { class: "strong", {label(t, &link)} }
                            p { class: "small soft",
                                span { class: "tag", {t.text(words::link_standing(&link.standing), &[])} }
                                " "
                                {tr!(t, "abroad-lasted", from = t.day(link.made_at), until = t.day(link.ends))}
                            }
                            Openings { link }
                        }
                    }
                }
            }
        }
    }
}

/// What a link is called; one that another device made has no name here.
fn label(t: Translator, link: &HealthLinkView) -> String {
    if link.label.is_empty() {
        tr!(t, "abroad-unnamed", day = t.day(link.made_at))
    } else {
        link.label.clone()
    }
}

/// Making a link.
#[component]
fn Make(onmade: EventHandler<MadeHealthLinkView>) -> Element {
    let t = use_translator();
    let action = use_action();
    let name = use_signal(String::new);
    let passcode = use_signal(String::new);
    let mut guarded = use_signal(|| true);
    let mut days = use_signal(|| DAYS_FIRST);
    let mut language = use_signal(|| Language::En);
    let mut complaint = use_signal(|| None::<&'static str>);
    let submit = use_callback(move |()| {
        let code = passcode.peek().clone();
        let weak = *guarded.peek() && code.chars().count() < PASSCODE_MIN;
        complaint.set(weak.then_some("abroad-passcode-short"));
        if weak {
            return;
        }
        let call = MakeHealthLink {
            label: name.peek().trim().to_owned(),
            days: *days.peek(),
            passcode: guarded.peek().then_some(code),
            language: *language.peek(),
        };
        action.call(call, move |made| onmade.call(made));
    });
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit.call(());
            },
            p { class: "soft", {tr!(t, "abroad-what")} }
            TextField { id: "link-name", label: tr!(t, "abroad-name"), hint: tr!(t, "abroad-name-hint"), value: name, max_length: LABEL_MAX }
            div { class: "field",
                label { r#for: "link-days", {tr!(t, "ask-access-hours")} }
                select {
                    id: "link-days",
                    "data-testid": "link-days",
                    onchange: move |event| {
                        if let Ok(chosen) = event.value().parse() {
                            days.set(chosen);
                        }
                    },
                    for choice in DAYS {
                        option { key: "{choice}", value: "{choice}", selected: days() == choice, {tr!(t, "span-days", n = choice)} }
                    }
                }
            }
            div { class: "field",
                label { r#for: "link-language", {tr!(t, "abroad-language")} }
                select {
                    id: "link-language",
                    "data-testid": "link-language",
                    onchange: move |event| language.set(if event.value() == "zh" { Language::Zh } else { Language::En }),
                    option { value: "en", selected: language() == Language::En, {tr!(t, "language-en")} }
                    option { value: "zh", selected: language() == Language::Zh, {tr!(t, "language-zh")} }
                }
            }
            fieldset { class: "stack tight",
                Tick { testid: "link-guarded", label: tr!(t, "abroad-guarded"), more: tr!(t, "abroad-guarded-more"), ticked: guarded(), onchange: move |wanted: bool| guarded.set(wanted) }
                if guarded() {
                    TextField { id: "link-passcode", label: tr!(t, "abroad-passcode"), hint: tr!(t, "abroad-passcode-hint"), value: passcode, plain: true, oninput: move |_| complaint.set(None) }
                } else {
                    div { class: "notice wait", "data-testid": "link-unguarded",
                        Glyph { icon: Icon::Warning, size: 24 }
                        p { {tr!(t, "abroad-unguarded")} }
                    }
                }
                Complaint { text: complaint().map(|key| t.text(key, &[])) }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: submit }
            }
            ActionProgress { action, waiting: tr!(t, "task-sealing") }
            ActionBar {
                Button { label: tr!(t, "abroad-make"), weight: Weight::Main, testid: "link-make", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// The link that was just made.
#[component]
fn Made(made: MadeHealthLinkView) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "notice good", role: "status", "data-testid": "link-made",
            Glyph { icon: Icon::Check, size: 24 }
            div { class: "grow",
                p { class: "strong", {tr!(t, "abroad-made", n = made.listed)} }
                if made.missing > 0 {
                    p { {tr!(t, "abroad-missing", n = made.missing)} }
                }
                if made.core + made.left_out > 0 {
                    p { class: "small", {tr!(t, "abroad-left-out", n = made.core + made.left_out)} }
                }
            }
        }
        Code { link: made.link }
    }
}

/// What is handed over.
#[component]
fn Code(link: HealthLinkView) -> Element {
    let t = use_translator();
    let Some(code) = link.code else {
        return rsx! { p { class: "soft small", {tr!(t, "abroad-elsewhere")} } };
    };
    rsx! {
        div { class: "card-box stack center",
            QrCode { svg: code.qr_svg, label: tr!(t, "abroad-qr-label") }
        }
        p { class: "soft small", {if link.attempts_left.is_some() { tr!(t, "abroad-hand-guarded") } else { tr!(t, "abroad-hand") }} }
        Copied { id: LINK_ID, copy_testid: "link-copy", label: tr!(t, "abroad-link"), text: code.text }
    }
}

#[component]
fn OpenLink(link: HealthLinkView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    let mut shown = use_signal(|| false);
    let id = link.id.clone();
    let take_back = move |()| {
        action.call(RevokeHealthLink { id: id.clone() }, move |()| {
            asking.set(false);
            onchange.call(());
        });
    };
    rsx! {
        article { class: "card-box stack tight", "data-testid": "open-link",
            h3 { {label(t, &link)} }
            p { class: "small", {tr!(t, "abroad-until", until = t.date_time(link.ends), hospital = t.hospital(&link.hospital))} }
            p { class: "small soft",
                match link.attempts_left {
                    Some(left) => rsx! { {tr!(t, "abroad-attempts", n = left)} },
                    None => rsx! { {tr!(t, "abroad-no-passcode")} },
                }
            }
            Openings { link: link.clone() }
            if shown() {
                Code { link: link.clone() }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            div { class: "row wrap",
                if link.code.is_some() {
                    Button { label: if shown() { tr!(t, "hide") } else { tr!(t, "abroad-show") }, weight: Weight::Second, testid: "link-show", onclick: move |()| shown.toggle() }
                }
                Button { label: tr!(t, "take-back"), weight: Weight::Danger, testid: "link-revoke", disabled: action.is_running(), onclick: move |()| asking.set(true) }
            }
        }
        if asking() {
            Confirm {
                id: "confirm-link-revoke",
                title: tr!(t, "abroad-revoke-title"),
                text: tr!(t, "abroad-revoke-text"),
                confirm: tr!(t, "take-back"),
                keep: tr!(t, "abroad-revoke-keep"),
                action,
                oncancel: move |()| {
                    action.clear_error();
                    asking.set(false);
                },
                onconfirm: take_back,
            }
        }
    }
}

/// Who opened a link, by the names they gave.
#[component]
fn Openings(link: HealthLinkView) -> Element {
    let t = use_translator();
    if link.openings.is_empty() {
        return rsx! { p { class: "small soft", {tr!(t, "abroad-not-opened")} } };
    }
    rsx! {
        p { class: "small strong", {tr!(t, "abroad-opened", n = link.openings_total)} }
        ul { class: "small", "data-testid": "link-openings",
            for (place, opening) in link.openings.iter().take(OPENINGS_SHOWN).enumerate() {
                li { key: "{place}", {tr!(t, "abroad-opening", who = opening.recipient.clone(), at = t.date_time(opening.at))} }
            }
        }
        p { class: "small soft", {tr!(t, "abroad-names-unproven")} }
    }
}

/// Openings listed; the number of all stands above them.
const OPENINGS_SHOWN: usize = 10;
