//! Asking the hospitals for their newest headers: whom, in which order, and how long they are waited for.

use super::NodeVerdict;
use crate::background::SyncPolicy;
use crate::client::{LightClient, Stage, Standing};
use crate::error::{Forgery, NodeFailure, Question};
use crate::platform;
use crate::transport::NodeIndex;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_verifier::VerifiedHeader;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How long, once there are enough witnesses or takers, the next hospital is waited for.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// The same where only hospitals are missing that were silent before: one that is down must not slow every page, and one
/// that is back answers within this time.
const GRACE_FOR_SILENT: Duration = Duration::from_millis(250);

/// What all nodes said.
pub(super) struct Asked {
    /// Their newest headers, verified; the highest first.
    pub(super) candidates: Vec<Candidate>,
    /// What those did who gave none.
    pub(super) others: Vec<(NodeIndex, NodeVerdict)>,
    /// Headers among these that name a validator set which this client does not know, as those do that lie in an epoch that
    /// it skipped.
    pub(super) skipped: Vec<(NodeIndex, Header)>,
}

pub(super) struct Candidate {
    pub(super) node: NodeIndex,
    pub(super) header: VerifiedHeader,
}

impl Asked {
    /// The newest first; of several, always the same.
    pub(super) fn sorted(mut self) -> Self {
        self.candidates
            .sort_by_key(|candidate| (std::cmp::Reverse(candidate.header.height()), candidate.node));
        self
    }
}

impl LightClient {
    /// All nodes' newest headers, or as many as the policy wants, and what the others did.
    pub(super) async fn ask_all(&self, policy: SyncPolicy, now: Timestamp) -> Asked {
        let (first, spared) = self.whom_to_ask(policy);
        self.ask_these(first, spared, now).await
    }

    /// If too few gave a header to bear witness to one another, also those whom the newest of these headers leads to: the
    /// nodes of validators who came, or moved, while this device was off.
    pub(super) async fn ask_found(&self, asked: Asked, now: Timestamp) -> Asked {
        let given = asked.candidates.iter().map(|candidate| candidate.node);
        let Some(newest) = asked.candidates.first() else { return asked };
        if self.organisations_among(given.clone()) >= self.params().witnesses() {
            return asked;
        }
        let given: BTreeSet<NodeIndex> = given.collect();
        let found: Vec<NodeIndex> =
            self.find_members(&newest.header).await.difference(&given).copied().collect();
        let more = self.ask_these(found.clone(), VecDeque::new(), now).await;
        let mut all = asked;
        all.others.retain(|(node, _)| !found.contains(node));
        all.skipped.retain(|(node, _)| !found.contains(node));
        all.candidates.extend(more.candidates);
        all.others.extend(more.others);
        all.skipped.extend(more.skipped);
        // Who left by that header does not bear witness to it.
        let asked: BTreeSet<NodeIndex> = self.asked_nodes().into_iter().collect();
        all.candidates.retain(|candidate| asked.contains(&candidate.node));
        all.others.retain(|(node, _)| asked.contains(node));
        all.skipped.retain(|(node, _)| asked.contains(node));
        all.sorted()
    }

    async fn ask_these(
        &self,
        first: Vec<NodeIndex>,
        mut spared: VecDeque<NodeIndex>,
        now: Timestamp,
    ) -> Asked {
        let total = first.len() + spared.len();
        let question = |node: NodeIndex| async move {
            let mut latest = None;
            (node, self.latest_from(node, now, &mut latest).await, latest)
        };
        let mut hoped_for = self.not_silent(first.iter().chain(&spared));
        let mut open: BTreeSet<NodeIndex> = first.iter().copied().collect();
        let mut asked: FuturesUnordered<_> = first.into_iter().map(question).collect();
        let (mut candidates, mut others, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let grace = if hoped_for.is_empty() { GRACE_FOR_SILENT } else { GRACE };
            let given = candidates.iter().map(|candidate: &Candidate| candidate.node);
            let next = if self.organisations_among(given) >= self.params().witnesses() {
                // Those who answer later are counted as silent, so that one hung node does not hold everybody up.
                platform::timeout(grace, asked.next()).await.flatten()
            } else if let Some(&instead) = spared.front() {
                // Rather than wait for one that is slow, another is asked.
                match platform::timeout(GRACE, asked.next()).await {
                    Some(next) => next,
                    None => {
                        spared.pop_front();
                        open.insert(instead);
                        asked.push(question(instead));
                        continue;
                    }
                }
            } else {
                asked.next().await
            };
            let Some((node, answer, latest)) = next else { break };
            hoped_for.remove(&node);
            open.remove(&node);
            match answer {
                Ok(header) => candidates.push(Candidate { node, header }),
                Err(failure) => {
                    if matches!(failure, NodeFailure::UnknownValidators { .. }) {
                        skipped.extend(latest.map(|header| (node, header)));
                    }
                    others.push((node, self.noted(node, failure).into()));
                }
            }
            let given = candidates.iter().map(|candidate: &Candidate| candidate.node);
            let mut hopes: BTreeSet<NodeIndex> = given.chain(open.iter().copied()).collect();
            while self.organisations_among(hopes.iter().copied()) < self.params().witnesses()
                && let Some(instead) = spared.pop_front()
            {
                hopes.insert(instead);
                open.insert(instead);
                asked.push(question(instead));
            }
            self.report(Stage::Sync, candidates.len() + others.len(), total - spared.len());
        }
        others.extend(spared.iter().map(|node| (*node, NodeVerdict::NotAsked)));
        others.extend(open.iter().map(|node| (*node, self.gave_up(*node, GRACE).into())));
        Asked { candidates, others, skipped }.sorted()
    }

    /// Whom to ask at first, and whom only in the place of those that fail.
    fn whom_to_ask(&self, policy: SyncPolicy) -> (Vec<NodeIndex>, VecDeque<NodeIndex>) {
        if policy == SyncPolicy::Full {
            return (self.asked_nodes(), VecDeque::new());
        }
        let (mut first, mut spared) = (Vec::new(), VecDeque::new());
        for node in self.order() {
            let before = self.organisations_among(first.iter().copied());
            let with_it = self.organisations_among(first.iter().copied().chain([node]));
            if before < self.params().witnesses() && with_it > before {
                first.push(node);
            } else {
                spared.push_back(node);
            }
        }
        (first, spared)
    }

    /// Those of the nodes that were not silent when they were last asked.
    fn not_silent<'a>(&self, nodes: impl Iterator<Item = &'a NodeIndex>) -> BTreeSet<NodeIndex> {
        let standings = self.standings();
        nodes.copied().filter(|node| !matches!(standings[node.0], Standing::Unreachable)).collect()
    }

    /// A node's newest header, verified. `latest` is that header also if it does not verify.
    async fn latest_from(
        &self,
        node: NodeIndex,
        now: Timestamp,
        latest: &mut Option<Header>,
    ) -> Result<VerifiedHeader, NodeFailure> {
        match self.ask(node, &LightRequest::Latest).await? {
            // The genesis block has no certificate: it is what everybody starts from.
            LightResponse::Header(untrusted) if untrusted.header.height == Height(0) => {
                Err(NodeFailure::NotFound)
            }
            LightResponse::Header(untrusted) => {
                *latest = Some(untrusted.header.clone());
                self.judge_following(node, *untrusted, now).await
            }
            _ => Err(Forgery::OtherAnswer { question: Question::Latest }.into()),
        }
    }
}
