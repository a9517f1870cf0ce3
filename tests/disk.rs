//! Disks that are full or damaged: a node says what is wrong and stops rather than vote on what it could not write or
//! cannot read, the others go on, and it comes back when there is room.

#![allow(clippy::unwrap_used)]

use amulet_tests::audit::audit;
use amulet_tests::choices::Choices;
use amulet_tests::consortium::Consortium;
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::localnet::node_output;
use amulet_tests::step;
use amulet_tests::tight_disk::with_tight_disk;
use amulet_tests::wait;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Blocks come all the time, so a full disk is noticed soon.
const NOTICED_WITHIN: Duration = Duration::from_secs(60);
const GOES_ON_WITHIN: Duration = Duration::from_secs(60);
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);
/// Bytes left when the disk counts as full, so that different writes are the first to fail.
const SPARE: [u64; 3] = [0, 24 * 1024, 160 * 1024];
/// What a full disk is called: by the node, by the system, and by the system where a limit stands in for it.
const SENTENCES: [&str; 3] = ["disk full", "No space left on device", "File too large"];
const STORES: [&str; 2] = ["consensus.redb", "ledger.redb"];
const DAMAGED_WATCHED: Duration = Duration::from_secs(2);
/// Enough for both stores and both kinds of damage; the variable asks for more.
const DAMAGES: u64 = 8;
const DAMAGES_CHOICE: &str = "AMULET_TEST_DAMAGES";

#[test]
fn a_node_with_a_full_disk_says_so_and_stops_and_comes_back_when_there_is_room() {
    let name = "a_node_with_a_full_disk_says_so_and_stops_and_comes_back_when_there_is_room";
    let tight = 1;
    with_tight_disk(name, 4, tight, |mut consortium, disk| {
        consortium.start_all();
        let pinned = Pinned::of(consortium.genesis());
        let mut load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
        for spare in SPARE {
            goes_on(&load, &consortium);
            step(format_args!("the disk of hospital {} is full but for {spare} bytes", tight + 1));
            disk.fill(&mut consortium, spare);
            stops_with_a_sentence(&mut consortium, tight);
            goes_on(&load, &consortium);
            step("started while it is still full");
            consortium.spawn(tight);
            stops_with_a_sentence(&mut consortium, tight);
            step("there is room again");
            disk.free(&mut consortium);
            consortium.spawn(tight);
            consortium.wait_up(tight);
            catches_up(&consortium, tight);
        }
        let head = consortium.same_head_after(&mut load);
        let all = load.since(0);
        audit(&consortium.hospitals(), &pinned, &all, load.people(), (1, head)).unwrap();
        assert_eq!(load.wrong(), Vec::<String>::new());
    });
}

fn newest(consortium: &Consortium) -> u64 {
    (0..consortium.size())
        .filter_map(|index| consortium.hospital(index).head())
        .map(|head| head.0)
        .max()
        .unwrap_or(0)
}

fn goes_on(load: &Load, consortium: &Consortium) {
    let head = newest(consortium);
    assert!(load.wait_above(head + 1, GOES_ON_WITHIN).is_some(), "no block above {head}");
}

fn catches_up(consortium: &Consortium, index: usize) {
    let (reached, start) = (newest(consortium), Instant::now());
    while consortium.hospital(index).head().is_none_or(|(height, _)| height < reached) {
        assert!(start.elapsed() < CAUGHT_UP_WITHIN, "hospital {} does not catch up to {reached}", index + 1);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The node ends with a failure, and its last line says that the disk is full, in words and with no panic.
fn stops_with_a_sentence(consortium: &mut Consortium, index: usize) {
    let status = consortium.wait_exit(index, NOTICED_WITHIN);
    let log = consortium.log(index);
    let last = log.lines().last().unwrap_or_default().to_owned();
    assert_eq!(status.code(), Some(1), "{last}");
    let named = SENTENCES.iter().any(|words| last.contains(words));
    assert!(last.starts_with("amulet-node: ") && named, "{log}");
    assert!(!log.contains("panicked"), "{log}");
    step(format_args!("it said: {last}"));
    consortium.forget_log(index);
}

#[test]
fn a_damaged_store_is_refused_or_mended_and_never_leads_to_a_wrong_vote() {
    let mut consortium = Consortium::start(4);
    let pinned = Pinned::of(consortium.genesis());
    let load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
    for _ in 0..8 {
        goes_on(&load, &consortium);
    }
    let victim = 2;
    consortium.kill_all();
    let before = load.stop();
    let kept = tempfile::tempdir().unwrap();
    copy(consortium.path(), kept.path());
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    let damages = std::env::var(DAMAGES_CHOICE).ok().and_then(|count| count.parse().ok()).unwrap_or(DAMAGES);
    for seed in 0..damages {
        consortium.kill_all();
        fs::remove_dir_all(consortium.path()).unwrap();
        copy(kept.path(), consortium.path());
        let what = damage(&consortium.hospital(victim).folder, seed);
        (0..4).for_each(|index| consortium.forget_log(index));
        let outcome = judge(&mut consortium, &pinned, &before, victim, seed);
        step(format_args!("{what}: {outcome}"));
        *outcomes.entry(outcome).or_default() += 1;
    }
    step(format_args!("{outcomes:?}"));

    step("without its ledger and its log, it fetches everything from the others");
    consortium.kill_all();
    fs::remove_dir_all(consortium.path()).unwrap();
    copy(kept.path(), consortium.path());
    for name in STORES {
        fs::remove_file(consortium.hospital(victim).folder.join(name)).unwrap();
    }
    assert_eq!(judge(&mut consortium, &pinned, &before, victim, damages), "started right");
}

/// A node once started with an empty log in place of the one that was deleted, and could have contradicted what it signed.
#[test]
fn a_node_without_its_consensus_log_is_silent_until_the_next_epoch() {
    let mut consortium = Consortium::start(4);
    let pinned = Pinned::of(consortium.genesis());
    let load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
    goes_on(&load, &consortium);
    let victim = 2;
    consortium.kill(victim);
    fs::remove_file(consortium.hospital(victim).folder.join("consensus.redb")).unwrap();
    for _ in 0..2 {
        step("started without its log");
        consortium.spawn(victim);
        let status = consortium.wait_exit(victim, NOTICED_WITHIN);
        let log = consortium.log(victim);
        let last = log.lines().last().unwrap_or_default();
        assert!(status.code() == Some(1) && last.contains("`amulet-node abstain`"), "{log}");
    }
    typed(&consortium, victim, &["abstain"]);
    consortium.spawn(victim);
    consortium.wait_up(victim);
    goes_on(&load, &consortium);
    catches_up(&consortium, victim);
    let _ = load.stop();

    step("a new key begins an epoch");
    typed(&consortium, victim, &["validators", "rotate-key"]);
    catches_up(&consortium, victim);
    step("with another hospital away its vote is needed");
    consortium.kill(0);
    let head = newest(&consortium);
    typed(&consortium, 3, &["validators", "rotate-key"]);
    // The command has seen the block; that the others answer with it takes a moment on a busy machine.
    wait::until("a block with its vote", GOES_ON_WITHIN, || (newest(&consortium) > head).then_some(()));
    assert_eq!(consortium.forbidden_words(), None);
}

/// Types a command of the node's program for the folder of a hospital; it must do what it was told.
fn typed(consortium: &Consortium, index: usize, command: &[&str]) {
    let mut words: Vec<OsString> = command.iter().map(OsString::from).collect();
    words.extend(["--data".into(), consortium.hospital(index).folder.clone().into()]);
    let output = node_output(&words);
    let said = [output.stdout, output.stderr].concat();
    step(format_args!("{command:?}: {}", String::from_utf8_lossy(&said).trim()));
    assert!(output.status.success(), "{command:?}");
}

/// Starts everybody, one of them on a damaged store, and gives what became of that one.
fn judge(
    consortium: &mut Consortium,
    pinned: &Pinned,
    before: &[amulet_tests::load::Acknowledged],
    victim: usize,
    seed: u64,
) -> &'static str {
    (0..4).for_each(|index| consortium.spawn(index));
    (0..4).filter(|index| *index != victim).for_each(|index| consortium.wait_up(index));
    let started = consortium.try_wait_up(victim).is_ok();
    let options = LoadOptions { seed: 100 + seed, ..LoadOptions::default() };
    let mut load = Load::start(&consortium.hospitals(), pinned, &options);
    goes_on(&load, consortium);
    std::thread::sleep(DAMAGED_WATCHED);
    let stopped = consortium.exited(victim).is_some();
    let mut sound: Vec<usize> = (0..4).collect();
    if stopped {
        let log = consortium.log(victim);
        let last = log.lines().last().unwrap_or_default();
        assert!(last.starts_with("amulet-node: ") && !log.contains("panicked"), "{log}");
        step(format_args!("it said: {last}"));
        consortium.wait_exit(victim, Duration::ZERO);
        sound.retain(|index| *index != victim);
    } else {
        catches_up(consortium, victim);
    }
    load.halt();
    let head = consortium.same_head(&sound, CAUGHT_UP_WITHIN);
    assert_eq!(consortium.forbidden_words(), None);
    assert_eq!(load.wrong(), Vec::<String>::new());
    let hospitals: Vec<_> = sound.iter().map(|index| consortium.hospital(*index).clone()).collect();
    let all = [before, &load.since(0)].concat();
    audit(&hospitals, pinned, &all, load.people(), (1, head)).unwrap();
    match (started, stopped) {
        (false, _) => "refused",
        (true, true) => "started, then stopped",
        (true, false) => "started right",
    }
}

/// Cuts a store short, or overwrites some of it, at a place that follows from the seed.
fn damage(folder: &Path, seed: u64) -> String {
    let mut choices = Choices::new(seed);
    let name = STORES[choices.index(2)];
    let file = OpenOptions::new().read(true).write(true).open(folder.join(name)).unwrap();
    let size = file.metadata().unwrap().len();
    let at = choices.below(size);
    if choices.one_in(2) {
        file.set_len(at).unwrap();
        return format!("{name}, {size} bytes, cut to {at}");
    }
    let count = 1 + choices.below(8_192).min(size - at - 1);
    let noise: Vec<u8> = (0..count).map(|_| choices.number().to_le_bytes()[0]).collect();
    file.write_all_at(&noise, at).unwrap();
    format!("{name}, {size} bytes, {count} overwritten at {at}")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
