//! What operators do, and what went wrong elsewhere, in whole consortia.

#![allow(clippy::unwrap_used)]

use amulet_simulation::run::{catch_panics, run};
use amulet_simulation::scenarios;
use amulet_simulation::schedule::Plan;
use amulet_simulation::trace::Trace;
use amulet_simulation::world::Summary;

fn hold(plan: &Plan) -> Summary {
    catch_panics();
    run(plan, Trace::default()).unwrap_or_else(|found| panic!("seed {}: {found}", plan.seed))
}

#[test]
fn evidence_comes_onto_the_ledger_under_the_liars_name_only() {
    let summary = hold(&scenarios::evidence(1));
    assert!(summary.records > 0, "{summary:?}");
}

#[test]
fn validators_change_while_replicas_stop_and_are_cut_off() {
    for seed in 0..3 {
        let summary = hold(&scenarios::membership(seed));
        assert_eq!((summary.changes, summary.epochs), (7, 7), "{summary:?}");
    }
}
