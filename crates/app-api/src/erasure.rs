//! Having a record erased, and the proof that it was.

use crate::records::Category;
use crate::wallet::{HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// Why a hospital has records erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureGround {
    /// The person asked for it.
    PatientAsked,
    /// The time for which the law has them kept is over.
    RetentionOver,
    /// They never should have been registered.
    RegisteredInError,
    /// A court or an authority ordered it.
    Ordered,
}

/// Why a hospital keeps records that the person asked to have erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepReason {
    /// The law has medical records kept for so long.
    Retention,
    /// They are needed in a dispute or an investigation.
    Dispute,
    /// They are needed for a duty to public health.
    PublicHealth,
}

/// Ask how it stands with the erasure of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordErasure {
    /// The record, from [`RecordLineView`](crate::records::RecordLineView).
    pub id: String,
}

/// Ask the hospital that registered a record to have it erased.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestErasure {
    /// The record, from [`RecordLineView`](crate::records::RecordLineView).
    pub id: String,
}

/// How it stands with the erasure of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordErasureView {
    /// The hospital that registered it, and decides.
    pub hospital: HospitalView,
    /// How it stands.
    pub standing: ErasureStanding,
}

/// Stages of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ErasureStanding {
    /// Nobody asked for it; the person can.
    None,
    /// The person asked, and waits.
    Asked {
        /// When.
        at: TimeMs,
        /// By when the hospital is to answer.
        answer_by: TimeMs,
        /// Whether that time has run out.
        overdue: bool,
    },
    /// The hospital keeps it.
    Kept {
        /// Why.
        reason: KeepReason,
        /// Until when; then the person can ask again.
        until: TimeMs,
        /// Whether that time has come.
        over: bool,
    },
    /// It is erased: nobody is given it any more.
    Erased {
        /// When it was ordered.
        at: TimeMs,
        /// Why.
        ground: ErasureGround,
        /// By when every holder is to confirm.
        confirm_by: TimeMs,
        /// Who held it.
        holders: Vec<HolderReceiptView>,
        /// Whether somebody has not confirmed in time.
        overdue: bool,
    },
}

/// A hospital that held a record, and its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderReceiptView {
    /// The hospital.
    pub hospital: HospitalView,
    /// When it confirmed that it holds the record no more.
    pub confirmed_at: Option<TimeMs>,
}

/// A record that is erased: what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRecordView {
    /// Record identifier, hex.
    pub id: String,
    /// Category.
    pub category: Category,
    /// The hospital that registered it.
    pub hospital: HospitalView,
}
