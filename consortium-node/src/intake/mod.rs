//! Intake: a patient's FHIR file becomes encrypted records in two hospitals' vaults and an entry on the ledger.
//!
//! Order of things: judge the file; leave out what was taken in before; put what a quality rule flagged into the review queue; seal each record under its own key, and that key
//! to the patient; put the ciphertexts into this vault and another hospital's; note what is taken in; register. A crash
//! in between leaves ciphertexts that nobody names, which are swept, and notes that count for nothing.

mod error;
mod file;
mod flows;
mod register;
pub mod review;
mod seal;
mod store;

pub use error::IntakeError;
pub use file::{FILE_BYTES_MAX, FileBrought, FileReport};

use crate::ledger::Ledger;
use crate::network::Network;
use crate::org_sender::OrgSender;
use crate::vault::{Copies, Vault, VaultIndex, content_digest};
use amulet_crypto::digest::sm3;
use amulet_fhir::limits::MAX_FINDINGS_NAMED;
use amulet_fhir::quality::{BloodGroup, Given, Language, Severity};
use amulet_fhir::{DataClass, Record, Refusal};
use amulet_protocol::ids::{Did, RecordId, ReplicaId, Timestamp};
use amulet_protocol::state::{Identity, RecordState, StateKey};
use review::{Decision, DecisionRequest, FindingView, ReviewError, ReviewItem, ReviewStore, Verdict};
use seal::Sealed;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Files taken in at once: each is held in memory whole, plain and encrypted.
const INTAKES_AT_ONCE: usize = 2;

/// What became of a file. `resources_in == records_out + refused.len()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IntakeReport {
    /// Entries in the bundle.
    pub resources_in: usize,
    /// Records registered on the ledger.
    pub records_out: usize,
    /// Entries refused, and those that wait for a person (`held_for_review`).
    pub refused: Vec<RefusedResource>,
    /// What the quality rules found in the file, the worst first; at most
    /// [`MAX_FINDINGS_NAMED`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingView>,
    /// Records of each class that were registered.
    pub classes: BTreeMap<String, usize>,
}

/// One entry that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RefusedResource {
    /// `Type/id`, or `entry[n]` where there is no identity.
    pub resource: String,
    /// Stable code of the reason, for translation.
    #[schema(example = "already_registered")]
    pub code: String,
    /// The reason in plain English.
    pub reason: String,
    /// Its number in the review queue, if a person decides or decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<u64>,
}

impl From<Refusal> for RefusedResource {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.reason.code().to_owned();
        Self { resource: refusal.resource, code, reason: refusal.reason.to_string(), review: None }
    }
}

impl RefusedResource {
    fn already_registered(resource: String) -> Self {
        let reason = "it was registered before, with the same content".to_owned();
        Self { resource, code: "already_registered".to_owned(), reason, review: None }
    }

    fn held(record: &Record, id: u64) -> Self {
        let flags = record.findings.iter().filter(|finding| finding.severity() == Severity::Flag);
        let flags: Vec<String> = flags.map(|finding| finding.sentence(Language::En)).collect();
        let why =
            if flags.is_empty() { "there is a doubt about the patient".to_owned() } else { flags.join("; ") };
        let reason = format!("it waits for a person's review: {why}");
        Self { resource: record.label(), code: "held_for_review".to_owned(), reason, review: Some(id) }
    }

    fn rejected(resource: String, id: u64, decision: &Decision) -> Self {
        let reason = format!("{} rejected it in review: {}", decision.who, decision.reason);
        Self { resource, code: "rejected_in_review".to_owned(), reason, review: Some(id) }
    }
}

/// What intake works with.
#[derive(Clone)]
pub struct IntakeParts {
    /// The ledger.
    pub ledger: Ledger,
    /// This hospital's vault.
    pub vault: Vault,
    /// Its index.
    pub index: VaultIndex,
    /// Records that wait for a person.
    pub reviews: ReviewStore,
    /// To the other hospitals.
    pub network: Network,
    /// Copies of large files there.
    pub copies: Copies,
    /// Sends as this hospital.
    pub sender: OrgSender,
    /// This node's place among the validators.
    pub own: ReplicaId,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Takes files in for one hospital; cheap to clone.
#[derive(Clone)]
pub struct IntakeService {
    parts: IntakeParts,
    slots: Arc<Semaphore>,
    files: Arc<Semaphore>,
    patients: Arc<Mutex<BTreeSet<Did>>>,
    registered: Arc<AtomicU64>,
}

/// Keeps a second file of the same patient out until this is dropped: the two could register the same record twice.
struct Alone {
    patients: Arc<Mutex<BTreeSet<Did>>>,
    patient: Did,
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.patients.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.patient);
    }
}

/// A file, and what is said about it by who brings it.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// The file.
    pub file: Vec<u8>,
    /// FHIR id of the Patient whose records are wanted, for a file with several patients or none.
    pub subject: Option<String>,
    /// Classes set by hand, by `Type/id`.
    pub classes: BTreeMap<String, DataClass>,
}

/// A file that was judged and sealed, with what of it is left out.
struct Prepared {
    resources_in: usize,
    refused: Vec<RefusedResource>,
    findings: Vec<FindingView>,
    classes: BTreeMap<String, usize>,
    blood_group: Option<BloodGroup>,
    sealed: Vec<Sealed>,
}

impl IntakeService {
    /// A service over these parts.
    #[must_use]
    pub fn new(parts: IntakeParts) -> Self {
        let slots = Arc::new(Semaphore::new(INTAKES_AT_ONCE));
        let files = Arc::new(Semaphore::new(file::FILES_AT_ONCE));
        Self { parts, slots, files, patients: Arc::default(), registered: Arc::default() }
    }

    /// Records registered since the start.
    #[must_use]
    pub fn records_registered(&self) -> u64 {
        self.registered.load(Ordering::Relaxed)
    }

    /// Takes a FHIR file in for a patient. On return its records are on the ledger and in the vaults that may hold them, and
    /// those that a person has to look at are in the review queue.
    ///
    /// # Errors
    /// [`IntakeError`] by variant. Nothing is registered then, unless it is [`IntakeError::Unfinished`].
    pub async fn take_in(&self, patient: Did, brought: Brought) -> Result<IntakeReport, IntakeError> {
        let _slot = self.slots.try_acquire().map_err(|_| IntakeError::Busy)?;
        let _alone = self.alone(patient)?;
        let parts = self.parts.clone();
        let prepared = tokio::task::spawn_blocking(move || prepare(&parts, patient, brought)).await;
        let Prepared { resources_in, mut refused, findings, classes, blood_group, sealed } =
            prepared.map_err(|_| IntakeError::Internal)??;
        let (records_out, again) = self.put_on_ledger(patient, sealed, blood_group).await?;
        refused.extend(again.into_iter().map(RefusedResource::already_registered));
        assert_eq!(resources_in, records_out + refused.len(), "every entry is either registered or refused");
        Ok(IntakeReport { resources_in, records_out, refused, findings, classes })
    }

    /// Stores and registers; gives the number registered, and the labels of those that were registered meanwhile.
    async fn put_on_ledger(
        &self,
        patient: Did,
        sealed: Vec<Sealed>,
        blood_group: Option<BloodGroup>,
    ) -> Result<(usize, Vec<String>), IntakeError> {
        if sealed.is_empty() {
            return Ok((0, Vec::new()));
        }
        let named: Vec<_> = sealed.iter().map(|record| (record.label.clone(), record.entry.id)).collect();
        let stored = store::store(&self.parts, sealed).await?;
        let (records, again) = register::register(&self.parts, patient, stored).await?;
        self.registered.fetch_add(records as u64, Ordering::Relaxed);
        let reviews = self.parts.reviews.clone();
        let named: Vec<_> = named.into_iter().filter(|(label, _)| !again.contains(label)).collect();
        blocking(move || Ok(reviews.note_registered(patient, &named, blood_group)?)).await?;
        Ok((records, again))
    }

    /// Items of the review queue after this number: those that wait, or all.
    ///
    /// # Errors
    /// [`IntakeError::Review`].
    pub async fn reviews(&self, after: u64, with_decided: bool) -> Result<Vec<ReviewItem>, IntakeError> {
        let reviews = self.parts.reviews.clone();
        let found =
            blocking(move || Ok(reviews.list(after, with_decided, review::ITEMS_PER_LIST_MAX)?)).await?;
        Ok(found.into_iter().map(|(id, held)| held.view(id, None)).collect())
    }

    /// One item with its content.
    ///
    /// # Errors
    /// [`IntakeError::Review`].
    pub async fn review(&self, id: u64) -> Result<ReviewItem, IntakeError> {
        let reviews = self.parts.reviews.clone();
        let (held, content) = blocking(move || Ok(reviews.item(id)?)).await?;
        Ok(held.view(id, content))
    }

    /// Decides about an item. An approved record is on the ledger on return.
    ///
    /// # Errors
    /// [`IntakeError`] by variant; the item waits then as before.
    pub async fn decide(&self, id: u64, request: DecisionRequest) -> Result<ReviewItem, IntakeError> {
        let class = request.check()?;
        let _slot = self.slots.try_acquire().map_err(|_| IntakeError::Busy)?;
        let patient = self.waiting(id).await?.0.patient()?;
        let _alone = self.alone(patient)?;
        // Read again, for another could have decided meanwhile.
        let (mut held, content) = self.waiting(id).await?;
        if let Some(class) = class {
            (held.record.class, held.record.class_rule) = (class, amulet_fhir::ClassRule::ByHand);
        }
        let record = match request.verdict {
            Verdict::Reject => None,
            Verdict::Approve => {
                let record = Record { content, ..held.record.clone() };
                Some(self.register_approved(patient, record).await?)
            }
        };
        let decision = request.decided((self.parts.now)().0, record);
        let (reviews, decided) = (self.parts.reviews.clone(), held.clone());
        let kept = decision.clone();
        blocking(move || Ok(reviews.decide(id, decided, kept)?)).await?;
        held.decision = Some(decision);
        Ok(held.view(id, None))
    }

    async fn waiting(&self, id: u64) -> Result<(review::Held, Vec<u8>), IntakeError> {
        let reviews = self.parts.reviews.clone();
        let (held, content) = blocking(move || Ok(reviews.item(id)?)).await?;
        match (content, &held.decision) {
            (Some(content), None) => Ok((held, content)),
            (_, Some(decision)) => Err(ReviewError::Decided { id, who: decision.who.clone() }.into()),
            (None, None) => Err(ReviewError::Damaged { table: "contents" }.into()),
        }
    }

    /// Registers an approved record, unless a decision that was cut off has done so already.
    async fn register_approved(&self, patient: Did, record: Record) -> Result<RecordId, IntakeError> {
        let (parts, label) = (self.parts.clone(), record.label());
        let sealed = blocking(move || {
            let digest = content_digest(patient, &record.label(), &record.content);
            if let Some(id) = registered_as(&parts, parts.index.taken_as(digest)?)? {
                return Ok(Err(id));
            }
            let identity: Option<Identity> = parts.ledger.read(&StateKey::Identity(patient))?;
            let identity = identity.ok_or(IntakeError::UnknownPatient { patient })?;
            let replaces = parts.reviews.newest(patient, &label)?;
            Ok(Ok(seal::seal(record, digest, patient, &identity.agreement, replaces)?))
        });
        match sealed.await? {
            Err(id) => Ok(id),
            Ok(sealed) => {
                let id = sealed.entry.id;
                self.put_on_ledger(patient, vec![sealed], None).await?;
                Ok(id)
            }
        }
    }

    fn alone(&self, patient: Did) -> Result<Alone, IntakeError> {
        let free = self.patients.lock().unwrap_or_else(PoisonError::into_inner).insert(patient);
        if !free {
            return Err(IntakeError::Busy);
        }
        Ok(Alone { patients: self.patients.clone(), patient })
    }
}

/// Judges the file, leaves out what is registered already, puts what is in doubt into the queue, and seals the rest.
fn prepare(parts: &IntakeParts, patient: Did, brought: Brought) -> Result<Prepared, IntakeError> {
    let identity: Option<Identity> = parts.ledger.read(&StateKey::Identity(patient))?;
    let identity = identity.ok_or(IntakeError::UnknownPatient { patient })?;
    let now = (parts.now)();
    let Brought { file, subject, classes } = brought;
    let given = Given {
        today: Some(seconds(now)),
        blood_group: parts.reviews.blood_group(patient)?,
        subject,
        classes,
    };
    let intake = amulet_fhir::intake(&file, &given)?;
    let holds_all = intake.is_patient_in_doubt();
    let findings = worst_first(&intake.records);
    let mut refused: Vec<RefusedResource> = intake.refused.into_iter().map(Into::into).collect();
    let (mut held, mut sealed, mut classes) = (Vec::new(), Vec::new(), BTreeMap::new());
    for record in intake.records {
        let digest = content_digest(patient, &record.label(), &record.content);
        if registered_as(parts, parts.index.taken_as(digest)?)?.is_some() {
            refused.push(RefusedResource::already_registered(record.label()));
        } else if holds_all || record.is_flagged() {
            match parts.reviews.of_content(digest)? {
                Some((id, review::Held { decision: Some(decision), .. })) => {
                    refused.push(RefusedResource::rejected(record.label(), id, &decision));
                }
                _ => held.push((digest, record)),
            }
        } else {
            *classes.entry(record.class.code().to_owned()).or_insert(0) += 1;
            let replaces = parts.reviews.newest(patient, &record.label())?;
            sealed.push(seal::seal(record, digest, patient, &identity.agreement, replaces)?);
        }
    }
    if !held.is_empty() {
        let waiting: Vec<Record> = held.iter().map(|(_, record)| record.clone()).collect();
        let numbers = parts.reviews.hold(patient, sm3(&file), now.0, held)?;
        refused.extend(waiting.iter().zip(numbers).map(|(record, id)| RefusedResource::held(record, id)));
    }
    let blood_group = intake.blood_group.filter(|_| !holds_all);
    Ok(Prepared { resources_in: intake.resources_in, refused, findings, classes, blood_group, sealed })
}

fn worst_first(records: &[Record]) -> Vec<FindingView> {
    let mut findings: Vec<_> = records.iter().flat_map(|record| &record.findings).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    findings.into_iter().take(MAX_FINDINGS_NAMED).map(Into::into).collect()
}

fn seconds(time: Timestamp) -> i64 {
    i64::try_from(time.0 / 1000).unwrap_or(i64::MAX)
}

/// The one of these records that is on the ledger.
fn registered_as(parts: &IntakeParts, records: Vec<RecordId>) -> Result<Option<RecordId>, IntakeError> {
    for id in records {
        if parts.ledger.read::<RecordState>(&StateKey::Record(id))?.is_some() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IntakeError> + Send + 'static,
) -> Result<T, IntakeError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| IntakeError::Internal)?
}

#[cfg(test)]
mod tests;
