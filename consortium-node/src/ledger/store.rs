//! The tables of the ledger's file, and typed access to them. Everything that belongs to one block is written by one
//! transaction of the store, so a crash leaves either all of it or nothing.

use super::error::LedgerError;
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedCommitCertificate;
use amulet_protocol::codec;
use amulet_protocol::header::Header;
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{Did, Height, TxId};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::UntrustedTransaction;
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{
    Database, Key, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value,
};
use std::ops::RangeInclusive;
use std::path::Path;

/// Format of the file; raised by every change of a table's meaning.
pub(super) const LEDGER_FORMAT: u64 = 4;

/// A place in a list of a block: (height, index).
pub(super) type Place = (u64, u32);
/// A value of the state: tree key, then the height that wrote it in big-endian form. In one piece, because the store
/// compares the parts of a tuple, and arrays in them, item by item.
pub(super) type ValueKey = [u8; 40];
/// A history entry: DID, then its number in big-endian form.
pub(super) type HistoryKey = [u8; 28];

// Numbers are ordered as numbers by the store, tuples by their first part first.
/// `format` and `genesis`.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// Height to header.
pub(super) const HEADERS: TableDefinition<u64, &[u8]> = TableDefinition::new("headers");
/// Height to certificate; none at 0.
pub(super) const CERTIFICATES: TableDefinition<u64, &[u8]> = TableDefinition::new("certificates");
/// Place to transaction.
pub(super) const TRANSACTIONS: TableDefinition<Place, &[u8]> = TableDefinition::new("transactions");
/// Place to receipt.
pub(super) const RECEIPTS: TableDefinition<Place, &[u8]> = TableDefinition::new("receipts");
/// Transaction to its place; a transaction is in at most one block.
pub(super) const PLACES: TableDefinition<&[u8; 32], Place> = TableDefinition::new("places");
/// Personal histories.
pub(super) const HISTORY: TableDefinition<&HistoryKey, &[u8]> = TableDefinition::new("history");
/// Nodes of the state tree by encoded node key.
pub(super) const STATE_NODES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state_nodes");
/// Values of the state, each as [`value_row`] makes it.
pub(super) const STATE_VALUES: TableDefinition<&ValueKey, &[u8]> = TableDefinition::new("state_values");
/// Height to what its block made [`Stale`].
pub(super) const STALE: TableDefinition<u64, &[u8]> = TableDefinition::new("stale");
/// Nodes of the header range by position.
pub(super) const RANGE: TableDefinition<u64, &[u8; 32]> = TableDefinition::new("range");

/// Key of the format in [`META`].
pub(super) const META_FORMAT: &str = "format";
/// Key of the genesis document in [`META`].
pub(super) const META_GENESIS: &str = "genesis";

/// Key of the lowest height that is whole in [`META`]; missing while all are.
pub(super) const META_FLOOR: &str = "floor";
/// Key of the lowest height from which nothing was removed yet in [`META`].
pub(super) const META_PRUNED: &str = "pruned";
/// Key in [`META`] of the header whose state is being taken over from peers. Whoever finds it has no ledger.
pub(super) const META_RESTORING: &str = "restoring";

/// What the state after a block no longer has.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Stale {
    /// Stored keys of nodes.
    pub(super) nodes: Vec<Vec<u8>>,
    /// Tree keys whose older values were replaced or removed.
    pub(super) values: Vec<Digest>,
}

/// Opens the file, or makes an empty one.
pub(super) fn open(path: &Path) -> Result<Database, LedgerError> {
    Database::create(path).map_err(|source| LedgerError::Open { path: path.to_owned(), source })
}

/// Whether nothing was ever written to the file.
pub(super) fn is_new(db: &Database) -> Result<bool, LedgerError> {
    Ok(db.begin_read()?.list_tables()?.next().is_none())
}

/// The ledger as it is at one moment: what is committed later is not seen.
pub(super) struct Snapshot {
    meta: ReadOnlyTable<&'static str, &'static [u8]>,
    headers: ReadOnlyTable<u64, &'static [u8]>,
    certificates: ReadOnlyTable<u64, &'static [u8]>,
    transactions: ReadOnlyTable<Place, &'static [u8]>,
    receipts: ReadOnlyTable<Place, &'static [u8]>,
    places: ReadOnlyTable<&'static [u8; 32], Place>,
    history: ReadOnlyTable<&'static HistoryKey, &'static [u8]>,
    state_nodes: ReadOnlyTable<&'static [u8], &'static [u8]>,
    state_values: ReadOnlyTable<&'static ValueKey, &'static [u8]>,
    range: ReadOnlyTable<u64, &'static [u8; 32]>,
}

impl Snapshot {
    pub(super) fn new(db: &Database) -> Result<Self, LedgerError> {
        let read = db.begin_read()?;
        Ok(Self {
            meta: table(&read, &META)?,
            headers: table(&read, &HEADERS)?,
            certificates: table(&read, &CERTIFICATES)?,
            transactions: table(&read, &TRANSACTIONS)?,
            receipts: table(&read, &RECEIPTS)?,
            places: table(&read, &PLACES)?,
            history: table(&read, &HISTORY)?,
            state_nodes: table(&read, &STATE_NODES)?,
            state_values: table(&read, &STATE_VALUES)?,
            range: table(&read, &RANGE)?,
        })
    }

    pub(super) fn meta<T: BorshDeserialize>(&self, key: &str) -> Result<T, LedgerError> {
        let bytes = self.meta.get(key)?.ok_or(corrupt(&META))?;
        decode(bytes.value(), &META)
    }

    /// As [`Self::meta`]; `None` where nothing stands.
    pub(super) fn meta_option<T: BorshDeserialize>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        self.meta.get(key)?.map(|bytes| decode(bytes.value(), &META)).transpose()
    }

    /// Whether something stands at a key.
    pub(super) fn has_meta(&self, key: &str) -> Result<bool, LedgerError> {
        Ok(self.meta.get(key)?.is_some())
    }

    /// The lowest header that is here.
    pub(super) fn lowest_header(&self) -> Result<Header, LedgerError> {
        let (_, bytes) = self.headers.first()?.ok_or(corrupt(&HEADERS))?;
        decode(bytes.value(), &HEADERS)
    }

    /// The newest header.
    pub(super) fn tip(&self) -> Result<Header, LedgerError> {
        let (_, bytes) = self.headers.last()?.ok_or(corrupt(&HEADERS))?;
        decode(bytes.value(), &HEADERS)
    }

    /// Its height.
    pub(super) fn tip_height(&self) -> Result<Height, LedgerError> {
        let (height, _) = self.headers.last()?.ok_or(corrupt(&HEADERS))?;
        Ok(Height(height.value()))
    }

    pub(super) fn header(&self, height: Height) -> Result<Option<Header>, LedgerError> {
        self.headers.get(height.0)?.map(|bytes| decode(bytes.value(), &HEADERS)).transpose()
    }

    pub(super) fn certificate(
        &self,
        height: Height,
    ) -> Result<Option<UntrustedCommitCertificate>, LedgerError> {
        self.certificates.get(height.0)?.map(|bytes| decode(bytes.value(), &CERTIFICATES)).transpose()
    }

    pub(super) fn place(&self, id: TxId) -> Result<Option<Place>, LedgerError> {
        Ok(self.places.get(id.as_bytes())?.map(|place| place.value()))
    }

    /// The place of a transaction that was not removed.
    pub(super) fn kept_place(&self, id: TxId) -> Result<Option<Place>, LedgerError> {
        let floor = self.floor()?;
        Ok(self.place(id)?.filter(|(height, _)| Height(*height) >= floor))
    }

    /// A transaction in its encoding, for it is often passed on as it is.
    pub(super) fn transaction(&self, place: Place) -> Result<UntrustedTransaction, LedgerError> {
        let bytes = self.transactions.get(place)?.ok_or(corrupt(&TRANSACTIONS))?;
        decode(bytes.value(), &TRANSACTIONS)
    }

    pub(super) fn receipt(&self, place: Place) -> Result<Receipt, LedgerError> {
        let bytes = self.receipts.get(place)?.ok_or(corrupt(&RECEIPTS))?;
        decode(bytes.value(), &RECEIPTS)
    }

    pub(super) fn transactions(&self, height: Height) -> Result<Vec<UntrustedTransaction>, LedgerError> {
        let entries = self.transactions.range(places(height))?;
        entries.map(|entry| decode(entry?.1.value(), &TRANSACTIONS)).collect()
    }

    pub(super) fn receipts(&self, height: Height) -> Result<Vec<Receipt>, LedgerError> {
        let entries = self.receipts.range(places(height))?;
        entries.map(|entry| decode(entry?.1.value(), &RECEIPTS)).collect()
    }

    /// Entries of a history from number `from` on, lazily, so that the caller says when it has enough.
    pub(super) fn history(
        &self,
        did: Did,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<HistoryEntry, LedgerError>>, LedgerError> {
        let (first, last) = (history_key(did, from), history_key(did, u64::MAX));
        let entries = self.history.range::<&HistoryKey>(&first..=&last)?;
        Ok(entries.map(|entry| decode(entry?.1.value(), &HISTORY)))
    }

    pub(super) fn state_node(&self, key: &[u8]) -> Result<Option<jmt::storage::Node>, LedgerError> {
        self.state_nodes.get(key)?.map(|bytes| decode(bytes.value(), &STATE_NODES)).transpose()
    }

    /// The value at a tree key after block `height`.
    pub(super) fn state_value(&self, key: Digest, height: Height) -> Result<Option<Vec<u8>>, LedgerError> {
        let row = self.state_row(key, height)?;
        row.map_or(Ok(None), |row| Ok(value_of_row(&row)?.map(<[u8]>::to_vec)))
    }

    /// The row at a tree key after block `height`.
    pub(super) fn state_row(&self, key: Digest, height: Height) -> Result<Option<Vec<u8>>, LedgerError> {
        let (first, last) = (value_key(key, Height(0)), value_key(key, height));
        let newest = self.state_values.range::<&ValueKey>(&first..=&last)?.next_back().transpose()?;
        Ok(newest.map(|(_, row)| row.value().to_vec()))
    }

    /// The lowest height that is whole; what lies below may have been removed.
    pub(super) fn floor(&self) -> Result<Height, LedgerError> {
        Ok(self.meta_option(META_FLOOR)?.unwrap_or(Height(0)))
    }

    pub(super) fn range_node(&self, position: u64) -> Result<Option<Digest>, LedgerError> {
        Ok(self.range.get(position)?.map(|digest| Digest::from_bytes(*digest.value())))
    }
}

/// Key of a value of the state.
pub(super) fn value_key(key: Digest, height: Height) -> ValueKey {
    let mut bytes = [0; 40];
    bytes[..32].copy_from_slice(key.as_bytes());
    bytes[32..].copy_from_slice(&height.0.to_be_bytes());
    bytes
}

/// Key of a history entry.
pub(super) fn history_key(did: Did, number: u64) -> HistoryKey {
    let mut bytes = [0; 28];
    bytes[..20].copy_from_slice(did.as_bytes());
    bytes[20..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// A row of [`STATE_VALUES`]: the length of the encoded state key, the key, the value; a single zero byte where a block
/// removed the value. The key is kept because its hash does not tell it, and whoever takes over a copy of the state has to
/// find the histories that belong to it.
pub(super) fn value_row(key: &StateKey, value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return vec![0] };
    let key = codec::encode(key);
    let length = u8::try_from(key.len()).expect("a state key is a tag and a digest");
    [&[length], key.as_slice(), value].concat()
}

/// The value in a row; `None` where a block removed it.
pub(super) fn value_of_row(row: &[u8]) -> Result<Option<&[u8]>, LedgerError> {
    match row.split_first() {
        Some((0, [])) => Ok(None),
        Some((length, rest)) if *length > 0 => {
            rest.get(usize::from(*length)..).map(Some).ok_or(corrupt(&STATE_VALUES))
        }
        _ => Err(corrupt(&STATE_VALUES)),
    }
}

/// The state key in a row that has a value.
pub(super) fn key_of_row(row: &[u8]) -> Result<StateKey, LedgerError> {
    let key = row.split_first().and_then(|(length, rest)| rest.get(..usize::from(*length)));
    decode(key.ok_or(corrupt(&STATE_VALUES))?, &STATE_VALUES)
}

pub(super) fn places(height: Height) -> RangeInclusive<Place> {
    (height.0, 0)..=(height.0, u32::MAX)
}

/// A table that is missing or of another type was not written by this program: the file is damaged.
fn table<K: Key + 'static, V: Value + 'static>(
    read: &redb::ReadTransaction,
    definition: &'static TableDefinition<'static, K, V>,
) -> Result<ReadOnlyTable<K, V>, LedgerError> {
    read.open_table(*definition).map_err(|error| match error {
        redb::TableError::Storage(error) => error.into(),
        _ => corrupt(definition),
    })
}

fn decode<T: BorshDeserialize, K: Key + 'static, V: Value + 'static>(
    bytes: &[u8],
    table: &'static TableDefinition<'static, K, V>,
) -> Result<T, LedgerError> {
    // The limit was applied before the bytes were written.
    codec::decode(bytes, usize::MAX).map_err(|_| corrupt(table))
}

/// The error for a table that does not hold what was written there.
pub(super) fn corrupt<K: Key + 'static, V: Value + 'static>(
    table: &'static TableDefinition<'static, K, V>,
) -> LedgerError {
    LedgerError::Corrupt { table: table.name() }
}
