//! Whole clusters under a virtual clock. A failing run names its seed, and the seed is the run.

mod audit;
pub mod byzantine;
mod node;
mod restarts;
pub mod rng;
pub mod world;

use amulet_protocol::ids::{ReplicaId, View};
use byzantine::Lies;
use world::{Faults, World};

/// How long faults last, in virtual milliseconds.
const STORM: u64 = 20_000;
/// How long everything may take to settle afterwards: some rounds of the longest timeout, 12 s.
const CALM: u64 = 90_000;

fn storm(n: usize, depth: u64, seed: u64, faults: Faults) -> World {
    ride_out(World::new(n, depth, seed, faults), seed)
}

pub fn ride_out(mut world: World, seed: u64) -> World {
    let n = world.nodes.len();
    for second in 1..=STORM / 500 {
        world.submit(2);
        world.run(second * 500, |_| false);
    }
    world.heal();
    world.submit_again();
    let is_settled = world.run(STORM + CALM, World::is_done);
    assert!(is_settled, "seed {seed}, n={n}: not settled: {}", describe(&world));
    // More than a window of blocks, now that all is well.
    world.submit(60);
    let is_settled = world.run(STORM + 2 * CALM, World::is_done);
    assert!(is_settled, "seed {seed}, n={n}: not settled afterwards: {}", describe(&world));
    world
}

fn describe(world: &World) -> String {
    let one = |node: &node::Node| {
        let replica =
            node.replica.as_ref().map(|replica| (replica.view(), replica.mode(), replica.tip().height));
        format!("{}: {replica:?}, {} waiting", node.id, node.waiting.len())
    };
    world.nodes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Each seed with one height in flight or with eight, in turns.
fn storms(n: usize, seeds: std::ops::Range<u64>, faults: Faults) {
    for seed in seeds {
        let depth = if seed % 3 == 0 { 1 } else { 8 };
        let run = std::panic::catch_unwind(|| storm(n, depth, seed, faults));
        if let Err(panic) = run {
            eprintln!("failed with n={n}, depth {depth}, seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn without_faults_everything_settles_in_the_first_view() {
    for (n, depth) in [(4, 1), (5, 2), (6, 8), (7, 16)] {
        let mut world = World::new(n, depth, 1, Faults::NONE);
        world.submit(30);
        assert!(world.run(5_000, World::is_done), "n={n}: {}", describe(&world));
        // The last checkpoint votes are on their way.
        world.run(world.now + 100, |_| false);
        for node in 0..u16::try_from(n).unwrap() {
            assert_eq!(world.replica(node).view(), View(0), "n={n}");
            // Ten blocks of three requests; the second checkpoint is at height 8 (PBFT-CP-3).
            assert_eq!(world.replica(node).low_water_mark().0, 8, "n={n}");
        }
    }
}

/// PBFT-NC, PBFT-VC, PBFT-RT: agreement under loss, repetition and reordering, and progress afterwards.
#[test]
fn a_lossy_network_delays_but_does_not_divide() {
    let faults = Faults { loss_percent: 15, duplicate_percent: 10, ..Faults::NONE };
    storms(4, 0..20, faults);
    storms(7, 1_000..1_006, faults);
}

/// PBFT-RC: nodes stop between any two effects and start again from their disks.
#[test]
fn nodes_that_stop_and_start_contradict_nothing() {
    let faults = Faults { loss_percent: 3, duplicate_percent: 3, crash_per_mille: 8, ..Faults::NONE };
    storms(4, 2_000..2_027, faults);
    storms(7, 3_000..3_007, faults);
}

#[test]
fn partitions_stop_the_smaller_part_and_heal() {
    let faults = Faults { loss_percent: 2, partitions: true, crash_per_mille: 3, ..Faults::NONE };
    storms(4, 4_000..4_024, faults);
    storms(7, 5_000..5_007, faults);
}

/// PBFT-EV-1: a liar neither divides the others nor stops them, whatever its lies.
#[test]
fn a_lying_replica_neither_divides_nor_stops_the_others() {
    for (index, lies) in Lies::ALL.into_iter().enumerate() {
        let faults = Faults {
            loss_percent: 3,
            partitions: true,
            byzantine: Some((ReplicaId(0), lies)),
            ..Faults::NONE
        };
        let first = 6_000 + 100 * index as u64;
        storms(4, first..first + 8, faults);
        storms(7, first + 50..first + 52, Faults { crash_per_mille: 5, ..faults });
    }
}

/// PBFT-EP: the set changes again and again, under all faults at once.
#[test]
fn epochs_end_and_begin_under_faults() {
    let faults = Faults {
        loss_percent: 5,
        duplicate_percent: 5,
        crash_per_mille: 4,
        partitions: true,
        byzantine: None,
        epochs: true,
    };
    storms(4, 11_000..11_015, faults);
    storms(4, 11_100..11_106, Faults { byzantine: Some((ReplicaId(1), Lies::Equivocate)), ..faults });
    storms(7, 11_200..11_203, faults);
}

/// Killing any one node at any moment, the primary included, leaves the others working, and soon: one timeout of 1.5 s
/// and a round or two of the network. The moments are spread over the life of several blocks.
#[test]
fn killing_any_one_node_at_any_moment_leaves_the_others_working() {
    for victim in 0..4_u16 {
        for moment in (0..400).step_by(10) {
            let mut world = World::new(4, 1 + moment % 8, 8_000 + moment, Faults::NONE);
            world.submit(12);
            world.run(moment, |_| false);
            world.crash(ReplicaId(victim));
            world.submit(3);
            let is_settled = world.run(moment + 5_000, World::is_done);
            assert!(is_settled, "victim {victim} at {moment} ms: {}", describe(&world));
        }
    }
}

/// PBFT-TM-4: two primaries in a row are dead; the view after them works.
#[test]
fn two_dead_primaries_in_a_row_are_passed_over() {
    let mut world = World::new(7, 4, 9_000, Faults::NONE);
    world.run(100, |_| false);
    world.crash(ReplicaId(0));
    world.crash(ReplicaId(1));
    world.submit(5);
    assert!(world.run(8_000, World::is_done), "{}", describe(&world));
    assert_eq!(world.replica(2).view(), View(2));
}

/// PBFT-RT-2, PBFT-RT-3, PBFT-CP-4: a node that slept through more blocks than the window has is back before long, and
/// needed: with another one down, its votes decide.
#[test]
fn a_node_that_was_away_finds_its_way_back() {
    let mut world = World::new(4, 4, 9_100, Faults::NONE);
    world.run(100, |_| false);
    world.crash(ReplicaId(3));
    world.submit(90);
    assert!(world.run(10_000, World::is_done), "{}", describe(&world));
    world.crash(ReplicaId(0));
    world.start(ReplicaId(3));
    world.submit(60);
    assert!(world.run(20_000, World::is_done), "{}", describe(&world));
    world.start(ReplicaId(0));
    assert!(world.run(30_000, World::is_done), "{}", describe(&world));
    let views: Vec<_> = (0..4).map(|node| world.replica(node).view()).collect();
    assert!(views.iter().all(|view| *view == views[1] && *view > View(0)), "{views:?}");
}

/// PBFT-EV-1: the lies of an equivocating primary come to light, and are charged to it.
#[test]
fn an_equivocating_primary_is_caught() {
    let faults =
        Faults { loss_percent: 5, byzantine: Some((ReplicaId(0), Lies::Equivocate)), ..Faults::NONE };
    let caught: usize = (0..6).map(|seed| storm(4, 4, 10_000 + seed, faults).evidence.len()).sum();
    assert!(caught > 0);
}
