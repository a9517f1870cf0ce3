//! Synchronisation: all hospitals are asked for their newest header; the highest that verifies becomes trusted when
//! hospitals of different organisations agree on one chain, and that chain continues the one this device followed.
//!
//! Five things are told apart: a hospital that does not answer (unreachable), one that is behind (stale, and still a
//! witness if its header is in the newest one's range), one whose header does not verify (forged: it alone is to blame), one
//! whose header is dated after this device's clock (one of the clocks is wrong, and nobody is accused), and
//! two certified headers that exclude each other (disagreement: more hospitals signed both than may be faulty; nothing is
//! to be believed then, and the pair is evidence).
//!
//! The age of the newest block decides nothing: blocks are made when there are transactions. That hospitals together hide
//! newer blocks is possible only if all that answer do; `NodeVerdict` says who answered.

use crate::background::SyncPolicy;
use crate::client::{LightClient, Stage, Standing, SyncStart, check_range};
use crate::error::{Disagreement, Forgery, LightError, NodeFailure, Question, Side};
use crate::header::TrustedHeader;
use crate::platform;
use crate::store::StoreError;
use crate::transport::{NodeIndex, Traffic, TransportError};
use amulet_crypto::digest::Digest;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Did, Height, Timestamp};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::limits::HEADERS_PER_REQUEST_MAX;
use amulet_verifier::{
    InvalidHeader, Link, VerifiedHeader, Verifier, link_adjacent, link_range, range_contains,
};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long, once there are enough witnesses or takers, the next hospital is waited for.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// The same where only hospitals are missing that were silent before: one that is down must not slow every page, and one
/// that is back answers within this time.
const GRACE_FOR_SILENT: Duration = Duration::from_millis(250);

/// What one node did during a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeVerdict {
    /// Its newest header is certified, and is the trusted one or in its range.
    Agrees {
        /// Height of its newest header.
        height: Height,
    },
    /// Its newest header is certified, but nobody could show that it is in the trusted one's range.
    Unproven {
        /// Height of its newest header.
        height: Height,
    },
    /// It has no block after the genesis yet.
    NothingYet,
    /// It did not answer.
    Unreachable(TransportError),
    /// It was not asked, to spare a metered link.
    NotAsked,
    /// It refused to answer.
    Refused(LightRefusal),
    /// Its newest header is dated further ahead of this device's clock than clocks may differ. One of the two clocks is
    /// wrong, which is no lie; nothing else about the header is known.
    AheadOfClock {
        /// Date of its header.
        time: Timestamp,
    },
    /// It sent what no honest node sends.
    Forged(Forgery),
    /// Its header names a validator set that this client does not know.
    UnknownValidators {
        /// Named.
        found: Digest,
        /// Known.
        known: Digest,
    },
}

/// What a sync found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// The trusted header.
    pub head: TrustedHeader,
    /// How many validators signed it.
    pub signed: usize,
    /// How many validators there are.
    pub validators: usize,
    /// Organisations that agree on it.
    pub agreeing: usize,
    /// Nodes asked.
    pub total: usize,
    /// How it continues what this device trusted before; `None` at the first sync, when the pinned genesis vouches for the
    /// validators that signed it.
    pub link: Option<Link>,
    /// What each node did.
    pub nodes: Vec<(NodeIndex, NodeVerdict)>,
    /// What was exchanged with each node meanwhile, other questions at the same time included.
    pub traffic: Vec<Traffic>,
    /// What was wrong with the store; it was reset, or could not be written. The sync is good all the same.
    pub store_trouble: Option<StoreError>,
}

/// Whether an older certified header belongs to the chain of a newer one.
pub(crate) enum Placement {
    /// It does.
    Linked(Link),
    /// It does not: both are certified, and one excludes the other.
    Conflict(Box<Disagreement>),
    /// Nobody could show it either way.
    Unproven,
}

/// What all nodes said.
struct Asked {
    /// Their newest headers, verified; the highest first.
    candidates: Vec<Candidate>,
    /// What those did who gave none.
    others: Vec<(NodeIndex, NodeVerdict)>,
    /// Headers among these that name a validator set which this client does not know, as those do that lie in an epoch that
    /// it skipped.
    skipped: Vec<(NodeIndex, Header)>,
}

struct Candidate {
    node: NodeIndex,
    header: VerifiedHeader,
}

/// What was known when a sync began. It is known again when that sync fails, or is dropped before its end.
struct KnownBefore<'a> {
    client: &'a LightClient,
    verifier: Option<Arc<Verifier>>,
}

impl KnownBefore<'_> {
    fn restore(&self) {
        if let Some(verifier) = &self.verifier {
            self.client.set_verifier(Arc::clone(verifier));
        }
    }
}

impl Drop for KnownBefore<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}

impl LightClient {
    /// Asks all hospitals for their newest header and moves the trusted header forward.
    ///
    /// # Errors
    /// [`LightError::TrustExpired`], [`LightError::Unreachable`], [`LightError::NothingYet`],
    /// [`LightError::ValidatorsChanged`], [`LightError::TooFewWitnesses`], [`LightError::ClockBehind`],
    /// [`LightError::Disagreement`],
    /// [`LightError::Unlinked`]. The trusted header stays as it was.
    ///
    /// A disagreement is kept and shown to the hospitals ([`LightClient::forks`]) before this returns.
    pub async fn sync(&self, now: Timestamp) -> Result<SyncReport, LightError> {
        self.sync_by(SyncPolicy::Full, now).await
    }

    /// The same, at the cost that a policy allows. When the few that are asked on a metered link do not agree, all are.
    ///
    /// # Errors
    /// As [`LightClient::sync`].
    pub async fn sync_by(&self, policy: SyncPolicy, now: Timestamp) -> Result<SyncReport, LightError> {
        let _one_at_a_time = self.syncing.lock().await;
        self.restore_once().await;
        // Validator sets that are learnt on the way count with the head that they lead to, or not at all.
        let mut before = KnownBefore { client: self, verifier: Some(self.verifier()) };
        let known = SyncStart::of(&self.verifier());
        let resumed = self.resume_progress(known, now).await;
        let mut synced = self.sync_from(known.steps, policy, now).await;
        self.keep_disagreement(&synced, now).await;
        if resumed && synced.as_ref().is_err_and(|error| !error.is_passing()) {
            // What was reached before may itself have been a way into nothing.
            before.restore();
            self.drop_progress().await;
            synced = self.sync_from(known.steps, policy, now).await;
            self.keep_disagreement(&synced, now).await;
        }
        if policy == SyncPolicy::Metered && synced.as_ref().is_err_and(|error| !error.is_passing()) {
            before.restore();
            synced = self.sync_from(known.steps, SyncPolicy::Full, now).await;
            self.keep_disagreement(&synced, now).await;
        }
        match &synced {
            Ok(_) => {
                before.verifier = None;
                if SyncStart::of(&self.verifier()) != known {
                    self.drop_progress().await;
                }
            }
            Err(error) if !error.is_passing() => self.drop_progress().await,
            Err(_) => {}
        }
        self.tell_forks().await;
        synced
    }

    async fn keep_disagreement(&self, synced: &Result<SyncReport, LightError>, now: Timestamp) {
        if let Err(LightError::Disagreement(found)) = synced {
            self.keep_fork(found, now).await;
        }
    }

    async fn sync_from(
        &self,
        known: usize,
        policy: SyncPolicy,
        now: Timestamp,
    ) -> Result<SyncReport, LightError> {
        let traffic_before = self.traffic();
        let before = self.trusted();
        if let Some(before) = &before {
            self.verifier().within_trust_period(before.checked_at(), now)?;
        }
        let Asked { candidates, others: mut nodes, skipped } = self.ask_all(policy, now).await;
        let newest = self.newest(before.as_ref(), &candidates, &nodes, now)?;
        for Candidate { node, header } in &candidates {
            self.note_height(*node, header.height() == newest.height());
            let verdict = match self.place(&newest, header, now).await {
                Placement::Linked(_) => NodeVerdict::Agrees { height: header.height() },
                Placement::Unproven => NodeVerdict::Unproven { height: header.height() },
                Placement::Conflict(found) => return Err(with_nodes(found, &candidates)),
            };
            nodes.push((*node, verdict));
        }
        for (node, header) in &skipped {
            let height = header.height;
            let verdict = nodes.iter_mut().find(|(other, _)| other == node).map(|(_, verdict)| verdict);
            if let Some(verdict) = verdict
                && self.newest_contains(&newest, header).await
            {
                self.note_height(*node, false);
                *verdict = NodeVerdict::Agrees { height };
            }
        }
        nodes.sort_by_key(|(node, _)| *node);
        let agreeing = self.organisations_that_agree(&nodes);
        let needed = self.params().witnesses();
        if agreeing < needed {
            return Err(self.too_few(agreeing, nodes, now));
        }
        let link = match &before {
            Some(before) => Some(self.continues(&newest, before, &candidates, now).await?),
            None => None,
        };
        self.passes_steps(&newest, known, &candidates, now).await?;
        let head = TrustedHeader::new(newest, now);
        let store_trouble = self.adopt(&head).await;
        let (signed, validators) = (head.signed(), head.validators());
        let traffic = self.traffic().into_iter().zip(traffic_before).map(|(now, before)| now - before);
        let (total, traffic) = (nodes.len(), traffic.collect());
        Ok(SyncReport { signed, validators, agreeing, total, link, nodes, traffic, store_trouble, head })
    }

    /// All nodes' newest headers, or as many as the policy wants, and what the others did.
    async fn ask_all(&self, policy: SyncPolicy, now: Timestamp) -> Asked {
        let total = self.nodes.len();
        let question = |node: NodeIndex| async move {
            let mut latest = None;
            (node, self.latest_from(node, now, &mut latest).await, latest)
        };
        let (first, mut spared) = self.whom_to_ask(policy);
        let mut open: BTreeSet<NodeIndex> = first.iter().copied().collect();
        let mut asked: FuturesUnordered<_> = first.into_iter().map(question).collect();
        let (mut candidates, mut others, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let mut hoped_for = self.nodes_not_silent();
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
        for node in (0..total).map(NodeIndex) {
            let answered = others.iter().any(|(other, _)| *other == node)
                || candidates.iter().any(|candidate: &Candidate| candidate.node == node);
            if !answered {
                others.push((node, self.gave_up(node, GRACE).into()));
            }
        }
        // The newest first; of several, always the same.
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.header.height()), candidate.node));
        Asked { candidates, others, skipped }
    }

    /// Whom to ask at first, and whom only in the place of those that fail.
    fn whom_to_ask(&self, policy: SyncPolicy) -> (Vec<NodeIndex>, VecDeque<NodeIndex>) {
        if policy == SyncPolicy::Full {
            return ((0..self.nodes.len()).map(NodeIndex).collect(), VecDeque::new());
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

    /// Nodes that were not silent when they were last asked.
    fn nodes_not_silent(&self) -> BTreeSet<NodeIndex> {
        let standings = self.standings();
        let answering = |node: &NodeIndex| !matches!(standings[node.0], Standing::Unreachable);
        (0..standings.len()).map(NodeIndex).filter(answering).collect()
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

    /// Shows that the headers that led to new validator sets since `known` are in the new head's chain, as far as it reaches.
    async fn passes_steps(
        &self,
        newest: &VerifiedHeader,
        known: usize,
        candidates: &[Candidate],
        now: Timestamp,
    ) -> Result<(), LightError> {
        let verifier = self.verifier();
        let taken = verifier.trail()[known..].iter().map(|step| match self.judge(step.header.clone(), now) {
            Ok(taken) => taken,
            Err(_) => unreachable!("it was verified when the step was taken"),
        });
        // A node can show the true end of an epoch and then fail to show a header above it.
        let taken: Vec<_> = taken.filter(|taken| taken.height() <= newest.height()).collect();
        if self.contains_all(newest, &taken).await {
            return Ok(());
        }
        for taken in &taken {
            self.continues(newest, taken, candidates, now).await?;
        }
        Ok(())
    }

    /// Whether nodes show by one proof for many that all these are in the range of the newest. If not, it may still be so, and
    /// nobody is to blame yet: a node may be on another branch.
    async fn contains_all(&self, newest: &VerifiedHeader, older: &[VerifiedHeader]) -> bool {
        let older: Vec<_> = older.iter().filter(|older| older.hash() != newest.hash()).collect();
        for older in older.chunks(HEADERS_PER_REQUEST_MAX) {
            if !self.anybody_shows(newest, older).await {
                return false;
            }
        }
        true
    }

    async fn anybody_shows(&self, newest: &VerifiedHeader, older: &[&VerifiedHeader]) -> bool {
        let heights: Vec<Height> = older.iter().map(|older| older.height()).collect();
        let request = LightRequest::Headers { heights: heights.clone(), newer: newest.height() };
        for node in self.order() {
            let Ok(answer) = self.ask(node, &request).await else { continue };
            let Ok((found, _)) = check_range(answer, newest, &heights) else { continue };
            let later = older.iter().all(|older| older.time() < newest.time());
            if later && found.iter().zip(older).all(|(found, older)| found.header.hash() == older.hash()) {
                return true;
            }
        }
        false
    }

    /// Whether a header of a skipped epoch, which nobody vouches for, is in the range of the newest, as any node shows.
    async fn newest_contains(&self, newest: &VerifiedHeader, older: &Header) -> bool {
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

    /// The highest of the verified headers and the one trusted before; if there is none, why not.
    fn newest(
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
    fn too_few(&self, agreeing: usize, nodes: Vec<(NodeIndex, NodeVerdict)>, now: Timestamp) -> LightError {
        let needed = self.params().witnesses();
        let ahead = nodes.iter().filter_map(|(node, verdict)| match verdict {
            NodeVerdict::AheadOfClock { time } => Some((self.nodes[node.0].organisation, *time)),
            _ => None,
        });
        let ahead: Vec<(Did, Timestamp)> = ahead.collect();
        let organisations: BTreeSet<Did> = ahead.iter().map(|(organisation, _)| *organisation).collect();
        match ahead.iter().map(|(_, time)| *time).max() {
            Some(newest) if organisations.len() >= needed => LightError::ClockBehind { now, newest },
            _ => LightError::TooFewWitnesses { agreeing, needed, nodes },
        }
    }

    fn organisations_among(&self, nodes: impl Iterator<Item = NodeIndex>) -> usize {
        nodes.map(|node| self.nodes[node.0].organisation).collect::<BTreeSet<Did>>().len()
    }

    fn organisations_that_agree(&self, nodes: &[(NodeIndex, NodeVerdict)]) -> usize {
        let agreeing: BTreeSet<Did> = nodes
            .iter()
            .filter(|(_, verdict)| matches!(verdict, NodeVerdict::Agrees { .. }))
            .map(|(node, _)| self.nodes[node.0].organisation)
            .collect();
        agreeing.len()
    }

    /// Shows that the new head continues a header that this device followed.
    async fn continues(
        &self,
        newest: &VerifiedHeader,
        before: &VerifiedHeader,
        candidates: &[Candidate],
        now: Timestamp,
    ) -> Result<Link, LightError> {
        match self.place(newest, before, now).await {
            Placement::Linked(link) => Ok(link),
            Placement::Conflict(found) => Err(with_nodes(found, candidates)),
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
                        // Whether it lied or is on the other branch cannot be told when it says no more.
                        Err(NodeFailure::Unreachable(_)) => {}
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

impl From<NodeFailure> for NodeVerdict {
    fn from(failure: NodeFailure) -> Self {
        match failure {
            NodeFailure::Unreachable(error) => Self::Unreachable(error),
            NodeFailure::Forged(Forgery::Header(InvalidHeader::FromFuture { time, .. })) => {
                Self::AheadOfClock { time }
            }
            NodeFailure::Forged(forgery) => Self::Forged(forgery),
            NodeFailure::NotFound => Self::NothingYet,
            NodeFailure::Refused(refusal) => Self::Refused(refusal),
            NodeFailure::UnknownValidators { found, known } => Self::UnknownValidators { found, known },
        }
    }
}

fn conflict(left: &VerifiedHeader, right: &VerifiedHeader, right_nodes: Vec<NodeIndex>) -> Placement {
    let height = left.height().min(right.height());
    let left = Side { nodes: Vec::new(), header: left.as_signed().clone() };
    let right = Side { nodes: right_nodes, header: right.as_signed().clone() };
    Placement::Conflict(Box::new(Disagreement { height, left, right }))
}

/// Names the hospitals that stand by each side. Certificates of one header may differ, so headers are compared.
fn with_nodes(mut found: Box<Disagreement>, candidates: &[Candidate]) -> LightError {
    for side in [&mut found.left, &mut found.right] {
        let stand_by = candidates.iter().filter(|candidate| *candidate.header.header() == side.header.header);
        let missing: Vec<NodeIndex> =
            stand_by.map(|candidate| candidate.node).filter(|node| !side.nodes.contains(node)).collect();
        side.nodes.extend(missing);
    }
    LightError::Disagreement(found)
}
