//! The state tree: a sparse Merkle tree over SM3 (`jmt`), with proofs of presence and of absence.
//!
//! Proofs are checked here, by `docs/spec/proofs.md`, "State": who only checks them needs no `jmt`. The feature `tree` adds what
//! those need who keep a tree.

use crate::codec::{self, DecodeError};
use crate::state::StateKey;
use crate::verdict::Verdict;
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, sm3};
use borsh::{BorshDeserialize, BorshSerialize};
#[cfg(feature = "tree")]
use jmt::proof::SparseMerkleProof;
#[cfg(feature = "tree")]
use jmt::{KeyHash, SimpleHasher};
use sm3::{Digest as _, Sm3};

/// Bytes of an encoded state proof; 256 levels of 65 bytes and a leaf fit.
pub const STATE_PROOF_BYTES_MAX: usize = 20 * 1024;

/// Bits of a key's place, and so most siblings on the way to it.
pub(crate) const PLACE_BITS: usize = 256;

/// SM3 as the hash function of the tree.
#[cfg(feature = "tree")]
#[derive(Clone, Debug)]
pub struct TreeHasher(Sm3);

#[cfg(feature = "tree")]
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
#[cfg(feature = "tree")]
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
    #[cfg(feature = "tree")]
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
        let path: StatePath = codec::decode(&self.proof, STATE_PROOF_BYTES_MAX)?;
        let place = key.hash();
        if !path.shows(place, self.value.as_deref(), root) {
            let shows_other = path.leaf.is_some_and(|(other, _)| {
                other != place && self.value.is_some() && path.shows(other, self.value.as_deref(), root)
            });
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

impl StatePath {
    /// Whether this leads to the root, and shows this value at the place; `None` is that there is none.
    fn shows(&self, place: Digest, value: Option<&[u8]>, root: Digest) -> bool {
        let depth = self.siblings.len();
        let is_claimed = match (value, &self.leaf) {
            (Some(value), Some((leaf, value_hash))) => *leaf == place && *value_hash == sm3(value),
            (Some(_), None) => false,
            (None, Some((leaf, _))) => *leaf != place && common_bits(leaf, &place) >= depth,
            (None, None) => true,
        };
        is_claimed && depth <= PLACE_BITS && self.root(&place) == root
    }

    /// What the siblings make of the leaf, or of an empty subtree, at the place. There are at most [`PLACE_BITS`].
    fn root(&self, place: &Digest) -> Digest {
        let bottom = self.leaf.map_or(EMPTY, |(leaf, value_hash)| leaf_node(&leaf, &value_hash));
        let levels = (0..self.siblings.len()).rev();
        self.siblings.iter().zip(levels).fold(bottom, |below, (sibling, level)| {
            if bit(place, level) { node(&sibling.hash(), &below) } else { node(&below, &sibling.hash()) }
        })
    }
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

/// The bit of a place that chooses at this depth: `false` is left.
pub(crate) fn bit(place: &Digest, depth: usize) -> bool {
    place.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// How many bits two places share from the first on.
pub(crate) fn common_bits(left: &Digest, right: &Digest) -> usize {
    (0..PLACE_BITS).take_while(|depth| bit(left, *depth) == bit(right, *depth)).count()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jmt::mock::MockTreeStore;
    use jmt::{JellyfishMerkleTree, RootHash};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn key(number: u64) -> StateKey {
        StateKey::ValidatorKey(sm3(&number.to_be_bytes()))
    }

    /// A state of so many keys, each holding its number: the root, and a proof for every number.
    fn proofs(accounts: u64, asked: &[u64]) -> (Digest, Vec<UntrustedStateProof>) {
        let store = MockTreeStore::default();
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&store);
        let values = (0..accounts).map(|number| (key_hash(&key(number)), Some(codec::encode(&number))));
        let (root, batch) = tree.put_value_set(values, 0).unwrap();
        store.write_tree_update_batch(batch).unwrap();
        let prove = |number: &u64| {
            let (value, proof) = tree.get_with_proof(key_hash(&key(*number)), 0).unwrap();
            UntrustedStateProof::new(value, &proof)
        };
        (Digest::from_bytes(root.0), asked.iter().map(prove).collect())
    }

    /// What `jmt` itself says of a claim.
    fn by_jmt(claim: &UntrustedStateProof, root: Digest, key: &StateKey) -> bool {
        let proof = codec::decode::<SparseMerkleProof<TreeHasher>>(&claim.proof, STATE_PROOF_BYTES_MAX);
        proof.is_ok_and(|proof| {
            proof.verify(RootHash(root.to_bytes()), key_hash(key), claim.value.as_deref()).is_ok()
        })
    }

    fn by_us(claim: &UntrustedStateProof, root: Digest, key: &StateKey) -> bool {
        // The value's type is beside the point here.
        matches!(
            claim.judge::<u64>(root, key),
            Ok(Verdict::Present(_) | Verdict::Absent) | Err(StateProofError::Value { .. })
        )
    }

    proptest! {
        /// Good proofs, proofs of another key, changed values and changed bytes: we say of each what the tree's own library says.
        #[test]
        fn every_claim_is_judged_as_the_library_of_the_tree_judges_it(
            accounts in 1u64..40,
            asked in vec(0u64..50, 1..4),
            about in 0u64..50,
            value in prop_oneof![Just(None), (0u64..50).prop_map(Some), Just(Some(u64::MAX))],
            flips in vec((any::<Index>(), 1u8..), 0..3),
        ) {
            let (root, good) = proofs(accounts, &asked);
            for (number, proof) in asked.iter().zip(good) {
                prop_assert!(by_us(&proof, root, &key(*number)));
                let mut claim = proof.clone();
                if value != Some(u64::MAX) {
                    claim.value = value.map(|value| codec::encode(&value));
                }
                for (at, flip) in &flips {
                    let at = at.index(claim.proof.len());
                    claim.proof[at] ^= flip;
                }
                for about in [*number, about] {
                    let key = key(about);
                    prop_assert_eq!(by_us(&claim, root, &key), by_jmt(&claim, root, &key));
                }
            }
        }
    }

    #[test]
    fn more_siblings_than_a_place_has_bits_are_refused() {
        let mut bytes = vec![0];
        bytes.extend(257u32.to_le_bytes());
        bytes.extend([0; 257]);
        let claim = UntrustedStateProof { value: None, proof: bytes };
        let refused = claim.judge::<u64>(EMPTY, &key(1));
        assert_eq!(refused, Err(StateProofError::Claim { key: key(1), root: EMPTY }));
    }
}
