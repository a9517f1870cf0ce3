//! Seeds with the full mix of faults, few enough for every day.

#![allow(clippy::unwrap_used)]

use amulet_simulation::run::{catch_panics, run};
use amulet_simulation::schedule::{FaultKind, Plan};
use amulet_simulation::storm;
use amulet_simulation::time::Micros;
use amulet_simulation::trace::Trace;

/// Virtual time of a run: a storm or two, each with a calm after it.
const LENGTH: Micros = Micros::seconds(12 * 60);

fn hold(seeds: std::ops::Range<u64>, replicas: u16) {
    catch_panics();
    let mut transactions = 0;
    for seed in seeds {
        match run(&storm::plan(seed, replicas, LENGTH), Trace::default()) {
            Ok(summary) => transactions += summary.transactions,
            Err(found) => panic!(
                "{found}\nreplay: cargo xtask simulate --seed {seed} --replicas {replicas} --minutes 12"
            ),
        }
    }
    assert!(transactions > 0, "storms that let nothing through show nothing");
}

#[test]
fn four_replicas_hold_in_storms() {
    hold(10_000..10_012, 4);
}

#[test]
fn seven_replicas_hold_in_storms() {
    hold(20_000..20_006, 7);
}

#[test]
fn sets_that_are_not_three_f_plus_one_hold_in_storms() {
    hold(30_000..30_002, 5);
    hold(30_100..30_102, 6);
}

#[test]
fn a_seed_is_a_run() {
    catch_panics();
    let plan = storm::plan(77, 4, LENGTH);
    let text = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, plan, "a schedule survives being written down");
    let (first, second) = (run(&plan, Trace::default()), run(&read, Trace::default()));
    assert_eq!(first, second);
    assert!(first.unwrap().trace != run(&storm::plan(78, 4, LENGTH), Trace::default()).unwrap().trace);
}

#[test]
fn the_mix_has_every_kind_of_fault_and_every_lie() {
    let plans: Vec<Plan> = (0..150).map(|seed| storm::plan(seed, 4, Micros::seconds(3_600))).collect();
    let kind =
        |fault: &FaultKind| format!("{fault:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
    let kinds: std::collections::BTreeSet<String> =
        plans.iter().flat_map(|plan| &plan.faults).map(|fault| kind(&fault.kind)).collect();
    assert_eq!(kinds.len(), 14, "{kinds:?}");
    let lies: std::collections::BTreeSet<_> =
        plans.iter().flat_map(|plan| &plan.liars).flat_map(|liar| &liar.behaviours).collect();
    assert_eq!(lies.len(), amulet_simulation::schedule::Behaviour::ALL.len());
    assert!(plans.iter().all(|plan| plan.liars.len() <= plan.faults_borne()));
}
