//! Checkpoints and water marks: how far a slow replica may be left behind, and what may be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use amulet_protocol::evidence::Evidence;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId};

use crate::certificate::CheckpointCertificate;
use crate::config::Config;
use crate::effect::Effect;
use crate::message::{Checkpoint, Message, Signed};
use crate::planted::Bug;
use crate::record::LogEntry;
use crate::rejection::Rejection;
use crate::replica::Replica;

/// Votes above the low water mark, at most one of each replica at each checkpoint height in the window.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    votes: BTreeMap<Height, BTreeMap<ReplicaId, Signed<Checkpoint>>>,
    accused: BTreeSet<ReplicaId>,
    /// This replica's newest vote, sent again to those who lack it.
    pub(crate) own: Option<Signed<Checkpoint>>,
    /// The newest stable checkpoint.
    pub(crate) stable: Option<CheckpointCertificate>,
    /// The low water mark: the stable checkpoint, or a height adopted beyond the window.
    pub(crate) low: Height,
}

impl Checkpoints {
    /// Heights with votes.
    pub(crate) fn count(&self) -> usize {
        self.votes.len()
    }

    /// The highest height that may be worked on; included in the window.
    pub(crate) fn high(&self, config: &Config) -> Height {
        Height(self.low.0.saturating_add(config.window()))
    }

    /// Moves the low water mark up and forgets what is below.
    pub(crate) fn raise(&mut self, low: Height) {
        if low > self.low {
            self.low = low;
            self.votes = self.votes.split_off(&low.next());
        }
    }

    /// Counts this replica's newest vote again after a start (rule PBFT-RC-5).
    pub(crate) fn restore_own(&mut self) {
        if let Some(own) = self.own.clone().filter(|own| own.content.height > self.low) {
            self.votes.entry(own.content.height).or_default().insert(own.sender, own);
        }
    }

    /// Takes a vote; evidence if it contradicts an earlier one.
    fn insert(&mut self, vote: Signed<Checkpoint>) -> Result<(), (Rejection, Option<Box<Evidence>>)> {
        let sender = vote.sender;
        let votes = self.votes.entry(vote.content.height).or_default();
        let Some(earlier) = votes.get(&sender) else {
            votes.insert(sender, vote);
            return Ok(());
        };
        if earlier.content == vote.content {
            return Err((Rejection::Duplicate { sender }, None));
        }
        let evidence =
            self.accused.insert(sender).then(|| Box::new(Evidence::Checkpoints(earlier.clone(), vote)));
        Err((Rejection::Equivocation { offender: sender }, evidence))
    }

    /// The certificate for `checkpoint`, if a quorum voted for it.
    fn certificate(&self, checkpoint: Checkpoint, needed: usize) -> Option<CheckpointCertificate> {
        let signatures: Vec<_> = self
            .votes
            .get(&checkpoint.height)?
            .iter()
            .filter(|(_, vote)| vote.content == checkpoint)
            .map(|(replica, vote)| (*replica, vote.signature))
            .take(needed)
            .collect();
        (signatures.len() == needed).then_some(CheckpointCertificate { checkpoint, signatures })
    }
}

impl Replica {
    /// Rule PBFT-CP-1: after the block of a checkpoint height is durable, say so.
    pub(crate) fn take_checkpoint(&mut self, height: Height, header_hash: HeaderHash) {
        if !self.config.is_checkpoint(height) || height <= self.checkpoints.low {
            return;
        }
        let vote = self.sign(Checkpoint { height, header_hash });
        self.checkpoints.own = Some(vote.clone());
        self.persist(LogEntry::Checkpoint(vote.clone()));
        self.effects.push(Effect::Broadcast(Message::Checkpoint(vote.clone())));
        // A contradiction with an own earlier vote would mean two processes with one key; the first vote stands.
        if self.checkpoints.insert(vote.clone()).is_ok() {
            self.stabilise(vote.content);
        }
    }

    /// Rule PBFT-CP-2: votes count inside the window, at checkpoint heights.
    pub(crate) fn on_checkpoint(&mut self, vote: Signed<Checkpoint>) -> Result<(), Rejection> {
        let checkpoint = vote.content;
        let (low, high) = (self.checkpoints.low, self.checkpoints.high(&self.config));
        if checkpoint.height <= low || checkpoint.height > high {
            return Err(Rejection::OutsideWaterMarks { height: checkpoint.height, low, high });
        }
        if !self.config.is_checkpoint(checkpoint.height) {
            return Err(Rejection::NoCheckpoint { height: checkpoint.height });
        }
        self.note_height(vote.sender, checkpoint.height);
        if let Err((rejection, evidence)) = self.checkpoints.insert(vote) {
            self.effects.extend(evidence.map(Effect::Report));
            return Err(rejection);
        }
        self.stabilise(checkpoint);
        Ok(())
    }

    /// Rule PBFT-CP-3: with a quorum the checkpoint is stable, and becomes the low water mark.
    fn stabilise(&mut self, checkpoint: Checkpoint) {
        let needed = self.config.quorum().threshold();
        let Some(certificate) = self.checkpoints.certificate(checkpoint, needed) else { return };
        if self.is_planted(Bug::NeverStable) {
            return;
        }
        self.checkpoints.stable = Some(certificate.clone());
        self.checkpoints.raise(checkpoint.height);
        self.persist(LogEntry::Stable(certificate));
        self.effects.push(Effect::Stable { height: checkpoint.height });
    }
}
