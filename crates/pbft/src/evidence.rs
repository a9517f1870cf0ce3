//! Proof that a replica contradicted itself.

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::message::{Checkpoint, Content, PrePrepare, Prepare, Signed};
use crate::verify::{Verifier, check_signed};

/// Two messages that no correct replica signs both. Anybody with the validators' keys can check it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Evidence {
    /// A primary proposed two blocks at one view and height.
    PrePrepares(Signed<PrePrepare>, Signed<PrePrepare>),
    /// A backup voted for two blocks at one view and height.
    Prepares(Signed<Prepare>, Signed<Prepare>),
    /// A replica voted to commit two blocks at one view and height.
    Commits(Signed<CommitVote>, Signed<CommitVote>),
    /// A replica stated two states at one height.
    Checkpoints(Signed<Checkpoint>, Signed<Checkpoint>),
}

impl Evidence {
    /// The replica that is accused.
    #[must_use]
    pub fn offender(&self) -> ReplicaId {
        match self {
            Self::PrePrepares(first, _) => first.sender,
            Self::Prepares(first, _) => first.sender,
            Self::Commits(first, _) => first.sender,
            Self::Checkpoints(first, _) => first.sender,
        }
    }

    /// Whether the two messages are the offender's and contradict each other (rule PBFT-EV-1).
    #[must_use]
    pub fn is_proof(&self, verifier: &dyn Verifier) -> bool {
        match self {
            Self::PrePrepares(first, second) => {
                let (one, two) = (first.content.proposal, second.content.proposal);
                (one.view, one.height) == (two.view, two.height) && are_conflicting(first, second, verifier)
            }
            Self::Prepares(first, second) => {
                let (one, two) = (first.content.proposal, second.content.proposal);
                (one.view, one.height) == (two.view, two.height) && are_conflicting(first, second, verifier)
            }
            Self::Commits(first, second) => {
                let (one, two) = (first.content, second.content);
                (one.view, one.height) == (two.view, two.height) && are_conflicting(first, second, verifier)
            }
            Self::Checkpoints(first, second) => {
                first.content.height == second.content.height && are_conflicting(first, second, verifier)
            }
        }
    }
}

fn are_conflicting<T: Content + PartialEq>(
    first: &Signed<T>,
    second: &Signed<T>,
    verifier: &dyn Verifier,
) -> bool {
    first.sender == second.sender
        && first.content != second.content
        && check_signed(first, verifier).is_ok()
        && check_signed(second, verifier).is_ok()
}
