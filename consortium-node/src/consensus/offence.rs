//! What evidence is about, whatever the messages that prove it.

use crate::ledger::{Ledger, LedgerError};
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::evidence::{EvidenceKind, EvidenceRecord};
use amulet_protocol::ids::{Epoch, Height, ReplicaId};
use amulet_protocol::limits::EVIDENCE_PER_VALIDATOR_MAX;
use amulet_protocol::state::StateKey;

/// One contradiction; the contracts record each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offence {
    /// The epoch in which it was committed.
    pub epoch: Epoch,
    /// By whom.
    pub offender: ReplicaId,
    /// The kind of message.
    pub kind: EvidenceKind,
    /// The height.
    pub height: Height,
}

impl Offence {
    /// What a report is about.
    #[must_use]
    pub fn of(report: &ReportEvidence) -> Self {
        let evidence = &report.evidence;
        Self {
            epoch: report.epoch,
            offender: evidence.offender(),
            kind: evidence.kind(),
            height: evidence.height(),
        }
    }

    /// Whether a ledger's records against this validator leave nothing to report: this one, or as many as are kept.
    ///
    /// # Errors
    /// That the ledger cannot be read.
    pub fn is_recorded_in(&self, ledger: &Ledger) -> Result<bool, LedgerError> {
        let key = StateKey::Evidence { epoch: self.epoch, offender: self.offender };
        let records: Vec<EvidenceRecord> = ledger.read(&key)?.unwrap_or_default();
        let same = |record: &EvidenceRecord| {
            (record.evidence.kind(), record.evidence.height()) == (self.kind, self.height)
        };
        Ok(records.len() >= EVIDENCE_PER_VALIDATOR_MAX || records.iter().any(same))
    }
}
