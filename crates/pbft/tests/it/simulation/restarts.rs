//! Everything stops at once, again and again, and only just enough nodes come back: rules PBFT-RC-1 to PBFT-RC-5.

use amulet_protocol::ids::ReplicaId;

use super::describe;
use super::node::Node;
use super::rng::Rng;
use super::world::{Faults, World};

/// Times that all nodes of one run stop at once.
const OUTAGES: u64 = 25;
/// What a quorum without one to spare may need to settle everything after a start: some views of absent primaries, each
/// with twice the time-out of the one before.
const BACK_WITHIN: u64 = 20_000;

/// Nodes but for `faults` of them, which differ from outage to outage.
fn some_of(world: &World, rng: &mut Rng) -> Vec<ReplicaId> {
    let mut all: Vec<ReplicaId> = world.nodes.iter().map(|node| node.id).collect();
    for _ in 0..world.quorum().faults() {
        let absent = rng.range(0, all.len() as u64);
        all.remove(usize::try_from(absent).unwrap());
    }
    all
}

fn is_at_checkpoint(node: &Node) -> bool {
    let Some(replica) = &node.replica else { return false };
    replica.config().is_checkpoint(replica.tip().height) && replica.tip().height > replica.low_water_mark()
}

fn outages(n: usize, depth: u64, seed: u64) {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let mut world = World::with_smallest_window(n, depth, seed, Faults { loss_percent: 1, ..Faults::NONE });
    for outage in 0..OUTAGES {
        world.submit(rng.range(0, 16));
        let some_time = if rng.percent(70) { rng.range(0, 400) } else { rng.range(400, 8_000) };
        // Often right after a checkpoint was taken.
        let at_checkpoint = rng.percent(50);
        world.run(world.now + some_time, |world| at_checkpoint && world.nodes.iter().any(is_at_checkpoint));
        world.cut_the_power();
        for node in some_of(&world, &mut rng) {
            world.start(node);
        }
        if rng.percent(40) {
            // Not even the start is completed.
            world.run(world.now + rng.range(0, 900), |_| false);
            continue;
        }
        world.submit(2);
        world.submit_again();
        let is_settled = world.run(world.now + BACK_WITHIN, World::is_done);
        assert!(is_settled, "n={n}, depth {depth}, seed {seed}, outage {outage}: {}", describe(&world));
        if rng.percent(50) {
            world.heal();
        }
    }
}

/// Nobody has more than its disk to go on, one node stays away, and the others need every vote.
#[test]
fn all_but_the_faulty_start_again_and_need_nobody_else() {
    for seed in 0..14 {
        outages(4, if seed % 3 == 0 { 1 } else { 8 }, 12_000 + seed);
    }
    for seed in 0..3 {
        outages(7, 8, 12_500 + seed);
    }
}
