//! Erasure: a record's ciphertext is removed from every vault that holds it, and each holder signs that it is.
//!
//! The hospital that registered a record orders it. A patient can ask; the law has hospitals keep medical records for decades, so the
//! hospital answers: erased, or kept until a date, for a reason of the law. What stays on the ledger is that the record was there,
//! who had it erased and why, and the holders' receipts.

use crate::ids::{Did, RecordId, Timestamp};
use crate::limits::{ERASURE_ANSWER_TIME_MS, ERASURE_TIME_MS};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Why a hospital has a record erased.
#[derive(
    Clone,
    Copy,
    Debug,
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
#[serde(rename_all = "snake_case")]
pub enum ErasureGround {
    /// The patient asked for it.
    PatientAsked,
    /// The time for which the law has it kept is over.
    RetentionOver,
    /// It never should have been registered: another person's, or made in error.
    RegisteredInError,
    /// A court or an authority ordered it.
    Ordered,
}

/// Why a hospital keeps a record that its patient asked to have erased.
#[derive(
    Clone,
    Copy,
    Debug,
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
#[serde(rename_all = "snake_case")]
pub enum KeepReason {
    /// The law has medical records kept for so long.
    Retention,
    /// It is needed in a dispute or an investigation.
    Dispute,
    /// It is needed for a duty to public health, such as a notifiable disease.
    PublicHealth,
}

/// Ask the hospital that registered these records to have them erased; sent by their patient.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RequestErasure {
    /// The records, ascending, of one hospital.
    pub records: Vec<RecordId>,
}

/// Have records erased by all who hold them; sent by the hospital that registered them. For good.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrderErasure {
    /// The records, ascending, of one patient.
    pub records: Vec<RecordId>,
    /// Why.
    pub ground: ErasureGround,
}

/// Keep records that their patient asked to have erased; sent by the hospital that registered them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RefuseErasure {
    /// The records, ascending, of one patient.
    pub records: Vec<RecordId>,
    /// Why.
    pub reason: KeepReason,
    /// Until when; from then on the patient can ask again.
    pub until: Timestamp,
}

/// A holder's signed statement that its vault holds these records no more: the erasure receipt.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ConfirmErasure {
    /// The records, ascending, of one patient and one hospital that registered them.
    pub records: Vec<RecordId>,
}

/// How far the erasure of a record has come.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ErasureState {
    /// The patient asked, and waits for the answer.
    Asked {
        /// When.
        at: Timestamp,
        /// Who answers: who registered the record.
        provider: Did,
        /// Who asked.
        patient: Did,
    },
    /// The hospital keeps it.
    Kept {
        /// When it said so.
        at: Timestamp,
        /// Why.
        reason: KeepReason,
        /// Until when.
        until: Timestamp,
    },
    /// It is erased: nobody is given it any more.
    Erased(Erased),
}

/// The erasure of a record, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Erased {
    /// Whose record it was.
    pub patient: Did,
    /// When it was ordered.
    pub at: Timestamp,
    /// Why.
    pub ground: ErasureGround,
    /// Who held it, in the order of the record, and when each confirmed that it does so no more.
    pub receipts: Vec<(Did, Option<Timestamp>)>,
}

impl ErasureState {
    /// The moment from which an answer that was not given is overdue; `None` if none is owed.
    #[must_use]
    pub fn answer_by(&self) -> Option<Timestamp> {
        match self {
            Self::Asked { at, .. } => Some(at.plus_millis(ERASURE_ANSWER_TIME_MS)),
            Self::Kept { .. } | Self::Erased(_) => None,
        }
    }
}

impl Erased {
    /// The moment from which a receipt that was not given is overdue.
    #[must_use]
    pub fn confirm_by(&self) -> Timestamp {
        self.at.plus_millis(ERASURE_TIME_MS)
    }

    /// Who has yet to confirm.
    pub fn owing(&self) -> impl Iterator<Item = Did> + '_ {
        self.receipts.iter().filter(|(_, confirmed)| confirmed.is_none()).map(|(holder, _)| *holder)
    }

    /// Whether every holder has confirmed.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.owing().next().is_none()
    }
}
