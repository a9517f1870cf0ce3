//! The checkers can fail: deliberate bugs that are caught soon. `cargo xtask simulate --planted all` hunts every one.

#![cfg(feature = "planted")]
#![allow(clippy::unwrap_used)]

use amulet_pbft::planted::Bug;
use amulet_simulation::hunt::{KINDS, hunt};
use amulet_simulation::run::{catch_panics, run};
use amulet_simulation::trace::Trace;

/// Seeds of which one must do: few, for bugs that show soon.
const SEEDS: u64 = 3;

fn are_caught(bugs: &[Bug]) {
    catch_panics();
    for bug in bugs {
        assert!(hunt(*bug, 0..SEEDS).caught.is_some(), "{bug} was not caught");
    }
}

#[test]
fn bugs_of_the_normal_case_are_caught() {
    are_caught(&[
        Bug::QuorumOffByOne,
        Bug::CountDuplicates,
        Bug::VoteUnexecuted,
        Bug::VoteForInvalid,
        Bug::CommitOverGap,
        Bug::CommitUnprepared,
        Bug::CommitOutOfOrder,
    ]);
}

#[test]
fn bugs_of_the_view_change_are_caught() {
    are_caught(&[
        Bug::ForgetPrepared,
        Bug::ForgetPreparedAbove,
        Bug::SelectLowestBase,
        Bug::CarryNothing,
        Bug::StartViewEarly,
        Bug::JoinNobody,
        Bug::RunAhead,
    ]);
}

#[test]
fn bugs_of_recovery_are_caught() {
    are_caught(&[
        Bug::SkipAcceptedRecord,
        Bug::SkipPreparedRecord,
        Bug::SkipNewViewRecord,
        Bug::NeverRepeat,
        Bug::NeverAskForPayload,
        Bug::SkipLogBeforeVote,
        Bug::ExecuteBlockTwice,
    ]);
}

#[test]
fn bugs_of_copying_and_pruning_are_caught() {
    are_caught(&[
        Bug::VoteAfterWipe,
        Bug::FinishEarly,
        Bug::TakeUnproven,
        Bug::PruneTooFar,
        Bug::ServeNewest,
        Bug::OutliveEpoch,
    ]);
}

/// What is found with a bug must not be found without: each third kind of schedule.
fn hold_without_a_bug(first: usize) {
    catch_panics();
    for (name, plan) in KINDS.iter().skip(first).step_by(3) {
        if let Err(found) = run(&plan(100), Trace::default()) {
            panic!("{name}: {found}");
        }
    }
}

#[test]
fn without_a_bug_nothing_is_found_1() {
    hold_without_a_bug(0);
}

#[test]
fn without_a_bug_nothing_is_found_2() {
    hold_without_a_bug(1);
}

#[test]
fn without_a_bug_nothing_is_found_3() {
    hold_without_a_bug(2);
}
