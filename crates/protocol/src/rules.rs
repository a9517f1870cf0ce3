//! The consortium's rule book on the ledger: what the law and the hospitals' agreement allow, beside what a patient grants.
//!
//! The rules are text in the Cedar policy language. Contracts read and apply it; here it is bytes that everybody agrees on. A
//! whole rule book replaces the one before: one organisation proposes it, and it is in force when a quorum of the organisations
//! that have a validator approve.

use crate::governance::{ProposalId, ProposalStage, Seat};
use crate::ids::{Did, Height, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The rule book in force.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RuleBookState {
    /// Counts the rule books from 1, that of the genesis state.
    pub version: u32,
    /// The rules, as Cedar policies.
    pub policies: String,
    /// Block of its adoption; it decides from the next transaction on.
    pub adopted: Height,
}

/// Propose a rule book; sent by an organisation with a validator, whose approval it is at once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ProposeRules {
    /// All of the rules, as Cedar policies.
    pub policies: String,
    /// Version of the rule book that it replaces, which must be the one in force when it is decided, so that no approval undoes
    /// what was adopted in between.
    pub replaces: u32,
}

/// Approve a rule book; sent by an organisation with a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ApproveRules {
    /// The proposal.
    pub proposal: ProposalId,
}

/// Withdraw a rule book that is still proposed, as its proposer; or, as another organisation, the own approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WithdrawRules {
    /// The proposal.
    pub proposal: ProposalId,
}

/// What the state keeps of a proposed rule book, also after it was closed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RulesProposalState {
    /// Who proposed.
    pub proposer: Did,
    /// All of the rules.
    pub policies: String,
    /// Version of the rule book that it replaces.
    pub replaces: u32,
    /// First moment at which it can no longer be approved.
    pub expires: Timestamp,
    /// Seats whose organisations approved, ascending; they count as for a change of the validator set.
    pub approvals: Vec<Seat>,
    /// What became of it; decided with the height of the adoption.
    pub stage: ProposalStage,
}
