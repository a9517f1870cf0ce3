//! The reports of one node, on their way onto the chain: one after the other, as the node's reporter sends them.

use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::evidence::{EvidenceKind, EvidenceRecord};
use amulet_protocol::ids::{Epoch, Height, ReplicaId};
use amulet_protocol::limits::EVIDENCE_PER_VALIDATOR_MAX;
use std::collections::VecDeque;

/// Reports that wait; more are dropped.
pub const REPORTS_MAX: usize = 64;

/// What a node has still to report.
#[derive(Default)]
pub struct Reports {
    waiting: VecDeque<ReportEvidence>,
    /// The submission that is on its way.
    pub under_way: Option<usize>,
}

/// One contradiction, whatever the messages.
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

    /// Whether the ledger's records against this validator leave nothing to report: this one, or as many as are kept.
    #[must_use]
    pub fn is_recorded_in(&self, records: &[EvidenceRecord]) -> bool {
        let same = |record: &EvidenceRecord| {
            (record.evidence.kind(), record.evidence.height()) == (self.kind, self.height)
        };
        records.len() >= EVIDENCE_PER_VALIDATOR_MAX || records.iter().any(same)
    }
}

impl Reports {
    /// Adds one; whether there was room.
    pub fn add(&mut self, report: ReportEvidence) -> bool {
        let has_room = self.waiting.len() < REPORTS_MAX;
        if has_room {
            self.waiting.push_back(report);
        }
        has_room
    }

    /// The next to send.
    pub fn take_next(&mut self) -> Option<ReportEvidence> {
        self.waiting.pop_front()
    }
}
