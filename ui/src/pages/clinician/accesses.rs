//! What this clinician asked for, may read, and could once.

use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{Countdown, named, staff, who};
use crate::hooks::{use_action, use_load};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::access::DeletionView;
use amulet_app_api::clinician::{
    ConfirmDeletion, MyAccessState, MyAccessView, MyAccesses as MyAccessesCall, MyAccessesView,
};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Accesses() -> Element {
    let t = use_translator();
    let load = use_load(MyAccessesCall {});
    let practises = load.state.read().value().is_none_or(|view| view.me.is_some());
    rsx! {
        div { class: "page",
            if practises {
                PageHead { title: tr!(t, "nav-accesses"), lead: tr!(t, "accesses-lead") }
            } else {
                PageHead { title: tr!(t, "received-title"), lead: tr!(t, "received-lead"), back: Route::Sharing {} }
            }
            {show(load, |view| rsx! { Body { view: view.clone(), onchange: load.reload } })}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Active,
    Waiting,
    Ended,
}

impl Group {
    fn of(state: &MyAccessState) -> Self {
        match state {
            MyAccessState::Active { .. } | MyAccessState::Paused { .. } | MyAccessState::Emergency { .. } => {
                Self::Active
            }
            MyAccessState::Waiting { .. } => Self::Waiting,
            MyAccessState::Declined
            | MyAccessState::Unanswered
            | MyAccessState::UsedUp
            | MyAccessState::Expired
            | MyAccessState::Revoked
            | MyAccessState::EmergencyEnded => Self::Ended,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Active => "accesses-active",
            Self::Waiting => "accesses-waiting",
            Self::Ended => "accesses-ended",
        }
    }
}

#[component]
fn Body(view: MyAccessesView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    rsx! {
        if let Some(me) = &view.me {
            p { class: "soft small", {who(t, me)} }
        }
        if view.accesses.is_empty() && view.me.is_none() {
            Empty { icon: Icon::Key, title: tr!(t, "received-empty-title"), text: tr!(t, "received-empty-text"),
                Link { class: Weight::Second.class(), to: Route::Code {}, {tr!(t, "received-empty-step")} }
            }
        } else if view.accesses.is_empty() {
            Empty { icon: Icon::Key, title: tr!(t, "accesses-empty-title"), text: tr!(t, "accesses-empty-text"),
                Link { class: Weight::Main.class(), to: Route::Ask {}, {tr!(t, "accesses-empty-step")} }
            }
        }
        for group in [Group::Active, Group::Waiting, Group::Ended] {
            if view.accesses.iter().any(|access| Group::of(&access.state) == group) {
                section { key: "{group.heading()}", class: "stack tight", "aria-labelledby": group.heading(), "data-testid": group.heading(),
                    h2 { id: group.heading(), {t.text(group.heading(), &[])} }
                    for access in view.accesses.iter().filter(|access| Group::of(&access.state) == group).cloned() {
                        Access { key: "{access.id}", access, onchange }
                    }
                }
            }
        }
    }
}

/// What may be read and why; in an emergency, the summary.
fn what_for(t: Translator, access: &MyAccessView) -> String {
    if access.categories.is_empty() {
        return tr!(t, "summary-title");
    }
    format!("{} · {}", named(t, &access.categories), t.text(words::purpose(&access.purpose), &[]))
}

#[component]
fn Access(access: MyAccessView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let state = t.text(words::access_state(&access.state), &[]);
    let (tone, until) = match &access.state {
        MyAccessState::Active { until, .. } => ("tag good", Some(*until)),
        MyAccessState::Emergency { until } => ("tag danger", Some(*until)),
        MyAccessState::Waiting { answer_by } => ("tag wait", Some(*answer_by)),
        MyAccessState::Paused { until } => ("tag wait", Some(*until)),
        _ => ("tag", None),
    };
    let open = match &access.state {
        MyAccessState::Active { grant, records, .. } => Some((
            Route::Reading { grant: grant.clone() },
            tr!(t, "open-records", n = *records),
            "open-access",
        )),
        MyAccessState::Emergency { .. } => Some((
            Route::Emergency { declaration: access.id.clone() },
            tr!(t, "open-summary"),
            "open-emergency",
        )),
        _ => None,
    };
    rsx! {
        article { class: "card-box stack tight", "data-testid": words::access_state(&access.state),
            div { class: "row spread wrap",
                span { class: tone, {state} }
                if let Some(until) = until {
                    Countdown { until }
                }
            }
            p { class: "strong", {what_for(t, &access)} }
            if let Some(colleagues) = &access.staff {
                p { class: "small", "data-testid": "for-staff", {tr!(t, "access-staff", who = staff(t, colleagues))} }
            }
            p { class: "small soft", {tr!(t, "asked-at", date = t.date_time(access.at))} }
            p { class: "mono soft", {access.patient.clone()} }
            if let Some((to, label, testid)) = open {
                div {
                    Link { class: Weight::Second.class(), to, "data-testid": testid,
                        {label}
                        Glyph { icon: Icon::Next, size: 18 }
                    }
                }
            }
            Receipt { request: access.id.clone(), deletion: access.deletion, onchange }
        }
    }
}

/// The deletion receipt that is owed after the end of a grant, with the way to give it.
#[component]
fn Receipt(request: String, deletion: DeletionView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    let (class, text, owed) = match deletion {
        DeletionView::NotOwed => return rsx! {},
        DeletionView::Owed { by } => ("small", tr!(t, "receipt-owed", by = t.date_time(by)), true),
        DeletionView::Overdue { by } => {
            ("notice wait", tr!(t, "receipt-overdue", by = t.date_time(by)), true)
        }
        DeletionView::Confirmed { at } => {
            ("small soft", tr!(t, "receipt-confirmed", at = t.date_time(at)), false)
        }
    };
    rsx! {
        p { class, "data-testid": "receipt", {text} }
        if owed {
            div {
                Button { label: tr!(t, "receipt-sign"), weight: Weight::Second, testid: "receipt-sign", onclick: move |()| asking.set(true) }
            }
        }
        if asking() {
            Confirm {
                id: "confirm-receipt",
                title: tr!(t, "receipt-title"),
                text: tr!(t, "receipt-text"),
                confirm: tr!(t, "receipt-confirm"),
                keep: tr!(t, "receipt-keep"),
                action,
                oncancel: move |()| asking.set(false),
                onconfirm: move |()| {
                    action.call(ConfirmDeletion { request: request.clone() }, move |()| {
                        asking.set(false);
                        onchange.call(());
                    });
                },
            }
        }
    }
}
