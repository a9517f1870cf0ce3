//! What "checked" means: what this device verified, with whom, how fresh it is, and what another colour would mean.

use super::checking_cost::Cost;
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::check::{Standing, standing};
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::{use_action, use_load, use_now};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::pages::checkpoint::CheckpointLine;
use crate::pages::save_file::{SaveContradiction, SaveProof};
use amulet_app_api::ErrorCode;
use amulet_app_api::checking::{
    Checking, CheckingView, ContradictionView, HospitalAnswer, HospitalCheckView,
};
use amulet_app_api::files::ProofOf;
use amulet_app_api::wallet::{CheckedView, Sync};
use dioxus::prelude::*;

/// How often ages on the page are renewed.
const AGE_EVERY_MS: u32 = 15_000;

/// The page.
#[component]
pub fn CheckingPage() -> Element {
    let app = use_app();
    let t = use_translator();
    let checking = use_load(Checking {});
    let action = use_action();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "checking-title"), lead: tr!(t, "checking-lead"), back: app.first_page() }
            {show(checking, |view| rsx! { Body { view: view.clone() } })}
            Cost {}
            Meanings {}
            ActionBar {
                Button {
                    label: tr!(t, "checking-now"),
                    weight: Weight::Main,
                    icon: Icon::Refresh,
                    testid: "check-now",
                    busy: action.is_running(),
                    onclick: move |()| {
                        action
                            .run(
                                async move {
                                    // What is wrong stands on the page itself.
                                    let _ = app.call(Sync { all: true }).await;
                                    Ok(())
                                },
                                move |()| checking.reload.call(()),
                            );
                    },
                }
            }
        }
    }
}

#[component]
fn Body(view: CheckingView) -> Element {
    let t = use_translator();
    let now = use_now(AGE_EVERY_MS);
    let standing = standing(view.checked.as_ref(), view.trouble.as_ref(), now());
    let (class, icon, key) = match standing {
        Standing::Good | Standing::Spared => ("notice good", Icon::Check, "checking-good"),
        Standing::Few => ("notice wait", Icon::Clock, "checking-wait"),
        Standing::Old if view.trouble.is_some() => ("notice wait", Icon::Clock, "checking-failed"),
        Standing::Old => ("notice wait", Icon::Clock, "checking-old"),
        Standing::Never => ("notice wait", Icon::Clock, "checked-never"),
        Standing::Danger => ("notice danger", Icon::Warning, "checking-danger"),
    };
    let signs_in = wants_sign_in(view.hospitals.iter().map(|check| check.answer));
    let trouble_says_so = view.trouble.as_ref().is_some_and(|error| error.code == ErrorCode::Unreachable);
    let liars = view.hospitals.iter().filter(|check| check.answer == HospitalAnswer::Forged);
    let liars: Vec<String> = liars.map(|check| t.hospital(&check.hospital)).collect();
    rsx! {
        div { class, role: "status", "data-testid": "checking-standing",
            Glyph { icon, size: 24 }
            div { class: "stack tight grow",
                h2 { {t.text(key, &[])} }
                if let Some(checked) = &view.checked {
                    p { {sentence(t, checked, standing, now())} }
                }
            }
        }
        if let Some(error) = view.trouble.clone() {
            ErrorNotice { error, calm: standing != Standing::Danger }
        }
        if view.trouble.is_none() && !liars.is_empty() {
            div { class: "notice wait", role: "status", "data-testid": "checking-liars",
                Glyph { icon: Icon::Warning, size: 24 }
                div { class: "stack tight grow",
                    p { class: "strong", {tr!(t, "checking-liars", hospitals = t.list(&liars))} }
                    p { {tr!(t, "checking-liars-means")} }
                    p { class: "strong", {tr!(t, "checking-liars-next")} }
                }
            }
        }
        if !view.hospitals.is_empty() {
            section { class: "stack tight",
                h2 { {tr!(t, "checking-hospitals")} }
                Agreement { answers: view.hospitals.iter().map(|check| check.answer).collect::<Vec<_>>() }
                if signs_in && !trouble_says_so {
                    div { class: "notice wait", role: "status", "data-testid": "checking-portal",
                        Glyph { icon: Icon::Offline, size: 24 }
                        div { class: "stack tight grow",
                            p { class: "strong", {tr!(t, "checking-portal")} }
                            p { {tr!(t, "checking-portal-next")} }
                        }
                    }
                }
                ul { class: "list",
                    for check in view.hospitals.iter() {
                        li { key: "{check.hospital.did}", Hospital { check: check.clone() } }
                    }
                }
            }
        }
        if !view.contradictions.is_empty() {
            section { class: "stack tight", "data-testid": "checking-contradictions",
                h2 { {tr!(t, "checking-contradictions")} }
                p { {tr!(t, "checking-contradictions-more")} }
                p { class: "strong", {tr!(t, "contradiction-do")} }
                ol { class: "steps",
                    li { {tr!(t, "contradiction-do-nothing")} }
                    li { {tr!(t, "contradiction-do-call")} }
                    li { {tr!(t, "contradiction-do-file")} }
                }
                for (place, found) in view.contradictions.iter().enumerate() {
                    Contradiction { key: "{found.found_at}-{found.entries[0].1}", place, found: found.clone() }
                }
            }
        }
        if let Some(memory) = view.memory {
            p { class: "notice wait", role: "status", "data-testid": "checking-memory",
                {t.text(words::memory_trouble(&memory), &[])}
            }
        }
        if let Some(checked) = view.checked.clone() {
            Verified { checked: checked.clone(), failed_since: view.trouble.is_some() }
            Technical { view: view.clone(), checked }
            SaveProof { of: ProofOf::NewestEntry }
            CheckpointLine {}
        }
    }
}

/// The badge's sentence, for what was checked last.
fn sentence(t: Translator, checked: &CheckedView, standing: Standing, now: u64) -> String {
    let ago = t.ago(checked.checked_at, now);
    t.text(
        standing.sentence(),
        &[("agreeing", checked.agreeing.into()), ("total", checked.total.into()), ("ago", ago.into())],
    )
}

/// Whether it is the network that answers in the hospitals' place: then none of them answers itself. One whose address leads to a
/// web page says nothing of this network.
fn wants_sign_in(answers: impl Iterator<Item = HospitalAnswer> + Clone) -> bool {
    let unheard = [HospitalAnswer::Elsewhere, HospitalAnswer::Silent, HospitalAnswer::NotAsked];
    answers.clone().any(|answer| answer == HospitalAnswer::Elsewhere)
        && answers.clone().all(|answer| unheard.contains(&answer))
}

/// How an answer looks: its icon, and the classes of its tile, its tag and its part of the picture.
fn look(answer: HospitalAnswer) -> (Icon, &'static str, &'static str, &'static str) {
    match answer {
        HospitalAnswer::Agrees => (Icon::Check, "tile", "tag good", "part good"),
        HospitalAnswer::Behind { .. }
        | HospitalAnswer::Unproven
        | HospitalAnswer::NothingYet
        | HospitalAnswer::NotAsked
        | HospitalAnswer::Refused
        | HospitalAnswer::AheadOfClock
        | HospitalAnswer::OtherGroup => (Icon::Clock, "tile", "tag wait", "part wait"),
        HospitalAnswer::Silent | HospitalAnswer::Elsewhere => {
            (Icon::Offline, "tile", "tag wait", "part wait")
        }
        HospitalAnswer::Forged | HospitalAnswer::Contradicts => {
            (Icon::Warning, "tile danger", "tag danger", "part danger")
        }
    }
}

/// How the answers stand together, in one line.
fn summary(t: Translator, answers: &[HospitalAnswer]) -> String {
    let count = |wanted: fn(&HospitalAnswer) -> bool| answers.iter().filter(|answer| wanted(answer)).count();
    let agree = count(|answer| *answer == HospitalAnswer::Agrees);
    let contradict = count(|answer| *answer == HospitalAnswer::Contradicts);
    let ahead = count(|answer| *answer == HospitalAnswer::AheadOfClock);
    let spared = count(|answer| *answer == HospitalAnswer::NotAsked);
    let silent = count(|answer| matches!(answer, HospitalAnswer::Silent | HospitalAnswer::Elsewhere));
    let all = answers.len();
    if contradict > 0 {
        return tr!(t, "checking-contradict", n = contradict, m = all);
    }
    match agree {
        0 if silent == all => tr!(t, "checking-silent", m = all),
        0 if ahead > 0 => tr!(t, "checking-ahead", n = ahead, m = all),
        _ if spared > 0 => tr!(t, "checking-agreement-spared", n = agree, m = all - spared, spared = spared),
        _ => tr!(t, "checking-agreement", n = agree, m = all),
    }
}

/// Who agrees, at a glance; the list below says the same in words.
#[component]
fn Agreement(answers: Vec<HospitalAnswer>) -> Element {
    let t = use_translator();
    let label = summary(t, &answers);
    rsx! {
        div { class: "agreement", role: "img", "aria-label": "{label}", "data-testid": "checking-agreement",
            for (index, answer) in answers.iter().enumerate() {
                span { key: "{index}", class: look(*answer).3, Glyph { icon: look(*answer).0, size: 20 } }
            }
        }
        p { class: "strong", "aria-hidden": "true", "{label}" }
    }
}

#[component]
fn Hospital(check: HospitalCheckView) -> Element {
    let t = use_translator();
    let (icon, tile, tag, _) = look(check.answer);
    let blocks = match check.answer {
        HospitalAnswer::Behind { blocks } => blocks,
        _ => 0,
    };
    let key = words::hospital_answer(&check.answer);
    rsx! {
        div { class: "line wraps", "data-testid": "checking-hospital",
            span { class: tile, Glyph { icon } }
            span { class: "grow",
                span { class: "strong block", {t.hospital(&check.hospital)} }
                span { class: "small block", {t.attribute(key, "means", &[("blocks", blocks.into())])} }
            }
            span { class: tag, {t.text(key, &[])} }
        }
    }
}

/// Two entries that exclude each other, and what the hospitals that were shown them said.
#[component]
fn Contradiction(place: usize, found: ContradictionView) -> Element {
    let t = use_translator();
    rsx! {
        SaveContradiction { place }
        p { class: "strong", {tr!(t, "checking-contradiction", time = t.date_time(found.found_at))} }
        if found.told.is_empty() {
            p { class: "small", {tr!(t, "checking-told-nobody")} }
        }
        ul { class: "list",
            for told in found.told.iter() {
                li { key: "{told.hospital.did}", class: "line",
                    span { class: "grow",
                        span { class: "strong block", {t.hospital(&told.hospital)} }
                        span { class: "small block", {t.text(words::told_answer(&told.answer), &[])} }
                    }
                }
            }
        }
        details { class: "technical",
            summary { {tr!(t, "proof-technical")} }
            dl { class: "facts",
                for (height, hash) in found.entries.iter() {
                    dt { {tr!(t, "proof-block")} " {height}" }
                    dd { class: "mono", "{hash}" }
                }
            }
        }
    }
}

/// What this device did itself, in the last check that succeeded.
#[component]
fn Verified(checked: CheckedView, failed_since: bool) -> Element {
    let t = use_translator();
    let title = if failed_since {
        tr!(t, "checking-verified-then", time = t.date_time(checked.checked_at))
    } else {
        tr!(t, "checking-verified")
    };
    let signed = tr!(t, "checking-signatures-more", n = checked.signed, m = checked.total);
    let newest = tr!(t, "checking-newest-more", time = t.date_time(checked.block_time));
    let done = [
        (tr!(t, "checking-signatures"), signed),
        (tr!(t, "checking-several"), tr!(t, "checking-several-more")),
        (tr!(t, "checking-continues"), tr!(t, "checking-continues-more")),
        (tr!(t, "checking-newest"), newest),
    ];
    rsx! {
        section { class: "stack tight",
            h2 { {title} }
            ul { class: "checks",
                for (what, more) in done {
                    li { key: "{what}",
                        Glyph { icon: Icon::Check, size: 18 }
                        div {
                            p { class: "strong", {what} }
                            p { class: "small", {more} }
                        }
                    }
                }
            }
        }
    }
}

/// What each colour would mean, and what to do then.
#[component]
fn Meanings() -> Element {
    let t = use_translator();
    rsx! {
        details { class: "technical", "data-testid": "checking-meanings",
            summary { {tr!(t, "checking-colours")} }
            div { class: "stack",
                for (class, icon, key) in [
                    ("notice good", Icon::Check, "checking-if-good"),
                    ("notice wait", Icon::Clock, "checking-if-wait"),
                    ("notice danger", Icon::Warning, "checking-if-danger"),
                ] {
                    div { key: "{key}", class,
                        Glyph { icon, size: 24 }
                        div { class: "stack tight grow",
                            p { class: "strong", {t.text(key, &[])} }
                            p { {t.attribute(key, "means", &[])} }
                            p { {t.attribute(key, "next", &[])} }
                        }
                    }
                }
                p { class: "small", {tr!(t, "checking-not-seen")} }
            }
        }
    }
}

#[component]
fn Technical(view: CheckingView, checked: CheckedView) -> Element {
    let t = use_translator();
    rsx! {
        details { class: "technical",
            summary { {tr!(t, "proof-technical")} }
            dl { class: "facts",
                dt { {tr!(t, "proof-block")} }
                dd { "{checked.height}" }
                dt { {tr!(t, "proof-time")} }
                dd { {t.date_time(checked.block_time)} }
                dt { {tr!(t, "proof-signed")} }
                dd { {tr!(t, "n-of-m", n = checked.signed, m = checked.total)} }
                dt { {tr!(t, "proof-header-hash")} }
                dd { class: "mono", "{checked.header_hash}" }
                dt { {tr!(t, "checking-chain")} }
                dd { class: "mono", "{view.chain}" }
                dt { {tr!(t, "checking-epoch")} }
                dd { {tr!(t, "checking-epoch-times", n = view.epoch)} }
                if let Some(until) = view.trusts_until {
                    dt { {tr!(t, "checking-trusts-until")} }
                    dd { {t.date_time(until)} }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_asked_for_only_if_no_hospital_answers_itself() {
        use HospitalAnswer::{Agrees, Elsewhere, Silent};
        assert!(wants_sign_in([Elsewhere, Silent, Elsewhere].into_iter()));
        assert!(
            !wants_sign_in([Agrees, Agrees, Elsewhere].into_iter()),
            "that one's address leads to a page"
        );
        assert!(!wants_sign_in([Silent, Silent].into_iter()));
    }
}
