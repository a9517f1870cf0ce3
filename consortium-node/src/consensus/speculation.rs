//! Blocks that were executed here and are not committed.

use crate::ledger::ExecutedBlock;
use amulet_protocol::ids::{HeaderHash, Height};
use std::collections::VecDeque;
use std::sync::Arc;

/// Executed blocks kept until they are committed or overtaken: the one that is voted on, and some of earlier views.
pub const SPECULATIVE_BLOCKS_MAX: usize = 4;

/// Executed blocks by the hash of their header; the oldest goes first.
#[derive(Default)]
pub(super) struct Speculation(VecDeque<Arc<ExecutedBlock>>);

impl Speculation {
    /// Keeps a block; beyond the bound the oldest goes.
    pub(super) fn keep(&mut self, block: Arc<ExecutedBlock>) {
        self.0.retain(|kept| kept.hash() != block.hash());
        if self.0.len() == SPECULATIVE_BLOCKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(block);
    }

    /// Takes a block out, to commit it.
    pub(super) fn take(&mut self, hash: HeaderHash) -> Option<Arc<ExecutedBlock>> {
        let index = self.0.iter().position(|kept| kept.hash() == hash)?;
        self.0.remove(index)
    }

    /// Drops what can no longer be committed, because another block is at its height.
    pub(super) fn settle(&mut self, committed: Height) {
        self.0.retain(|kept| kept.height() > committed);
    }

    /// Blocks kept.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
