//! Brings evidence onto the chain, in the name of this hospital.

use super::offence::Offence;
use crate::ledger::Ledger;
use crate::org_sender::{OrgSender, SendError};
use amulet_protocol::calls::{Call, ReportEvidence};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Evidence waiting to be sent: a fork accuses up to a whole set of 100 at once. More is dropped: a replica that contradicts
/// itself that often is known by then.
const REPORTS_MAX: usize = 256;
/// Offences remembered as recorded, so that each is sent once; the oldest epochs are forgotten first.
const REMEMBERED_MAX: usize = 1_024;
/// How long to wait before a transaction that did not come through is sent again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Takes evidence from the driver; cheap to clone.
#[derive(Clone)]
pub struct EvidenceOutlet(mpsc::Sender<ReportEvidence>);

impl EvidenceOutlet {
    /// Has evidence sent, and does not wait for it.
    pub fn report(&self, report: ReportEvidence) {
        if self.0.try_send(report).is_err() {
            tracing::warn!("evidence dropped: too much of it waits to be sent");
        }
    }
}

/// The task that sends it.
pub struct Reporter {
    sender: OrgSender,
    ledger: Ledger,
    inbox: mpsc::Receiver<ReportEvidence>,
    recorded: BTreeSet<Offence>,
}

impl Reporter {
    /// A reporter that sends by `sender` what `ledger` does not have yet, and where to hand evidence in.
    #[must_use]
    pub fn new(sender: OrgSender, ledger: Ledger) -> (Self, EvidenceOutlet) {
        let (outlet, inbox) = mpsc::channel(REPORTS_MAX);
        (Self { sender, ledger, inbox, recorded: BTreeSet::new() }, EvidenceOutlet(outlet))
    }

    /// Sends until nobody can hand anything in any more.
    pub async fn run(mut self) {
        while let Some(report) = self.inbox.recv().await {
            let offence = Offence::of(&report);
            if self.recorded.contains(&offence) {
                continue;
            }
            self.send(report, offence).await;
            self.recorded.insert(offence);
            if self.recorded.len() > REMEMBERED_MAX {
                self.recorded.pop_first();
            }
        }
    }

    /// Sends one until the ledger has it, from here or from another hospital, or will not have it.
    async fn send(&self, report: ReportEvidence, offence: Offence) {
        let replica = offence.offender.0;
        loop {
            // Refusals are transactions too: a replica that contradicts itself all the time must not fill blocks with them.
            if self.ledger_has(offence) {
                return;
            }
            match self.sender.send(Call::ReportEvidence(Box::new(report.clone()))).await {
                Ok(_) => {
                    tracing::warn!(replica, "a contradiction of this replica is on the ledger");
                    return;
                }
                Err(error @ (SendError::Refused(_) | SendError::TooLarge { .. })) => {
                    tracing::info!(replica, %error, "evidence not recorded");
                    return;
                }
                Err(error) => {
                    tracing::warn!(replica, %error, "evidence not recorded yet; it will be sent again");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    fn ledger_has(&self, offence: Offence) -> bool {
        offence.is_recorded_in(&self.ledger).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look up recorded evidence");
            false
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::World;
    use amulet_contracts::testing::contradiction;
    use amulet_protocol::ids::{Epoch, Height, ReplicaId};

    #[tokio::test]
    async fn what_the_ledger_has_is_not_sent_again() {
        let mut world = World::new();
        let (chain, epoch, offender) = (world.chain(), Epoch(0), ReplicaId(2));
        let at = |height, liar| {
            let evidence = contradiction(liar, chain, epoch, offender, Height(height));
            ReportEvidence { epoch, evidence }
        };
        let [known, new] = [1, 2].map(|height| at(height, &world.hospitals[2]));
        let theirs = world.hospitals[3].sign(chain, Call::ReportEvidence(Box::new(known.clone())));
        world.commit(vec![theirs]);
        let before = world.ledger.tip().height;
        world.run_consensus();

        let sender = world.sender(&world.network(&[]), &world.hospitals[0]);
        let (reporter, outlet) = Reporter::new(sender, world.ledger.clone());
        outlet.report(known);
        outlet.report(new.clone());
        drop(outlet);
        reporter.run().await;
        assert_eq!(world.ledger.tip().height.0, before.0 + 1, "one block, for the new one alone");
        assert!(Offence::of(&new).is_recorded_in(&world.ledger).unwrap());
    }
}
