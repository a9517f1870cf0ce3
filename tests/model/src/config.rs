//! What a run of the checker explores, and the deliberate faults that it must find.

use crate::block::{HEIGHTS_MAX, VIEWS_MAX};

/// Replicas of the model.
pub const REPLICAS: u8 = 4;

/// Faulty replicas that the protocol bears with `REPLICAS`.
pub const FAULTS: usize = 1;

/// Correct replicas; the model numbers them 0, 1, 2 and leaves the Byzantine one out of its state.
pub const CORRECT: usize = REPLICAS as usize - FAULTS;

/// Distinct votes in a certificate: `ceil((n + f + 1) / 2)`.
pub const QUORUM: usize = 3;

/// Heights in flight above the tip.
pub const DEPTH: usize = 2;

/// In which order views are explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interleaving {
    /// Every order of all actions.
    Full,
    /// Once a replica enters a view, nobody votes in a lower one any more. A vote in a view depends on votes of that view
    /// only, so each execution can be put into this order, with one exception: a replica that adopts a block committed in
    /// a higher view and then goes on voting in its lower view. That is explored by `Full`.
    ByView,
}

/// A deliberate fault in the design. Each must make the checker find a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Certificates need `2f` votes.
    QuorumOfTwo,
    /// The selection rule takes the certificate of the lowest view instead of the highest.
    SelectLowestView,
    /// The selection rule does not look at parents.
    SelectIgnoresParents,
    /// A commit vote leaves though the height below is not prepared.
    CommitVotesUngated,
    /// The commit vote's gate is content with the block below prepared in any view.
    GateAnyView,
    /// Certificates that no longer link are kept and shown.
    KeepUnlinked,
    /// A view-change shows no prepared certificates.
    ViewChangeForgetsPrepared,
    /// A view-change shows only the lowest prepared certificate above its base.
    ViewChangeShowsOneHeight,
    /// A replica votes at heights that the view's certificate proved final.
    BaseGuardRemoved,
    /// A backup enters a view whatever the new-view's proposals are.
    NewViewUnchecked,
    /// A restart forgets the proposals accepted in this view.
    RestartForgetsAccepted,
    /// A restart forgets prepared certificates.
    RestartForgetsPrepared,
    /// A restart forgets that the view was left.
    RestartForgetsViewChange,
    /// A replica prepares a second proposal of the same view and height.
    VoteTwice,
    /// A block is accepted on a parent that is not the block accepted below it.
    ParentUnchecked,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::QuorumOfTwo,
        Self::SelectLowestView,
        Self::SelectIgnoresParents,
        Self::CommitVotesUngated,
        Self::GateAnyView,
        Self::KeepUnlinked,
        Self::ViewChangeForgetsPrepared,
        Self::ViewChangeShowsOneHeight,
        Self::BaseGuardRemoved,
        Self::NewViewUnchecked,
        Self::RestartForgetsAccepted,
        Self::RestartForgetsPrepared,
        Self::RestartForgetsViewChange,
        Self::VoteTwice,
        Self::ParentUnchecked,
    ];
}

/// The model to be checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Views explored, from 0; the primary of view v is replica `v mod 4`.
    pub views: usize,
    /// Heights explored, from 1.
    pub heights: usize,
    /// The Byzantine replica.
    pub byzantine: u8,
    /// The order of views.
    pub interleaving: Interleaving,
    /// The deliberate fault, if any.
    pub mutation: Option<Mutation>,
}

impl Config {
    /// The design as it is, within these bounds.
    ///
    /// # Panics
    /// When a bound is beyond what a block id has room for.
    #[must_use]
    pub fn new(views: usize, heights: usize, byzantine: u8, interleaving: Interleaving) -> Self {
        assert!(views <= VIEWS_MAX, "at most {VIEWS_MAX} views");
        assert!(heights <= HEIGHTS_MAX, "at most {HEIGHTS_MAX} heights");
        assert!(byzantine < REPLICAS, "one of {REPLICAS} replicas");
        Self { views, heights, byzantine, interleaving, mutation: None }
    }

    /// The same with a deliberate fault.
    #[must_use]
    pub fn with(self, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..self }
    }

    /// Whether this fault is built in.
    #[must_use]
    pub fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Correct voters that, with the Byzantine replica's vote, make a certificate.
    #[must_use]
    pub fn correct_votes_needed(&self) -> usize {
        self.quorum() - FAULTS
    }

    /// Votes that make a certificate.
    #[must_use]
    pub fn quorum(&self) -> usize {
        if self.has(Mutation::QuorumOfTwo) { QUORUM - 1 } else { QUORUM }
    }

    /// The correct replica that is the primary of `view`, by its number in the model; `None` when it is the Byzantine one.
    #[must_use]
    pub fn correct_primary(&self, view: usize) -> Option<usize> {
        let primary = (view % usize::from(REPLICAS)) as u8;
        match primary.cmp(&self.byzantine) {
            std::cmp::Ordering::Less => Some(usize::from(primary)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(usize::from(primary) - 1),
        }
    }
}
