//! A bounded run of every target, the same in each build: valid inputs pass, damaged ones and noise do no harm.

use amulet_fuzz_targets::mutate::Mutator;
use amulet_fuzz_targets::{Reached, Target, replica_step, targets};

/// A number from the environment: `AMULET_FUZZ_SEED` for other damages, `AMULET_FUZZ_TIMES` for as many times as many.
fn setting(name: &str) -> u64 {
    std::env::var(name).map_or(1, |text| text.parse().expect("a number"))
}

/// Runs one target on its seeds, on damaged ones and on noise.
fn run(target: &Target, rounds: u64, noise_bytes_max: u64) {
    let seeds = (target.seeds)();
    seeds.iter().for_each(|seed| (target.run)(seed));
    let rounds = rounds * setting("AMULET_FUZZ_TIMES");
    let mut mutator = Mutator::new(setting("AMULET_FUZZ_SEED"));
    for _ in 0..rounds {
        (target.run)(&mutator.damaged(&seeds));
    }
    for _ in 0..rounds / 10 {
        (target.run)(&mutator.noise(noise_bytes_max));
    }
}

fn run_only(is_wanted: impl Fn(&Target) -> bool, rounds: u64) {
    targets().iter().filter(|target| is_wanted(target)).for_each(|target| run(target, rounds, 256));
}

/// Inputs that cost more than the others: parsing of large texts, elliptic curve points.
const SLOW: [&str; 11] = [
    "block",
    "certified_block",
    "peer_request",
    "peer_response",
    "fhir_bundle",
    "light_response",
    "proof_file",
    "fork_file",
    "signed_header",
    "epoch_end",
    "light_verifier",
];

#[test]
fn small_inputs() {
    run_only(|target| !SLOW.contains(&target.name) && target.name != "replica_step", 6_000);
}

#[test]
fn large_inputs() {
    run_only(|target| SLOW.contains(&target.name), 3_000);
}

#[test]
fn the_consensus_core() {
    let target = amulet_fuzz_targets::target("replica_step");
    run(&target, 3_000, 4_000);
}

/// The runs from which the core is fuzzed get far: else its rules would be checked in vain.
#[test]
fn the_seeds_commit_blocks_and_change_views() {
    let seeds = (amulet_fuzz_targets::target("replica_step").seeds)();
    let reached: Vec<Reached> = seeds.iter().map(|seed| replica_step(seed)).collect();
    assert!(reached.iter().any(|reached| reached.height.0 >= 4), "{reached:?}");
    assert!(reached.iter().any(|reached| reached.view.0 >= 3 && reached.height.0 >= 1), "{reached:?}");
}
