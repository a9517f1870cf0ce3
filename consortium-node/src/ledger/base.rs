//! What a block is executed on: the ledger's tip, or executed blocks on top of it that are not committed yet.

use super::epoch::EpochSet;
use super::error::{Detached, LedgerError};
use super::execute::ExecutedBlock;
use super::state_tree::{StateAt, get_node};
use super::store::Snapshot;
use amulet_contracts::StateRead;
use amulet_crypto::digest::Digest;
use amulet_protocol::header::Header;
use amulet_protocol::state::StateKey;
use ckb_merkle_mountain_range::{Error, MMRStoreReadOps};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use std::sync::Arc;

/// The ledger as it will be once `parents` are committed. Everything is read from the newest parent that has it, then
/// from the snapshot.
pub(super) struct Base<'a> {
    snapshot: &'a Snapshot,
    tip: Header,
    parents: &'a [Arc<ExecutedBlock>],
}

impl<'a> Base<'a> {
    /// The snapshot with `parents` on top, lowest first. Those that were committed since the caller looked are skipped:
    /// the caller need not know how far the ledger is.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        parents: &'a [Arc<ExecutedBlock>],
    ) -> Result<Result<Self, Detached>, LedgerError> {
        let tip = snapshot.tip()?;
        let committed = parents.iter().take_while(|parent| parent.height() <= tip.height).count();
        let hash = tip.hash();
        let detached = Detached { height: tip.height, tip: hash };
        if committed > 0 && parents[committed - 1].hash() != hash {
            return Ok(Err(detached));
        }
        let parents = &parents[committed..];
        let mut below = hash;
        for parent in parents {
            if parent.header().previous != below {
                return Ok(Err(detached));
            }
            below = parent.hash();
        }
        Ok(Ok(Self { snapshot, tip, parents }))
    }

    /// The header that the next block follows.
    pub(super) fn header(&self) -> &Header {
        self.parents.last().map_or(&self.tip, |parent| parent.header())
    }

    /// The epoch in force after the newest parent; `None` without parents.
    pub(super) fn next_epoch(&self) -> Option<Arc<EpochSet>> {
        self.parents.last().map(|parent| parent.next_epoch.clone())
    }

    /// The parent at this height; `None` for what the snapshot has.
    fn parent_at(&self, height: u64) -> Option<&ExecutedBlock> {
        let above = height.checked_sub(self.tip.height.0 + 1)?;
        self.parents.get(usize::try_from(above).ok()?).map(AsRef::as_ref)
    }
}

impl StateRead for Base<'_> {
    type Error = LedgerError;

    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.parents.iter().rev().find_map(|parent| parent.changes.get(key)) {
            Some(changed) => Ok(changed.clone()),
            None => StateAt { snapshot: self.snapshot, height: self.tip.height }.read(key),
        }
    }
}

impl TreeReader for Base<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        // A node's version is the height of the block that made it.
        match self.parent_at(key.version()) {
            Some(parent) => Ok(parent.state.nodes.get_node(key).cloned()),
            None => get_node(self.snapshot, key),
        }
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        anyhow::bail!("updating the tree needs no values")
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("updating the tree restores nothing")
    }
}

impl MMRStoreReadOps<Digest> for &Base<'_> {
    fn get_elem(&self, position: u64) -> ckb_merkle_mountain_range::Result<Option<Digest>> {
        let parents = self.parents.iter().rev().flat_map(|parent| &parent.range);
        match parents.into_iter().find(|(found, _)| *found == position) {
            Some((_, digest)) => Ok(Some(*digest)),
            None => self.snapshot.range_node(position).map_err(|error| Error::StoreError(error.to_string())),
        }
    }
}
