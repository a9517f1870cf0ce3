//! Receipts: what became of each transaction of a block.

use crate::history::Event;
use crate::ids::{Did, TxId};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Outcome of one transaction. A refused one changes nothing but its sender's nonce.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The transaction.
    pub transaction: TxId,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// Applied; these events went into these histories, with these numbers.
    Applied {
        /// (whose history, number in it, event).
        events: Vec<(Did, u64, Event)>,
    },
    /// Refused by a contract.
    Refused {
        /// Why.
        code: RefusalCode,
    },
}

/// Why a contract refused a transaction: the closed list that goes into receipts. Encoded by position: append only.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The nonce was used before, or lies too far back to tell.
    NonceUsed,
    /// The nonce is zero or further ahead than the window.
    NonceOutOfWindow,
    /// The key does not speak for the sender.
    WrongKey,
    /// The sender is not registered.
    UnknownSender,
    /// The DID is registered already.
    IdentityExists,
    /// The DID is not that of the key.
    DidMismatch,
    /// The sender is no organisation of the consortium.
    NotAnOrganisation,
    /// The sender is no practitioner whose registration counts at this time.
    NotAPractitioner,
    /// The practitioner named is not registered as an identity, or, for a grant, their registration does not count now.
    UnknownPractitioner,
    /// The patient named is not registered.
    UnknownPatient,
    /// A validity starts after it ends, or has ended already.
    BadValidity,
    /// A name is empty or too long.
    BadName,
    /// A list is empty, too long, not ascending, or repeats itself.
    BadList,
    /// A sealed key, envelope or note is empty or too long.
    BadSealed,
    /// The record is registered already.
    RecordExists,
    /// The record is unknown, or belongs to another patient.
    UnknownRecord,
    /// A holder is no organisation of the consortium.
    UnknownHolder,
    /// A record of class core may not be granted away from the hospital that made it.
    CoreRecord,
    /// The request is unknown.
    UnknownRequest,
    /// The request is addressed to somebody else.
    NotAddressed,
    /// The request was answered already.
    AlreadyAnswered,
    /// The time to answer has run out.
    AnswerTooLate,
    /// A time limit is zero or longer than allowed, or longer than was asked for.
    BadDuration,
    /// The grant opens a category that was not asked for.
    BeyondRequest,
    /// The grant is unknown.
    UnknownGrant,
    /// The grant is somebody else's.
    NotYourGrant,
    /// The grant has run out.
    GrantExpired,
    /// The grant was taken back.
    GrantRevoked,
    /// The grant does not open this record.
    NotGranted,
    /// The card's locator is in use.
    LocatorTaken,
    /// The card is unknown.
    UnknownCard,
    /// The card was replaced or revoked.
    CardRevoked,
    /// The card is somebody else's.
    NotYourCard,
    /// This reason needs a note.
    NoteNeeded,
    /// Somebody cannot be both sides of this.
    SelfDealing,
    /// The practitioner's registration with another organisation still counts or is yet to begin.
    EmployedElsewhere,
    /// The organisation has no validator.
    NotAValidator,
    /// No validator has this seat.
    UnknownSeat,
    /// The seat is another organisation's.
    NotYourSeat,
    /// The key is or was a validator's.
    KeyUsed,
    /// The peer identity is empty, too long, or another validator's.
    BadPeerId,
    /// The key did not sign that its holder takes this seat.
    NotAccepted,
    /// The organisation is not as the ledger has it.
    BadOrganisation,
    /// The set would have fewer than 4 or more than 100 validators.
    SetSize,
    /// Another change of this seat is decided and not in force yet.
    ChangePending,
    /// The height is further ahead than a change may be planned.
    BadHeight,
    /// The organisation has as many open proposals as one may have.
    TooManyProposals,
    /// The proposal is unknown.
    UnknownProposal,
    /// The proposal was decided or withdrawn.
    ProposalClosed,
    /// The time to approve the proposal has run out.
    ProposalExpired,
    /// The organisation approves the proposal already.
    AlreadyApproved,
    /// The organisation neither proposed nor approved this.
    NotYourProposal,
    /// The organisation replaced this key too short a time ago to do so again by itself.
    RotatedLately,
    /// The epoch has not begun.
    UnknownEpoch,
    /// The two messages do not convict a validator of that epoch.
    BadEvidence,
    /// This contradiction is recorded already, or as many as are kept against one validator.
    EvidenceKnown,
    /// No hospital that validates knows the reporter: the record is somebody else's, or nobody's, or its provider has no
    /// validator.
    NotVouched,
    /// The client reported too short a time ago.
    ReportedLately,
    /// A share is more than the whole.
    BadShare,
    /// An address is none, or names a peer identity that is no validator's of the organisation.
    BadAddress,
    /// The grant's time has not begun.
    GrantNotBegun,
    /// The grant is paused.
    GrantPaused,
    /// The grant is not paused.
    NotPaused,
    /// The grant was used as often as it may be.
    GrantUsedUp,
    /// What is called a narrower grant is none: something is more than before, or nothing is less.
    NotNarrower,
    /// What is called a longer grant is none: it would end no later, or something is less than before.
    NotLonger,
    /// The date by which to delete is too soon after the grant's end, or too far after it.
    BadEraseBy,
    /// The grant has not ended, so nothing is to be deleted yet.
    NotEnded,
    /// The grant was never used, so there is nothing to delete.
    NothingRead,
    /// The deletion was confirmed already.
    DeletionConfirmed,
    /// The grant was changed as often as one may be; it can only be taken back.
    TooManyChanges,
    /// The grantee is none: an organisation that is unknown or has published no key for its staff, a department without a name, or
    /// staff that the asker is not one of.
    BadGrantee,
    /// The grant is not for whom, or not for what, access was asked.
    NotAsRequested,
    /// The patient has as many grants that open records to come as one may have.
    TooManyStanding,
    /// The keys that go with new records are not for exactly the standing grants that are due them.
    FlowsDiffer,
    /// The rule book allows none of this, or not all of what was named.
    NotByRules,
    /// The text is no rule book: too long, not Cedar, or not by the schema.
    BadRules,
    /// Another rule book is in force than the one that is replaced.
    RulesChanged,
    /// The practitioner declared as many emergencies within a day as one may.
    TooManyDeclarations,
    /// The declaration is unknown.
    UnknownDeclaration,
    /// The declaration concerns somebody else, or somebody else's practitioner.
    NotYourDeclaration,
    /// The declaration was reported already.
    AlreadyDisputed,
    /// The declaration was reviewed already.
    AlreadyReviewed,
    /// A text is empty, too long, or not plain.
    BadText,
    /// The DID is nobody's who could be, or is, an ethics board.
    UnknownBoard,
    /// The organisation's last vote was the same.
    AlreadyVoted,
    /// The study is unknown.
    UnknownStudy,
    /// The sender is not the one whose word on this study counts.
    NotYourStudy,
    /// The study was decided on or has ended, or is not approved.
    StudyClosed,
    /// Research reads for a registered study, and a study for research only.
    StudyNeeded,
    /// The grant would open more than the study is approved for: another category, or for longer.
    BeyondStudy,
    /// The patient takes part already.
    AlreadyEnrolled,
    /// The study has as many participants as it may.
    StudyFull,
    /// As many studies are open as there may be.
    TooManyStudies,
    /// The record was registered by another hospital.
    NotYourRecord,
    /// The record is erased.
    RecordErased,
    /// The patient asked already, and waits for the answer.
    ErasureAsked,
    /// The hospital keeps the record until a date that has not come.
    RecordKept,
    /// The patient did not ask, or was answered.
    NotAsked,
    /// The record is not to be erased, or the sender did not hold it.
    NotToErase,
    /// The sender confirmed the erasure already.
    ErasureConfirmed,
    /// The key speaks or spoke for a DID.
    KeyTaken,
    /// The key did not sign that its holder speaks for this DID.
    NotPossessed,
    /// The identity's keys were replaced as often as they can be.
    TooManyReplacements,
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Receipt {
    /// The leaf that the receipts root covers.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        crate::codec::encode(self)
    }
}
