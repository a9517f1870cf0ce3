//! A short run of the kill loop; `cargo xtask kill-loop --kills 2000` is the long one.

use amulet_tests::audit::audit;
use amulet_tests::consortium::Consortium;
use amulet_tests::kill_loop::{self, Options};
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::step;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Some of every kind of round.
const KILLS: u64 = 24;

/// Two primaries in a row may be among the dead, so some view changes, on a busy machine.
const GOES_ON_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn hospitals_killed_at_random_lose_nothing_that_a_client_saw_committed() {
    let options = Options { kills: KILLS, seed: 7, hospitals: 4, folder: None };
    let report = kill_loop::run(&options, &AtomicBool::new(false), |line| step(line));
    step(report.summary());
    assert_eq!(report.problem, None);
    assert!(report.kills >= KILLS && report.all_at_once > 0, "{report:?}");
    assert!(report.acknowledged > 0 && report.blocks > 0, "{report:?}");
}

#[test]
fn seven_hospitals_go_on_without_two_that_die_at_once() {
    let mut consortium = Consortium::start(7);
    assert_eq!(consortium.faulty_max(), 2);
    let pinned = Pinned::of(consortium.genesis());
    let mut load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
    assert!(load.wait_above(1, GOES_ON_WITHIN).is_some(), "blocks come");
    // The primary of the first view and that of the second; then two others.
    for victims in [[0, 1], [3, 5]] {
        victims.iter().for_each(|victim| consortium.kill(*victim));
        let head = consortium.hospital(6).head().map_or(0, |(height, _)| height);
        let waited = load.wait_above(head + 1, GOES_ON_WITHIN);
        assert!(waited.is_some(), "no block above {head} without {victims:?}");
        step(format_args!("the other five went on after {waited:.1?}"));
        consortium.start_all();
    }
    let head = consortium.same_head_after(&mut load);
    let compared = audit(&consortium.hospitals(), &pinned, &load.since(0), load.people(), (1, head));
    compared.unwrap_or_else(|found| panic!("{}", found.join("\n")));
    assert_eq!(load.wrong(), Vec::<String>::new());
    assert_eq!(consortium.forbidden_words(), None);
}
