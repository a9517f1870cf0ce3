//! Letting a running share open less: fewer records, for less time, less often. What stays open is shown before it is signed.

use super::choose_records::{ChooseRecords, by_category};
use super::sharing::share_sentence;
use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::field::Choice;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::people::named;
use crate::hooks::{use_action, use_load_once};
use crate::i18n::{Translator, tr, use_translator};
use crate::platform;
use crate::route::Route;
use amulet_app_api::access::{NarrowGrant, ShareRecords, ShareRecordsView, ShareState, ShareView};
use amulet_app_api::records::RecordLineView;
use amulet_app_api::wallet::TimeMs;
use dioxus::prelude::*;
use std::collections::BTreeSet;

const HOUR_MS: TimeMs = 3_600_000;
const DAY_MS: TimeMs = 24 * HOUR_MS;
/// From now until when a share may go on, with the words for it.
const SOONER: [(TimeMs, &str); 3] =
    [(HOUR_MS, "sooner-hour"), (DAY_MS, "sooner-day"), (7 * DAY_MS, "sooner-week")];
/// How many more times a share may be used, with the words for it.
const FEWER: [(u64, &str); 2] = [(1, "fewer-once"), (3, "fewer-thrice")];

/// The page.
#[component]
pub fn Narrow(grant: String) -> Element {
    let t = use_translator();
    let records = use_load_once(ShareRecords { grant });
    let done = use_signal(|| None::<String>);
    rsx! {
        div { class: "page",
            match done.read().clone() {
                Some(sentence) => rsx! { Done { sentence } },
                None => rsx! {
                    PageHead { title: tr!(t, "narrow-title"), back: Route::Sharing {} }
                    {show(records, |view| rsx! { Question { view: view.clone(), done } })}
                },
            }
        }
    }
}

/// What a share would be after the change.
fn narrowed(
    share: &ShareView,
    left: &[RecordLineView],
    until: Option<TimeMs>,
    uses: Option<u64>,
) -> ShareView {
    ShareView {
        counts: by_category(left),
        until: until.unwrap_or(share.until),
        uses_max: uses.or(share.uses_max),
        ..share.clone()
    }
}

#[component]
fn Question(view: ShareRecordsView, done: Signal<Option<String>>) -> Element {
    let t = use_translator();
    let mut done = done;
    let action = use_action();
    let without = use_signal(BTreeSet::<String>::new);
    let until = use_signal(|| None::<TimeMs>);
    let uses = use_signal(|| None::<u64>);
    let mut asking = use_signal(|| false);
    let share = view.share.clone();
    if !matches!(share.state, ShareState::Active | ShareState::Paused) {
        return rsx! {
            div { class: "notice wait", role: "status", "data-testid": "narrow-ended",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "narrow-ended")} }
            }
        };
    }
    let left: Vec<RecordLineView> =
        view.records.iter().filter(|line| !without.read().contains(&line.id)).cloned().collect();
    let closed = view.records.len() - left.len();
    let changes = closed > 0 || until().is_some() || uses().is_some();
    let nothing_left = left.is_empty() && view.hidden == 0;
    let after = narrowed(&share, &left, until(), uses());
    let grant = share.id.clone();
    let sign = move |()| {
        let call = NarrowGrant {
            grant: grant.clone(),
            without: without.peek().iter().cloned().collect(),
            until: *until.peek(),
            uses_max: uses.peek().and_then(|uses| u32::try_from(uses).ok()),
        };
        let sentence = share_sentence(t, &after);
        action.call(call, move |()| done.set(Some(sentence)));
    };
    let after = narrowed(&share, &left, until(), uses());
    rsx! {
        p { class: "sentence", "data-testid": "narrow-now", {share_sentence(t, &share)} }
        section { class: "stack tight", "aria-labelledby": "narrow-records",
            h2 { id: "narrow-records", {tr!(t, "narrow-records")} }
            p { class: "soft small", {tr!(t, "request-exactly-hint")} }
            ChooseRecords { lines: view.records.clone(), without, locked: action.is_running() }
            if view.hidden > 0 {
                p { class: "soft small", {tr!(t, "narrow-hidden", n = view.hidden)} }
            }
        }
        Sooner { end: share.until, until, locked: action.is_running() }
        Fewer { used: share.uses, max: share.uses_max, uses, locked: action.is_running() }
        section { class: "stack tight", "aria-labelledby": "narrow-after",
            h2 { id: "narrow-after", {tr!(t, "narrow-after")} }
            div { role: "status", "aria-live": "polite", "data-testid": "narrow-preview", class: "card-box stack tight",
                if nothing_left {
                    p { class: "strong", {tr!(t, "narrow-nothing-left")} }
                } else {
                    p { class: "strong", {share_sentence(t, &after)} }
                    if let Some(max) = after.uses_max {
                        p { {tr!(t, "narrow-uses-left", n = max.saturating_sub(share.uses))} }
                    }
                    p { class: "soft small", {tr!(t, "narrow-closed", n = closed)} }
                    if !share.standing.is_empty() {
                        p { {tr!(t, "narrow-standing", what = named(t, &share.standing))} }
                    }
                }
            }
            p { class: "small", {read_already(t, &share)} }
        }
        ActionBar {
            Button {
                label: tr!(t, "narrow-go-on"),
                weight: Weight::Main,
                testid: "narrow",
                busy: action.is_running(),
                disabled: !changes || nothing_left,
                onclick: move |()| {
                    action.clear_error();
                    asking.set(true);
                },
            }
        }
        if asking() {
            Confirm {
                id: "confirm-narrow",
                title: tr!(t, "narrow-confirm-title"),
                text: said(t, &after, closed),
                confirm: tr!(t, "narrow-confirm"),
                keep: tr!(t, "narrow-keep"),
                action,
                oncancel: move |()| asking.set(false),
                onconfirm: sign,
            }
        }
    }
}

/// What is signed: what stays open, how often, and what is lost.
fn said(t: Translator, after: &ShareView, closed: usize) -> String {
    let uses = after.uses_max.map(|max| tr!(t, "narrow-uses-left", n = max.saturating_sub(after.uses)));
    let sentences = [Some(share_sentence(t, after)), uses, Some(tr!(t, "narrow-confirm-text", n = closed))];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What the change does not undo.
fn read_already(t: Translator, share: &ShareView) -> String {
    match share.uses {
        0 => tr!(t, "narrow-unread"),
        n => tr!(t, "narrow-read-already", n = n),
    }
}

/// An earlier end.
#[component]
fn Sooner(end: TimeMs, until: Signal<Option<TimeMs>>, locked: bool) -> Element {
    let t = use_translator();
    let mut until = until;
    // Once, so that the choices do not run away while they are read.
    let now = use_hook(platform::now);
    rsx! {
        fieldset { class: "stack tight", disabled: locked,
            legend { class: "legend", {tr!(t, "narrow-until")} }
            Choice {
                name: "sooner",
                testid: "sooner-same",
                label: tr!(t, "sooner-same", until = t.date_time(end)),
                chosen: until().is_none(),
                onchoose: move |()| until.set(None),
            }
            for (time, key) in SOONER.into_iter().filter(|(time, _)| now + time < end) {
                Choice {
                    key: "{key}",
                    name: "sooner",
                    testid: key,
                    label: t.text(key, &[("until", t.date_time(now + time).into())]),
                    chosen: until() == Some(now + time),
                    onchoose: move |()| until.set(Some(now + time)),
                }
            }
        }
    }
}

/// A limit of uses, or a lower one.
#[component]
fn Fewer(used: u64, max: Option<u64>, uses: Signal<Option<u64>>, locked: bool) -> Element {
    let t = use_translator();
    let mut uses = uses;
    let same = match max {
        Some(max) => tr!(t, "fewer-same-of", n = max.saturating_sub(used)),
        None => tr!(t, "fewer-same"),
    };
    let is_fewer = move |more: u64| max.is_none_or(|max| used + more < max);
    rsx! {
        fieldset { class: "stack tight", disabled: locked,
            legend { class: "legend", {tr!(t, "narrow-uses")} }
            Choice { name: "fewer", testid: "fewer-same", label: same, chosen: uses().is_none(), onchoose: move |()| uses.set(None) }
            for (more, key) in FEWER.into_iter().filter(|(more, _)| is_fewer(*more)) {
                Choice {
                    key: "{key}",
                    name: "fewer",
                    testid: key,
                    label: t.text(key, &[]),
                    chosen: uses() == Some(used + more),
                    onchoose: move |()| uses.set(Some(used + more)),
                }
            }
        }
    }
}

#[component]
fn Done(sentence: String) -> Element {
    let t = use_translator();
    rsx! {
        PageHead { title: tr!(t, "narrow-done") }
        div { class: "notice good", role: "status", "data-testid": "narrowed",
            Glyph { icon: Icon::Check, size: 24 }
            p { {sentence} }
        }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::Sharing {}, "data-testid": "to-sharing", {tr!(t, "to-sharing")} }
        }
    }
}
