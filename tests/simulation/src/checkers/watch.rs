//! Whether what a correct replica says follows from what it heard: it votes on what a quorum voted on, on top of what it
//! voted for below, and runs ahead of nobody.
//!
//! Heard is what reached the replica in all its lives, which is at least what it knows; so nothing is demanded that it
//! could not keep.

use super::duties::Life;
use amulet_pbft::config::primary_of;
use amulet_pbft::message::{NewView, Proposal, ViewChange};
use amulet_pbft::{Message, Payload, PayloadDigest};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use std::collections::{BTreeMap, BTreeSet};

/// Views whose beginnings are remembered.
const VIEWS_MAX: usize = 32;

/// Where a replica is, as seen from outside.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Its number in the epoch in force.
    pub own: ReplicaId,
    /// Of the epoch's validators.
    pub quorum: Quorum,
    /// The epoch's first height.
    pub first: Height,
    /// The view that it entered last.
    pub view: View,
    /// Its newest durable block.
    pub tip: (Height, HeaderHash),
    /// Heights that it may have in flight.
    pub depth: u64,
}

/// With what a view begins.
pub(super) struct Beginning {
    /// Height up to which everything is final: the lowest that a new-view for this view proved.
    pub base: Height,
    /// Heights that every new-view for this view carries over.
    pub carried: BTreeSet<Height>,
}

/// What one replica heard and said.
#[derive(Default)]
pub struct Watch {
    prepares: BTreeMap<Height, BTreeSet<(View, HeaderHash, ReplicaId)>>,
    wishes: BTreeMap<ReplicaId, View>,
    pub(super) views: BTreeMap<View, Beginning>,
    /// What it voted for, by its own prepares and proposals.
    pub(super) voted: BTreeMap<Height, BTreeMap<View, HeaderHash>>,
    committed: BTreeMap<Height, BTreeSet<View>>,
    /// Blocks that came with proposals and answers.
    pub(super) blocks: BTreeMap<(Height, PayloadDigest), Payload>,
    /// The highest view that it asked for.
    pub(super) asked: View,
    /// What it knows since it started.
    pub(super) life: Life,
}

impl Watch {
    /// It started: what it only heard is forgotten.
    pub fn on_start(&mut self) {
        self.life = Life::default();
    }

    /// It takes in a message.
    pub fn on_heard(&mut self, at: &Standing, message: &Message) {
        match message {
            Message::Prepare(signed) => {
                let proposal = signed.content.proposal;
                let vote = (proposal.view, proposal.header_hash, signed.sender);
                self.prepares.entry(proposal.height).or_default().insert(vote);
            }
            Message::ViewChange(signed) => {
                let newest = self.wishes.entry(signed.sender).or_default();
                *newest = signed.content.new_view.max(*newest);
            }
            Message::NewView(signed) => self.on_new_view(&signed.content),
            _ => {}
        }
        self.hear_now(at, message);
    }

    fn on_new_view(&mut self, new_view: &NewView) {
        let base = new_view.view_changes.iter().map(|wish| wish.content.base_height()).max();
        let base = base.unwrap_or_default();
        let carried: BTreeSet<Height> =
            new_view.pre_prepares.iter().map(|carried| carried.content.proposal.height).collect();
        let beginning =
            self.views.entry(new_view.view).or_insert_with(|| Beginning { base, carried: carried.clone() });
        beginning.base = beginning.base.min(base);
        beginning.carried.retain(|height| carried.contains(height));
        if self.views.len() > VIEWS_MAX {
            self.views.pop_first();
        }
    }

    /// It sends a message.
    ///
    /// # Errors
    /// When that does not follow from what it heard.
    pub fn on_sent(&mut self, at: &Standing, to: &[ReplicaId], message: &Message) -> Result<(), String> {
        if message.sender() != at.own {
            // Passed on for another.
            return Ok(());
        }
        match message {
            Message::PrePrepare(signed, _) => self.vote(at, signed.content.proposal)?,
            Message::Prepare(signed) => self.vote(at, signed.content.proposal)?,
            Message::Commit(signed) => self.commit(at, signed.content)?,
            Message::ViewChange(signed) => self.ask(at, signed.content.new_view)?,
            Message::NewView(signed) => {
                self.check_selection(at, &signed.content)?;
                self.on_new_view(&signed.content);
                for carried in &signed.content.pre_prepares {
                    let Proposal { view, height, header_hash, .. } = carried.content.proposal;
                    self.voted.entry(height).or_default().insert(view, header_hash);
                }
            }
            _ => {}
        }
        self.say_now(to, message);
        Ok(())
    }

    /// Rules PBFT-NC-3 and PBFT-NC-11: votes stand on what was voted for below in the same view, and above the view's base.
    fn vote(&mut self, at: &Standing, proposal: Proposal) -> Result<(), String> {
        let Proposal { view, height, parent, header_hash, .. } = proposal;
        if self.voted.get(&height).is_some_and(|voted| voted.contains_key(&view)) {
            return Ok(());
        }
        self.check_above_base(view, height)?;
        let below = self.below(at, view, height);
        if below != Some(parent) {
            return Err(format!(
                "votes for block {height} of view {view} on top of {parent}, but below it has {below:?}"
            ));
        }
        self.voted.entry(height).or_default().insert(view, header_hash);
        Ok(())
    }

    /// The block that a vote in a view at a height has to stand on.
    pub(super) fn below(&self, at: &Standing, view: View, height: Height) -> Option<HeaderHash> {
        let below = height.previous()?;
        if below == at.tip.0 {
            return Some(at.tip.1);
        }
        self.voted.get(&below)?.get(&view).copied()
    }

    fn check_above_base(&self, view: View, height: Height) -> Result<(), String> {
        match self.views.get(&view).map(|beginning| beginning.base).filter(|base| height <= *base) {
            Some(base) => {
                Err(format!("votes at height {height} in view {view}, which begins with {base} final"))
            }
            None => Ok(()),
        }
    }

    /// Rules PBFT-NC-6 and PBFT-NC-7: a commit vote says that a quorum voted for the block, and one for the block below
    /// went before it.
    fn commit(&mut self, at: &Standing, vote: CommitVote) -> Result<(), String> {
        let CommitVote { height, view, header_hash } = vote;
        if self.committed.get(&height).is_some_and(|views| views.contains(&view)) {
            return Ok(());
        }
        self.check_above_base(view, height)?;
        let primary = primary_of(view, at.quorum);
        let mut voters: BTreeSet<ReplicaId> = BTreeSet::from([at.own, primary]);
        let heard = self.prepares.get(&height).into_iter().flatten();
        voters.extend(heard.filter(|heard| (heard.0, heard.1) == (view, header_hash)).map(|heard| heard.2));
        if voters.len() < at.quorum.threshold() {
            return Err(format!(
                "votes to commit {header_hash} at height {height} in view {view}, for which only {voters:?} voted"
            ));
        }
        let below = height.previous().unwrap_or_default();
        let is_gapless =
            below <= at.tip.0 || self.committed.get(&below).is_some_and(|views| views.contains(&view));
        if !is_gapless {
            return Err(format!("votes to commit at height {height} in view {view} and not at {below}"));
        }
        self.committed.entry(height).or_default().insert(view);
        Ok(())
    }

    /// Rule PBFT-TM-3: who asks for a view leaves that for a later one only if a quorum asks for as much, or f + 1 others
    /// for the later one.
    fn ask(&mut self, at: &Standing, wish: View) -> Result<(), String> {
        let before = self.asked;
        self.asked = before.max(wish);
        if wish <= before || before <= at.view {
            return Ok(());
        }
        let others = |least: View| {
            self.wishes.iter().filter(|(sender, asked)| **sender != at.own && **asked >= least).count()
        };
        if others(before) + 1 < at.quorum.threshold() && others(wish) < at.quorum.one_correct() {
            return Err(format!(
                "runs ahead from view {before} to view {wish}, with {} others",
                others(before)
            ));
        }
        Ok(())
    }

    /// Rule PBFT-VC-5, computed anew from the view-changes that are shown.
    fn check_selection(&self, at: &Standing, new_view: &NewView) -> Result<(), String> {
        let wishes: Vec<&ViewChange> = new_view.view_changes.iter().map(|wish| &wish.content).collect();
        let found: Vec<_> =
            new_view.pre_prepares.iter().map(|carried| carried.content.proposal).map(block).collect();
        let expected = select(&wishes, at.first);
        if found != expected {
            return Err(format!(
                "begins view {} with {found:?}, where what is prepared demands {expected:?}",
                new_view.view
            ));
        }
        Ok(())
    }

    /// Forgets what was said and heard up to a settled height.
    pub fn settle(&mut self, height: Height) {
        let next = height.next();
        self.prepares = self.prepares.split_off(&next);
        self.committed = self.committed.split_off(&next);
        self.voted = self.voted.split_off(&next);
        self.blocks.retain(|(at, _), _| *at > height);
        self.life.settle(height);
    }
}

/// A proposal but for its view.
fn block(proposal: Proposal) -> (Height, HeaderHash, HeaderHash) {
    (proposal.height, proposal.parent, proposal.header_hash)
}

/// What a new view has to begin with.
fn select(wishes: &[&ViewChange], first: Height) -> Vec<(Height, HeaderHash, HeaderHash)> {
    let bases = wishes.iter().filter_map(|wish| wish.base.as_ref()).map(|base| base.vote);
    let base = bases.max_by_key(|vote| vote.height);
    // The genesis block is nobody's to propose.
    let start = first.previous().unwrap_or_default();
    let mut height = base.map_or(start, |vote| vote.height).next();
    let mut parent = base.map(|vote| vote.header_hash);
    let mut selected = Vec::new();
    loop {
        let shown = wishes.iter().flat_map(|wish| &wish.prepared).map(|shown| *shown.proposal());
        let fits =
            |shown: &Proposal| shown.height == height && parent.is_none_or(|parent| shown.parent == parent);
        let Some(best) = shown.filter(fits).max_by_key(|shown| shown.view) else { return selected };
        selected.push(block(best));
        (height, parent) = (height.next(), Some(best.header_hash));
    }
}
