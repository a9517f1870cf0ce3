//! The vault: ciphertexts by their digest, in a folder or in a bucket. What they are for is in `index`.
//!
//! A ciphertext is there whole or not at all, also after a crash: in a folder it is written under a temporary name, synced, renamed to
//! its digest, and the folder synced; in a bucket an object appears when its last byte was taken.

mod backend;
pub mod backup;
mod copies;
mod erased;
mod eraser;
#[cfg(test)]
pub(crate) mod fake_s3;
mod from_state;
mod held;
mod index;
mod scrub;
mod staff;
mod streams;
mod taken;
#[cfg(test)]
mod tests;
mod uploads;

pub use backend::{S3Config, VaultConfig, VaultConfigError};
pub use copies::{Copies, CopiesParts, CopyError, PIECE_BYTES};
pub use erased::{ErasedView, ReceiptOwed};
pub use eraser::{EraseError, Eraser, Look};
pub use held::{Held, HeldStep, HeldView};
pub use index::{BlobUse, IndexError, VaultIndex};
pub use scrub::{SCRUB_BYTES_PER_SECOND, ScrubError, ScrubParts, ScrubReport, ScrubTotals, Scrubber};
pub use streams::{Found, Incoming, Outgoing, STREAM_BYTES_MAX};
pub use taken::content_digest;
pub use uploads::{UPLOADS_PER_OWNER_MAX, UPLOADS_TOTAL_MAX};

use amulet_crypto::content::CONTENT_OVERHEAD_BYTES;
use amulet_protocol::ids::{BlobId, Timestamp};
use amulet_protocol::limits::RECORD_BYTES_MAX;
use amulet_protocol::record::blob_id;
use futures::TryStreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Bytes of one ciphertext: a record of the largest size, and its seal.
pub const BLOB_BYTES_MAX: usize = RECORD_BYTES_MAX + CONTENT_OVERHEAD_BYTES;
/// How long a ciphertext that the ledger does not name is kept, in milliseconds of the ledger's time: a day, far longer
/// than any registration takes.
pub const UNNAMED_KEPT_MS: u64 = 24 * 3_600_000;

/// Why the vault cannot do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder cannot be made.
    #[error("the vault's folder {path} cannot be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// More bytes than any ciphertext has.
    #[error("a ciphertext of {found} bytes is over the limit of {BLOB_BYTES_MAX}")]
    TooLarge {
        /// Bytes given.
        found: usize,
    },
    /// More bytes than a stream may have.
    #[error("a ciphertext of {found} bytes or more is over the limit of {STREAM_BYTES_MAX}")]
    StreamTooLarge {
        /// Bytes given so far.
        found: u64,
    },
    /// Other bytes came than were asked for.
    #[error("what came for ciphertext {expected} is {found}")]
    OtherContent {
        /// Asked for.
        expected: BlobId,
        /// Of what came.
        found: BlobId,
    },
    /// There are no credentials for the bucket.
    #[error(
        "there are no credentials for the vault's bucket: set {variable}, or name a file by `credentials` under [vault] in node.toml"
    )]
    NoCredentials {
        /// What was looked for.
        variable: &'static str,
    },
    /// The credentials file cannot be read.
    #[error("the credentials file {path} cannot be read: {source}")]
    CredentialsFile {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The credentials file holds something else.
    #[error("{path} has to hold two lines, access_key = \"…\" and secret_key = \"…\"")]
    CredentialsMalformed {
        /// Which.
        path: PathBuf,
    },
    /// The store does not answer as one.
    #[error(
        "the vault's store does not answer: {source}. Check [vault] in node.toml, and the bucket's permissions"
    )]
    Unreachable {
        /// What it says.
        source: object_store::Error,
    },
    /// The store holds other bytes than were put there.
    #[error("ciphertext {blob} is damaged in the vault")]
    Damaged {
        /// Which.
        blob: BlobId,
    },
    /// The store failed: disk full, no access, no answer.
    #[error("the vault's store failed: {0}")]
    Store(#[from] object_store::Error),
}

/// The vault; cheap to clone.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn ObjectStore>,
    /// Its folder, if it has one.
    folder: Option<PathBuf>,
}

impl Vault {
    /// Opens the vault in a folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`VaultError::Folder`], [`VaultError::Store`].
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        Ok(Self { store: backend::open_folder(folder)?, folder: Some(folder.to_owned()) })
    }

    /// Opens the vault that a node's configuration names. Relative paths are in the data folder. Whether a bucket answers is seen by
    /// [`Vault::probe`].
    ///
    /// # Errors
    /// [`VaultError`] by variant.
    pub fn configured(data: &Path, config: &VaultConfig) -> Result<Self, VaultError> {
        match (backend::folder(data, config), config) {
            (Some(folder), _) => Self::open(&folder),
            (None, VaultConfig::S3(bucket)) => {
                Ok(Self { store: backend::open_bucket(data, bucket)?, folder: None })
            }
            (None, VaultConfig::Folder(_)) => unreachable!("a folder has a path"),
        }
    }

    /// Asks the store for something that it does not have: one that answers so can be reached and lets this node in.
    ///
    /// # Errors
    /// [`VaultError::Unreachable`].
    pub async fn probe(&self) -> Result<(), VaultError> {
        match self.store.head(&ObjectPath::from("probe")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(VaultError::Unreachable { source }),
        }
    }

    /// Keeps a ciphertext. On return it is on the disk. Putting it again renews its age.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`], [`VaultError::Store`].
    pub async fn put(&self, ciphertext: Vec<u8>) -> Result<BlobId, VaultError> {
        if ciphertext.len() > BLOB_BYTES_MAX {
            return Err(VaultError::TooLarge { found: ciphertext.len() });
        }
        let id = blob_id(&ciphertext);
        self.store.put(&place(id), PutPayload::from(ciphertext)).await?;
        Ok(id)
    }

    /// A ciphertext; `None` if there is no copy here.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] for one that is only given as a stream, [`VaultError::Damaged`], [`VaultError::Store`].
    pub async fn get(&self, id: BlobId) -> Result<Option<Vec<u8>>, VaultError> {
        let found = match self.store.get(&place(id)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let size = usize::try_from(found.meta.size).unwrap_or(usize::MAX);
        if size > BLOB_BYTES_MAX {
            return Err(VaultError::TooLarge { found: size });
        }
        let bytes = Vec::from(found.bytes().await?);
        if blob_id(&bytes) != id {
            return Err(VaultError::Damaged { blob: id });
        }
        Ok(Some(bytes))
    }

    /// Whether there is a copy here.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn has(&self, id: BlobId) -> Result<bool, VaultError> {
        Ok(self.size(id).await?.is_some())
    }

    /// Removes a ciphertext, if it is here. Whether it may be removed is for the caller to know.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn remove(&self, id: BlobId) -> Result<(), VaultError> {
        match self.store.delete(&place(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ciphertexts written before `time`, for a sweep, and streams begun before it that never ended.
    async fn written_before(&self, time: Timestamp) -> Result<(Vec<BlobId>, Vec<ObjectPath>), VaultError> {
        let (mut old, mut unended) = (Vec::new(), Vec::new());
        let mut all = self.store.list(None);
        while let Some(meta) = all.try_next().await? {
            let written = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0);
            if written >= time.0 {
                continue;
            }
            if meta.location.prefix_matches(&ObjectPath::from(streams::INCOMING)) {
                unended.push(meta.location);
            } else if let Some(id) = meta.location.filename().and_then(|name| name.parse().ok()) {
                old.push(BlobId(id));
            }
        }
        Ok((old, unended))
    }

    /// Removes ciphertexts that the ledger has not named within [`UNNAMED_KEPT_MS`]: uploads never used, and what an
    /// intake left when it was cut off. Age is measured against the ledger's time, not the clock, so that a node that
    /// was away does not sweep what blocks it has yet to see name. Returns how many were removed.
    ///
    /// # Errors
    /// [`SweepError`].
    pub async fn sweep(
        &self,
        index: &VaultIndex,
        ledger: &crate::ledger::Ledger,
    ) -> Result<usize, SweepError> {
        let reached = ledger.tip().time;
        let before = Timestamp(reached.0.saturating_sub(UNNAMED_KEPT_MS));
        let (old, unended) = self.written_before(before).await?;
        for location in &unended {
            self.store.delete(location).await.map_err(VaultError::from)?;
        }
        if let Some(folder) = self.folder.clone() {
            let swept = tokio::task::spawn_blocking(move || remove_cut_off(&folder));
            swept.await.expect("the sweep does not panic");
        }
        let (index, ledger) = (index.clone(), ledger.clone());
        let unnamed = tokio::task::spawn_blocking(move || {
            index.catch_up(&ledger)?;
            let mut unnamed = Vec::new();
            for blob in old {
                if !index.is_used(blob)? {
                    unnamed.push(blob);
                }
            }
            Ok::<_, IndexError>(unnamed)
        });
        let unnamed = unnamed.await.expect("the check does not panic")?;
        for blob in &unnamed {
            self.remove(*blob).await?;
        }
        Ok(unnamed.len())
    }
}

/// Why a sweep stopped.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Two levels, because some file systems are slow with very large folders.
fn place(id: BlobId) -> ObjectPath {
    let name = id.to_string();
    ObjectPath::from(format!("{}/{name}", &name[..2]))
}

/// Removes what an abrupt stop left of files that were being written: those whose name ends with `#` and a number. Nobody but the
/// writer knows of them, and none is written for a day.
fn remove_cut_off(folder: &Path) {
    let kept = SystemTime::now() - Duration::from_millis(UNNAMED_KEPT_MS);
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    for part in entries(folder) {
        for file in entries(&part.path()) {
            let name = file.file_name();
            let cut_off = name.to_string_lossy().rsplit_once('#').is_some_and(|(_, number)| {
                !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
            });
            let old = file.metadata().and_then(|meta| meta.modified()).is_ok_and(|written| written < kept);
            if cut_off
                && old
                && let Err(error) = std::fs::remove_file(file.path())
            {
                tracing::warn!(file = %file.path().display(), %error, "what an abrupt stop left stays");
            }
        }
    }
}
