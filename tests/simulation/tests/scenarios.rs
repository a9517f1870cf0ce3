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
    let summary = hold(&scenarios::membership(1));
    assert_eq!((summary.changes, summary.epochs), (7, 7), "{summary:?}");
}

#[test]
fn a_node_that_is_cut_off_sets_off_no_endless_changes() {
    let plan = scenarios::one_cut_off(1);
    let (cuts, summary) = (plan.faults.len() as u64, hold(&plan));
    assert!(summary.views <= cuts, "at most one change for each time that somebody is cut off: {summary:?}");
}

#[test]
fn blocks_in_any_order_bring_a_replica_back() {
    let summary = hold(&scenarios::blocks_out_of_order(1));
    assert!(summary.transactions > 100, "{summary:?}");
}

#[test]
fn a_primary_just_under_the_time_out_is_replaced() {
    let summary = hold(&scenarios::slow_primary(1));
    assert!(summary.views > 0, "{summary:?}");
}

#[test]
fn what_was_said_before_counts_in_no_later_epoch_or_life() {
    let summary = hold(&scenarios::replays(1));
    assert_eq!((summary.epochs, summary.evidence, summary.records), (4, 0, 0), "{summary:?}");
}

#[test]
fn torn_writes_make_nobody_forget() {
    let summary = hold(&scenarios::torn_log_tail(1));
    assert!(summary.crashes > 40, "{summary:?}");
}

#[test]
fn a_primary_ahead_of_the_checkpoints_loses_nothing() {
    let summary = hold(&scenarios::checkpoint_race(1));
    assert!(summary.transactions > 200, "{summary:?}");
}
