//! Whole consortia in a deterministic simulation.
//!
//! A run is a function of its seed. The replicas are the node's own: engine, ledger, contracts, mempool and log, on a
//! virtual clock ([`time`]), network ([`network`]) and disk ([`disk`]). What goes wrong is data ([`schedule`]), derived from
//! the seed ([`storm`]) or written down for a purpose, so that a run that fails can be replayed bit for bit and made
//! smaller. Ledgers are pruned, lost with their disks and copied ([`replacements`]). Some replicas lie ([`liars`]); checkers look at every step ([`checkers`]).
//!
//! Two things are not real. Consensus signatures are a checksum that costs nothing ([`signatures`]); liars sign with their
//! own keys only. And a transaction's SM2 signature is checked once for all replicas.

pub mod cast;
pub mod checkers;
pub mod client;
pub mod directed;
pub mod disk;
#[cfg(feature = "planted")]
pub mod hunt;
pub mod liars;
pub mod network;
pub mod node;
pub mod notary;
pub mod packet;
pub mod queue;
pub mod replacements;
pub mod reports;
pub mod rng;
pub mod run;
pub mod scenarios;
pub mod schedule;
pub mod seeds;
pub mod setting;
pub mod signatures;
pub mod storm;
pub mod time;
pub mod trace;
pub mod traps;
pub mod twins;
pub mod upkeep;
pub mod wide;
pub mod world;
