//! Giving access unasked: to whom, to what, for how long.

use crate::ApiError;
use crate::access::{GranteeView, PractitionerRole, Purpose, ShareView};
use crate::preferences::PreferencesView;
use crate::records::{Category, RecordLineView};
use crate::wallet::HospitalView;
use serde::{Deserialize, Serialize};

/// To whom a patient gives access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GiveTo {
    /// One person.
    Person {
        /// Their code, scanned or typed.
        code: String,
    },
    /// Those who practise at a hospital, whoever they are when they read.
    Staff {
        /// From [`RecipientsView`].
        hospital: String,
        /// Only those of this department, as the hospital writes it.
        department: Option<String>,
        /// Only those in this role.
        role: Option<PractitionerRole>,
    },
}

/// What a patient gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveTerms {
    /// To whom.
    pub to: GiveTo,
    /// What for.
    pub purpose: Purpose,
    /// Records of these categories, at least one.
    pub categories: Vec<Category>,
    /// Earliest record date (`YYYY-MM-DD`), if limited.
    #[serde(default)]
    pub records_from: Option<String>,
    /// Latest record date, if limited.
    #[serde(default)]
    pub records_to: Option<String>,
    /// Hospitals whose records to leave out, by DID.
    #[serde(default)]
    pub without_hospitals: Vec<String>,
    /// Whether records of these categories that are registered while it lasts are opened too.
    #[serde(default)]
    pub new_records: bool,
    /// Hours from now on.
    pub hours: u64,
    /// How often the records may be read, at least once; `None` for as often as needed.
    #[serde(default)]
    pub uses_max: Option<u32>,
    /// Days after the end by which what was read must be deleted; `None` for the usual 30.
    #[serde(default)]
    pub erase_days: Option<u64>,
}

/// Ask to whose staff access can be given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recipients {}

/// Hospitals to whose staff access can be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientsView {
    /// The hospitals.
    pub hospitals: Vec<HospitalView>,
    /// What the patient has settled beforehand.
    pub preferences: PreferencesView,
}

/// Ask what these terms would open, without signing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewGiving {
    /// The terms.
    pub terms: GiveTerms,
}

/// What terms open: exactly these records now, and what kind later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivingPreviewView {
    /// To whom, as the ledger knows them.
    pub to: GranteeView,
    /// Records opened now.
    pub records: Vec<RecordLineView>,
    /// Their number by category, no zeroes.
    pub counts: Vec<(Category, u64)>,
    /// Categories of which records to come are opened too.
    pub standing: Vec<Category>,
    /// The hospitals whose records are opened: a grant is signed for each. With several, the reader learns that they treat the same
    /// person.
    pub relationships: Vec<HospitalView>,
    /// Records of these categories that could not be had just now; none of them is opened.
    pub missing: u64,
}

/// What was given: one grant for each of the person's identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenView {
    /// The grants, at least one.
    pub shares: Vec<ShareView>,
    /// The hospital whose records could not be given, nor those of any after it, and why.
    pub failed: Option<NotGivenView>,
}

/// What could not be given, after something was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotGivenView {
    /// The hospital whose records they are.
    pub relationship: HospitalView,
    /// Why.
    pub error: ApiError,
}

/// Sign a grant on these terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveAccess {
    /// The terms.
    pub terms: GiveTerms,
    /// The records that were shown and are given, by identifier; no other is, whatever was registered or found meanwhile.
    pub records: Vec<String>,
}
