//! Branches on which the validators changed in another way. In a sync one node leads the others along the validator sets. If it
//! leads along a fork, made with the keys of validators who left, the true headers do not fit what is then known; here they
//! get their say: each is followed from where the sync began, by what its own node shows.

use super::NodeVerdict;
use super::ask::{Asked, Candidate};
use crate::client::{LightClient, judge_by};
use crate::error::{Disagreement, Forgery, LightError, NodeFailure, Question, Side};
use crate::transport::NodeIndex;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::header::Header;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedStep};
use amulet_verifier::{VerifiedHeader, Verifier, link_range};
use futures::future::join_all;
use std::sync::Arc;

/// A head, and what is known of the sets that lead to it.
struct Branch<'a> {
    head: &'a VerifiedHeader,
    verifier: &'a Verifier,
}

impl Branch<'_> {
    /// The first header after `same` steps by which this branch can be told from another.
    fn after(&self, same: usize) -> &UntrustedSignedHeader {
        self.verifier.trail().get(same).map_or(self.head.as_signed(), |step| &step.header)
    }
}

impl LightClient {
    /// If whoever led showed no head in the end: forgets the way, and goes that of the first node whose header verifies from
    /// `start` on.
    pub(super) async fn take_back_if_in_vain(
        &self,
        start: &Verifier,
        mut asked: Asked,
        now: Timestamp,
    ) -> Asked {
        if !asked.candidates.is_empty() {
            return asked;
        }
        let doubts = self.take_doubts();
        let followed = self.follow_each(start, doubts.clone().into_iter().collect(), now).await;
        if let Some((_, verifier)) = followed.into_iter().find_map(|(_, followed)| followed.ok()) {
            self.set_verifier(Arc::new(verifier));
        }
        for (node, header) in doubts {
            match self.judge(header.clone(), now) {
                Ok(header) => {
                    asked.others.retain(|(other, _)| *other != node);
                    asked.skipped.retain(|(other, _)| *other != node);
                    asked.candidates.push(Candidate { node, header });
                }
                Err(_) => self.note_doubt(node, header),
            }
        }
        asked.sorted()
    }

    /// Looks where the headers belong whose set is not known: in the newest one's range, as those do that lie in an epoch that
    /// was skipped; or on a branch of their own.
    ///
    /// # Errors
    /// [`LightError::Disagreement`], or [`LightError::Unlinked`] if there is another branch and nobody shows where it begins.
    pub(super) async fn place_skipped_heads(
        &self,
        start: &Verifier,
        newest: &VerifiedHeader,
        skipped: &[(NodeIndex, Header)],
        nodes: &mut [(NodeIndex, NodeVerdict)],
        now: Timestamp,
    ) -> Result<(), LightError> {
        let mut doubts = self.take_doubts();
        let mut beside = Vec::new();
        for (node, header) in skipped {
            if self.newest_contains(newest, header).await {
                self.note_height(*node, false);
                note(nodes, *node, NodeVerdict::Agrees { height: header.height });
            } else {
                beside.extend(doubts.remove(node).map(|doubt| (*node, doubt)));
            }
        }
        for (node, followed) in self.follow_each(start, beside, now).await {
            match followed {
                Ok((head, verifier)) => {
                    let other = Branch { head: &head, verifier: &verifier };
                    self.tell_apart(node, &other, newest, now).await?;
                }
                Err(failure) => note(nodes, node, self.noted(node, failure).into()),
            }
        }
        Ok(())
    }

    /// Follows each of these nodes apart, all at once, so that none can keep the others from being heard.
    async fn follow_each(
        &self,
        start: &Verifier,
        doubts: Vec<(NodeIndex, UntrustedSignedHeader)>,
        now: Timestamp,
    ) -> Vec<(NodeIndex, Result<(VerifiedHeader, Verifier), NodeFailure>)> {
        let each = doubts
            .into_iter()
            .map(|(node, header)| async move { (node, self.follow_apart(node, start, header, now).await) });
        join_all(each).await
    }

    /// A head that verifies and is not in the range of the newest: it may be above that, or exclude it.
    async fn tell_apart(
        &self,
        node: NodeIndex,
        other: &Branch<'_>,
        newest: &VerifiedHeader,
        now: Timestamp,
    ) -> Result<(), LightError> {
        if newest.height() < other.head.height() {
            let request = LightRequest::RangeProof { older: newest.height(), newer: other.head.height() };
            if let Ok(LightResponse::RangeProof(proof)) = self.ask(node, &request).await
                && link_range(other.head, newest, &proof).is_ok()
            {
                return Ok(());
            }
        }
        let verifier = self.verifier();
        let ours = Branch { head: newest, verifier: &verifier };
        match self.parting(node, &ours, other, now).await {
            Some(found) => Err(LightError::Disagreement(Box::new(found))),
            None => Err(LightError::Unlinked {
                trusted: other.head.height(),
                trusted_hash: other.head.hash(),
                head: newest.height(),
            }),
        }
    }

    /// Two certified headers of one height, one of each branch: where one of them first names other sets than the other.
    async fn parting(
        &self,
        node: NodeIndex,
        ours: &Branch<'_>,
        other: &Branch<'_>,
        now: Timestamp,
    ) -> Option<Disagreement> {
        let trails = ours.verifier.trail().iter().zip(other.verifier.trail());
        let same = trails.take_while(|(our, their)| our.header.header == their.header.header).count();
        let (our, their) = (ours.after(same), other.after(same));
        let (lower, of, upper) = if our.header.height <= their.header.height {
            (our, vec![], other)
        } else {
            (their, vec![node], ours)
        };
        let height = lower.header.height;
        let left = Side { nodes: of, header: lower.clone() };
        if our.header.height == their.header.height {
            let right = Side { nodes: vec![node], header: their.clone() };
            return (our.header != their.header).then_some(Disagreement {
                height,
                left,
                right,
                others: Vec::new(),
            });
        }
        // Who shows the other branch is asked too: by the first one it may have left.
        let others = self.order().into_iter().filter(|other| *other != node);
        for node in std::iter::once(node).chain(others) {
            let Ok(rival) = self.unjudged_header_from(node, height).await else { continue };
            if rival.header != lower.header && self.is_on(node, upper, &rival, now).await {
                let right = Side { nodes: vec![node], header: rival };
                return Some(Disagreement { height, left, right, others: Vec::new() });
            }
        }
        None
    }

    /// Whether a header is certified by the set that a branch has at its height.
    async fn is_on(
        &self,
        node: NodeIndex,
        branch: &Branch<'_>,
        header: &UntrustedSignedHeader,
        now: Timestamp,
    ) -> bool {
        match judge_by(branch.verifier, header.clone(), now) {
            Ok(_) => true,
            Err(NodeFailure::UnknownValidators { .. }) => {
                self.is_in_range(node, branch, header).await.is_ok()
            }
            Err(_) => false,
        }
    }

    async fn is_in_range(
        &self,
        node: NodeIndex,
        branch: &Branch<'_>,
        header: &UntrustedSignedHeader,
    ) -> Result<(), NodeFailure> {
        let (older, newer) = (header.header.height, branch.head.height());
        let answer = self.ask(node, &LightRequest::RangeProof { older, newer }).await?;
        let LightResponse::RangeProof(proof) = answer else {
            return Err(Forgery::OtherAnswer { question: Question::RangeProof }.into());
        };
        let validators = Arc::new(self.validators_from(node, older).await?);
        let placed = branch.verifier.verify_in_range(branch.head, header.clone(), &validators, &proof);
        placed.map(|_| ()).map_err(|cause| Forgery::Header(cause).into())
    }

    /// Forgets the steps above the head: nobody bears witness to them, and what follows may be another.
    pub(super) fn drop_steps_above(&self, head: &VerifiedHeader, start: &Verifier, now: Timestamp) {
        let led = self.verifier();
        if led.base() <= head.height() {
            return;
        }
        let confirmed_at = self.trusted().map(|trusted| trusted.checked_at());
        let mut kept = start.clone();
        for step in &led.trail()[start.trail().len()..] {
            if step.header.header.height > head.height() {
                break;
            }
            // It was taken before.
            let _ = kept.take(UntrustedStep::clone(step), confirmed_at, now);
        }
        self.set_verifier(Arc::new(kept));
    }
}

fn note(nodes: &mut [(NodeIndex, NodeVerdict)], node: NodeIndex, said: NodeVerdict) {
    if let Some((_, verdict)) = nodes.iter_mut().find(|(other, _)| *other == node) {
        *verdict = said;
    }
}
