//! Schedules that set up the one situation in which a particular mistake shows.

use crate::directed::{ROUNDS, busy, round};
use crate::rng::{Rng, Stream};
use crate::schedule::{Behaviour, ClientPlan, Fault, FaultKind, Liar, PROGRESS, Plan};
use crate::time::Micros;
use crate::upkeep::{Change, ChangeKind};
use std::collections::BTreeSet;

/// Replicas of a trap.
const REPLICAS: u16 = 4;

/// A busy plan of four replicas, and chance for its rounds.
fn trap(seed: u64, salt: u64) -> (Plan, Rng) {
    (busy(seed, REPLICAS), Rng::new(seed ^ salt, Stream::Plan))
}

/// Loses messages of a kind to some, from one moment of a round for so long.
fn lose(plan: &mut Plan, kind: &str, to: &BTreeSet<u16>, from: Micros, length: Micros) {
    let kind = FaultKind::LoseKind { kind: kind.into(), from: BTreeSet::new(), to: to.clone() };
    plan.faults.push(Fault { from, until: from + length, kind });
}

fn cut_off(plan: &mut Plan, replica: u16, from: Micros, length: Micros) {
    let kind = FaultKind::Partition { island: BTreeSet::from([replica]) };
    plan.faults.push(Fault { from, until: from + length, kind });
}

fn in_order(mut plan: Plan) -> Plan {
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

fn all() -> BTreeSet<u16> {
    (0..REPLICAS).collect()
}

fn but(replica: u16) -> BTreeSet<u16> {
    (0..REPLICAS).filter(|other| *other != replica).collect()
}

fn one(rng: &mut Rng) -> u16 {
    u16::try_from(rng.range(0, u64::from(REPLICAS))).expect("few")
}

/// One liar, and in each round a view change, so that everybody comes to be the primary.
#[must_use]
pub fn usurper(seed: u64, behaviour: Behaviour) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0x05e7);
    let replica = u16::try_from(seed % u64::from(REPLICAS)).expect("few");
    plan.liars.push(Liar { replica, behaviours: vec![behaviour] });
    for index in 0..ROUNDS {
        let from = round(index) + Micros(rng.range(0, 3_000_000));
        lose(&mut plan, "commit", &all(), from, PROGRESS + Micros(rng.range(200_000, 2_000_000)));
    }
    in_order(plan)
}

/// Blocks are accepted everywhere, prepared nowhere, and dropped by the view change that follows.
#[must_use]
pub fn dropped(seed: u64) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0xd609);
    for index in 0..ROUNDS {
        let from = round(index) + Micros(rng.range(0, 2_000_000));
        lose(&mut plan, "prepare", &all(), from, PROGRESS + Micros(rng.range(100_000, 900_000)));
    }
    in_order(plan)
}

/// One replica prepares a block alone and is cut off; the others prepare another one there in the next view, and cannot
/// commit it; then the next view needs the first one's view-change.
#[must_use]
pub fn relapse(seed: u64) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0x6e1a);
    for index in 0..ROUNDS {
        let from = round(index);
        let alone = one(&mut rng);
        let away = (alone + 1 + u16::try_from(rng.range(0, 3)).expect("few")) % REPLICAS;
        lose(&mut plan, "prepare", &but(alone), from, Micros::millis(1_700));
        lose(&mut plan, "commit", &all(), from, Micros::seconds(12));
        let back = Micros(rng.range(3_800_000, 5_200_000));
        cut_off(&mut plan, alone, from + Micros::millis(1_200), back - Micros::millis(1_200));
        cut_off(&mut plan, away, from + back - Micros::millis(600), Micros::seconds(8));
    }
    in_order(plan)
}

/// One replica alone commits, the others have to enter a view whose certificate proves final what they do not have, and
/// cannot fetch it; the new primary offers it to them for a vote.
#[must_use]
pub fn stragglers(seed: u64) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0x57a9);
    let liar = u16::try_from(seed % u64::from(REPLICAS)).expect("few");
    plan.liars.push(Liar { replica: liar, behaviours: vec![Behaviour::OrderBelowBase] });
    for index in 0..ROUNDS {
        let from = round(index) + Micros(rng.range(0, 1_000_000));
        let ahead = (liar + 1 + u16::try_from(rng.range(0, 3)).expect("few")) % REPLICAS;
        lose(&mut plan, "commit", &but(ahead), from, Micros::millis(3_500));
        lose(&mut plan, "fetch", &all(), from, Micros::seconds(8));
    }
    in_order(plan)
}

/// One replica with slow timers misses how the others leave a view, and hears them vote for the same heights in the next.
#[must_use]
pub fn laggard(seed: u64) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0x1a99);
    for index in 0..ROUNDS {
        let from = round(index);
        let late = one(&mut rng);
        let mute: BTreeSet<u16> = but(late).into_iter().take(2).collect();
        let until = from + Micros::seconds(9);
        plan.faults.push(Fault { from, until, kind: FaultKind::Drift { replica: late, per_mille: 3_000 } });
        let kind = FaultKind::LoseKind { kind: "commit".into(), from: mute, to: all() };
        plan.faults.push(Fault { from, until: from + Micros::millis(2_600), kind });
        for kind in ["view-change", "new-view"] {
            lose(&mut plan, kind, &BTreeSet::from([late]), from, Micros::millis(5_500));
        }
    }
    in_order(plan)
}

/// Hospitals replace their keys one after the other under load, so that epochs end while blocks are in flight.
#[must_use]
pub fn turnover(seed: u64) -> Plan {
    let (mut plan, mut rng) = trap(seed, 0x7042);
    for client in &mut plan.clients {
        (client.every, client.bursts_per_mille) = (Micros::millis(1_000), 200);
    }
    for index in 0..ROUNDS {
        for _ in 0..2 {
            let at = round(index) + Micros(rng.range(0, 9_000_000));
            let hospital = one(&mut rng);
            plan.upkeep.changes.push(Change { at, hospital, kind: ChangeKind::Rotate, put_off: 0 });
        }
    }
    plan.upkeep.changes.sort_by_key(|change| change.at);
    plan
}

/// Clients that send far more than is ordered, while nothing is.
#[must_use]
pub fn flood(seed: u64) -> Plan {
    let (mut plan, _) = trap(seed, 0xf100);
    let client = |number| ClientPlan {
        number,
        from: Micros::millis(100),
        every: Micros::millis(700),
        bursts_per_mille: 900,
        double_per_mille: 0,
    };
    plan.clients = (0..2).map(client).collect();
    lose(&mut plan, "pre-prepare", &all(), round(0), Micros::seconds(12));
    // Far more comes in than is ever ordered, and nothing is claimed but that the queues stay within their bounds.
    plan.calms.clear();
    plan.end = round(1);
    plan
}
