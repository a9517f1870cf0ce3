//! Who asks, who may read now, and who could once.

use crate::components::actions::{Button, Weight};
use crate::components::check::CheckedBadge;
use crate::components::dialog::Confirm;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{Countdown, counted, named, who};
use crate::hooks::{use_action, use_load};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::pages::save_file::SaveProof;
use crate::route::Route;
use amulet_app_api::access::{
    RequestView, RevokeGrant, ShareState, ShareView, Sharing as SharingCall, SharingView,
};
use amulet_app_api::files::ProofOf;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Sharing() -> Element {
    let t = use_translator();
    let sharing = use_load(SharingCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-sharing"), lead: tr!(t, "sharing-lead") }
            {show(sharing, |view| rsx! { Body { view: view.clone(), onchange: sharing.reload } })}
        }
    }
}

/// The sentence of a share: who, what, until when, why.
pub fn share_sentence(t: Translator, share: &ShareView) -> String {
    tr!(
        t,
        "share-sentence",
        who = who(t, &share.to),
        what = counted(t, &share.counts),
        until = t.date_time(share.until),
        purpose = t.text(words::purpose(&share.purpose), &[])
    )
}

#[component]
fn Body(view: SharingView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let nothing = view.waiting.is_empty() && view.active.is_empty() && view.ended.is_empty();
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        if nothing {
            Empty { icon: Icon::Sharing, title: tr!(t, "sharing-empty-title"), text: tr!(t, "sharing-empty-text"),
                Link { class: "button second", to: Route::Code {}, {tr!(t, "sharing-empty-step")} }
            }
        }
        if !view.waiting.is_empty() {
            section { class: "stack tight", "aria-labelledby": "waiting",
                h2 { id: "waiting", {tr!(t, "sharing-waiting")} }
                for request in view.waiting.clone() {
                    WaitingRequest { key: "{request.id}", request }
                }
            }
        }
        if !nothing {
            section { class: "stack tight", "aria-labelledby": "active",
                h2 { id: "active", {tr!(t, "sharing-active")} }
                if view.active.is_empty() {
                    p { class: "soft", "data-testid": "no-active-shares", {tr!(t, "sharing-active-none")} }
                }
                for share in view.active.clone() {
                    ActiveShare { key: "{share.id}", share, onchange }
                }
            }
        }
        if !view.ended.is_empty() {
            details { class: "technical", "data-testid": "ended-shares",
                summary { {tr!(t, "sharing-ended", n = view.ended.len())} }
                ul { class: "stack",
                    for share in view.ended.clone() {
                        li { key: "{share.id}", EndedShare { share } }
                    }
                }
            }
        }
    }
}

#[component]
fn WaitingRequest(request: RequestView) -> Element {
    let t = use_translator();
    rsx! {
        Link { class: "notice wait link", to: Route::Request { id: request.id.clone() }, "data-testid": "waiting-request",
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

#[component]
fn ActiveShare(share: ShareView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    let id = share.id.clone();
    rsx! {
        article { class: "card-box stack tight", "data-testid": "active-share",
            p { class: "strong", {share_sentence(t, &share)} }
            div { class: "row wrap small soft",
                Countdown { until: share.until }
                span { {tr!(t, "share-uses", n = share.uses)} }
            }
            div {
                Button { label: tr!(t, "take-back"), weight: Weight::Danger, testid: "take-back", onclick: move |()| asking.set(true) }
            }
            SaveProof { of: ProofOf::Grant { id: share.id.clone() } }
        }
        if asking() {
            Confirm {
                id: "confirm-take-back",
                title: tr!(t, "take-back-title", name = share.to.name.clone()),
                text: tr!(t, "take-back-text"),
                confirm: tr!(t, "take-back"),
                keep: tr!(t, "take-back-keep"),
                action,
                oncancel: move |()| asking.set(false),
                onconfirm: move |()| {
                    action.call(RevokeGrant { grant: id.clone() }, move |()| {
                        asking.set(false);
                        onchange.call(());
                    });
                },
            }
        }
    }
}

#[component]
fn EndedShare(share: ShareView) -> Element {
    let t = use_translator();
    rsx! {
        div { class: "stack tight", "data-testid": "ended-share",
            p { class: "strong", {who(t, &share.to)} }
            p { class: "small soft",
                span { class: if share.state == ShareState::Revoked { "tag danger" } else { "tag" }, {t.text(words::share_state(&share.state), &[])} }
                " "
                {tr!(t, "share-was", what = counted(t, &share.counts), from = t.day(share.granted_at), until = t.day(share.until))}
            }
            p { class: "small soft", {tr!(t, "share-uses", n = share.uses)} }
            SaveProof { of: ProofOf::Grant { id: share.id.clone() } }
        }
    }
}
