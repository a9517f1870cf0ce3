//! Removing what no longer has to be kept: transactions, receipts, certificates and the state below a height, the floor.
//! Headers, the header range, personal histories, the places of transactions and the certificates that end an epoch stay.
//!
//! First the floor is raised, so that nothing below it is answered for any more; then what lies below is removed in
//! bounded steps, each a transaction of the store, so that a block never waits long for the store.

use super::commit::begin;
use super::error::LedgerError;
use super::store::{self, META, META_FLOOR, META_PRUNED, Snapshot, Stale, corrupt, places, value_key};
use super::transfer::BLOCKS_PER_SNAPSHOT;
use amulet_protocol::codec;
use amulet_protocol::header::Header;
use amulet_protocol::ids::Height;
use redb::{Database, ReadableTable, WriteTransaction};

/// Heights that one step empties: a block of two thousand transactions has about as many rows as five of them, so a step
/// holds up a block about as long as a full block before it would.
const HEIGHTS_PER_STEP: u64 = 4;

/// How far pruning has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// Something was removed, more is to be.
    More,
    /// Nothing is left to be removed.
    Done,
}

/// Does one step towards keeping `keep_blocks` blocks below the tip, and the state after each of them.
pub(super) fn step(db: &Database, keep_blocks: u64) -> Result<Pruned, LedgerError> {
    let snapshot = Snapshot::new(db)?;
    let lowest_kept = snapshot.tip_height()?.0.saturating_sub(keep_blocks);
    let floor = snapshot.floor()?.max(Height(lowest_kept - lowest_kept % BLOCKS_PER_SNAPSHOT));
    step_to(db, &snapshot, floor)
}

/// As [`step`], but up to the tip itself, so that the state at the newest snapshot height goes as well: a deliberate bug.
#[cfg(feature = "planted")]
pub(super) fn step_too_far(db: &Database) -> Result<Pruned, LedgerError> {
    let snapshot = Snapshot::new(db)?;
    let floor = snapshot.floor()?.max(snapshot.tip_height()?);
    step_to(db, &snapshot, floor)
}

/// Does one step towards a floor.
fn step_to(db: &Database, snapshot: &Snapshot, floor: Height) -> Result<Pruned, LedgerError> {
    if floor > snapshot.floor()? {
        put(db, META_FLOOR, floor)?;
    }
    let pruned = snapshot.meta_option(META_PRUNED)?.unwrap_or(Height(0));
    if pruned >= floor {
        return Ok(Pruned::Done);
    }
    let end = floor.min(Height(pruned.0 + HEIGHTS_PER_STEP));
    let write = begin(db)?;
    for height in (pruned.0..end.0).map(Height) {
        remove(&write, snapshot, height)?;
    }
    write.open_table(META)?.insert(META_PRUNED, codec::encode(&end).as_slice())?;
    write.commit()?;
    Ok(if end < floor { Pruned::More } else { Pruned::Done })
}

fn put(db: &Database, key: &str, height: Height) -> Result<(), LedgerError> {
    let write = begin(db)?;
    write.open_table(META)?.insert(key, codec::encode(&height).as_slice())?;
    Ok(write.commit()?)
}

/// Removes block `height` and what only the state after it has.
fn remove(write: &WriteTransaction, snapshot: &Snapshot, height: Height) -> Result<(), LedgerError> {
    write.open_table(store::TRANSACTIONS)?.retain_in(places(height), |_, _| false)?;
    write.open_table(store::RECEIPTS)?.retain_in(places(height), |_, _| false)?;
    let header: Header = snapshot.header(height)?.ok_or(corrupt(&store::HEADERS))?;
    if header.validators_hash == header.next_validators_hash {
        write.open_table(store::CERTIFICATES)?.remove(height.0)?;
    }
    let mut rows = write.open_table(store::STALE)?;
    let next = height.next();
    let stale: Option<Stale> = match rows.remove(next.0)? {
        Some(row) => Some(codec::decode(row.value(), usize::MAX).map_err(|_| corrupt(&store::STALE))?),
        None => None,
    };
    remove_state(write, &stale.ok_or(corrupt(&store::STALE))?, next)
}

/// Removes what the block at `height` replaced.
fn remove_state(write: &WriteTransaction, stale: &Stale, height: Height) -> Result<(), LedgerError> {
    let mut nodes = write.open_table(store::STATE_NODES)?;
    for key in &stale.nodes {
        nodes.remove(key.as_slice())?;
    }
    let mut values = write.open_table(store::STATE_VALUES)?;
    for key in &stale.values {
        let (first, own) = (value_key(*key, Height(0)), value_key(*key, height));
        values.retain_in::<&store::ValueKey, _>(&first..&own, |_, _| false)?;
        // Where this block removed the value, nothing is left to hide.
        let row = values.get(&own)?.map(|row| row.value().to_vec());
        if let Some(row) = row
            && store::value_of_row(&row)?.is_none()
        {
            values.remove(&own)?;
        }
    }
    Ok(())
}
