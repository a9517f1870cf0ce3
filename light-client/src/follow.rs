//! Learning the validator sets between the one a device knows and that of a new header.
//!
//! If more than a third of the trusted set signed the new header, nothing in between is needed. Otherwise a header in between
//! is asked for, half-way in epochs, and so on: bisection. It goes by epochs and not by heights, because sets differ between
//! epochs only, because the last header of an epoch names the next set too, so that each step leads one epoch further, and
//! because nodes keep the last headers of epochs when they prune. What was fetched and is too far is kept, and is often near
//! enough after the next step.

use crate::client::LightClient;
use crate::error::{Forgery, NodeFailure, Question};
use crate::platform;
use crate::transport::NodeIndex;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::ids::{Epoch, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedStep};
use amulet_verifier::{StepVerdict, VerifiedHeader, Verifier};
use std::time::Duration;

/// Headers in between that one node is asked for in one sync. Sets of which no two share enough validators take one for each
/// epoch: room for a change every week for 19 years.
pub const STEPS_PER_SYNC_MAX: usize = 1_024;
/// How long one node may lead before another gets its turn. What was learnt until then stays, so that a node that is slow on
/// purpose delays a sync by this time and cannot prevent it.
const TURN_TIME_MAX: Duration = Duration::from_secs(30);

impl LightClient {
    /// Judges a node's newest header, after having the node show the way to its validator set if that is not known.
    pub(crate) async fn judge_following(
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
        // Another node may have led to it meanwhile.
        let unknown = match self.judge(target.clone(), now) {
            Err(unknown @ NodeFailure::UnknownValidators { .. }) => unknown,
            judged => return judged,
        };
        let known = self.verifier();
        if target.header.height <= known.base() {
            return Err(unknown);
        }
        let lead = async {
            let validators = Some(self.validators_from(node, target.header.height).await?);
            let step = UntrustedStep { header: target.clone(), validators, next: None };
            self.lead_to(node, step, now).await
        };
        match lead.await {
            Err(NodeFailure::NotFound) => Err(unknown),
            Err(failure) => Err(failure),
            Ok(false) => Err(unknown),
            Ok(true) => self.judge(target, now),
        }
    }

    /// Takes the step, after others in between that the node shows; whether it was near enough in the end.
    async fn lead_to(
        &self,
        node: NodeIndex,
        target: UntrustedStep,
        now: Timestamp,
    ) -> Result<bool, NodeFailure> {
        let confirmed_at = self.trusted().map(|head| head.checked_at());
        let mut ahead = vec![target];
        for _ in 0..=STEPS_PER_SYNC_MAX {
            let mut verifier = Verifier::clone(&self.verifier());
            while let Some(step) = ahead.last() {
                match verifier.take(step.clone(), confirmed_at, now) {
                    Ok(StepVerdict::Taken(_)) => drop(ahead.pop()),
                    Ok(StepVerdict::NotEnoughOverlap(_)) => break,
                    Ok(StepVerdict::Invalid(cause)) => return Err(Forgery::Step(cause).into()),
                    // The sync looked before it began; only a clock that jumped leads here.
                    Err(_) => return Ok(false),
                }
            }
            let epoch = verifier.epoch();
            if verifier.base() > self.verifier().base() {
                self.extend_verifier(verifier);
                self.keep_progress().await;
            }
            let Some(too_far) = ahead.last() else { return Ok(true) };
            let nearer = self.step_between(node, epoch, too_far.header.header.view.epoch()).await?;
            ahead.push(nearer);
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
