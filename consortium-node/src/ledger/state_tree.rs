//! The state tree over the store: its version is the height of the block.

use super::error::LedgerError;
use super::store::{STATE_NODES, Snapshot, corrupt};
use amulet_contracts::{Changes, StateRead};
use amulet_crypto::digest::Digest;
use amulet_protocol::codec;
use amulet_protocol::ids::Height;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::{TreeHasher, UntrustedStateProof, key_hash};
use jmt::storage::{LeafNode, Node, NodeBatch, NodeKey, TreeReader};
use jmt::{JellyfishMerkleIterator, JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The state after a block.
pub(super) struct StateAt<'a> {
    /// Where it is read.
    pub(super) snapshot: &'a Snapshot,
    /// After which block.
    pub(super) height: Height,
}

impl StateRead for StateAt<'_> {
    type Error = LedgerError;

    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        self.snapshot.state_value(key.hash(), self.height)
    }
}

impl StateAt<'_> {
    /// Value or absence of a key, with proof.
    pub(super) fn prove(&self, key: &StateKey) -> Result<UntrustedStateProof, LedgerError> {
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(self.snapshot);
        let (value, proof) = tree.get_with_proof(key_hash(key), self.height.0).map_err(tree_error)?;
        Ok(UntrustedStateProof::new(value, &proof))
    }

    /// Root after the block.
    pub(super) fn root(&self) -> Result<Digest, LedgerError> {
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(self.snapshot);
        Ok(Digest::from_bytes(tree.get_root_hash(self.height.0).map_err(tree_error)?.0))
    }
}

/// What a block does to the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TreeUpdate {
    /// New nodes.
    pub(super) nodes: NodeBatch,
    /// Stored keys of the nodes that the state after the block no longer has.
    pub(super) stale: BTreeSet<Vec<u8>>,
}

/// Root and tree after `changes` were made by the block at `height`, on the state of the block before.
pub(super) fn update<R: TreeReader>(
    reader: &R,
    height: Height,
    changes: &Changes,
) -> Result<(Digest, TreeUpdate), LedgerError> {
    let tree = JellyfishMerkleTree::<_, TreeHasher>::new(reader);
    let put: Option<Vec<_>> =
        changes.iter().map(|(key, value)| Some((key_hash(key), value.clone()?))).collect();
    let (root, batch) = match put {
        // All at once: every inner node is hashed once, not once for each key below it.
        Some(values) if !values.is_empty() => {
            let (roots, batch) =
                tree.batch_put_value_sets(vec![values], None, height.0).map_err(tree_error)?;
            (roots[0], batch)
        }
        // The tree cannot remove keys that way, and removals are rare.
        _ => {
            let values = changes.iter().map(|(key, value)| (key_hash(key), value.clone()));
            tree.put_value_set(values, height.0).map_err(tree_error)?
        }
    };
    let nodes = batch.node_batch;
    let mut stale: BTreeSet<_> =
        batch.stale_node_index_batch.iter().map(|index| node_key(&index.node_key)).collect();
    // The tree gives each version a root of its own, but does not say that the one before is stale if nothing changed.
    let root_key = nodes.nodes().keys().find(|key| key.nibble_path().is_empty()).map(node_key);
    if let (Some(mut root_key), Some(below)) = (root_key, height.0.checked_sub(1)) {
        root_key[..8].copy_from_slice(&below.to_be_bytes());
        stale.insert(root_key);
    }
    Ok((Digest::from_bytes(root.0), TreeUpdate { nodes, stale }))
}

/// Key of a node in the store: the version in big-endian form first, so that a block's nodes lie side by side and each
/// block is written behind the one before.
pub(super) fn node_key(key: &NodeKey) -> Vec<u8> {
    let mut bytes = key.version().to_be_bytes().to_vec();
    bytes.append(&mut codec::encode(key.nibble_path()));
    bytes
}

/// A node of the store.
pub(super) fn get_node(snapshot: &Snapshot, key: &NodeKey) -> anyhow::Result<Option<Node>> {
    Ok(snapshot.state_node(&node_key(key))?)
}

impl TreeReader for Snapshot {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        get_node(self, key)
    }

    fn get_value_option(&self, version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.state_value(Digest::from_bytes(key.0), Height(version))?)
    }

    /// Serves the tree's restoration from a peer's copy, which is not done on a ledger in use.
    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// The state's rows, with their keys, as values of the tree: for whoever takes a copy of it.
pub(super) struct StateRows(pub(super) Snapshot);

impl StateRows {
    /// The rows after block `height` from a key on, in the order of the keys' hashes.
    pub(super) fn iterate(
        rows: &Arc<Self>,
        height: Height,
        from: Digest,
    ) -> Result<impl Iterator<Item = Result<(KeyHash, Vec<u8>), LedgerError>>, LedgerError> {
        let from = KeyHash(from.to_bytes());
        let iterator = JellyfishMerkleIterator::new(rows.clone(), height.0, from).map_err(tree_error)?;
        Ok(iterator.map(|row| row.map_err(tree_error)))
    }

    /// Encoded proof that the value at `key`, with everything to its left, is in the state after block `height`.
    pub(super) fn range_proof(&self, key: KeyHash, height: Height) -> Result<Vec<u8>, LedgerError> {
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&self.0);
        Ok(codec::encode(&tree.get_range_proof(key, height.0).map_err(tree_error)?))
    }
}

impl TreeReader for StateRows {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        get_node(&self.0, key)
    }

    fn get_value_option(&self, version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.0.state_row(Digest::from_bytes(key.0), Height(version))?)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// The tree before the genesis block.
pub(super) struct EmptyTree;

impl TreeReader for EmptyTree {
    fn get_node_option(&self, _: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(None)
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(None)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// What the tree reports is either the store's own error, handed through, or a node that should be there and is not.
fn tree_error(error: anyhow::Error) -> LedgerError {
    error.downcast().unwrap_or_else(|_| corrupt(&STATE_NODES))
}
