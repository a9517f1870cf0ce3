//! Schedules with one purpose each: what happened to others, and what operators do, in a whole consortium.

mod known;
mod membership;

pub use known::{blocks_out_of_order, checkpoint_race, one_cut_off, replays, slow_primary, torn_log_tail};
pub use membership::{evidence, membership};

use crate::schedule::{Calm, ClientPlan, Fault, FaultKind, LIVENESS_BOUND, Latency, Plan};
use crate::time::Micros;
use crate::upkeep::Upkeep;

/// A consortium with a few clients, in which nothing is wrong; what was submitted before `healed` is to be committed.
fn quiet(seed: u64, replicas: u16, healed: Micros) -> Plan {
    let client = |number| ClientPlan {
        number,
        from: Micros::millis(100 * u64::from(number)),
        every: Micros::millis(5_000),
        bursts_per_mille: 20,
        double_per_mille: 20,
    };
    Plan {
        seed,
        replicas,
        end: healed + LIVENESS_BOUND + Micros::seconds(1),
        latency: Latency {
            least: Micros::millis(2),
            most: Micros::millis(20),
            jitter: Micros::millis(5),
            stragglers_per_mille: 0,
        },
        faults: Vec::new(),
        liars: Vec::new(),
        clients: (0..4).map(client).collect(),
        calms: vec![Calm { from: healed, until: healed + LIVENESS_BOUND }],
        upkeep: Upkeep::default(),
        planted: None,
    }
}

fn fault(plan: &mut Plan, from: Micros, until: Micros, kind: FaultKind) {
    plan.faults.push(Fault { from, until, kind });
}
