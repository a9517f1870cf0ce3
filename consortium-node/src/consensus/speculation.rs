//! Blocks that were executed here and are not committed: what the next ones stand on.

use crate::ledger::ExecutedBlock;
use amulet_pbft::limits::PIPELINE_DEPTH_MAX;
use amulet_protocol::ids::{HeaderHash, Height};
use std::collections::VecDeque;
use std::sync::Arc;

/// Executed blocks kept at most: those in flight, and as many of earlier views, which a later view may carry over.
pub const SPECULATIVE_BLOCKS_MAX: usize = 2 * PIPELINE_DEPTH_MAX as usize;

/// Executed blocks by the hash of their header, the oldest first.
#[derive(Default)]
pub(super) struct Speculation(VecDeque<Arc<ExecutedBlock>>);

impl Speculation {
    /// Keeps a block. Beyond the bound the oldest that is not in flight goes; what is in flight is less than half.
    pub(super) fn keep(&mut self, block: Arc<ExecutedBlock>, in_flight: &[HeaderHash]) {
        self.0.retain(|kept| kept.hash() != block.hash());
        if self.0.len() == SPECULATIVE_BLOCKS_MAX
            && let Some(oldest) = self.0.iter().position(|kept| !in_flight.contains(&kept.hash()))
        {
            self.0.remove(oldest);
        }
        self.0.push_back(block);
    }

    /// A block.
    pub(super) fn find(&self, hash: HeaderHash) -> Option<&Arc<ExecutedBlock>> {
        self.0.iter().find(|kept| kept.hash() == hash)
    }

    /// The blocks from the one after `tip` up to `top`, in order; none if `top` is the tip. `None` if one is missing.
    pub(super) fn chain(&self, tip: HeaderHash, top: HeaderHash) -> Option<Vec<Arc<ExecutedBlock>>> {
        let mut chain = VecDeque::new();
        let mut hash = top;
        // Each block is the child of one, so the walk ends after as many steps as there are blocks.
        while hash != tip {
            let block = self.find(hash)?;
            hash = block.header().previous;
            chain.push_front(block.clone());
        }
        Some(chain.into())
    }

    /// Takes out what can no longer be committed, because a block is committed at its height; that block as well.
    pub(super) fn settle(&mut self, committed: Height) -> Vec<Arc<ExecutedBlock>> {
        let (settled, kept): (Vec<_>, Vec<_>) = self.0.drain(..).partition(|kept| kept.height() <= committed);
        self.0 = kept.into();
        settled
    }

    /// Blocks kept.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
