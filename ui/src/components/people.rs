//! People, hospitals, and how long they may read.

use crate::hooks::use_now;
use crate::i18n::dates::{TimeLeft, countdown};
use crate::i18n::{Translator, tr, use_translator, words};
use amulet_app_api::access::{GranteeView, PractitionerView, StaffView, StudyNameView};
use amulet_app_api::records::Category;
use amulet_app_api::wallet::TimeMs;
use dioxus::prelude::*;

/// "Zhao Lei, Emergency, County Hospital", in the order and the language of the page.
pub fn who(t: Translator, person: &PractitionerView) -> String {
    // A relative, or somebody whom no hospital registered: there is only the code.
    if person.hospital.did.is_empty() {
        return tr!(t, "who-code", code = person.name.clone());
    }
    tr!(
        t,
        "who",
        name = person.name.clone(),
        department = t.department(&person.department),
        hospital = t.hospital(&person.hospital)
    )
}

/// The staff of a hospital, a department or a role of it, in words.
pub fn staff(t: Translator, staff: &StaffView) -> String {
    let hospital = t.hospital(&staff.hospital);
    let department = staff.department.as_ref().map(|department| t.department(department));
    let role = staff.role.map(|role| t.text(words::practitioner_role(&role), &[]));
    match (department, role) {
        (None, None) => tr!(t, "staff", hospital = hospital),
        (Some(department), None) => tr!(t, "staff-department", department = department, hospital = hospital),
        (None, Some(role)) => tr!(t, "staff-role", role = role, hospital = hospital),
        (Some(department), Some(role)) => {
            tr!(t, "staff-department-role", role = role, department = department, hospital = hospital)
        }
    }
}

/// Who may read under a grant, in words.
pub fn grantee(t: Translator, grantee: &GranteeView) -> String {
    match grantee {
        GranteeView::Person(person) => who(t, person),
        GranteeView::Staff(staff) => self::staff(t, staff),
        GranteeView::Study(study) => study_of(t, study),
    }
}

/// A study and who answers for it, in words.
pub fn study_of(t: Translator, study: &StudyNameView) -> String {
    tr!(t, "study-of", title = study_title(t, study), hospital = t.hospital(&study.sponsor))
}

/// A study's title in the language of the page.
pub fn study_title(t: Translator, study: &StudyNameView) -> String {
    t.wording(&study.title_zh, &study.title_en)
}

/// The same in as few words as a title has room for.
pub fn grantee_name(t: Translator, grantee: &GranteeView) -> String {
    match grantee {
        GranteeView::Person(person) => person.name.clone(),
        GranteeView::Staff(staff) => self::staff(t, staff),
        GranteeView::Study(study) => study_title(t, study),
    }
}

/// "labs (42), medicines (7)", inside a sentence.
pub fn counted(t: Translator, counts: &[(Category, u64)]) -> String {
    let item = |(category, count): &(Category, u64)| {
        tr!(t, "category-count-inline", category = inline(t, *category), n = *count)
    };
    t.list(&counts.iter().map(item).collect::<Vec<_>>())
}

/// "labs, medicines", inside a sentence.
pub fn named(t: Translator, categories: &[Category]) -> String {
    t.list(&categories.iter().map(|category| inline(t, *category)).collect::<Vec<_>>())
}

/// A category's name as it stands in a sentence.
fn inline(t: Translator, category: Category) -> String {
    t.text(words::category(&category), &[]).to_lowercase()
}

/// Time left, running.
#[component]
pub fn Countdown(until: TimeMs) -> Element {
    let t = use_translator();
    let now = use_now(1000);
    let text = match countdown(until, now()) {
        Some(TimeLeft::Clock(clock)) => tr!(t, "time-left", time = clock),
        Some(TimeLeft::Days(days)) => tr!(t, "days-left", n = days),
        None => tr!(t, "time-over"),
    };
    rsx! {
        span { class: "countdown", role: "timer", "data-testid": "time-left", {text} }
    }
}
