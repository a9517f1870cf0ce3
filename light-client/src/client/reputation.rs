//! Who is asked first: what this client measured itself, what the ledger says of each node, and a drawn order.
//!
//! Order is all that follows from it: every answer is checked, whoever gives it, and witnesses of several organisations
//! are asked as ever. See `docs/spec/reputation.md`.

use super::{LightClient, Standing};
use crate::error::LightError;
use crate::transport::NodeIndex;
use amulet_crypto::entropy::Entropy;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::SERVICE_LINES_MAX;
use amulet_protocol::reputation::{LedgerDay, Reputation, SCORE_PRIOR, Score, ServiceLine, Tenths};
use amulet_protocol::state::StateKey;
use std::collections::{BTreeMap, BTreeSet};

/// Within how many milliseconds an answer is in time: as long as a sync waits for the last hospital.
const IN_TIME_MS: u64 = 2_000;
/// Silence counts against a node only if another answered at most so many milliseconds before or after: else it is this
/// device that has no network, and it would call all hospitals bad.
const SAME_NETWORK_MS: u64 = 10_000;
/// Silences that wait to be counted.
const WAITING_MAX: usize = 64;
/// Questions to an organisation from which on there is something to say of it.
const MEASURED_MIN: u32 = 8;
/// Lowest score in the draw, in points: a node that nobody likes is still tried now and then, or it could never show that
/// it has become better.
const EXPLORED_MIN: u16 = 500;

/// What a client measured of a node, since it started or last reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Questions, without those about ciphertexts: their holders are not chosen by merit, and which ones were asked would
    /// say where somebody was treated.
    pub asked: u32,
    /// Of those, answered in time.
    pub answered: u32,
    /// Looks at its newest header.
    pub looked: u32,
    /// Of those, when no other node had a newer one.
    pub fresh: u32,
    /// Answers that failed a check.
    pub unsound: u32,
}

/// What the ledger says of a node's organisation, as last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerScore {
    /// Its score on the day of the header it was proven against.
    pub score: Score,
    /// Whether a lie was proven that the members have not forgiven.
    pub convicted: bool,
}

impl Default for LedgerScore {
    fn default() -> Self {
        Self { score: SCORE_PRIOR, convicted: false }
    }
}

/// All that decides about the order, by node.
pub(crate) struct Merits {
    measured: Vec<Measured>,
    scores: Vec<LedgerScore>,
    entropy: Option<Box<dyn Entropy + Send>>,
    last_heard: Option<Timestamp>,
    /// Silences of which it is not known yet whether the device had a network.
    waiting: Vec<(NodeIndex, Timestamp)>,
}

impl Merits {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            measured: vec![Measured::default(); nodes],
            scores: vec![LedgerScore::default(); nodes],
            entropy: None,
            last_heard: None,
            waiting: Vec::new(),
        }
    }

    /// Knows nothing yet of the node at this place, which is a new one or had another node.
    pub(crate) fn join(&mut self, node: NodeIndex) {
        self.measured.resize(self.measured.len().max(node.0 + 1), Measured::default());
        self.scores.resize(self.scores.len().max(node.0 + 1), LedgerScore::default());
        self.measured[node.0] = Measured::default();
        self.scores[node.0] = LedgerScore::default();
        self.waiting.retain(|(waiting, _)| *waiting != node);
    }

    /// A node answered, for good or bad.
    pub(crate) fn heard(&mut self, node: NodeIndex, asked_at: Timestamp, now: Timestamp, busy: bool) {
        self.last_heard = Some(now);
        let in_time = !busy && now.millis_since(asked_at) <= IN_TIME_MS;
        self.count(node, in_time);
        for (node, since) in std::mem::take(&mut self.waiting) {
            if now.millis_since(since) <= SAME_NETWORK_MS {
                self.count(node, false);
            }
        }
    }

    /// A node did not answer.
    pub(crate) fn silent(&mut self, node: NodeIndex, now: Timestamp) {
        if self.last_heard.is_some_and(|heard| now.millis_since(heard) <= SAME_NETWORK_MS) {
            self.count(node, false);
            return;
        }
        self.waiting.retain(|(_, since)| now.millis_since(*since) <= SAME_NETWORK_MS);
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push((node, now));
        }
    }

    fn count(&mut self, node: NodeIndex, in_time: bool) {
        let Some(measured) = self.measured.get_mut(node.0) else { return };
        measured.asked = measured.asked.saturating_add(1);
        measured.answered = measured.answered.saturating_add(u32::from(in_time));
    }

    pub(crate) fn looked(&mut self, node: NodeIndex, fresh: bool) {
        let measured = &mut self.measured[node.0];
        measured.looked = measured.looked.saturating_add(1);
        measured.fresh = measured.fresh.saturating_add(u32::from(fresh));
    }

    pub(crate) fn unsound(&mut self, node: NodeIndex) {
        let measured = &mut self.measured[node.0];
        measured.unsound = measured.unsound.saturating_add(1);
    }

    /// All nodes: by standing, the own experience first; among equals drawn by weight, or the heaviest first if there is no
    /// randomness.
    pub(crate) fn order(&mut self, standings: &[Standing]) -> Vec<NodeIndex> {
        let mut classes: BTreeMap<u8, Vec<NodeIndex>> = BTreeMap::new();
        for (index, standing) in standings.iter().enumerate() {
            classes.entry(self.class(index, standing)).or_default().push(NodeIndex(index));
        }
        let mut order = Vec::with_capacity(standings.len());
        for mut class in classes.into_values() {
            while !class.is_empty() {
                let place = self.draw(&class);
                order.push(class.remove(place));
            }
        }
        order
    }

    fn class(&self, index: usize, standing: &Standing) -> u8 {
        match standing {
            Standing::Lied(_) => 4,
            _ if self.scores[index].convicted => 3,
            Standing::Unreachable => 2,
            Standing::Behind => 1,
            Standing::Good => 0,
        }
    }

    /// The place of the one that is next.
    fn draw(&mut self, class: &[NodeIndex]) -> usize {
        let weights: Vec<u64> = class.iter().map(|node| self.weight(*node)).collect();
        let Some(entropy) = &mut self.entropy else {
            // The first of the heaviest.
            return (0..weights.len()).rev().max_by_key(|place| weights[*place]).unwrap_or(0);
        };
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        let mut left = u64::from_be_bytes(bytes) % weights.iter().sum::<u64>();
        let falls_here = |weight: &u64| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        };
        weights.iter().position(falls_here).expect("the drawn number is below the sum")
    }

    fn weight(&self, node: NodeIndex) -> u64 {
        let Measured { asked, answered, .. } = self.measured[node.0];
        let score = u64::from(self.scores[node.0].score.points().max(EXPLORED_MIN));
        (score * (u64::from(answered) + 1) / (u64::from(asked) + 1)).max(1)
    }

    /// As many of `lines` as a report may have.
    fn choose(&mut self, mut lines: Vec<ServiceLine>) -> Vec<ServiceLine> {
        while lines.len() > SERVICE_LINES_MAX {
            let mut bytes = [0; 8];
            if let Some(entropy) = &mut self.entropy {
                entropy.fill(&mut bytes);
            }
            let place = u64::from_be_bytes(bytes) % lines.len() as u64;
            lines.remove(usize::try_from(place).expect("a place in a list"));
        }
        lines
    }
}

impl LightClient {
    /// Draws the order in which nodes are asked from this source. Without one the best comes first each time, and is the
    /// only one that is asked as long as it answers.
    #[must_use]
    pub fn with_entropy(self, entropy: Box<dyn Entropy + Send>) -> Self {
        self.inner().merits.entropy = Some(entropy);
        self
    }

    /// Reads what the ledger says of each node's organisation, proven against the trusted header, and uses it from now on.
    ///
    /// # Errors
    /// As [`LightClient::state`].
    pub async fn read_scores(&self) -> Result<Vec<LedgerScore>, LightError> {
        let head = self.head()?;
        let today = LedgerDay::of(head.header().time);
        let validators = head.validator_set();
        let validating: BTreeSet<Did> =
            validators.members().iter().map(|validator| validator.organisation).collect();
        let organisations: Vec<Did> = self.nodes().iter().map(|node| node.organisation).collect();
        let keys: Vec<StateKey> = organisations.iter().copied().map(StateKey::Reputation).collect();
        let proven = self.states::<Reputation>(&keys).await?;
        let judge = |(organisation, reputation): (&Did, Option<Reputation>)| {
            let mut others = validating.clone();
            others.remove(organisation);
            reputation.map_or_else(LedgerScore::default, |reputation| LedgerScore {
                score: reputation.score_on(today, &others),
                convicted: reputation.is_convicted(),
            })
        };
        let read = proven.into_iter().map(amulet_protocol::state_tree::Proven::into_option);
        let scores: Vec<LedgerScore> = organisations.iter().zip(read).map(judge).collect();
        // One may have joined meanwhile.
        self.inner().merits.scores.iter_mut().zip(&scores).for_each(|(known, read)| *known = *read);
        Ok(scores)
    }

    /// What this client measured of each node since it started or last reported.
    #[must_use]
    pub fn measured(&self) -> Vec<Measured> {
        self.inner().merits.measured.clone()
    }

    /// What is to be reported of the nodes of other organisations than `voucher`, in the order in which the contract takes
    /// it; empty while too little was measured. Shares in tenths only: not how much was asked, nor what, nor when.
    #[must_use]
    pub fn service_lines(&self, voucher: Did) -> Vec<ServiceLine> {
        let mut state = self.inner();
        let mut sums: BTreeMap<Did, Measured> = BTreeMap::new();
        let measured = state.nodes.iter().zip(&state.merits.measured).enumerate();
        let asked = measured.filter(|(index, _)| !state.left.contains(&NodeIndex(*index)));
        for (_, (node, measured)) in asked {
            let sum = sums.entry(node.organisation).or_default();
            sum.asked = sum.asked.saturating_add(measured.asked);
            sum.answered = sum.answered.saturating_add(measured.answered);
            sum.looked = sum.looked.saturating_add(measured.looked);
            sum.fresh = sum.fresh.saturating_add(measured.fresh);
            sum.unsound = sum.unsound.saturating_add(measured.unsound);
        }
        let told = sums
            .into_iter()
            .filter(|(organisation, sum)| *organisation != voucher && sum.asked >= MEASURED_MIN);
        let lines = told.map(|(organisation, sum)| line(organisation, &sum)).collect();
        state.merits.choose(lines)
    }

    /// Begins to measure anew, because what was measured was reported.
    pub fn forget_measured(&self) {
        self.inner().merits.measured.fill(Measured::default());
    }
}

fn line(organisation: Did, sum: &Measured) -> ServiceLine {
    let sound = sum.answered.saturating_sub(sum.unsound);
    ServiceLine {
        organisation,
        answered: Tenths::of(sum.answered, sum.asked),
        fresh: Tenths::of(sum.fresh, sum.looked),
        sound: Tenths::of(sound, sum.answered),
    }
}
