//! The native store: `sled`, which has lost data on abrupt stops elsewhere, so it holds only what can be fetched again.

use super::{StoreError, StoredHeader, TrustedHeaderStore};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Folder inside the one that is given; it is the store's alone, so that resetting it deletes nothing else.
const FOLDER: &str = "trusted-header.sled";
const KEY: &[u8] = b"head";

/// Keeps the header in a folder.
#[derive(Debug)]
pub struct SledStore {
    db: ::sled::Db,
    /// Set when the files were damaged on opening, until [`TrustedHeaderStore::load`] has said so.
    damage_to_report: AtomicBool,
}

impl SledStore {
    /// Opens the store in `folder`, making it if need be. Damaged files are deleted and made anew, and the first
    /// [`load`](TrustedHeaderStore::load) says so.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Backend`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FOLDER);
        match open_db(&path) {
            Ok(db) => Ok(Self { db, damage_to_report: AtomicBool::new(false) }),
            Err(StoreError::Damaged) => {
                std::fs::remove_dir_all(&path).map_err(|error| StoreError::Backend { kind: error.kind() })?;
                Ok(Self { db: open_db(&path)?, damage_to_report: AtomicBool::new(true) })
            }
            Err(error) => Err(error),
        }
    }

    /// Where the files are, below `folder`.
    #[must_use]
    pub fn path_in(folder: &Path) -> PathBuf {
        folder.join(FOLDER)
    }
}

impl TrustedHeaderStore for SledStore {
    fn load(&self) -> Result<Option<StoredHeader>, StoreError> {
        if self.damage_to_report.swap(false, Ordering::Relaxed) {
            return Err(StoreError::Damaged);
        }
        let bytes = self.db.get(KEY).map_err(|error| store_error(&error))?;
        bytes.map(|bytes| StoredHeader::from_bytes(&bytes)).transpose()
    }

    fn save(&self, header: &StoredHeader) -> Result<(), StoreError> {
        self.db.insert(KEY, header.to_bytes()).map_err(|error| store_error(&error))?;
        self.db.flush().map_err(|error| store_error(&error))?;
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.db.remove(KEY).map_err(|error| store_error(&error))?;
        self.db.flush().map_err(|error| store_error(&error))?;
        Ok(())
    }
}

fn open_db(path: &Path) -> Result<::sled::Db, StoreError> {
    ::sled::Config::new().path(path).cache_capacity(1024 * 1024).open().map_err(|error| store_error(&error))
}

fn store_error(error: &::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Corruption { .. } | ::sled::Error::Unsupported(_) => StoreError::Damaged,
        ::sled::Error::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock => StoreError::InUse,
        ::sled::Error::Io(error) => StoreError::Backend { kind: error.kind() },
        _ => StoreError::Backend { kind: std::io::ErrorKind::Other },
    }
}
