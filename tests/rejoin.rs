//! A hospital that lost its ledger comes back when nobody has the old blocks any more: it takes over the others' state,
//! votes again, and serves whoever trusts nothing but the genesis document.

#![allow(clippy::unwrap_used)]

use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_tests::consortium::{Consortium, Founding};
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::{chain, step};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};

/// Blocks that every hospital keeps: the least that a configuration allows.
const KEPT: u64 = 64;
/// So far that each of them has removed some.
const GROWN: u64 = KEPT + 40;
/// For that many blocks on two cores that four unoptimised nodes share. Not a promise of speed.
const GROWN_WITHIN: Duration = Duration::from_secs(300);
const REJOINED_WITHIN: Duration = Duration::from_secs(120);
const GOES_ON_WITHIN: Duration = Duration::from_secs(60);
const VICTIM: usize = 2;

#[test]
fn a_hospital_that_lost_its_ledger_rejoins_hospitals_that_removed_the_old_blocks() {
    let mut consortium = founded();
    let pinned = Pinned::of(consortium.genesis());
    let load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
    load.wait_above(GROWN, GROWN_WITHIN).expect("the chain grows");
    for index in 0..4 {
        removes(&consortium, index, Height(2));
    }
    step(format_args!("hospital {} loses its ledger and its consensus log", VICTIM + 1));
    consortium.kill(VICTIM);
    for file in ["ledger.redb", "consensus.redb"] {
        fs::remove_file(consortium.hospital(VICTIM).folder.join(file)).unwrap();
    }
    consortium.spawn(VICTIM);
    consortium.wait_up(VICTIM);
    rejoins(&consortium);
    step(format_args!(
        "{} transactions were done; another hospital is killed, so every vote is needed",
        load.count()
    ));
    consortium.kill(0);
    let reached = consortium.hospital(VICTIM).head().unwrap().0;
    load.wait_above(reached + 3, GOES_ON_WITHIN).expect("the three go on");
    let people = load.people().to_vec();
    assert!(load.wrong().is_empty(), "{:?}", load.wrong());
    assert!(!load.stop().is_empty());
    let entries = |index: usize, did| chain::history(consortium.hospital(index), consortium.genesis(), did);
    for did in people {
        let (own, other) = (entries(VICTIM, did), entries(1, did));
        assert!(!own.is_empty());
        let common = own.len().min(other.len());
        assert_eq!(own[..common], other[..common], "{did}");
    }
}

/// Four hospitals that keep little.
fn founded() -> Consortium {
    let founding = Founding::on_loopback(4);
    let places = founding.places.clone();
    let mut consortium = founding.found(|_, other| places[other].libp2p);
    for hospital in consortium.hospitals() {
        let path = hospital.folder.join("node.toml");
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        write!(file, "\n[ledger]\nkeep_blocks = {KEPT}\n").unwrap();
    }
    consortium.start_all();
    consortium
}

/// The hospital comes to say that it removed what belongs to a block.
fn removes(consortium: &Consortium, index: usize, height: Height) {
    let pruned = LightResponse::Refused(LightRefusal::Pruned { height });
    let start = Instant::now();
    while consortium.hospital(index).ask(&LightRequest::HeaderAt(height)) != Some(pruned.clone()) {
        assert!(start.elapsed() < GOES_ON_WITHIN, "hospital {} keeps block {height}", index + 1);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The hospital gets to where the others are by a copy.
fn rejoins(consortium: &Consortium) {
    let reached = consortium.hospital(0).head().unwrap().0;
    let start = Instant::now();
    while consortium.hospital(VICTIM).head().is_none_or(|(height, _)| height < reached) {
        let log = consortium.log(VICTIM);
        assert!(start.elapsed() < REJOINED_WITHIN, "it does not get to {reached}: {log}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = consortium.log(VICTIM);
    assert!(log.contains("the ledger was copied from the others"), "{log}");
    step(format_args!("it is back at {reached} after {:?}", start.elapsed()));
}
