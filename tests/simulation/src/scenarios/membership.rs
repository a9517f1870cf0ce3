//! Validators come and go, get new keys, and are found out.

use super::{fault, quiet};
use crate::disk::Unsynced;
use crate::schedule::{Behaviour, FaultKind, Liar, Plan};
use crate::time::Micros;
use crate::upkeep::{Change, ChangeKind, Upkeep};
use std::collections::BTreeSet;

/// Every kind of change, while replicas stop, are cut off and sleep through epochs; the liar is voted out and goes on voting.
#[must_use]
pub fn membership(seed: u64) -> Plan {
    let mut plan = quiet(seed, 4, Micros::seconds(300));
    plan.liars.push(Liar { replica: 3, behaviours: vec![Behaviour::Replay, Behaviour::CommitEarly] });
    let change =
        |seconds, hospital, kind, put_off| Change { at: Micros::seconds(seconds), hospital, kind, put_off };
    let changes = vec![
        change(20, 4, ChangeKind::Add, 0),
        change(60, 0, ChangeKind::Rotate, 2),
        change(80, 3, ChangeKind::Remove, 0),
        change(110, 5, ChangeKind::Add, 3),
        change(150, 1, ChangeKind::Replace, 0),
        change(190, 2, ChangeKind::Remove, 1),
        change(230, 2, ChangeKind::Add, 0),
    ];
    plan.upkeep = Upkeep { spares: 2, changes, ..Upkeep::default() };
    let (second, crash) =
        (Micros::seconds, |replica| FaultKind::Crash { replica, at_write: None, unsynced: Unsynced::Torn });
    let alone = |one| FaultKind::Partition { island: BTreeSet::from([one]) };
    fault(&mut plan, second(22), second(25), crash(1));
    fault(&mut plan, second(58), second(100), alone(2));
    fault(&mut plan, second(112), second(140), crash(4));
    fault(&mut plan, second(152), second(160), alone(0));
    fault(&mut plan, second(190), second(215), FaultKind::Loss { per_mille: 150 });
    fault(&mut plan, second(228), second(245), crash(5));
    plan
}

/// A liar votes for two blocks before those whom it tells of another than the rest, and another one accuses who did nothing; one of those who find out stops meanwhile.
#[must_use]
pub fn evidence(seed: u64) -> Plan {
    let mut plan = quiet(seed, 7, Micros::seconds(60));
    plan.liars.push(Liar { replica: 5, behaviours: vec![Behaviour::Equivocate, Behaviour::CommitEarly] });
    plan.liars.push(Liar { replica: 6, behaviours: vec![Behaviour::Boast] });
    let crash = FaultKind::Crash { replica: 1, at_write: None, unsynced: Unsynced::Lost };
    fault(&mut plan, Micros::seconds(20), Micros::seconds(30), crash);
    plan
}
