//! What a correct replica owes in answer to what it heard, at once: a view-change to f + 1 others that ask for one, its
//! votes to who lacks them, a question for a block that it has to vote for, a report of a contradiction.
//!
//! Heard is what reached the replica since it started, so it cannot have forgotten it.

use super::watch::{Standing, Watch};
use amulet_pbft::Message;
use amulet_pbft::config::primary_of;
use amulet_pbft::message::{Phase, Status};
use amulet_protocol::block::UntrustedBlock;
use amulet_protocol::codec;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use amulet_protocol::limits::BLOCK_BYTES_MAX;
use std::collections::{BTreeMap, BTreeSet};

/// A vote's place: what kind of vote, whose, where.
type Place = (Height, View, &'static str, ReplicaId);

/// What a replica heard and said since it started.
#[derive(Default)]
pub(super) struct Life {
    wishes: BTreeMap<ReplicaId, View>,
    /// Its heartbeats.
    beats: u64,
    /// After how many heartbeats it first voted to commit.
    committed: BTreeMap<(Height, View), u64>,
    /// The first proposal of a primary at a place where it was ready for one, by its parent.
    proposed: BTreeMap<(Height, View), Option<HeaderHash>>,
    votes: BTreeMap<Place, HeaderHash>,
    /// Those who contradicted themselves before it, and those it reported.
    contradicted: BTreeSet<ReplicaId>,
    reported: BTreeSet<ReplicaId>,
    step: Step,
}

/// What it said in the step at hand.
#[derive(Default)]
struct Step {
    commits: BTreeSet<(Height, View, ReplicaId)>,
    payload_requests: BTreeSet<Height>,
    heartbeat: Option<Status>,
    heard: Option<(ReplicaId, Status)>,
    beats_before: u64,
}

impl Life {
    pub(super) fn settle(&mut self, height: Height) {
        self.committed.retain(|(at, _), _| *at > height);
        self.proposed.retain(|(at, _), _| *at > height);
        self.votes.retain(|(at, ..), _| *at > height);
    }
}

impl Watch {
    pub(super) fn hear_now(&mut self, at: &Standing, message: &Message) {
        self.life.step = Step { beats_before: self.life.beats, ..Step::default() };
        match message {
            Message::ViewChange(signed) => {
                let newest = self.life.wishes.entry(signed.sender).or_default();
                *newest = signed.content.new_view.max(*newest);
            }
            Message::Status(signed) => {
                self.life.step.heard = Some((signed.sender, signed.content.clone()));
            }
            Message::PrePrepare(signed, payload) => {
                let proposal = signed.content.proposal;
                let (height, view) = (proposal.height, proposal.view);
                self.blocks.entry((height, payload.digest())).or_insert_with(|| payload.clone());
                let is_free = self.is_at_work(at, view, height, at.depth)
                    && !self.voted.get(&height).is_some_and(|voted| voted.contains_key(&view))
                    && self.views.get(&view).is_none_or(|beginning| {
                        height > beginning.base && !beginning.carried.contains(&height)
                    });
                if signed.sender == primary_of(view, at.quorum) {
                    // One that came before the view began or its height was within reach may have been kept.
                    let parent = is_free.then_some(proposal.parent);
                    self.life.proposed.entry((height, view)).or_insert(parent);
                }
            }
            Message::PayloadReply(signed, payload) => {
                let place = (signed.content.height, payload.digest());
                self.blocks.entry(place).or_insert_with(|| payload.clone());
            }
            Message::Prepare(signed) if signed.sender != primary_of(at.view, at.quorum) => {
                let proposal = signed.content.proposal;
                let place = (proposal.height, proposal.view, "prepare", signed.sender);
                self.hear_vote(at, place, proposal.header_hash);
            }
            Message::Commit(signed) => {
                let vote = signed.content;
                let place = (vote.height, vote.view, "commit", signed.sender);
                self.hear_vote(at, place, vote.header_hash);
            }
            _ => {}
        }
    }

    /// Whether it takes votes and proposals of a view at a height now.
    fn is_at_work(&self, at: &Standing, view: View, height: Height, depth: u64) -> bool {
        view == at.view && self.asked <= view && height > at.tip.0 && height.0 <= at.tip.0.0 + depth
    }

    fn hear_vote(&mut self, at: &Standing, place: Place, hash: HeaderHash) {
        let (height, view, _, sender) = place;
        if self.is_at_work(at, view, height, at.depth)
            && *self.life.votes.entry(place).or_insert(hash) != hash
        {
            self.life.contradicted.insert(sender);
        }
    }

    pub(super) fn say_now(&mut self, to: &[ReplicaId], message: &Message) {
        match message {
            Message::Commit(signed) => {
                let (height, view) = (signed.content.height, signed.content.view);
                self.life.committed.entry((height, view)).or_insert(self.life.beats);
                self.life.step.commits.extend(to.iter().map(|to| (height, view, *to)));
            }
            Message::PayloadRequest(signed) => {
                self.life.step.payload_requests.insert(signed.content.height);
            }
            // An answer to one replica is no heartbeat.
            Message::Status(signed) if to.len() > 1 => {
                self.life.beats += 1;
                self.life.step.heartbeat = Some(signed.content.clone());
            }
            _ => {}
        }
    }

    /// It reports a contradiction.
    pub fn on_report(&mut self, offender: ReplicaId) {
        self.life.reported.insert(offender);
    }

    /// It has dealt with what came in last.
    ///
    /// # Errors
    /// When it left something undone.
    pub fn check_duties(&mut self, at: &Standing) -> Result<(), String> {
        let step = std::mem::take(&mut self.life.step);
        self.check_joined(at)?;
        self.check_refused(at)?;
        if let Some((sender, status)) = &step.heard {
            self.check_repeated(at, &step, *sender, status)?;
        }
        if let Some(status) = &step.heartbeat {
            self.check_asked(&step, status)?;
        }
        match self.life.contradicted.difference(&self.life.reported).next() {
            Some(offender) => Err(format!("replica {offender} contradicted itself and is not reported")),
            None => Ok(()),
        }
    }

    /// Rule PBFT-VC-3: who hears f + 1 others ask for later views goes along.
    fn check_joined(&self, at: &Standing) -> Result<(), String> {
        let current = self.asked.max(at.view);
        let others = self.life.wishes.iter().filter(|(sender, _)| **sender != at.own);
        let mut later: Vec<View> = others.map(|(_, asked)| *asked).filter(|asked| *asked > current).collect();
        later.sort_unstable();
        match later.iter().rev().nth(at.quorum.faults()) {
            Some(wish) => Err(format!("stays at view {current}, though f + 1 others ask for view {wish}")),
            None => Ok(()),
        }
    }

    /// Whether a block that came is the last of its epoch: what is proposed on top of it is nothing (rule PBFT-EP-2).
    fn ends_epoch(&self, height: Height, hash: HeaderHash) -> bool {
        let came = self.blocks.iter().filter(|((at, _), _)| *at == height);
        came.filter_map(|(_, payload)| codec::decode::<UntrustedBlock>(payload.bytes(), BLOCK_BYTES_MAX).ok())
            .any(|block| {
                block.hash() == hash && block.header.next_validators_hash != block.header.validators_hash
            })
    }

    /// Rule PBFT-NC-11: a proposal on top of another block than the one below ends the view.
    fn check_refused(&self, at: &Standing) -> Result<(), String> {
        for ((height, view), parent) in &self.life.proposed {
            if !self.is_at_work(at, *view, *height, at.depth) {
                continue;
            }
            let Some(parent) = parent else { continue };
            let below = self.below(at, *view, *height).filter(|below| below != parent);
            let is_owed =
                |below: &HeaderHash| !height.previous().is_some_and(|last| self.ends_epoch(last, *below));
            if let Some(below) = below.filter(is_owed) {
                return Err(format!(
                    "stays in view {view}, where block {height} was proposed on top of {parent} and not of {below}"
                ));
            }
        }
        Ok(())
    }

    /// Rule PBFT-RT-2: commit votes go again to who says in a status that it is not past them.
    fn check_repeated(
        &self,
        at: &Standing,
        step: &Step,
        sender: ReplicaId,
        status: &Status,
    ) -> Result<(), String> {
        if (status.view, status.target) != (at.view, at.view) {
            return Ok(());
        }
        let owed = self.life.committed.iter().find(|((height, view), beat)| {
            self.is_at_work(at, *view, *height, at.depth)
                && *height > status.height
                && **beat < step.beats_before
                && !step.commits.contains(&(*height, *view, sender))
        });
        match owed {
            Some(((height, view), _)) => Err(format!(
                "does not repeat its vote at height {height} in view {view} for replica {sender}, which waits"
            )),
            None => Ok(()),
        }
    }

    /// Rule PBFT-RT-5: with each heartbeat a block that the view carries over and that is not here is asked for.
    fn check_asked(&self, step: &Step, status: &Status) -> Result<(), String> {
        let Some(beginning) = self.views.get(&status.view).filter(|_| status.target == status.view) else {
            return Ok(());
        };
        for (place, phase) in (1..).zip(&status.phases) {
            let height = Height(status.height.0 + place);
            let is_missing = *phase == Phase::AwaitingProposal
                && height > beginning.base
                && beginning.carried.contains(&height);
            if is_missing && !step.payload_requests.contains(&height) {
                return Err(format!(
                    "lacks block {height}, which view {} carries over, and does not ask for it",
                    status.view
                ));
            }
        }
        Ok(())
    }
}
