//! Schedules in which ledgers are pruned, machines replaced, and the others' ledgers copied.

use crate::directed::{busy, round};
use crate::disk::Unsynced;
use crate::rng::{Rng, Stream};
use crate::schedule::{Behaviour, Fault, FaultKind, Liar, Plan};
use crate::time::Micros;
use crate::upkeep::{Change, ChangeKind};
use std::collections::BTreeSet;

/// Storms of a thousand in which ledgers are pruned.
const PRUNING_PER_MILLE: u64 = 250;
/// Most blocks that a hospital that prunes keeps below its tip.
const KEPT_MAX: u64 = 24;
/// Storms of a thousand in which a hospital is away so long that the others may have removed what it lacks.
const OUTAGES_PER_MILLE: u64 = 700;
/// Storms of a thousand in which a machine is replaced.
const WIPES_PER_MILLE: u64 = 700;
/// Shortest storm in which it is worth it.
const STORM_MIN: Micros = Micros::seconds(120);
/// What a storm leaves of itself to who was away, at least.
const BACK_BEFORE: Micros = Micros::seconds(5);
/// When a hospital with a new machine asks for a new key.
const ROTATES_AFTER: Micros = Micros::seconds(15);

/// Makes a part of all storms such ones.
pub(crate) fn add_to_storms(plan: &mut Plan) {
    // A stream of its own: the other faults of a seed are the same with these and without.
    let mut rng = Rng::new(plan.seed ^ 0x5e9_1ace, Stream::Plan);
    if !rng.chance(PRUNING_PER_MILLE) {
        return;
    }
    // Up to f archives: with f + 1 of them nobody ever needs a copy.
    let archives = rng.range(0, plan.faults_borne() as u64 + 1);
    prune(plan, &mut rng, archives);
    for liar in &mut plan.liars {
        liar.behaviours.extend(rng.pick(Behaviour::OF_COPIES));
    }
    // More blocks, so that who is away is soon too far behind.
    for client in &mut plan.clients {
        client.every = Micros(client.every.0 * 3 / 5);
    }
    let may_wipe = plan.upkeep.changes.is_empty() && plan.liars.len() < plan.faults_borne();
    let mut begins = Micros::seconds(30);
    for calm in plan.calms.clone() {
        let storm = begins..calm.from;
        begins = calm.until;
        if storm.start + STORM_MIN > storm.end {
            continue;
        }
        if rng.chance(OUTAGES_PER_MILLE) {
            outage(plan, &mut rng, &storm);
        }
        if may_wipe && rng.chance(WIPES_PER_MILLE) {
            let at = storm.start + Micros(rng.range(0, (storm.end - storm.start).0 * 2 / 3));
            let length = Micros(rng.range(500_000, 30_000_000)).min(storm.end - at);
            let replica = one(&mut rng, plan.replicas);
            replace(plan, replica, at, length);
        }
    }
}

fn one(rng: &mut Rng, replicas: u16) -> u16 {
    u16::try_from(rng.range(0, u64::from(replicas))).expect("few")
}

/// All but so many hospitals prune, each as it likes.
fn prune(plan: &mut Plan, rng: &mut Rng, archives: u64) {
    let hospitals = plan.hospitals();
    let keep = rng.choose(usize::try_from(archives).expect("few"), usize::from(plan.replicas));
    plan.upkeep.copies_ledgers = true;
    plan.upkeep.keeps = (0..hospitals)
        .filter(|hospital| !keep.contains(&usize::from(*hospital)))
        .map(|hospital| (hospital, rng.range(0, KEPT_MAX)))
        .collect();
}

/// Somebody is away for most of a storm, stopped or cut off.
fn outage(plan: &mut Plan, rng: &mut Rng, storm: &std::ops::Range<Micros>) {
    let replica = one(rng, plan.replicas);
    let from = storm.start + Micros(rng.range(0, 30_000_000));
    let latest = storm.end - BACK_BEFORE;
    let until = Micros(rng.range(from.0 + (latest - from).0 / 2, latest.0));
    let kind = match rng.chance(500) {
        true => FaultKind::Crash { replica, at_write: None, unsynced: Unsynced::Lost },
        false => FaultKind::Partition { island: BTreeSet::from([replica]) },
    };
    plan.faults.push(Fault { from, until, kind });
    stops_while_copying(plan, rng, replica, until, storm.end);
}

/// Who copies stops now and then, also in the midst of a write.
fn stops_while_copying(plan: &mut Plan, rng: &mut Rng, replica: u16, from: Micros, until: Micros) {
    for _ in 0..rng.range(0, 4) {
        let at = from + Micros(rng.range(4_000_000, 20_000_000));
        if at + Micros::millis(900) >= until {
            return;
        }
        let kind = FaultKind::Crash {
            replica,
            at_write: rng.chance(700).then(|| rng.range(1, 60)),
            unsynced: Unsynced::Torn,
        };
        plan.faults.push(Fault { from: at, until: at + Micros::millis(900), kind });
    }
}

/// A machine is replaced, and its hospital asks for a new key some time later.
fn replace(plan: &mut Plan, replica: u16, at: Micros, length: Micros) {
    let until = at + length;
    plan.faults.push(Fault { from: at, until, kind: FaultKind::Wipe { replica } });
    let rotation =
        Change { at: until + ROTATES_AFTER, hospital: replica, kind: ChangeKind::Rotate, put_off: 0 };
    plan.upkeep.changes.push(rotation);
}

/// Four hospitals that keep next to nothing; the machine of one is replaced twice, and stops while it copies.
#[must_use]
pub fn replaced(seed: u64) -> Plan {
    let mut plan = busy(seed, 4);
    let mut rng = Rng::new(seed ^ 0x3e91, Stream::Plan);
    prune(&mut plan, &mut rng, 0);
    for (index, replica) in [(2, one(&mut rng, 4)), (6, one(&mut rng, 4))] {
        let at = round(index) + Micros(rng.range(0, 9_000_000));
        let length = Micros(rng.range(500_000, 5_000_000));
        replace(&mut plan, replica, at, length);
        stops_while_copying(&mut plan, &mut rng, replica, at + length, round(index + 3));
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}

/// Four hospitals that keep next to nothing; one is cut off again and again until it has to copy, and one of those that it
/// asks lies.
#[must_use]
pub fn outpaced(seed: u64) -> Plan {
    let mut plan = busy(seed, 4);
    let mut rng = Rng::new(seed ^ 0x0a7b, Stream::Plan);
    prune(&mut plan, &mut rng, 0);
    let lie = Behaviour::OF_COPIES[usize::try_from(seed).unwrap_or(0) % Behaviour::OF_COPIES.len()];
    let liar = one(&mut rng, 4);
    plan.liars.push(Liar { replica: liar, behaviours: vec![lie] });
    for index in [0, 3, 6] {
        let away = (liar + 1 + one(&mut rng, 3)) % 4;
        let (from, until) = (round(index), round(index + 2) + Micros(rng.range(0, 9_000_000)));
        let kind = FaultKind::Partition { island: BTreeSet::from([away]) };
        plan.faults.push(Fault { from, until, kind });
        stops_while_copying(&mut plan, &mut rng, away, until, round(index + 3));
    }
    plan.faults.sort_by_key(|fault| fault.from);
    plan
}
