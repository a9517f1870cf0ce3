//! What went wrong in other implementations, as whole consortia meet it; `docs/spec/known-failures.md` has the list.

use super::{fault, quiet};
use crate::disk::Unsynced;
use crate::schedule::{Behaviour, ClientPlan, FaultKind, Liar, Plan};
use crate::time::Micros;
use crate::upkeep::{Change, ChangeKind, Upkeep};
use std::collections::BTreeSet;

/// One replica is cut off again and again, not the first primary. (bft-smart/library #19: leader changes followed each other.)
#[must_use]
pub fn one_cut_off(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(150));
    for round in 0..4 {
        let from = Micros::seconds(10 + 35 * round);
        let island = BTreeSet::from([1 + u16::try_from(round % 3).expect("below three")]);
        fault(&mut plan, from, from + Micros::seconds(25), FaultKind::Partition { island });
    }
    plan
}

/// A replica falls behind, and what brings it back comes in any order. (hyperledger-archives/sawtooth-pbft #166.)
#[must_use]
pub fn blocks_out_of_order(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(160));
    busy(&mut plan, Micros::millis(1_500));
    for round in 0..3 {
        let from = Micros::seconds(10 + 50 * round);
        let behind = u16::try_from(round % 4).expect("below four");
        let island = BTreeSet::from([behind]);
        let back = from + Micros::seconds(20);
        fault(&mut plan, from, back, FaultKind::Partition { island });
        let disorder = FaultKind::Reordering { per_mille: 500, hold: Micros::millis(2_500) };
        fault(&mut plan, back, back + Micros::seconds(20), disorder);
        fault(&mut plan, back, back + Micros::seconds(20), FaultKind::Duplication { per_mille: 300 });
    }
    plan
}

/// The first primary proposes just before the others would lose patience, each time. (bft-smart/library #51.)
#[must_use]
pub fn slow_primary(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(120));
    plan.liars.push(Liar { replica: 0, behaviours: vec![Behaviour::Slow] });
    plan
}

/// A liar says again what it heard, in later views, after restarts of everybody, and in later epochs under their number, in
/// which replicas have other numbers. (commonwarexyz/monorepo #4038, diem/diem #3966.)
#[must_use]
pub fn replays(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(200));
    plan.liars.push(Liar { replica: 3, behaviours: vec![Behaviour::Replay] });
    let change =
        |seconds, hospital, kind| Change { at: Micros::seconds(seconds), hospital, kind, put_off: 0 };
    let changes = vec![
        change(30, 4, ChangeKind::Add),
        change(70, 0, ChangeKind::Remove),
        change(110, 0, ChangeKind::Add),
        change(150, 1, ChangeKind::Rotate),
    ];
    plan.upkeep = Upkeep { spares: 1, changes, ..Upkeep::default() };
    for seconds in [50, 90, 130] {
        power_cut(&mut plan, Micros::seconds(seconds), Unsynced::Lost);
    }
    plan
}

/// Every replica stops in the midst of writes, and of its last sectors any may be missing. (tendermint/tendermint #3089,
/// hyperledger-labs/SmartBFT #101.)
#[must_use]
pub fn torn_log_tail(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(200));
    busy(&mut plan, Micros::millis(2_000));
    for round in 0..40 {
        let from = Micros::seconds(6 + 4 * round);
        let replica = u16::try_from(round % 4).expect("below four");
        let kind = FaultKind::Crash { replica, at_write: Some(1 + round % 13), unsynced: Unsynced::Torn };
        fault(&mut plan, from, from + Micros::seconds(3), kind);
        if round % 10 == 9 {
            power_cut(&mut plan, from + Micros::millis(3_500), Unsynced::Torn);
        }
    }
    plan
}

/// Checkpoint votes reach the primary only, until its next proposals lie beyond the others' high water marks.
/// (hyperledger-archives/fabric #1119.)
#[must_use]
pub fn checkpoint_race(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(65));
    busy(&mut plan, Micros::millis(600));
    for round in 0..3 {
        let from = Micros::seconds(5 + 20 * round);
        let kind =
            FaultKind::LoseKind { kind: "checkpoint".into(), from: BTreeSet::new(), to: (1..4).collect() };
        fault(&mut plan, from, from + Micros::millis(6_000 + 2_500 * round), kind);
    }
    plan
}

fn busy(plan: &mut Plan, every: Micros) {
    for client in &mut plan.clients {
        *client = ClientPlan { every, bursts_per_mille: 0, ..*client };
    }
}

/// Everybody stops at once, and is back after a second or two.
fn power_cut(plan: &mut Plan, at: Micros, unsynced: Unsynced) {
    for replica in 0..plan.replicas {
        let back = at + Micros::millis(900 + 400 * u64::from(replica));
        fault(plan, at, back, FaultKind::Crash { replica, at_write: None, unsynced });
    }
}
