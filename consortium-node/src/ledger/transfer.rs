//! What replicas ask each other when one is new or far behind: headers, the state after one block, and personal
//! histories. Nothing in an answer is believed; [`Restore`](super::Restore) checks it.

use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::header::Header;
use amulet_protocol::history::{HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Epoch, Height};
use amulet_protocol::state::StateKey;
use amulet_protocol::validators::ValidatorSet;
use borsh::{BorshDeserialize, BorshSerialize};

// Unit tests have small ledgers, and chunks that are smaller still.

/// Heights from one snapshot to the next: those of the consensus checkpoints, so that a quorum holds each durably.
pub const BLOCKS_PER_SNAPSHOT: u64 = 16;
/// Ends of epochs in one answer: each with up to 100 keys and as many signatures, about 20 kB.
pub const EPOCH_ENDS_PER_CHUNK_MAX: usize = 32;
/// Headers in one answer, of about 350 bytes each.
pub const HEADERS_PER_CHUNK_MAX: usize = if cfg!(test) { 10 } else { 1_024 };
/// Bytes of rows in one answer, unless two rows are larger: little to lose when a peer lies or falls silent, much
/// against the cost of a question.
pub const STATE_CHUNK_BYTES_MAX: usize = if cfg!(test) { 800 } else { 1024 * 1024 };
/// Histories asked for at once.
pub const HISTORIES_PER_CHUNK_MAX: usize = if cfg!(test) { 3 } else { 512 };
/// Entries of histories in one answer, of about 150 bytes each.
pub const HISTORY_ENTRIES_PER_CHUNK_MAX: usize = if cfg!(test) { 7 } else { 4_096 };
/// Bytes of an encoded range proof: at most 256 siblings of 65 bytes.
pub const RANGE_PROOF_BYTES_MAX: usize = 20 * 1024;

/// How much a replica puts into one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSizes {
    /// Headers.
    pub headers: usize,
    /// Bytes of rows of the state, unless two rows are larger.
    pub state_bytes: usize,
    /// Entries of histories.
    pub history_entries: usize,
}

impl ChunkSizes {
    /// The most that an asker takes.
    pub const MAX: Self = Self {
        headers: HEADERS_PER_CHUNK_MAX,
        state_bytes: STATE_CHUNK_BYTES_MAX,
        history_entries: HISTORY_ENTRIES_PER_CHUNK_MAX,
    };
}

/// A question of a replica that is behind.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TransferRequest {
    /// What the peer holds.
    Standing,
    /// The last headers of the epochs from this one on.
    EpochEnds {
        /// First epoch whose end is wanted.
        from: Epoch,
    },
    /// Headers below a height, downwards.
    Headers {
        /// One above the first wanted.
        below: Height,
    },
    /// The state after a block, in the order of the tree's keys.
    State {
        /// The block.
        height: Height,
        /// Lowest key wanted.
        from: Digest,
    },
    /// Entries of histories up to a number each, the newest first.
    Histories(Vec<(Did, u64)>),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TransferResponse {
    /// To [`TransferRequest::Standing`].
    Standing(Box<Standing>),
    /// To [`TransferRequest::EpochEnds`]: in order; none when the epoch has not ended.
    EpochEnds(Vec<EpochEnd>),
    /// To [`TransferRequest::Headers`].
    Headers(Vec<Header>),
    /// To [`TransferRequest::State`].
    State(StateChunk),
    /// To [`TransferRequest::Histories`], in the order asked; a prefix if the answer would grow too large.
    Histories(Vec<HistoryChunk>),
    /// The peer no longer has it, or not yet.
    NotHere,
    /// The question breaks a limit.
    Malformed,
}

/// What a peer says it holds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Standing {
    /// Its newest block.
    pub tip: Height,
    /// The lowest block that it has with all that belongs to it.
    pub floor: Height,
    /// The header of the newest block whose state it offers; `None` before the first.
    pub snapshot: Option<UntrustedSignedHeader>,
}

/// The last header of an epoch, and the set that certifies the next.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EpochEnd {
    /// The header with its certificate.
    pub signed: UntrustedSignedHeader,
    /// The set that the header names for the next block.
    pub validators: ValidatorSet,
}

/// Values of the state that lie side by side in the tree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateChunk {
    /// Keys and values, in the order of the keys' hashes.
    pub rows: Vec<(StateKey, Vec<u8>)>,
    /// Encoded proof that the last row, with everything to its left, is in the tree; empty without rows.
    pub proof: Vec<u8>,
    /// Whether nothing lies to the right.
    pub is_last: bool,
}

/// A piece of one history, oldest entry first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HistoryChunk {
    /// The history before the first entry here.
    pub below: HistoryHead,
    /// Entries up to the number asked for.
    pub entries: Vec<HistoryEntry>,
}
