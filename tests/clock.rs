//! A hospital whose clock jumps by hours: its proposals are not taken, the others go on, no block carries a wrong time, and
//! nothing contradicts. The clock is changed by libfaketime around the real program (Debian's package `faketime`); where it
//! is missing, the test says so and ends.

#![allow(clippy::unwrap_used)]

use amulet_light_client::{Clock, SystemClock};
use amulet_tests::audit::audit;
use amulet_tests::consortium::{Consortium, Founding};
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::{step, wait};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const GOES_ON_WITHIN: Duration = Duration::from_secs(60);
/// A block's time may be ahead of a correct clock by ten seconds; the rest is for this machine.
const TIME_OFF_MAX_MS: u64 = 20_000;
/// libfaketime looks once in a second.
const NOTICED_AFTER: Duration = Duration::from_millis(2_500);
/// Blocks above the newest committed one that may be proposed already, and more.
const IN_FLIGHT: u64 = 4;
const SKEWED: usize = 0;

#[test]
fn a_clock_that_is_off_by_hours_harms_its_own_hospital_only() {
    let Some(library) = library() else {
        step("SKIPPED: libfaketime is not installed (package faketime)");
        return;
    };
    let founding = Founding::on_loopback(4);
    let places = founding.places.clone();
    let mut consortium = founding.found(|_, other| places[other].libp2p);
    let offset = consortium.path().join("offset");
    set_clock(&offset, "+0");
    for (name, value) in [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap()),
        ("FAKETIME_CACHE_DURATION", "1"),
        // Only the clock on the wall jumps, as it does when somebody sets it.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ] {
        consortium.set_env(SKEWED, name, value);
    }
    consortium.start_all();
    let pinned = Pinned::of(consortium.genesis());
    let mut load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
    goes_on(&mut consortium, &load);
    for clock in ["+3h", "-3h", "+400d", "+0"] {
        step(format_args!("the clock of hospital {} is at {clock}", SKEWED + 1));
        set_clock(&offset, clock);
        std::thread::sleep(NOTICED_AFTER);
        let is_future = clock.starts_with('+') && clock != "+0";
        every_hospital_has_its_turn(&mut consortium, &load, is_future);
    }
    let refused = (1..4).any(|index| consortium.log(index).contains("ahead of the clock"));
    assert!(refused, "the hospital of the future was never the primary");
    let head = consortium.same_head_after(&mut load);
    audit(&consortium.hospitals(), &pinned, &load.since(0), load.people(), (1, head)).unwrap();
    assert_eq!(load.wrong(), Vec::<String>::new());
    assert_eq!(consortium.forbidden_words(), None);
}

fn library() -> Option<PathBuf> {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    let places = folders.map(|folder| format!("/usr/lib/{folder}/faketime/libfaketimeMT.so.1"));
    places.iter().map(PathBuf::from).find(|path| Path::exists(path))
}

/// Replaced as a whole, so that nobody reads half of it.
fn set_clock(file: &Path, offset: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, offset).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// Blocks go on while one hospital after another is the primary, the one with the wrong clock among them; the primary is
/// killed to make the next one's turn come.
fn every_hospital_has_its_turn(consortium: &mut Consortium, load: &Load, is_future: bool) {
    // Whatever was proposed before the clock jumped.
    let from = newest(consortium) + IN_FLIGHT;
    let first = primary(consortium);
    for turn in 0..4 {
        let primary = (first + turn) % 4;
        if primary != SKEWED {
            consortium.kill(primary);
            goes_on(consortium, load);
            consortium.spawn(primary);
            consortium.wait_up(primary);
        } else if is_future {
            goes_on(consortium, load);
        }
    }
    goes_on(consortium, load);
    // The one that is asked may just have come back.
    let to = newest(consortium);
    let caught_up = || consortium.hospital(1).head().filter(|(height, _)| *height >= to);
    wait::until("hospital 2 to catch up", GOES_ON_WITHIN, caught_up);
    for height in from + 1..=to {
        let header = consortium.hospital(1).header_at(height).unwrap().header;
        let now = SystemClock.now();
        let (ahead, behind) = (header.time.millis_since(now), now.millis_since(header.time));
        assert!(ahead <= TIME_OFF_MAX_MS, "block {height} is {ahead} ms in the future");
        let turn_ms = u64::try_from(4 * GOES_ON_WITHIN.as_millis()).unwrap();
        assert!(behind <= turn_ms, "block {height} is {behind} ms in the past");
        let by_skewed = usize::from(header.proposer.0) == SKEWED;
        // A change of the offset is seen within a second; the first block may still be from before.
        assert!(
            !(is_future && by_skewed && height > from + 3),
            "block {height} is of the hospital of the future"
        );
    }
}

fn newest(consortium: &Consortium) -> u64 {
    (0..4).filter_map(|index| consortium.hospital(index).head()).map(|head| head.0).max().unwrap_or(0)
}

/// The primary of the newest block's view.
fn primary(consortium: &Consortium) -> usize {
    let start = Instant::now();
    loop {
        if let Some(latest) = consortium.hospital(1).latest() {
            return usize::try_from(latest.certificate.vote.view.0 % 4).unwrap();
        }
        assert!(start.elapsed() < GOES_ON_WITHIN, "hospital 2 has no block");
    }
}

fn goes_on(consortium: &mut Consortium, load: &Load) {
    let head = newest(consortium);
    let waited = load.wait_above(head + 1, GOES_ON_WITHIN);
    assert_eq!(consortium.fallen(), None);
    assert!(waited.is_some(), "no block above {head}");
}
