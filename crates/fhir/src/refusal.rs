//! Why a file or one of its resources was not taken. Each reason has a stable code for translation and a plain sentence.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{
    MAX_BUNDLE_BYTES, MAX_ENTRIES, MAX_FILE_NESTING, MAX_RESOURCE_BYTES, MAX_RESOURCE_NESTING,
    MAX_RESOURCE_VALUES,
};

use crate::quality::{Finding, Language};

const MIB: usize = 1024 * 1024;

/// Why a whole file was refused. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileRefusal {
    /// No bytes, or only space.
    #[error("the file is empty; export the patient's record again and send that file")]
    Empty,
    /// More than [`MAX_BUNDLE_BYTES`]; it was not read.
    #[error(
        "the file has {bytes} bytes, more than the limit of {} MiB; split it into several bundles of the same patient",
        MAX_BUNDLE_BYTES / MIB
    )]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Not UTF-8 text.
    #[error(
        "the file is not UTF-8 text (first wrong byte at offset {offset}); save it as UTF-8 JSON and send it again"
    )]
    NotUtf8 {
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// XML instead of JSON.
    #[error("the file is XML; FHIR is taken here as JSON, so export it as JSON (application/fhir+json)")]
    Xml,
    /// A CDA document.
    #[error(
        "the file is a CDA document (ClinicalDocument), which is not FHIR; export the patient as a FHIR R4 Bundle in JSON, or convert the document first, for example with the FHIR Converter, and send the result"
    )]
    Cda,
    /// An HL7 version 2 message.
    #[error(
        "the file is an HL7 version 2 message, which is not FHIR; export the patient as a FHIR R4 Bundle in JSON and send that"
    )]
    Hl7V2,
    /// Not JSON.
    #[error("the file is not valid JSON: {} at line {line}, column {column}; export it again",
        if *.cut_off { "it ends too early" } else { "it cannot be read" })]
    NotJson {
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
        /// Whether the text just stops, as when a download was cut off.
        cut_off: bool,
    },
    /// Nested deeper than [`MAX_FILE_NESTING`].
    #[error(
        "the file is nested {depth} levels deep, more than {MAX_FILE_NESTING}; no health record is, so it was refused"
    )]
    TooDeep {
        /// Levels found.
        depth: usize,
    },
    /// JSON, but not a FHIR Bundle.
    #[error(
        "the file is not a FHIR Bundle but {found}; send a Bundle that holds the patient and the records"
    )]
    NotABundle {
        /// What it is, in words: `a Patient`, `a list`, `an object without resourceType`.
        found: String,
    },
    /// A Bundle among the lines of an NDJSON file.
    #[error("line {line} of the file holds a Bundle; send each Bundle as a file of its own")]
    BundleInLines {
        /// Which of the lines that are not empty, from 1.
        line: usize,
    },
    /// A key of the bundle itself comes twice, so that readers would disagree on what it holds.
    #[error("the Bundle has \"{key}\" more than once, so it is not clear what it holds; export it again")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// `entry` is not a list.
    #[error("the Bundle's \"entry\" is not a list; export it again")]
    EntriesNotAList,
    /// A bundle without entries.
    #[error("the Bundle has no entries, so there is nothing to take in; export the patient's record again")]
    NoEntries,
    /// More than [`MAX_ENTRIES`].
    #[error(
        "the Bundle has {entries} entries, more than {MAX_ENTRIES}; split it into several bundles of the same patient"
    )]
    TooManyEntries {
        /// How many there are.
        entries: usize,
    },
    /// No Patient resource.
    #[error(
        "the Bundle has no Patient, so nobody can tell whose records these are; add the Patient resource and send it again"
    )]
    NoPatient,
    /// The only Patient resource cannot be kept.
    #[error(
        "the Bundle's Patient ({resource}) cannot be used: {reason}; correct it and send the Bundle again"
    )]
    UnusablePatient {
        /// The Patient's label.
        resource: String,
        /// What is wrong with it.
        reason: RefusalReason,
    },
    /// Two or more different patients.
    #[error("the Bundle has {count} patients ({}); records of one patient must not end up with another, so send one Bundle for each",
        .ids.join(", "))]
    MoreThanOnePatient {
        /// How many different patients.
        count: usize,
        /// The first few of them.
        ids: Vec<String>,
    },
    /// The patient asked for is none of the file's.
    #[error("the file has patients, but none with the id {subject}; name one that it has")]
    NoSuchPatient {
        /// Who was asked for, shortened.
        subject: String,
    },
    /// A class was set by hand for a record that the file has not.
    #[error(
        "a class was set for {label}, which is not among the file's records; correct the list of classes"
    )]
    ClassForNothing {
        /// For what, shortened.
        label: String,
    },
    /// A quality rule says that the file can't be right.
    #[error("{}", quality_message(.findings, *.more))]
    Quality {
        /// What was found, at most [`MAX_FINDINGS_NAMED`](crate::limits::MAX_FINDINGS_NAMED).
        findings: Vec<Finding>,
        /// How many findings are not named.
        more: usize,
    },
}

fn quality_message(findings: &[Finding], more: usize) -> String {
    let count = findings.len() + more;
    let first = findings.first().map_or_else(String::new, |finding| {
        format!("{} ({}): {}", finding.resource, finding.path, finding.sentence(Language::En))
    });
    let others = match count {
        0 | 1 => String::new(),
        _ => format!(", and {} more", count - 1),
    };
    format!(
        "the file can't be right, so nothing of it was taken: {first}{others}; correct it at its source and send it again"
    )
}

impl FileRefusal {
    /// The stable code, for translation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            FileRefusal::Empty => "file_empty",
            FileRefusal::TooLarge { .. } => "file_too_large",
            FileRefusal::NotUtf8 { .. } => "file_not_utf8",
            FileRefusal::Xml => "file_is_xml",
            FileRefusal::NotJson { .. } => "file_not_json",
            FileRefusal::TooDeep { .. } => "file_too_deep",
            FileRefusal::NotABundle { .. } => "not_a_bundle",
            FileRefusal::RepeatedKey { .. } => "bundle_repeated_key",
            FileRefusal::EntriesNotAList => "bundle_entries_not_a_list",
            FileRefusal::NoEntries => "bundle_no_entries",
            FileRefusal::TooManyEntries { .. } => "bundle_too_many_entries",
            FileRefusal::NoPatient => "bundle_no_patient",
            FileRefusal::UnusablePatient { .. } => "bundle_unusable_patient",
            FileRefusal::MoreThanOnePatient { .. } => "bundle_more_than_one_patient",
            FileRefusal::BundleInLines { .. } => "bundle_in_lines",
            FileRefusal::Cda => "file_is_cda",
            FileRefusal::Hl7V2 => "file_is_hl7_v2",
            FileRefusal::NoSuchPatient { .. } => "no_such_patient",
            FileRefusal::ClassForNothing { .. } => "class_for_nothing",
            FileRefusal::Quality { .. } => "quality_refused",
        }
    }
}

/// One resource that was not kept, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Refusal {
    /// `Type/id`, or `entry[n]` (from 0) where there is no identity.
    pub resource: String,
    /// Why it was refused.
    pub reason: RefusalReason,
}

/// Why one resource was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum RefusalReason {
    /// The entry or its resource is not a JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// The entry holds no resource.
    #[error("the entry holds no resource")]
    NoResource,
    /// The entry asks a server to delete, patch or read something; it carries no record.
    #[error("the entry is a {method} request, not a record")]
    ChangeRequest {
        /// The HTTP method.
        method: String,
    },
    /// A message about the search that made the bundle.
    #[error("it is a message about the search that made this bundle, not a record")]
    SearchOutcome,
    /// No `resourceType`.
    #[error("it does not say what it is (no resourceType)")]
    NoResourceType,
    /// A `resourceType` that cannot be a FHIR type name.
    #[error("\"{found}\" is not the name of a FHIR resource type")]
    BadResourceType {
        /// The name found, shortened.
        found: String,
    },
    /// Larger than [`MAX_RESOURCE_BYTES`].
    #[error("it has {bytes} bytes, more than the limit of {} KiB for one record", MAX_RESOURCE_BYTES / 1024)]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Nested deeper than [`MAX_RESOURCE_NESTING`].
    #[error("it is nested more than {MAX_RESOURCE_NESTING} levels deep")]
    TooDeep,
    /// More than [`MAX_RESOURCE_VALUES`] values.
    #[error("it holds more than {MAX_RESOURCE_VALUES} values")]
    TooManyValues,
    /// A key comes twice in one object.
    #[error("\"{key}\" is in it more than once, so readers would disagree on what it says")]
    RepeatedKey {
        /// The key, shortened.
        key: String,
    },
    /// Text that is not valid Unicode.
    #[error("it holds text that is not valid Unicode")]
    BadText,
    /// The same resource, with the same content, was kept already.
    #[error("it is the same as {first}, which was kept")]
    Duplicate {
        /// The one that was kept.
        first: String,
    },
    /// Another version of a resource that was kept.
    #[error("it is another version of {kept}, which was kept; the two differ")]
    ConflictingVersion {
        /// The one that was kept.
        kept: String,
    },
    /// It is about another patient.
    #[error("it is about another patient ({reference})")]
    AnotherPatient {
        /// Whom it names, shortened.
        reference: String,
    },
    /// It names no patient, in a file where that leaves open whose record it is.
    #[error("it names no patient, so it cannot be told whose record it is")]
    NamelessPatient,
    /// It names a patient whom the bundle does not hold, so whose record it is cannot be told.
    #[error("it names a patient who is not in this bundle ({reference})")]
    UnknownPatient {
        /// Whom it names, shortened.
        reference: String,
    },
}

impl RefusalReason {
    /// The stable code, for translation; also serde's tag.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            RefusalReason::NotAnObject => "not_an_object",
            RefusalReason::NoResource => "no_resource",
            RefusalReason::ChangeRequest { .. } => "change_request",
            RefusalReason::SearchOutcome => "search_outcome",
            RefusalReason::NoResourceType => "no_resource_type",
            RefusalReason::BadResourceType { .. } => "bad_resource_type",
            RefusalReason::TooLarge { .. } => "too_large",
            RefusalReason::TooDeep => "too_deep",
            RefusalReason::TooManyValues => "too_many_values",
            RefusalReason::RepeatedKey { .. } => "repeated_key",
            RefusalReason::BadText => "bad_text",
            RefusalReason::Duplicate { .. } => "duplicate",
            RefusalReason::ConflictingVersion { .. } => "conflicting_version",
            RefusalReason::AnotherPatient { .. } => "another_patient",
            RefusalReason::UnknownPatient { .. } => "unknown_patient",
            RefusalReason::NamelessPatient => "nameless_patient",
        }
    }
}
