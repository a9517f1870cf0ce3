//! Schedules that drive the replicas to where a particular mistake would show.

use crate::disk::Unsynced;
use crate::rng::{Rng, Stream};
use crate::schedule::{
    Behaviour, Calm, ClientPlan, Fault, FaultKind, LIVENESS_BOUND, Latency, Liar, PROGRESS, Plan,
};
use crate::time::Micros;
use crate::upkeep::Upkeep;
use std::collections::BTreeSet;

/// Rounds of a directed schedule.
pub(crate) const ROUNDS: u64 = 10;
/// Time of one round.
const ROUND: Micros = Micros::seconds(18);

/// A schedule with busy clients and nothing wrong, `ROUNDS` rounds long, with a calm at the end.
pub(crate) fn busy(seed: u64, replicas: u16) -> Plan {
    let begin = Micros::seconds(8);
    let healed = Micros(begin.0 + ROUND.0 * ROUNDS);
    let client = |number| ClientPlan {
        number,
        from: Micros::millis(100 * u64::from(number)),
        every: Micros::millis(4_000),
        bursts_per_mille: 20,
        double_per_mille: 50,
    };
    Plan {
        seed,
        replicas,
        end: healed + LIVENESS_BOUND + Micros::seconds(1),
        latency: Latency {
            least: Micros::millis(2),
            most: Micros::millis(15),
            jitter: Micros::millis(4),
            stragglers_per_mille: 0,
        },
        faults: Vec::new(),
        liars: Vec::new(),
        clients: (0..4).map(client).collect(),
        calms: vec![Calm { from: healed, until: healed + LIVENESS_BOUND }],
        upkeep: Upkeep::default(),
        planted: None,
    }
}

pub(crate) fn round(index: u64) -> Micros {
    Micros(Micros::seconds(8).0 + ROUND.0 * index)
}

/// One replica alone sees a block committed and is cut off; the others have prepared it, stop and start, and change views.
/// Whoever forgets what it prepared, or is let forget, lets another block be committed there.
#[must_use]
pub fn squeeze(seed: u64, replicas: u16) -> Plan {
    let mut plan = busy(seed, replicas);
    let mut rng = Rng::new(seed, Stream::Plan);
    for index in 0..ROUNDS {
        let from = round(index);
        let alone = u16::try_from(rng.range(0, u64::from(replicas))).expect("few");
        let others: BTreeSet<u16> = (0..replicas).filter(|other| *other != alone).collect();
        let lost = Micros(rng.range(300_000, PROGRESS.0 + 500_000));
        let kind = if rng.chance(750) { "commit" } else { "prepare" };
        plan.faults.push(Fault {
            from,
            until: from + lost,
            kind: FaultKind::LoseKind { kind: kind.into(), from: BTreeSet::new(), to: others.clone() },
        });
        // Cut off once it may have committed.
        let cut = from + Micros(rng.range(100_000, lost.0));
        let island = BTreeSet::from([alone]);
        let kind = FaultKind::Partition { island };
        plan.faults.push(Fault { from: cut, until: from + Micros::seconds(11), kind });
        // The others stop at random moments of the view change that follows.
        for other in &others {
            if rng.chance(600) {
                let at = cut + Micros(rng.range(50_000, 3_000_000));
                let kind = if rng.chance(400) {
                    FaultKind::CrashOnSend {
                        replica: *other,
                        kind: (*rng.pick(&crate::storm::KINDS).expect("there are kinds")).into(),
                        delivered: rng.chance(700),
                        unsynced: Unsynced::Lost,
                    }
                } else {
                    FaultKind::Crash { replica: *other, at_write: None, unsynced: Unsynced::Lost }
                };
                let until = at + Micros(rng.range(200_000, 1_200_000));
                plan.faults.push(Fault { from: at, until, kind });
            }
        }
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

/// View after view fails: new-views and votes get lost, primaries stop, and some prepare what others do not.
#[must_use]
pub fn cascade(seed: u64, replicas: u16) -> Plan {
    let mut plan = busy(seed, replicas);
    let mut rng = Rng::new(seed ^ 0xca5c, Stream::Plan);
    for index in 0..ROUNDS {
        let from = round(index);
        for _ in 0..rng.range(2, 6) {
            let at = from + Micros(rng.range(0, 9_000_000));
            let some = |rng: &mut Rng| -> BTreeSet<u16> {
                let count = usize::try_from(rng.range(1, u64::from(replicas))).expect("few");
                let chosen = rng.choose(count, usize::from(replicas));
                chosen.into_iter().filter_map(|index| u16::try_from(index).ok()).collect()
            };
            let kinds = ["commit", "prepare", "commit", "new-view", "view-change", "pre-prepare"];
            let kind = (*rng.pick(&kinds).expect("there are kinds")).to_owned();
            let kind = match rng.range(0, 5) {
                0 => FaultKind::OneWay { from: some(&mut rng), to: some(&mut rng) },
                1 => FaultKind::Partition { island: some(&mut rng) },
                _ => FaultKind::LoseKind { kind, from: BTreeSet::new(), to: some(&mut rng) },
            };
            let until = at + Micros(rng.range(400_000, 5_000_000));
            plan.faults.push(Fault { from: at, until, kind });
        }
        if rng.chance(500) {
            let replica = u16::try_from(rng.range(0, u64::from(replicas))).expect("few");
            let at = from + Micros(rng.range(0, 9_000_000));
            let kind = FaultKind::Crash { replica, at_write: None, unsynced: Unsynced::Lost };
            plan.faults.push(Fault { from: at, until: at + Micros(rng.range(200_000, 2_000_000)), kind });
        }
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

/// Up to f liars that tell different replicas different things, while some of the others are kept apart.
#[must_use]
pub fn duel(seed: u64, replicas: u16) -> Plan {
    let mut plan = if seed.is_multiple_of(2) { cascade(seed, replicas) } else { busy(seed, replicas) };
    let mut rng = Rng::new(seed ^ 0xd0e1, Stream::Plan);
    let liars = rng.choose(plan.faults_borne(), usize::from(replicas));
    for replica in liars {
        let first =
            Behaviour::OF_AGREEMENT[usize::try_from(seed).unwrap_or(0) % Behaviour::OF_AGREEMENT.len()];
        let mut behaviours = vec![first];
        if rng.chance(600) {
            behaviours.extend(rng.pick(&[Behaviour::CommitEarly, Behaviour::Equivocate, Behaviour::Replay]));
        }
        behaviours.sort_unstable();
        behaviours.dedup();
        plan.liars.push(Liar { replica: u16::try_from(replica).expect("few"), behaviours });
    }
    for index in 0..ROUNDS {
        if rng.chance(500) {
            let count = usize::try_from(rng.range(1, u64::from(replicas) / 2 + 1)).expect("few");
            let chosen = rng.choose(count, usize::from(replicas));
            let island = chosen.into_iter().filter_map(|index| u16::try_from(index).ok()).collect();
            let from = round(index) + Micros(rng.range(0, 4_000_000));
            let until = from + Micros(rng.range(500_000, 6_000_000));
            plan.faults.push(Fault { from, until, kind: FaultKind::Partition { island } });
        }
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

/// Replicas stop right after they voted, hear nothing of what they voted for when they start again, and then have to change
/// views; in odd seeds a liar tells them something else meanwhile. Whoever did not write its vote down contradicts it.
#[must_use]
pub fn amnesia(seed: u64, replicas: u16) -> Plan {
    let mut plan = busy(seed, replicas);
    let mut rng = Rng::new(seed ^ 0xa33e, Stream::Plan);
    let liar = u16::try_from(rng.range(0, u64::from(replicas))).expect("few");
    if !seed.is_multiple_of(2) {
        plan.liars.push(Liar { replica: liar, behaviours: vec![Behaviour::Equivocate] });
    }
    for index in 0..ROUNDS {
        let from = round(index);
        let victim = u16::try_from(rng.range(0, u64::from(replicas))).expect("few");
        let kind = if rng.chance(600) { "commit" } else { "prepare" };
        let up = from + Micros(rng.range(200_000, 900_000));
        let crash = FaultKind::CrashOnSend {
            replica: victim,
            kind: kind.into(),
            delivered: true,
            unsynced: Unsynced::Lost,
        };
        plan.faults.push(Fault { from, until: up, kind: crash });
        if seed.is_multiple_of(2) {
            for lost in ["prepare", "pre-prepare", "commit"] {
                let kind =
                    FaultKind::LoseKind { kind: lost.into(), from: BTreeSet::new(), to: BTreeSet::new() };
                let from = from + Micros(rng.range(20_000, 200_000));
                plan.faults.push(Fault { from, until: from + Micros::seconds(5), kind });
            }
        }
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}
