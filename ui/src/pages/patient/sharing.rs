//! Who asks, who may read now, and who could once.

use super::share::{ActiveShare, EndedShare};
use crate::components::check::CheckedBadge;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{counted, grantee, named, who};
use crate::components::relationship::AsPatientOf;
use crate::hooks::use_load;
use crate::i18n::{Translator, tr, use_translator, words};
use crate::platform;
use crate::route::Route;
use amulet_app_api::access::{DeletionView, RequestView, ShareView, Sharing as SharingCall, SharingView};
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
        who = grantee(t, &share.to),
        what = counted(t, &share.counts),
        until = t.date_time(share.until),
        purpose = t.text(words::purpose(&share.purpose), &[])
    )
}

#[component]
fn Body(view: SharingView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut said = use_signal(|| None::<String>);
    let changed = move |what: String| {
        said.set(Some(what));
        onchange.call(());
    };
    let overdue: Vec<ShareView> = view
        .ended
        .iter()
        .filter(|share| matches!(share.deletion, DeletionView::Overdue { .. }))
        .cloned()
        .collect();
    let nothing = view.waiting.is_empty() && view.active.is_empty() && view.ended.is_empty();
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        if let Some(said) = said() {
            Said { key: "{said}", said }
        }
        if !overdue.is_empty() {
            section { class: "stack tight", "aria-labelledby": "overdue", "data-testid": "overdue-deletions",
                h2 { id: "overdue", {tr!(t, "sharing-overdue")} }
                for share in overdue {
                    EndedShare { key: "{share.id}", share }
                }
            }
        }
        if nothing {
            Empty { icon: Icon::Sharing, title: tr!(t, "sharing-empty-title"), text: tr!(t, "sharing-empty-text"),
                Link { class: "button second", to: Route::Code {}, {tr!(t, "sharing-empty-step")} }
            }
        }
        div { class: "row wrap",
            Link { class: "button second", to: Route::Give {}, "data-testid": "to-give",
                Glyph { icon: Icon::Key, size: 18 }
                {tr!(t, "give-open")}
            }
            Link { class: "button second", to: Route::Accesses {}, "data-testid": "to-received",
                Glyph { icon: Icon::Inbox, size: 18 }
                {tr!(t, "received-title")}
            }
            Link { class: "button second", to: Route::Abroad {}, "data-testid": "to-abroad",
                Glyph { icon: Icon::Globe, size: 18 }
                {tr!(t, "abroad-title")}
            }
            Link { class: "button second", to: Route::Research {}, "data-testid": "to-research",
                Glyph { icon: Icon::Search, size: 18 }
                {tr!(t, "research-title")}
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
                    ActiveShare { key: "{share.id}", share, onchange: changed }
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

/// What was just done, where the focus goes: the button that did it may be gone.
#[component]
pub fn Said(said: String) -> Element {
    use_effect(|| platform::focus("#said"));
    rsx! {
        div { id: "said", class: "notice good", role: "status", tabindex: "-1", "data-testid": "share-said",
            Glyph { icon: Icon::Check, size: 24 }
            p { {said} }
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
                AsPatientOf { hospital: request.relationship.clone() }
            }
            span { class: "strong", {tr!(t, "see")} }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
