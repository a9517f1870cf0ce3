//! The checkers can fail: some deliberate bugs, each caught. `cargo xtask simulate --planted all` hunts every one.

#![cfg(feature = "planted")]
#![allow(clippy::unwrap_used)]

use amulet_pbft::planted::Bug;
use amulet_simulation::hunt::{SEEDS_MAX, hunt};
use amulet_simulation::run::catch_panics;

#[test]
fn bugs_of_all_parts_are_caught() {
    catch_panics();
    let bugs = [
        Bug::ForgetPrepared,
        Bug::CarryNothing,
        Bug::CommitUnprepared,
        Bug::StartViewEarly,
        Bug::VoteForInvalid,
        Bug::SkipLogBeforeVote,
        Bug::ExecuteBlockTwice,
    ];
    for bug in bugs {
        let found = hunt(bug, 0..SEEDS_MAX);
        assert!(found.caught.is_some(), "{bug} was not caught");
    }
}
