//! Which messages arrive, and when.

use crate::rng::{Rng, Stream};
use crate::schedule::{FaultKind, Latency, Plan};
use crate::time::Micros;
use std::collections::BTreeSet;

/// The network between nodes: the replicas in order, then the second instances of those that run twice. What is wrong with it is set by [`Network::apply`] as faults begin and end.
pub struct Network {
    rng: Rng,
    latency: Latency,
    /// One-way time for each pair.
    base: Vec<Vec<Micros>>,
    loss: u64,
    duplication: u64,
    reordering: Vec<(u64, Micros)>,
    congestion: Micros,
    islands: Vec<BTreeSet<u16>>,
    one_way: Vec<(BTreeSet<u16>, BTreeSet<u16>)>,
    lost_kinds: Vec<(String, BTreeSet<u16>, BTreeSet<u16>)>,
}

impl Network {
    /// The network of a plan, with nothing wrong.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut rng = Rng::new(plan.seed, Stream::Network);
        let size = usize::from(plan.hospitals() + plan.twins());
        let mut base = vec![vec![Micros(50); size]; size];
        let pairs = (0..size).flat_map(|left| (0..left).map(move |right| (left, right)));
        for (left, right) in pairs {
            let time = Micros(rng.range(plan.latency.least.0, plan.latency.most.0 + 1));
            base[left][right] = time;
            base[right][left] = time;
        }
        Self {
            rng,
            latency: plan.latency,
            base,
            loss: 0,
            duplication: 0,
            reordering: Vec::new(),
            congestion: Micros(0),
            islands: Vec::new(),
            one_way: Vec::new(),
            lost_kinds: Vec::new(),
        }
    }

    /// Sets what is wrong.
    pub fn apply<'a>(&mut self, faults: impl Iterator<Item = &'a FaultKind>) {
        (self.loss, self.duplication, self.congestion) = (0, 0, Micros(0));
        self.reordering.clear();
        self.islands.clear();
        self.one_way.clear();
        self.lost_kinds.clear();
        for fault in faults {
            match fault {
                FaultKind::Loss { per_mille } => self.loss = self.loss.max(*per_mille),
                FaultKind::Duplication { per_mille } => self.duplication = self.duplication.max(*per_mille),
                FaultKind::Reordering { per_mille, hold } => self.reordering.push((*per_mille, *hold)),
                FaultKind::Congestion { more } => self.congestion = self.congestion.max(*more),
                FaultKind::Partition { island } => self.islands.push(island.clone()),
                FaultKind::OneWay { from, to } => self.one_way.push((from.clone(), to.clone())),
                FaultKind::LoseKind { kind, from, to } => {
                    self.lost_kinds.push((kind.clone(), from.clone(), to.clone()));
                }
                _ => {}
            }
        }
    }

    /// Whether anything sent from one node can reach another.
    #[must_use]
    pub fn is_connected(&self, from: usize, to: usize) -> bool {
        let (from, to) = (number(from), number(to));
        let split = |island: &BTreeSet<u16>| island.contains(&from) != island.contains(&to);
        let deaf = |(senders, receivers): &(BTreeSet<u16>, BTreeSet<u16>)| {
            senders.contains(&from) && receivers.contains(&to)
        };
        from == to || !(self.islands.iter().any(split) || self.one_way.iter().any(deaf))
    }

    /// The times at which copies of a message arrive, counted from now; usually one, none if it is lost.
    pub fn travel(&mut self, from: usize, to: usize, kind: &str) -> Arrivals {
        if !self.is_connected(from, to) || self.is_lost_kind(from, to, kind) || self.rng.chance(self.loss) {
            return [None, None];
        }
        let first = self.time(from, to);
        let second = self.rng.chance(self.duplication).then(|| {
            let later = Micros(self.rng.range(0, 3_000_000));
            first + later
        });
        [Some(first), second]
    }

    fn is_lost_kind(&self, from: usize, to: usize, kind: &str) -> bool {
        let (from, to) = (number(from), number(to));
        self.lost_kinds.iter().any(|(lost, senders, receivers)| {
            lost == kind
                && (senders.is_empty() || senders.contains(&from))
                && (receivers.is_empty() || receivers.contains(&to))
        })
    }

    fn time(&mut self, from: usize, to: usize) -> Micros {
        let base = self.base[from][to];
        let mut time = base + self.congestion + Micros(self.rng.range(0, self.latency.jitter.0 + 1));
        if self.rng.chance(self.latency.stragglers_per_mille) {
            time = Micros(time.0 * 20);
        }
        for index in 0..self.reordering.len() {
            let (per_mille, hold) = self.reordering[index];
            if self.rng.chance(per_mille) {
                time = time + Micros(self.rng.range(0, hold.0));
            }
        }
        time
    }
}

/// A node's number in a plan.
fn number(node: usize) -> u16 {
    u16::try_from(node).expect("few nodes")
}

/// When copies of a message arrive.
pub type Arrivals = [Option<Micros>; 2];
