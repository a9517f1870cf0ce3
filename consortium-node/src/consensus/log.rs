//! The consensus log: what the core must not forget, durable before a message that depends on it leaves.

use crate::store_advice::advice;
use amulet_crypto::signing::PublicKey;
use amulet_pbft::record::LogEntry;
use amulet_pbft::{LogRecord, Payload, PayloadDigest, PreparedCertificate, RecordKey, Signed};
use amulet_protocol::consensus::{PrePrepare, Proposal};
use amulet_protocol::ids::{Epoch, Height};
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    WriteTransaction,
};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The log's file in a node's folder.
pub const LOG_FILE: &str = "consensus.redb";

/// Record key to record, without its payload.
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("consensus-records-2");
/// Height and digest to payload. A payload is written once, though the proposal and the prepared certificate of its block
/// both need it: it is by far the largest part of either.
const PAYLOADS: TableDefinition<(u64, [u8; 32]), &[u8]> = TableDefinition::new("consensus-payloads-1");
/// That a log was begun before there was anything to forget; no value.
const BEGUN: TableDefinition<(), ()> = TableDefinition::new("consensus-log-begun-1");

/// Why the log cannot be used. The replica stops then: voting without a log could contradict an earlier vote.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database failed; a full disk is the usual cause.
    #[error("the consensus log cannot be written or read: {0}{advice}", advice = advice(.0))]
    Backend(#[from] redb::Error),
    /// A record cannot be decoded.
    #[error(
        "the consensus log holds a record that cannot be read; restore the node from a backup or let it join anew"
    )]
    Corrupt,
    /// There is no log beside a ledger that has blocks.
    #[error(
        "the consensus log, consensus.redb, is missing or empty beside a ledger with {tip} blocks: this node no longer knows \
         what it signed, and could contradict it. Put the file back if it was moved. If it is lost, run `amulet-node \
         abstain` with this folder: the node then follows the others, and votes again from the next epoch on"
    )]
    Missing {
        /// The ledger's tip.
        tip: Height,
    },
}

/// A replica's memory of what it said. Whatever stands behind it, the records of an `append` that returned survive a crash,
/// whole and in full; of one that did not return, all or none do.
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

    /// Says that the core no longer needs what belongs to blocks up to `committed`, which are durable. When it is deleted
    /// is left open: an obsolete record does no harm.
    ///
    /// # Errors
    /// [`LogError`] by variant.
    fn prune(&self, committed: Height) -> Result<(), LogError>;
}

/// A record as it is stored: the payload is in a table of its own.
#[derive(BorshSerialize, BorshDeserialize)]
enum Stored {
    Accepted(Epoch, Signed<PrePrepare>),
    Prepared(Epoch, PreparedCertificate),
    Whole(LogRecord),
}

impl Stored {
    fn parts(record: &LogRecord) -> (Self, Option<&Payload>) {
        let epoch = record.epoch;
        match &record.entry {
            LogEntry::Accepted(pre_prepare, payload) => {
                (Self::Accepted(epoch, pre_prepare.clone()), Some(payload))
            }
            LogEntry::Prepared(certificate, payload) => {
                (Self::Prepared(epoch, certificate.clone()), Some(payload))
            }
            _ => (Self::Whole(record.clone()), None),
        }
    }

    /// The proposal whose payload belongs to the record.
    fn proposal(&self) -> Option<Proposal> {
        match self {
            Self::Accepted(_, pre_prepare) => Some(pre_prepare.content.proposal),
            Self::Prepared(_, certificate) => Some(*certificate.proposal()),
            Self::Whole(_) => None,
        }
    }
}

/// A log in a file.
pub struct ConsensusLog {
    database: Database,
    /// Height up to which records are to be deleted with the next write: the row of a block is touched when its page is
    /// written anyway, and the driver makes one call less between a commit and what waits for it.
    obsolete: Mutex<Option<Height>>,
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
        redb_try!(transaction.open_table(PAYLOADS));
        redb_try!(transaction.commit());
        Ok(Self { database, obsolete: Mutex::new(None) })
    }

    /// Refuses a log that was not here when the ledger's blocks were voted on (rule PBFT-RC-6). An empty one says nothing by
    /// itself: a node that only ever followed has one as well.
    ///
    /// # Errors
    /// [`LogError::Missing`], [`LogError::Backend`].
    pub fn check_beside(&self, tip: Height) -> Result<(), LogError> {
        let transaction = redb_try!(self.database.begin_write());
        {
            let mut begun = redb_try!(transaction.open_table(BEGUN));
            let is_empty = redb_try!(redb_try!(transaction.open_table(RECORDS)).is_empty());
            if redb_try!(begun.is_empty()) && is_empty && tip > Height(0) {
                return Err(LogError::Missing { tip });
            }
            redb_try!(begun.insert((), ()));
        }
        redb_try!(transaction.commit());
        Ok(())
    }

    /// Takes note that what this replica said in an epoch was lost: it says no more there.
    ///
    /// # Errors
    /// [`LogError::Backend`].
    pub fn give_up(&self, epoch: Epoch) -> Result<(), LogError> {
        self.append(&[LogRecord { epoch, entry: LogEntry::Lost }])
    }

    /// Takes note that log and ledger were lost, so that nobody knows in which epochs this replica spoke: it says no more under
    /// these keys (rule PBFT-RC-7).
    ///
    /// # Errors
    /// [`LogError::Backend`].
    pub fn give_up_keys(&self, keys: &[PublicKey]) -> Result<(), LogError> {
        self.append(&[LogRecord { epoch: Epoch(0), entry: LogEntry::KeysLost(keys.to_vec()) }])
    }
}

impl Log for ConsensusLog {
    fn load(&self) -> Result<Vec<LogRecord>, LogError> {
        let transaction = redb_try!(self.database.begin_read());
        let table = redb_try!(transaction.open_table(RECORDS));
        let payloads = redb_try!(transaction.open_table(PAYLOADS));
        let payload = |stored: &Stored| -> Result<Payload, LogError> {
            let proposal = stored.proposal().ok_or(LogError::Corrupt)?;
            let bytes = redb_try!(payloads.get(payload_key(&proposal))).ok_or(LogError::Corrupt)?;
            let payload = Payload::new(bytes.value()).map_err(|_| LogError::Corrupt)?;
            if payload.digest() == proposal.payload_digest { Ok(payload) } else { Err(LogError::Corrupt) }
        };
        let mut records = Vec::new();
        for row in redb_try!(table.iter()) {
            let (_, value) = redb_try!(row);
            let stored: Stored = borsh::from_slice(value.value()).map_err(|_| LogError::Corrupt)?;
            let payload = stored.proposal().map(|_| payload(&stored)).transpose()?;
            records.push(match (stored, payload) {
                (Stored::Accepted(epoch, pre_prepare), Some(payload)) => {
                    LogRecord { epoch, entry: LogEntry::Accepted(pre_prepare, payload) }
                }
                (Stored::Prepared(epoch, certificate), Some(payload)) => {
                    LogRecord { epoch, entry: LogEntry::Prepared(certificate, payload) }
                }
                (Stored::Whole(record), None) => record,
                _ => return Err(LogError::Corrupt),
            });
        }
        Ok(records)
    }

    fn append(&self, records: &[LogRecord]) -> Result<(), LogError> {
        let mut transaction = redb_try!(self.database.begin_write());
        redb_try!(transaction.set_durability(Durability::Immediate));
        let mut obsolete = self.obsolete.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(committed) = *obsolete {
            delete(&transaction, committed)?;
        }
        {
            let mut table = redb_try!(transaction.open_table(RECORDS));
            let mut payloads = redb_try!(transaction.open_table(PAYLOADS));
            for record in records {
                let (stored, payload) = Stored::parts(record);
                let value = borsh::to_vec(&stored).expect("encoding into memory does not fail");
                redb_try!(table.insert(encode(&record.key()).as_slice(), value.as_slice()));
                if let (Some(proposal), Some(payload)) = (stored.proposal(), payload) {
                    let key = payload_key(&proposal);
                    if redb_try!(payloads.get(key)).is_none() {
                        redb_try!(payloads.insert(key, payload.bytes()));
                    }
                    drop_replaced(&table, &mut payloads, proposal.height)?;
                }
            }
        }
        redb_try!(transaction.commit());
        *obsolete = None;
        Ok(())
    }

    fn prune(&self, committed: Height) -> Result<(), LogError> {
        *self.obsolete.lock().unwrap_or_else(PoisonError::into_inner) = Some(committed);
        Ok(())
    }
}

fn encode(key: &RecordKey) -> Vec<u8> {
    borsh::to_vec(key).expect("encoding into memory does not fail")
}

fn payload_key(proposal: &Proposal) -> (u64, [u8; 32]) {
    (proposal.height.0, key_bytes(proposal.payload_digest))
}

fn key_bytes(digest: PayloadDigest) -> [u8; 32] {
    *digest.0.as_bytes()
}

fn delete(transaction: &WriteTransaction, committed: Height) -> Result<(), LogError> {
    let mut table = redb_try!(transaction.open_table(RECORDS));
    redb_try!(table.retain(|key, _| {
        borsh::from_slice::<RecordKey>(key).map_or(true, |key| !key.is_obsolete(committed))
    }));
    let mut payloads = redb_try!(transaction.open_table(PAYLOADS));
    redb_try!(payloads.retain(|(height, _), _| height > committed.0));
    Ok(())
}

/// Deletes payloads at a height that no record needs any more, so that views that come and go leave nothing behind.
fn drop_replaced(
    table: &Table<'_, &[u8], &[u8]>,
    payloads: &mut Table<'_, (u64, [u8; 32]), &[u8]>,
    height: Height,
) -> Result<(), LogError> {
    let mut needed = Vec::new();
    for key in [RecordKey::Accepted(height), RecordKey::Prepared(height)] {
        if let Some(value) = redb_try!(table.get(encode(&key).as_slice())) {
            let stored: Stored = borsh::from_slice(value.value()).map_err(|_| LogError::Corrupt)?;
            needed.extend(stored.proposal().map(|proposal| payload_key(&proposal)));
        }
    }
    let at_height = (height.0, [0; 32])..=(height.0, [u8::MAX; 32]);
    redb_try!(payloads.retain_in(at_height, |key, _| needed.contains(&key)));
    Ok(())
}

#[cfg(test)]
mod tests;
