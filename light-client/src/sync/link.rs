//! Linking heads: whether a certified header belongs to the chain of a newer one, or excludes it.

use super::NodeVerdict;
use super::ask::Candidate;
use crate::client::LightClient;
use crate::error::{Disagreement, Forgery, LightError, NodeFailure, Question, Side};
use crate::transport::NodeIndex;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{HeaderHash, Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::HEADERS_PER_REQUEST_MAX;
use amulet_verifier::{Link, VerifiedHeader, link_adjacent, link_range, range_contains};

/// Whether an older certified header belongs to the chain of a newer one.
pub(crate) enum Placement {
    /// It does.
    Linked(Link),
    /// It does not: both are certified, and one excludes the other.
    Conflict(Box<Disagreement>),
    /// Nobody could show it either way.
    Unproven,
}

/// A header that may be in the range of a newer one.
struct Older<'a> {
    header: &'a Header,
    hash: HeaderHash,
}

impl LightClient {
    /// Shows that the headers that led to new validator sets since `known` are in the new head's chain, as far as it reaches.
    /// Their certificates were checked when the steps were taken.
    pub(super) async fn passes_steps(
        &self,
        newest: &VerifiedHeader,
        known: usize,
        candidates: &[Candidate],
        nodes: &[(NodeIndex, NodeVerdict)],
        now: Timestamp,
    ) -> Result<(), LightError> {
        let verifier = self.verifier();
        let taken = verifier.trail()[known..].iter().map(|step| &step.header);
        // A node can show the true end of an epoch and then fail to show a header above it.
        let taken: Vec<_> = taken.filter(|taken| taken.header.height <= newest.height()).collect();
        let headers: Vec<&Header> = taken.iter().map(|taken| &taken.header).collect();
        if self.contains_all(newest, &headers).await {
            return Ok(());
        }
        for taken in taken {
            let Ok(taken) = self.judge(taken.clone(), now) else {
                unreachable!("it was verified when the step was taken")
            };
            self.continues(newest, &taken, candidates, nodes, now).await?;
        }
        Ok(())
    }

    /// Whether nodes show by one proof for many that all these are in the range of the newest. If not, it may still be so, and
    /// nobody is to blame yet: a node may be on another branch.
    async fn contains_all(&self, newest: &VerifiedHeader, older: &[&Header]) -> bool {
        let older = older.iter().map(|older| Older { header: older, hash: older.hash() });
        let older: Vec<_> = older.filter(|older| older.hash != newest.hash()).collect();
        if older
            .iter()
            .any(|older| older.header.height >= newest.height() || older.header.time >= newest.time())
        {
            return false;
        }
        for older in older.chunks(HEADERS_PER_REQUEST_MAX) {
            if !self.anybody_shows(newest, older).await {
                return false;
            }
        }
        true
    }

    async fn anybody_shows(&self, newest: &VerifiedHeader, older: &[Older<'_>]) -> bool {
        let heights: Vec<Height> = older.iter().map(|older| older.header.height).collect();
        let hashes: Vec<HeaderHash> = older.iter().map(|older| older.hash).collect();
        let request = LightRequest::RangeBatch { heights: heights.clone(), newer: newest.height() };
        for node in self.order() {
            if let Ok(LightResponse::RangeBatch(proof)) = self.ask(node, &request).await
                && proof.heights == heights
                && proof.verify(newest.height(), newest.header().range_root, &hashes).is_ok()
            {
                return true;
            }
        }
        false
    }

    /// Whether a header of a skipped epoch, which nobody vouches for, is in the range of the newest, as any node shows.
    pub(super) async fn newest_contains(&self, newest: &VerifiedHeader, older: &Header) -> bool {
        if older.height >= newest.height() {
            return false;
        }
        let request = LightRequest::RangeProof { older: older.height, newer: newest.height() };
        for node in self.order() {
            if let Ok(LightResponse::RangeProof(proof)) = self.ask(node, &request).await
                && range_contains(newest, older, &proof).is_ok()
            {
                return true;
            }
        }
        false
    }

    /// Shows that the new head continues a header that this device followed.
    pub(super) async fn continues(
        &self,
        newest: &VerifiedHeader,
        before: &VerifiedHeader,
        candidates: &[Candidate],
        nodes: &[(NodeIndex, NodeVerdict)],
        now: Timestamp,
    ) -> Result<Link, LightError> {
        match self.place(newest, before, now).await {
            Placement::Linked(link) => Ok(link),
            Placement::Conflict(found) => Err(with_nodes(found, candidates, nodes)),
            Placement::Unproven => Err(LightError::Unlinked {
                trusted: before.height(),
                trusted_hash: before.hash(),
                head: newest.height(),
            }),
        }
    }

    /// Finds out whether `older`, which is certified, is in the chain of `newer`. A range proof that fails proves nothing
    /// by itself, because the node that made it may lie; a second certified header at the height of `older` does.
    pub(crate) async fn place(
        &self,
        newer: &VerifiedHeader,
        older: &VerifiedHeader,
        now: Timestamp,
    ) -> Placement {
        if newer.hash() == older.hash() {
            return Placement::Linked(Link::Same);
        }
        if newer.height() <= older.height() {
            return conflict(older, newer, Vec::new());
        }
        if newer.height() == older.height().next() {
            return link_adjacent(newer, older)
                .map_or_else(|_| conflict(older, newer, Vec::new()), Placement::Linked);
        }
        for node in self.order() {
            match self.range_link_from(node, newer, older).await {
                Ok(link) => return Placement::Linked(link),
                Err(NodeFailure::Forged(forgery)) => {
                    match self.header_from(node, older.height(), now).await {
                        Ok(rival) if rival.hash() != older.hash() => {
                            return conflict(older, &rival, vec![node]);
                        }
                        // Whether it lied or is on the other branch cannot be told when it says no more, or when nothing
                        // is known of the set there.
                        Err(NodeFailure::Unreachable(_) | NodeFailure::UnknownValidators { .. }) => {}
                        _ => {
                            self.noted(node, NodeFailure::Forged(forgery));
                        }
                    }
                }
                Err(_) => {}
            }
        }
        Placement::Unproven
    }

    async fn range_link_from(
        &self,
        node: NodeIndex,
        newer: &VerifiedHeader,
        older: &VerifiedHeader,
    ) -> Result<Link, NodeFailure> {
        let request = LightRequest::RangeProof { older: older.height(), newer: newer.height() };
        match self.ask(node, &request).await? {
            LightResponse::RangeProof(proof) => {
                link_range(newer, older, &proof).map_err(|cause| Forgery::RangeProof(cause).into())
            }
            _ => Err(Forgery::OtherAnswer { question: Question::RangeProof }.into()),
        }
    }
}

fn conflict(left: &VerifiedHeader, right: &VerifiedHeader, right_nodes: Vec<NodeIndex>) -> Placement {
    let height = left.height().min(right.height());
    let left = Side { nodes: Vec::new(), header: left.as_signed().clone() };
    let right = Side { nodes: right_nodes, header: right.as_signed().clone() };
    Placement::Conflict(Box::new(Disagreement { height, left, right, others: Vec::new() }))
}

/// Names the hospitals that stand by each side, and the others. Certificates of one header may differ, so headers are compared.
pub(super) fn with_nodes(
    mut found: Box<Disagreement>,
    candidates: &[Candidate],
    nodes: &[(NodeIndex, NodeVerdict)],
) -> LightError {
    for side in [&mut found.left, &mut found.right] {
        let stand_by = candidates.iter().filter(|candidate| *candidate.header.header() == side.header.header);
        let missing: Vec<NodeIndex> =
            stand_by.map(|candidate| candidate.node).filter(|node| !side.nodes.contains(node)).collect();
        side.nodes.extend(missing);
    }
    let gave_none = |node: &NodeIndex| candidates.iter().all(|candidate| candidate.node != *node);
    let gave_another = candidates.iter().map(|Candidate { node, header }| {
        // How it was placed beside the one side says nothing while the other is as well certified.
        (*node, NodeVerdict::Unproven { height: header.height() })
    });
    let silent = nodes.iter().filter(|(node, _)| gave_none(node)).cloned();
    let sides = [found.left.nodes.as_slice(), &found.right.nodes].concat();
    found.others = gave_another.chain(silent).filter(|(node, _)| !sides.contains(node)).collect();
    found.others.sort_by_key(|(node, _)| *node);
    LightError::Disagreement(found)
}
