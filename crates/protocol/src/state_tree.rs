//! The state tree: a sparse Merkle tree over SM3 (`jmt`), with proofs of presence and of absence.

use crate::codec::{self, DecodeError};
use crate::state::StateKey;
use crate::verdict::Verdict;
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
    /// The proof shows something else than what is claimed, or does not lead to the root.
    #[error("the proof does not show what is claimed about {key:?} under root {root}")]
    Claim {
        /// The key asked about.
        key: StateKey,
        /// Root of the verified header.
        root: Digest,
    },
    /// The proof is good, and says nothing about the key.
    #[error("the proof is about another key than {key:?}")]
    NotCovered {
        /// The key asked about.
        key: StateKey,
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

    /// Checks the claim about `key` against the state root of a verified header and decodes the value. A proof that is
    /// about another key is refused; [`Self::judge`] tells it from a false one.
    ///
    /// # Errors
    /// [`StateProofError`] by variant.
    pub fn verify<T: BorshDeserialize>(
        &self,
        root: Digest,
        key: &StateKey,
    ) -> Result<Proven<T>, StateProofError> {
        let verdict = self.judge(root, key)?;
        verdict.proven().ok_or_else(|| StateProofError::NotCovered { key: key.clone() })
    }

    /// What the proof says about `key` under the state root of a verified header: that it is present, that it is absent, or
    /// nothing, because the proof is that of another key.
    ///
    /// # Errors
    /// [`StateProofError::Decode`], [`StateProofError::Claim`], [`StateProofError::Value`].
    pub fn judge<T: BorshDeserialize>(
        &self,
        root: Digest,
        key: &StateKey,
    ) -> Result<Verdict<T>, StateProofError> {
        let proof: SparseMerkleProof<TreeHasher> = codec::decode(&self.proof, STATE_PROOF_BYTES_MAX)?;
        if proof.verify(RootHash(root.to_bytes()), key_hash(key), self.value.as_deref()).is_err() {
            let leaf = self.leaf().flatten().map(|(place, _)| KeyHash(place.to_bytes()));
            let other = leaf.filter(|place| *place != key_hash(key));
            let shows_other = other.is_some_and(|place| self.shows(&proof, root, place));
            return if shows_other {
                Ok(Verdict::NotCovered)
            } else {
                Err(StateProofError::Claim { key: key.clone(), root })
            };
        }
        match &self.value {
            None => Ok(Verdict::Absent),
            Some(bytes) => borsh::from_slice(bytes)
                .map(Verdict::Present)
                .map_err(|_| StateProofError::Value { key: key.clone() }),
        }
    }

    /// Whether this is a good proof that the value is at another place.
    fn shows(&self, proof: &SparseMerkleProof<TreeHasher>, root: Digest, place: KeyHash) -> bool {
        self.value.is_some() && proof.verify(RootHash(root.to_bytes()), place, self.value.as_deref()).is_ok()
    }

    /// The leaf that the proof leads from: its place and the hash of its value. Outer `None` if there is no proof.
    pub(crate) fn leaf(&self) -> Option<Option<(Digest, Digest)>> {
        self.path().map(|path| path.leaf)
    }

    /// The siblings of the way, from the bottom up; `None` if there is no proof.
    pub(crate) fn siblings(&self) -> Option<Vec<StateSibling>> {
        self.path().map(|path| path.siblings)
    }

    fn path(&self) -> Option<StatePath> {
        codec::decode(&self.proof, STATE_PROOF_BYTES_MAX).ok()
    }
}

/// The encoding of a proof by `jmt`, which keeps its parts to itself.
#[derive(BorshDeserialize)]
struct StatePath {
    leaf: Option<(Digest, Digest)>,
    siblings: Vec<StateSibling>,
}

/// A subtree beside the way to a key.
#[derive(BorshDeserialize)]
pub(crate) enum StateSibling {
    /// Nothing is there.
    Empty,
    /// Its two children.
    Node(Digest, Digest),
    /// Its place and the hash of its value.
    Leaf(Digest, Digest),
}

impl StateSibling {
    pub(crate) fn hash(&self) -> Digest {
        match self {
            Self::Empty => EMPTY,
            Self::Node(left, right) => node(left, right),
            Self::Leaf(place, value_hash) => leaf_node(place, value_hash),
        }
    }
}

/// Hash of an empty subtree.
pub(crate) const EMPTY: Digest = Digest::from_bytes(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__");

/// Hash of a leaf.
pub(crate) fn leaf_node(place: &Digest, value_hash: &Digest) -> Digest {
    hash(&[b"JMT::LeafNode", place.as_bytes(), value_hash.as_bytes()])
}

/// Hash of a node with two children; `jmt` spells it so.
pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[b"JMT::IntrnalNode", left.as_bytes(), right.as_bytes()])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let hashed = parts.iter().fold(Sm3::new(), |hash, part| hash.chain_update(part));
    Digest::from_bytes(hashed.finalize().into())
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
