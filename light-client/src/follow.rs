//! Learning the validator sets between the one a device knows and that of a new header.
//!
//! If more than a third of the trusted set signed the new header, nothing in between is needed. Otherwise a header in between
//! is asked for, half-way in epochs, and so on: bisection. It goes by epochs and not by heights, because sets differ between
//! epochs only, because the last header of an epoch names the next set too, so that each step leads one epoch further, and
//! because nodes keep the last headers of epochs when they prune. What was fetched and is too far is kept, and is often near
//! enough after the next step.

use crate::client::{LightClient, judge_by};
use crate::error::{Forgery, NodeFailure, Question};
use crate::platform;
use crate::transport::NodeIndex;
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::ids::{Epoch, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedStep};
use amulet_verifier::{InvalidHeader, StepVerdict, VerifiedHeader, Verifier};
use std::time::Duration;

/// Headers in between that one node is asked for in one sync. Sets of which no two share enough validators take one for each
/// epoch: room for a change every week for 19 years.
pub const STEPS_PER_SYNC_MAX: usize = 1_024;
/// How long one node may lead before another gets its turn. What was learnt until then stays, so that a node that is slow on
/// purpose delays a sync by this time and cannot prevent it.
const TURN_TIME_MAX: Duration = Duration::from_secs(30);

/// Who goes the way that a node shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// All: the others need not show it too, and it is kept in case the sync is broken off.
    OfAll,
    /// This node's header alone.
    OfOne,
}

impl LightClient {
    /// Judges a node's newest header, after having the node show the way to its validator set if that is not known.
    ///
    /// Whoever was asked first in this sync led the way, perhaps along another branch. A header that does not fit on it is
    /// put aside ([`LightClient::note_doubt`]) instead of being held against the node.
    pub(crate) async fn judge_following(
        &self,
        node: NodeIndex,
        untrusted: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        let judged = self.judge_or_follow(node, untrusted.clone(), now).await;
        if !judged.as_ref().is_err_and(|failure| is_of_other_set(failure) && self.was_led()) {
            return judged;
        }
        let (found, known) = (untrusted.header.validators_hash, self.validators().hash());
        self.note_doubt(node, untrusted);
        Err(NodeFailure::UnknownValidators { found, known })
    }

    async fn judge_or_follow(
        &self,
        node: NodeIndex,
        untrusted: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        match self.judge(untrusted.clone(), now) {
            Err(NodeFailure::UnknownValidators { .. }) => {}
            judged => return judged,
        }
        let _turn = self.following.lock().await;
        let followed = platform::timeout(TURN_TIME_MAX, self.follow_to(node, untrusted, now)).await;
        followed.unwrap_or_else(|| Err(self.gave_up(node, TURN_TIME_MAX)))
    }

    async fn follow_to(
        &self,
        node: NodeIndex,
        target: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        let known = Verifier::clone(&self.verifier());
        self.way_to(node, known, target, now, Way::OfAll).await.map(|(header, _)| header)
    }

    /// Judges a node's header as if nobody else had led anywhere: from `start` on by what this node shows. With the verifier
    /// that knows the way.
    pub(crate) async fn follow_apart(
        &self,
        node: NodeIndex,
        start: &Verifier,
        target: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<(VerifiedHeader, Verifier), NodeFailure> {
        let way = self.way_to(node, start.clone(), target, now, Way::OfOne);
        let followed = platform::timeout(TURN_TIME_MAX, way).await;
        followed.unwrap_or_else(|| Err(self.gave_up(node, TURN_TIME_MAX)))
    }

    /// Judges a header by what a verifier knows and learns from this node.
    async fn way_to(
        &self,
        node: NodeIndex,
        mut verifier: Verifier,
        target: UntrustedSignedHeader,
        now: Timestamp,
        way: Way,
    ) -> Result<(VerifiedHeader, Verifier), NodeFailure> {
        // Another node may have led to it meanwhile.
        let unknown = match judge_by(&verifier, target.clone(), now) {
            Err(unknown @ NodeFailure::UnknownValidators { .. }) => unknown,
            judged => return judged.map(|header| (header, verifier)),
        };
        if target.header.height <= verifier.base() {
            return Err(unknown);
        }
        let lead = async {
            let validators = Some(self.validators_from(node, target.header.height).await?);
            let step = UntrustedStep { header: target.clone(), validators, next: None };
            self.lead_to(node, &mut verifier, step, now, way).await
        };
        match lead.await {
            Err(NodeFailure::NotFound) | Ok(false) => Err(unknown),
            Err(failure) => Err(failure),
            Ok(true) => judge_by(&verifier, target, now).map(|header| (header, verifier)),
        }
    }

    /// Takes the step, after others in between that the node shows; whether it was near enough in the end.
    async fn lead_to(
        &self,
        node: NodeIndex,
        verifier: &mut Verifier,
        target: UntrustedStep,
        now: Timestamp,
        way: Way,
    ) -> Result<bool, NodeFailure> {
        let confirmed_at = self.trusted().map(|head| head.checked_at());
        let mut ahead = vec![target];
        for _ in 0..=STEPS_PER_SYNC_MAX {
            let before = verifier.base();
            while let Some(step) = ahead.last() {
                match verifier.take(step.clone(), confirmed_at, now) {
                    Ok(StepVerdict::Taken(_)) => drop(ahead.pop()),
                    Ok(StepVerdict::NotEnoughOverlap(_)) => break,
                    Ok(StepVerdict::Invalid(cause)) => return Err(Forgery::Step(cause).into()),
                    // The sync looked before it began; only a clock that jumped leads here.
                    Err(_) => return Ok(false),
                }
            }
            if verifier.base() > before && way == Way::OfAll {
                self.extend_verifier(verifier.clone());
                self.keep_progress().await;
            }
            let Some(too_far) = ahead.last() else { return Ok(true) };
            let (known, too_far) = (verifier.epoch(), too_far.header.header.view.epoch());
            ahead.push(self.step_between(node, known, too_far).await?);
        }
        Ok(false)
    }

    /// The end of the epoch half-way between the newest known and a later one.
    async fn step_between(
        &self,
        node: NodeIndex,
        known: Epoch,
        too_far: Epoch,
    ) -> Result<UntrustedStep, NodeFailure> {
        let half_way = Epoch(known.0 + too_far.0.saturating_sub(known.0) / 2);
        if half_way == known {
            // The set that certifies this one is known: it needs no other to sign.
            return match self.ask(node, &LightRequest::EpochEnd(known)).await? {
                LightResponse::EpochEnd(end) => Ok((*end).into()),
                _ => Err(Forgery::OtherAnswer { question: Question::EpochEnd }.into()),
            };
        }
        let LightResponse::EpochEndWithSet(step) =
            self.ask(node, &LightRequest::EpochEndWithSet(half_way)).await?
        else {
            return Err(Forgery::OtherAnswer { question: Question::EpochEnd }.into());
        };
        let found = step.header.header.view.epoch();
        if found != half_way {
            return Err(Forgery::EpochNumber { asked: half_way, found }.into());
        }
        Ok(*step)
    }
}

/// Whether a header or a step was refused because it does not fit the sets that are known.
fn is_of_other_set(failure: &NodeFailure) -> bool {
    match failure {
        NodeFailure::UnknownValidators { .. } | NodeFailure::Forged(Forgery::Step(_)) => true,
        NodeFailure::Forged(Forgery::Header(InvalidHeader::Certificate(cause))) => {
            matches!(cause, CertificateError::ValidatorSet { .. })
        }
        _ => false,
    }
}
