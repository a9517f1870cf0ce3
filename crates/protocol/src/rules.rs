//! The consortium's rule book on the ledger: what the law and the hospitals' agreement allow, beside what a patient grants.
//!
//! The rules are text in the Cedar policy language. Contracts read and apply it; here it is bytes that everybody agrees on. A
//! whole rule book replaces the one before: one organisation proposes it, and it is in force when a quorum of the organisations
//! that have a validator approve.

use crate::consent::{Category, DataClass};
use crate::governance::{ProposalId, ProposalStage, Seat};
use crate::ids::{Did, Height, RecordId, Timestamp};
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

/// What the rule book says of a reading under a grant, as a node says it: nothing proves it but a [`UseAccess`](crate::calls::UseAccess)
/// that the ledger applies or refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ExplainedReading {
    /// The rules that speak to it, by name.
    pub rules: Vec<RuleText>,
    /// The grant's records that no rule can tell apart, at most
    /// [`RULED_KINDS_MAX`](crate::limits::RULED_KINDS_MAX) kinds of them.
    pub kinds: Vec<RuledKind>,
}

/// A rule for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct RuleText {
    /// Its name.
    pub id: String,
    /// Whether it forbids; else it permits.
    pub forbids: bool,
    /// What it says, in Chinese.
    pub zh: String,
    /// What it says, in English.
    pub en: String,
}

/// Records of one kind and what the rules say of them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RuledKind {
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// The records, ascending.
    pub records: Vec<RecordId>,
    /// Whether they may be read now, if the grant is live.
    pub allowed: bool,
    /// Places in [`ExplainedReading::rules`] of the rules that permit or forbid it; one that forbids, or that could not be evaluated, is
    /// enough for a denial, and so is none that permits.
    pub spoke: Vec<u16>,
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
