//! Grants, accesses and registrations as FHIR R4 `Consent`, `AuditEvent` and `Provenance`, one a line (NDJSON), and back.
//!
//! What the standard has a place for stands there; what it has none for stands in extensions and identifiers of `urn:amulet:`. Every
//! field is carried: [`read_line`] gives back what [`write_line`] was given. `docs/fhir-export.md` says what stands where. `Consent`
//! changed most between the versions, so it is there as R5 too ([`write_consent_r5`]).

mod read;
mod write;

use thiserror::Error;

pub use read::{read_consent_r5, read_line};
pub use write::{write_consent_r5, write_line};

/// Somebody on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// DID, or the address of a study.
    pub id: String,
    /// Name for people. Not empty.
    pub name: String,
    /// What it is.
    pub kind: PartyKind,
}

/// What somebody on the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A practitioner.
    Practitioner,
    /// A hospital or another organisation.
    Organization,
    /// Everybody who takes part in a study.
    Group,
    /// Somebody who is registered nowhere as more than a person, such as a relative.
    RelatedPerson,
}

impl PartyKind {
    const ALL: [Self; 4] = [Self::Practitioner, Self::Organization, Self::Group, Self::RelatedPerson];

    /// The FHIR resource type.
    fn code(self) -> &'static str {
        match self {
            Self::Practitioner => "Practitioner",
            Self::Organization => "Organization",
            Self::Group => "Group",
            Self::RelatedPerson => "RelatedPerson",
        }
    }
}

/// What a patient allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantExport {
    /// The grant's id, hex, at most 64 characters.
    pub id: String,
    /// The patient's DID.
    pub patient: String,
    /// Who may read.
    pub grantee: Party,
    /// What for, as code of HL7's `v3-ActReason`.
    pub purpose: String,
    /// From when, in seconds since 1970-01-01T00:00:00Z.
    pub granted_at: i64,
    /// Until when.
    pub until: i64,
    /// How it stands: `active`, `paused`, `used_up`, `expired` or `revoked`.
    pub state: String,
    /// What it opens: categories of records, with how many of each.
    pub categories: Vec<(String, u32)>,
    /// Categories of which records to come are opened as well.
    pub standing: Vec<String>,
    /// How often it was used.
    pub uses: u32,
    /// How often it may be used, if that is limited.
    pub uses_max: Option<u32>,
}

/// That somebody read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessExport {
    /// Its number in the patient's history.
    pub number: u32,
    /// The patient's DID.
    pub patient: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Who read.
    pub reader: Party,
    /// Where they work, if they read as somebody who works there.
    pub hospital: Option<Party>,
    /// What for, as code of HL7's `v3-ActReason`.
    pub purpose: String,
    /// How many records; 0 for the emergency summary.
    pub records: u32,
}

/// That a hospital registered records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationExport {
    /// The transaction, hex, at most 64 characters.
    pub id: String,
    /// The patient's DID.
    pub patient: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Which hospital.
    pub hospital: Party,
    /// The records' ids. At least one.
    pub records: Vec<String>,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Export {
    /// A `Consent`.
    Grant(GrantExport),
    /// An `AuditEvent`.
    Access(AccessExport),
    /// A `Provenance`.
    Registration(RegistrationExport),
}

/// Why a line is none of an export.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExportError {
    /// Not JSON, too large, or not a resource.
    #[error("the line is not one FHIR resource")]
    Unreadable,
    /// A resource of another type.
    #[error("the line is a {found}, which no export holds")]
    Type {
        /// Its type.
        found: String,
    },
    /// Something that every export has is missing or of another form.
    #[error("the {resource_type} has no usable {element}")]
    Element {
        /// The resource's type.
        resource_type: &'static str,
        /// Where it should stand.
        element: &'static str,
    },
}

const URI_SYSTEM: &str = "urn:ietf:rfc:3986";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const CATEGORY: &str = "urn:amulet:category";
const STATE: &str = "urn:amulet:grant-state";
const USES: &str = "urn:amulet:uses";
const USES_MAX: &str = "urn:amulet:uses-max";
const STANDING: &str = "urn:amulet:opens-records-to-come";
const COUNT: &str = "urn:amulet:records";
const TRANSACTION: &str = "urn:amulet:transaction";
