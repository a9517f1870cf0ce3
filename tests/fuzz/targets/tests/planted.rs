//! Which of the core's deliberate bugs a bounded run finds: it can fail. Those it misses show only between several replicas, or
//! as standing still; the simulation is for these. `cargo nextest run -p amulet-fuzz-targets --features
//! planted`.

#![cfg(feature = "planted")]

use std::panic;

use amulet_fuzz_targets::mutate::Mutator;
use amulet_fuzz_targets::{replica_step_with, target};
use amulet_pbft::planted::{Bug, Place};

#[test]
fn bugs_of_one_replica_are_found() {
    let seeds = (target("replica_step").seeds)();
    panic::set_hook(Box::new(|_| {}));
    let mut found = Vec::new();
    let mut missed = Vec::new();
    for bug in Bug::ALL.iter().filter(|bug| bug.place() == Place::Core) {
        let mut mutator = Mutator::new(1);
        let shows = |bytes: &[u8]| panic::catch_unwind(|| replica_step_with(bytes, *bug)).is_err();
        let is_found =
            seeds.iter().any(|seed| shows(seed)) || (0..2_000).any(|_| shows(&mutator.damaged(&seeds)));
        if is_found { &mut found } else { &mut missed }.push(bug.name());
    }
    let _ = panic::take_hook();
    println!("found {}: {found:?}\nmissed {}: {missed:?}", found.len(), missed.len());
    assert!(found.len() >= 18, "found only {found:?}, not {missed:?}");
}
