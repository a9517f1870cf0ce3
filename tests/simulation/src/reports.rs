//! The reports of one node, on their way onto the chain: one after the other, as the node's reporter sends them.

use amulet_protocol::calls::ReportEvidence;
use std::collections::VecDeque;

/// Reports that wait; more are dropped.
pub const REPORTS_MAX: usize = 64;

/// What a node has still to report.
#[derive(Default)]
pub struct Reports {
    waiting: VecDeque<ReportEvidence>,
    /// The submission that is on its way.
    pub under_way: Option<usize>,
}

impl Reports {
    /// Adds one; whether there was room.
    pub fn add(&mut self, report: ReportEvidence) -> bool {
        let has_room = self.waiting.len() < REPORTS_MAX;
        if has_room {
            self.waiting.push_back(report);
        }
        has_room
    }

    /// The next to send.
    pub fn take_next(&mut self) -> Option<ReportEvidence> {
        self.waiting.pop_front()
    }
}
