//! A cheap look at a message before its signatures are checked.

use std::collections::BTreeMap;

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::consensus::{Content, PrePrepare, Prepare, Signed};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};

use crate::config::Config;
use crate::message::{Message, UntrustedMessage};
use crate::payload::PayloadDigest;
use crate::planted::Bug;
use crate::rejection::Rejection;
use crate::replica::{Mode, Replica};
use crate::slot::{Progress, Slot, Tally};

/// Between which views and heights a message of the normal case may still matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The lowest view that counts.
    pub(crate) view: View,
    /// The last committed height.
    pub(crate) tip: Height,
    /// The low water mark, excluded.
    pub(crate) low: Height,
    /// The high water mark, included.
    pub(crate) high: Height,
}

impl Bounds {
    pub(crate) fn check(&self, view: View, height: Height) -> Result<(), Rejection> {
        let Self { view: current, tip: committed, low, high } = *self;
        if view < current {
            return Err(Rejection::StaleView { message: view, current });
        }
        if height <= committed {
            return Err(Rejection::Settled { height, committed });
        }
        if height > high {
            return Err(Rejection::OutsideWaterMarks { height, low, high });
        }
        Ok(())
    }
}

/// What a replica knows at one moment, as far as it tells which messages are of no use to it. Taken while the replica is at
/// hand, and asked wherever messages come in, before their signatures are checked (rule PBFT-MB-8).
///
/// A horizon that is no longer the newest lets more through, but for heights that the window has reached since: those it
/// refuses, as a network may lose them.
#[derive(Clone, Debug)]
pub struct Horizon {
    config: Config,
    has_ended: bool,
    bounds: Bounds,
    view: View,
    target: View,
    /// The newest view that each replica asks for.
    asked: BTreeMap<ReplicaId, View>,
    slots: BTreeMap<Height, Known>,
}

/// What counts at one height.
#[derive(Clone, Debug)]
struct Known {
    pre_prepare: Option<PrePrepare>,
    /// The payload that is missing here.
    awaited: Option<PayloadDigest>,
    prepares: Vec<Tally<Prepare>>,
    commits: Vec<Tally<CommitVote>>,
}

impl Known {
    fn of(slot: &Slot) -> Self {
        let pre_prepare = slot.progress.pre_prepare().map(|signed| signed.content);
        let is_awaiting = matches!(slot.progress, Progress::AwaitingPayload(_));
        let awaited = pre_prepare.filter(|_| is_awaiting).map(|known| known.proposal.payload_digest);
        Self {
            pre_prepare: pre_prepare.filter(|_| !is_awaiting),
            awaited,
            prepares: slot.prepares.tallies().to_vec(),
            commits: slot.commits.tallies().to_vec(),
        }
    }
}

impl Replica {
    /// What this replica knows now.
    #[must_use]
    pub fn horizon(&self) -> Horizon {
        Horizon {
            config: self.config.clone(),
            has_ended: self.mode == Mode::Ended,
            bounds: self.bounds(),
            view: self.view,
            target: self.target(),
            asked: self.view_changes.iter().map(|(who, asks)| (*who, asks.content.new_view)).collect(),
            slots: self.slots.iter().map(|(height, slot)| (*height, Known::of(slot))).collect(),
        }
    }
}

impl Horizon {
    /// Whether the message would change nothing, whoever signed it: of another epoch, behind the replica, beyond its window,
    /// or known. A message that is not stale may still be ignored.
    #[must_use]
    pub fn is_stale(&self, message: &UntrustedMessage) -> bool {
        if message.epoch() != self.epoch() || self.has_ended {
            return true;
        }
        if message.claimed_sender() == self.config.replica() {
            return true;
        }
        let message = message.message();
        if let Some((view, height)) = message.place() {
            return self.bounds.check(view, height).is_err() || self.is_known(height, message);
        }
        match message {
            Message::Checkpoint(signed) => {
                let height = signed.content.height;
                height <= self.bounds.low || height > self.bounds.high || !self.config.is_checkpoint(height)
            }
            Message::ViewChange(signed) => {
                let asked = signed.content.new_view;
                asked <= self.view || self.asked.get(&signed.sender).is_some_and(|known| asked <= *known)
            }
            Message::NewView(signed) => signed.content.view <= self.view || signed.content.view < self.target,
            Message::PayloadReply(signed, _) => {
                let slot = self.slots.get(&signed.content.height);
                slot.and_then(|slot| slot.awaited) != Some(signed.content.payload_digest)
            }
            _ => false,
        }
    }

    fn epoch(&self) -> Epoch {
        self.config.epoch()
    }

    /// Whether this very content of this sender counts already.
    fn is_known(&self, height: Height, message: &Message) -> bool {
        fn has<T: Content + PartialEq>(tallies: &[Tally<T>], vote: &Signed<T>) -> bool {
            tallies.iter().any(|tally| tally.is_of(&vote.content) && tally.has(vote.sender))
        }
        let Some(known) = self.slots.get(&height) else { return false };
        if self.config.is_planted(Bug::CountDuplicates) {
            return false;
        }
        match message {
            Message::PrePrepare(signed, _) => known.pre_prepare.is_some_and(|known| known == signed.content),
            Message::Prepare(signed) => has(&known.prepares, signed),
            Message::Commit(signed) => has(&known.commits, signed),
            _ => false,
        }
    }
}
