//! The tree of the state while it is copied: `jmt`'s restoration over the store. It takes the leaves from left to right,
//! proves each chunk against the root, and freezes what lies left of it; a chunk is written by one transaction of the
//! store with the place from which to go on.

use super::super::commit::begin;
use super::super::error::LedgerError;
use super::super::state_tree::{get_node, node_key};
use super::super::store::{self, META, Snapshot, corrupt};
use super::{HISTORIES_LEFT, META_LEAF, META_STATE_DONE};
use amulet_crypto::digest::Digest;
use amulet_protocol::codec;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::Height;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::{TreeHasher, key_hash};
use jmt::proof::SparseMerkleRangeProof;
use jmt::restore::{JellyfishMerkleRestore, StateSnapshotReceiver};
use jmt::storage::{LeafNode, Node, NodeBatch, NodeKey, TreeReader, TreeWriter};
use jmt::{KeyHash, OwnedValue, RootHash, Version};
use redb::{Database, WriteTransaction};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A tree being copied: opened for one chunk, so that it never differs from what is on the disk.
pub(super) struct TreeCopy {
    store: Arc<TreeStore>,
    restore: JellyfishMerkleRestore<TreeHasher>,
    from: Digest,
}

/// Lowest key that is wanted next. The last leaf of a chunk is not final before its successor is known, so it comes again.
pub(super) fn wanted_from(snapshot: &Snapshot) -> Result<Digest, LedgerError> {
    let rightmost = snapshot.meta_option::<(NodeKey, LeafNode)>(META_LEAF)?;
    Ok(rightmost.map_or(Digest::ZERO, |(_, leaf)| after(leaf.key_hash())))
}

/// Why a chunk was not taken.
pub(super) enum ChunkError {
    /// It is not what the root covers.
    Wrong,
    /// This node's store failed.
    Ledger(LedgerError),
}

impl From<LedgerError> for ChunkError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl TreeCopy {
    /// Begins, or goes on where the last chunk ended that is on the disk.
    pub(super) fn open(db: Arc<Database>, height: Height, root: Digest) -> Result<Self, LedgerError> {
        let snapshot = Snapshot::new(&db)?;
        let from = wanted_from(&snapshot)?;
        let store = Arc::new(TreeStore { db, snapshot, height, root, keys: Mutex::default() });
        let restore = JellyfishMerkleRestore::new(store.clone(), height.0, RootHash(root.to_bytes()));
        Ok(Self { restore: restore.map_err(failed)?, store, from })
    }

    /// Takes a chunk.
    pub(super) fn add(
        mut self,
        rows: Vec<(StateKey, Vec<u8>)>,
        proof: SparseMerkleRangeProof<TreeHasher>,
    ) -> Result<Self, ChunkError> {
        let (mut chunk, mut keys) = (Vec::with_capacity(rows.len()), BTreeMap::new());
        let mut from = self.from;
        for (key, value) in rows {
            let hash = key_hash(&key);
            // The restoration takes for granted that keys rise.
            if hash.0 < from.to_bytes() {
                return Err(ChunkError::Wrong);
            }
            from = after(hash);
            chunk.push((hash, value));
            keys.insert(hash, key);
        }
        *self.store.keys() = keys;
        guarded(move || {
            self.restore.add_chunk(chunk, proof)?;
            Ok(self)
        })
    }

    /// Nothing lies to the right any more: writes what was open, if all of it makes the root.
    pub(super) fn finish(self) -> Result<(), ChunkError> {
        guarded(move || self.restore.finish())
    }
}

/// The lowest key above `key`; the highest stays.
fn after(key: KeyHash) -> Digest {
    let mut bytes = key.0;
    for byte in bytes.iter_mut().rev() {
        let (next, carried) = byte.overflowing_add(1);
        *byte = next;
        if !carried {
            return Digest::from_bytes(bytes);
        }
    }
    Digest::from_bytes([u8::MAX; 32])
}

/// The restoration builds nodes from rows before it holds them against the proof, and asserts what only right rows give: a
/// peer that leaves a row out would end this node. What it was building is gone with it, and nothing was written.
fn guarded<T>(work: impl FnOnce() -> anyhow::Result<T>) -> Result<T, ChunkError> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    done.map_err(|_| ChunkError::Wrong)?.map_err(wrong)
}

/// What the restoration reports is the store's own error, handed through, or that the chunk is wrong.
fn wrong(error: anyhow::Error) -> ChunkError {
    error.downcast().map_or(ChunkError::Wrong, ChunkError::Ledger)
}

fn failed(error: anyhow::Error) -> LedgerError {
    error.downcast().unwrap_or_else(|_| corrupt(&store::STATE_NODES))
}

/// Where the restoration writes.
struct TreeStore {
    db: Arc<Database>,
    snapshot: Snapshot,
    height: Height,
    root: Digest,
    /// The keys of the chunk that is being taken.
    keys: Mutex<BTreeMap<KeyHash, StateKey>>,
}

impl TreeStore {
    fn keys(&self) -> MutexGuard<'_, BTreeMap<KeyHash, StateKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, batch: &NodeBatch) -> Result<(), LedgerError> {
        let write = begin(&self.db)?;
        self.write_values(&write, batch)?;
        let mut nodes = write.open_table(store::STATE_NODES)?;
        let mut rightmost: Option<(&NodeKey, &LeafNode)> = None;
        for (key, node) in batch.nodes() {
            nodes.insert(node_key(key).as_slice(), codec::encode(node).as_slice())?;
            if let Node::Leaf(leaf) = node
                && rightmost.is_none_or(|(_, found)| found.key_hash() < leaf.key_hash())
            {
                rightmost = Some((key, leaf));
            }
        }
        drop(nodes);
        let mut meta = write.open_table(META)?;
        if let Some((key, leaf)) = rightmost {
            meta.insert(META_LEAF, codec::encode(&(key.clone(), leaf.clone())).as_slice())?;
        }
        if batch.nodes().keys().any(|key| key.nibble_path().is_empty()) {
            meta.insert(META_STATE_DONE, [].as_slice())?;
        }
        drop(meta);
        Ok(write.commit()?)
    }

    /// Values with their keys; the heads among them say which histories are wanted.
    fn write_values(&self, write: &WriteTransaction, batch: &NodeBatch) -> Result<(), LedgerError> {
        let keys = self.keys();
        let mut values = write.open_table(store::STATE_VALUES)?;
        let mut histories = write.open_table(HISTORIES_LEFT)?;
        for ((_, hash), value) in batch.values() {
            let (Some(key), Some(value)) = (keys.get(hash), value) else {
                return Err(corrupt(&store::STATE_VALUES));
            };
            let row = store::value_row(key, Some(value));
            values.insert(&store::value_key(Digest::from_bytes(hash.0), self.height), row.as_slice())?;
            if let StateKey::History(did) = key {
                // Proven to be in the state, where only the contracts write.
                let head: HistoryHead =
                    codec::decode(value, usize::MAX).map_err(|_| corrupt(&store::STATE_VALUES))?;
                histories.insert(did.as_bytes(), codec::encode(&head).as_slice())?;
            }
        }
        Ok(())
    }

    /// Whether the batch's root, if it has one, is the one that was certified.
    fn is_right(&self, batch: &NodeBatch) -> bool {
        let root = batch.nodes().iter().find(|(key, _)| key.nibble_path().is_empty());
        root.is_none_or(|(_, node)| match node {
            Node::Internal(node) => node.hash::<TreeHasher>() == self.root.to_bytes(),
            Node::Leaf(node) => node.hash::<TreeHasher>() == self.root.to_bytes(),
            Node::Null => false,
        })
    }
}

impl TreeWriter for TreeStore {
    fn write_node_batch(&self, batch: &NodeBatch) -> anyhow::Result<()> {
        anyhow::ensure!(self.is_right(batch), "something is missing to the right");
        Ok(self.write(batch)?)
    }
}

impl TreeReader for TreeStore {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        get_node(&self.snapshot, key)
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        anyhow::bail!("restoring the tree needs no values")
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(self.snapshot.meta_option(META_LEAF)?)
    }
}
