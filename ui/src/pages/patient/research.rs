//! Studies: those that can be joined, and those in which the patient takes part.

use super::sharing::Said;
use crate::components::actions::{Button, Weight};
use crate::components::check::CheckedBadge;
use crate::components::dialog::Confirm;
use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{counted, named, study_title};
use crate::components::relationship::AsPatientOf;
use crate::hooks::{use_action, use_load};
use crate::i18n::{Translator, tr, use_translator};
use crate::route::Route;
use amulet_app_api::research::{
    JoinedStudyView, LeaveStudy, Research as ResearchCall, ResearchView, StudyView,
};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Research() -> Element {
    let t = use_translator();
    let research = use_load(ResearchCall {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "research-title"), lead: tr!(t, "research-lead"), back: Route::Sharing {} }
            {show(research, |view| rsx! { Body { view: view.clone(), onchange: research.reload } })}
        }
    }
}

#[component]
fn Body(view: ResearchView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let mut said = use_signal(|| None::<String>);
    let left = move |title: String| {
        said.set(Some(tr!(t, "study-left", title = title)));
        onchange.call(());
    };
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        if let Some(said) = said() {
            Said { key: "{said}", said }
        }
        if !view.joined.is_empty() {
            section { class: "stack tight", "aria-labelledby": "joined",
                h2 { id: "joined", {tr!(t, "research-joined")} }
                for joined in view.joined.clone() {
                    Joined { key: "{joined.study.name.id}", joined, onleft: left }
                }
            }
        }
        if view.open.is_empty() {
            Empty { icon: Icon::Search, title: tr!(t, "research-empty-title"), text: tr!(t, "research-empty-text") }
        } else {
            section { class: "stack tight", "aria-labelledby": "open-studies",
                h2 { id: "open-studies", {tr!(t, "research-open")} }
                for study in view.open.clone() {
                    Open { key: "{study.name.id}", study }
                }
            }
        }
    }
}

/// Who reads what until when for the study: made from the study's own fields and from nothing else.
pub fn study_sentence(t: Translator, study: &StudyView) -> String {
    let hospital = t.hospital(&study.name.sponsor);
    let who = match &study.department {
        Some(department) => {
            tr!(t, "study-who-department", department = t.department(department), hospital = hospital)
        }
        None => tr!(t, "study-who", hospital = hospital),
    };
    tr!(t, "study-sentence", who = who, what = named(t, &study.categories), until = t.day(study.ends))
}

/// Which record dates a study reads.
fn dates(t: Translator, study: &StudyView) -> String {
    match (&study.records_from, &study.records_to) {
        (Some(from), Some(to)) => {
            tr!(t, "study-dates-between", from = t.record_date(from), to = t.record_date(to))
        }
        (Some(from), None) => tr!(t, "study-dates-from", from = t.record_date(from)),
        (None, Some(to)) => tr!(t, "study-dates-to", to = t.record_date(to)),
        (None, None) => tr!(t, "study-dates-all"),
    }
}

/// All that the ledger says of a study.
#[component]
pub fn StudyFacts(study: StudyView) -> Element {
    let t = use_translator();
    let board = t.wording(&study.board.name_zh, &study.board.name_en);
    let approved = if board.is_empty() {
        tr!(t, "study-approved-by-former", at = t.day(study.approved_at))
    } else {
        tr!(t, "study-approved", board = board, at = t.day(study.approved_at))
    };
    rsx! {
        p { class: "aim", {t.wording(&study.aim_zh, &study.aim_en)} }
        p { "data-testid": "study-sentence", {study_sentence(t, &study)} }
        p { class: "small soft", {dates(t, &study)} }
        p { class: "row small", "data-testid": "study-approved",
            Glyph { icon: Icon::Check, size: 18 }
            span { {approved} }
        }
        p { class: "small soft", {tr!(t, "study-participants", n = study.participants, max = study.participants_max)} }
    }
}

#[component]
fn Open(study: StudyView) -> Element {
    let t = use_translator();
    let full = study.participants >= study.participants_max;
    rsx! {
        article { class: "card-box stack tight", "data-testid": "open-study",
            h3 { {study_title(t, &study.name)} }
            StudyFacts { study: study.clone() }
            if full {
                p { class: "strong", {tr!(t, "study-full")} }
            } else {
                div {
                    Link { class: Weight::Second.class(), to: Route::Study { id: study.name.id.clone() }, "data-testid": "see-study",
                        {tr!(t, "study-see")}
                    }
                }
            }
        }
    }
}

#[component]
fn Joined(joined: JoinedStudyView, onleft: EventHandler<String>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    let JoinedStudyView { study, shares } = joined;
    let title = study_title(t, &study.name);
    let (id, left) = (study.name.id.clone(), title.clone());
    let withdraw = move |()| {
        let left = left.clone();
        action.call(LeaveStudy { study: id.clone() }, move |()| {
            asking.set(false);
            onleft.call(left);
        });
    };
    rsx! {
        article { class: "card-box stack tight", "data-testid": "joined-study",
            h3 { {title.clone()} }
            for share in shares {
                div { key: "{share.id}",
                    p { class: "strong",
                        {tr!(t, "study-opens", what = counted(t, &share.counts), until = t.day(share.until))}
                    }
                    AsPatientOf { hospital: share.relationship.clone() }
                    if !share.standing.is_empty() {
                        p { class: "small", {tr!(t, "share-standing", what = named(t, &share.standing))} }
                    }
                }
            }
            details { class: "technical",
                summary { {tr!(t, "study-about")} }
                StudyFacts { study: study.clone() }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            div {
                Button { label: tr!(t, "study-withdraw"), weight: Weight::Danger, testid: "study-withdraw", disabled: action.is_running(), onclick: move |()| asking.set(true) }
            }
        }
        if asking() {
            Confirm {
                id: "confirm-withdraw",
                title: tr!(t, "study-withdraw-title", title = title),
                text: tr!(t, "study-withdraw-text"),
                confirm: tr!(t, "study-withdraw"),
                keep: tr!(t, "study-withdraw-keep"),
                action,
                oncancel: move |()| {
                    action.clear_error();
                    asking.set(false);
                },
                onconfirm: withdraw,
            }
        }
    }
}
