//! `evidence`: what the ledger recorded against validators.

use super::operator::{NodeLink, OperatorError};
use super::say;
use amulet_protocol::evidence::{EvidenceKind, EvidenceRecord};
use amulet_protocol::governance::{EpochState, MembershipState};
use amulet_protocol::ids::{Epoch, ReplicaId};
use amulet_protocol::state::StateKey;

/// Shows all evidence, epoch by epoch.
pub(super) async fn evidence(node: &str) -> Result<(), OperatorError> {
    let link = NodeLink::new(node);
    let membership: MembershipState = link.filled(StateKey::Membership).await?;
    let mut none = true;
    for epoch in (0..=membership.epoch.0).map(Epoch) {
        let state: EpochState = link.filled(StateKey::Epoch(epoch)).await?;
        for (offender, (seat, validator)) in
            (0..).map(ReplicaId).zip(state.seats.iter().zip(state.validators.members()))
        {
            let records: Option<Vec<EvidenceRecord>> =
                link.state(StateKey::Evidence { epoch, offender }).await?;
            for record in records.unwrap_or_default() {
                none = false;
                say(format_args!(
                    "epoch {epoch}, replica {offender} (seat {seat}, {}): two {} at height {}; \
                     recorded in block {}, reported by {}",
                    validator.organisation,
                    words(record.evidence.kind()),
                    record.evidence.height(),
                    record.recorded,
                    record.reporter
                ));
            }
        }
    }
    if none {
        say("Nothing is recorded against any validator.");
    }
    Ok(())
}

fn words(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::PrePrepare => "pre-prepares",
        EvidenceKind::Prepare => "prepares",
        EvidenceKind::Commit => "commits",
        EvidenceKind::Checkpoint => "checkpoints",
    }
}
