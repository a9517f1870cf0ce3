//! Faults begin and end.

use super::{Happening, World};
use crate::checkers::Checked;
use crate::disk::Unsynced;
use crate::schedule::{Fault, FaultKind};

impl World {
    pub(super) fn on_fault(&mut self, index: usize, begins: bool) -> Checked {
        let Fault { kind, .. } = self.plan.faults[index].clone();
        self.trace.note(self.now, if begins { "fault" } else { "healed" }, index, 0);
        self.trace.say(self.now, || format!("{} {kind:?}", if begins { "begins" } else { "ends" }));
        self.apply_all();
        match kind {
            FaultKind::Crash { replica, at_write, unsynced } if begins => {
                for node in self.nodes_of(amulet_protocol::ids::ReplicaId(replica)) {
                    match at_write {
                        Some(writes) => self.nodes[node].disks.fail_after(writes),
                        None => self.crash(node, unsynced),
                    }
                }
            }
            FaultKind::Wipe { replica } if begins => {
                for node in self.nodes_of(amulet_protocol::ids::ReplicaId(replica)) {
                    self.wipe(node);
                }
            }
            FaultKind::Crash { replica, .. }
            | FaultKind::CrashOnSend { replica, .. }
            | FaultKind::Wipe { replica }
            | FaultKind::FullDisk { replica }
                if !begins =>
            {
                for node in self.nodes_of(amulet_protocol::ids::ReplicaId(replica)) {
                    // Nobody was there to write: the power comes back without having failed.
                    self.nodes[node].disks.fail_after(u64::MAX);
                    self.queue.push(self.now, Happening::Start { node });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets network, clocks and disks to what the plan says of this moment.
    fn apply_all(&mut self) {
        let now = self.now;
        let active: Vec<FaultKind> = self.plan.active(now).map(|fault| fault.kind.clone()).collect();
        self.network.apply(active.iter());
        for node in &mut self.nodes {
            node.reset_faults();
            let mut is_full = false;
            for fault in &active {
                match fault {
                    FaultKind::Clock { replica, ahead_ms } if *replica == node.replica => {
                        node.ahead_ms = *ahead_ms;
                    }
                    FaultKind::Drift { replica, per_mille } if *replica == node.replica => {
                        node.drift_per_mille = *per_mille;
                    }
                    FaultKind::SlowDisk { replica, sync } if *replica == node.replica => node.sync = *sync,
                    FaultKind::FullDisk { replica } if *replica == node.replica => is_full = true,
                    _ => {}
                }
            }
            node.disks.set_full(is_full);
        }
    }

    /// Whether the fault that stopped a node lasts.
    pub(super) fn is_held_down(&self, index: usize) -> bool {
        self.now < self.nodes[index].held_until
    }

    /// Whether a replica is to stop at a message of this kind, what becomes of its unsynced writes, and whether the
    /// message still goes out.
    pub(super) fn crash_on_send(&self, own: u16, sent: &str) -> Option<(Unsynced, bool)> {
        self.plan.active(self.now).find_map(|fault| match &fault.kind {
            FaultKind::CrashOnSend { replica, kind, delivered, unsynced }
                if *replica == own && kind == sent =>
            {
                Some((*unsynced, *delivered))
            }
            _ => None,
        })
    }

    pub(super) fn crash(&mut self, index: usize, unsynced: Unsynced) {
        self.summary.crashes += 1;
        self.trace.note(self.now, "crash", index, 0);
        let own = self.nodes[index].replica;
        let stopping = self.plan.active(self.now).filter(|fault| match fault.kind {
            FaultKind::Crash { replica, .. }
            | FaultKind::CrashOnSend { replica, .. }
            | FaultKind::Wipe { replica } => replica == own,
            _ => false,
        });
        self.nodes[index].held_until = stopping.map(|fault| fault.until).max().unwrap_or_default();
        self.nodes[index].crash(unsynced, &mut self.disk_rng);
    }
}
