//! What a view-change certificate obliges the new view to begin with.

use amulet_protocol::ids::{Height, ReplicaId, View};

use crate::certificate::PreparedCertificate;
use crate::message::{Proposal, Signed, ViewChange};

/// The outcome of the selection rule, a pure function of the certificate: primary and backups compute it alike.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Everything up to here is final; the paper's min-s.
    pub(crate) base: Height,
    /// A replica that proved to have the block at `base`.
    pub(crate) base_holder: ReplicaId,
    /// What must be proposed above, in order of height; the paper's O.
    pub(crate) proposals: Vec<Proposal>,
}

impl Plan {
    /// Applies the selection rule of OSDI'99 section 4.4 to verified view-changes (rule PBFT-VC-5): start above the
    /// highest proven base; at each height above, take the block prepared in the highest view.
    ///
    /// Why nothing final is lost: a block committed by a correct replica was prepared by a quorum, and that quorum
    /// shares a correct replica with the certificate. That replica either proves the block as its base or below it, or
    /// shows it as prepared; and no other block can have prepared at this height in a later view.
    ///
    /// Why there are no gaps, and so no null requests: a replica prepares a height only after it committed the one
    /// before, so a prepared certificate for `h` comes with a base of at least `h - 1`.
    pub(crate) fn select(view: View, view_changes: &[Signed<ViewChange>]) -> Self {
        let mut base = Height(0);
        let mut base_holder = view_changes.first().map_or(ReplicaId(0), |view_change| view_change.sender);
        for view_change in view_changes {
            let height = view_change.content.base_height();
            if height > base {
                (base, base_holder) = (height, view_change.sender);
            }
        }
        let mut proposals: Vec<Proposal> = Vec::new();
        while let Some(best) = highest_prepared(next_height(base, &proposals), view_changes) {
            proposals.push(Proposal { view, ..*best.proposal() });
        }
        Self { base, base_holder, proposals }
    }
}

fn next_height(base: Height, proposals: &[Proposal]) -> Height {
    proposals.last().map_or(base, |last| last.height).next()
}

fn highest_prepared(height: Height, view_changes: &[Signed<ViewChange>]) -> Option<&PreparedCertificate> {
    view_changes
        .iter()
        .flat_map(|view_change| &view_change.content.prepared)
        .filter(|certificate| certificate.proposal().height == height)
        .max_by_key(|certificate| certificate.proposal().view)
}

/// Replicas that should have the payload of `proposal`, best first: those that showed a certificate for it, then those
/// that signed one.
pub(crate) fn payload_holders(proposal: &Proposal, view_changes: &[Signed<ViewChange>]) -> Vec<ReplicaId> {
    let matching = |certificate: &&PreparedCertificate| certificate.proposal().is_same_block(proposal);
    let shown = view_changes
        .iter()
        .filter(|view_change| view_change.content.prepared.iter().any(|certificate| matching(&certificate)))
        .map(|view_change| view_change.sender);
    let signed = view_changes
        .iter()
        .flat_map(|view_change| view_change.content.prepared.iter())
        .filter(matching)
        .flat_map(PreparedCertificate::signers);
    let mut holders = Vec::new();
    for replica in shown.chain(signed) {
        if !holders.contains(&replica) {
            holders.push(replica);
        }
    }
    holders
}
