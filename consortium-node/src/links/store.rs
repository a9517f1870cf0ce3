//! Where served links are kept: one file in the node's folder, readable by its owner alone. What an answer depends on is on the disk
//! before the answer leaves.

use crate::store_advice::advice_on_opening;
use amulet_health_link::ServedLink;
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::links::LinkId;
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a row: a hundred openings with long names. Names were once kept as long as a request, and such rows must still be read.
pub(super) const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Identifier to the row.
const LINKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("links");
/// Identifier to the sealed file, while the link can be opened.
const FILES: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("files");

/// Why the links cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LinkStoreError {
    /// The file cannot be opened.
    #[error("the links {path} cannot be opened: {source}{advice}", advice = advice_on_opening(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: redb::DatabaseError,
    },
    /// The file's permissions cannot be set.
    #[error("the links {path} cannot be made private: {source}")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The store failed.
    #[error("the links failed: {0}")]
    Store(#[source] Box<redb::Error>),
    /// An entry holds something that was never written there.
    #[error("a link's entry is damaged; its patient makes another")]
    Damaged,
}

macro_rules! store_errors {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for LinkStoreError {
            fn from(error: redb::$error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        })*
    };
}

store_errors!(TransactionError, TableError, StorageError, CommitError);

/// All that is kept of a link beside its file.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Row {
    pub owner: Did,
    pub made_at: Timestamp,
    pub ends: Timestamp,
    pub url: String,
    pub has_passcode: bool,
    pub link: ServedLink,
    pub file_bytes: u64,
}

/// The store; cheap to clone. Its calls block on the disk.
#[derive(Clone)]
pub struct LinkStore {
    db: Arc<Database>,
}

impl LinkStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`LinkStoreError`] by variant.
    pub fn open(path: &Path) -> Result<Self, LinkStoreError> {
        let db = Database::create(path)
            .map_err(|source| LinkStoreError::Open { path: path.to_owned(), source })?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|source| LinkStoreError::Permissions { path: path.to_owned(), source })?;
        let write = db.begin_write()?;
        write.open_table(LINKS)?;
        write.open_table(FILES)?;
        write.commit()?;
        Ok(Self { db: Arc::new(db) })
    }

    /// Changes the links, one caller at a time; nothing is changed if `change` fails.
    pub(super) fn change<T, E: From<LinkStoreError>>(
        &self,
        change: impl FnOnce(&mut Links<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let write = self.db.begin_write().map_err(LinkStoreError::from)?;
        let done = change(&mut Links { write: &write })?;
        write.commit().map_err(LinkStoreError::from)?;
        Ok(done)
    }

    /// A link as it was last left; costs no write.
    pub(super) fn row(&self, id: LinkId) -> Result<Option<Row>, LinkStoreError> {
        let links = self.db.begin_read()?.open_table(LINKS)?;
        links.get(&id.0)?.map(|row| decode(row.value())).transpose()
    }

    /// The sealed file of a link.
    pub(super) fn file(&self, id: LinkId) -> Result<Option<Vec<u8>>, LinkStoreError> {
        let files = self.db.begin_read()?.open_table(FILES)?;
        Ok(files.get(&id.0)?.map(|file| file.value().to_vec()))
    }
}

/// The links during a change.
pub(super) struct Links<'a> {
    write: &'a WriteTransaction,
}

impl Links<'_> {
    pub fn get(&self, id: LinkId) -> Result<Option<Row>, LinkStoreError> {
        let links = self.write.open_table(LINKS)?;
        links.get(&id.0)?.map(|row| decode(row.value())).transpose()
    }

    /// All links. A damaged one is left out: it must not keep everybody else from theirs.
    pub fn all(&self) -> Result<Vec<(LinkId, Row)>, LinkStoreError> {
        let links = self.write.open_table(LINKS)?;
        let mut all = Vec::new();
        for entry in links.iter()? {
            let (id, row) = entry?;
            match decode(row.value()) {
                Ok(row) => all.push((LinkId(*id.value()), row)),
                Err(error) => tracing::error!(%error, "a link is left out"),
            }
        }
        Ok(all)
    }

    pub fn put(&mut self, id: LinkId, row: &Row) -> Result<(), LinkStoreError> {
        self.write.open_table(LINKS)?.insert(&id.0, codec::encode(row).as_slice())?;
        Ok(())
    }

    pub fn put_file(&mut self, id: LinkId, file: &[u8]) -> Result<(), LinkStoreError> {
        self.write.open_table(FILES)?.insert(&id.0, file)?;
        Ok(())
    }

    pub fn file(&self, id: LinkId) -> Result<Option<Vec<u8>>, LinkStoreError> {
        let files = self.write.open_table(FILES)?;
        let file = files.get(&id.0)?.map(|file| file.value().to_vec());
        Ok(file)
    }

    pub fn drop_file(&mut self, id: LinkId) -> Result<(), LinkStoreError> {
        self.write.open_table(FILES)?.remove(&id.0)?;
        Ok(())
    }

    pub fn remove(&mut self, id: LinkId) -> Result<(), LinkStoreError> {
        self.write.open_table(LINKS)?.remove(&id.0)?;
        self.drop_file(id)
    }
}

fn decode(bytes: &[u8]) -> Result<Row, LinkStoreError> {
    codec::decode(bytes, ROW_BYTES_MAX).map_err(|_| LinkStoreError::Damaged)
}
