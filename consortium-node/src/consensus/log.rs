//! The consensus log: what the core must not forget, durable before a message that depends on it leaves.

use amulet_pbft::{LogRecord, RecordKey};
use amulet_protocol::ids::Height;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::Path;

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("consensus-records-1");

/// Why the log cannot be used. The replica stops then: voting without a log could contradict an earlier vote.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database failed; a full disk is the usual cause.
    #[error("the consensus log cannot be written or read: {0}. Is the disk full?")]
    Backend(#[from] redb::Error),
    /// A record cannot be decoded.
    #[error(
        "the consensus log holds a record that cannot be read; restore the node from a backup or let it join anew"
    )]
    Corrupt,
}

/// A replica's memory of what it said. Whatever stands behind it, the records of an `append` that returned survive a crash,
/// whole and in full; of one that did not return, all, some or none may.
pub trait Log: Send {
    /// All records, one for each key.
    ///
    /// # Errors
    /// [`LogError`] by variant.
    fn load(&self) -> Result<Vec<LogRecord>, LogError>;

    /// Writes records, each in place of the one with its key. They have reached the disk when this returns.
    ///
    /// # Errors
    /// [`LogError::Backend`].
    fn append(&self, records: &[LogRecord]) -> Result<(), LogError>;

    /// Deletes what the core no longer needs once the block at `committed` is durable. Need not be durable: an obsolete
    /// record that survives a crash does no harm.
    ///
    /// # Errors
    /// [`LogError`] by variant.
    fn prune(&self, committed: Height) -> Result<(), LogError>;
}

/// A table from record key to record, in a file.
pub struct ConsensusLog {
    database: Database,
}

macro_rules! redb_try {
    ($expression:expr) => {
        $expression.map_err(|error| LogError::Backend(error.into()))?
    };
}

impl ConsensusLog {
    /// Opens or creates the log.
    ///
    /// # Errors
    /// [`LogError::Backend`].
    pub fn open(path: &Path) -> Result<Self, LogError> {
        Self::over(redb_try!(Database::create(path)))
    }

    /// As [`open`](Self::open), in a database that the caller opened on a store of its own.
    ///
    /// # Errors
    /// [`LogError::Backend`].
    pub fn over(database: Database) -> Result<Self, LogError> {
        let transaction = redb_try!(database.begin_write());
        redb_try!(transaction.open_table(RECORDS));
        redb_try!(transaction.commit());
        Ok(Self { database })
    }
}

impl Log for ConsensusLog {
    fn load(&self) -> Result<Vec<LogRecord>, LogError> {
        let transaction = redb_try!(self.database.begin_read());
        let table = redb_try!(transaction.open_table(RECORDS));
        let mut records = Vec::new();
        for row in redb_try!(table.iter()) {
            let (_, value) = redb_try!(row);
            records.push(borsh::from_slice(value.value()).map_err(|_| LogError::Corrupt)?);
        }
        Ok(records)
    }

    fn append(&self, records: &[LogRecord]) -> Result<(), LogError> {
        let mut transaction = redb_try!(self.database.begin_write());
        redb_try!(transaction.set_durability(Durability::Immediate));
        {
            let mut table = redb_try!(transaction.open_table(RECORDS));
            for record in records {
                let key = borsh::to_vec(&record.key()).expect("encoding into memory does not fail");
                let value = borsh::to_vec(record).expect("encoding into memory does not fail");
                redb_try!(table.insert(key.as_slice(), value.as_slice()));
            }
        }
        redb_try!(transaction.commit());
        Ok(())
    }

    fn prune(&self, committed: Height) -> Result<(), LogError> {
        let mut transaction = redb_try!(self.database.begin_write());
        redb_try!(transaction.set_durability(Durability::None));
        {
            let mut table = redb_try!(transaction.open_table(RECORDS));
            redb_try!(table.retain(|key, _| {
                borsh::from_slice::<RecordKey>(key).map_or(true, |key| !key.is_obsolete(committed))
            }));
        }
        redb_try!(transaction.commit());
        Ok(())
    }
}
