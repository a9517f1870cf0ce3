//! What a wallet shows of one record.
//!
//! Values appear as the record has them: numbers with their written precision, units, dates partial where they are. A
//! fact's label is an enum, so that the wallet names it in the reader's language; only the value is the record's own text.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::category::{Category, category_of};
use crate::date::RecordDate;
use crate::json::{Json, JsonError};
use crate::limits::{MAX_FACTS, MAX_RESOURCE_BYTES};
use crate::narrative::narrative;
use crate::title::{date_of, title_of};
use crate::{facts, text};

/// Why a content cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ViewError {
    /// Longer than a record can be.
    #[error("the record has {bytes} bytes, more than {MAX_RESOURCE_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not JSON, or nested too deep, or with repeated keys.
    #[error("the record's content cannot be read as one JSON resource")]
    Unreadable,
    /// JSON, but not a resource.
    #[error("the record's content is not a FHIR resource")]
    NotAResource,
}

/// One record, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct RecordDetail {
    /// FHIR resource type.
    pub resource_type: String,
    /// The resource's own id, where it has one.
    pub id: Option<String>,
    /// One line by which a person recognises it.
    pub title: String,
    /// Where it stands on the timeline.
    pub category: Category,
    /// The clinically relevant date.
    pub date: Option<RecordDate>,
    /// The record's status code, such as `final`, `active`, `entered-in-error`.
    pub status: Option<String>,
    /// What it says, most important first; at most [`MAX_FACTS`].
    pub facts: Vec<Fact>,
    /// Its narrative as plain text.
    pub narrative: Option<String>,
}

/// One labelled value of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Fact {
    /// What the value is.
    pub label: FactLabel,
    /// The record's own name for it where the label alone does not say, as for the parts of a blood pressure.
    pub name: Option<String>,
    /// The value, as written.
    pub value: String,
}

/// What a fact is. Closed, so that each has a translation.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are what they mean")]
pub enum FactLabel {
    Value = 0,
    Component = 1,
    ReferenceRange = 2,
    Interpretation = 3,
    Dose = 4,
    Route = 5,
    Severity = 6,
    Reaction = 7,
    Criticality = 8,
    ClinicalStatus = 9,
    Verification = 10,
    Onset = 11,
    End = 12,
    Period = 13,
    Performer = 14,
    Requester = 15,
    Organization = 16,
    Place = 17,
    Reason = 18,
    BodySite = 19,
    Method = 20,
    Note = 21,
    Result = 22,
    Conclusion = 23,
    LotNumber = 24,
    DoseNumber = 25,
    Target = 26,
    Manufacturer = 27,
    Model = 28,
    SerialNumber = 29,
    Sex = 30,
    BirthDate = 31,
    Address = 32,
    Contact = 33,
    Identifier = 34,
    Relationship = 35,
    Speciality = 36,
    Section = 37,
    Attachment = 38,
    Amount = 39,
    Activity = 40,
    Kind = 41,
    Ingredient = 42,
    Form = 43,
    NotDone = 44,
}

/// Describes one record from its content. Never panics, whatever the bytes are; what has an unexpected shape is left out.
///
/// # Errors
/// [`ViewError`] when the bytes are not one readable resource.
pub fn describe(content: &[u8]) -> Result<RecordDetail, ViewError> {
    let resource = read(content)?;
    let resource_type = resource.text_at("resourceType").map(text::line).unwrap_or_default();
    let mut facts = facts::facts_of(&resource_type, &resource);
    facts.truncate(MAX_FACTS);
    Ok(RecordDetail {
        id: text::of(resource.get("id")),
        title: title_of(&resource_type, &resource).unwrap_or_else(|| resource_type.clone()),
        category: category_of(&resource_type, &resource),
        date: date_of(&resource),
        status: status(&resource),
        facts,
        narrative: narrative(&resource),
        resource_type,
    })
}

/// Reads a record's content within its bounds.
pub(crate) fn read(content: &[u8]) -> Result<Json<'_>, ViewError> {
    if content.len() > MAX_RESOURCE_BYTES {
        return Err(ViewError::TooLarge { bytes: content.len() });
    }
    let resource = Json::from_bytes(content).map_err(|_: JsonError| ViewError::Unreadable)?;
    match resource.get("resourceType").text() {
        Some(_) => Ok(resource),
        None => Err(ViewError::NotAResource),
    }
}

fn status(resource: &Json<'_>) -> Option<String> {
    ["status", "lifecycleStatus", "docStatus", "clinicalStatus"].iter().find_map(|key| {
        match resource.get(key) {
            Json::Null => None,
            coded => text::codes(coded).next().map(text::line),
        }
    })
}
