//! Evidence that correct replicas found: it has to come onto the ledger, and nobody correct may stand there.

use super::{Checked, Checker, ensure};
use crate::time::Micros;
use amulet_node::consensus::Offence;
use amulet_node::ledger::Ledger;

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
            let is_recorded =
                offence.is_recorded_in(ledger).map_err(|error| (Checker::Health, error.to_string()))?;
            ensure(is_recorded, Checker::Evidence, || {
                format!(
                    "the ledger of replica {replica} has no record of {offence:?}, found at {} by node {}",
                    finding.at, finding.node
                )
            })?;
        }
        Ok(())
    }
}
