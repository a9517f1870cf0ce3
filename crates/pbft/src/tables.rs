//! How full a replica's tables are, each with its bound: for whoever watches that nothing grows without end.

use crate::limits::{
    FUTURE_MESSAGES_PER_REPLICA, OPEN_CHECKPOINTS_MAX, PIPELINE_DEPTH_MAX, RETAINED_PAYLOADS,
};
use crate::replica::Replica;
use crate::slot::Slot;

/// One table of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it holds.
    pub name: &'static str,
    /// Entries now.
    pub entries: usize,
    /// Entries at most.
    pub bound: usize,
}

impl Replica {
    /// The tables that messages fill; section 3 of the specification has the bounds.
    #[must_use]
    pub fn tables(&self) -> [Table; 9] {
        let members = self.config.quorum().size();
        let depth = to_size(self.config.depth());
        let votes = |slot: &Slot| slot.prepares.count_all().max(slot.commits.count_all());
        let table = |name, entries, bound| Table { name, entries, bound };
        [
            table("heights in flight", self.slots.len(), 2 * depth),
            table("votes at one height", self.slots.values().map(votes).max().unwrap_or(0), members),
            table("prepared heights", self.prepared.len(), depth),
            table("carried proposals", self.carried.len(), to_size(PIPELINE_DEPTH_MAX)),
            table("retained payloads", self.retained.count(), RETAINED_PAYLOADS * depth),
            table("view-changes", self.view_changes.len(), members),
            table("open checkpoints", self.checkpoints.count(), to_size(OPEN_CHECKPOINTS_MAX)),
            table("messages kept of one replica", self.future.most(), FUTURE_MESSAGES_PER_REPLICA),
            table("left of a step", self.ready.len() + self.effects.len(), 0),
        ]
    }
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
