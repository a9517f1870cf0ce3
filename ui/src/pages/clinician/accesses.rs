//! What this clinician asked for, may read, and could once.

use crate::components::actions::Weight;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{Countdown, named, who};
use crate::hooks::use_load;
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::clinician::{MyAccessState, MyAccessView, MyAccesses as MyAccessesCall, MyAccessesView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Accesses() -> Element {
    let t = use_translator();
    let load = use_load(MyAccessesCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-accesses"), lead: tr!(t, "accesses-lead") }
            {show(load, |view| rsx! { Body { view: view.clone() } })}
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
            MyAccessState::Active { .. } | MyAccessState::Emergency { .. } => Self::Active,
            MyAccessState::Waiting { .. } => Self::Waiting,
            MyAccessState::Declined
            | MyAccessState::Unanswered
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
fn Body(view: MyAccessesView) -> Element {
    let t = use_translator();
    rsx! {
        p { class: "soft small", {who(t, &view.me)} }
        if view.accesses.is_empty() {
            Empty { icon: Icon::Key, title: tr!(t, "accesses-empty-title"), text: tr!(t, "accesses-empty-text"),
                Link { class: Weight::Main.class(), to: Route::Ask {}, {tr!(t, "accesses-empty-step")} }
            }
        }
        for group in [Group::Active, Group::Waiting, Group::Ended] {
            if view.accesses.iter().any(|access| Group::of(&access.state) == group) {
                section { key: "{group.heading()}", class: "stack tight", "aria-labelledby": group.heading(), "data-testid": group.heading(),
                    h2 { id: group.heading(), {t.text(group.heading(), &[])} }
                    for access in view.accesses.iter().filter(|access| Group::of(&access.state) == group).cloned() {
                        Access { key: "{access.id}", access }
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
fn Access(access: MyAccessView) -> Element {
    let t = use_translator();
    let state = t.text(words::access_state(&access.state), &[]);
    let (tone, until) = match &access.state {
        MyAccessState::Active { until, .. } => ("tag good", Some(*until)),
        MyAccessState::Emergency { until } => ("tag danger", Some(*until)),
        MyAccessState::Waiting { answer_by } => ("tag wait", Some(*answer_by)),
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
        }
    }
}
