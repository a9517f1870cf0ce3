//! What nodes say to each other outside consensus.

use crate::ledger::{TransferRequest, TransferResponse};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{BlobId, Height};
use amulet_protocol::limits::BLOCK_BYTES_MAX;
use amulet_protocol::transaction::UntrustedTransaction;
use borsh::{BorshDeserialize, BorshSerialize};

/// Blocks in one answer; a full answer of full blocks stays under [`PEER_MESSAGE_BYTES_MAX`].
pub const BLOCKS_PER_PEER_RESPONSE_MAX: usize = 64;
/// Ciphertexts handed over at once.
pub const BLOBS_PER_PEER_REQUEST_MAX: usize = 256;
/// Bytes of a message between nodes: two of the largest blocks.
pub const PEER_MESSAGE_BYTES_MAX: usize = 2 * BLOCK_BYTES_MAX;

/// A question to another node.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub enum PeerRequest {
    /// Committed blocks from this height on.
    Blocks {
        /// First height wanted.
        from: Height,
    },
    /// Keep copies of these ciphertexts.
    StoreBlobs(Vec<Vec<u8>>),
    /// Take these transactions into the queue.
    Transactions(Vec<UntrustedTransaction>),
    /// Remove copies whose registration was refused; only those that no committed record names are removed.
    DropBlobs(Vec<BlobId>),
    /// A piece of the ledger, for a node that is new or far behind.
    Transfer(TransferRequest),
    /// Keep a copy of this ciphertext, which is fetched from the asker. Asked again until it is kept.
    Keep {
        /// Which.
        blob: BlobId,
        /// Its bytes.
        bytes: u64,
    },
    /// Bytes of a ciphertext, for a hospital that holds it too or is to.
    Piece {
        /// Which.
        blob: BlobId,
        /// The first byte wanted.
        from: u64,
    },
}

/// The answer.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub enum PeerResponse {
    /// To [`PeerRequest::Blocks`]: in order, as many as fit.
    Blocks(Vec<UntrustedCertifiedBlock>),
    /// To [`PeerRequest::StoreBlobs`]: all are durable here now.
    Stored,
    /// To [`PeerRequest::Transactions`] and [`PeerRequest::DropBlobs`]: taken note of.
    Noted,
    /// To [`PeerRequest::Transfer`].
    Transfer(TransferResponse),
    /// The node refuses: too much, too large, or its disk failed.
    Refused,
    /// To [`PeerRequest::Keep`]: it is being fetched.
    Keeping {
        /// Bytes that came so far.
        have: u64,
    },
    /// To [`PeerRequest::Piece`].
    Piece {
        /// Bytes of the whole.
        size: u64,
        /// As many from there on as fit.
        bytes: Vec<u8>,
    },
    /// To [`PeerRequest::Piece`]: there is no copy here.
    NotHere,
}
