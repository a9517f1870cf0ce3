//! Asking the hospitals for their newest headers: whom, in which order, and how long they are waited for.
//!
//! Headers are sent once: one hospital is asked first, and the others for theirs unless it is the same. Who says that it is
//! bears witness to it as by sending it, which anybody can who has heard of it.

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

/// How long the one that is asked first is waited for before the others are asked too. What it brings they need not send; one
/// that is slower costs bytes, not time.
const LEAD_TIME: Duration = Duration::from_secs(1);

/// What all nodes said.
#[derive(Default)]
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

/// Whom to ask.
#[derive(Default)]
struct Whom {
    /// Alone at first, so that the others need not send again what it brings.
    lead: Option<NodeIndex>,
    /// Then, all at once.
    others: Vec<NodeIndex>,
    /// Only in the place of those that fail.
    spared: VecDeque<NodeIndex>,
}

/// What one node said.
struct Said {
    node: NodeIndex,
    /// Its newest header, verified.
    header: Result<VerifiedHeader, NodeFailure>,
    /// The header that it sent, also if that does not verify.
    sent: Option<Header>,
}

/// A round of questions under way.
struct Round<'a> {
    client: &'a LightClient,
    /// The newest header that is known so far: who has none newer says so, and need not send it.
    known: Option<VerifiedHeader>,
    /// Asked, and not heard yet.
    open: BTreeSet<NodeIndex>,
    /// Those not heard yet that were not silent when they were last asked.
    hoped_for: BTreeSet<NodeIndex>,
    /// The one that was waited for alone, in vain.
    late: Option<NodeIndex>,
    heard: Asked,
}

impl Round<'_> {
    /// Notes that a node is asked; what it need not send.
    fn ask(&mut self, node: NodeIndex) -> (NodeIndex, Option<VerifiedHeader>) {
        self.open.insert(node);
        (node, self.known.clone())
    }

    fn take(&mut self, Said { node, header, sent }: Said) {
        self.hoped_for.remove(&node);
        self.open.remove(&node);
        match header {
            Ok(header) => {
                if self.known.as_ref().is_none_or(|known| known.height() < header.height()) {
                    self.known = Some(header.clone());
                }
                self.heard.candidates.push(Candidate { node, header });
            }
            Err(failure) => {
                if matches!(failure, NodeFailure::UnknownValidators { .. }) {
                    self.heard.skipped.extend(sent.map(|header| (node, header)));
                }
                self.heard.others.push((node, self.client.noted(node, failure).into()));
            }
        }
    }

    fn given(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        self.heard.candidates.iter().map(|candidate| candidate.node)
    }

    /// Whether those who gave a header are enough to bear witness to one another.
    fn are_enough(&self) -> bool {
        self.client.organisations_among(self.given()) >= self.client.params().witnesses()
    }

    /// Whether they would be if all answered that were asked.
    fn may_be_enough(&self) -> bool {
        let hopes: BTreeSet<NodeIndex> = self.given().chain(self.open.iter().copied()).collect();
        self.client.organisations_among(hopes.into_iter()) >= self.client.params().witnesses()
    }

    /// How long the next answer is waited for; what one was waited for alone counts.
    fn patience(&self) -> Duration {
        let late_alone = self.late.is_some() && self.open.iter().eq(&self.late);
        if late_alone { GRACE.saturating_sub(LEAD_TIME) } else { GRACE }
    }

    fn report(&self, total: usize) {
        let done = self.heard.candidates.len() + self.heard.others.len();
        self.client.report(Stage::Sync, done, total);
    }

    /// Those who answer later are counted as silent, so that one hung node does not hold everybody up.
    fn end(mut self, spared: VecDeque<NodeIndex>) -> Asked {
        self.heard.others.extend(spared.into_iter().map(|node| (node, NodeVerdict::NotAsked)));
        let silent = self.open.iter().map(|node| (*node, self.client.gave_up(*node, GRACE).into()));
        self.heard.others.extend(silent);
        self.heard.sorted()
    }
}

impl LightClient {
    /// All nodes' newest headers, or as many as the policy wants, and what the others did.
    pub(super) async fn ask_all(&self, policy: SyncPolicy, now: Timestamp) -> Asked {
        // Where it would not verify from a node, as under a clock that was set back, all send what they have.
        let known = self.trusted().and_then(|trusted| self.judge(trusted.as_signed().clone(), now).ok());
        self.ask_these(self.whom_to_ask(policy), known, now).await
    }

    /// If too few gave a header to bear witness to one another, also those whom the newest of these headers leads to: the
    /// nodes of validators who came, or moved, while this device was off.
    pub(super) async fn ask_found(&self, asked: Asked, now: Timestamp) -> Asked {
        let given = asked.candidates.iter().map(|candidate| candidate.node);
        let Some(newest) = asked.candidates.first().map(|candidate| candidate.header.clone()) else {
            return asked;
        };
        if self.organisations_among(given.clone()) >= self.params().witnesses() {
            return asked;
        }
        let given: BTreeSet<NodeIndex> = given.collect();
        let found: Vec<NodeIndex> = self.find_members(&newest).await.difference(&given).copied().collect();
        let whom = Whom { others: found.clone(), ..Whom::default() };
        let more = self.ask_these(whom, Some(newest), now).await;
        let mut all = asked;
        all.others.retain(|(node, _)| !found.contains(node));
        all.skipped.retain(|(node, _)| !found.contains(node));
        all.candidates.extend(more.candidates);
        all.others.extend(more.others);
        all.skipped.extend(more.skipped);
        all.sorted()
    }

    async fn ask_these(&self, whom: Whom, known: Option<VerifiedHeader>, now: Timestamp) -> Asked {
        let Whom { lead, others, mut spared } = whom;
        let total = others.len() + spared.len() + usize::from(lead.is_some());
        let hoped_for = self.not_silent(lead.iter().chain(&others).chain(&spared));
        let (open, late, heard) = (BTreeSet::new(), None, Asked::default());
        let mut round = Round { client: self, known, open, hoped_for, late, heard };
        let question = |(node, known)| self.latest_from(node, known, now);
        let mut asked = FuturesUnordered::new();
        if let Some(lead) = lead {
            asked.push(question(round.ask(lead)));
            match platform::timeout(LEAD_TIME, asked.next()).await.flatten() {
                Some(said) => round.take(said),
                None => round.late = Some(lead),
            }
        }
        for node in others {
            asked.push(question(round.ask(node)));
        }
        loop {
            while !round.may_be_enough()
                && let Some(instead) = spared.pop_front()
            {
                asked.push(question(round.ask(instead)));
            }
            round.report(total - spared.len());
            let next = if round.are_enough() {
                let grace = if round.hoped_for.is_empty() { GRACE_FOR_SILENT } else { round.patience() };
                platform::timeout(grace, asked.next()).await.flatten()
            } else if let Some(&instead) = spared.front() {
                // Rather than wait for one that is slow, another is asked.
                match platform::timeout(round.patience(), asked.next()).await {
                    Some(next) => next,
                    None => {
                        spared.pop_front();
                        asked.push(question(round.ask(instead)));
                        continue;
                    }
                }
            } else {
                asked.next().await
            };
            let Some(said) = next else { break };
            round.take(said);
        }
        round.end(spared)
    }

    /// Whom to ask first, whom then, and whom only in the place of those that fail.
    fn whom_to_ask(&self, policy: SyncPolicy) -> Whom {
        let (mut first, mut spared) = (Vec::new(), VecDeque::new());
        for node in self.order() {
            let before = self.organisations_among(first.iter().copied());
            let with_it = self.organisations_among(first.iter().copied().chain([node]));
            if policy == SyncPolicy::Full || before < self.params().witnesses() && with_it > before {
                first.push(node);
            } else {
                spared.push_back(node);
            }
        }
        // One that may well be silent again is not waited for by all the others.
        let lead = first.first().copied().filter(|lead| !self.not_silent([lead].into_iter()).is_empty());
        first.retain(|node| Some(*node) != lead);
        Whom { lead, others: first, spared }
    }

    /// Those of the nodes that were not silent when they were last asked.
    fn not_silent<'a>(&self, nodes: impl Iterator<Item = &'a NodeIndex>) -> BTreeSet<NodeIndex> {
        let standings = self.standings();
        nodes.copied().filter(|node| !matches!(standings[node.0], Standing::Unreachable)).collect()
    }

    /// A node's newest header, verified; the known one if the node says that this is it.
    async fn latest_from(&self, node: NodeIndex, known: Option<VerifiedHeader>, now: Timestamp) -> Said {
        let ask = known.as_ref().map(|known| LightRequest::LatestUnless(known.hash()));
        let mut sent = None;
        let header = match (self.ask(node, &ask.unwrap_or(LightRequest::Latest)).await, known) {
            (Err(failure), _) => Err(failure),
            (Ok(LightResponse::Unchanged), Some(known)) => Ok(known),
            // The genesis block has no certificate: it is what everybody starts from.
            (Ok(LightResponse::Header(untrusted)), _) if untrusted.header.height == Height(0) => {
                Err(NodeFailure::NotFound)
            }
            (Ok(LightResponse::Header(untrusted)), _) => {
                sent = Some(untrusted.header.clone());
                self.judge_following(node, *untrusted, now).await
            }
            _ => Err(Forgery::OtherAnswer { question: Question::Latest }.into()),
        };
        Said { node, header, sent }
    }
}
