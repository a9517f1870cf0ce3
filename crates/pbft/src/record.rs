//! What a replica writes down before it speaks, so that after a restart it never contradicts itself.

use amulet_crypto::signing::PublicKey;
use amulet_protocol::ids::{Epoch, Height};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::certificate::{CheckpointCertificate, PreparedCertificate};
use crate::message::{Checkpoint, NewView, PrePrepare, Signed, ViewChange};
use crate::payload::Payload;

/// One durable record. A record stands in for all earlier ones with its key, also those of earlier epochs, so the log has
/// a bounded size: the driver may store it as a table from key to record.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LogRecord {
    /// The epoch in which it was written; means nothing in any other.
    pub epoch: Epoch,
    /// What is written down.
    pub entry: LogEntry,
}

/// What a replica writes down.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LogEntry {
    /// The proposal that this replica made or votes to prepare, before the pre-prepare or prepare leaves.
    Accepted(Signed<PrePrepare>, Payload),
    /// What this replica has prepared, before its commit vote leaves. The payload is repeated because the accepted
    /// proposal of a later view may take that record's place while this one must survive.
    Prepared(PreparedCertificate, Payload),
    /// The view that this replica asks for, before the view-change leaves. From here on it votes in no earlier view.
    ViewChange(Signed<ViewChange>),
    /// The view that this replica entered, before any message of that view leaves.
    NewView(Signed<NewView>),
    /// This replica's last checkpoint vote, before it leaves.
    Checkpoint(Signed<Checkpoint>),
    /// The last stable checkpoint.
    Stable(CheckpointCertificate),
    /// The log of this epoch was lost: the replica may have said anything in it, and says no more.
    Lost,
    /// Log and ledger were lost, so that nobody knows in which epochs the replica spoke: it says no more under these keys,
    /// in whatever epoch.
    KeysLost(Vec<PublicKey>),
}

/// Names the record that a newer one replaces. Its borsh encoding may serve as a table key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = false)]
pub enum RecordKey {
    /// The accepted proposal at a height.
    Accepted(Height),
    /// The prepared certificate at a height.
    Prepared(Height),
    /// The view asked for.
    ViewChange,
    /// The view entered.
    NewView,
    /// The last checkpoint vote.
    Checkpoint,
    /// The last stable checkpoint.
    Stable,
    /// That the log was lost.
    Lost,
    /// That log and ledger were lost.
    KeysLost,
}

impl RecordKey {
    /// Whether the record may be deleted once the block at `committed` is durable.
    #[must_use]
    pub fn is_obsolete(&self, committed: Height) -> bool {
        match self {
            Self::Accepted(height) | Self::Prepared(height) => *height <= committed,
            Self::ViewChange
            | Self::NewView
            | Self::Checkpoint
            | Self::Stable
            | Self::Lost
            | Self::KeysLost => false,
        }
    }
}

impl LogRecord {
    /// What this record replaces.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match &self.entry {
            LogEntry::Accepted(pre_prepare, _) => RecordKey::Accepted(pre_prepare.content.proposal.height),
            LogEntry::Prepared(certificate, _) => RecordKey::Prepared(certificate.proposal().height),
            LogEntry::ViewChange(_) => RecordKey::ViewChange,
            LogEntry::NewView(_) => RecordKey::NewView,
            LogEntry::Checkpoint(_) => RecordKey::Checkpoint,
            LogEntry::Stable(_) => RecordKey::Stable,
            LogEntry::Lost => RecordKey::Lost,
            LogEntry::KeysLost(_) => RecordKey::KeysLost,
        }
    }
}
