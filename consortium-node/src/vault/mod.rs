//! The vault: ciphertexts by their digest, in a folder. What they are for is in `index`.
//!
//! A ciphertext is written under a temporary name, synced, renamed to its digest, and the folder synced, so that after
//! a crash it is there whole or not at all.

mod from_state;
mod index;
mod staff;
mod taken;
mod uploads;

pub use index::{BlobUse, IndexError, VaultIndex};
pub use taken::content_digest;
pub use uploads::{UPLOADS_PER_OWNER_MAX, UPLOADS_TOTAL_MAX};

use amulet_crypto::content::CONTENT_OVERHEAD_BYTES;
use amulet_protocol::ids::{BlobId, Timestamp};
use amulet_protocol::limits::RECORD_BYTES_MAX;
use amulet_protocol::record::blob_id;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// The file holds other bytes than were put there.
    #[error("ciphertext {blob} is damaged in the vault")]
    Damaged {
        /// Which.
        blob: BlobId,
    },
    /// The folder's file system failed: disk full, no access.
    #[error("the vault's store failed: {0}")]
    Store(#[from] object_store::Error),
}

/// The vault; cheap to clone.
#[derive(Clone)]
pub struct Vault {
    store: Arc<LocalFileSystem>,
}

impl Vault {
    /// Opens the vault in a folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`VaultError::Folder`], [`VaultError::Store`].
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| VaultError::Folder { path: folder.to_owned(), source })?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store) })
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
    /// [`VaultError::Damaged`], [`VaultError::Store`].
    pub async fn get(&self, id: BlobId) -> Result<Option<Vec<u8>>, VaultError> {
        let found = match self.store.get(&place(id)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
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
        match self.store.head(&place(id)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
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

    /// Ciphertexts written before `time`, for a sweep.
    async fn written_before(&self, time: Timestamp) -> Result<Vec<BlobId>, VaultError> {
        let old = |meta: object_store::ObjectMeta| async move {
            let written = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0);
            let name = meta.location.filename().and_then(|name| name.parse().ok()).map(BlobId);
            Ok(name.filter(|_| written < time.0))
        };
        Ok(self.store.list(None).try_filter_map(old).try_collect().await?)
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
        let old = self.written_before(Timestamp(reached.0.saturating_sub(UNNAMED_KEPT_MS))).await?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn what_is_put_comes_back_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let id = vault.put(b"ciphertext".to_vec()).await.unwrap();
        assert_eq!(vault.put(b"ciphertext".to_vec()).await.unwrap(), id);
        let reopened = Vault::open(folder.path()).unwrap();
        assert_eq!(reopened.get(id).await.unwrap().as_deref(), Some(&b"ciphertext"[..]));
        assert!(reopened.has(id).await.unwrap());
        reopened.remove(id).await.unwrap();
        reopened.remove(id).await.unwrap();
        assert_eq!(vault.get(id).await.unwrap(), None);
        assert!(!vault.has(id).await.unwrap());
    }

    #[tokio::test]
    async fn a_changed_file_is_noticed_and_an_oversized_ciphertext_refused() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let id = vault.put(b"ciphertext".to_vec()).await.unwrap();
        let name = id.to_string();
        std::fs::write(folder.path().join(&name[..2]).join(&name), b"other").unwrap();
        assert!(matches!(vault.get(id).await, Err(VaultError::Damaged { blob }) if blob == id));
        let found = BLOB_BYTES_MAX + 1;
        let refused = vault.put(vec![0; found]).await;
        assert!(matches!(refused, Err(VaultError::TooLarge { found: f }) if f == found));
    }
}
