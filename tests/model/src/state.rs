//! What has been said and what is known: the state of the model.
//!
//! Messages are not moved about. What a correct replica signed stays in the state for ever, and whoever needs it may act on
//! it at any later time, or never: that is loss, delay, repetition and reordering in one. The Byzantine replica has no
//! state: whatever it can sign is taken to have been said to whoever would be misled by it. A certificate therefore exists
//! as soon as enough *correct* replicas signed it, one fewer than a quorum.

use crate::block::{Block, HEIGHTS_MAX, VIEWS_MAX};
use crate::config::CORRECT;
use crate::selection::{Plan, ViewChange};

/// A block at each height; `Block::GENESIS` where there is none. Index 0 is height 1.
pub type Heights = [Block; HEIGHTS_MAX];

/// A prepared certificate: the block, and the view in which it was prepared.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prepared {
    /// The view of the certificate.
    pub view: u8,
    /// The block; `Block::GENESIS` where there is no certificate.
    pub block: Block,
}

/// A correct replica: what it must remember.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Replica {
    /// The last committed block, and with it the chain.
    pub tip: Block,
    /// The view entered last.
    pub view: u8,
    /// The view that it is in or asks for; in *Normal* mode equal to `view`.
    pub target: u8,
    /// What the view it entered is bound to.
    pub plan: Plan,
    /// What it accepted in this view: voted for as a backup, proposed as the primary.
    pub accepted: Heights,
    /// The heights at which it voted to commit in this view, as a bit each.
    pub committing: u8,
    /// Its prepared certificates above the tip: linked, and of each height the newest.
    pub prepared: [Prepared; HEIGHTS_MAX],
    /// The durable records of kind *Prepared*: a record goes only when one of the same height replaces it.
    pub logged: [Prepared; HEIGHTS_MAX],
}

impl Replica {
    /// Whether it takes part in its view.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        self.view == self.target
    }

    /// The block that a block at `height` must be built on: the tip, or what was accepted below in this view.
    #[must_use]
    pub fn parent_at(&self, height: usize) -> Option<Block> {
        if height == self.tip.height() + 1 {
            return Some(self.tip);
        }
        let below = height.checked_sub(2).map_or(Block::GENESIS, |index| self.accepted[index]);
        below.is_some().then_some(below)
    }

    /// Drops the certificates that no longer stand on the tip, each on the one below (rule PBFT-VC-1).
    pub fn keep_linked(&mut self) {
        let mut below = self.tip;
        let mut is_linked = true;
        for (index, prepared) in self.prepared.iter_mut().enumerate() {
            if index < self.tip.height() {
                *prepared = Prepared::default();
                continue;
            }
            is_linked = is_linked && prepared.block.is_some() && prepared.block.parent() == below;
            if is_linked {
                below = prepared.block;
            } else {
                *prepared = Prepared::default();
            }
        }
    }

    /// Whether it voted to commit at `height` in this view.
    #[must_use]
    pub fn is_committing(&self, height: usize) -> bool {
        self.committing & 1 << height != 0
    }
}

/// What one correct replica signed in one view.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Votes {
    /// Pre-prepares and prepares.
    pub prepares: Heights,
    /// Commits.
    pub commits: Heights,
}

/// A vote that its sender no longer knows of, or that stands beside another of the same place: only a deliberate fault
/// makes one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stray {
    /// A prepare or pre-prepare.
    Prepare {
        /// The view.
        view: u8,
        /// The sender.
        replica: u8,
        /// The block.
        block: Block,
    },
    /// A commit.
    Commit {
        /// The view.
        view: u8,
        /// The sender.
        replica: u8,
        /// The block.
        block: Block,
    },
}

/// The state of the model.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The correct replicas.
    pub replicas: [Replica; CORRECT],
    /// What they signed, by view; empty for views in which nobody can vote any more.
    pub votes: [[Votes; CORRECT]; VIEWS_MAX],
    /// Their view-changes, by the view asked for.
    pub view_changes: [[Option<ViewChange>; CORRECT]; VIEWS_MAX],
    /// The new-views of correct primaries.
    pub new_views: [Option<Plan>; VIEWS_MAX],
    /// The prepared certificates that can be put together from the votes of views that are over.
    pub prepared: Vec<Prepared>,
    /// The commit certificates of those views.
    pub committed: Vec<Prepared>,
    /// See [`Stray`].
    pub strays: Vec<Stray>,
}

impl State {
    /// Correct replicas that voted to prepare `block` in `view`.
    #[must_use]
    pub fn prepares(&self, view: u8, block: Block) -> usize {
        let votes = &self.votes[usize::from(view)];
        let is_stray =
            |replica: usize| self.strays.contains(&Stray::Prepare { view, replica: replica as u8, block });
        let has_voted =
            |replica: usize| votes[replica].prepares[block.height() - 1] == block || is_stray(replica);
        (0..CORRECT).filter(|replica| has_voted(*replica)).count()
    }

    /// Correct replicas that voted to commit `block` in `view`.
    #[must_use]
    pub fn commits(&self, view: u8, block: Block) -> usize {
        let votes = &self.votes[usize::from(view)];
        let is_stray =
            |replica: usize| self.strays.contains(&Stray::Commit { view, replica: replica as u8, block });
        let has_voted =
            |replica: usize| votes[replica].commits[block.height() - 1] == block || is_stray(replica);
        (0..CORRECT).filter(|replica| has_voted(*replica)).count()
    }

    /// The prepared certificates that exist, each once.
    #[must_use]
    pub fn prepared_certificates(&self, needed: usize) -> Vec<Prepared> {
        let mut found = self.prepared.clone();
        for view in 0..VIEWS_MAX {
            self.prepared_in(view, needed, &mut found);
        }
        found
    }

    /// The commit certificates that exist, each once.
    #[must_use]
    pub fn commit_certificates(&self, needed: usize) -> Vec<Prepared> {
        let mut found = self.committed.clone();
        for view in 0..VIEWS_MAX {
            self.committed_in(view, needed, &mut found);
        }
        found
    }

    /// Adds the prepared certificates that the votes of `view` make.
    pub fn prepared_in(&self, view: usize, needed: usize, found: &mut Vec<Prepared>) {
        for votes in &self.votes[view] {
            for block in votes.prepares {
                let certificate = Prepared { view: view as u8, block };
                if block.is_some()
                    && self.prepares(view as u8, block) >= needed
                    && !found.contains(&certificate)
                {
                    found.push(certificate);
                }
            }
        }
        for stray in &self.strays {
            if let Stray::Prepare { view: at, block, .. } = *stray
                && usize::from(at) == view
                && self.prepares(at, block) >= needed
                && !found.contains(&Prepared { view: at, block })
            {
                found.push(Prepared { view: at, block });
            }
        }
    }

    /// Adds the commit certificates that the votes of `view` make.
    pub fn committed_in(&self, view: usize, needed: usize, found: &mut Vec<Prepared>) {
        for votes in &self.votes[view] {
            for block in votes.commits {
                let certificate = Prepared { view: view as u8, block };
                if block.is_some()
                    && self.commits(view as u8, block) >= needed
                    && !found.contains(&certificate)
                {
                    found.push(certificate);
                }
            }
        }
        for stray in &self.strays {
            if let Stray::Commit { view: at, block, .. } = *stray
                && usize::from(at) == view
                && self.commits(at, block) >= needed
                && !found.contains(&Prepared { view: at, block })
            {
                found.push(Prepared { view: at, block });
            }
        }
    }
}
