//! What the state holds: keys and values of the ledger's tree.

use crate::calls::{CardLocator, DeclarationId, GrantId, RequestId};
use crate::consent::{
    Category, DataClass, EmergencyReason, PractitionerRole, Purpose, RecordDates, ReviewFinding,
};
use crate::governance::ProposalId;
use crate::grantee::Grantee;
use crate::ids::{BlobId, Did, Epoch, Height, Nonce, RecordId, ReplicaId, Timestamp, digest_of};
use crate::limits::EMERGENCY_REVIEW_TIME_MS;
use crate::study::StudyId;
use alloc::string::String;
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, Tag};
use amulet_crypto::sealed_box::AgreementPublicKey;
use amulet_crypto::signing::PublicKey;
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/state-key");

/// Where something is in the state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum StateKey {
    /// [`Identity`] of a DID.
    Identity(Did),
    /// [`Account`] of a DID.
    Account(Did),
    /// [`OrganisationState`].
    Organisation(Did),
    /// [`Practitioner`].
    Practitioner(Did),
    /// [`RecordState`].
    Record(RecordId),
    /// [`RequestState`].
    Request(RequestId),
    /// [`GrantState`](crate::grant::GrantState).
    Grant(GrantId),
    /// [`CardState`].
    Card(CardLocator),
    /// [`CardLocator`] of the card that a patient has in force.
    CardOf(Did),
    /// [`DeclarationState`].
    Declaration(DeclarationId),
    /// [`HistoryHead`](crate::history::HistoryHead) of a DID.
    History(Did),
    /// [`MembershipState`](crate::governance::MembershipState).
    Membership,
    /// [`EpochState`](crate::governance::EpochState).
    Epoch(Epoch),
    /// [`ProposalState`](crate::governance::ProposalState).
    Proposal(ProposalId),
    /// List of [`OpenProposal`](crate::governance::OpenProposal), oldest first.
    OpenProposals,
    /// [`ValidatorKeyState`](crate::governance::ValidatorKeyState), by the key's fingerprint.
    ValidatorKey(Digest),
    /// List of [`EvidenceRecord`](crate::evidence::EvidenceRecord) against a validator, oldest first, at most
    /// [`EVIDENCE_PER_VALIDATOR_MAX`](crate::limits::EVIDENCE_PER_VALIDATOR_MAX).
    Evidence {
        /// The epoch in which it contradicted itself.
        epoch: Epoch,
        /// Its number in that epoch's set.
        offender: ReplicaId,
    },
    /// [`Reputation`](crate::reputation::Reputation) of an organisation's nodes.
    Reputation(Did),
    /// [`ReporterState`](crate::reputation::ReporterState) of a client that reports.
    Reporter(Did),
    /// [`AddressesState`](crate::addresses::AddressesState) of an organisation's nodes.
    Addresses(Did),
    /// The [`AgreementPublicKey`] of an organisation's staff.
    StaffKey(Did),
    /// List of [`GrantId`]: a patient's grants that open records to come, at most
    /// [`STANDING_GRANTS_MAX`](crate::limits::STANDING_GRANTS_MAX), ascending.
    StandingGrants(Did),
    /// [`RuleBookState`](crate::rules::RuleBookState).
    RuleBook,
    /// [`RulesProposalState`](crate::rules::RulesProposalState).
    RulesProposal(ProposalId),
    /// List of [`OpenProposal`](crate::governance::OpenProposal): the rule books that are proposed, oldest first.
    OpenRules,
    /// List of times at which a practitioner declared emergencies within the last day, oldest first, at most
    /// [`DECLARATIONS_PER_DAY_MAX`](crate::limits::DECLARATIONS_PER_DAY_MAX).
    RecentDeclarations(Did),
    /// [`BoardState`](crate::study::BoardState) of a DID that was voted on.
    Board(Did),
    /// [`StudyState`](crate::study::StudyState).
    Study(StudyId),
    /// List of [`StudyId`]: the approved studies that were open when the list was last changed, in the order of their approval, at
    /// most [`STUDIES_OPEN_MAX`](crate::limits::STUDIES_OPEN_MAX).
    OpenStudies,
    /// [`GrantId`] by which a patient takes part in a study, or did until it ended by itself; removed when it is taken back.
    Enrolment(StudyId, Did),
    /// [`ErasureState`](crate::erasure::ErasureState) of a record whose erasure was asked for or ordered.
    Erasure(RecordId),
    /// The [`Did`] for which a key that replaced another speaks or spoke, by the DID that would be the key's own. Stays when the
    /// key is replaced in turn, so that no key comes back.
    SpeaksFor(Did),
}

impl StateKey {
    /// The key's place in the tree.
    #[must_use]
    pub fn hash(&self) -> Digest {
        digest_of(TAG, self)
    }
}

/// A registered identity: the ledger's form of a W3C DID document.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Identity {
    /// Key that signs for the DID now.
    pub signing: PublicKey,
    /// Key that data keys are sealed to now.
    pub agreement: AgreementPublicKey,
    /// Block of the registration.
    pub registered: Height,
    /// How often its keys were replaced.
    pub replacements: u32,
}

/// Which nonces of a sender were used: the highest, and a bit for each of the
/// [`NONCE_WINDOW`](crate::limits::NONCE_WINDOW) below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Highest nonce used; 0 for none.
    pub highest: Nonce,
    /// Bit `i` of the 256, counted from the least significant of the first word, says that nonce `highest - 1 - i` was
    /// used.
    pub used: [u64; 4],
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrganisationState {
    /// Name in English.
    pub name_en: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Key that signs for it.
    pub key: PublicKey,
}

/// A practitioner's registration.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Practitioner {
    /// Employer.
    pub organisation: Did,
    /// Name.
    pub name: String,
    /// Department.
    pub department: String,
    /// Role.
    pub role: PractitionerRole,
    /// First moment at which the registration counts.
    pub valid_from: Timestamp,
    /// First moment at which it no longer counts.
    pub valid_until: Timestamp,
}

impl Practitioner {
    /// Whether the registration counts at `now`.
    #[must_use]
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.valid_from <= now && now < self.valid_until
    }
}

/// A registered record.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecordState {
    /// Whose.
    pub patient: Did,
    /// Who registered it and answers for it.
    pub provider: Did,
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// The ciphertext.
    pub blob: BlobId,
    /// Commitment to the content.
    pub commitment: Digest,
    /// Who holds the ciphertext.
    pub holders: Vec<Did>,
    /// Block of the registration.
    pub registered: Height,
}

/// A request for access.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RequestState {
    /// Whom it asks.
    pub patient: Did,
    /// Who asks.
    pub practitioner: Did,
    /// Who would read.
    pub grantee: Grantee,
    /// Categories.
    pub categories: Vec<Category>,
    /// Record dates.
    pub record_dates: RecordDates,
    /// What for.
    pub purpose: Purpose,
    /// Last moment for an answer.
    pub answer_by: Timestamp,
    /// How long access would last, in milliseconds.
    pub access_ms: u64,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The answer so far.
    pub answer: Answer,
}

/// Answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// None yet.
    Waiting,
    /// Granted by this grant.
    Granted(GrantId),
    /// Declined at this time.
    Declined(Timestamp),
}

/// An emergency card.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CardState {
    /// Whose.
    pub patient: Did,
    /// The encrypted summary.
    pub blob: BlobId,
    /// Who holds it.
    pub holders: Vec<Did>,
    /// How long an access lasts, in milliseconds.
    pub access_ms: u64,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it was revoked or replaced, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// An emergency declaration.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeclarationState {
    /// The card that was scanned.
    pub locator: CardLocator,
    /// Whose card.
    pub patient: Did,
    /// Who declared.
    pub practitioner: Did,
    /// Stated ground.
    pub reason: EmergencyReason,
    /// When.
    pub declared_at: Timestamp,
    /// First moment at which the access has ended.
    pub until: Timestamp,
    /// The declarer's employer then, who reviews it.
    pub organisation: Did,
    /// When the patient reported it.
    pub disputed_at: Option<Timestamp>,
    /// What the review found, and when.
    pub review: Option<(ReviewFinding, Timestamp)>,
}

impl DeclarationState {
    /// The moment by which it is to be reviewed.
    #[must_use]
    pub fn review_by(&self) -> Timestamp {
        self.declared_at.plus_millis(EMERGENCY_REVIEW_TIME_MS)
    }
}
