//! Replicas that run twice with one key, systematically; `cargo xtask simulate --twins` runs all scenarios.

#![allow(clippy::unwrap_used)]

use amulet_simulation::run::{catch_panics, run};
use amulet_simulation::trace::Trace;
use amulet_simulation::twins;

fn hold(replicas: u16, count: usize) {
    catch_panics();
    let mut evidence = 0;
    for plan in twins::some(replicas, 2, count) {
        match run(&plan, Trace::default()) {
            Ok(summary) => evidence += summary.evidence,
            Err(found) => panic!("scenario {} for {replicas}: {found}", plan.seed),
        }
    }
    assert!(evidence > 0, "twins that never contradict each other show nothing");
}

#[test]
fn four_replicas_hold_with_a_twin() {
    hold(4, 5);
}

#[test]
fn seven_replicas_hold_with_a_twin() {
    hold(7, 3);
}
