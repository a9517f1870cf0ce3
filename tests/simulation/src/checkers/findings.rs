//! Evidence that correct replicas found: it has to come onto the ledger, and nobody correct may stand there.

use super::{Checked, Checker, ensure};
use crate::reports::Offence;
use crate::time::Micros;
use amulet_node::ledger::Ledger;
use amulet_protocol::evidence::EvidenceRecord;
use amulet_protocol::state::StateKey;

/// What a node found out.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// Which node.
    pub node: usize,
    /// In which of its lives: what a node has not reported when it stops is lost.
    pub life: u64,
    /// When.
    pub at: Micros,
    /// What.
    pub offence: Offence,
}

/// What correct replicas found in a run.
#[derive(Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// A correct node has put a report on its way.
    pub fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Everything that a node has had time to report since, is on this ledger.
    ///
    /// # Errors
    /// When something is not.
    pub fn check(
        &self,
        replica: u16,
        ledger: &Ledger,
        found_before: Micros,
        is_alive: impl Fn(&Finding) -> bool,
    ) -> Checked {
        for finding in self.0.iter().filter(|finding| finding.at < found_before && is_alive(finding)) {
            let offence = finding.offence;
            let key = StateKey::Evidence { epoch: offence.epoch, offender: offence.offender };
            let records: Vec<EvidenceRecord> =
                ledger.read(&key).map_err(|error| (Checker::Health, error.to_string()))?.unwrap_or_default();
            ensure(offence.is_recorded_in(&records), Checker::Evidence, || {
                format!(
                    "the ledger of replica {replica} has no record of {offence:?}, found at {} by node {}",
                    finding.at, finding.node
                )
            })?;
        }
        Ok(())
    }
}
