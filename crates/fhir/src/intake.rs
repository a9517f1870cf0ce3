//! Intake: splits a FHIR bundle into records and judges every entry of it.
//!
//! Two passes. The first reads each entry by itself and notes what is needed to judge it (who it is, whom it is about,
//! its title, category, class and date). The second, knowing the patient and all names, decides: kept with its exact
//! bytes, or refused with a reason. Nothing is dropped in silence and nothing kept is changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{Opened, open};
use crate::class::{ClassRule, DataClass};
use crate::entry::{Head, Unreadable, read_entry};
use crate::identity::{Names, normal};
use crate::kept::{Kept, Verdict};
use crate::limits::{MAX_CLASSES_GIVEN, MAX_FINDINGS_NAMED};
use crate::quality::{self, BloodGroup, Examined, Finding, Given, Severity};
use crate::record::{Intake, PatientFacts, Record};
use crate::refusal::{FileRefusal, Refusal, RefusalReason};
use crate::text;

/// Patients are counted up to here, because each is compared with all before it.
const MAX_PATIENTS_COUNTED: usize = 1000;

/// Most patients named in a refusal.
const MAX_PATIENTS_NAMED: usize = 5;

/// Takes a file in: a Bundle of any kind (`transaction`, `batch`, `document`, `searchset`, `collection`, `history`,
/// `message`), one resource a line (NDJSON), or a single resource; with or without a byte order mark. Every entry, line or
/// single resource counts as one resource.
///
/// # Errors
/// [`FileRefusal`] when nothing of the file can be kept.
pub fn intake(bytes: &[u8], given: &Given) -> Result<Intake, FileRefusal> {
    judge(&open(bytes)?, given)
}

type Heads<'a> = Vec<Result<Head<'a>, Unreadable>>;

pub(crate) fn judge(file: &Opened<'_>, given: &Given) -> Result<Intake, FileRefusal> {
    let mut heads: Heads<'_> =
        file.entries.iter().enumerate().map(|(index, entry)| read_entry(index, *entry, given)).collect();
    let is_bundle = |head: &Result<Head<'_>, _>| matches!(head, Ok(head) if head.resource_type == "Bundle");
    if let Some(line) =
        file.entries.iter().zip(&heads).position(|(entry, head)| entry.is_bare() && is_bundle(head))
    {
        return Err(FileRefusal::BundleInLines { line: line + 1 });
    }
    let whose = whose(&heads, given)?;
    let names = names(&heads, &whose);
    let medicines = medicine_titles(&heads);
    let mut kept = Kept::default();
    let mut verdicts: Vec<Verdict> =
        (0..heads.len()).map(|index| kept.judge(&heads, index, &names)).collect();
    for (index, verdict) in verdicts.iter_mut().enumerate() {
        if let (Ok(head), Verdict::Kept(_)) = (&heads[index], &verdict)
            && let Some(reason) = whose.refuses(head).or_else(|| kept.replaced.remove(&index))
        {
            *verdict = Verdict::Refused(reason);
        }
    }
    let blood_group = compare(&mut heads, &verdicts, file.is_document, given);
    refuse_what_cannot_be(&heads, &verdicts)?;

    let (mut records, mut refused) = (Vec::new(), Vec::new());
    let mut patient = None;
    for (head, verdict) in heads.into_iter().zip(verdicts) {
        match (head, verdict) {
            (Err(unreadable), _) => refused.push(unreadable.refusal),
            (Ok(head), Verdict::Refused(reason)) => refused.push(Refusal { resource: head.label, reason }),
            (Ok(head), Verdict::Kept(id)) => {
                if let Some(facts) = &head.patient {
                    patient = Some(PatientFacts { id: id.clone(), ..facts.clone() });
                }
                records.push(record(head, id, &medicines));
            }
        }
    }
    let patient = patient.or_else(|| whose.declared()).ok_or(FileRefusal::NoPatient)?;
    set_classes(&mut records, &given.classes)?;
    Ok(Intake::new(patient, records, refused, file.entries.len(), blood_group))
}

/// Whose records are wanted.
enum Whose {
    /// The file has one patient.
    TheOnlyOne,
    /// One of several patients, by FHIR id.
    Chosen(String),
    /// The file has no patient; the sender says whose records these are, by FHIR id.
    Declared(String),
}

impl Whose {
    /// Types that are about nobody, so that they belong to every patient's records.
    const SHARED: [&'static str; 9] = [
        "Organization",
        "OrganizationAffiliation",
        "Practitioner",
        "PractitionerRole",
        "Location",
        "HealthcareService",
        "Endpoint",
        "Medication",
        "Substance",
    ];

    /// Why an entry of a file with several patients or none can't be told to be the wanted one's.
    fn refuses(&self, head: &Head<'_>) -> Option<RefusalReason> {
        let (Self::Chosen(subject) | Self::Declared(subject)) = self else { return None };
        if head.patient.is_some() {
            let reference = || format!("Patient/{}", text::line(head.own_id.as_deref().unwrap_or_default()));
            let is_wanted = head.own_id.as_ref() == Some(subject);
            return (!is_wanted).then(|| RefusalReason::AnotherPatient { reference: reference() });
        }
        let is_shared = Self::SHARED.contains(&head.resource_type.as_str());
        (head.subjects.is_empty() && !is_shared).then_some(RefusalReason::NamelessPatient)
    }

    fn declared(&self) -> Option<PatientFacts> {
        let Self::Declared(id) = self else { return None };
        Some(PatientFacts {
            id: id.clone(),
            name: None,
            gender: None,
            birth_date: None,
            identifiers: Vec::new(),
        })
    }
}

fn whose(heads: &Heads<'_>, given: &Given) -> Result<Whose, FileRefusal> {
    let found = one_patient(heads);
    let Some(subject) = &given.subject else { return found.map(|()| Whose::TheOnlyOne) };
    let subject = subject.strip_prefix("Patient/").unwrap_or(subject);
    match found {
        Err(FileRefusal::NoPatient) => Ok(Whose::Declared(subject.to_owned())),
        Ok(()) | Err(FileRefusal::MoreThanOnePatient { .. }) => {
            let mut patients = heads.iter().flatten().filter(|head| head.patient.is_some());
            if patients.any(|head| head.own_id.as_deref() == Some(subject)) {
                Ok(Whose::Chosen(subject.to_owned()))
            } else {
                Err(FileRefusal::NoSuchPatient { subject: text::line(subject) })
            }
        }
        Err(other) => Err(other),
    }
}

fn names(heads: &Heads<'_>, whose: &Whose) -> Names {
    let mut names = Names::default();
    for head in heads.iter().flatten() {
        if head.patient.is_some() && whose.refuses(head).is_some() {
            continue;
        }
        names.add(&head.resource_type, head.own_id.as_deref(), head.full_url.as_deref());
        if let Some(patient) = &head.patient {
            names.add_patient_identifiers(&patient.identifiers);
        }
    }
    match whose {
        Whose::Declared(subject) => names.add("Patient", Some(subject), None),
        Whose::Chosen(_) => {}
        Whose::TheOnlyOne => names.adopt_only_name(heads.iter().flatten().flat_map(|head| &head.subjects)),
    }
    names
}

/// Runs the rules that compare entries, over those that are kept; gives the blood group they agree on.
fn compare(
    heads: &mut Heads<'_>,
    verdicts: &[Verdict],
    is_document: bool,
    given: &Given,
) -> Option<BloodGroup> {
    // What was refused is still in the file, so that what refers to it leads somewhere.
    let mut names = BTreeSet::new();
    for head in heads.iter().flatten() {
        names.extend(head.full_url.clone());
        if let Some(id) = &head.own_id {
            names.insert(normal(&format!("{}/{id}", head.resource_type)));
            names.insert(format!("urn:uuid:{}", id.to_ascii_lowercase()));
        }
    }
    let (mut places, mut examined) = (Vec::new(), Vec::new());
    for (index, head) in heads.iter().enumerate() {
        if let (Ok(head), Verdict::Kept(_)) = (head, &verdicts[index]) {
            places.push(index);
            examined.push(Examined { label: &head.label, clues: &head.clues });
        }
    }
    let found = quality::compare(&examined, &names, is_document, given);
    let blood_group = quality::agreed_blood_group(&examined);
    for (index, more) in places.into_iter().zip(found) {
        if let Ok(head) = &mut heads[index] {
            head.findings.extend(more);
        }
    }
    blood_group
}

/// Refuses the file for what can't be in any record that would be kept.
fn refuse_what_cannot_be(heads: &Heads<'_>, verdicts: &[Verdict]) -> Result<(), FileRefusal> {
    let kept = heads.iter().zip(verdicts).filter_map(|(head, verdict)| match (head, verdict) {
        (Ok(head), Verdict::Kept(_)) => Some(head),
        _ => None,
    });
    let found: Vec<&Finding> = kept
        .flat_map(|head| &head.findings)
        .filter(|finding| finding.severity() == Severity::Refuse)
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let more = found.len().saturating_sub(MAX_FINDINGS_NAMED);
    Err(FileRefusal::Quality {
        findings: found.into_iter().take(MAX_FINDINGS_NAMED).cloned().collect(),
        more,
    })
}

/// Sets the classes that the hospital chose by hand.
fn set_classes(records: &mut [Record], classes: &BTreeMap<String, DataClass>) -> Result<(), FileRefusal> {
    for (label, class) in classes.iter().take(MAX_CLASSES_GIVEN) {
        let Some(record) = records.iter_mut().find(|record| record.label() == *label) else {
            return Err(FileRefusal::ClassForNothing { label: text::line(label) });
        };
        (record.class, record.class_rule) = (*class, ClassRule::ByHand);
    }
    Ok(())
}

fn record(head: Head<'_>, id: String, medicines: &BTreeMap<String, String>) -> Record {
    let by_reference = || head.medicine_reference.as_ref().and_then(|name| medicines.get(name)).cloned();
    Record {
        title: head.title.or_else(by_reference).unwrap_or_else(|| head.resource_type.clone()),
        resource_type: head.resource_type,
        id,
        category: head.category,
        class: head.class,
        class_rule: head.class_rule,
        date: head.date,
        code: head.code,
        content: head.raw.as_bytes().to_vec(),
        findings: head.findings,
    }
}

/// Checks that the bundle is about exactly one patient. The same Patient twice (same id or address, or same content) is
/// one patient; [`Kept`] then refuses the second as a duplicate or another version.
fn one_patient(heads: &[Result<Head<'_>, Unreadable>]) -> Result<(), FileRefusal> {
    let mut patients: Vec<&Head<'_>> = Vec::new();
    for head in heads.iter().flatten().filter(|head| head.patient.is_some()) {
        if !patients.iter().any(|known| is_same_patient(known, head)) {
            patients.push(head);
        }
        if patients.len() == MAX_PATIENTS_COUNTED {
            break;
        }
    }
    match patients.len() {
        1 => Ok(()),
        0 => {
            let is_patient =
                |unreadable: &&Unreadable| unreadable.resource_type.as_deref() == Some("Patient");
            Err(match heads.iter().filter_map(|head| head.as_ref().err()).find(is_patient) {
                Some(Unreadable { refusal, .. }) => FileRefusal::UnusablePatient {
                    resource: refusal.resource.clone(),
                    reason: refusal.reason.clone(),
                },
                None => FileRefusal::NoPatient,
            })
        }
        count => {
            let named = patients.iter().take(MAX_PATIENTS_NAMED);
            let ids = named
                .map(|head| head.own_id.as_ref().map_or_else(|| head.label.clone(), |id| text::line(id)));
            Err(FileRefusal::MoreThanOnePatient { count, ids: ids.collect() })
        }
    }
}

fn is_same_patient(a: &Head<'_>, b: &Head<'_>) -> bool {
    if a.own_id == b.own_id && a.raw == b.raw {
        return true;
    }
    match (&a.own_id, &b.own_id) {
        (Some(a_id), Some(b_id)) => a_id == b_id && !have_different_addresses(a, b),
        _ => a.full_url.is_some() && a.full_url == b.full_url,
    }
}

/// Whether two entries with the same id come from two places.
pub(crate) fn have_different_addresses(a: &Head<'_>, b: &Head<'_>) -> bool {
    matches!((&a.full_url, &b.full_url), (Some(a), Some(b)) if a != b)
}

/// The names of all Medication entries, by every way to refer to them.
fn medicine_titles(heads: &[Result<Head<'_>, Unreadable>]) -> BTreeMap<String, String> {
    let mut titles = BTreeMap::new();
    for head in heads.iter().flatten().filter(|head| head.resource_type == "Medication") {
        let Some(title) = &head.title else { continue };
        let by_id =
            head.own_id.as_ref().map(|id| [format!("Medication/{id}"), normal(&format!("urn:uuid:{id}"))]);
        for name in by_id.into_iter().flatten().chain(head.full_url.clone()) {
            titles.insert(name, title.clone());
        }
    }
    titles
}
