//! Files for others: proofs that they check without this wallet, and the patient summary for another doctor.

use serde::{Deserialize, Serialize};

use crate::access::LineId;
use crate::wallet::Language;

/// Save a file that proves something to anybody who has the genesis document; its format is in `docs/spec/proofs.md`,
/// "Proof files".
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveProof {
    /// What it is to prove.
    pub of: ProofOf,
}

/// What a proof file is to prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ProofOf {
    /// A line of the access log, and that the log it is in is complete.
    LogLine {
        /// From [`LogLineView`](crate::access::LogLineView).
        line: LineId,
    },
    /// That a record is registered, by whom, and with which digest.
    Record {
        /// From [`RecordLineView`](crate::records::RecordLineView).
        id: String,
    },
    /// Everything that happened to a record, and that the log it is taken from is complete.
    RecordStory {
        /// From [`RecordLineView`](crate::records::RecordLineView).
        id: String,
    },
    /// A grant as it stands: who may read what until when, or that it was taken back.
    Grant {
        /// From [`ShareView`](crate::access::ShareView).
        id: String,
    },
    /// The newest entry that this device checked, with the signatures on it.
    NewestEntry,
}

/// Save a contradiction between hospitals as a file that others can check; its format is in `docs/spec/proofs.md`, "Fork
/// files".
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveContradiction {
    /// Its place among [`CheckingView::contradictions`](crate::checking::CheckingView::contradictions), from 0.
    pub place: usize,
}

/// Save the content of a large record, not encrypted; how far it is, is in `Progress`. The reply is `None` if it was cancelled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveLarge {
    /// The record, from [`RecordLineView`](crate::records::RecordLineView).
    pub id: String,
}

/// Stop saving a large record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CancelSaving {}

/// A file that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFileView {
    /// Its name, which tells nothing about the person.
    pub name: String,
    /// The full path, where this app wrote it; `None` where the browser took it and decides.
    pub place: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Save the International Patient Summary of all records as a FHIR document, not encrypted; see `docs/summary.md`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveSummary {
    /// The language of its titles, which need not be that of the interface. Records keep theirs.
    pub language: Language,
}

/// A patient summary that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSummaryView {
    /// The file.
    pub file: SavedFileView,
    /// Records that its sections list.
    pub listed: u64,
    /// Records left out because there are many newer ones.
    pub left_out: u64,
    /// Records left out because they are of class core.
    pub core: u64,
    /// Records that could not be had or read. If there are any, the document says that it is incomplete.
    pub missing: u64,
}

/// Save every grant, access and registration as FHIR `Consent`, `AuditEvent` and `Provenance`, one a line; see
/// `docs/fhir-export.md`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveAccessHistory {}

/// Save every grant as FHIR R5 `Consent`, one a line; see `docs/fhir-export.md`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveConsents {}
