//! Intake of one large file, such as an imaging study: sealed, stored and copied to another hospital while it comes, with constant
//! memory, and registered like any other record.

use super::store::{Stored, StoredRecords};
use super::{Alone, IntakeError, IntakeService, blocking, register, registered_as, seal};
use crate::vault::{Incoming, content_digest};
use amulet_crypto::content::ContentKey;
use amulet_crypto::digest::{Digest, IncrementalDigest, Sm3Hasher};
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_crypto::sealed_box::SealedBox;
use amulet_fhir::{Category, DataClass};
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::ids::{BlobId, Did, RecordId, ReplicaId};
use amulet_protocol::large::{
    LARGE_HEAD_BYTES_MAX, LARGE_RECORD_VERSION, LargeError, LargeHead, LargeSealer,
};
use amulet_protocol::record::record_key_context;
use amulet_protocol::state::{Identity, StateKey};
use axum::body::Bytes;
use futures::{Stream, StreamExt};
use serde::Serialize;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Bytes of the largest file: its ciphertext is what a vault takes as one stream.
pub const FILE_BYTES_MAX: u64 = crate::vault::STREAM_BYTES_MAX - (1 << 24);
/// Files taken in at once. Each can take long, so they do not share the places of FHIR files.
pub(super) const FILES_AT_ONCE: usize = 2;
/// How long the next bytes of a file are waited for.
const PIECE_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a file that has come waits for another one of the same patient to be registered.
const TURN_TIME_MAX: Duration = Duration::from_secs(300);
/// Between two looks whether it has been.
const TURN_LOOK_EVERY: Duration = Duration::from_millis(200);
/// Bytes of a title, a media type or a date.
const WORDS_BYTES_MAX: usize = 400;
/// FHIR resource type that stands for a file of any kind.
const RESOURCE_TYPE: &str = "Binary";
const _: () = assert!(5 * WORDS_BYTES_MAX + 1_024 < LARGE_HEAD_BYTES_MAX);

/// What is said about a file by who brings it.
#[derive(Debug, Clone)]
pub struct FileBrought {
    /// Its id at the hospital: the same id again is the next version.
    pub id: String,
    /// Text for a list.
    pub title: String,
    /// Media type.
    pub content_type: String,
    /// Clinically relevant date, as FHIR writes it.
    pub date: Option<String>,
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FileReport {
    /// The record, hex.
    pub record: String,
    /// Whether it was registered before, with the same content.
    pub already_registered: bool,
    /// Bytes of the ciphertext; 0 if it was registered before.
    pub ciphertext_bytes: u64,
    /// Hospitals that hold it.
    pub holders: Vec<String>,
}

/// A file that was sealed into the vault.
struct SealedFile {
    entry: RecordEntry,
    key: ContentKey,
    label: String,
    content: Digest,
    bytes: u64,
}

impl IntakeService {
    /// Takes a file in for a patient as its bytes come. On return it is on the ledger and, unless it is of class core, in two vaults.
    ///
    /// # Errors
    /// [`IntakeError`] by variant. Nothing is registered then, unless it is [`IntakeError::Unfinished`].
    pub async fn take_file<E>(
        &self,
        patient: Did,
        brought: FileBrought,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<FileReport, IntakeError> {
        let _slot = self.files.try_acquire().map_err(|_| IntakeError::Busy)?;
        let longest = [&brought.id, &brought.title, &brought.content_type].into_iter().chain(&brought.date);
        if let Some(found) = longest.map(String::len).find(|found| *found > WORDS_BYTES_MAX) {
            return Err(IntakeError::Words { found, limit: WORDS_BYTES_MAX });
        }
        if brought.bytes > FILE_BYTES_MAX {
            return Err(IntakeError::FileTooLarge { found: brought.bytes });
        }
        let sealed = self.seal_file(patient, &brought, body).await?;
        let _alone = match self.turn(patient).await {
            Ok(alone) => alone,
            Err(error) => {
                self.forget(&[sealed.entry.blob]).await;
                return Err(error);
            }
        };
        let (parts, content) = (self.parts.clone(), sealed.content);
        let before = blocking(move || registered_as(&parts, parts.index.taken_as(content)?)).await?;
        if let Some(record) = before {
            self.forget(&[sealed.entry.blob]).await;
            return Ok(FileReport {
                record: record.to_string(),
                already_registered: true,
                ciphertext_bytes: 0,
                holders: Vec::new(),
            });
        }
        self.register_file(patient, brought.class, sealed).await
    }

    async fn register_file(
        &self,
        patient: Did,
        class: DataClass,
        sealed: SealedFile,
    ) -> Result<FileReport, IntakeError> {
        let SealedFile { mut entry, key, label, content, bytes } = sealed;
        let own = self.parts.sender.organisation();
        let mut mirror = None;
        entry.holders = vec![own];
        if class != DataClass::Core {
            let Some((replica, holder)) = self.mirror_file(entry.blob, bytes).await else {
                self.forget(&[entry.blob]).await;
                return Err(IntakeError::NoMirror);
            };
            mirror = Some(replica);
            entry.holders.push(holder);
        }
        let (record, named) = (entry.id, vec![(label.clone(), entry.id)]);
        let holders = entry.holders.iter().map(ToString::to_string).collect();
        let records = vec![Stored { entry, key, label, content }];
        register::register(&self.parts, patient, StoredRecords { mirror, records }).await?;
        self.registered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let reviews = self.parts.reviews.clone();
        blocking(move || Ok(reviews.note_registered(patient, &named, None)?)).await?;
        let record = record.to_string();
        Ok(FileReport { record, already_registered: false, ciphertext_bytes: bytes, holders })
    }

    /// The first other hospital, counted from this one on, that keeps a copy.
    async fn mirror_file(&self, blob: BlobId, bytes: u64) -> Option<(ReplicaId, Did)> {
        let own = self.parts.sender.organisation();
        let validators = self.parts.ledger.validators();
        let members = validators.members();
        for step in 1..members.len() {
            let number = (usize::from(self.parts.own.0) + step) % members.len();
            let replica = ReplicaId(u16::try_from(number).expect("a validator set has at most 100 members"));
            let holder = members[number].organisation;
            if holder != own && self.parts.copies.push(replica, blob, bytes).await {
                return Some((replica, holder));
            }
        }
        None
    }

    async fn seal_file<E>(
        &self,
        patient: Did,
        brought: &FileBrought,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<SealedFile, IntakeError> {
        let (parts, label) = (self.parts.clone(), format!("{RESOURCE_TYPE}/{}", brought.id));
        let named = label.clone();
        let (identity, replaces) = blocking(move || {
            let identity: Option<Identity> = parts.ledger.read(&StateKey::Identity(patient))?;
            let identity = identity.ok_or(IntakeError::UnknownPatient { patient })?;
            Ok((identity, parts.reviews.newest(patient, &named)?))
        })
        .await?;
        let entropy = &mut SystemEntropy;
        let (mut id, mut salt) = ([0; 32], [0; 16]);
        entropy.fill(&mut id);
        entropy.fill(&mut salt);
        let (id, key) = (RecordId(Digest::from_bytes(id)), ContentKey::generate(entropy));
        let head = head(brought, salt, replaces);
        let sealed = Drained::default();
        let mut sealer = LargeSealer::new(sealed.clone(), &key, id, patient, &head, entropy)?;
        let (mut incoming, mut plain) = (self.parts.vault.begin().await?, Sm3Hasher::new());
        loop {
            let taken = match timeout(PIECE_TIME_MAX, body.next()).await {
                Ok(Some(Ok(piece))) => take(&mut sealer, &sealed, &mut incoming, &mut plain, &piece).await,
                Ok(None) => break,
                Ok(Some(Err(_))) | Err(_) => Err(IntakeError::CutOff),
            };
            if let Err(error) = taken {
                incoming.abort().await;
                return Err(error);
            }
        }
        let commitment = match sealer.finish() {
            Ok((_, commitment)) => commitment,
            Err(error) => {
                incoming.abort().await;
                return Err(error.into());
            }
        };
        incoming.write(&sealed.drain()).await?;
        let bytes = incoming.bytes();
        let blob = incoming.finish().await?;
        let sealed_key =
            SealedBox::seal(&identity.agreement, &record_key_context(id), &*key.expose_secret(), entropy)?;
        let content =
            content_digest(patient, &label, &Digest::from_bytes(plain.finalize().into()).to_bytes());
        let (category, class) = (seal::category(brought.category), seal::class(brought.class));
        let entry = RecordEntry { id, category, class, blob, commitment, sealed_key, holders: Vec::new() };
        Ok(SealedFile { entry, key, label, content, bytes })
    }

    /// Waits until no other file of the patient is being registered: what has come over an hour is not thrown away for that.
    async fn turn(&self, patient: Did) -> Result<Alone, IntakeError> {
        let until = Instant::now() + TURN_TIME_MAX;
        loop {
            match self.alone(patient) {
                Err(IntakeError::Busy) if Instant::now() < until => tokio::time::sleep(TURN_LOOK_EVERY).await,
                decided => return decided,
            }
        }
    }

    async fn forget(&self, blobs: &[BlobId]) {
        super::store::remove(&self.parts, None, blobs.to_vec()).await;
    }
}

fn head(brought: &FileBrought, salt: [u8; 16], replaces: Option<RecordId>) -> LargeHead {
    LargeHead {
        version: LARGE_RECORD_VERSION,
        salt,
        resource_type: RESOURCE_TYPE.to_owned(),
        resource_id: brought.id.clone(),
        title: brought.title.clone(),
        date: brought.date.clone(),
        content_type: brought.content_type.clone(),
        bytes: brought.bytes,
        replaces,
    }
}

/// Seals one piece and hands on what is sealed by then.
async fn take(
    sealer: &mut LargeSealer<Drained>,
    sealed: &Drained,
    incoming: &mut Incoming,
    plain: &mut Sm3Hasher,
    piece: &Bytes,
) -> Result<(), IntakeError> {
    plain.update(piece);
    sealer.write(piece)?;
    Ok(incoming.write(&sealed.drain()).await?)
}

/// A writer that is emptied again and again.
#[derive(Clone, Default)]
struct Drained(Arc<Mutex<Vec<u8>>>);

impl Drained {
    fn drain(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Drained {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<LargeError> for IntakeError {
    fn from(error: LargeError) -> Self {
        match error {
            LargeError::Length { stated, found } => Self::OtherLength { stated, found },
            other => Self::LargeFile(other),
        }
    }
}

#[cfg(test)]
mod tests;
