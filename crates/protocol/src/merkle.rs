//! The tree over a block's transactions or receipts: RFC 6962 shape over SM3 (`ct-merkle`), the number of leaves bound
//! into the root, so that a proof cannot be read against a tree of another size.

use crate::limits::BLOCK_TRANSACTIONS_MAX;
use amulet_crypto::digest::{Digest, IncrementalDigest, Sm3, Tag, tagged};
use borsh::{BorshDeserialize, BorshSerialize};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{InclusionProof, RootHash};

const TAG: Tag = Tag::new("amulet/v1/list-root");

/// Root and proofs of a list of encoded leaves.
pub struct ListTree {
    tree: MemoryBackedTree<Sm3, Vec<u8>>,
}

/// Proof, as received, that a leaf is at an index of a list.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedListProof {
    /// Position in the list.
    pub index: u32,
    /// Leaves in the list.
    pub leaves: u32,
    /// RFC 6962 root of the list.
    pub root: Digest,
    /// Sibling hashes from the leaf up.
    pub siblings: Vec<Digest>,
}

/// Why an inclusion proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListProofError {
    /// The list is said to be larger than a block can be.
    #[error("the proof speaks of {found} leaves, a block has at most {BLOCK_TRANSACTIONS_MAX}")]
    TooManyLeaves {
        /// Found.
        found: u32,
    },
    /// The root and size in the proof are not those of the header.
    #[error("the proof is against root {found}, the header has {expected}")]
    Root {
        /// In the proof.
        found: Digest,
        /// In the header.
        expected: Digest,
    },
    /// The hashes do not lead from the leaf to the root.
    #[error("the proof does not lead from leaf {index} to the root")]
    Path {
        /// Index said.
        index: u32,
    },
}

impl ListTree {
    /// The tree over these leaves, at most [`BLOCK_TRANSACTIONS_MAX`].
    #[must_use]
    pub fn new(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut tree = MemoryBackedTree::new();
        for leaf in leaves {
            tree.push(leaf);
        }
        Self { tree }
    }

    /// The root for the header.
    #[must_use]
    pub fn root(&self) -> Digest {
        bind(self.plain_root(), self.leaves())
    }

    /// The proof for leaf `index`; `None` beyond the end.
    #[must_use]
    pub fn prove(&self, index: usize) -> Option<UntrustedListProof> {
        if index >= self.tree.items().len() {
            return None;
        }
        let proof = self.tree.prove_inclusion(index);
        let siblings = proof.as_bytes().chunks_exact(32).map(digest).collect();
        let index = u32::try_from(index).expect("a block's list is bounded");
        Some(UntrustedListProof { index, leaves: self.leaves(), root: self.plain_root(), siblings })
    }

    fn leaves(&self) -> u32 {
        u32::try_from(self.tree.items().len()).expect("a block's list is bounded")
    }

    fn plain_root(&self) -> Digest {
        digest(self.tree.root().as_bytes())
    }
}

impl UntrustedListProof {
    /// Checks that `leaf` is at [`UntrustedListProof::index`] of the list whose root a verified header carries.
    ///
    /// # Errors
    /// [`ListProofError`] by variant.
    pub fn verify(&self, expected: Digest, leaf: &[u8]) -> Result<(), ListProofError> {
        if self.leaves as usize > BLOCK_TRANSACTIONS_MAX {
            return Err(ListProofError::TooManyLeaves { found: self.leaves });
        }
        let found = bind(self.root, self.leaves);
        if found != expected {
            return Err(ListProofError::Root { found, expected });
        }
        let bytes: Vec<u8> = self.siblings.iter().flat_map(|sibling| sibling.to_bytes()).collect();
        let refused = ListProofError::Path { index: self.index };
        let proof = InclusionProof::<Sm3>::try_from_bytes(bytes).map_err(|_| refused.clone())?;
        RootHash::<Sm3>::new(self.root.to_bytes().into(), u64::from(self.leaves))
            .verify_inclusion(&leaf, u64::from(self.index), &proof)
            .map_err(|_| refused)
    }
}

/// Hash of an encoded leaf: RFC 6962 section 2.1, `SM3(0x00 || leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::from_bytes(Sm3::new_with_prefix([0]).chain_update(leaf).finalize().into())
}

/// The root of [`ListTree::root`] from the hashes of the leaves alone: one hash for each inner node, where a tree that
/// can prove hashes a whole path for each leaf.
///
/// # Panics
/// With more than `u32::MAX` leaves; a block's lists are bounded far below.
#[must_use]
pub fn list_root(hashes: &[Digest]) -> Digest {
    let leaves = u32::try_from(hashes.len()).expect("a block's list is bounded");
    let root = if hashes.is_empty() { Digest::from_bytes(Sm3::digest([]).into()) } else { fold(hashes) };
    bind(root, leaves)
}

/// RFC 6962 section 2.1: a list is split at the largest power of two below its length.
fn fold(hashes: &[Digest]) -> Digest {
    if let [only] = hashes {
        return *only;
    }
    let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
    let (left, right) = (fold(left), fold(right));
    let parent = Sm3::new_with_prefix([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(parent.finalize().into())
}

fn bind(root: Digest, leaves: u32) -> Digest {
    tagged(TAG, &[root.as_bytes(), &leaves.to_be_bytes()])
}

fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    Digest::from_bytes(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn leaves(n: usize) -> Vec<Vec<u8>> {
        (0..n).map(|i| vec![i as u8; i % 5]).collect()
    }

    #[test]
    fn every_leaf_of_every_size_is_proven_and_no_other_leaf_is() {
        for n in 1..40 {
            let tree = ListTree::new(leaves(n));
            for (i, leaf) in leaves(n).iter().enumerate() {
                let proof = tree.prove(i).unwrap();
                assert_eq!(proof.verify(tree.root(), leaf), Ok(()));
                assert!(proof.verify(tree.root(), b"something else").is_err());
            }
            assert!(tree.prove(n).is_none());
        }
    }

    #[test]
    fn the_root_of_the_hashes_is_the_root_of_the_tree() {
        for n in 0..70 {
            let hashes: Vec<_> = leaves(n).iter().map(|leaf| leaf_hash(leaf)).collect();
            assert_eq!(list_root(&hashes), ListTree::new(leaves(n)).root(), "{n} leaves");
        }
    }

    #[test]
    fn a_proof_against_another_size_root_or_index_is_refused() {
        let tree = ListTree::new(leaves(9));
        let good = tree.prove(4).unwrap();
        let leaf = &leaves(9)[4];
        let mut bad = good.clone();
        bad.leaves = 8;
        assert!(matches!(bad.verify(tree.root(), leaf), Err(ListProofError::Root { .. })));
        bad.leaves = u32::MAX;
        assert_eq!(bad.verify(tree.root(), leaf), Err(ListProofError::TooManyLeaves { found: u32::MAX }));
        let mut bad = good.clone();
        bad.index = 5;
        assert_eq!(bad.verify(tree.root(), leaf), Err(ListProofError::Path { index: 5 }));
        let mut bad = good.clone();
        bad.siblings[0] = Digest::ZERO;
        assert_eq!(bad.verify(tree.root(), leaf), Err(ListProofError::Path { index: 4 }));
        let mut bad = good;
        bad.siblings.push(Digest::ZERO);
        assert_eq!(bad.verify(tree.root(), leaf), Err(ListProofError::Path { index: 4 }));
    }
}
