//! What the ciphertexts are for: an index over the ledger, and notes about ciphertexts that the ledger does not name yet.
//!
//! A ciphertext belongs to the patient for whom the ledger named it first. Later uses of the same ciphertext under
//! another name do not count: otherwise anybody could publish a card that points at somebody else's record, and fetch
//! its ciphertext as their own.

use super::from_state::{self, Told};
use super::uploads;
use crate::ledger::{Ledger, LedgerError};
use crate::store_advice::advice_on_opening;
use amulet_protocol::calls::{Call, CardLocator, GrantId};
use amulet_protocol::codec;
use amulet_protocol::ids::{BlobId, ChainId, Did, Height, RecordId};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::transaction::Transaction;
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{
    Database, Durability, MultimapTableDefinition, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition, TableHandle, WriteTransaction,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Blocks indexed by one transaction of the store, which bounds its memory, and from one that is on the disk to the next,
/// which bounds what is indexed again after an abrupt stop.
const BLOCKS_PER_STEP: u64 = 256;

/// `chain` and `height`.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const META_CHAIN: &str = "chain";
const META_HEIGHT: &str = "height";
/// Ciphertext to the patient it belongs to.
pub(super) const OWNERS: TableDefinition<&[u8; 32], &[u8; 20]> = TableDefinition::new("owners");
/// Ciphertext to its uses.
const USES: MultimapTableDefinition<&[u8; 32], &[u8]> = MultimapTableDefinition::new("uses");
/// Ciphertext that a peer has stored here and the ledger has not named, to the peer.
pub(super) const PEER_BLOBS: TableDefinition<&[u8; 32], u16> = TableDefinition::new("peer_blobs");

/// What a ciphertext is, by the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum BlobUse {
    /// A record.
    Record(RecordId),
    /// The summary of an emergency card.
    Card(CardLocator),
}

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The ledger was pruned while it was read; it is read again.
    #[error("the ledger was pruned while the vault's index read it")]
    Moved,
    /// The file cannot be opened.
    #[error("the vault's index {path} cannot be opened: {source}{advice}", advice = advice_on_opening(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: redb::DatabaseError,
    },
    /// The index is of another chain.
    #[error("the vault's index is of chain {found}, the ledger is of chain {expected}")]
    OtherChain {
        /// In the file.
        found: ChainId,
        /// Of the ledger.
        expected: ChainId,
    },
    /// An entry holds something that was never written there.
    #[error("table {table} of the vault's index is damaged; remove the file, it is built again")]
    Damaged {
        /// Which.
        table: &'static str,
    },
    /// The store failed.
    #[error("the vault's index failed: {0}")]
    Store(#[source] Box<redb::Error>),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

macro_rules! store_errors {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for IndexError {
            fn from(error: redb::$error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        })*
    };
}

store_errors!(TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

/// The index; cheap to clone. Its calls block on the disk.
#[derive(Clone)]
pub struct VaultIndex {
    inner: Arc<Inner>,
}

struct Inner {
    db: Database,
    /// Held while blocks are indexed, so that each is indexed once.
    following: Mutex<()>,
}

impl VaultIndex {
    /// Opens the index for a chain, or starts it.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn open(path: &Path, chain: ChainId) -> Result<Self, IndexError> {
        let db =
            Database::create(path).map_err(|source| IndexError::Open { path: path.to_owned(), source })?;
        let write = db.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let found = meta.get(META_CHAIN)?.map(|bytes| decode::<ChainId>(bytes.value())).transpose()?;
            match found {
                Some(found) if found != chain => {
                    return Err(IndexError::OtherChain { found, expected: chain });
                }
                Some(_) => {}
                None => {
                    meta.insert(META_CHAIN, codec::encode(&chain).as_slice())?;
                }
            }
            write.open_table(OWNERS)?;
            write.open_multimap_table(USES)?;
            write.open_table(PEER_BLOBS)?;
            uploads::create(&write)?;
            super::taken::create(&write)?;
            super::erased::create(&write)?;
            super::staff::create(&write)?;
        }
        write.commit()?;
        Ok(Self { inner: Arc::new(Inner { db, following: Mutex::new(()) }) })
    }

    pub(super) fn db(&self) -> &Database {
        &self.inner.db
    }

    /// Indexes the blocks that the ledger has and the index has not. Everything that decides by the index calls this
    /// first, so that it knows at least what the ledger knew then.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn catch_up(&self, ledger: &Ledger) -> Result<(), IndexError> {
        let _alone = self.inner.following.lock().unwrap_or_else(PoisonError::into_inner);
        let tip = ledger.tip().height.0;
        let mut done = self.height()?.0;
        let floor = ledger.floor()?.0;
        if done + 1 < floor {
            self.index_state(ledger, Height(floor))?;
            done = floor - 1;
        }
        while done < tip {
            let end = tip.min(done + BLOCKS_PER_STEP);
            let mut write = self.inner.db.begin_write()?;
            // What is lost by a crash is indexed again, for the height goes with it; but never more than some blocks.
            if done / BLOCKS_PER_STEP == end / BLOCKS_PER_STEP {
                write.set_durability(Durability::None)?;
            }
            for height in done + 1..=end {
                index_block(&write, ledger, Height(height))?;
            }
            write.open_table(META)?.insert(META_HEIGHT, codec::encode(&Height(end)).as_slice())?;
            write.commit()?;
            done = end;
        }
        Ok(())
    }

    /// Indexes what blocks below `floor` told, from the state, because the ledger no longer has, or never had, the blocks. Keys
    /// that flowed in them are gone with them.
    fn index_state(&self, ledger: &Ledger, floor: Height) -> Result<(), IndexError> {
        let Told { mut named, grants, ordered } = from_state::told_below(ledger, floor)?;
        let done = self.height()?;
        // A ciphertext belongs to whom the ledger named it for first.
        named.sort_by_key(|named| named.since);
        let write = self.inner.db.begin_write()?;
        for named in named {
            note_use(&write, named.blob, named.owner, named.used)?;
        }
        super::erased::note_order(&write, ledger, &ordered)?;
        for ((_, id), grantee) in grants.into_iter().filter(|((granted, _), _)| *granted > done) {
            super::staff::note_grant(&write, id, &grantee)?;
        }
        write.open_table(META)?.insert(META_HEIGHT, codec::encode(&Height(floor.0 - 1)).as_slice())?;
        Ok(write.commit()?)
    }

    /// The newest block indexed.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn height(&self) -> Result<Height, IndexError> {
        let meta = self.inner.db.begin_read()?.open_table(META)?;
        let height = meta.get(META_HEIGHT)?.map(|bytes| decode(bytes.value())).transpose()?;
        Ok(height.unwrap_or_default())
    }

    /// What a ciphertext is, as far as the ledger says; empty if it names it nowhere.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn uses(&self, blob: BlobId) -> Result<Vec<BlobUse>, IndexError> {
        let uses = self.inner.db.begin_read()?.open_multimap_table(USES)?;
        uses.get(blob.as_bytes())?.map(|bytes| decode(bytes?.value())).collect()
    }

    /// Whether the ledger names a ciphertext.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn is_used(&self, blob: BlobId) -> Result<bool, IndexError> {
        Ok(self.inner.db.begin_read()?.open_table(OWNERS)?.get(blob.as_bytes())?.is_some())
    }

    /// Ciphertexts that the ledger names now, in all hospitals.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn used_count(&self, ledger: &Ledger) -> Result<u64, IndexError> {
        self.catch_up(ledger)?;
        Ok(self.inner.db.begin_read()?.open_table(OWNERS)?.len()?)
    }
}

fn index_block(write: &WriteTransaction, ledger: &Ledger, height: Height) -> Result<(), IndexError> {
    let Some(certified) = ledger.block(height)? else { return Ok(()) };
    for untrusted in &certified.block.transactions {
        let transaction = &untrusted.transaction;
        let tells = matches!(
            transaction.call,
            Call::RegisterRecords(_) | Call::PublishCard(_) | Call::GrantAccess(_) | Call::OrderErasure(_)
        );
        if !tells {
            continue;
        }
        let applied = ledger
            .receipt(transaction.id())?
            .is_some_and(|(_, receipt)| matches!(receipt.outcome, Outcome::Applied { .. }));
        if applied {
            index_transaction(write, ledger, transaction)?;
        }
    }
    Ok(())
}

fn index_transaction(
    write: &WriteTransaction,
    ledger: &Ledger,
    transaction: &Transaction,
) -> Result<(), IndexError> {
    match &transaction.call {
        Call::RegisterRecords(call) => {
            for entry in &call.records {
                note_use(write, entry.blob, call.patient, BlobUse::Record(entry.id))?;
            }
            super::staff::note_flows(write, transaction.id(), &call.flows)?;
        }
        Call::PublishCard(call) => {
            note_use(write, call.blob, transaction.sender, BlobUse::Card(call.locator))?;
            uploads::forget(write, call.blob)?;
        }
        Call::GrantAccess(call) => super::staff::note_grant(write, GrantId(transaction.id()), &call.grantee)?,
        Call::OrderErasure(call) => super::erased::note_order(write, ledger, &call.records)?,
        _ => {}
    }
    Ok(())
}

fn note_use(write: &WriteTransaction, blob: BlobId, owner: Did, used: BlobUse) -> Result<(), IndexError> {
    let mut owners = write.open_table(OWNERS)?;
    let first = owners.get(blob.as_bytes())?.map(|first| *first.value());
    match first {
        Some(first) if first != *owner.as_bytes() => {
            tracing::warn!(%blob, %owner, "ciphertext of another patient named on the ledger; ignored");
            return Ok(());
        }
        Some(_) => {}
        None => {
            owners.insert(blob.as_bytes(), owner.as_bytes())?;
        }
    }
    write.open_multimap_table(USES)?.insert(blob.as_bytes(), codec::encode(&used).as_slice())?;
    write.open_table(PEER_BLOBS)?.remove(blob.as_bytes())?;
    Ok(())
}

/// Bytes of the largest entry of the index; all are written here and much smaller.
const ENTRY_BYTES_MAX: usize = 256;

pub(super) fn decode<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, IndexError> {
    codec::decode(bytes, ENTRY_BYTES_MAX).map_err(|_| IndexError::Damaged { table: META.name() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::World;

    #[test]
    fn after_an_abrupt_stop_only_the_newest_blocks_are_indexed_again() {
        let world = World::new();
        while world.ledger.tip().height.0 <= BLOCKS_PER_STEP {
            world.commit(Vec::new());
            world.index.catch_up(&world.ledger).unwrap();
        }
        // What an abrupt stop would leave: the file as it is, without the closing of the store.
        let left = world.folder.path().join("left.redb");
        std::fs::copy(world.folder.path().join("vault.redb"), &left).unwrap();
        let index = VaultIndex::open(&left, world.chain()).unwrap();
        assert_eq!(index.height().unwrap(), Height(BLOCKS_PER_STEP));
        index.catch_up(&world.ledger).unwrap();
        assert_eq!(index.height().unwrap(), world.ledger.tip().height);
    }
}
