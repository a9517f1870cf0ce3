//! Judging the answers: which header is the newest, who bears witness to it, and what it means when too few do.

use super::NodeVerdict;
use super::ask::Candidate;
use crate::client::LightClient;
use crate::error::LightError;
use crate::header::TrustedHeader;
use crate::transport::{NodeIndex, TransportError};
use amulet_protocol::ids::Timestamp;
use amulet_verifier::VerifiedHeader;

impl LightClient {
    /// The highest of the verified headers and the one trusted before; if there is none, why not.
    pub(super) fn newest(
        &self,
        before: Option<&TrustedHeader>,
        candidates: &[Candidate],
        others: &[(NodeIndex, NodeVerdict)],
        now: Timestamp,
    ) -> Result<VerifiedHeader, LightError> {
        let offered = candidates.first().map(|candidate| &candidate.header);
        match (before, offered) {
            (Some(before), Some(offered)) if before.height() > offered.height() => {
                Ok(before.verified().clone())
            }
            (_, Some(offered)) => Ok(offered.clone()),
            (_, None) => Err(self.nothing_verified(others, now)),
        }
    }

    fn nothing_verified(&self, others: &[(NodeIndex, NodeVerdict)], now: Timestamp) -> LightError {
        let unreachable = |verdict: &NodeVerdict| matches!(verdict, NodeVerdict::Unreachable(_));
        // A network that wants a sign-in first looks like this: who answers in the hospitals' place is worth saying.
        let intercepted = |verdict: &NodeVerdict| {
            matches!(verdict, NodeVerdict::Unreachable(TransportError::Intercepted { .. }))
        };
        if others.iter().any(|(_, verdict)| intercepted(verdict)) {
            return self.too_few(0, others.to_vec(), now);
        }
        if others.iter().all(|(_, verdict)| unreachable(verdict)) {
            return LightError::Unreachable { asked: others.len() };
        }
        for (_, verdict) in others {
            if let NodeVerdict::UnknownValidators { found, known } = verdict {
                return LightError::ValidatorsChanged { found: *found, known: *known };
            }
        }
        let silent_or_new =
            |verdict: &NodeVerdict| unreachable(verdict) || *verdict == NodeVerdict::NothingYet;
        if others.iter().all(|(_, verdict)| silent_or_new(verdict)) {
            return LightError::NothingYet;
        }
        self.too_few(0, others.to_vec(), now)
    }

    /// Too few agree; if that is because as many as are needed are ahead of this device's clock, the clock is to blame.
    pub(super) fn too_few(
        &self,
        agreeing: usize,
        nodes: Vec<(NodeIndex, NodeVerdict)>,
        now: Timestamp,
    ) -> LightError {
        let needed = self.params().witnesses();
        let ahead = nodes.iter().filter_map(|(node, verdict)| match verdict {
            NodeVerdict::AheadOfClock { time } => Some((*node, *time)),
            _ => None,
        });
        let ahead: Vec<(NodeIndex, Timestamp)> = ahead.collect();
        let organisations = self.organisations_among(ahead.iter().map(|(node, _)| *node));
        match ahead.iter().map(|(_, time)| *time).max() {
            Some(newest) if organisations >= needed => LightError::ClockBehind { now, newest },
            _ => LightError::TooFewWitnesses { agreeing, needed, nodes },
        }
    }

    pub(super) fn organisations_among(&self, nodes: impl Iterator<Item = NodeIndex>) -> usize {
        self.organisations_of(nodes).len()
    }

    pub(super) fn organisations_that_agree(&self, nodes: &[(NodeIndex, NodeVerdict)]) -> usize {
        let agree = |(node, verdict): &(NodeIndex, NodeVerdict)| {
            matches!(verdict, NodeVerdict::Agrees { .. }).then_some(*node)
        };
        self.organisations_among(nodes.iter().filter_map(agree))
    }
}
