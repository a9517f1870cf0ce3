//! Giving access unasked: to whom, what, how long; then exactly what that opens; then the signature.

use super::choose_records::{ChooseRecords, NotShown, ticked};
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint, TextField, Tick};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::people::{grantee, named};
use crate::components::progress::ActionProgress;
use crate::components::relationship::{AsPatientOf, hospitals};
use crate::components::terms::{Categories, Hours};
use crate::hooks::{use_action, use_load, use_now};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use crate::scan::CodeKind;
use amulet_app_api::access::{GranteeView, PractitionerRole, Purpose};
use amulet_app_api::giving::{
    GiveAccess, GiveTerms, GiveTo, GivenView, GivingPreviewView, PreviewGiving, Recipients, RecipientsView,
};
use amulet_app_api::records::Category;
use amulet_app_api::wallet::{HospitalView, TimeMs};
use dioxus::prelude::*;
use std::collections::BTreeSet;

const DAY_HOURS: u64 = 24;
const HOUR_MS: TimeMs = 3_600_000;
/// Lengths of access on offer, in hours.
const HOURS: [u64; 5] = [DAY_HOURS, 7 * DAY_HOURS, 30 * DAY_HOURS, 90 * DAY_HOURS, 365 * DAY_HOURS];
/// What bears on most care.
const CARE: [Category; 6] = [
    Category::Allergies,
    Category::Conditions,
    Category::Medicines,
    Category::Labs,
    Category::VitalSigns,
    Category::Procedures,
];

/// A usual case, as a start: everything in it can be changed before it is signed.
#[derive(Clone, Copy, PartialEq)]
struct Template {
    purpose: Purpose,
    hours: u64,
    categories: &'static [Category],
    new_records: bool,
    once: bool,
}

const TEMPLATES: [Template; 4] = [
    Template {
        purpose: Purpose::Treatment,
        hours: 7 * DAY_HOURS,
        categories: &CARE,
        new_records: true,
        once: false,
    },
    Template {
        purpose: Purpose::SecondOpinion,
        hours: 30 * DAY_HOURS,
        categories: &[Category::Conditions, Category::Labs, Category::Imaging, Category::Documents],
        new_records: false,
        once: true,
    },
    Template {
        purpose: Purpose::OngoingCare,
        hours: 90 * DAY_HOURS,
        categories: &CARE,
        new_records: true,
        once: false,
    },
    Template {
        purpose: Purpose::InsuranceClaim,
        hours: 30 * DAY_HOURS,
        categories: &[Category::Visits, Category::Procedures, Category::Billing],
        new_records: false,
        once: false,
    },
];

/// For a relative who cares for the patient, and needs no registration.
const CARER: Template = Template {
    purpose: Purpose::FamilyCarer,
    hours: 90 * DAY_HOURS,
    categories: &CARE,
    new_records: true,
    once: false,
};

/// Whom the form names.
#[derive(Clone, Copy, PartialEq)]
enum Whom {
    Person,
    Relative,
    Staff,
}

/// The page.
#[component]
pub fn Give() -> Element {
    let t = use_translator();
    let recipients = use_load(Recipients {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "give-title"), lead: tr!(t, "give-lead"), back: Route::Sharing {} }
            {show(recipients, |view| rsx! { Steps { view: view.clone() } })}
        }
    }
}

#[component]
fn Steps(view: RecipientsView) -> Element {
    let terms = use_signal(|| None::<(GiveTerms, GivingPreviewView)>);
    let given = use_signal(|| None::<GivenView>);
    if let Some(view) = given.read().clone() {
        return rsx! { Given { view } };
    }
    rsx! {
        // The form stays as it was filled in, for whoever goes back to it.
        div { hidden: terms.read().is_some(), Form { view, terms } }
        if let Some((wanted, preview)) = terms.read().clone() {
            Sign { wanted, preview, terms, given }
        }
    }
}

#[component]
fn Form(view: RecipientsView, terms: Signal<Option<(GiveTerms, GivingPreviewView)>>) -> Element {
    let t = use_translator();
    let mut terms = terms;
    let action = use_action();
    let mut whom = use_signal(|| Whom::Person);
    let code = use_signal(String::new);
    let mut hospital =
        use_signal(|| view.hospitals.first().map(|first| first.did.clone()).unwrap_or_default());
    let mut role = use_signal(|| None::<PractitionerRole>);
    let mut template = use_signal(|| TEMPLATES[0]);
    let preferences = view.preferences.clone();
    // What is given to nobody, or asked about each time, is never chosen beforehand.
    let beforehand = use_callback(move |chosen: Template| -> BTreeSet<Category> {
        let settled =
            |category: &Category| preferences.never.contains(category) || preferences.ask.contains(category);
        chosen.categories.iter().copied().filter(|category| !settled(category)).collect()
    });
    let mut categories = use_signal(|| beforehand.call(TEMPLATES[0]));
    let mut hours = use_signal(|| TEMPLATES[0].hours);
    let mut new_records = use_signal(|| TEMPLATES[0].new_records);
    let mut once = use_signal(|| TEMPLATES[0].once);
    let mut without_hospitals = use_signal(BTreeSet::<String>::new);
    let app = use_app();
    let relationships = app.session.read().as_ref().map(|session| session.relationships.clone());
    let relationships = relationships.filter(|all| all.len() > 1).unwrap_or_default();
    let of_hospitals = relationships.len();
    let mut complaint = use_signal(|| None::<&'static str>);
    let mut choose = move |chosen: Template| {
        template.set(chosen);
        categories.set(beforehand.call(chosen));
        hours.set(chosen.hours);
        new_records.set(chosen.new_records);
        once.set(chosen.once);
    };
    let mut name = move |named: Whom| {
        // A relative reads as a relative, and nobody else does.
        if (named == Whom::Relative) != (*whom.peek() == Whom::Relative) {
            choose(if named == Whom::Relative { CARER } else { TEMPLATES[0] });
        }
        whom.set(named);
        complaint.set(None);
    };
    let submit = use_callback(move |()| {
        let to = match whom() {
            Whom::Person | Whom::Relative => GiveTo::Person { code: code.peek().trim().to_owned() },
            Whom::Staff => {
                GiveTo::Staff { hospital: hospital.peek().clone(), department: None, role: *role.peek() }
            }
        };
        let is_person = |code: &str| matches!(CodeKind::of(code), CodeKind::Person);
        let problem = match &to {
            GiveTo::Person { code } if !is_person(code) => Some("give-no-code"),
            _ if categories.peek().is_empty() => Some("ask-categories-missing"),
            _ if of_hospitals > 0 && without_hospitals.peek().len() >= of_hospitals => {
                Some("give-hospitals-missing")
            }
            _ => None,
        };
        complaint.set(problem);
        if problem.is_some() {
            return;
        }
        let wanted = GiveTerms {
            to,
            purpose: template.peek().purpose,
            categories: categories.peek().iter().copied().collect(),
            records_from: None,
            records_to: None,
            without_hospitals: without_hospitals.peek().iter().cloned().collect(),
            new_records: *new_records.peek(),
            hours: *hours.peek(),
            uses_max: once.peek().then_some(1),
            erase_days: None,
        };
        let preview = PreviewGiving { terms: wanted.clone() };
        action.call(preview, move |preview| terms.set(Some((wanted.clone(), preview))));
    });
    rsx! {
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit.call(());
            },
            fieldset { class: "stack tight",
                legend { class: "legend", {tr!(t, "give-whom")} }
                Choice { name: "whom", testid: "give-person", label: tr!(t, "give-person"), chosen: whom() == Whom::Person, onchoose: move |()| name(Whom::Person) }
                Choice { name: "whom", testid: "give-relative", label: tr!(t, "give-relative"), chosen: whom() == Whom::Relative, onchoose: move |()| name(Whom::Relative) }
                if !view.hospitals.is_empty() {
                    Choice { name: "whom", testid: "give-staff", label: tr!(t, "give-staff"), chosen: whom() == Whom::Staff, onchoose: move |()| name(Whom::Staff) }
                }
            }
            if whom() != Whom::Staff {
                TextField { id: "give-code", label: tr!(t, "give-code"), hint: tr!(t, "give-code-hint"), value: code, plain: true, oninput: move |_| complaint.set(None) }
            } else {
                div { class: "field",
                    label { r#for: "give-hospital", {tr!(t, "give-hospital")} }
                    select { id: "give-hospital", "data-testid": "give-hospital", onchange: move |event| hospital.set(event.value()),
                        for known in view.hospitals.clone() {
                            option { key: "{known.did}", value: "{known.did}", selected: hospital() == known.did, {t.hospital(&known)} }
                        }
                    }
                }
                div { class: "field",
                    label { r#for: "give-role", {tr!(t, "give-role")} }
                    select { id: "give-role", "data-testid": "give-role", onchange: move |event| role.set(role_named(&event.value())),
                        option { value: "", selected: role().is_none(), {tr!(t, "give-role-all")} }
                        for known in ROLES {
                            option { key: "{words::practitioner_role(&known)}", value: words::practitioner_role(&known), selected: role() == Some(known),
                                {t.text(words::practitioner_role(&known), &[])}
                            }
                        }
                    }
                }
                p { class: "hint", {tr!(t, "give-staff-hint")} }
            }
            if whom() != Whom::Relative {
                fieldset { class: "stack tight",
                    legend { class: "legend", {tr!(t, "ask-purpose")} }
                    for known in TEMPLATES {
                        Choice {
                            key: "{words::purpose(&known.purpose)}",
                            name: "template",
                            testid: words::purpose(&known.purpose),
                            label: t.text(words::purpose(&known.purpose), &[]),
                            chosen: template().purpose == known.purpose,
                            onchoose: move |()| choose(known),
                        }
                    }
                }
            }
            Categories { legend: tr!(t, "give-categories"), hint: tr!(t, "give-categories-hint"), categories, preferences: view.preferences.clone() }
            if !relationships.is_empty() {
                fieldset { class: "stack tight",
                    legend { class: "legend", {tr!(t, "give-hospitals")} }
                    p { class: "hint", {tr!(t, "give-hospitals-hint")} }
                    for (place, relationship) in relationships.into_iter().enumerate() {
                        Tick {
                            key: "{relationship.did}",
                            testid: "give-hospital-{place + 1}",
                            label: t.hospital(&relationship.hospital),
                            ticked: !without_hospitals.read().contains(&relationship.hospital.did),
                            onchange: move |wanted: bool| {
                                complaint.set(None);
                                let did = relationship.hospital.did.clone();
                                let mut without = without_hospitals.write();
                                if wanted { without.remove(&did) } else { without.insert(did) };
                            },
                        }
                    }
                }
            }
            Hours { id: "give-hours", label: tr!(t, "ask-access-hours"), choices: HOURS.to_vec(), hours }
            fieldset {
                Tick { testid: "give-new-records", label: tr!(t, "request-new-records"), more: tr!(t, "give-new-records-more"), ticked: new_records(), onchange: move |wanted: bool| new_records.set(wanted) }
                Tick { testid: "give-once", label: tr!(t, "request-once"), more: tr!(t, "request-once-more"), ticked: once(), onchange: move |wanted: bool| once.set(wanted) }
            }
            Complaint { text: complaint().map(|key| t.text(key, &[])) }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error, onretry: submit }
            }
            ActionProgress { action, waiting: tr!(t, "task-waiting-for-hospitals") }
            ActionBar {
                Button { label: tr!(t, "give-preview"), weight: Weight::Main, testid: "give-preview", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// Roles that a patient may choose; the rest read under grants of their own kind.
const ROLES: [PractitionerRole; 5] = [
    PractitionerRole::Attending,
    PractitionerRole::Resident,
    PractitionerRole::Nurse,
    PractitionerRole::Pharmacist,
    PractitionerRole::Technician,
];

fn role_named(key: &str) -> Option<PractitionerRole> {
    ROLES.into_iter().find(|role| words::practitioner_role(role) == key)
}

/// Who, what, until when, why, from the terms that are signed and from nothing else.
fn sentence(t: Translator, wanted: &GiveTerms, preview: &GivingPreviewView, now: TimeMs) -> String {
    tr!(
        t,
        "share-sentence",
        who = grantee(t, &preview.to),
        what = named(t, &wanted.categories),
        until = t.date_time(now + wanted.hours * HOUR_MS),
        purpose = t.text(words::purpose(&wanted.purpose), &[])
    )
}

#[component]
fn Sign(
    wanted: GiveTerms,
    preview: GivingPreviewView,
    terms: Signal<Option<(GiveTerms, GivingPreviewView)>>,
    given: Signal<Option<GivenView>>,
) -> Element {
    let t = use_translator();
    let (mut terms, mut given) = (terms, given);
    let action = use_action();
    let now = use_now(60_000);
    let without = use_signal(BTreeSet::<String>::new);
    let left = preview.records.len() - without.read().len();
    let shown = preview.records.clone();
    let said = sentence(t, &wanted, &preview, now());
    let standing = !preview.standing.is_empty();
    rsx! {
        p { class: "sentence", "data-testid": "give-sentence", {said} }
        if wanted.uses_max.is_some() {
            p { {tr!(t, "request-once-more")} }
        }
        if standing {
            div { class: "notice wait", "data-testid": "give-standing",
                Glyph { icon: Icon::Inbox, size: 24 }
                p { {tr!(t, "share-standing", what = named(t, &preview.standing))} }
            }
        }
        if matches!(preview.to, GranteeView::Person(_)) {
            p { class: "soft small", "data-testid": "cannot-pass-on", {tr!(t, "cannot-pass-on")} }
        }
        Joins { relationships: preview.relationships.clone() }
        section { class: "stack tight", "aria-labelledby": "give-exposed", "data-testid": "give-exposure",
            h2 { id: "give-exposed",
                span { role: "status", "aria-live": "polite", {tr!(t, "request-exactly", n = left)} }
            }
            p { class: "soft small", {tr!(t, "request-exactly-hint")} }
            NotShown { records: preview.missing }
            ChooseRecords { lines: preview.records.clone(), without, locked: action.is_running() }
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
        ActionProgress { action, waiting: tr!(t, "task-sealing") }
        ActionBar {
            Button {
                label: tr!(t, "grant", n = left),
                weight: Weight::Main,
                testid: "give-sign",
                busy: action.is_running(),
                disabled: left == 0 && !standing,
                onclick: move |()| {
                    let records = ticked(&shown, &without.peek());
                    let signed = GiveAccess { terms: wanted.clone(), records };
                    action.call(signed, move |view| given.set(Some(view)));
                },
            }
            Button { label: tr!(t, "give-back"), weight: Weight::Second, testid: "give-back", disabled: action.is_running(), onclick: move |()| terms.set(None) }
        }
    }
}

#[component]
fn Given(view: GivenView) -> Element {
    let t = use_translator();
    rsx! {
        GivenShares { view, testid: "given" }
        p { class: "soft", {tr!(t, "request-take-back")} }
        ActionBar {
            Link { class: Weight::Main.class(), to: Route::Sharing {}, "data-testid": "to-sharing", {tr!(t, "to-sharing")} }
        }
    }
}

/// What was given, one sentence for each of the person's identities, and what could not be.
#[component]
pub fn GivenShares(view: GivenView, testid: &'static str) -> Element {
    let t = use_translator();
    rsx! {
        for share in view.shares {
            div { key: "{share.id}", class: "notice good", role: "status", "data-testid": testid,
                Glyph { icon: Icon::Check, size: 24 }
                div { class: "grow",
                    p { {super::sharing::share_sentence(t, &share)} }
                    AsPatientOf { hospital: share.relationship.clone() }
                }
            }
        }
        if let Some(failed) = view.failed {
            p { class: "strong", "data-testid": "not-given", {tr!(t, "give-failed", hospital = t.hospital(&failed.relationship))} }
            ErrorNotice { error: failed.error }
        }
    }
}

/// That a reader of several hospitals' records learns that they are one person's.
#[component]
pub fn Joins(relationships: Vec<HospitalView>) -> Element {
    let t = use_translator();
    if relationships.len() < 2 {
        return rsx! {};
    }
    rsx! {
        div { class: "notice wait", "data-testid": "give-joins",
            Glyph { icon: Icon::Warning, size: 24 }
            p { {tr!(t, "give-joins", hospitals = hospitals(t, &relationships))} }
        }
    }
}
