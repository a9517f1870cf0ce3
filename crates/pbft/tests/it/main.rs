//! Tests of the consensus core through its public interface: tables of steps, hostile messages, and whole clusters in a
//! simulated network. Each names the rules of `docs/spec/consensus.md` that it checks.
#![allow(clippy::unwrap_used)]

mod bench;
mod support;

mod fitness;
mod messages;
mod normal_case;
mod pipeline;
#[cfg(feature = "planted")]
mod planted;
mod recovery;
mod simulation;
mod status;
mod view_change;
