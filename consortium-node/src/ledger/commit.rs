//! Writing blocks: one transaction of the store for each, on the disk before it returns.

use super::Tip;
use super::epoch;
use super::error::{CommitError, LedgerError};
use super::execute::{ExecutedBlock, genesis_block};
use super::range;
use super::state_tree::{StateAt, TreeUpdate, node_key};
use super::store::{self, Snapshot, Stale, corrupt};
use amulet_contracts::Changes;
use amulet_protocol::certificate::{
    CertifiedHeader, UntrustedCommitCertificate, UntrustedSignedHeader, VoteCheck,
};
use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Did, Height};
use redb::{Database, Durability, ReadableTable, WriteTransaction};

/// Starts a new file with the genesis document and block 0.
pub(super) fn start(db: &Database, genesis: &Genesis) -> Result<(), LedgerError> {
    let (header, changes, state) = genesis_block(genesis)?;
    let write = begin(db)?;
    {
        let mut meta = write.open_table(store::META)?;
        meta.insert(store::META_FORMAT, codec::encode(&store::LEDGER_FORMAT).as_slice())?;
        meta.insert(store::META_GENESIS, codec::encode(genesis).as_slice())?;
    }
    create_tables(&write)?;
    put_header(&write, &header)?;
    put_state(&write, header.height, &changes, &state)?;
    Ok(write.commit()?)
}

/// Checks that the file is a ledger of this chain and that its newest block is whole.
pub(super) fn check_file(
    snapshot: &Snapshot,
    chain: ChainId,
    votes: &dyn VoteCheck,
) -> Result<Tip, LedgerError> {
    if snapshot.has_meta(store::META_RESTORING)? {
        return Err(LedgerError::Unfinished);
    }
    let found = snapshot.meta(store::META_FORMAT)?;
    if found != store::LEDGER_FORMAT {
        return Err(LedgerError::Format { found, expected: store::LEDGER_FORMAT });
    }
    let found = snapshot.meta::<Genesis>(store::META_GENESIS)?.chain_id();
    if found != chain {
        return Err(LedgerError::OtherChain { found, expected: chain });
    }
    let header = snapshot.tip()?;
    let state = StateAt { snapshot, height: header.height };
    if state.root()? != header.state_root {
        return Err(corrupt(&store::STATE_NODES));
    }
    if range::root_at(snapshot, header.height)? != header.range_root {
        return Err(corrupt(&store::RANGE));
    }
    let tip = Tip::of(&header);
    if header.height > Height(0) {
        let certificate = snapshot.certificate(header.height)?.ok_or(corrupt(&store::CERTIFICATES))?;
        let epoch = epoch::at(snapshot, header.height)?.ok_or(corrupt(&store::STATE_VALUES))?;
        let signed = UntrustedSignedHeader { header, certificate };
        signed.verify_by(votes, chain, &epoch.validators).map_err(|_| corrupt(&store::CERTIFICATES))?;
    }
    Ok(tip)
}

/// Writes a block on top of the tip it was executed on, with the certificate of its header.
pub(super) fn commit(
    db: &Database,
    block: &ExecutedBlock,
    certified: &CertifiedHeader,
) -> Result<Tip, CommitError> {
    let write = begin(db)?;
    // The store has one writer at a time, so the tip read here stays the tip until this block is written.
    let tip = newest(&write)?;
    if tip.hash != block.header().previous {
        return Err(CommitError::NotOnTip { height: block.height(), base: block.header().previous, tip });
    }
    put_header(&write, block.header())?;
    put_state(&write, block.height(), &block.changes, &block.state)?;
    put_certificate(&write, block.height(), &certified.as_signed().certificate)?;
    put_transactions(&write, block)?;
    put_history(&write, &block.history)?;
    put_range(&write, block)?;
    write.commit().map_err(LedgerError::from)?;
    Ok(Tip::of(block.header()))
}

pub(super) fn begin(db: &Database) -> Result<WriteTransaction, LedgerError> {
    let mut write = db.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    // No quick repair: reading the whole file after an abrupt stop takes its time, and is what notices damage to it.
    Ok(write)
}

fn newest(write: &WriteTransaction) -> Result<Tip, LedgerError> {
    let headers = write.open_table(store::HEADERS)?;
    let (_, bytes) = headers.last()?.ok_or(corrupt(&store::HEADERS))?;
    let header: Header = codec::decode(bytes.value(), usize::MAX).map_err(|_| corrupt(&store::HEADERS))?;
    Ok(Tip::of(&header))
}

/// Makes the tables that block 0 leaves empty, so that a missing table is always damage.
pub(super) fn create_tables(write: &WriteTransaction) -> Result<(), LedgerError> {
    write.open_table(store::CERTIFICATES)?;
    write.open_table(store::TRANSACTIONS)?;
    write.open_table(store::RECEIPTS)?;
    write.open_table(store::PLACES)?;
    write.open_table(store::HISTORY)?;
    write.open_table(store::RANGE)?;
    write.open_table(store::STALE)?;
    Ok(())
}

fn put_header(write: &WriteTransaction, header: &Header) -> Result<(), LedgerError> {
    write.open_table(store::HEADERS)?.insert(header.height.0, codec::encode(header).as_slice())?;
    Ok(())
}

fn put_certificate(
    write: &WriteTransaction,
    height: Height,
    certificate: &UntrustedCommitCertificate,
) -> Result<(), LedgerError> {
    let mut table = write.open_table(store::CERTIFICATES)?;
    table.insert(height.0, codec::encode(certificate).as_slice())?;
    Ok(())
}

fn put_state(
    write: &WriteTransaction,
    height: Height,
    changes: &Changes,
    update: &TreeUpdate,
) -> Result<(), LedgerError> {
    let mut nodes = write.open_table(store::STATE_NODES)?;
    for (key, node) in update.nodes.nodes() {
        nodes.insert(node_key(key).as_slice(), codec::encode(node).as_slice())?;
    }
    let mut stale = Stale { nodes: update.stale.iter().cloned().collect(), values: Vec::new() };
    let mut values = write.open_table(store::STATE_VALUES)?;
    for (key, value) in changes {
        let row = store::value_row(key, value.as_deref());
        let hash = key.hash();
        values.insert(&store::value_key(hash, height), row.as_slice())?;
        stale.values.push(hash);
    }
    write.open_table(store::STALE)?.insert(height.0, codec::encode(&stale).as_slice())?;
    Ok(())
}

fn put_transactions(write: &WriteTransaction, block: &ExecutedBlock) -> Result<(), LedgerError> {
    let height = block.height().0;
    let mut transactions = write.open_table(store::TRANSACTIONS)?;
    let mut receipts = write.open_table(store::RECEIPTS)?;
    let mut places = write.open_table(store::PLACES)?;
    let rows = block.block.transactions.iter().zip(&block.receipts).zip(&block.receipt_bytes);
    for (index, ((transaction, receipt), receipt_bytes)) in (0u32..).zip(rows) {
        let place = (height, index);
        transactions.insert(place, codec::encode(transaction).as_slice())?;
        receipts.insert(place, receipt_bytes.as_slice())?;
        places.insert(receipt.transaction.as_bytes(), place)?;
    }
    Ok(())
}

fn put_history(write: &WriteTransaction, history: &[(Did, HistoryEntry)]) -> Result<(), LedgerError> {
    let mut table = write.open_table(store::HISTORY)?;
    for (did, entry) in history {
        table.insert(&store::history_key(*did, entry.number), codec::encode(entry).as_slice())?;
    }
    Ok(())
}

fn put_range(write: &WriteTransaction, block: &ExecutedBlock) -> Result<(), LedgerError> {
    let mut table = write.open_table(store::RANGE)?;
    for (position, digest) in &block.range {
        table.insert(position, digest.as_bytes())?;
    }
    Ok(())
}
