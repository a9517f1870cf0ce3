//! Twins: replicas that run twice with one key and different states, systematically, as in Bano et al., *Twins: BFT Systems
//! Made Robust* (OPODIS'21). Each scenario fixes which replica has a twin, which nodes are apart in each round, the two
//! instances each on a side of their own choice, and the view in which it begins; both instances are otherwise correct, so that all they do is contradict each other.

use crate::schedule::{
    Behaviour, Calm, ClientPlan, Fault, FaultKind, LIVENESS_BOUND, Latency, Liar, PROGRESS, Plan,
};
use crate::time::Micros;
use crate::upkeep::Upkeep;
use std::collections::BTreeSet;

/// Time of one round: longer than a primary's patience, so that a round can have its own view.
const ROUND: Micros = Micros(PROGRESS.0 + 1_500_000);
/// Splits of one round that are tried for more than four replicas; four, with a twin five nodes, have them all.
const SPLITS_MAX: usize = 20;

/// Every scenario for a validator set: twins × first view × a split for each round.
#[must_use]
pub fn plans(replicas: u16, rounds: u32) -> Vec<Plan> {
    let splits = splits(replicas);
    let count = splits.len().pow(rounds);
    let mut plans = Vec::new();
    for twin in 0..replicas {
        for first in 0..2 {
            for choice in 0..count {
                let mut left = choice;
                let chosen = (0..rounds).map(|_| {
                    let split = &splits[left % splits.len()];
                    left /= splits.len();
                    split.clone()
                });
                let seed = plans.len() as u64;
                plans.push(plan(seed, replicas, twin, first, chosen.collect()));
            }
        }
    }
    plans
}

/// A part of the scenarios, evenly spread over all of them.
#[must_use]
pub fn some(replicas: u16, rounds: u32, count: usize) -> Vec<Plan> {
    let all = plans(replicas, rounds);
    let step = (all.len() / count.max(1)).max(1);
    all.into_iter().step_by(step).collect()
}

/// Ways to keep some apart, the second instance counted as a node of its own: nobody, each one alone, and each pair, those
/// with the second instance first.
fn splits(replicas: u16) -> Vec<BTreeSet<u16>> {
    let mut splits = vec![BTreeSet::new()];
    splits.extend((0..=replicas).map(|one| BTreeSet::from([one])));
    for one in (0..=replicas).rev() {
        for other in (0..one).rev() {
            splits.push(BTreeSet::from([one, other]));
        }
    }
    if replicas > 4 {
        splits.truncate(SPLITS_MAX);
    }
    splits
}

fn plan(seed: u64, replicas: u16, twin: u16, first: u16, rounds: Vec<BTreeSet<u16>>) -> Plan {
    let begin = Micros::seconds(4);
    let mut faults = Vec::new();
    if first > 0 {
        // The first primary is cut off until the others have left its view.
        let kind = FaultKind::Partition { island: BTreeSet::from([0]) };
        faults.push(Fault { from: Micros::millis(200), until: begin, kind });
    }
    for (index, island) in (0_u64..).zip(rounds.iter()) {
        let from = begin + Micros(ROUND.0 * index);
        let kind = FaultKind::Partition { island: island.clone() };
        faults.push(Fault { from, until: from + ROUND, kind });
    }
    let healed = begin + Micros(ROUND.0 * rounds.len() as u64);
    let client = |number| ClientPlan {
        number,
        from: Micros::millis(50 + 90 * u64::from(number)),
        every: Micros::millis(1_500),
        bursts_per_mille: 0,
        double_per_mille: 100,
    };
    Plan {
        seed,
        replicas,
        end: healed + LIVENESS_BOUND + Micros::seconds(1),
        latency: Latency {
            least: Micros::millis(2),
            most: Micros::millis(12),
            jitter: Micros::millis(3),
            stragglers_per_mille: 0,
        },
        faults,
        liars: vec![Liar { replica: twin, behaviours: vec![Behaviour::Twins] }],
        // Few clients, and only while something happens.
        clients: (0..2).map(client).collect(),
        calms: vec![Calm { from: healed, until: healed + LIVENESS_BOUND }],
        upkeep: Upkeep::default(),
        planted: None,
    }
}
