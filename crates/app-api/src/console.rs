//! What a hospital's console answers to its operators: numbers of the node and of the ledger, and no health data.
//!
//! No call of the bridge: the pages ask the node's console listener over HTTP. Both sides share these types.

use crate::wallet::TimeMs;
use serde::{Deserialize, Serialize};

/// Where the node answers.
pub const OVERVIEW_PATH: &str = "/api/console/v1/overview";
/// Blocks by page: `?page=1` is the newest.
pub const BLOCKS_PATH: &str = "/api/console/v1/blocks";

/// How the node is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewView {
    /// The node's version.
    pub version: String,
    /// Name of the network.
    pub network: String,
    /// The hospital's DID.
    pub hospital: String,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Height of the newest committed block.
    pub height: u64,
    /// Its time.
    pub block_time: TimeMs,
    /// The node's clock.
    pub now: TimeMs,
    /// View that was entered last.
    pub view: u64,
    /// Number of the validator that is its primary.
    pub primary: u16,
    /// Validators of the chain.
    pub validators: u64,
    /// Validators whose agreement commits a block.
    pub quorum: u64,
    /// Other validators connected.
    pub connected: u64,
    /// Transactions that wait to be ordered.
    pub waiting: u64,
    /// Bytes of the files that lie in the data folder itself: ledger, logs, indices. The vault's ciphertexts are not among them.
    pub database_bytes: u64,
    /// Records registered by this node since its start.
    pub records_registered: u64,
    /// Ciphertexts that the last scrub of the vault could not get back.
    pub vault_lost: u64,
    /// When that scrub ended; none before the first.
    pub vault_scrubbed: Option<TimeMs>,
    /// Contradictions of other validators seen since the start.
    pub evidence: u64,
    /// Forks that light clients proved to this node since the start.
    pub forks: u64,
    /// Requests to the console with a wrong token since the start.
    pub wrong_tokens: u64,
}

/// A page of blocks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksView {
    /// Height of the newest block of all.
    pub height: u64,
    /// This page, from 1.
    pub page: u64,
    /// Pages that there are; 0 before the first block.
    pub pages: u64,
    /// Its blocks.
    pub blocks: Vec<BlockLine>,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLine {
    /// Height.
    pub height: u64,
    /// Time in its header.
    pub time: TimeMs,
    /// Number of the validator that proposed it.
    pub proposer: u16,
    /// Its transactions by kind, kinds in alphabetical order; none where this node removed them.
    pub transactions: Option<Vec<KindCount>>,
}

/// How many transactions of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCount {
    /// What they call, as `register_records`.
    pub kind: String,
    /// How many.
    pub count: u64,
}
