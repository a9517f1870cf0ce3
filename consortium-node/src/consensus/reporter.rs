//! Brings evidence onto the chain, in the name of this hospital.

use crate::org_sender::{OrgSender, SendError};
use amulet_protocol::calls::{Call, ReportEvidence};
use amulet_protocol::evidence::EvidenceKind;
use amulet_protocol::ids::{Epoch, Height, ReplicaId};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Evidence waiting to be sent. More is dropped: a replica that contradicts itself that often is known by then.
const REPORTS_MAX: usize = 64;
/// Offences remembered as recorded, so that each is sent once; the oldest epochs are forgotten first.
const REMEMBERED_MAX: usize = 1_024;
/// How long to wait before a transaction that did not come through is sent again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// One contradiction, whatever the messages.
type Offence = (Epoch, ReplicaId, EvidenceKind, Height);

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
    inbox: mpsc::Receiver<ReportEvidence>,
    recorded: BTreeSet<Offence>,
}

impl Reporter {
    /// A reporter that sends by `sender`, and where to hand evidence in.
    #[must_use]
    pub fn new(sender: OrgSender) -> (Self, EvidenceOutlet) {
        let (outlet, inbox) = mpsc::channel(REPORTS_MAX);
        (Self { sender, inbox, recorded: BTreeSet::new() }, EvidenceOutlet(outlet))
    }

    /// Sends until nobody can hand anything in any more.
    pub async fn run(mut self) {
        while let Some(report) = self.inbox.recv().await {
            let evidence = &report.evidence;
            let offence = (report.epoch, evidence.offender(), evidence.kind(), evidence.height());
            if self.recorded.contains(&offence) {
                continue;
            }
            self.send(report).await;
            self.recorded.insert(offence);
            if self.recorded.len() > REMEMBERED_MAX {
                self.recorded.pop_first();
            }
        }
    }

    /// Sends one until the ledger has it, from here or from another hospital, or will not have it.
    async fn send(&self, report: ReportEvidence) {
        let replica = report.evidence.offender().0;
        loop {
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
}
