//! Where the queue is kept: one file in the node's folder, readable by its owner alone. Unlike the vault's index it can't be
//! built again.

use super::{Decision, Held};
use crate::store_advice::advice_on_opening;
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_fhir::Record;
use amulet_fhir::quality::BloodGroup;
use amulet_protocol::ids::{Did, RecordId};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records that wait at most: more than a person reads in a year. Then files with flagged records are turned away.
pub const HELD_RECORDS_MAX: u64 = 20_000;
/// Bytes of contents that wait at most.
pub const HELD_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// `bytes` to the bytes of contents that wait.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const META_BYTES: &str = "bytes";
/// Number to the item, as JSON.
const ITEMS: TableDefinition<u64, &[u8]> = TableDefinition::new("items");
/// Number to the content of an item that waits.
const CONTENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("contents");
/// Digest of a content to its item's number.
const NUMBERS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("numbers");
/// Patient to the blood group of earlier records, as JSON.
const BLOOD_GROUPS: TableDefinition<&[u8; 20], &[u8]> = TableDefinition::new("blood_groups");
/// Digest of patient and `Type/id` to the newest record registered under it.
const VERSIONS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("versions");

const VERSION_TAG: Tag = Tag::new("amulet/v1/record-version");

/// Why the queue can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file cannot be opened.
    #[error("the review queue {path} cannot be opened: {source}{advice}", advice = advice_on_opening(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: redb::DatabaseError,
    },
    /// The file's permissions cannot be set.
    #[error("the review queue {path} cannot be made private: {source}")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The store failed.
    #[error("the review queue failed: {0}")]
    Store(#[source] Box<redb::Error>),
    /// An entry holds something that was never written there.
    #[error("table {table} of the review queue is damaged; restore the file from your backup")]
    Damaged {
        /// Which.
        table: &'static str,
    },
    /// Too many records wait.
    #[error(
        "{records} records with {bytes} bytes wait for review, which is the limit; decide about some first"
    )]
    Full {
        /// Records that wait.
        records: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// No item of this number.
    #[error("there is no item {id} in the review queue")]
    NoSuchItem {
        /// The number asked for.
        id: u64,
    },
    /// It was decided before.
    #[error("item {id} was decided by {who} already")]
    Decided {
        /// Its number.
        id: u64,
        /// Who decided.
        who: String,
    },
    /// A decision without who or why.
    #[error("a decision needs \"{field}\", with at most {limit} bytes")]
    Incomplete {
        /// What is missing or too long.
        field: &'static str,
        /// The limit.
        limit: usize,
    },
    /// No such class.
    #[error("\"{name}\" is no class; there are public, internal, sensitive and core")]
    UnknownClass {
        /// What was given, shortened.
        name: String,
    },
}

macro_rules! store_errors {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for ReviewError {
            fn from(error: redb::$error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        })*
    };
}

store_errors!(TransactionError, TableError, StorageError, CommitError);

/// The queue's file; cheap to clone. Its calls block on the disk, and what they write is durable on return.
#[derive(Clone)]
pub struct ReviewStore {
    db: Arc<Database>,
}

impl ReviewStore {
    /// Opens the queue, or starts it.
    ///
    /// # Errors
    /// [`ReviewError`] by variant.
    pub fn open(path: &Path) -> Result<Self, ReviewError> {
        let db =
            Database::create(path).map_err(|source| ReviewError::Open { path: path.to_owned(), source })?;
        // It holds what patients' records say, in plain: like keys, it is for the node's own user.
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|source| ReviewError::Permissions { path: path.to_owned(), source })?;
        let write = db.begin_write()?;
        write.open_table(META)?;
        write.open_table(ITEMS)?;
        write.open_table(CONTENTS)?;
        write.open_table(NUMBERS)?;
        write.open_table(BLOOD_GROUPS)?;
        write.open_table(VERSIONS)?;
        write.commit()?;
        Ok(Self { db: Arc::new(db) })
    }

    /// Puts records into the queue, all or none; gives their numbers. A content that waits, or was decided about, keeps its
    /// item.
    pub(in crate::intake) fn hold(
        &self,
        patient: Did,
        file: Digest,
        received_ms: u64,
        records: Vec<(Digest, Record)>,
    ) -> Result<Vec<u64>, ReviewError> {
        let write = self.db.begin_write()?;
        let mut numbers = Vec::new();
        {
            let (mut items, mut contents) = (write.open_table(ITEMS)?, write.open_table(CONTENTS)?);
            let (mut known, mut meta) = (write.open_table(NUMBERS)?, write.open_table(META)?);
            let mut next = items.last()?.map_or(1, |(last, _)| last.value() + 1);
            let mut bytes = meta.get(META_BYTES)?.map_or(0, |bytes| bytes.value());
            for (digest, mut record) in records {
                let earlier = known.get(digest.as_bytes())?.map(|id| id.value());
                if let Some(id) = earlier {
                    numbers.push(id);
                    continue;
                }
                let content = std::mem::take(&mut record.content);
                bytes += content.len() as u64;
                let waiting = contents.len()?;
                if waiting >= HELD_RECORDS_MAX || bytes > HELD_BYTES_MAX {
                    return Err(ReviewError::Full { records: waiting, bytes });
                }
                let held = Held {
                    patient: patient.to_string(),
                    received_ms,
                    file: file.to_string(),
                    record,
                    decision: None,
                };
                items.insert(next, encode(&held)?.as_slice())?;
                contents.insert(next, content.as_slice())?;
                known.insert(digest.as_bytes(), next)?;
                numbers.push(next);
                next += 1;
            }
            meta.insert(META_BYTES, bytes)?;
        }
        write.commit()?;
        Ok(numbers)
    }

    /// An item, with its content while it waits.
    pub(in crate::intake) fn item(&self, id: u64) -> Result<(Held, Option<Vec<u8>>), ReviewError> {
        let read = self.db.begin_read()?;
        let items = read.open_table(ITEMS)?;
        let held = items.get(id)?.ok_or(ReviewError::NoSuchItem { id })?;
        let content = read.open_table(CONTENTS)?.get(id)?.map(|content| content.value().to_vec());
        Ok((decode(held.value(), "items")?, content))
    }

    /// The verdict's item for a content, if it is in the queue or was.
    pub(in crate::intake) fn of_content(&self, digest: Digest) -> Result<Option<(u64, Held)>, ReviewError> {
        let read = self.db.begin_read()?;
        let Some(id) = read.open_table(NUMBERS)?.get(digest.as_bytes())?.map(|id| id.value()) else {
            return Ok(None);
        };
        Ok(Some((id, self.item(id)?.0)))
    }

    /// Items after this number, at most `limit`, only those that wait unless decided ones are asked for as well.
    pub(in crate::intake) fn list(
        &self,
        after: u64,
        with_decided: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Held)>, ReviewError> {
        let read = self.db.begin_read()?;
        let (items, contents) = (read.open_table(ITEMS)?, read.open_table(CONTENTS)?);
        let mut found = Vec::new();
        if with_decided {
            for item in items.range(after.saturating_add(1)..)?.take(limit) {
                let (id, held) = item?;
                found.push((id.value(), decode(held.value(), "items")?));
            }
        } else {
            for item in contents.range(after.saturating_add(1)..)?.take(limit) {
                let id = item?.0.value();
                let held = items.get(id)?.ok_or(ReviewError::Damaged { table: "contents" })?;
                found.push((id, decode(held.value(), "items")?));
            }
        }
        Ok(found)
    }

    /// Records that wait.
    ///
    /// # Errors
    /// [`ReviewError`] by variant.
    pub fn waiting(&self) -> Result<u64, ReviewError> {
        Ok(self.db.begin_read()?.open_table(CONTENTS)?.len()?)
    }

    /// Keeps a decision and lets the content go.
    pub(in crate::intake) fn decide(
        &self,
        id: u64,
        mut held: Held,
        decision: Decision,
    ) -> Result<(), ReviewError> {
        held.decision = Some(decision);
        let write = self.db.begin_write()?;
        {
            let mut contents = write.open_table(CONTENTS)?;
            let freed = contents.remove(id)?.map_or(0, |content| content.value().len() as u64);
            let mut meta = write.open_table(META)?;
            let bytes = meta.get(META_BYTES)?.map_or(0, |bytes| bytes.value());
            meta.insert(META_BYTES, bytes.saturating_sub(freed))?;
            write.open_table(ITEMS)?.insert(id, encode(&held)?.as_slice())?;
        }
        Ok(write.commit()?)
    }

    /// The patient's blood group by earlier records.
    pub(in crate::intake) fn blood_group(&self, patient: Did) -> Result<Option<BloodGroup>, ReviewError> {
        let groups = self.db.begin_read()?.open_table(BLOOD_GROUPS)?;
        groups.get(patient.as_bytes())?.map(|group| decode(group.value(), "blood_groups")).transpose()
    }

    /// Notes what was registered: the newest record under each `Type/id`, and the blood group.
    pub(in crate::intake) fn note_registered(
        &self,
        patient: Did,
        records: &[(String, RecordId)],
        blood_group: Option<BloodGroup>,
    ) -> Result<(), ReviewError> {
        let write = self.db.begin_write()?;
        {
            let mut versions = write.open_table(VERSIONS)?;
            for (label, record) in records {
                versions.insert(version_key(patient, label).as_bytes(), record.as_bytes())?;
            }
            if let Some(group) = blood_group {
                let mut groups = write.open_table(BLOOD_GROUPS)?;
                groups.insert(patient.as_bytes(), encode(&group)?.as_slice())?;
            }
        }
        Ok(write.commit()?)
    }

    /// The newest record registered under this `Type/id`.
    pub(in crate::intake) fn newest(
        &self,
        patient: Did,
        label: &str,
    ) -> Result<Option<RecordId>, ReviewError> {
        let versions = self.db.begin_read()?.open_table(VERSIONS)?;
        let record = versions.get(version_key(patient, label).as_bytes())?;
        Ok(record.map(|record| RecordId(Digest::from_bytes(*record.value()))))
    }
}

fn version_key(patient: Did, label: &str) -> Digest {
    tagged(VERSION_TAG, &[patient.as_bytes(), label.as_bytes()])
}

fn encode(value: &impl serde::Serialize) -> Result<Vec<u8>, ReviewError> {
    serde_json::to_vec(value).map_err(|_| ReviewError::Damaged { table: "items" })
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8], table: &'static str) -> Result<T, ReviewError> {
    serde_json::from_slice(bytes).map_err(|_| ReviewError::Damaged { table })
}
