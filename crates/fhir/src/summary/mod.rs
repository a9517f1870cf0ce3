//! The emergency summary: what a clinician who has never seen the patient must know first.
//!
//! It says only what records say, each line with the record it comes from. Three rules keep it honest:
//!
//! - What was entered in error, refuted, resolved, stopped or completed is not current and does not appear.
//! - "No known allergies" (somebody asked) and no information (nobody wrote anything) are different
//!   [`SectionState`]s and must be shown differently.
//! - What could not be read, or did not fit, is counted, never dropped in silence.
//!
//! There is no clock here: whether a medicine's end date has passed is for the reader to see, so it is shown.

pub(crate) mod absence;
pub(crate) mod allergies;
mod bounds;
pub(crate) mod conditions;
mod devices;
pub(crate) mod medicines;
mod offline;
mod person;

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

pub use bounds::SummaryOutOfBounds;
pub use offline::{OfflineFact, OfflineFactKind, offline_facts};

use crate::date::RecordDate;
use crate::json::Json;
use crate::view::read;

/// Which record a content belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordRef<'a> {
    /// The hospital that registered it: ids are its own.
    pub hospital: &'a str,
    /// FHIR resource type.
    pub resource_type: &'a str,
    /// The record's id.
    pub id: &'a str,
}

/// The record that a line of the summary comes from.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct Source {
    /// FHIR resource type.
    pub resource_type: String,
    /// The record's id.
    pub id: String,
}

/// What a section of the summary knows.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SectionState {
    /// No record says anything. This is not "none".
    #[default]
    NoInformation,
    /// A record says that there are none that anybody knows of.
    NoneKnown,
    /// A record says so for a part only, such as "no known drug allergies"; see [`Section::statements`].
    NoneKnownInPart,
    /// There are entries.
    Listed,
}

/// A record's statement that there is none of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Statement {
    /// In the record's words.
    pub text: String,
    /// When it was stated.
    pub date: Option<RecordDate>,
    /// Where it stands.
    pub source: Source,
}

/// One section of the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Section<T> {
    /// What is known.
    pub state: SectionState,
    /// Statements of absence that hold beside the entries.
    pub statements: Vec<Statement>,
    /// The entries, most important first.
    pub entries: Vec<T>,
    /// How many entries did not fit.
    pub left_out: u32,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { state: SectionState::NoInformation, statements: Vec::new(), entries: Vec::new(), left_out: 0 }
    }
}

/// Who the patient is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct PersonLine {
    /// Name for people.
    pub name: Option<String>,
    /// `female`, `male`, `other` or `unknown`.
    pub sex: Option<String>,
    /// As written; may be partial.
    pub birth_date: Option<String>,
    /// Whether the record says that the patient has died.
    pub deceased: bool,
    /// The Patient record.
    pub source: Source,
}

/// The blood group. To be confirmed before a transfusion, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct BloodGroup {
    /// As the newest record has it.
    pub value: String,
    /// When it was determined.
    pub date: Option<RecordDate>,
    /// Whether another record says something else. Then it must not be relied on.
    pub is_contradicted: bool,
    /// The records it comes from (ABO and Rh may be two).
    pub sources: Vec<Source>,
}

/// One allergy or intolerance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct AllergyEntry {
    /// The substance.
    pub name: String,
    /// `high`, `low` or `unable-to-assess`.
    pub criticality: Option<String>,
    /// The worst severity of its reactions: `severe`, `moderate` or `mild`.
    pub severity: Option<String>,
    /// What happened.
    pub reaction: Option<String>,
    /// Verification code, such as `confirmed` or `unconfirmed`.
    pub verification: Option<String>,
    /// When it began or was recorded.
    pub date: Option<RecordDate>,
    /// Its record.
    pub source: Source,
}

/// One current medicine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct MedicineEntry {
    /// The medicine.
    pub name: String,
    /// How it is taken, in words.
    pub dose: Option<String>,
    /// Status code; `unknown` where the record does not know whether it is still taken.
    pub status: String,
    /// Since when.
    pub date: Option<RecordDate>,
    /// Until when, as written. It may have passed: compare it with today.
    pub until: Option<String>,
    /// Its record.
    pub source: Source,
}

/// One current condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct ConditionEntry {
    /// The condition.
    pub name: String,
    /// Its severity in words.
    pub severity: Option<String>,
    /// Verification code, such as `confirmed` or `provisional`.
    pub verification: Option<String>,
    /// When it began or was recorded.
    pub date: Option<RecordDate>,
    /// Its record.
    pub source: Source,
}

/// One implant or other device in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct DeviceEntry {
    /// What it is.
    pub name: String,
    /// Manufacturer and model.
    pub model: Option<String>,
    /// Since when it is used, or when it was made.
    pub date: Option<RecordDate>,
    /// Its record.
    pub source: Source,
}

/// One vaccination, the newest of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct ImmunizationEntry {
    /// The vaccine.
    pub name: String,
    /// When it was given.
    pub date: Option<RecordDate>,
    /// Its record.
    pub source: Source,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct ContactEntry {
    /// Name for people.
    pub name: Option<String>,
    /// Relationship in words.
    pub relationship: Option<String>,
    /// Phone number, or another way to reach them.
    pub phone: Option<String>,
    /// The record.
    pub source: Source,
}

/// The emergency summary of one patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct EmergencySummary {
    /// Who it is.
    pub person: Option<PersonLine>,
    /// Blood group.
    pub blood_group: Option<BloodGroup>,
    /// Allergies, worst first.
    pub allergies: Section<AllergyEntry>,
    /// Current medicines.
    pub medicines: Section<MedicineEntry>,
    /// Current conditions.
    pub conditions: Section<ConditionEntry>,
    /// Devices in use.
    pub devices: Section<DeviceEntry>,
    /// The newest vaccination of each kind.
    pub immunizations: Section<ImmunizationEntry>,
    /// Emergency contacts.
    pub contacts: Vec<ContactEntry>,
    /// Records of these kinds that could not be read. More than 0 has to be shown.
    pub unreadable: u32,
}

/// One readable record.
struct Item<'a> {
    hospital: &'a str,
    resource_type: &'a str,
    id: &'a str,
    json: Json<'a>,
}

impl Item<'_> {
    fn source(&self) -> Source {
        Source { resource_type: self.resource_type.to_owned(), id: self.id.to_owned() }
    }
}

/// Readable records of one type, by hospital and id.
type OfType<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Item<'a>>>;

/// All readable records that matter here, by type, hospital and id, so that the summary does not depend on the order they come in. Two
/// hospitals may well give the same id to different things.
struct Records<'a>(BTreeMap<&'a str, OfType<'a>>);

/// Hospital and id.
type Place<'a> = (&'a str, &'a str);

impl<'a> Records<'a> {
    fn of_type(&self, resource_type: &str) -> impl Iterator<Item = &Item<'a>> + use<'_, 'a> {
        self.0.get(resource_type).into_iter().flat_map(BTreeMap::values).flat_map(BTreeMap::values)
    }

    /// The record that a reference of `from` names, by `Type/id`, an address ending so, or `urn:uuid:id`: one of the same hospital.
    fn resolve(&self, from: &Item<'a>, resource_type: &str, reference: &Json<'_>) -> Option<&Item<'a>> {
        let reference = crate::identity::normal(reference.text_at("reference")?);
        let id = match reference.rsplit_once('/') {
            Some((kind, id)) if kind == resource_type || kind.ends_with(&format!("/{resource_type}")) => id,
            Some(_) => return None,
            None => reference.rsplit(':').next()?,
        };
        let items = self.0.get(resource_type)?.get(from.hospital)?;
        // A urn:uuid is compared in lower case; the record's id may be in upper case.
        items.get(id).or_else(|| items.get(id.to_ascii_uppercase().as_str()))
    }
}

/// The resource types a summary is made of.
const RELEVANT: &[&str] = &[
    "Patient",
    "RelatedPerson",
    "AllergyIntolerance",
    "Condition",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationUsage",
    "Immunization",
    "Device",
    "DeviceUseStatement",
    "DeviceUsage",
    "Observation",
    "Composition",
];

/// Builds the emergency summary from a patient's records. Never panics, whatever the contents are. The order of the records
/// does not matter; of records of one hospital with the same type and id the last one counts, so leave outdated versions out.
pub fn summarize<'a>(records: impl IntoIterator<Item = (RecordRef<'a>, &'a [u8])>) -> EmergencySummary {
    let mut summary = EmergencySummary::default();
    let mut items: BTreeMap<&str, OfType<'_>> = BTreeMap::new();
    for (RecordRef { hospital, resource_type, id }, content) in records {
        if !RELEVANT.contains(&resource_type) {
            continue;
        }
        match read(content) {
            Ok(json) if json.text_at("resourceType") == Some(resource_type) => {
                let item = Item { hospital, resource_type, id, json };
                items.entry(resource_type).or_default().entry(hospital).or_default().insert(id, item);
            }
            _ => summary.unreadable = summary.unreadable.saturating_add(1),
        }
    }
    let records = Records(items);
    summary.person = person::person(&records);
    summary.contacts = person::contacts(&records);
    summary.blood_group = person::blood_group(&records);
    summary.allergies = allergies::section(&records);
    summary.medicines = medicines::section(&records);
    summary.conditions = conditions::section(&records);
    summary.devices = devices::section(&records);
    summary.immunizations = conditions::immunizations(&records);
    summary
}

/// Closes a section: entries win over statements of total absence, and what does not fit is counted.
fn close<T>(mut entries: Vec<T>, statements: absence::Statements, limit: usize) -> Section<T> {
    let left_out = entries.len().saturating_sub(limit);
    entries.truncate(limit);
    let absence::Statements { mut whole, mut part } = statements;
    let state = match (entries.is_empty(), whole.is_empty(), part.is_empty()) {
        (false, _, _) => SectionState::Listed,
        (true, false, _) => SectionState::NoneKnown,
        (true, true, false) => SectionState::NoneKnownInPart,
        (true, true, true) => SectionState::NoInformation,
    };
    if state == SectionState::Listed {
        // "No known allergies" beside an allergy is outdated; "no known food allergies" may still hold.
        whole.clear();
    }
    whole.append(&mut part);
    whole.truncate(crate::limits::MAX_SUMMARY_ENTRIES);
    Section { state, statements: whole, entries, left_out: u32::try_from(left_out).unwrap_or(u32::MAX) }
}

/// Newest first; without a date last.
fn newest_first(date: &Option<RecordDate>) -> std::cmp::Reverse<Option<i64>> {
    std::cmp::Reverse(date.as_ref().and_then(|date| date.unix_seconds))
}
