//! A short run of the kill loop; `cargo xtask kill-loop --kills 2000` is the long one.

use amulet_tests::kill_loop::{self, Options};
use amulet_tests::step;

/// Some of every kind of round.
const KILLS: u64 = 24;

#[test]
fn hospitals_killed_at_random_lose_nothing_that_a_client_saw_committed() {
    let options = Options { kills: KILLS, seed: 7, hospitals: 4, folder: None };
    let report = kill_loop::run(&options, |line| step(line));
    step(report.summary());
    assert_eq!(report.problem, None);
    assert!(report.kills >= KILLS && report.all_at_once > 0, "{report:?}");
    assert!(report.acknowledged > 0 && report.blocks > 0, "{report:?}");
}
