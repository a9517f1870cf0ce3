//! Intake's first pass: one entry by itself. Who it is, whom it is about, its title, category, class and date, and what the
//! quality rules say of it alone.

use serde_json::value::RawValue;

use crate::bundle::{Entry, is_type_name, label, plain_string};
use crate::category::{Category, category_of};
use crate::class::{ClassRule, DataClass, class_of};
use crate::date::{RecordDate, unix_seconds};
use crate::identity::{SubjectReference, identifiers_of, normal, subjects_of};
use crate::json::{Json, JsonError, pick};
use crate::limits::{MAX_ID_BYTES, MAX_RESOURCE_BYTES};
use crate::quality::{self, Clues, Finding, Given};
use crate::record::PatientFacts;
use crate::refusal::{Refusal, RefusalReason};
use crate::text;
use crate::title::{Code, code_of, date_of, medicine, medicine_reference, title_of};

/// What the first pass knows of one entry that may be kept.
pub(crate) struct Head<'a> {
    pub label: String,
    pub raw: &'a str,
    pub resource_type: String,
    pub own_id: Option<String>,
    pub full_url: Option<String>,
    pub subjects: Vec<SubjectReference>,
    pub title: Option<String>,
    pub medicine_reference: Option<String>,
    pub category: Category,
    pub class: DataClass,
    pub date: Option<RecordDate>,
    pub code: Option<Code>,
    pub updated: Option<i64>,
    pub patient: Option<PatientFacts>,
    pub class_rule: ClassRule,
    pub clues: Clues,
    pub findings: Vec<Finding>,
}

/// An entry that the first pass refused, with its type where it has one.
pub(crate) struct Unreadable {
    pub refusal: Refusal,
    pub resource_type: Option<String>,
}

/// Reads one entry by itself.
pub(crate) fn read_entry<'a>(index: usize, entry: Entry<'a>, given: &Given) -> Result<Head<'a>, Unreadable> {
    match entry {
        Entry::Bare(resource) => read_resource(index, resource.get(), None, given),
        Entry::Wrapped(entry) => read_wrapped(index, entry, given),
    }
}

fn refuse(index: usize, resource: Option<&str>, reason: RefusalReason) -> Unreadable {
    let (label, resource_type) = label(index, resource);
    Unreadable { refusal: Refusal { resource: label, reason }, resource_type }
}

fn read_wrapped<'a>(index: usize, entry: &'a RawValue, given: &Given) -> Result<Head<'a>, Unreadable> {
    let refuse = |resource: Option<&str>, reason| refuse(index, resource, reason);
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
    read_resource(index, raw, full_url.and_then(plain_string), given)
}

fn read_resource<'a>(
    index: usize,
    raw: &'a str,
    full_url: Option<String>,
    given: &Given,
) -> Result<Head<'a>, Unreadable> {
    let resource = Some(raw);
    let refuse = |resource: Option<&str>, reason| refuse(index, resource, reason);
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
    let full_url = full_url.filter(|url| !url.trim().is_empty());
    Ok(head(label(index, resource).0, raw, resource_type, full_url, &json, given))
}

fn head<'a>(
    label: String,
    raw: &'a str,
    resource_type: String,
    full_url: Option<String>,
    json: &Json<'_>,
    given: &Given,
) -> Head<'a> {
    let (clues, findings) = quality::examine(&label, &resource_type, json, given);
    let category = category_of(&resource_type, json);
    let is_patient = resource_type == "Patient";
    let is_medicine_use = resource_type.starts_with("Medication") && resource_type != "Medication";
    // A code that merely repeats "type" must not hide the medicine's name behind a reference.
    let title = if is_medicine_use { medicine(json) } else { title_of(&resource_type, json) };
    let (class, class_rule) = class_of(&resource_type, category, json);
    Head {
        label,
        raw,
        own_id: json.text_at("id").filter(|id| is_usable_id(id)).map(str::to_owned),
        full_url: full_url.map(|url| normal(&url)),
        subjects: if is_patient { Vec::new() } else { subjects_of(json) },
        title,
        medicine_reference: medicine_reference(json).text_at("reference").map(normal),
        class,
        class_rule,
        clues,
        findings,
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

pub(crate) fn is_usable_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && id.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}
