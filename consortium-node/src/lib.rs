//! The hospitals' full node: it orders transactions by PBFT with the other hospitals, keeps the ledger and the encrypted
//! records, takes FHIR in, and answers light clients.
//!
//! Protocol decisions live in `amulet-pbft`, rules in `amulet-contracts`; this crate gives them a disk, a clock and a
//! network. Each long task is a struct with `run(self)` and bounded inboxes; [`node`] wires them together.

#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
pub mod cli;
pub mod config;
pub mod consensus;
pub mod forks;
pub mod genesis_file;
pub mod gossip;
pub mod http_client;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod light_service;
pub mod links;
pub mod localnet;
pub mod mempool;
pub mod network;
pub mod network_file;
pub mod node;
pub mod org_sender;
pub mod overdue;
pub mod peer_service;
pub mod release;
pub mod staff;
mod store_advice;
#[cfg(test)]
mod testing;
pub mod vault;
pub mod verified;
