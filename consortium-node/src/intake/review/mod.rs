//! The review queue: records that a quality rule flagged wait here, at the hospital, until a person decides.
//!
//! A record is in the queue, on the disk, before its sender hears so. It leaves it by a decision that names who made it and
//! why, and the decision is kept. An approved record is registered as any other; a crash in between leaves it waiting, and
//! approving it again registers nothing twice.

mod store;

pub use store::{ReviewError, ReviewStore};

use amulet_fhir::quality::{Finding, Language};
use amulet_fhir::{DataClass, Record};
use amulet_protocol::ids::{Did, RecordId};
use serde::{Deserialize, Serialize};

/// Longest name of who decided, in bytes.
pub const WHO_BYTES_MAX: usize = 200;
/// Longest reason of a decision, in bytes.
pub const REASON_BYTES_MAX: usize = 2_000;
/// Most items of one list.
pub const ITEMS_PER_LIST_MAX: usize = 200;

/// A record that waits, or waited, for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    /// The patient's text form.
    pub patient: String,
    /// When it came, in milliseconds since 1970.
    pub received_ms: u64,
    /// SM3 of the file it came in, in hex.
    pub file: String,
    /// The record; its content is kept beside it.
    pub record: Record,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// What a person decided about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Decision {
    /// `approve` or `reject`.
    pub verdict: Verdict,
    /// Who decided, in their own words: the hospital answers for it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// The record on the ledger, if it was approved.
    pub record: Option<String>,
}

/// The two ways to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is right as it is, and is registered.
    Approve,
    /// It is not taken.
    Reject,
}

/// A decision as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// `approve` or `reject`.
    pub verdict: Verdict,
    /// Who decides.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Another class for the record (`public`, `internal`, `sensitive`, `core`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// One item of the queue, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReviewItem {
    /// Its number.
    pub id: u64,
    /// Whose record it is.
    pub patient: String,
    /// `Type/id`.
    pub resource: String,
    /// The line by which a person recognises it.
    pub title: String,
    /// Category.
    pub category: String,
    /// Class it has, or would have.
    pub class: String,
    /// By which rule it has its class.
    pub class_rule: String,
    /// When it came, in milliseconds since 1970.
    pub received_ms: u64,
    /// SM3 of the file it came in, in hex: the items of one file share it.
    pub file: String,
    /// What the rules found; empty where the doubt is about the patient.
    pub findings: Vec<FindingView>,
    /// What was decided; without it the item waits.
    pub decision: Option<Decision>,
    /// The resource as it came; only for a single item that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A finding, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FindingView {
    /// `Type/id`.
    pub resource: String,
    /// Stable code of the rule.
    #[schema(example = "blood_pressure_scale")]
    pub code: String,
    /// `refuse`, `flag` or `note`.
    pub severity: String,
    /// The element.
    pub path: String,
    /// The compared values, by name.
    #[schema(value_type = Object)]
    pub values: serde_json::Value,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            resource: finding.resource.clone(),
            code: finding.rule.code().to_owned(),
            severity: finding.severity().code().to_owned(),
            path: finding.path.clone(),
            values: serde_json::to_value(&finding.values).unwrap_or_default(),
            en: finding.sentence(Language::En),
            zh: finding.sentence(Language::Zh),
        }
    }
}

impl Held {
    pub(super) fn view(&self, id: u64, content: Option<Vec<u8>>) -> ReviewItem {
        ReviewItem {
            id,
            patient: self.patient.clone(),
            resource: self.record.label(),
            title: self.record.title.clone(),
            category: self.record.category.code().to_owned(),
            class: self.record.class.code().to_owned(),
            class_rule: self.record.class_rule.code().to_owned(),
            received_ms: self.received_ms,
            file: self.file.clone(),
            findings: self.record.findings.iter().map(Into::into).collect(),
            decision: self.decision.clone(),
            content: content.map(|content| String::from_utf8_lossy(&content).into_owned()),
        }
    }

    pub(super) fn patient(&self) -> Result<Did, ReviewError> {
        self.patient.parse().map_err(|_| ReviewError::Damaged { table: "held" })
    }
}

impl DecisionRequest {
    /// Checks what a person gave, and reads the class.
    ///
    /// # Errors
    /// [`ReviewError::Incomplete`], [`ReviewError::UnknownClass`].
    pub(super) fn check(&self) -> Result<Option<DataClass>, ReviewError> {
        let is_said = |text: &str, limit| !text.trim().is_empty() && text.len() <= limit;
        if !is_said(&self.who, WHO_BYTES_MAX) {
            return Err(ReviewError::Incomplete { field: "who", limit: WHO_BYTES_MAX });
        }
        if !is_said(&self.reason, REASON_BYTES_MAX) {
            return Err(ReviewError::Incomplete { field: "reason", limit: REASON_BYTES_MAX });
        }
        self.class.as_deref().map(class_named).transpose()
    }

    pub(super) fn decided(self, time_ms: u64, record: Option<RecordId>) -> Decision {
        let Self { verdict, who, reason, .. } = self;
        Decision { verdict, who, reason, time_ms, record: record.map(|record| record.to_string()) }
    }
}

/// The class of this name.
///
/// # Errors
/// [`ReviewError::UnknownClass`].
pub fn class_named(name: &str) -> Result<DataClass, ReviewError> {
    let named = DataClass::ALL.into_iter().find(|class| class.code() == name);
    named.ok_or_else(|| ReviewError::UnknownClass { name: name.chars().take(40).collect() })
}
