//! The block header: what a commit certificate signs and everything else is proven against.

use crate::ids::{ChainId, HeaderHash, Height, ReplicaId, Timestamp, View, digest_of};
use amulet_crypto::digest::{Digest, Tag};
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/header");

/// Version of the header format that this code writes and accepts.
pub const HEADER_VERSION: u16 = 1;

/// A block header. By itself it proves nothing: see [`crate::certificate`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// [`HEADER_VERSION`].
    pub version: u16,
    /// The chain.
    pub chain: ChainId,
    /// Height; the genesis block has 0.
    pub height: Height,
    /// Set by the proposer, later than the previous block's, checked by the backups against their own clocks.
    pub time: Timestamp,
    /// Hash of the header one lower; [`Digest::ZERO`] at the genesis.
    pub previous: HeaderHash,
    /// Root over the transactions ([`crate::merkle`]).
    pub transactions_root: Digest,
    /// Root over the receipts, in the order of the transactions.
    pub receipts_root: Digest,
    /// Root of the state after this block ([`crate::state_tree`]).
    pub state_root: Digest,
    /// Root of the Merkle mountain range over the hashes of all lower headers ([`crate::range`]).
    pub range_root: Digest,
    /// Digest of the validator set that certifies this block.
    pub validators_hash: Digest,
    /// Digest of the validator set that certifies the next block.
    pub next_validators_hash: Digest,
    /// Who proposed the block.
    pub proposer: ReplicaId,
    /// View in which it was first proposed; the certificate may be from a later one.
    pub view: View,
}

impl Header {
    /// Hash of the header: SM3 of its canonical encoding under the header's domain tag.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        HeaderHash(digest_of(TAG, self))
    }
}
