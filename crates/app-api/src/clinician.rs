//! The clinician's side: scan, declare, ask, read, and bring files in.

use crate::access::{DeletionView, EmergencyReason, PractitionerView, ProofView, Purpose, StaffView};
use crate::card::{CardFact, SummarySection};
use crate::records::{Category, DataClass, RecordView};
use crate::wallet::TimeMs;
use serde::{Deserialize, Serialize};

/// Read a card code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadCard {
    /// The text of the QR code, or the typed code.
    pub code: String,
}

/// What a card says before any declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPreviewView {
    /// Facts on the card itself; empty for a typed code.
    pub facts: Vec<CardFact>,
    /// Whether the facts bear the signature of the key on the card.
    pub facts_signed: bool,
    /// Whether the ledger could be asked; without it only the offline facts can be shown.
    pub online: bool,
    /// How long an access would last, in hours; `None` offline.
    pub access_hours: Option<u64>,
}

/// Declare an emergency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclareEmergency {
    /// The code read before.
    pub code: String,
    /// Reason.
    pub reason: EmergencyReason,
    /// Own words, at most 200 characters; needed for [`EmergencyReason::Other`].
    pub note: String,
}

/// Open the summary of a running declaration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenEmergency {
    /// From [`EmergencyView`].
    pub declaration: String,
}

/// The summary, allergies first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyView {
    /// Identifier of the declaration, hex.
    pub declaration: String,
    /// Name.
    pub name: Option<String>,
    /// `female`, `male`, `other`, `unknown`, as FHIR has it.
    pub sex: Option<String>,
    /// Birth date as the record has it.
    pub birth_date: Option<String>,
    /// Sections in the order to show.
    pub sections: Vec<SectionView>,
    /// Records that may belong here and could not be read; above 0 it must be shown.
    pub unreadable: u64,
    /// When the patient's wallet made the summary.
    pub made_at: TimeMs,
    /// When the access ends.
    pub until: TimeMs,
    /// What was checked.
    pub proof: ProofView,
}

/// One section of the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    /// Which.
    pub section: SummarySection,
    /// What the section says; "no information" differs from "known to be none".
    pub content: SectionContent,
}

/// Content of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SectionContent {
    /// Entries, the most dangerous first.
    Entries {
        /// The entries.
        entries: Vec<EntryView>,
    },
    /// The records say that there are none.
    KnownNone,
    /// The records say nothing.
    NoInformation,
    /// The patient left it out.
    LeftOut,
}

/// One entry of the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// What.
    pub text: String,
    /// More: reaction, dose, since when.
    pub detail: Option<String>,
    /// Whether it can kill: high criticality or severe.
    pub critical: bool,
    /// Where it came from: FHIR type, date.
    pub source: Option<String>,
}

/// Find a person by code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindPatient {
    /// Their DID, scanned or typed.
    pub code: String,
}

/// A person found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientFoundView {
    /// DID.
    pub did: String,
    /// Records registered for it.
    pub records: u64,
}

/// Ask for access.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskAccess {
    /// The patient's DID.
    pub patient: String,
    /// Categories asked for, at least one.
    pub categories: Vec<Category>,
    /// What for.
    pub purpose: Purpose,
    /// Hours the access would last from the grant on.
    pub access_hours: u64,
    /// Hours within which the patient can answer.
    pub answer_hours: u64,
    /// Earliest record date (`YYYY-MM-DD`), if limited.
    pub records_from: Option<String>,
    /// Latest record date, if limited.
    pub records_to: Option<String>,
    /// Who would read.
    #[serde(default)]
    pub reader: AskFor,
}

/// For whom a clinician asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskFor {
    /// For themselves.
    #[default]
    Myself,
    /// For everybody in their department, themselves included.
    MyDepartment,
    /// For everybody who practises at their hospital.
    MyHospital,
}

/// Ask for this clinician's requests, grants and declarations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MyAccesses {}

/// This clinician's requests, grants and declarations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyAccessesView {
    /// Who reads, if they practise; a relative does not.
    pub me: Option<PractitionerView>,
    /// Newest first.
    pub accesses: Vec<MyAccessView>,
}

/// One request, grant or declaration of this clinician.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyAccessView {
    /// Identifier of the request, of the grant if there was none, or of the declaration; hex.
    pub id: String,
    /// The colleagues who may read too, or would.
    pub staff: Option<StaffView>,
    /// The patient's DID.
    pub patient: String,
    /// State.
    pub state: MyAccessState,
    /// What for.
    pub purpose: Purpose,
    /// Categories; empty for an emergency.
    pub categories: Vec<Category>,
    /// When it was asked or declared.
    pub at: TimeMs,
    /// The deletion receipt that is owed under its grant, or was given.
    pub deletion: DeletionView,
}

/// State of a clinician's access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MyAccessState {
    /// The patient has not answered.
    Waiting {
        /// Until when they can.
        answer_by: TimeMs,
    },
    /// The patient declined.
    Declined,
    /// The request ran out unanswered.
    Unanswered,
    /// Records can be read.
    Active {
        /// The grant, hex.
        grant: String,
        /// Until when.
        until: TimeMs,
        /// Number of records.
        records: u64,
    },
    /// The patient paused the grant.
    Paused {
        /// When it ends all the same.
        until: TimeMs,
    },
    /// The grant was used as often as it may be.
    UsedUp,
    /// The grant has run out.
    Expired,
    /// The patient took it back.
    Revoked,
    /// An emergency declaration that is still running.
    Emergency {
        /// Until when.
        until: TimeMs,
    },
    /// An emergency declaration that has ended.
    EmergencyEnded,
}

/// Read the records of a grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadGrant {
    /// From [`MyAccessState::Active`].
    pub grant: String,
}

/// Sign that everything read under an ended grant is deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfirmDeletion {
    /// The request that the grant answered, from [`MyAccessView`].
    pub request: String,
}

/// Records read under a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedRecordsView {
    /// The records.
    pub records: Vec<RecordView>,
    /// Records no hospital could deliver.
    pub missing: u64,
    /// Whether the patient closed some records while they were being opened; these are what is left.
    pub narrowed: bool,
    /// Until when.
    pub until: TimeMs,
    /// Records that were not asked for, because the consortium's rules do not let this reader have them now.
    pub closed_by_rules: Vec<ClosedByRulesView>,
    /// The proof that this reading is on the ledger; `None` if there was nothing to read, so that nothing was stated.
    pub proof: Option<ProofView>,
}

/// Records of one kind that the rules close to a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedByRulesView {
    /// Their category.
    pub category: Category,
    /// Their class.
    pub class: DataClass,
    /// How many.
    pub records: u64,
    /// The rules that forbid it, in the consortium's own words; none if it is only that no rule permits it.
    pub rules: Vec<RuleView>,
}

/// A rule of the consortium in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// Bring a FHIR file in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intake {
    /// The patient's DID.
    pub patient: String,
    /// The file's name, for messages.
    pub file_name: String,
    /// The file's text.
    pub text: String,
}

/// What the hospital did with the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeView {
    /// Resources in the file.
    pub resources_in: u64,
    /// Records registered.
    pub records_out: u64,
    /// Resources refused, each with its reason in English and a stable code.
    pub refused: Vec<RefusedView>,
}

/// One refused resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedView {
    /// Which.
    pub resource: String,
    /// Stable code of the reason.
    pub code: String,
    /// The reason in English.
    pub reason: String,
}
