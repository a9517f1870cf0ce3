//! The header range over the store.

use super::error::LedgerError;
use super::store::{HEADERS, Snapshot, corrupt};
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{HeaderHash, Height};
use amulet_protocol::range::{
    RangeMerge, UntrustedRangeBatch, UntrustedRangeProof, prove_range, prove_range_many, range_leaf,
    range_root, range_size,
};
use ckb_merkle_mountain_range::{Error, MMR, MMRStoreReadOps, MMRStoreWriteOps};

/// Range nodes as the mountain range reads them, and those it adds.
struct RangeNodes<S> {
    store: S,
    added: Vec<(u64, Digest)>,
}

impl<S: MMRStoreReadOps<Digest>> MMRStoreReadOps<Digest> for RangeNodes<S> {
    fn get_elem(&self, position: u64) -> ckb_merkle_mountain_range::Result<Option<Digest>> {
        self.store.get_elem(position)
    }
}

impl<S> MMRStoreWriteOps<Digest> for RangeNodes<S> {
    fn append(&mut self, position: u64, digests: Vec<Digest>) -> ckb_merkle_mountain_range::Result<()> {
        self.added.extend((position..).zip(digests));
        Ok(())
    }
}

impl MMRStoreReadOps<Digest> for &Snapshot {
    fn get_elem(&self, position: u64) -> ckb_merkle_mountain_range::Result<Option<Digest>> {
        self.range_node(position).map_err(|error| Error::StoreError(error.to_string()))
    }
}

/// The range that the header at `height` carries: over all lower headers.
fn range_of<S: MMRStoreReadOps<Digest>>(store: S, height: Height) -> MMR<Digest, RangeMerge, RangeNodes<S>> {
    MMR::new(range_size(height.0), RangeNodes { store, added: Vec::new() })
}

/// The range after one more header.
pub(super) struct Extended {
    /// Root for the header that comes next.
    pub(super) root: Digest,
    /// New nodes by position.
    pub(super) nodes: Vec<(u64, Digest)>,
}

/// Extends the range by the header at `height`, on which the next block stands.
pub(super) fn extend<S: MMRStoreReadOps<Digest>>(
    store: S,
    height: Height,
    hash: HeaderHash,
) -> Result<Extended, LedgerError> {
    let mut range = range_of(store, height);
    range.push(range_leaf(hash)).map_err(LedgerError::Range)?;
    let root = range_root(height.next().0, Some(range.get_root().map_err(LedgerError::Range)?));
    range.commit().map_err(LedgerError::Range)?;
    Ok(Extended { root, nodes: range.store().added.clone() })
}

/// The nodes that the headers of these heights, all stored, add to a range of those below.
pub(super) fn extend_by(
    snapshot: &Snapshot,
    heights: std::ops::Range<u64>,
) -> Result<Vec<(u64, Digest)>, LedgerError> {
    let mut range = range_of(snapshot, Height(heights.start));
    for height in heights.map(Height) {
        let header = snapshot.header(height)?.ok_or(corrupt(&HEADERS))?;
        range.push(range_leaf(header.hash())).map_err(LedgerError::Range)?;
    }
    range.commit().map_err(LedgerError::Range)?;
    Ok(range.store().added.clone())
}

/// Root of the range that the header at `height` carries.
pub(super) fn root_at(snapshot: &Snapshot, height: Height) -> Result<Digest, LedgerError> {
    if height.0 == 0 {
        return Ok(range_root(0, None));
    }
    Ok(range_root(height.0, Some(range_of(snapshot, height).get_root().map_err(LedgerError::Range)?)))
}

/// Proof that the header at `older` is in the range of the header at `newer`.
pub(super) fn prove(
    snapshot: &Snapshot,
    older: Height,
    newer: Height,
) -> Result<UntrustedRangeProof, LedgerError> {
    prove_range(snapshot, older, newer).map_err(LedgerError::Range)
}

/// Proof that the headers at `older` (ascending, below `newer`) are in the range of the header at `newer`.
pub(super) fn prove_many(
    snapshot: &Snapshot,
    older: Vec<Height>,
    newer: Height,
) -> Result<UntrustedRangeBatch, LedgerError> {
    prove_range_many(snapshot, older, newer).map_err(LedgerError::Range)
}
