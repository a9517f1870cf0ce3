//! What a view-change certificate obliges the new view to begin with.

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};

use crate::certificate::PreparedCertificate;
use crate::config::Config;
use crate::message::{Proposal, Signed, ViewChange};
use crate::planted::Bug;

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
    /// Applies the selection rule to verified view-changes (rule PBFT-VC-5): start above the highest proven base; at each
    /// height above, take the block prepared in the highest view among those that stand on the block taken below; stop
    /// where there is none. Why nothing final is lost, and why there are no gaps: `docs/spec/consensus.md`, section 5.
    pub(crate) fn select(view: View, view_changes: &[Signed<ViewChange>], config: &Config) -> Self {
        let mut base = config.epoch_start();
        let mut base_holder = view_changes.first().map_or(ReplicaId(0), |view_change| view_change.sender);
        // The parent at the start of an epoch needs no check: a quorum that prepared a block there has checked it.
        let mut parent = None;
        for view_change in view_changes {
            let Some(CommitVote { height, header_hash, .. }) =
                view_change.content.base.as_ref().map(|proof| proof.vote)
            else {
                continue;
            };
            let is_better = match config.is_planted(Bug::SelectLowestBase) {
                true => parent.is_none() || height < base,
                false => height > base,
            };
            if is_better {
                (base, base_holder, parent) = (height, view_change.sender, Some(header_hash));
            }
        }
        let mut proposals: Vec<Proposal> = Vec::new();
        let mut height = base.next();
        while let Some(best) = best_prepared(height, parent, view_changes, config) {
            proposals.push(Proposal { view, ..*best.proposal() });
            (height, parent) = (height.next(), Some(best.proposal().header_hash));
        }
        if config.is_planted(Bug::CarryNothing) {
            proposals.clear();
        }
        Self { base, base_holder, proposals }
    }
}

/// The certificate of the highest view at `height`, for a block on top of `parent`.
fn best_prepared<'a>(
    height: Height,
    parent: Option<HeaderHash>,
    view_changes: &'a [Signed<ViewChange>],
    config: &Config,
) -> Option<&'a PreparedCertificate> {
    let is_linked = |certificate: &&PreparedCertificate| {
        let is_unchecked = parent.is_none() || config.is_planted(Bug::SelectUnlinked);
        certificate.proposal().height == height
            && (is_unchecked || parent == Some(certificate.proposal().parent))
    };
    let linked = view_changes.iter().flat_map(|view_change| &view_change.content.prepared).filter(is_linked);
    if config.is_planted(Bug::SelectOldest) {
        return linked.min_by_key(|certificate| certificate.proposal().view);
    }
    linked.max_by_key(|certificate| certificate.proposal().view)
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
