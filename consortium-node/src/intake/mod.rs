//! Intake: a patient's FHIR file becomes encrypted records in two hospitals' vaults and an entry on the ledger.
//!
//! Order of things: judge the file; leave out what was taken in before; seal each record under its own key, and that key
//! to the patient; put the ciphertexts into this vault and another hospital's; note what is taken in; register. A crash
//! in between leaves ciphertexts that nobody names, which are swept, and notes that count for nothing.

mod error;
mod register;
mod seal;
mod store;

pub use error::IntakeError;

use crate::ledger::Ledger;
use crate::network::Network;
use crate::org_sender::OrgSender;
use crate::vault::{Vault, VaultIndex, content_digest};
use amulet_fhir::Refusal;
use amulet_fhir::quality::Given;
use amulet_protocol::ids::{Did, RecordId, ReplicaId, Timestamp};
use amulet_protocol::state::{Identity, RecordState, StateKey};
use seal::Sealed;
use serde::Serialize;
use std::collections::BTreeSet;
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
    /// Entries refused.
    pub refused: Vec<RefusedResource>,
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
}

impl From<Refusal> for RefusedResource {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.reason.code().to_owned();
        Self { resource: refusal.resource, code, reason: refusal.reason.to_string() }
    }
}

impl RefusedResource {
    fn already_registered(resource: String) -> Self {
        let reason = "it was registered before, with the same content".to_owned();
        Self { resource, code: "already_registered".to_owned(), reason }
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
    /// To the other hospitals.
    pub network: Network,
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

/// A file that was judged and sealed, with what of it is left out.
struct Prepared {
    resources_in: usize,
    refused: Vec<RefusedResource>,
    sealed: Vec<Sealed>,
}

impl IntakeService {
    /// A service over these parts.
    #[must_use]
    pub fn new(parts: IntakeParts) -> Self {
        let slots = Arc::new(Semaphore::new(INTAKES_AT_ONCE));
        Self { parts, slots, patients: Arc::default(), registered: Arc::default() }
    }

    /// Records registered since the start.
    #[must_use]
    pub fn records_registered(&self) -> u64 {
        self.registered.load(Ordering::Relaxed)
    }

    /// Takes a FHIR bundle in for a patient. On return its records are on the ledger and in two vaults.
    ///
    /// # Errors
    /// [`IntakeError`] by variant. Nothing is registered then, unless it is [`IntakeError::Unfinished`].
    pub async fn take_in(&self, patient: Did, file: Vec<u8>) -> Result<IntakeReport, IntakeError> {
        let _slot = self.slots.try_acquire().map_err(|_| IntakeError::Busy)?;
        let _alone = self.alone(patient)?;
        let parts = self.parts.clone();
        let prepared = tokio::task::spawn_blocking(move || prepare(&parts, patient, &file)).await;
        let Prepared { resources_in, mut refused, sealed } =
            prepared.map_err(|_| IntakeError::Internal)??;
        let (mut records_out, mut again) = (0, Vec::new());
        if !sealed.is_empty() {
            let stored = store::store(&self.parts, sealed).await?;
            (records_out, again) = register::register(&self.parts, patient, stored).await?;
        }
        self.registered.fetch_add(records_out as u64, Ordering::Relaxed);
        refused.extend(again.into_iter().map(RefusedResource::already_registered));
        assert_eq!(resources_in, records_out + refused.len(), "every entry is either registered or refused");
        Ok(IntakeReport { resources_in, records_out, refused })
    }

    fn alone(&self, patient: Did) -> Result<Alone, IntakeError> {
        let free = self.patients.lock().unwrap_or_else(PoisonError::into_inner).insert(patient);
        if !free {
            return Err(IntakeError::Busy);
        }
        Ok(Alone { patients: self.patients.clone(), patient })
    }
}

/// Judges the file, leaves out what is registered already, and seals the rest.
fn prepare(parts: &IntakeParts, patient: Did, file: &[u8]) -> Result<Prepared, IntakeError> {
    let identity: Option<Identity> = parts.ledger.read(&StateKey::Identity(patient))?;
    let identity = identity.ok_or(IntakeError::UnknownPatient { patient })?;
    let given = Given { today: Some(seconds((parts.now)())), ..Given::default() };
    let intake = amulet_fhir::intake(file, &given)?;
    let mut refused: Vec<RefusedResource> = intake.refused.into_iter().map(Into::into).collect();
    let mut sealed = Vec::new();
    for record in intake.records {
        let digest = content_digest(patient, &record.label(), &record.content);
        if is_registered(parts, parts.index.taken_as(digest)?)? {
            refused.push(RefusedResource::already_registered(record.label()));
        } else {
            sealed.push(seal::seal(record, digest, patient, &identity.agreement)?);
        }
    }
    Ok(Prepared { resources_in: intake.resources_in, refused, sealed })
}

fn seconds(time: Timestamp) -> i64 {
    i64::try_from(time.0 / 1000).unwrap_or(i64::MAX)
}

/// Whether one of these records is on the ledger.
fn is_registered(parts: &IntakeParts, records: Vec<RecordId>) -> Result<bool, IntakeError> {
    for id in records {
        if parts.ledger.read::<RecordState>(&StateKey::Record(id))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
