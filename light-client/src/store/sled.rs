//! The native store: `sled`, which has lost data on abrupt stops elsewhere, so it holds only what can be fetched again.

use super::{ClientStore, Slot, StoreError};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// Folder inside the one that is given; it is the store's alone, so that resetting it deletes nothing else.
const FOLDER: &str = "light-client.sled";
/// Where an earlier version kept its one header; it can be fetched again.
const OLD_FOLDER: &str = "trusted-header.sled";
/// Locked while the store is open; beside the folder, because resetting deletes that. `sled` has a lock too, but does not
/// let its failure be told from others.
const LOCK_FILE: &str = "light-client.lock";
/// Beside the folder while a trusted header is in it. `sled` goes on without what it cannot read of its log, and says nothing: a
/// header that should be there and is not was lost.
const MARK_FILE: &str = "light-client.kept";
/// How often, and how far apart, opening is tried.
const OPEN_TRIES: usize = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// Keeps all in a folder.
#[derive(Debug)]
pub struct SledStore {
    path: PathBuf,
    mark: PathBuf,
    db: Mutex<::sled::Db>,
    /// That the store was made anew, until a read has said so.
    to_report: Mutex<Option<StoreError>>,
    _lock: File,
}

impl SledStore {
    /// Opens the store in `folder`, making it if need be. Damaged files are deleted and made anew; the first
    /// [`read`](ClientStore::read) says so, and also if the trusted header was lost with a part of them.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Backend`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = lock(folder)?;
        let path = folder.join(FOLDER);
        let (db, trouble) = match open_db(&path) {
            Err(StoreError::Damaged) => {
                std::fs::remove_dir_all(&path).map_err(|error| backend(&error))?;
                (open_db(&path)?, Some(StoreError::Damaged))
            }
            opened => (opened?, None),
        };
        let mark = folder.join(MARK_FILE);
        let head = db.get(Slot::Head.name()).map_err(|error| store_error(&error))?;
        let trouble = trouble.or((head.is_none() && mark.exists()).then_some(StoreError::Damaged));
        // If it cannot be deleted it does no harm.
        let _ = std::fs::remove_dir_all(folder.join(OLD_FOLDER));
        Ok(Self { path, mark, db: Mutex::new(db), to_report: Mutex::new(trouble), _lock: lock })
    }

    /// Where the files are, below `folder`.
    #[must_use]
    pub fn path_in(folder: &Path) -> PathBuf {
        folder.join(FOLDER)
    }

    /// The open files. `sled` goes on writing into files that were deleted; then they are made anew, and this says so.
    fn db(&self) -> Result<(::sled::Db, Option<StoreError>), StoreError> {
        let mut db = self.db.lock().expect("no user of the store panics");
        if self.path.join("db").exists() {
            return Ok((db.clone(), None));
        }
        let memory = ::sled::Config::new().temporary(true).open().map_err(|error| store_error(&error))?;
        // Closed before it is opened again: both have the same lock.
        drop(std::mem::replace(&mut *db, memory));
        let _ = std::fs::remove_dir_all(&self.path);
        *db = open_db(&self.path)?;
        Ok((db.clone(), Some(StoreError::Vanished)))
    }

    /// Marks the store as one that holds a trusted header, or no longer.
    fn mark(&self, slot: Slot, holds: bool) {
        if slot != Slot::Head {
            return;
        }
        // Without a mark a loss is not noticed, which is no reason to fail; a wrong one makes a loss of what was removed.
        let _ = if holds { File::create(&self.mark).map(drop) } else { std::fs::remove_file(&self.mark) };
    }

    async fn change<T>(
        &self,
        change: impl FnOnce(&::sled::Db) -> ::sled::Result<T>,
    ) -> Result<Option<StoreError>, StoreError> {
        let (db, trouble) = self.db()?;
        change(&db).map_err(|error| store_error(&error))?;
        db.flush_async().await.map_err(|error| store_error(&error))?;
        Ok(trouble)
    }
}

#[async_trait::async_trait]
impl ClientStore for SledStore {
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        let (db, vanished) = self.db()?;
        let opened_anew = self.to_report.lock().expect("no user of the store panics").take();
        if let Some(trouble) = vanished.or(opened_anew) {
            return Err(trouble);
        }
        let bytes = db.get(slot.name()).map_err(|error| store_error(&error))?;
        Ok(bytes.map(|bytes| bytes.to_vec()))
    }

    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError> {
        let trouble = self.change(|db| db.insert(slot.name(), bytes)).await?;
        self.mark(slot, true);
        trouble.map_or(Ok(()), Err)
    }

    async fn remove(&self, slot: Slot) -> Result<(), StoreError> {
        self.mark(slot, false);
        self.change(|db| db.remove(slot.name())).await?.map_or(Ok(()), Err)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.mark(Slot::Head, false);
        // Nothing is lost that was not to be.
        self.change(|db| db.clear()).await.map(|_| ())
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
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        kind => StoreError::Backend { kind },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_a_broken_one() {
        let of = |kind: ErrorKind| store_error(&::sled::Error::Io(kind.into()));
        assert_eq!(of(ErrorKind::StorageFull), StoreError::Full);
        assert_eq!(of(ErrorKind::QuotaExceeded), StoreError::Full);
        let kind = ErrorKind::PermissionDenied;
        assert_eq!(of(kind), StoreError::Backend { kind });
    }
}
