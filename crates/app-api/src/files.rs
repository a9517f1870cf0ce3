//! Proofs as files: to keep, or to hand to somebody who checks them without this wallet.

use serde::{Deserialize, Serialize};

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
        number: u64,
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
