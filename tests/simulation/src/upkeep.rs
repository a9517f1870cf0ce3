//! What the consortium's operators do to it in a run: who validates, and what ledgers keep.

use crate::rng::{Rng, Stream};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Runs of a thousand whose validators change.
const CHANGING_PER_MILLE: u64 = 300;
/// Mean time between two changes, in seconds: many more than any consortium has.
const CHANGE_EVERY_SECONDS: u64 = 400;
/// Hospitals that may join in a run.
const SPARES: u16 = 2;
/// Most blocks that a change is put off by.
const PUT_OFF_MAX: u64 = 4;

/// What operators do in a run; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// Hospitals beside the first ones: they run a node that follows, and may be admitted. They keep to the protocol.
    pub spares: u16,
    /// Changes of the validator set, one after the other.
    pub changes: Vec<Change>,
    /// Blocks that hospitals keep below their tip; who is not named keeps everything.
    #[serde(default)]
    pub keeps: BTreeMap<u16, u64>,
    /// Whether who is too far behind copies the others' ledger.
    #[serde(default)]
    pub copies_ledgers: bool,
}

/// A change of the validator set that operators want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// From when on.
    pub at: Micros,
    /// Which hospital's validator.
    pub hospital: u16,
    /// What becomes of it.
    pub kind: ChangeKind,
    /// In force so many blocks after the next at the earliest.
    pub put_off: u64,
}

/// What can become of a hospital's validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// The members admit it.
    Add,
    /// The members remove it.
    Remove,
    /// The members put another key in its place.
    Replace,
    /// The hospital replaces its key itself.
    Rotate,
}

/// What operators do in the storms of a seed.
#[must_use]
pub fn in_storms(seed: u64, replicas: u16, length: Micros) -> Upkeep {
    // A stream of its own, so that seeds without changes are what they were before there were any.
    let mut rng = Rng::new(seed ^ 0x09e7_a705, Stream::Plan);
    if !rng.chance(CHANGING_PER_MILLE) {
        return Upkeep::default();
    }
    let mut changes = Vec::new();
    let mut at = Micros::seconds(20);
    loop {
        at = at + Micros(rng.range(0, 2 * CHANGE_EVERY_SECONDS * 1_000_000));
        if at >= length {
            return Upkeep { spares: SPARES, changes, ..Upkeep::default() };
        }
        changes.push(change(&mut rng, at, replicas));
    }
}

fn change(rng: &mut Rng, at: Micros, replicas: u16) -> Change {
    let kinds =
        [ChangeKind::Add, ChangeKind::Add, ChangeKind::Remove, ChangeKind::Replace, ChangeKind::Rotate];
    let kind = rng.pick(&kinds).copied().unwrap_or(ChangeKind::Rotate);
    let all = u64::from(replicas + SPARES);
    // Spares are admitted, in later changes also those who were removed.
    let from = if kind == ChangeKind::Add && rng.chance(700) { u64::from(replicas) } else { 0 };
    let hospital = u16::try_from(rng.range(from, all)).expect("few hospitals");
    Change { at, hospital, kind, put_off: rng.range(0, PUT_OFF_MAX) }
}
