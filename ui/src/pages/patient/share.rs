//! One share: what it opens, and pausing, lengthening and taking it back; once it has ended, whether its reader deleted.

use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::people::{Countdown, counted, grantee, grantee_name, named};
use crate::components::progress::ActionProgress;
use crate::components::relationship::AsPatientOf;
use crate::hooks::use_action;
use crate::i18n::{Translator, tr, use_translator, words};
use crate::pages::save_file::SaveProof;
use crate::platform;
use crate::route::Route;
use amulet_app_api::access::{
    DeletionView, ExtendGrant, PauseGrant, ResumeGrant, RevokeGrant, ShareState, ShareView,
};
use amulet_app_api::files::ProofOf;
use amulet_app_api::wallet::TimeMs;
use dioxus::prelude::*;

/// How much longer a share may last, in days, with the words for it.
const LONGER: [(u64, &str); 3] = [(1, "extend-day"), (7, "extend-week"), (30, "extend-month")];
const DAY_MS: TimeMs = 86_400_000;

/// What a share waits for.
#[derive(Clone, Copy, PartialEq)]
enum Asking {
    TakeBack,
    Extend,
}

/// A share that opens its records, or would if it were not paused.
#[component]
pub fn ActiveShare(share: ShareView, onchange: EventHandler<String>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| None::<Asking>);
    let paused = share.state == ShareState::Paused;
    let used_up = share.state == ShareState::UsedUp;
    let mut ask = move |what: Asking| {
        action.clear_error();
        asking.set(Some(what));
    };
    let mut stop_asking = move || {
        action.clear_error();
        asking.set(None);
    };
    let (id, hold_id) = (share.id.clone(), share.id.clone());
    let reader = grantee(t, &share.to);
    let (taken_from, held, extended) = (reader.clone(), reader.clone(), reader);
    let take_back = move |()| {
        let said = tr!(t, "said-taken-back", who = taken_from.clone());
        action.call(RevokeGrant { grant: id.clone() }, move |()| {
            asking.set(None);
            onchange.call(said);
        });
    };
    let hold = move |()| {
        let (grant, who) = (hold_id.clone(), held.clone());
        if paused {
            action.call(ResumeGrant { grant }, move |()| onchange.call(tr!(t, "said-resumed", who = who)));
        } else {
            action.call(PauseGrant { grant }, move |()| onchange.call(tr!(t, "said-paused", who = who)));
        }
    };
    rsx! {
        article { class: "card-box stack tight", "data-testid": "active-share",
            if paused {
                p { class: "strong", {tr!(t, "paused-title", who = grantee(t, &share.to), what = counted(t, &share.counts))} }
                div { class: "notice wait", "data-testid": "paused-share",
                    Glyph { icon: Icon::Clock, size: 24 }
                    p { {tr!(t, "paused-text")} }
                }
            } else if used_up {
                p { class: "strong", {tr!(t, "used-up-title", who = grantee(t, &share.to), what = counted(t, &share.counts))} }
            } else {
                p { class: "strong", {super::sharing::share_sentence(t, &share)} }
            }
            AsPatientOf { hospital: share.relationship.clone() }
            div { class: "row wrap small soft",
                Countdown { until: share.until }
                span { {uses(t, &share)} }
            }
            if asking().is_none() {
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
            }
            div { class: "row wrap", role: "group", "aria-label": grantee(t, &share.to),
                if !used_up {
                Button {
                    label: if paused { tr!(t, "resume") } else { tr!(t, "pause") },
                    weight: Weight::Second,
                    testid: if paused { "resume" } else { "pause" },
                    busy: action.is_running(),
                    onclick: hold,
                }
                if !action.is_running() {
                    Link { class: Weight::Second.class(), to: Route::Narrow { grant: share.id.clone() }, "data-testid": "open-less", {tr!(t, "narrow-open")} }
                }
                if longer(&share).next().is_some() {
                Button { label: tr!(t, "extend"), weight: Weight::Second, testid: "extend", disabled: action.is_running(), onclick: move |()| ask(Asking::Extend) }
                }
                }
                Button { label: tr!(t, "take-back"), weight: Weight::Danger, testid: "take-back", disabled: action.is_running(), onclick: move |()| ask(Asking::TakeBack) }
            }
            if !share.standing.is_empty() {
                p { class: "small", "data-testid": "share-standing", {tr!(t, "share-standing", what = named(t, &share.standing))} }
            }
            SaveProof { of: ProofOf::Grant { id: share.id.clone() } }
        }
        if asking() == Some(Asking::TakeBack) {
            Confirm {
                id: "confirm-take-back",
                title: tr!(t, "take-back-title", name = grantee_name(t, &share.to)),
                text: tr!(t, "take-back-text"),
                confirm: tr!(t, "take-back"),
                keep: tr!(t, "take-back-keep"),
                action,
                oncancel: move |()| stop_asking(),
                onconfirm: take_back,
            }
        }
        if asking() == Some(Asking::Extend) {
            Longer {
                share: share.clone(),
                onclose: move |until: Option<TimeMs>| {
                    asking.set(None);
                    if let Some(until) = until {
                        onchange.call(tr!(t, "said-extended", who = extended.clone(), until = t.date_time(until)));
                    }
                },
            }
        }
    }
}

/// How often a share was used, of how often it may be.
fn uses(t: Translator, share: &ShareView) -> String {
    match share.uses_max {
        Some(max) => tr!(t, "share-uses-of", n = share.uses, max = max),
        None => tr!(t, "share-uses", n = share.uses),
    }
}

/// How much longer a share may last, as far as the ledger lets any last.
fn longer(share: &ShareView) -> impl Iterator<Item = (u64, &'static str)> {
    let (end, most) = (share.until, share.until_max);
    LONGER.into_iter().filter(move |(days, _)| end + days * DAY_MS <= most)
}

/// Asks how much longer a share may last.
#[component]
fn Longer(share: ShareView, onclose: EventHandler<Option<TimeMs>>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut days = use_signal(|| LONGER[0].0);
    use_effect(|| platform::show_modal("extend-dialog"));
    let (grant, end) = (share.id.clone(), share.until);
    rsx! {
        dialog {
            id: "extend-dialog",
            class: "dialog",
            "aria-labelledby": "extend-title",
            "aria-describedby": "extend-text",
            "data-testid": "extend-dialog",
            onkeydown: move |event| {
                if event.key() == Key::Escape {
                    event.prevent_default();
                    if !action.is_running() {
                        onclose.call(None);
                    }
                }
            },
            div { class: "stack",
                h2 { id: "extend-title", {tr!(t, "extend-title", name = grantee_name(t, &share.to))} }
                p { id: "extend-text", {tr!(t, "extend-text", until = t.date_time(end))} }
                fieldset { class: "stack tight", disabled: action.is_running(),
                    legend { class: "visually-hidden", {tr!(t, "extend-title", name = grantee_name(t, &share.to))} }
                    for (number, key) in longer(&share) {
                        label { key: "{key}", class: "choice row",
                            input {
                                r#type: "radio",
                                name: "longer",
                                "data-testid": key,
                                checked: days() == number,
                                onchange: move |_| days.set(number),
                            }
                            span { {t.text(key, &[("until", t.date_time(end + number * DAY_MS).into())])} }
                        }
                    }
                }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
                div { class: "dialog-actions",
                    Button { label: tr!(t, "extend-keep"), weight: Weight::Second, testid: "extend-keep", disabled: action.is_running(), onclick: move |()| onclose.call(None) }
                    Button {
                        label: tr!(t, "extend-confirm"),
                        weight: Weight::Main,
                        testid: "extend-confirm",
                        busy: action.is_running(),
                        onclick: move |()| {
                            let until = end + days() * DAY_MS;
                            action.call(ExtendGrant { grant: grant.clone(), until }, move |()| onclose.call(Some(until)));
                        },
                    }
                }
            }
        }
    }
}

/// A share that has ended, and what became of what was read.
#[component]
pub fn EndedShare(share: ShareView) -> Element {
    let t = use_translator();
    let deletion = match share.deletion {
        DeletionView::NotOwed => None,
        DeletionView::Owed { by } => Some(("small", tr!(t, "deletion-owed", by = t.date_time(by)))),
        DeletionView::Overdue { by } => {
            Some(("notice wait", tr!(t, "deletion-overdue", by = t.date_time(by))))
        }
        DeletionView::Confirmed { at } => Some(("small", tr!(t, "deletion-confirmed", at = t.date_time(at)))),
    };
    rsx! {
        div { class: "stack tight", "data-testid": "ended-share",
            p { class: "strong", {grantee(t, &share.to)} }
            p { class: "small soft",
                span { class: if share.state == ShareState::Revoked { "tag danger" } else { "tag" }, {t.text(words::share_state(&share.state), &[])} }
                " "
                {tr!(t, "share-was", what = counted(t, &share.counts), from = t.day(share.granted_at), until = t.day(share.until))}
            }
            AsPatientOf { hospital: share.relationship.clone() }
            p { class: "small soft", {uses(t, &share)} }
            if let Some((class, text)) = deletion {
                p { class, "data-testid": "share-deletion", {text} }
            }
            SaveProof { of: ProofOf::Grant { id: share.id.clone() } }
        }
    }
}
