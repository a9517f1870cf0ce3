//! Schedules with the full mix of faults.

use crate::disk::Unsynced;
use crate::replacements;
use crate::rng::{Rng, Stream};
use crate::schedule::{Behaviour, Calm, ClientPlan, Fault, FaultKind, LIVENESS_BOUND, Latency, Liar, Plan};
use crate::time::Micros;
use crate::upkeep;
use std::collections::BTreeSet;

/// Shortest and longest time with faults between two times without, in seconds.
const STORM_SECONDS: std::ops::Range<u64> = 90..600;
/// Mean time between the beginnings of two faults in a storm, in seconds.
const FAULT_EVERY_SECONDS: u64 = 12;

/// The schedule of a seed: storms with calms between them, clients, and up to f liars.
#[must_use]
pub fn plan(seed: u64, replicas: u16, length: Micros) -> Plan {
    let mut rng = Rng::new(seed, Stream::Plan);
    let mut plan = Plan {
        seed,
        replicas,
        end: length,
        latency: latency(&mut rng),
        faults: Vec::new(),
        liars: Vec::new(),
        clients: clients(&mut rng, length),
        calms: Vec::new(),
        upkeep: upkeep::in_storms(seed, replicas, length),
        planted: None,
    };
    plan.liars = liars(&mut rng, &plan);
    let mut now = Micros::seconds(rng.range(5, 30));
    while now + LIVENESS_BOUND < length {
        let most = (length - now - LIVENESS_BOUND).0 / 1_000_000;
        let storm = Micros::seconds(rng.range(STORM_SECONDS.start, STORM_SECONDS.end).min(most));
        storm_between(&mut rng, &mut plan, now, now + storm);
        let calm = Calm { from: now + storm, until: now + storm + LIVENESS_BOUND };
        plan.calms.push(calm);
        now = calm.until + Micros::seconds(1);
    }
    replacements::add_to_storms(&mut plan);
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

fn latency(rng: &mut Rng) -> Latency {
    match rng.range(0, 3) {
        0 => Latency { least: Micros(100), most: Micros(400), jitter: Micros(200), stragglers_per_mille: 2 },
        1 => Latency {
            least: Micros::millis(2),
            most: Micros::millis(20),
            jitter: Micros::millis(5),
            stragglers_per_mille: 5,
        },
        _ => Latency {
            least: Micros::millis(5),
            most: Micros::millis(60),
            jitter: Micros::millis(20),
            stragglers_per_mille: 10,
        },
    }
}

fn clients(rng: &mut Rng, length: Micros) -> Vec<ClientPlan> {
    let count = rng.range(3, 7);
    // About three hundred transactions an hour in all, so that a run has as many blocks.
    let every = Micros::seconds(count * 12);
    let client = |number| ClientPlan {
        number,
        from: Micros::seconds(rng.range(0, 20.min(length.0 / 1_000_000).max(1))),
        every,
        bursts_per_mille: rng.range(0, 60),
        double_per_mille: rng.range(0, 60),
    };
    (0..u16::try_from(count).expect("few clients")).map(client).collect()
}

fn liars(rng: &mut Rng, plan: &Plan) -> Vec<Liar> {
    let count = rng.range(0, plan.faults_borne() as u64 + 1);
    let chosen = rng.choose(usize::try_from(count).expect("few"), usize::from(plan.replicas));
    let liar = |replica: usize| {
        let kinds = rng.range(1, 4);
        let mut behaviours: Vec<Behaviour> =
            (0..kinds).filter_map(|_| rng.pick(Behaviour::OF_AGREEMENT).copied()).collect();
        behaviours.sort_unstable();
        behaviours.dedup();
        Liar { replica: u16::try_from(replica).expect("a validator set is small"), behaviours }
    };
    chosen.into_iter().map(liar).collect()
}

fn storm_between(rng: &mut Rng, plan: &mut Plan, from: Micros, until: Micros) {
    let mut at = from;
    loop {
        at = at + Micros(rng.range(0, 2 * FAULT_EVERY_SECONDS * 1_000_000));
        if at >= until {
            return;
        }
        let kind = kind(rng, plan.replicas);
        let length = match &kind {
            FaultKind::Crash { .. } => Micros(rng.range(300_000, 40_000_000)),
            _ => Micros(rng.range(1_000_000, 60_000_000)),
        };
        plan.faults.push(Fault { from: at, until: (at + length).min(until), kind });
        // Now and then the power fails everywhere.
        if rng.chance(15) {
            for replica in 0..plan.replicas {
                let kind = FaultKind::Crash { replica, at_write: None, unsynced: unsynced(rng) };
                let length = Micros(rng.range(300_000, 20_000_000));
                plan.faults.push(Fault { from: at, until: (at + length).min(until), kind });
            }
        }
    }
}

fn unsynced(rng: &mut Rng) -> Unsynced {
    match rng.range(0, 4) {
        0 | 1 => Unsynced::Lost,
        2 => Unsynced::Kept,
        _ => Unsynced::Torn,
    }
}

/// Kinds of messages in normal operation and view changes, as the core names them.
pub(crate) const KINDS: [&str; 6] =
    ["pre-prepare", "prepare", "commit", "checkpoint", "view-change", "new-view"];

fn kind(rng: &mut Rng, replicas: u16) -> FaultKind {
    let one = u16::try_from(rng.range(0, u64::from(replicas))).expect("below a small number");
    let name = (*rng.pick(&KINDS).expect("there are kinds")).to_owned();
    match rng.range(0, 20) {
        0 | 1 => FaultKind::Loss { per_mille: rng.range(10, 350) },
        2 => FaultKind::Duplication { per_mille: rng.range(10, 300) },
        3 => FaultKind::Reordering {
            per_mille: rng.range(10, 400),
            hold: Micros::millis(rng.range(50, 4_000)),
        },
        4 => FaultKind::Congestion { more: Micros::millis(rng.range(20, 2_500)) },
        5 | 6 => FaultKind::Partition { island: some(rng, replicas) },
        7 => FaultKind::OneWay { from: some(rng, replicas), to: some(rng, replicas) },
        8..=10 => FaultKind::Crash {
            replica: one,
            at_write: rng.chance(600).then(|| rng.range(1, 40)),
            unsynced: unsynced(rng),
        },
        11 | 12 => FaultKind::CrashOnSend {
            replica: one,
            kind: name,
            delivered: rng.chance(500),
            unsynced: unsynced(rng),
        },
        13 | 14 => FaultKind::LoseKind { kind: name, from: some(rng, replicas), to: some(rng, replicas) },
        15 => {
            let most = 1 << rng.range(8, 24);
            let size = i64::try_from(rng.range(1, most)).expect("a small number");
            FaultKind::Clock { replica: one, ahead_ms: if rng.chance(500) { size } else { -size } }
        }
        16 => FaultKind::Drift { replica: one, per_mille: rng.range(300, 3_000) },
        17 | 18 => FaultKind::SlowDisk { replica: one, sync: Micros::millis(rng.range(5, 900)) },
        _ => FaultKind::FullDisk { replica: one },
    }
}

/// At least one replica, and at most half of them and one.
fn some(rng: &mut Rng, replicas: u16) -> BTreeSet<u16> {
    let count = rng.range(1, u64::from(replicas) / 2 + 2);
    let chosen = rng.choose(usize::try_from(count).expect("few"), usize::from(replicas));
    chosen.into_iter().filter_map(|index| u16::try_from(index).ok()).collect()
}
