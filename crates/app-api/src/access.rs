//! Requests, grants, and the access log.

use crate::erasure::{ErasureGround, KeepReason};
use crate::records::{Category, RecordLineView};
use crate::wallet::{CheckedView, HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// A person who asks or reads, as registered on the ledger by their hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PractitionerView {
    /// DID.
    pub did: String,
    /// Name.
    pub name: String,
    /// Department, as registered.
    pub department: String,
    /// Role, as registered; `None` for somebody who is no practitioner.
    pub role: Option<PractitionerRole>,
    /// Employer.
    pub hospital: HospitalView,
}

/// What a practitioner is at their hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PractitionerRole {
    /// A senior physician.
    Attending,
    /// A physician in specialist training.
    Resident,
    /// Somebody in their first training.
    Intern,
    /// A nurse.
    Nurse,
    /// A pharmacist.
    Pharmacist,
    /// A technician or therapist.
    Technician,
    /// A researcher.
    Researcher,
    /// A claims assessor.
    Assessor,
}

/// Those who practise at an organisation, or a part of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffView {
    /// The organisation.
    pub hospital: HospitalView,
    /// Only those of this department.
    pub department: Option<String>,
    /// Only those in this role.
    pub role: Option<PractitionerRole>,
}

/// Who may read under a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GranteeView {
    /// One person.
    Person(PractitionerView),
    /// The staff of an organisation.
    Staff(StaffView),
    /// A study.
    Study(StudyNameView),
}

/// A study by its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyNameView {
    /// Identifier, hex.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The organisation that answers for it.
    pub sponsor: HospitalView,
}

/// Why data is asked for: a short list from HL7 PurposeOfUse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A visit or treatment (TREAT).
    Treatment,
    /// A second opinion (TREAT, once).
    SecondOpinion,
    /// Ongoing care by a team (COC).
    OngoingCare,
    /// A family member who cares (FAMRQT).
    FamilyCarer,
    /// Emergency treatment (ETREAT).
    Emergency,
    /// An insurance claim (CLMATTCH).
    InsuranceClaim,
    /// Research in a registered study (HRESCH).
    Research,
}

/// Ask for requests and shares.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sharing {}

/// Requests, active shares and ended shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingView {
    /// Requests that wait, oldest first.
    pub waiting: Vec<RequestView>,
    /// Grants that open something now.
    pub active: Vec<ShareView>,
    /// Grants that have ended, newest first.
    pub ended: Vec<ShareView>,
    /// The check behind it.
    pub checked: Option<CheckedView>,
}

/// A clinician's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Identifier, hex.
    pub id: String,
    /// Who asks.
    pub from: PractitionerView,
    /// The hospital whose records of the person are asked for.
    pub relationship: HospitalView,
    /// The colleagues for whom they ask too; `None` if only for themselves.
    pub staff: Option<StaffView>,
    /// Categories asked for.
    pub categories: Vec<Category>,
    /// Earliest record date covered (`YYYY-MM-DD`), if limited.
    pub records_from: Option<String>,
    /// Latest record date covered, if limited.
    pub records_to: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// Until when access would last.
    pub access_until: TimeMs,
    /// Until when it can be answered.
    pub answer_by: TimeMs,
    /// When it was asked.
    pub asked_at: TimeMs,
}

/// Ask what a request would expose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exposure {
    /// From [`RequestView`].
    pub request: String,
}

/// What a grant would expose, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureView {
    /// The request.
    pub request: RequestView,
    /// Exactly these records.
    pub records: Vec<RecordLineView>,
    /// Their number by category, no zeroes.
    pub counts: Vec<(Category, u64)>,
    /// Categories asked for that the patient gives to nobody: none of their records is here.
    pub withheld: Vec<Category>,
    /// Categories asked for that the patient wants to be asked about: their records are to be left out unless chosen, and none to come
    /// are opened.
    pub ask: Vec<Category>,
    /// Records of these categories that could not be had just now; none of them is allowed.
    pub missing: u64,
}

/// Sign the grant that answers a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantRequest {
    /// From [`RequestView`].
    pub request: String,
    /// The records that were shown and are allowed, by identifier; no other is, whatever was registered or found meanwhile.
    pub records: Vec<String>,
    /// Whether records of the categories asked for that come later are opened too, if they were asked for.
    #[serde(default)]
    pub new_records: bool,
    /// Whether only the person who asks may read, if they asked for colleagues too.
    #[serde(default)]
    pub only_asker: bool,
    /// How often the records may be read, at least once; `None` for as often as needed.
    #[serde(default)]
    pub uses_max: Option<u32>,
}

/// Turn a request down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclineRequest {
    /// From [`RequestView`].
    pub request: String,
}

/// Take a grant back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeGrant {
    /// From [`ShareView`].
    pub grant: String,
}

/// Open nothing under a grant until it is resumed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PauseGrant {
    /// From [`ShareView`].
    pub grant: String,
}

/// Let a paused grant go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResumeGrant {
    /// From [`ShareView`].
    pub grant: String,
}

/// Let a grant last longer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExtendGrant {
    /// From [`ShareView`].
    pub grant: String,
    /// The new end.
    pub until: TimeMs,
}

/// Ask which records a grant opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShareRecords {
    /// From [`ShareView`].
    pub grant: String,
}

/// What a grant opens, record by record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRecordsView {
    /// The grant.
    pub share: ShareView,
    /// The records, newest first.
    pub records: Vec<RecordLineView>,
    /// Records that it opens and that cannot be shown here just now.
    pub hidden: u64,
}

/// Let a grant open less. What is `None` or empty stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NarrowGrant {
    /// From [`ShareView`].
    pub grant: String,
    /// Records to leave out from now on, by identifier.
    pub without: Vec<String>,
    /// An earlier end.
    pub until: Option<TimeMs>,
    /// How often it may be used in all, uses so far included.
    pub uses_max: Option<u32>,
}

/// What a reader owes after the end of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeletionView {
    /// Nothing: the grant has not ended, or nothing was read under it.
    NotOwed,
    /// A signed statement that what was read is deleted.
    Owed {
        /// By when.
        by: TimeMs,
    },
    /// The same, and its time has run out.
    Overdue {
        /// By when it was due.
        by: TimeMs,
    },
    /// Nothing more.
    Confirmed {
        /// When the reader signed.
        at: TimeMs,
    },
}

/// State of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareState {
    /// The patient paused it.
    Paused,
    /// It was used as often as it may be.
    UsedUp,
    /// Opens its records now.
    Active,
    /// Its time has run out.
    Expired,
    /// The patient took it back.
    Revoked,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Identifier, hex.
    pub id: String,
    /// Who may read.
    pub to: GranteeView,
    /// The hospital whose patient the person gave it as: it opens records of that identity.
    pub relationship: HospitalView,
    /// Number of records by category.
    pub counts: Vec<(Category, u64)>,
    /// Categories of which records to come are opened too.
    pub standing: Vec<Category>,
    /// What for.
    pub purpose: Purpose,
    /// From when.
    pub granted_at: TimeMs,
    /// Until when.
    pub until: TimeMs,
    /// State.
    pub state: ShareState,
    /// How often it was used.
    pub uses: u64,
    /// How often it may be used, if that is limited.
    pub uses_max: Option<u64>,
    /// What its reader owes.
    pub deletion: DeletionView,
    /// Until when it can be made to last at most.
    pub until_max: TimeMs,
}

/// Ask for the access log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessLog {}

/// The access log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogView {
    /// Lines, newest first.
    pub lines: Vec<LogLineView>,
    /// Whether the count and the hash chain prove that nothing is left out.
    pub complete: bool,
    /// The check behind it.
    pub checked: Option<CheckedView>,
}

/// Names a line of the log on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineId {
    /// Which of the person's identities, from 0, in the order of
    /// [`SessionView::relationships`](crate::wallet::SessionView::relationships).
    pub identity: u32,
    /// Number in the history of that identity, from 1.
    pub number: u64,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLineView {
    /// Which line.
    pub line: LineId,
    /// The hospital whose patient's history it is in.
    pub relationship: HospitalView,
    /// Block time.
    pub at: TimeMs,
    /// What happened.
    pub what: LogEvent,
    /// The practitioner or hospital that acted; `None` when the person acted.
    pub by: Option<PractitionerView>,
    /// The hospital that acted, for events without a practitioner.
    pub hospital: Option<HospitalView>,
    /// Whose access it is about, when the person acted.
    pub about: Option<GranteeView>,
    /// Records concerned.
    pub records: u64,
}

/// How it stands with the review that a hospital owes for an emergency access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReviewStanding {
    /// On the ledger; it has a line of its own.
    Done,
    /// Owed.
    Due {
        /// By when.
        by: TimeMs,
    },
    /// Not done in time.
    Overdue {
        /// By when it was owed.
        by: TimeMs,
    },
}

/// Kinds of events in a personal history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LogEvent {
    /// The person's identity was registered.
    IdentityRegistered,
    /// A hospital registered records.
    RecordsRegistered,
    /// The person made or replaced the emergency card.
    CardMade,
    /// The person revoked the card.
    CardRevoked,
    /// A clinician declared an emergency and opened the summary.
    EmergencyDeclared {
        /// The reason given.
        reason: EmergencyReason,
        /// The clinician's own words, which only the patient can decrypt.
        note: Option<String>,
        /// When the access ends.
        until: TimeMs,
        /// Whether the person has reported it.
        disputed: bool,
        /// Whether the clinician's hospital has reviewed it, as it must.
        review: ReviewStanding,
    },
    /// The person reported an emergency access as not right.
    EmergencyDisputed,
    /// The clinician's hospital reviewed an emergency access.
    EmergencyReviewed {
        /// Whether it found that there was an emergency, or that it had to be taken for one.
        justified: bool,
    },
    /// A clinician asked for access.
    AccessRequested {
        /// What for.
        purpose: Purpose,
    },
    /// The person granted access.
    AccessGranted {
        /// What for.
        purpose: Purpose,
        /// Until when.
        until: TimeMs,
    },
    /// The person declined.
    AccessDeclined,
    /// The person took a grant back.
    AccessRevoked,
    /// The person let a grant open less.
    AccessNarrowed,
    /// The person let a grant last longer.
    AccessExtended {
        /// Until when.
        until: TimeMs,
    },
    /// New records were opened to the reader of a standing grant.
    RecordsOpened,
    /// The person paused a grant.
    AccessPaused,
    /// The person let a paused grant go on.
    AccessResumed,
    /// A clinician confirmed that what was read is deleted.
    DeletionConfirmed,
    /// A clinician read records under a grant.
    RecordsRead {
        /// What for.
        purpose: Purpose,
    },
    /// Somebody else opened their records to this person.
    OpenedToMe {
        /// What for.
        purpose: Purpose,
        /// Until when.
        until: TimeMs,
    },
    /// They changed it: less or more, paused or going on, or new records.
    OpenedToMeChanged,
    /// They took it back.
    OpenedToMeRevoked,
    /// This person read such records.
    ReadByMe,
    /// This person confirmed that what they read is deleted.
    DeletedByMe,
    /// The person asked a hospital to have records erased.
    ErasureAsked,
    /// A hospital had records erased.
    ErasureOrdered {
        /// Why.
        ground: ErasureGround,
        /// By when every hospital that holds them is to confirm.
        confirm_by: TimeMs,
    },
    /// A hospital keeps records that the person asked to have erased.
    ErasureRefused {
        /// Why.
        reason: KeepReason,
        /// Until when.
        until: TimeMs,
    },
    /// A hospital that held records confirmed that it does so no more.
    ErasureConfirmed,
    /// The person's keys were replaced.
    KeysReplaced,
}

/// Grounds for an emergency access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyReason {
    /// Unconscious.
    Unconscious,
    /// Cannot communicate.
    CannotCommunicate,
    /// Life or limb in danger, no time to ask.
    LifeThreatening,
    /// Another reason, which the note must give.
    Other,
}

/// Ask for the proof behind a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogProof {
    /// From [`LogLineView`].
    pub line: LineId,
}

/// Report an emergency access as not right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DisputeEmergency {
    /// From [`LogLineView`].
    pub line: LineId,
}

/// What the light client checked, for people first and for experts below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofView {
    /// Height of the block.
    pub height: u64,
    /// Block time.
    pub at: TimeMs,
    /// Hospitals that signed the block.
    pub signed: u16,
    /// Hospitals in the consortium then.
    pub total: u16,
    /// Who signed.
    pub signers: Vec<HospitalView>,
    /// Header hash, hex.
    pub header_hash: String,
    /// Transaction id, hex.
    pub transaction: String,
    /// Each check that was made and passed, in the order it was made.
    pub checks: Vec<ProofCheck>,
}

/// Checks the light client makes; the interface says each in plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofCheck {
    /// A quorum of hospitals signed the block.
    Certificate,
    /// The block is part of the one chain that starts at the pinned genesis.
    HeaderRange,
    /// The receipt of the transaction is in the block.
    Receipt,
    /// The event is in the person's complete history.
    History,
    /// The value is in the ledger's state.
    State,
    /// The ciphertext is the one that was registered.
    Ciphertext,
    /// At least two hospitals gave the same newest block.
    Witnesses,
}
