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
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};

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
        self.snapshot.state_value(key.hash().to_bytes(), self.height.0)
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

/// Root and new nodes after `changes` were made by the block at `height`, on the state of the block before.
pub(super) fn update<R: TreeReader>(
    reader: &R,
    height: Height,
    changes: &Changes,
) -> Result<(Digest, NodeBatch), LedgerError> {
    let values = changes.iter().map(|(key, value)| (key_hash(key), value.clone()));
    let tree = JellyfishMerkleTree::<_, TreeHasher>::new(reader);
    let (root, batch) = tree.put_value_set(values, height.0).map_err(tree_error)?;
    Ok((Digest::from_bytes(root.0), batch.node_batch))
}

impl TreeReader for Snapshot {
    fn get_node_option(&self, node_key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.state_node(&codec::encode(node_key))?)
    }

    fn get_value_option(&self, version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.state_value(key.0, version)?)
    }

    /// Serves the tree's restoration from a peer's copy, which the ledger does not do: it executes every block.
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
