//! All that is known about the height in flight, in the current view.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::ReplicaId;
use amulet_protocol::quorum::Quorum;

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::limits::RETAINED_PAYLOADS;
use crate::message::{self, PrePrepare, Prepare, Signed};
use crate::payload::{Payload, PayloadDigest};

/// How far the height is. Each state holds what it takes to be in it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Progress {
    /// No proposal yet.
    #[default]
    Idle,
    /// A proposal carried over by the new view, its payload not here.
    AwaitingPayload(Signed<PrePrepare>),
    /// The driver executes the block.
    Validating(Signed<PrePrepare>, Payload),
    /// The block is right, and this replica has voted for it.
    PrePrepared(Signed<PrePrepare>, Payload),
    /// A quorum voted for it, and this replica has voted to commit.
    Prepared(PreparedCertificate, Payload),
    /// The block is wrong. Kept so that the same proposal is not executed again.
    Refused(Signed<PrePrepare>),
}

impl Progress {
    pub(crate) fn pre_prepare(&self) -> Option<&Signed<PrePrepare>> {
        match self {
            Self::Idle => None,
            Self::AwaitingPayload(pre_prepare)
            | Self::Validating(pre_prepare, _)
            | Self::PrePrepared(pre_prepare, _)
            | Self::Refused(pre_prepare) => Some(pre_prepare),
            Self::Prepared(certificate, _) => Some(certificate.pre_prepare()),
        }
    }

    pub(crate) fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Idle | Self::AwaitingPayload(_) | Self::Refused(_) => None,
            Self::Validating(_, payload) | Self::PrePrepared(_, payload) | Self::Prepared(_, payload) => {
                Some(payload)
            }
        }
    }

    /// The block that this replica found right in this view.
    pub(crate) fn accepted(&self) -> Option<(&Signed<PrePrepare>, &Payload)> {
        match self {
            Self::PrePrepared(pre_prepare, payload) => Some((pre_prepare, payload)),
            Self::Prepared(certificate, payload) => Some((certificate.pre_prepare(), payload)),
            Self::Idle | Self::AwaitingPayload(_) | Self::Validating(..) | Self::Refused(_) => None,
        }
    }

    /// As other replicas are told.
    pub(crate) fn phase(&self) -> message::Phase {
        match self {
            Self::Idle | Self::AwaitingPayload(_) => message::Phase::AwaitingProposal,
            Self::Validating(..) | Self::PrePrepared(..) | Self::Refused(_) => message::Phase::Preparing,
            Self::Prepared(..) => message::Phase::Committing,
        }
    }
}

/// The height in flight: its progress, and one vote of each kind from each replica. Votes count whether or not the
/// proposal has arrived; those for another block are kept too, so that a second vote shows as a contradiction.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) progress: Progress,
    /// Whether the accepted block ends the epoch.
    pub(crate) ends_epoch: bool,
    pub(crate) prepares: BTreeMap<ReplicaId, Signed<Prepare>>,
    pub(crate) commits: BTreeMap<ReplicaId, Signed<CommitVote>>,
    /// Replicas whose contradiction at this height was reported, so that it is reported once.
    pub(crate) accused: BTreeSet<ReplicaId>,
}

impl Slot {
    /// The predicate *prepared* of OSDI'99 section 4.2: this replica found the block right, and a quorum, the
    /// primary's pre-prepare included, voted for it (rule PBFT-NC-6).
    pub(crate) fn prepared(&self, quorum: Quorum) -> Option<PreparedCertificate> {
        let Progress::PrePrepared(pre_prepare, _) = &self.progress else { return None };
        let matching = self
            .prepares
            .iter()
            .filter(|(_, prepare)| prepare.content.proposal == pre_prepare.content.proposal)
            .map(|(replica, prepare)| (*replica, prepare.signature));
        PreparedCertificate::from_votes(pre_prepare, matching, quorum)
    }

    /// The predicate *committed-local* of OSDI'99 section 4.2: commit votes from a quorum on the block that this
    /// replica found right (rule PBFT-NC-8). The paper also asks for *prepared* here; a quorum of commit votes holds a
    /// correct replica's, which was prepared, so the block is final either way and waiting would only delay.
    pub(crate) fn committed_local(&self, quorum: Quorum) -> Option<CommitCertificate> {
        let (pre_prepare, _) = self.progress.accepted()?;
        let proposal = pre_prepare.content.proposal;
        let vote =
            CommitVote { height: proposal.height, view: proposal.view, header_hash: proposal.header_hash };
        let needed = quorum.threshold();
        let signatures: Vec<_> = self
            .commits
            .iter()
            .filter(|(_, commit)| commit.content == vote)
            .map(|(replica, commit)| (*replica, commit.signature))
            .take(needed)
            .collect();
        (signatures.len() == needed).then_some(CommitCertificate { vote, signatures })
    }
}

/// Payloads of the height in flight that this replica voted for in earlier views. A later view may carry one over, and
/// then somebody must still have it.
#[derive(Debug, Default)]
pub(crate) struct RetainedPayloads(VecDeque<Payload>);

impl RetainedPayloads {
    /// Keeps a payload; beyond `RETAINED_PAYLOADS` the oldest goes.
    pub(crate) fn keep(&mut self, payload: Payload) {
        if self.find(payload.digest()).is_some() {
            return;
        }
        if self.0.len() == RETAINED_PAYLOADS {
            self.0.pop_front();
        }
        self.0.push_back(payload);
    }

    pub(crate) fn find(&self, digest: PayloadDigest) -> Option<&Payload> {
        self.0.iter().find(|payload| payload.digest() == digest)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
