//! The proof that the simulation can fail: each deliberate bug of the core is planted, and found.
//!
//! `cargo nextest run -p amulet-pbft --features planted`

use std::panic;

use amulet_pbft::planted::{Bug, Place};
use amulet_protocol::ids::ReplicaId;

use crate::simulation::byzantine::Lies;
use crate::simulation::ride_out;
use crate::simulation::world::{Faults, World};

/// Runs that a bug has to show itself in.
const SEEDS: u64 = 40;

/// What needs a longer or more cunning run than this simulation has; the tables of steps and the simulation of whole nodes
/// look for these.
const NOT_HERE: &[Bug] = &[];

/// Everything that goes wrong, a little of each, in turns.
fn faults(seed: u64) -> Faults {
    let liar = |lies| Some((ReplicaId((seed % 2) as u16), lies));
    let all = Faults {
        loss_percent: 10,
        duplicate_percent: 10,
        crash_per_mille: 0,
        partitions: true,
        byzantine: None,
        epochs: seed.is_multiple_of(2),
    };
    match seed % 4 {
        0 => Faults { crash_per_mille: 15, ..all },
        1 => Faults { byzantine: liar(Lies::Equivocate), ..all },
        2 => Faults { crash_per_mille: 8, loss_percent: 20, ..all },
        _ => Faults { byzantine: liar(Lies::ALL[(seed / 4 % 5) as usize]), ..all },
    }
}

fn is_found(bug: Bug) -> Option<u64> {
    (0..SEEDS).find(|seed| {
        let run = || ride_out(World::with_bug(4, 4, *seed, faults(*seed), Some(bug)), *seed);
        panic::catch_unwind(run).is_err()
    })
}

#[test]
fn without_a_bug_these_runs_find_nothing() {
    for seed in 0..SEEDS {
        ride_out(World::new(4, 4, seed, faults(seed)), seed);
    }
}

#[test]
fn planted_bugs_are_found() {
    panic::set_hook(Box::new(|_| {}));
    let core = Bug::ALL.iter().filter(|bug| bug.place() == Place::Core);
    let mut missed = Vec::new();
    for bug in core.filter(|bug| !NOT_HERE.contains(bug)) {
        match is_found(*bug) {
            Some(seed) => eprintln!("{bug}: seed {seed}"),
            None => missed.push(bug.name()),
        }
    }
    drop(panic::take_hook());
    assert!(missed.is_empty(), "not found in {SEEDS} runs: {missed:?}");
}
