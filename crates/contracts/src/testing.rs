//! People, organisations and well-formed calls for tests. Nothing here is fit for real keys: they come from a seed.

use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::sealed_box::{AgreementKey, SealContext, SealedBox};
use amulet_crypto::signing::{SigningContext, SigningKey};
use amulet_protocol::calls::{
    Call, CardLocator, DeclareEmergency, GrantAccess, PublishCard, PublishStaffKey, RecordEntry,
    RegisterIdentity, RegisterPractitioner, RegisterRecords, RequestAccess, RequestId, UseAccess,
};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate};
use amulet_protocol::consensus::{Signed, signing_domain};
use amulet_protocol::consent::{
    Category, DataClass, EmergencyReason, PractitionerRole, Purpose, RecordDates,
};
use amulet_protocol::evidence::Evidence;
use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, Organisation};
use amulet_protocol::governance::{Acceptance, Candidate, MembershipChange, Seat};
use amulet_protocol::grant::Term;
use amulet_protocol::grant_keys::SealedKeys;
use amulet_protocol::grantee::{Grantee, Participation, Staff};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{
    BlobId, ChainId, Did, Epoch, HeaderHash, Height, Nonce, RecordId, ReplicaId, Timestamp,
};
use amulet_protocol::study::{StudyId, StudyTerms, Wording};
use amulet_protocol::transaction::{SignedTransaction, TRANSACTION_VERSION, Transaction};
use amulet_protocol::validators::Validator;
use std::num::NonZeroU32;

/// One day, in milliseconds.
pub const DAY_MS: u64 = 24 * 3_600_000;

/// Time of the genesis block of [`genesis`].
pub const GENESIS_TIME: Timestamp = Timestamp(1_790_000_000_000);

/// Somebody with keys, who numbers their transactions.
pub struct Actor {
    /// Signs for the DID.
    pub signing: SigningKey,
    /// Opens what is sealed to them.
    pub agreement: AgreementKey,
    /// The DID.
    pub did: Did,
    nonce: u64,
}

impl Actor {
    /// An actor whose keys follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut entropy = SeededEntropy::new(seed);
        let signing = SigningKey::generate(&mut entropy);
        let agreement = AgreementKey::generate(&mut entropy);
        let did = Did::of_key(signing.public_key());
        Self { signing, agreement, did, nonce: 0 }
    }

    /// Signs a call under the actor's next nonce.
    pub fn sign(&mut self, chain: ChainId, call: Call) -> SignedTransaction {
        self.nonce += 1;
        self.sign_numbered(chain, Nonce(self.nonce), call)
    }

    /// Signs a call under a nonce of the caller's choice.
    #[must_use]
    pub fn sign_numbered(&self, chain: ChainId, nonce: Nonce, call: Call) -> SignedTransaction {
        let version = TRANSACTION_VERSION;
        Transaction { version, chain, sender: self.did, nonce, call }.sign(&self.signing)
    }

    /// The actor's own registration.
    #[must_use]
    pub fn registration(&self) -> Call {
        Call::RegisterIdentity(RegisterIdentity {
            signing: self.signing.public_key().clone(),
            agreement: self.agreement.public_key().clone(),
        })
    }
}

/// A genesis document in which each of `hospitals`, at least four, runs one validator with its own key.
#[must_use]
pub fn genesis(hospitals: &[Actor]) -> Genesis {
    let organisation = |(index, hospital): (usize, &Actor)| Organisation {
        name_en: format!("Hospital {index}"),
        name_zh: format!("第{index}医院"),
        key: hospital.signing.public_key().clone(),
    };
    let validator = |hospital: &Actor| Validator {
        organisation: hospital.did,
        key: hospital.signing.public_key().clone(),
        peer_id: hospital.did.as_bytes().to_vec(),
    };
    Genesis {
        version: GENESIS_VERSION,
        network: "test".into(),
        time: GENESIS_TIME,
        organisations: hospitals.iter().enumerate().map(organisation).collect(),
        validators: hospitals.iter().map(validator).collect(),
    }
}

/// A candidate for a seat whose key is `key`'s signing key.
#[must_use]
pub fn candidate(key: &Actor, chain: ChainId, organisation: Did, seat: Option<Seat>) -> Candidate {
    let (public, peer_id) = (key.signing.public_key().clone(), key.did.as_bytes().to_vec());
    Acceptance { organisation, seat, key: public, peer_id }.sign(&key.signing, chain)
}

/// The addition of a new organisation, with a validator that signs by the organisation's own key.
#[must_use]
pub fn addition(newcomer: &Actor, chain: ChainId) -> MembershipChange {
    let organisation = Organisation {
        name_en: "Newcomer".into(),
        name_zh: "新医院".into(),
        key: newcomer.signing.public_key().clone(),
    };
    let candidate = candidate(newcomer, chain, newcomer.did, None);
    MembershipChange::Add { organisation, candidate }
}

/// Two commit votes of a validator for two blocks at one height, in the first view of an epoch.
#[must_use]
pub fn contradiction(
    validator: &Actor,
    chain: ChainId,
    epoch: Epoch,
    replica: ReplicaId,
    height: Height,
) -> Evidence {
    let vote = |block: &[u8]| {
        let content = CommitVote { height, view: epoch.first_view(), header_hash: HeaderHash(sm3(block)) };
        let domain = signing_domain(SigningContext::Commit, chain, epoch);
        let signature = validator.signing.sign(SigningContext::Commit, &domain, &content.signed_bytes());
        Signed { sender: replica, content, signature }
    };
    Evidence::Commits(vote(b"one block"), vote(b"another"))
}

/// The certificate that all of `hospitals`, the validators of [`genesis`], make for a header in its own view.
///
/// # Panics
/// With more hospitals than a validator set has.
#[must_use]
pub fn certificate(hospitals: &[Actor], header: &Header) -> UntrustedCommitCertificate {
    let vote = CommitVote { height: header.height, view: header.view, header_hash: header.hash() };
    let sign = |(index, hospital): (usize, &Actor)| {
        let replica = ReplicaId(u16::try_from(index).expect("a validator set is small"));
        let signed = vote.signed_bytes();
        (replica, hospital.signing.sign(SigningContext::Commit, &header.chain.tag(), &signed))
    };
    UntrustedCommitCertificate { vote, signatures: hospitals.iter().enumerate().map(sign).collect() }
}

/// The registration of a practitioner who practises from `from` on, for a year.
#[must_use]
pub fn practitioner(practitioner: Did, from: Timestamp) -> RegisterPractitioner {
    RegisterPractitioner {
        practitioner,
        name: "Li Min".into(),
        department: "Emergency".into(),
        role: PractitionerRole::Attending,
        valid_from: from,
        valid_until: from.plus_millis(365 * DAY_MS),
    }
}

/// The identity of the record that [`record`] makes from the same number.
#[must_use]
pub fn record_id(number: u64) -> RecordId {
    RecordId(sm3(&number.to_be_bytes()))
}

/// A record's entry, with its key sealed to `patient`.
#[must_use]
pub fn record(number: u64, provider: Did, patient: &Actor) -> RecordEntry {
    let id = record_id(number);
    RecordEntry {
        id,
        category: Category::Labs,
        class: DataClass::Sensitive,
        blob: BlobId(sm3(id.as_bytes())),
        commitment: sm3(b"commitment"),
        sealed_key: sealed(patient, 16),
        holders: vec![provider],
    }
}

/// The registration of records `numbers` of `patient`.
#[must_use]
pub fn records(numbers: std::ops::Range<u64>, provider: Did, patient: &Actor) -> RegisterRecords {
    RegisterRecords {
        patient: patient.did,
        records: numbers.map(|number| record(number, provider, patient)).collect(),
        flows: Vec::new(),
    }
}

/// A request for a week's access to laboratory results, to be answered within a day.
#[must_use]
pub fn request(patient: Did, now: Timestamp) -> RequestAccess {
    RequestAccess {
        patient,
        staff: None,
        categories: vec![Category::Labs],
        record_dates: RecordDates::default(),
        purpose: Purpose::Treatment,
        answer_by: now.plus_millis(DAY_MS),
        access_ms: 7 * DAY_MS,
    }
}

/// A grant of records `numbers` until `until`.
#[must_use]
pub fn grant(
    request: RequestId,
    numbers: std::ops::Range<u64>,
    grantee: &Actor,
    until: Timestamp,
) -> GrantAccess {
    GrantAccess {
        request: Some(request),
        grantee: Grantee::Person(grantee.did),
        purpose: Purpose::Treatment,
        records: sorted_ids(numbers),
        standing: Vec::new(),
        valid_from: None,
        term: term(until),
        keys: sealed_keys(grantee),
    }
}

/// Keys of nothing, sealed to somebody.
#[must_use]
pub fn sealed_keys(to: &Actor) -> SealedKeys {
    SealedKeys { sealed_key: sealed(to, 16), envelope: vec![7; 64] }
}

/// A grant of records `numbers` until `until` that nobody asked for, for a person or for staff.
#[must_use]
pub fn unasked(grantee: Grantee, numbers: std::ops::Range<u64>, until: Timestamp) -> GrantAccess {
    GrantAccess {
        request: None,
        grantee,
        purpose: Purpose::OngoingCare,
        records: sorted_ids(numbers),
        standing: Vec::new(),
        valid_from: None,
        term: term(until),
        keys: sealed_keys(&Actor::new(1)),
    }
}

/// Everybody who practises at an organisation.
#[must_use]
pub fn staff(organisation: Did) -> Staff {
    Staff { organisation, department: None, role: None }
}

/// A study of laboratory results for half a year, with two participants, that `board` is to decide on.
///
/// # Panics
/// Never.
#[must_use]
pub fn study(board: Did, now: Timestamp) -> StudyTerms {
    let wording = |zh: &str, en: &str| Wording { zh: zh.into(), en: en.into() };
    StudyTerms {
        board,
        title: wording("血糖研究", "Blood sugar"),
        aim: wording("血糖在冬天是否更高？", "Is blood sugar higher in winter?"),
        department: None,
        categories: vec![Category::Labs],
        record_dates: RecordDates::default(),
        ends: now.plus_millis(180 * DAY_MS),
        participants_max: NonZeroU32::new(2).expect("two are not none"),
    }
}

/// A grant of records `numbers` until `until` for a study of `sponsor`.
#[must_use]
pub fn participation(
    study: StudyId,
    sponsor: Did,
    numbers: std::ops::Range<u64>,
    until: Timestamp,
) -> GrantAccess {
    let staff = Staff { role: Some(PractitionerRole::Researcher), ..staff(sponsor) };
    let grantee = Grantee::Study(Participation { study, staff });
    GrantAccess { purpose: Purpose::Research, ..unasked(grantee, numbers, until) }
}

/// The publication of an organisation's key for its staff.
#[must_use]
pub fn staff_key(organisation: &Actor) -> Call {
    Call::PublishStaffKey(PublishStaffKey { agreement: organisation.agreement.public_key().clone() })
}

/// A term without a limit of uses, after which what was read is deleted in the usual time.
#[must_use]
pub fn term(valid_until: Timestamp) -> Term {
    Term { valid_until, uses_max: None, erase_by: None }
}

/// A reading of records `numbers`.
#[must_use]
pub fn reading(grant: amulet_protocol::calls::GrantId, numbers: std::ops::Range<u64>) -> UseAccess {
    UseAccess { grant, records: sorted_ids(numbers) }
}

/// A card that `holder` keeps, with a day of emergency access.
#[must_use]
pub fn card(locator: u8, holder: Did) -> PublishCard {
    PublishCard {
        locator: CardLocator([locator; 5]),
        blob: BlobId(sm3(&[locator])),
        holders: vec![holder],
        access_ms: DAY_MS,
    }
}

/// An emergency declaration that needs no note.
#[must_use]
pub fn emergency(locator: u8) -> DeclareEmergency {
    DeclareEmergency { locator: CardLocator([locator; 5]), reason: EmergencyReason::Unconscious, note: None }
}

/// `bytes` zero bytes, sealed to somebody.
///
/// # Panics
/// When a box cannot hold as many bytes.
#[must_use]
pub fn sealed(to: &Actor, bytes: usize) -> SealedBox {
    let context = SealContext::new(amulet_crypto::digest::Tag::new("amulet/v1/test"), &[]);
    SealedBox::seal(to.agreement.public_key(), &context, &vec![0; bytes], &mut SeededEntropy::new(1))
        .expect("tests seal little")
}

fn sorted_ids(numbers: std::ops::Range<u64>) -> Vec<RecordId> {
    let mut ids: Vec<_> = numbers.map(record_id).collect();
    ids.sort();
    ids
}
