//! Intake: splits a FHIR bundle into records and judges every entry of it.
//!
//! Two passes. The first reads each entry by itself and notes what is needed to judge it (who it is, whom it is about,
//! its title, category, class and date). The second, knowing the patient and all names, decides: kept with its exact
//! bytes, or refused with a reason. Nothing is dropped in silence and nothing kept is changed.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::bundle::{Entries, is_type_name, label, open, plain_string};
use crate::category::{Category, category_of};
use crate::class::{DataClass, class_of};
use crate::date::{RecordDate, unix_seconds};
use crate::identity::{Names, SubjectReference, identifiers_of, normal, subjects_of};
use crate::json::{Json, JsonError, pick};
use crate::limits::{MAX_ID_BYTES, MAX_RESOURCE_BYTES};
use crate::record::{Intake, PatientFacts, Record};
use crate::refusal::{FileRefusal, Refusal, RefusalReason};
use crate::text;
use crate::title::{Code, code_of, date_of, medicine, medicine_reference, title_of};

/// Patients are counted up to here, because each is compared with all before it.
const MAX_PATIENTS_COUNTED: usize = 1000;

/// Most patients named in a refusal.
const MAX_PATIENTS_NAMED: usize = 5;

/// Takes a FHIR bundle in.
///
/// Any kind of bundle is taken (`transaction`, `batch`, `document`, `searchset`, `collection`, `history`, `message`), with
/// or without a byte order mark. Every entry counts as one resource.
///
/// # Errors
/// [`FileRefusal`] when nothing of the file can be kept.
pub fn intake(bytes: &[u8]) -> Result<Intake, FileRefusal> {
    judge(&open(bytes)?)
}

/// What the first pass knows of one entry that may be kept.
struct Head<'a> {
    label: String,
    raw: &'a str,
    resource_type: String,
    own_id: Option<String>,
    full_url: Option<String>,
    subjects: Vec<SubjectReference>,
    title: Option<String>,
    medicine_reference: Option<String>,
    category: Category,
    class: DataClass,
    date: Option<RecordDate>,
    code: Option<Code>,
    updated: Option<i64>,
    patient: Option<PatientFacts>,
}

/// An entry that the first pass refused, with its type where it has one.
struct Unreadable {
    refusal: Refusal,
    resource_type: Option<String>,
}

pub(crate) fn judge(entries: &Entries<'_>) -> Result<Intake, FileRefusal> {
    let heads: Vec<Result<Head<'_>, Unreadable>> =
        entries.iter().enumerate().map(|(index, entry)| read_entry(index, entry)).collect();
    let mut names = Names::default();
    one_patient(&heads)?;
    for head in heads.iter().flatten() {
        names.add(&head.resource_type, head.own_id.as_deref(), head.full_url.as_deref());
        if let Some(patient) = &head.patient {
            names.add_patient_identifiers(&patient.identifiers);
        }
    }
    names.adopt_only_name(heads.iter().flatten().flat_map(|head| &head.subjects));
    let medicines = medicine_titles(&heads);

    let mut kept = Kept::default();
    let verdicts: Vec<Verdict> = (0..heads.len()).map(|index| kept.judge(&heads, index, &names)).collect();
    let mut records = Vec::new();
    let mut refused = Vec::new();
    let mut patient = None;
    for (index, (head, verdict)) in heads.into_iter().zip(verdicts).enumerate() {
        match (head, verdict) {
            (Err(unreadable), _) => refused.push(unreadable.refusal),
            (Ok(head), Verdict::Refused(reason)) => refused.push(Refusal { resource: head.label, reason }),
            (Ok(head), Verdict::Kept(id)) => match kept.replaced.remove(&index) {
                Some(reason) => refused.push(Refusal { resource: head.label, reason }),
                None => {
                    if let Some(facts) = &head.patient {
                        patient = Some(PatientFacts { id: id.clone(), ..facts.clone() });
                    }
                    records.push(record(head, id, &medicines));
                }
            },
        }
    }
    let patient = patient.ok_or(FileRefusal::NoPatient)?;
    Ok(Intake::new(patient, records, refused, entries.len()))
}

fn record(head: Head<'_>, id: String, medicines: &BTreeMap<String, String>) -> Record {
    let by_reference = || head.medicine_reference.as_ref().and_then(|name| medicines.get(name)).cloned();
    Record {
        title: head.title.or_else(by_reference).unwrap_or_else(|| head.resource_type.clone()),
        resource_type: head.resource_type,
        id,
        category: head.category,
        class: head.class,
        date: head.date,
        code: head.code,
        content: head.raw.as_bytes().to_vec(),
    }
}

fn read_entry<'a>(index: usize, entry: &'a RawValue) -> Result<Head<'a>, Unreadable> {
    let refuse = |resource: Option<&str>, reason| {
        let (label, resource_type) = label(index, resource);
        Unreadable { refusal: Refusal { resource: label, reason }, resource_type }
    };
    if !entry.get().starts_with('{') {
        return Err(refuse(None, RefusalReason::NotAnObject));
    }
    let [full_url, resource, request, search] =
        pick(entry.get(), ["fullUrl", "resource", "request", "search"]).map_err(|key| {
            refuse(None, RefusalReason::RepeatedKey { key: key.unwrap_or_default().to_owned() })
        })?;
    let resource = resource.map(RawValue::get).filter(|raw| *raw != "null");
    if let Some(method) = changing_method(request, resource.is_some()) {
        return Err(refuse(resource, RefusalReason::ChangeRequest { method }));
    }
    let raw = resource.ok_or_else(|| refuse(None, RefusalReason::NoResource))?;
    if member(search, "mode").as_deref() == Some("outcome") {
        return Err(refuse(resource, RefusalReason::SearchOutcome));
    }
    if !raw.starts_with('{') {
        return Err(refuse(None, RefusalReason::NotAnObject));
    }
    if raw.len() > MAX_RESOURCE_BYTES {
        return Err(refuse(resource, RefusalReason::TooLarge { bytes: raw.len() as u64 }));
    }
    let json = Json::from_valid(raw).map_err(|error| refuse(resource, reason_of(error)))?;
    let resource_type = match json.get("resourceType").text() {
        None => return Err(refuse(resource, RefusalReason::NoResourceType)),
        Some(name) if !is_type_name(name) => {
            return Err(refuse(resource, RefusalReason::BadResourceType { found: text::line(name) }));
        }
        Some(name) => name.to_owned(),
    };
    let full_url = full_url.and_then(plain_string).filter(|url| !url.trim().is_empty());
    Ok(head(label(index, resource).0, raw, resource_type, full_url, &json))
}

fn head<'a>(
    label: String,
    raw: &'a str,
    resource_type: String,
    full_url: Option<String>,
    json: &Json<'_>,
) -> Head<'a> {
    let category = category_of(&resource_type, json);
    let is_patient = resource_type == "Patient";
    let is_medicine_use = resource_type.starts_with("Medication") && resource_type != "Medication";
    // A code that merely repeats "type" must not hide the medicine's name behind a reference.
    let title = if is_medicine_use { medicine(json) } else { title_of(&resource_type, json) };
    Head {
        label,
        raw,
        own_id: json.text_at("id").filter(|id| is_usable_id(id)).map(str::to_owned),
        full_url: full_url.map(|url| normal(&url)),
        subjects: if is_patient { Vec::new() } else { subjects_of(json) },
        title,
        medicine_reference: medicine_reference(json).text_at("reference").map(normal),
        class: class_of(&resource_type, category, json),
        category,
        date: date_of(json),
        code: code_of(json),
        updated: json.get("meta").text_at("lastUpdated").and_then(unix_seconds),
        patient: is_patient.then(|| patient_facts(json)),
        resource_type,
    }
}

fn patient_facts(json: &Json<'_>) -> PatientFacts {
    PatientFacts {
        id: String::new(),
        name: text::human_name(json.get("name")),
        gender: text::of(json.get("gender")),
        birth_date: text::of(json.get("birthDate")),
        identifiers: identifiers_of(json),
    }
}

/// A request that changes or reads something on a server instead of bringing a whole resource.
fn changing_method(request: Option<&RawValue>, has_resource: bool) -> Option<String> {
    let method = member(request, "method")?.to_ascii_uppercase();
    match method.as_str() {
        "DELETE" | "PATCH" => Some(method),
        "GET" | "HEAD" if !has_resource => Some(method),
        _ => None,
    }
}

fn member(object: Option<&RawValue>, key: &'static str) -> Option<String> {
    let [found] = pick(object?.get(), [key]).ok()?;
    plain_string(found?)
}

fn reason_of(error: JsonError) -> RefusalReason {
    match error {
        JsonError::TooDeep => RefusalReason::TooDeep,
        JsonError::TooManyValues => RefusalReason::TooManyValues,
        JsonError::RepeatedKey(key) => RefusalReason::RepeatedKey { key: text::line(&key) },
        // The syntax of the whole file was checked before, so what is left is text that is no text.
        JsonError::BadText | JsonError::Syntax { .. } => RefusalReason::BadText,
    }
}

fn is_usable_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && id.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
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

fn have_different_addresses(a: &Head<'_>, b: &Head<'_>) -> bool {
    matches!((&a.full_url, &b.full_url), (Some(a), Some(b)) if a != b)
}

/// Same meaning, whatever the white space and the order of members. Texts of very different length are not read
/// again, or many small copies beside one large resource would cost a sender nothing and us hours.
fn is_same_content(a: &str, b: &str) -> bool {
    let is_alike = a.len() / 4 <= b.len() && b.len() / 4 <= a.len();
    a == b
        || is_alike
            && matches!((Json::from_valid(a), Json::from_valid(b)), (Ok(a), Ok(b)) if a.is_same_as(&b))
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

enum Verdict {
    Kept(String),
    Refused(RefusalReason),
}

/// What was kept so far, to find duplicates and other versions.
#[derive(Default)]
struct Kept<'a> {
    /// Entry by (type, id).
    by_id: BTreeMap<(String, String), usize>,
    /// Entry by content, for resources without any identity.
    nameless: BTreeMap<&'a str, usize>,
    /// Entries that were kept first and gave way to a newer version.
    replaced: BTreeMap<usize, RefusalReason>,
}

impl<'a> Kept<'a> {
    fn judge(&mut self, heads: &[Result<Head<'a>, Unreadable>], index: usize, names: &Names) -> Verdict {
        // The refusal of an unreadable entry is already written; its verdict is not used.
        let Ok(head) = &heads[index] else { return Verdict::Refused(RefusalReason::NotAnObject) };
        if let Err(reason) = names.judge(&head.subjects) {
            return Verdict::Refused(reason);
        }
        if head.own_id.is_none() && head.full_url.is_none() {
            if let Some(first) = self.nameless.get(head.raw) {
                return Verdict::Refused(RefusalReason::Duplicate { first: format!("entry[{first}]") });
            }
            self.nameless.insert(head.raw, index);
        }
        let id =
            head.own_id.clone().or_else(|| id_from_url(head)).unwrap_or_else(|| made_id(index, head.raw));
        let key = (head.resource_type.clone(), id.clone());
        let Some((other, previous)) =
            self.by_id.get(&key).and_then(|at| Some((*at, heads[*at].as_ref().ok()?)))
        else {
            self.by_id.insert(key, index);
            return Verdict::Kept(id);
        };
        if is_same_content(previous.raw, head.raw) {
            Verdict::Refused(RefusalReason::Duplicate { first: previous.label.clone() })
        } else if have_different_addresses(previous, head) {
            // Two servers use the same id for two different things: both stay, the second under an id of its own.
            let id = made_id(index, head.raw);
            self.by_id.insert((head.resource_type.clone(), id.clone()), index);
            Verdict::Kept(id)
        } else {
            let reason = RefusalReason::ConflictingVersion { kept: head.label.clone() };
            if matches!((head.updated, previous.updated), (Some(new), Some(old)) if new > old) {
                self.replaced.insert(other, reason);
                self.by_id.insert(key, index);
                Verdict::Kept(id)
            } else {
                Verdict::Refused(reason)
            }
        }
    }
}

/// The last part of a `fullUrl`: `urn:uuid:…` or `https://host/fhir/Type/id`.
fn id_from_url(head: &Head<'_>) -> Option<String> {
    let url = head.full_url.as_deref()?;
    let last = url.rsplit(['/', ':']).next()?;
    is_usable_id(last).then(|| last.to_owned())
}

/// An id for a resource that has none: its place and a fingerprint of its content, so that the same bundle sent twice
/// gives the same ids. It need not resist forgery: the place alone makes it unique.
fn made_id(index: usize, raw: &str) -> String {
    // FNV-1a, 64 bit.
    let fingerprint = raw.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("entry-{index}-{fingerprint:016x}")
}
