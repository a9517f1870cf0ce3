//! Asking: whom first, and what is remembered of each answer.

use super::{LightClient, Standing, State};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::transport::{NodeIndex, Transport, TransportError};
use crate::verifier::{InvalidHeader, Verdict, Verifier};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_verifier::VerifiedHeader;
use std::time::Duration;

impl LightClient {
    /// Now, by the client's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// All nodes that are asked, those first that are likely to give a good answer.
    pub(crate) fn order(&self) -> Vec<NodeIndex> {
        let State { standings, merits, left, .. } = &mut *self.inner();
        let mut order = merits.order(standings);
        order.retain(|node| !left.contains(node));
        order
    }

    /// Asks one node; refusals and "not found" come back as failures.
    pub(crate) async fn ask(
        &self,
        node: NodeIndex,
        request: &LightRequest,
    ) -> Result<LightResponse, NodeFailure> {
        let asked_at = self.now();
        let answer = match self.transport.ask(node, request).await {
            Ok(LightResponse::NotFound) => Err(NodeFailure::NotFound),
            Ok(LightResponse::Refused(refusal)) => Err(NodeFailure::Refused(refusal)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(NodeFailure::Unreachable(error)),
        };
        let reached = !matches!(answer, Err(NodeFailure::Unreachable(_)));
        // Ciphertexts and keys are asked of whoever holds them.
        if !matches!(
            request,
            LightRequest::Read(_)
                | LightRequest::Upload(_)
                | LightRequest::StaffGrants(_)
                | LightRequest::StaffKeys(_)
                | LightRequest::ExplainReading { .. }
                | LightRequest::ReadPiece { .. }
                | LightRequest::Links(_)
        ) {
            let busy = matches!(answer, Err(NodeFailure::Refused(LightRefusal::Busy)));
            self.measure(node, reached.then_some((asked_at, busy)));
        }
        self.note_reached(node, reached);
        answer
    }

    /// Asks one node after another until one gives an answer that passes `check`.
    pub(crate) async fn first<T>(
        &self,
        request: &LightRequest,
        check: impl Fn(LightResponse) -> Result<T, NodeFailure>,
    ) -> Result<T, LightError> {
        let mut failures = Vec::new();
        for node in self.order() {
            match self.ask(node, request).await.and_then(&check) {
                Ok(value) => return Ok(value),
                Err(failure) => failures.push((node, self.noted(node, failure))),
            }
        }
        Err(LightError::from_failures(Question::of(request), failures))
    }

    /// Judges a header that a node gave.
    pub(crate) fn judge(
        &self,
        untrusted: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        judge_by(&self.verifier(), untrusted, now)
    }

    /// The verified header at a height, from one node.
    pub(crate) async fn header_from(
        &self,
        node: NodeIndex,
        height: Height,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        self.judge(self.unjudged_header_from(node, height).await?, now)
    }

    /// A header of a height, from one node; nothing else about it is checked.
    pub(crate) async fn unjudged_header_from(
        &self,
        node: NodeIndex,
        height: Height,
    ) -> Result<UntrustedSignedHeader, NodeFailure> {
        let LightResponse::Header(untrusted) = self.ask(node, &LightRequest::HeaderAt(height)).await? else {
            return Err(Forgery::OtherAnswer { question: Question::HeaderAt }.into());
        };
        let found = untrusted.header.height;
        if found != height {
            return Err(Forgery::HeaderHeight { asked: height, found }.into());
        }
        Ok(*untrusted)
    }

    /// Remembers a lie, and passes the failure on. A date ahead of this device's clock is none: the clock may be wrong.
    pub(crate) fn noted(&self, node: NodeIndex, failure: NodeFailure) -> NodeFailure {
        if let NodeFailure::Forged(forgery) = &failure
            && !matches!(forgery, Forgery::Header(InvalidHeader::FromFuture { .. }))
        {
            let mut state = self.inner();
            state.standings[node.0] = Standing::Lied(forgery.clone());
            state.merits.unsound(node);
        }
        failure
    }

    /// Remembers whether a node had the newest header.
    pub(crate) fn note_height(&self, node: NodeIndex, newest: bool) {
        let mut state = self.inner();
        state.merits.looked(node, newest);
        let standing = &mut state.standings[node.0];
        if !matches!(standing, Standing::Lied(_)) {
            *standing = if newest { Standing::Good } else { Standing::Behind };
        }
    }

    /// Remembers that a node was not waited for any longer.
    pub(crate) fn gave_up(&self, node: NodeIndex, waited: Duration) -> NodeFailure {
        self.measure(node, None);
        self.note_reached(node, false);
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        NodeFailure::Unreachable(TransportError::Timeout { millis })
    }

    /// Counts an answer, with when it was asked for and whether the node was too busy; or that none came.
    fn measure(&self, node: NodeIndex, answer: Option<(Timestamp, bool)>) {
        let now = self.now();
        let merits = &mut self.inner().merits;
        match answer {
            Some((asked_at, busy)) => merits.heard(node, asked_at, now, busy),
            None => merits.silent(node, now),
        }
    }

    /// Remembers whether a node answers at all.
    fn note_reached(&self, node: NodeIndex, reached: bool) {
        // A caller may name a node that does not exist; the transport says so.
        let mut state = self.inner();
        let Some(standing) = state.standings.get_mut(node.0) else { return };
        match (&*standing, reached) {
            (Standing::Lied(_), _) | (Standing::Good | Standing::Behind, true) => {}
            (_, true) => *standing = Standing::Good,
            (_, false) => *standing = Standing::Unreachable,
        }
    }
}

/// Judges a header that a node gave by what a verifier knows.
pub(crate) fn judge_by(
    verifier: &Verifier,
    untrusted: UntrustedSignedHeader,
    now: Timestamp,
) -> Result<VerifiedHeader, NodeFailure> {
    match verifier.verify_adjacent(untrusted, now) {
        Verdict::Verified(verified) => Ok(*verified),
        Verdict::UnknownValidators { found, known } => Err(NodeFailure::UnknownValidators { found, known }),
        Verdict::Invalid(cause) => Err(Forgery::Header(cause).into()),
    }
}
