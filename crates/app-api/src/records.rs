//! The patient's records.

use crate::wallet::{CheckedView, HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// Ask for all records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Records {}

/// Records newest first, with counts for the filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineView {
    /// All records, newest first; those without a date come last.
    pub records: Vec<RecordLineView>,
    /// Number of records by category, in the order of display, no zeroes.
    pub categories: Vec<(Category, u64)>,
    /// Records on the ledger that no hospital could deliver just now.
    pub missing: u64,
    /// What is left of records that are erased, newest first.
    #[serde(default)]
    pub erased: Vec<crate::erasure::ErasedRecordView>,
    /// The check behind it.
    pub checked: Option<CheckedView>,
}

/// Categories of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Category {
    Allergies,
    Conditions,
    Medicines,
    Labs,
    VitalSigns,
    Immunizations,
    Procedures,
    Imaging,
    Visits,
    CarePlans,
    Documents,
    Devices,
    Social,
    Administrative,
    Billing,
    Other,
}

/// How sensitive a record is (Data Security Law classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum DataClass {
    Public,
    Internal,
    Sensitive,
    Core,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLineView {
    /// Record identifier, hex.
    pub id: String,
    /// What it is, in the record's own words.
    pub title: String,
    /// The clinically relevant date as the record has it (may be only a year); `None` if it has none.
    pub date: Option<String>,
    /// The most telling fact, for example `13.2 g/dL`; `None` if the title says it all.
    pub highlight: Option<String>,
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// FHIR resource type.
    pub resource_type: String,
    /// The hospital that registered it.
    pub hospital: HospitalView,
    /// For a record that is too large to be shown here, and can be saved as a file.
    #[serde(default)]
    pub large: Option<LargeView>,
}

/// A record that is too large to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeView {
    /// Bytes of its content.
    pub bytes: u64,
    /// Its media type, such as `application/dicom`.
    pub content_type: String,
}

/// Ask for one record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// From [`RecordLineView`].
    pub id: String,
}

/// One record in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its line.
    pub line: RecordLineView,
    /// Label codes and values, in reading order. A label is a stable word such as `value`, `status`, `dose`.
    pub facts: Vec<FactView>,
    /// The record's own narrative as plain text.
    pub narrative: Option<String>,
    /// The FHIR resource, pretty-printed.
    pub source_json: String,
    /// What was checked.
    pub proof: crate::access::ProofView,
}

/// Ask how the values measured in a record went over time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordTrends {
    /// From [`RecordLineView`].
    pub id: String,
}

/// All values of one test in one unit. Nothing is converted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendView {
    /// The test, in the words of the record that was asked about.
    pub name: String,
    /// Newest first; those without a date come last.
    pub points: Vec<TrendPointView>,
    /// Values of the same test that stand in other units, and are not among these.
    pub other_units: u64,
}

/// Ask for every test that was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Labs {}

/// Every test that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabsView {
    /// By test and unit, also of a single value; the one measured last first.
    pub tests: Vec<TrendView>,
    /// Records that no hospital could deliver just now, and that are not among these.
    pub missing: u64,
}

/// Ask for every medicine that a record orders or tells of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Medicines {}

/// Every medicine that a record orders or tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicinesView {
    /// Current ones first.
    pub medicines: Vec<MedicineView>,
    /// Records that no hospital could deliver just now, and that are not among these.
    pub missing: u64,
}

/// A medicine as one record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicineView {
    /// The record.
    pub record: String,
    /// What it is, in the record's own words.
    pub name: String,
    /// How much and how often, in the record's own words.
    pub dose: Option<String>,
    /// Whether it is taken.
    pub standing: MedicineStanding,
    /// The date as the record has it.
    pub since: Option<String>,
    /// Who ordered it.
    pub by: Option<String>,
    /// The hospital that registered the record.
    pub hospital: HospitalView,
}

/// Whether a medicine is taken, as far as its record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MedicineStanding {
    /// It is.
    Current,
    /// Not just now.
    OnHold,
    /// The record does not say.
    NotSaid,
    /// Not any more, or it never was.
    Past,
}

/// One value of a trend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendPointView {
    /// The record that has it.
    pub record: String,
    /// The date as the record has it.
    pub date: Option<String>,
    /// Seconds since 1970 of the earliest instant that the date can mean.
    pub at: Option<i64>,
    /// The value as written, with comparator and unit.
    pub value: String,
    /// Where to draw it.
    pub number: f64,
    /// The reference range as written.
    pub range: Option<String>,
    /// The lower end of the range, where it can be drawn.
    pub low: Option<f64>,
    /// The upper end of the range, where it can be drawn.
    pub high: Option<f64>,
    /// How it stands to the range; `None` where the record does not tell.
    pub standing: Option<Standing>,
    /// The hospital that registered it.
    pub hospital: HospitalView,
}

/// How a value stands to its reference range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Under its lower end.
    Low,
    /// Within it.
    Within,
    /// Over its upper end.
    High,
}

/// Ask for everything that ever happened to a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordStory {
    /// From [`RecordLineView`].
    pub id: String,
}

/// Everything that ever happened to a record, as the person's complete history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStoryView {
    /// Newest first.
    pub steps: Vec<StoryStepView>,
    /// With which check it was last known to be complete.
    pub checked: crate::wallet::CheckedView,
}

/// One thing that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryStepView {
    /// What it meant for this record.
    pub what: StoryStep,
    /// The line of the access log.
    pub line: crate::access::LogLineView,
}

/// What an event meant for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryStep {
    /// A hospital registered it.
    Registered,
    /// A hospital registered a later version of it.
    Amended,
    /// A grant opened it.
    Opened,
    /// A grant that opens it was paused.
    Paused,
    /// A paused grant went on.
    Resumed,
    /// A grant that opens it was made to last longer.
    Extended,
    /// It was read.
    Read,
    /// A grant no longer opens it: it was taken out, or the grant was taken back.
    Closed,
    /// A reader confirmed that what was read is deleted.
    Deleted,
    /// The person asked to have it erased.
    ErasureAsked,
    /// The hospital keeps it.
    ErasureRefused,
    /// The hospital had it erased.
    Erased,
    /// A hospital that held it confirmed that it does so no more.
    ErasureConfirmed,
}

/// One fact of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactView {
    /// Stable snake_case label the interface translates; shown as it is if unknown.
    pub label: String,
    /// The value in the record's own words and units.
    pub value: String,
}

/// When a record was registered, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationView {
    /// Block time.
    pub at: TimeMs,
    /// The hospital.
    pub hospital: HospitalView,
}
