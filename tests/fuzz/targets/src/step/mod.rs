//! The consensus core under arbitrary inputs: one replica whose peers, driver and disk do what the bytes say.
//!
//! The peers may all be faulty, and their signatures are believed, so nothing can be said about agreement. What must hold is
//! what a replica owes the others whatever they do: see [`rules`].

mod bytes;
mod peers;
mod rules;
mod world;

use amulet_protocol::ids::{Height, View};
use bytes::Bytes;
use world::{Planted, World};

use crate::Target;

/// Inputs in one run.
const INPUTS_MAX: usize = 400;

/// Bytes that say what happens next.
const INSTRUCTION_BYTES: usize = 8;

pub(crate) fn targets() -> Vec<Target> {
    vec![Target { name: "replica_step", run, seeds }]
}

/// How far a run got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Blocks committed.
    pub height: Height,
    /// The view entered last.
    pub view: View,
}

/// One run of the replica under what `bytes` say: who it is and the depth, then one instruction after the other, each of
/// the same length, so that damage to one leaves the others what they are.
#[must_use]
pub fn replica_step(bytes: &[u8]) -> Reached {
    advance(bytes, Planted::default())
}

/// The same with a deliberate bug in the replica.
///
/// # Panics
/// When the bug shows.
#[cfg(feature = "planted")]
#[must_use]
pub fn replica_step_with(bytes: &[u8], bug: amulet_pbft::planted::Bug) -> Reached {
    advance(bytes, Some(bug))
}

fn advance(bytes: &[u8], planted: Planted) -> Reached {
    let (setting, instructions) = bytes.split_at(bytes.len().min(2));
    let mut world = World::start(&mut Bytes::new(setting), planted);
    for instruction in instructions.chunks(INSTRUCTION_BYTES).take(INPUTS_MAX) {
        world.advance(&mut Bytes::new(instruction));
    }
    Reached { height: world.tip.height, view: world.replica.view() }
}

fn run(bytes: &[u8]) {
    let _ = replica_step(bytes);
}

const WAITING: [u8; 8] = [15, 0, 0, 0, 0, 0, 0, 0];
const PROPOSE: [u8; 8] = [12, 0, 0, 0, 0, 0, 0, 0];
const PRE_PREPARE: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 0];
const PRE_PREPARE_ABOVE: [u8; 8] = [0, 0, 0, 0, 1, 0, 0, 0];
const VALID: [u8; 8] = [13, 0, 0, 0, 0, 0, 0, 0];
const PREPARES: [u8; 8] = [0, 0, 3, 0, 0, 0, 0, 0];
const PREPARES_BELOW: [u8; 8] = [0, 0, 3, 1, 0, 0, 0, 0];
const COMMITS: [u8; 8] = [0, 0, 6, 0, 0, 0, 0, 0];
const COMMITS_BELOW: [u8; 8] = [0, 0, 6, 1, 0, 0, 0, 0];
const TIMER: [u8; 8] = [16, 1, 0, 0, 0, 0, 0, 0];
const NEW_VIEW: [u8; 8] = [0, 0, 9, 0, 0, 2, 0, 0];
const RESTART: [u8; 8] = [19, 0, 0, 0, 0, 0, 0, 0];
const STOP_WITHIN: [u8; 8] = [19, 2, 0, 0, 0, 0, 0, 0];

/// Runs that go right: blocks are committed, one by one and two at a time; views change with a block prepared; the replica
/// restarts. And one without a plan.
fn seeds() -> Vec<Vec<u8>> {
    let single = [WAITING, PROPOSE, PRE_PREPARE, VALID, PREPARES, COMMITS].concat();
    let double = [
        WAITING,
        PROPOSE,
        PRE_PREPARE,
        VALID,
        PROPOSE,
        PRE_PREPARE_ABOVE,
        VALID,
        PREPARES,
        PREPARES_BELOW,
        COMMITS,
        COMMITS_BELOW,
    ]
    .concat();
    let change =
        [WAITING, PROPOSE, PRE_PREPARE, VALID, PREPARES, TIMER, NEW_VIEW, VALID, PREPARES, COMMITS].concat();
    let restart =
        [WAITING, PROPOSE, PRE_PREPARE, VALID, RESTART, VALID, STOP_WITHIN, PREPARES, VALID, COMMITS]
            .concat();
    let all = [&single[..], &double, &change, &restart, &change, &double].concat();
    let mut seeds = Vec::new();
    for setting in (0..4).flat_map(|replica| (0..4).map(move |depth| [replica, depth])) {
        seeds.extend(
            [&single, &double, &change, &restart].map(|part| [&setting[..], &part.repeat(6)].concat()),
        );
        seeds.push([&setting[..], &all].concat());
    }
    seeds.push((0..3_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect());
    seeds
}
