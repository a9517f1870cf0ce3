//! All that is known about one height in flight, in the current view.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use amulet_crypto::signing::Signature;
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::consensus::{Content, PrePrepare, Prepare, Signed};
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId};

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::limits::RETAINED_PAYLOADS;
use crate::message;
use crate::payload::{Payload, PayloadDigest};

/// How far a height is. Each state holds what it takes to be in it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Progress {
    /// No proposal yet.
    #[default]
    Idle,
    /// A proposal carried over by the new view, its payload not here.
    AwaitingPayload(Signed<PrePrepare>),
    /// The block is here; the one below it is not accepted yet.
    Held(Signed<PrePrepare>, Payload),
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
            | Self::Held(pre_prepare, _)
            | Self::Validating(pre_prepare, _)
            | Self::PrePrepared(pre_prepare, _)
            | Self::Refused(pre_prepare) => Some(pre_prepare),
            Self::Prepared(certificate, _) => Some(certificate.pre_prepare()),
        }
    }

    pub(crate) fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Idle | Self::AwaitingPayload(_) | Self::Refused(_) => None,
            Self::Held(_, payload)
            | Self::Validating(_, payload)
            | Self::PrePrepared(_, payload)
            | Self::Prepared(_, payload) => Some(payload),
        }
    }

    /// The block that this replica found right in this view.
    pub(crate) fn accepted(&self) -> Option<(&Signed<PrePrepare>, &Payload)> {
        match self {
            Self::PrePrepared(pre_prepare, payload) => Some((pre_prepare, payload)),
            Self::Prepared(certificate, payload) => Some((certificate.pre_prepare(), payload)),
            Self::Idle
            | Self::AwaitingPayload(_)
            | Self::Held(..)
            | Self::Validating(..)
            | Self::Refused(_) => None,
        }
    }

    pub(crate) fn accepted_hash(&self) -> Option<HeaderHash> {
        self.accepted().map(|(pre_prepare, _)| pre_prepare.content.proposal.header_hash)
    }

    /// As other replicas are told.
    pub(crate) fn phase(&self) -> message::Phase {
        match self {
            Self::Idle | Self::AwaitingPayload(_) => message::Phase::AwaitingProposal,
            Self::Held(..) | Self::Validating(..) | Self::PrePrepared(..) | Self::Refused(_) => {
                message::Phase::Preparing
            }
            Self::Prepared(..) => message::Phase::Committing,
        }
    }
}

/// What became of a vote.
pub(crate) enum Vote<T> {
    /// It counts.
    Counted,
    /// The replica has said so before.
    Duplicate,
    /// The replica has said something else before.
    Contradicts(Signed<T>),
}

/// How many said the same, and who.
#[derive(Clone, Debug)]
pub(crate) struct Tally<T> {
    content: T,
    votes: usize,
    /// A bit for each replica; a set has at most 100.
    voters: u128,
}

impl<T: PartialEq> Tally<T> {
    pub(crate) fn is_of(&self, content: &T) -> bool {
        self.content == *content
    }

    pub(crate) fn has(&self, replica: ReplicaId) -> bool {
        self.voters & bit(replica) != 0
    }
}

/// None for a number that no replica has.
fn bit(replica: ReplicaId) -> u128 {
    1_u128.checked_shl(u32::from(replica.0)).unwrap_or(0)
}

/// One vote of each replica, with a tally, so that a vote costs a look-up and not a count. Votes count whether or not the
/// proposal has arrived; those for another block are kept too, so that a second vote shows as a contradiction.
#[derive(Debug)]
pub(crate) struct Votes<T> {
    by_replica: BTreeMap<ReplicaId, Signed<T>>,
    tallies: Vec<Tally<T>>,
}

impl<T> Default for Votes<T> {
    fn default() -> Self {
        Self { by_replica: BTreeMap::new(), tallies: Vec::new() }
    }
}

impl<T: Content + Copy + PartialEq> Votes<T> {
    pub(crate) fn insert(&mut self, vote: Signed<T>) -> Vote<T> {
        match self.by_replica.get(&vote.sender) {
            Some(known) if known.content == vote.content => Vote::Duplicate,
            Some(known) => Vote::Contradicts(known.clone()),
            None => {
                self.add(vote.sender, vote.content);
                self.by_replica.insert(vote.sender, vote);
                Vote::Counted
            }
        }
    }

    /// One more vote in the tally.
    pub(crate) fn add(&mut self, replica: ReplicaId, content: T) {
        let voters = bit(replica);
        match self.tallies.iter_mut().find(|tally| tally.is_of(&content)) {
            Some(tally) => {
                tally.votes += 1;
                tally.voters |= voters;
            }
            None => self.tallies.push(Tally { content, votes: 1, voters }),
        }
    }

    pub(crate) fn tallies(&self) -> &[Tally<T>] {
        &self.tallies
    }

    pub(crate) fn get(&self, replica: ReplicaId) -> Option<&Signed<T>> {
        self.by_replica.get(&replica)
    }

    pub(crate) fn count(&self, content: &T) -> usize {
        self.tallies.iter().find(|tally| tally.is_of(content)).map_or(0, |tally| tally.votes)
    }

    pub(crate) fn count_all(&self) -> usize {
        self.by_replica.len()
    }

    /// Who voted for `content`, in order, with their signatures.
    pub(crate) fn signatures(&self, content: &T) -> impl Iterator<Item = (ReplicaId, Signature)> {
        self.by_replica
            .iter()
            .filter(|(_, vote)| vote.content == *content)
            .map(|(replica, vote)| (*replica, vote.signature))
    }
}

/// A height in flight: its progress, and the votes at it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) progress: Progress,
    /// Whether the accepted block ends the epoch.
    pub(crate) ends_epoch: bool,
    pub(crate) prepares: Votes<Prepare>,
    pub(crate) commits: Votes<CommitVote>,
    /// Replicas whose contradiction at this height was reported, so that it is reported once.
    pub(crate) accused: BTreeSet<ReplicaId>,
    /// Number of the heartbeat after which this height came up.
    pub(crate) since: u64,
}

impl Slot {
    /// The predicate *prepared* of OSDI'99 section 4.2: this replica found the block right, and a quorum, the
    /// primary's pre-prepare included, voted for it (rule PBFT-NC-6).
    pub(crate) fn prepared(&self, threshold: usize) -> Option<PreparedCertificate> {
        let Progress::PrePrepared(pre_prepare, _) = &self.progress else { return None };
        let vote = Prepare { proposal: pre_prepare.content.proposal };
        let needed = threshold - 1;
        (self.prepares.count(&vote) >= needed).then(|| {
            PreparedCertificate::new(pre_prepare.clone(), self.prepares.signatures(&vote).take(needed))
        })
    }

    /// The predicate *committed-local* of OSDI'99 section 4.2: commit votes from a quorum on the block that this
    /// replica found right (rule PBFT-NC-8). The paper also asks for *prepared* here; a quorum of commit votes holds a
    /// correct replica's, which was prepared, so the block is final either way and waiting would only delay.
    pub(crate) fn committed_local(&self, threshold: usize) -> Option<CommitCertificate> {
        let (pre_prepare, _) = self.progress.accepted()?;
        let proposal = pre_prepare.content.proposal;
        let vote =
            CommitVote { height: proposal.height, view: proposal.view, header_hash: proposal.header_hash };
        (self.commits.count(&vote) >= threshold).then(|| CommitCertificate {
            vote,
            signatures: self.commits.signatures(&vote).take(threshold).collect(),
        })
    }
}

/// Payloads in flight that this replica voted for, or was executing, in earlier views. A later view may carry one over,
/// and then somebody must still have it.
#[derive(Debug, Default)]
pub(crate) struct RetainedPayloads(BTreeMap<Height, VecDeque<Payload>>);

impl RetainedPayloads {
    /// Keeps a payload; beyond `RETAINED_PAYLOADS` at one height the oldest goes.
    pub(crate) fn keep(&mut self, height: Height, payload: Payload) {
        if self.find(height, payload.digest()).is_some() {
            return;
        }
        let kept = self.0.entry(height).or_default();
        if kept.len() == RETAINED_PAYLOADS {
            kept.pop_front();
        }
        kept.push_back(payload);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }

    pub(crate) fn find(&self, height: Height, digest: PayloadDigest) -> Option<&Payload> {
        self.0.get(&height)?.iter().find(|payload| payload.digest() == digest)
    }

    /// Forgets heights that are final.
    pub(crate) fn settle(&mut self, height: Height) {
        self.0 = self.0.split_off(&height.next());
    }
}
