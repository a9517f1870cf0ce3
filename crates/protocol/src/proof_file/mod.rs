//! Proof files: proofs that a person can carry, and anybody can check without a network.
//!
//! A file names its chain and holds one certified header, the *anchor*; how the validators that certified it follow from
//! those of the genesis document; older headers that the anchor's range covers; and statements, each proven under one of these
//! headers. Whoever checks it needs the genesis document and nothing else. The bytes are [`MAGIC`], the version (2 bytes,
//! little-endian) and the borsh form of [`UntrustedProofFile`]; nothing in them is superfluous.
//!
//! [`UntrustedProofFile::decode`] → [`UntrustedProofFile::verify`] → [`VerifiedProof`]. No clock is involved: what a quorum
//! signed stays signed. So a file says nothing about what happened after its anchor.

mod error;
mod verify;

pub use error::ProofFileError;
pub(crate) use verify::follow_one;
pub use verify::{CompleteHistory, Fact, KnownSet, VerifiedProof};

use crate::certificate::UntrustedSignedHeader;
use crate::codec;
use crate::header::Header;
use crate::history::HistoryEntry;
use crate::ids::{ChainId, Did, Height};
use crate::light::UntrustedEpochEnd;
use crate::merkle::UntrustedListBatch;
use crate::receipt::Receipt;
use crate::state::StateKey;
use crate::state_batch::UntrustedStateBatch;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use borsh::{BorshDeserialize, BorshSerialize};

/// The first bytes of a proof file.
pub const MAGIC: [u8; 8] = *b"AMULETPF";
/// Version of the format that this code writes and reads.
pub const PROOF_FILE_VERSION: u16 = 1;
/// Bytes of a proof file: the history of a long life (20,000 entries) and a hundred epochs of large sets.
pub const PROOF_FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Ends of epochs in a proof file. Each costs the reader the signatures of a quorum.
pub const PROOF_EPOCHS_MAX: usize = 1_000;
/// Statements in a proof file.
pub const PROOF_STATEMENTS_MAX: usize = 64;

/// What a proof file claims.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Statement {
    /// The chain has this header at this height: the anchor, or one of the older headers.
    Header {
        /// Which.
        height: Height,
    },
    /// The state after a block, at some keys.
    State {
        /// The block.
        height: Height,
        /// The keys, all different.
        keys: Vec<StateKey>,
        /// What is there, with proof.
        batch: UntrustedStateBatch,
    },
    /// What became of transactions of one block.
    Receipts {
        /// The block.
        height: Height,
        /// The receipts, in the block's order.
        receipts: Vec<Receipt>,
        /// Their places, with proof.
        proof: UntrustedListBatch,
    },
    /// A personal history from its first entry up to a block, with nothing left out.
    History {
        /// Whose.
        did: Did,
        /// The block.
        height: Height,
        /// Count and head of the history, with proof: the value of [`StateKey::History`].
        head: UntrustedStateBatch,
        /// Every entry.
        entries: Vec<HistoryEntry>,
    },
}

/// A proof file as it was read: nothing about it has been checked but its form.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedProofFile {
    /// The chain.
    pub chain: ChainId,
    /// How each epoch before the anchor's ended, from the genesis on.
    pub epochs: Vec<UntrustedEpochEnd>,
    /// The header that everything is proven from.
    pub anchor: UntrustedSignedHeader,
    /// Older headers, ascending, that statements are about.
    pub older: Vec<Header>,
    /// The hashes of [`crate::range::UntrustedRangeBatch`] that prove them under the anchor; none without older headers.
    pub range: Vec<Digest>,
    /// The statements.
    pub statements: Vec<Statement>,
}

impl Statement {
    /// The block that the statement is about.
    #[must_use]
    pub fn height(&self) -> Height {
        match self {
            Self::Header { height }
            | Self::State { height, .. }
            | Self::Receipts { height, .. }
            | Self::History { height, .. } => *height,
        }
    }
}

impl UntrustedProofFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ProofFileError::Magic`], [`ProofFileError::Version`], [`ProofFileError::Decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(ProofFileError::Magic)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(ProofFileError::Magic)?;
        let found = u16::from_le_bytes(*version);
        if found != PROOF_FILE_VERSION {
            return Err(ProofFileError::Version { found });
        }
        Ok(codec::decode(rest, PROOF_FILE_BYTES_MAX - MAGIC.len() - 2)?)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(PROOF_FILE_VERSION.to_le_bytes());
        bytes.extend(codec::encode(self));
        bytes
    }
}
