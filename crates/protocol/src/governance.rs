//! Who validates: what organisations can ask governance to change, and what the state keeps of it.
//!
//! A validator sits on a [`Seat`], which keeps its number while its key changes, so that what was decided about a
//! validator is not undone by a new key. A change is proposed by one organisation and takes effect when a quorum of the
//! organisations that have a validator approve; an organisation replaces its own key by itself. Nobody is seated by
//! others alone: the new key signs that its holder accepts.

use crate::calls::transaction_id;
use crate::genesis::Organisation;
use crate::ids::{ChainId, Did, Epoch, Height, Timestamp};
use crate::validators::{Validator, ValidatorSet};
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::{PublicKey, Signature, SigningContext, SigningKey};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Serialize};

transaction_id!(
    /// A proposal, named by the transaction that made it.
    ProposalId
);

/// A place in the validator set, from its addition to its removal. It keeps its number while keys are replaced, and no
/// number is given out twice. (A [`ReplicaId`](crate::ids::ReplicaId) is a position, and moves when others leave.)
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Seat(pub u32);

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A key for a seat, whose holder agrees.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candidate {
    /// Key that will sign consensus messages. It was never a validator's before.
    pub key: PublicKey,
    /// libp2p identity of the node; no other validator's.
    pub peer_id: Vec<u8>,
    /// The key's signature over [`Acceptance`].
    pub acceptance: Signature,
}

/// What a new validator key signs: that its holder takes this very seat for this organisation on this chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Acceptance {
    /// The organisation that the validator belongs to.
    pub organisation: Did,
    /// The seat whose key is replaced; none for a new seat.
    pub seat: Option<Seat>,
    /// The key itself.
    pub key: PublicKey,
    /// libp2p identity of the node.
    pub peer_id: Vec<u8>,
}

/// A change of one seat.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum MembershipChange {
    /// Add a validator of an organisation, which becomes a member of the consortium if it is none yet.
    Add {
        /// The organisation; as the ledger has it, if it has it.
        organisation: Organisation,
        /// Its validator.
        candidate: Candidate,
    },
    /// Remove a validator. Its organisation stays a member of the consortium.
    Remove {
        /// Which.
        seat: Seat,
    },
    /// Put another key, and another node if it has another peer identity, in a validator's place.
    Replace {
        /// Which.
        seat: Seat,
        /// What takes its place.
        candidate: Candidate,
    },
}

/// Propose a change of the validator set; sent by an organisation with a validator, whose approval it is at once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ProposeMembership {
    /// The change.
    pub change: MembershipChange,
    /// First height that it may apply to. It applies from the block after the final approval on at the earliest.
    pub not_before: Height,
}

/// Approve a proposal; sent by an organisation with a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ApproveMembership {
    /// The proposal.
    pub proposal: ProposalId,
}

/// Withdraw a proposal that is still open, as its proposer; or, as another organisation, the own approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WithdrawMembership {
    /// The proposal.
    pub proposal: ProposalId,
}

/// Replace the key of one of the sender's own validators; needs nobody's approval.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RotateValidatorKey {
    /// The validator's seat.
    pub seat: Seat,
    /// The new key.
    pub candidate: Candidate,
    /// First height that it may sign for.
    pub not_before: Height,
}

/// What the state keeps of a proposal, also after it was closed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ProposalState {
    /// Who proposed.
    pub proposer: Did,
    /// The change.
    pub change: MembershipChange,
    /// First height that it may apply to.
    pub not_before: Height,
    /// First moment at which it can no longer be approved.
    pub expires: Timestamp,
    /// Seats whose organisations approved, ascending. One that is no longer in the set counts for nothing, and an
    /// organisation with several counts once.
    pub approvals: Vec<Seat>,
    /// What became of it.
    pub stage: ProposalStage,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ProposalStage {
    /// It can be approved, unless it has expired.
    Open,
    /// A quorum approved: it applies from this height on.
    Decided {
        /// First block that the changed set certifies.
        first: Height,
    },
    /// Its proposer withdrew it.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

/// A proposal in the list of those that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OpenProposal {
    /// Which.
    pub proposal: ProposalId,
    /// Who proposed.
    pub proposer: Did,
    /// First moment at which it can no longer be approved.
    pub expires: Timestamp,
}

/// A change that is decided and not in force yet.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ScheduledChange {
    /// First block that the changed set certifies.
    pub first: Height,
    /// The seat.
    pub seat: Seat,
    /// Who sits there from then on; nobody, if the seat is given up.
    pub becomes: Option<Validator>,
    /// The proposal that a quorum approved; none for a rotation of the organisation's own key.
    pub proposal: Option<ProposalId>,
}

/// Where the validator set stands: what every block needs of it, without the keys.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MembershipState {
    /// The epoch in force for the next block.
    pub epoch: Epoch,
    /// First block of that epoch. Epoch 0 starts with the genesis block.
    pub first: Height,
    /// Digest of its set, as headers carry it.
    pub validators_hash: Digest,
    /// Number of the next seat that is added.
    pub next_seat: Seat,
    /// Decided changes, by first height, then by when they were decided; at most one for a seat.
    pub scheduled: Vec<ScheduledChange>,
}

/// The validator set of an epoch; stays in the state when the epoch is over.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EpochState {
    /// First block that the set certifies.
    pub first: Height,
    /// The seat of each validator, in the set's order.
    pub seats: Vec<Seat>,
    /// The set.
    pub validators: ValidatorSet,
}

/// What the state keeps of each key that was ever accepted for a seat, so that none comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ValidatorKeyState {
    /// Whose.
    pub organisation: Did,
    /// For which seat.
    pub seat: Seat,
    /// When its organisation put it in the place of another by itself; none if it came by genesis or governance.
    pub rotated_at: Option<Timestamp>,
}

impl Acceptance {
    /// Signs as the candidate.
    #[must_use]
    pub fn sign(self, key: &SigningKey, chain: ChainId) -> Candidate {
        let message = crate::codec::encode(&self);
        let acceptance = key.sign(SigningContext::SeatAcceptance, &chain.tag(), &message);
        Candidate { key: self.key, peer_id: self.peer_id, acceptance }
    }
}

impl Candidate {
    /// Whether the key's holder signed that they take this seat of this organisation on this chain.
    #[must_use]
    pub fn accepts(&self, chain: ChainId, organisation: Did, seat: Option<Seat>) -> bool {
        let (key, peer_id) = (self.key.clone(), self.peer_id.clone());
        let message = crate::codec::encode(&Acceptance { organisation, seat, key, peer_id });
        self.key.verify(SigningContext::SeatAcceptance, &chain.tag(), &message, &self.acceptance).is_ok()
    }
}

impl EpochState {
    /// Position of a seat in the set.
    #[must_use]
    pub fn position(&self, seat: Seat) -> Option<usize> {
        self.seats.iter().position(|other| *other == seat)
    }

    /// The validator on a seat.
    #[must_use]
    pub fn validator(&self, seat: Seat) -> Option<&Validator> {
        self.validators.members().get(self.position(seat)?)
    }

    /// The first seat of an organisation.
    #[must_use]
    pub fn seat_of(&self, organisation: Did) -> Option<Seat> {
        let position = self.validators.members().iter().position(|v| v.organisation == organisation)?;
        self.seats.get(position).copied()
    }
}
