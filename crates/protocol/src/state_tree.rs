//! The state tree: a sparse Merkle tree over SM3 (`jmt`), with proofs of presence and of absence.

use crate::codec::{self, DecodeError};
use crate::state::StateKey;
use amulet_crypto::digest::Digest;
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::proof::SparseMerkleProof;
use jmt::{KeyHash, RootHash, SimpleHasher};
use sm3::{Digest as _, Sm3};

/// Bytes of an encoded state proof; 256 levels of 65 bytes and a leaf fit.
pub const STATE_PROOF_BYTES_MAX: usize = 20 * 1024;

/// SM3 as the hash function of the tree.
#[derive(Clone, Debug)]
pub struct TreeHasher(Sm3);

impl SimpleHasher for TreeHasher {
    fn new() -> Self {
        Self(Sm3::new())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The tree's form of a key.
#[must_use]
pub fn key_hash(key: &StateKey) -> KeyHash {
    KeyHash(key.hash().to_bytes())
}

/// A value, or its absence, with a proof; as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedStateProof {
    /// The value; `None` claims that there is none.
    pub value: Option<Vec<u8>>,
    /// Encoded proof.
    pub proof: Vec<u8>,
}

/// What a state proof proves about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proven<T> {
    /// The state holds this value.
    Present(T),
    /// The state holds nothing there.
    Absent,
}

/// Why a state proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateProofError {
    /// The proof is too large or no proof at all.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The proof does not cover the key, or does not lead to the root.
    #[error("the proof does not show what is claimed about {key:?} under root {root}")]
    NotCovered {
        /// The key asked about.
        key: StateKey,
        /// Root of the verified header.
        root: Digest,
    },
    /// The proven value is not of the type that belongs there.
    #[error("the value at {key:?} is of another type")]
    Value {
        /// The key asked about.
        key: StateKey,
    },
}

impl UntrustedStateProof {
    /// Wraps what the tree gave.
    #[must_use]
    pub fn new(value: Option<Vec<u8>>, proof: &SparseMerkleProof<TreeHasher>) -> Self {
        Self { value, proof: codec::encode(proof) }
    }

    /// Checks the claim about `key` against the state root of a verified header and decodes the value.
    ///
    /// # Errors
    /// [`StateProofError`] by variant.
    pub fn verify<T: BorshDeserialize>(
        &self,
        root: Digest,
        key: &StateKey,
    ) -> Result<Proven<T>, StateProofError> {
        let proof: SparseMerkleProof<TreeHasher> = codec::decode(&self.proof, STATE_PROOF_BYTES_MAX)?;
        proof
            .verify(RootHash(root.to_bytes()), key_hash(key), self.value.as_deref())
            .map_err(|_| StateProofError::NotCovered { key: key.clone(), root })?;
        match &self.value {
            None => Ok(Proven::Absent),
            Some(bytes) => borsh::from_slice(bytes)
                .map(Proven::Present)
                .map_err(|_| StateProofError::Value { key: key.clone() }),
        }
    }
}

impl<T> Proven<T> {
    /// The value if there is one.
    #[must_use]
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent => None,
        }
    }
}
