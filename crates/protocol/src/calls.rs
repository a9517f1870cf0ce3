//! What a transaction can ask the contracts to do.

use crate::addresses::PublishAddresses;
use crate::consent::{
    Category, DataClass, EmergencyReason, PractitionerRole, Purpose, RecordDates, ReviewFinding,
};
use crate::erasure::{ConfirmErasure, OrderErasure, RefuseErasure, RequestErasure};
use crate::evidence::Evidence;
use crate::governance::{ApproveMembership, ProposeMembership, RotateValidatorKey, WithdrawMembership};
use crate::grant::Term;
use crate::grant_keys::SealedKeys;
use crate::grantee::{Grantee, Staff};
use crate::ids::{BlobId, Did, Epoch, RecordId, Timestamp};
use crate::replacement::ReplaceKeys;
use crate::reputation::ReportService;
use crate::rules::{ApproveRules, ProposeRules, WithdrawRules};
use crate::study::{EndStudy, RegisterStudy, ReviewStudy, VoteBoard};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_crypto::sealed_box::{AgreementPublicKey, SealedBox};
use amulet_crypto::signing::PublicKey;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::num::NonZeroU32;
use serde::{Deserialize, Serialize};

macro_rules! transaction_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $crate::ids::TxId);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}
pub(crate) use transaction_id;

transaction_id!(
    /// An access request, named by the transaction that made it.
    RequestId
);
transaction_id!(
    /// A grant, named by the transaction that made it.
    GrantId
);
transaction_id!(
    /// An emergency declaration, named by the transaction that made it.
    DeclarationId
);

/// Bytes of a card locator.
pub const LOCATOR_BYTES: usize = 5;

/// Where an emergency card's entry is found on the ledger: 40 random bits, short enough to be typed.
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
pub struct CardLocator(pub [u8; LOCATOR_BYTES]);

/// One call of a contract.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Call {
    /// identity: register the sender's DID.
    RegisterIdentity(RegisterIdentity),
    /// registry: an organisation registers a practitioner it employs.
    RegisterPractitioner(RegisterPractitioner),
    /// records: a provider registers a patient's records.
    RegisterRecords(RegisterRecords),
    /// consent: a practitioner asks a patient for access.
    RequestAccess(RequestAccess),
    /// consent: a patient grants what a request asked for, or less.
    GrantAccess(GrantAccess),
    /// consent: a patient turns a request down.
    DeclineAccess(DeclineAccess),
    /// consent: a patient takes a grant back.
    RevokeAccess(RevokeAccess),
    /// consent: the grantee states that they now read these records.
    UseAccess(UseAccess),
    /// emergency: a patient publishes an emergency card, which replaces the one in force.
    PublishCard(PublishCard),
    /// emergency: a patient revokes the card in force.
    RevokeCard(RevokeCard),
    /// emergency: a practitioner breaks the glass.
    DeclareEmergency(DeclareEmergency),
    /// governance: an organisation proposes a change of the validator set.
    ProposeMembership(Box<ProposeMembership>),
    /// governance: an organisation approves a proposal.
    ApproveMembership(ApproveMembership),
    /// governance: an organisation withdraws its proposal, or its approval of another's.
    WithdrawMembership(WithdrawMembership),
    /// governance: an organisation replaces the key of its own validator.
    RotateValidatorKey(Box<RotateValidatorKey>),
    /// governance: an organisation records that a validator contradicted itself.
    ReportEvidence(Box<ReportEvidence>),
    /// reputation: a client says how the other hospitals' nodes served.
    ReportService(ReportService),
    /// registry: an organisation says where its nodes can be asked.
    PublishAddresses(PublishAddresses),
    /// consent: a patient makes a grant smaller.
    NarrowAccess(NarrowAccess),
    /// consent: a patient makes a grant last longer.
    ExtendAccess(ExtendAccess),
    /// consent: a patient holds a grant for a while.
    PauseAccess(PauseAccess),
    /// consent: a patient lets a paused grant go on.
    ResumeAccess(ResumeAccess),
    /// consent: a reader states that what was read under an ended grant is deleted.
    ConfirmDeletion(ConfirmDeletion),
    /// registry: an organisation says to which key grants for its staff are sealed.
    PublishStaffKey(PublishStaffKey),
    /// governance: an organisation proposes a rule book.
    ProposeRules(ProposeRules),
    /// governance: an organisation approves a rule book.
    ApproveRules(ApproveRules),
    /// governance: an organisation withdraws its rule book, or its approval of another's.
    WithdrawRules(WithdrawRules),
    /// emergency: a patient reports a declaration that was not right.
    DisputeEmergency(DisputeEmergency),
    /// emergency: the declarer's employer says what its review of a declaration found.
    ReviewEmergency(ReviewEmergency),
    /// research: an organisation votes on an ethics board.
    VoteBoard(VoteBoard),
    /// research: an organisation registers a study.
    RegisterStudy(RegisterStudy),
    /// research: a study's ethics board approves or rejects it.
    ReviewStudy(ReviewStudy),
    /// research: a study's sponsor or board ends it.
    EndStudy(EndStudy),
    /// records: a patient asks to have records erased.
    RequestErasure(RequestErasure),
    /// records: a hospital has records erased that it registered.
    OrderErasure(OrderErasure),
    /// records: a hospital keeps records that their patient asked to have erased.
    RefuseErasure(RefuseErasure),
    /// records: a holder confirms that it has erased records.
    ConfirmErasure(ConfirmErasure),
    /// identity: the sender's keys are replaced by others.
    ReplaceKeys(Box<ReplaceKeys>),
}

/// Register the sender's identity. The sender's DID must be that of `signing`.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegisterIdentity {
    /// Key that signs for the DID.
    pub signing: PublicKey,
    /// Key that data keys are sealed to.
    pub agreement: AgreementPublicKey,
}

/// Register a practitioner; sent by the organisation that employs them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegisterPractitioner {
    /// The practitioner's DID, registered before.
    pub practitioner: Did,
    /// Name, as its owner writes it.
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

/// Register records of one patient; sent by the hospital that answers for them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegisterRecords {
    /// Whose records.
    pub patient: Did,
    /// The records; at least one.
    pub records: Vec<RecordEntry>,
    /// Their keys for everybody to whom the patient has opened records to come: exactly the grants that are due, ascending.
    pub flows: Vec<KeyFlow>,
}

/// The keys of new records for the reader of a standing grant.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeyFlow {
    /// The grant.
    pub grant: GrantId,
    /// Keys of those records of the transaction that the grant opens.
    pub keys: SealedKeys,
}

/// Say to which key grants for the sender's staff are sealed, from now on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PublishStaffKey {
    /// The key; the organisation's nodes open what is sealed to it and pass on to each reader what they read.
    pub agreement: AgreementPublicKey,
}

/// What the ledger holds of one record: nothing that says what is in it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecordEntry {
    /// Identity, random.
    pub id: RecordId,
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// SM3 of the ciphertext, its address in the vaults.
    pub blob: BlobId,
    /// Salted commitment to the content; the salt is inside the ciphertext.
    pub commitment: Digest,
    /// The record's SM4 key, sealed to the patient's agreement key.
    pub sealed_key: SealedBox,
    /// Organisations that hold the ciphertext, the provider first.
    pub holders: Vec<Did>,
}

/// Ask a patient for access.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RequestAccess {
    /// Whom to ask.
    pub patient: Did,
    /// The staff who would read, of whom the sender is one; `None` for the sender alone.
    pub staff: Option<Staff>,
    /// Categories asked for; at least one, ascending, no repeats.
    pub categories: Vec<Category>,
    /// Record dates asked for. Ledger entries hold no record date: the wallet applies it when it lists the records.
    pub record_dates: RecordDates,
    /// What for.
    pub purpose: Purpose,
    /// First clock: the last moment at which the patient can answer.
    pub answer_by: Timestamp,
    /// Second clock: how long access would last from the grant on, in milliseconds.
    pub access_ms: u64,
}

/// Grant access to exactly these records.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GrantAccess {
    /// The request that is answered; `None` if the patient gives access unasked.
    pub request: Option<RequestId>,
    /// Who may read: as asked for, or only the person who asked.
    pub grantee: Grantee,
    /// What for; as asked for.
    pub purpose: Purpose,
    /// Records opened, ascending, no repeats; at least one, unless records to come are.
    pub records: Vec<RecordId>,
    /// Categories of which records registered while the grant lasts are opened too, ascending, no repeats.
    pub standing: Vec<Category>,
    /// First moment at which the grant opens anything, at most
    /// [`ANSWER_TIME_MAX_MS`](crate::limits::ANSWER_TIME_MAX_MS) ahead; `None`, or one that has passed, for at once.
    pub valid_from: Option<Timestamp>,
    /// How far it opens: from then on at most for the time asked for.
    pub term: Term,
    /// The records' keys, sealed to the grantee.
    pub keys: SealedKeys,
}

/// Turn a request down.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeclineAccess {
    /// The request.
    pub request: RequestId,
}

/// How often a grant may be used, from 1 on.
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
#[serde(transparent)]
pub struct UseLimit(pub NonZeroU32);

/// Make a grant smaller: what stands here is what the grant opens from now on. Something is less than before, nothing is more.
/// The keys of records that are left out stay with the reader; the vaults no longer give their ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NarrowAccess {
    /// The grant.
    pub grant: GrantId,
    /// Records that stay open, ascending, no repeats; at least one, unless records to come stay open.
    pub records: Vec<RecordId>,
    /// Categories of which records to come stay open, ascending, no repeats.
    pub standing: Vec<Category>,
    /// How far it opens, uses so far included.
    pub term: Term,
}

/// Make a grant last longer, for the same records. A grant that has ended stays ended.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ExtendAccess {
    /// The grant.
    pub grant: GrantId,
    /// How far it opens, uses so far included: nothing is less than before, and at most
    /// [`ACCESS_TIME_MAX_MS`](crate::limits::ACCESS_TIME_MAX_MS) from now.
    pub term: Term,
}

/// Hold a grant: it opens nothing until it is resumed. Its time goes on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PauseAccess {
    /// The grant.
    pub grant: GrantId,
}

/// Let a paused grant go on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ResumeAccess {
    /// The grant.
    pub grant: GrantId,
}

/// A reader's signed statement that everything read under an ended grant is deleted: the deletion receipt.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ConfirmDeletion {
    /// The grant.
    pub grant: GrantId,
}

/// Take a grant back.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RevokeAccess {
    /// The grant.
    pub grant: GrantId,
}

/// State a reading before the data leaves the vault.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UseAccess {
    /// The grant.
    pub grant: GrantId,
    /// Records read, ascending, no repeats, all of them opened by the grant; at least one.
    pub records: Vec<RecordId>,
}

/// Publish an emergency card.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PublishCard {
    /// Where the card is found; must be unused.
    pub locator: CardLocator,
    /// The encrypted summary.
    pub blob: BlobId,
    /// Organisations that hold it.
    pub holders: Vec<Did>,
    /// How long an emergency access lasts, in milliseconds, within
    /// [`EMERGENCY_TIME_MS`](crate::limits::EMERGENCY_TIME_MS).
    pub access_ms: u64,
}

/// Revoke the card in force.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RevokeCard {
    /// The card.
    pub locator: CardLocator,
}

/// Break the glass.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeclareEmergency {
    /// The card that was scanned.
    pub locator: CardLocator,
    /// Stated ground.
    pub reason: EmergencyReason,
    /// The clinician's own words, sealed to the patient; needed for [`EmergencyReason::Other`].
    pub note: Option<SealedBox>,
}

/// Report a declaration as not right; its patient can, once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DisputeEmergency {
    /// The declaration.
    pub declaration: DeclarationId,
}

/// Say what a review of a declaration found; the organisation that employed the declarer can, once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReviewEmergency {
    /// The declaration.
    pub declaration: DeclarationId,
    /// What was found.
    pub finding: ReviewFinding,
}

/// Record proof that a validator contradicted itself; sent by any organisation.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReportEvidence {
    /// The epoch in which it did.
    pub epoch: Epoch,
    /// The proof.
    pub evidence: Evidence,
}
