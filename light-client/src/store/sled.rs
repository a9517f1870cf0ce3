//! The native store: `sled`, which has lost data on abrupt stops elsewhere, so it holds only what can be fetched again.

use super::{StoreError, StoredHeader, TrustedHeaderStore};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Folder inside the one that is given; it is the store's alone, so that resetting it deletes nothing else.
const FOLDER: &str = "trusted-header.sled";
/// Locked while the store is open; beside the folder, because resetting deletes that. `sled` has a lock too, but does not
/// let its failure be told from others.
const LOCK_FILE: &str = "trusted-header.lock";
/// How often, and how far apart, opening is tried.
const OPEN_TRIES: usize = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);
const KEY: &[u8] = b"head";

/// Keeps the header in a folder.
#[derive(Debug)]
pub struct SledStore {
    db: ::sled::Db,
    /// Set when the files were damaged on opening, until [`TrustedHeaderStore::load`] has said so.
    damage_to_report: AtomicBool,
    _lock: File,
}

impl SledStore {
    /// Opens the store in `folder`, making it if need be. Damaged files are deleted and made anew, and the first
    /// [`load`](TrustedHeaderStore::load) says so.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Backend`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = lock(folder)?;
        let path = folder.join(FOLDER);
        let (db, was_damaged) = match open_db(&path) {
            Err(StoreError::Damaged) => {
                std::fs::remove_dir_all(&path).map_err(|error| backend(&error))?;
                (open_db(&path)?, true)
            }
            opened => (opened?, false),
        };
        Ok(Self { db, damage_to_report: AtomicBool::new(was_damaged), _lock: lock })
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

fn lock(folder: &Path) -> Result<File, StoreError> {
    std::fs::create_dir_all(folder).map_err(|error| backend(&error))?;
    let file = File::create(folder.join(LOCK_FILE)).map_err(|error| backend(&error))?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse,
        TryLockError::Error(error) => backend(&error),
    })?;
    Ok(file)
}

/// Opens the files. The threads of a store that this process has just closed can hold `sled`'s own lock for a moment more;
/// nobody else can, because ours is held.
fn open_db(path: &Path) -> Result<::sled::Db, StoreError> {
    for _ in 1..OPEN_TRIES {
        match try_open_db(path) {
            Err(StoreError::Backend { kind: ErrorKind::Other }) => std::thread::sleep(OPEN_PAUSE),
            settled => return settled,
        }
    }
    try_open_db(path)
}

fn try_open_db(path: &Path) -> Result<::sled::Db, StoreError> {
    ::sled::Config::new().path(path).cache_capacity(1024 * 1024).open().map_err(|error| store_error(&error))
}

fn store_error(error: &::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Corruption { .. } | ::sled::Error::Unsupported(_) => StoreError::Damaged,
        ::sled::Error::Io(error) => backend(error),
        _ => StoreError::Backend { kind: ErrorKind::Other },
    }
}

fn backend(error: &std::io::Error) -> StoreError {
    StoreError::Backend { kind: error.kind() }
}
