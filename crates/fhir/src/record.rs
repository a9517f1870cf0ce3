//! What intake gives back: the records kept, the resources refused, and whose they are.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::class::{ClassRule, DataClass};
use crate::date::RecordDate;
use crate::quality::{BloodGroup, Finding, Severity};
use crate::refusal::Refusal;
use crate::title::Code;

/// One resource of the bundle, kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// FHIR resource type, such as `Observation`.
    pub resource_type: String,
    /// The resource's own id; where it has none, made from its `fullUrl` or from its place and content. Within one
    /// intake no two records share type and id.
    pub id: String,
    /// One line by which a person recognises it; the resource type when it names nothing.
    pub title: String,
    /// Where it stands on the timeline.
    pub category: Category,
    /// How well it has to be guarded.
    pub class: DataClass,
    /// By which rule it has its class.
    pub class_rule: ClassRule,
    /// The clinically relevant date, where it has one.
    pub date: Option<RecordDate>,
    /// Its main code, where it has one.
    pub code: Option<Code>,
    /// The resource's JSON, byte for byte as it stood in the bundle.
    pub content: Vec<u8>,
    /// What the quality rules flagged or noted in it.
    pub findings: Vec<Finding>,
}

impl Record {
    /// `Type/id`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }

    /// Whether a person has to look at it before it is registered.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity() == Severity::Flag)
    }
}

/// Who the bundle's patient is, as far as intake needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct PatientFacts {
    /// The id of the Patient record.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Administrative gender, as FHIR codes it (`female`, `male`, `other`, `unknown`).
    pub gender: Option<String>,
    /// Birth date as written; may be partial.
    pub birth_date: Option<String>,
    /// Identifiers such as medical record numbers, as (system, value).
    pub identifiers: Vec<(String, String)>,
}

/// The judged bundle. Every entry is either a record or a refusal: `resources_in == records.len() + refused.len()`,
/// which the only constructor asserts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intake {
    /// The one patient whose records these are.
    pub patient: PatientFacts,
    /// What was kept, in the bundle's order.
    pub records: Vec<Record>,
    /// What was refused, in the bundle's order.
    pub refused: Vec<Refusal>,
    /// How many entries the bundle has.
    pub resources_in: usize,
    /// The blood group by the kept records, where they state one and agree.
    pub blood_group: Option<BloodGroup>,
}

impl Intake {
    /// # Panics
    /// When an entry was lost or counted twice, which would break intake's first promise.
    pub(crate) fn new(
        patient: PatientFacts,
        records: Vec<Record>,
        refused: Vec<Refusal>,
        resources_in: usize,
        blood_group: Option<BloodGroup>,
    ) -> Self {
        assert_eq!(resources_in, records.len() + refused.len(), "every entry is either kept or refused");
        Self { patient, records, refused, resources_in, blood_group }
    }

    /// Whether there is a doubt about the patient, so that no record of the file may be registered before a person has
    /// looked.
    #[must_use]
    pub fn is_patient_in_doubt(&self) -> bool {
        self.records.iter().any(|record| record.resource_type == "Patient" && record.is_flagged())
    }
}
