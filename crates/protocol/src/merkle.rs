//! The tree over a block's transactions or receipts: RFC 6962 shape over SM3 (`ct-merkle`), the number of leaves bound
//! into the root, so that a proof cannot be read against a tree of another size.

use crate::limits::{BLOCK_TRANSACTIONS_MAX, LIST_BATCH_MAX};
use crate::multiproof::{self, MultiproofError};
use alloc::vec::Vec;
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

/// Proof, as received, that several leaves are in one list, each hash given once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedListBatch {
    /// Leaves in the list.
    pub leaves: u32,
    /// Places of the proven leaves, ascending.
    pub indices: Vec<u32>,
    /// Hashes of the largest subtrees without a proven leaf, from left to right.
    pub hashes: Vec<Digest>,
}

/// Why a proof of several leaves was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListBatchError {
    /// The list is said to be larger than a block can be.
    #[error("the proof speaks of {found} leaves, a block has at most {BLOCK_TRANSACTIONS_MAX}")]
    TooManyLeaves {
        /// Found.
        found: u32,
    },
    /// More leaves at once than are ever asked for.
    #[error("a proof of {found} leaves, at most {LIST_BATCH_MAX} are accepted")]
    TooMany {
        /// Found.
        found: usize,
    },
    /// Not one leaf for each place.
    #[error("{leaves} leaves for {indices} places")]
    Count {
        /// Places in the proof.
        indices: usize,
        /// Leaves given.
        leaves: usize,
    },
    /// The hashes do not make a proof.
    #[error(transparent)]
    Shape(#[from] MultiproofError),
    /// The hashes lead elsewhere.
    #[error("the proof leads to root {computed}, the header has {expected}")]
    Root {
        /// Computed.
        computed: Digest,
        /// In the header.
        expected: Digest,
    },
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

    /// One proof for the leaves at `indices`; `None` unless they ascend, and end before the list does.
    #[must_use]
    pub fn prove_many(&self, indices: Vec<u32>) -> Option<UntrustedListBatch> {
        let leaves = self.leaves();
        let ascending = indices.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || indices.last().is_none_or(|last| *last >= leaves) {
            return None;
        }
        let hashes: Vec<Digest> = self.tree.items().iter().map(|leaf| leaf_hash(leaf)).collect();
        let places: Vec<u64> = indices.iter().map(|index| u64::from(*index)).collect();
        let mut subtree = |first: u64, leaves: u64| {
            let first = usize::try_from(first).expect("within the list");
            let leaves = usize::try_from(leaves).expect("within the list");
            Ok::<_, core::convert::Infallible>(fold(&hashes[first..first + leaves]))
        };
        let Ok(hashes) = multiproof::hashes(u64::from(leaves), &places, &mut subtree);
        Some(UntrustedListBatch { leaves, indices, hashes })
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

impl UntrustedListBatch {
    /// Checks that `leaves` are at [`UntrustedListBatch::indices`] of the list whose root a verified header carries.
    ///
    /// # Errors
    /// [`ListBatchError`] by variant.
    pub fn verify(&self, expected: Digest, leaves: &[Vec<u8>]) -> Result<(), ListBatchError> {
        if self.leaves as usize > BLOCK_TRANSACTIONS_MAX {
            return Err(ListBatchError::TooManyLeaves { found: self.leaves });
        }
        if self.indices.len() > LIST_BATCH_MAX {
            return Err(ListBatchError::TooMany { found: self.indices.len() });
        }
        if self.indices.len() != leaves.len() {
            return Err(ListBatchError::Count { indices: self.indices.len(), leaves: leaves.len() });
        }
        let known: Vec<(u64, Digest)> = self
            .indices
            .iter()
            .zip(leaves)
            .map(|(index, leaf)| (u64::from(*index), leaf_hash(leaf)))
            .collect();
        let root = multiproof::root(u64::from(self.leaves), &known, &self.hashes, |_, l, r| parent(l, r))?;
        let computed = bind(root, self.leaves);
        if computed != expected {
            return Err(ListBatchError::Root { computed, expected });
        }
        Ok(())
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
    parent(&fold(left), &fold(right))
}

fn parent(left: &Digest, right: &Digest) -> Digest {
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

    fn pick(leaves: &[Vec<u8>], indices: &[u32]) -> Vec<Vec<u8>> {
        indices.iter().map(|index| leaves[*index as usize].clone()).collect()
    }

    #[test]
    fn any_choice_of_leaves_is_proven_at_once_and_every_hash_is_needed() {
        for n in 1..12usize {
            let (tree, all) = (ListTree::new(leaves(n)), leaves(n));
            for choice in 1u32..1 << n {
                let indices: Vec<u32> = (0..n as u32).filter(|index| choice >> index & 1 == 1).collect();
                let proof = tree.prove_many(indices.clone()).unwrap();
                assert_eq!(proof.verify(tree.root(), &pick(&all, &indices)), Ok(()));
                let mut more = proof.clone();
                more.hashes.push(Digest::ZERO);
                let unused = Err(ListBatchError::Shape(MultiproofError::Unused { unused: 1 }));
                assert_eq!(more.verify(tree.root(), &pick(&all, &indices)), unused);
                if let Some(found) = proof.hashes.len().checked_sub(1) {
                    let mut fewer = proof.clone();
                    fewer.hashes.pop();
                    let short = Err(ListBatchError::Shape(MultiproofError::TooShort { found }));
                    assert_eq!(fewer.verify(tree.root(), &pick(&all, &indices)), short);
                }
            }
        }
    }

    #[test]
    fn several_leaves_at_other_places_or_changed_are_refused() {
        let (tree, all) = (ListTree::new(leaves(9)), leaves(9));
        let good = tree.prove_many(vec![1, 4, 8]).unwrap();
        let chosen = pick(&all, &[1, 4, 8]);
        let refused = |change: &dyn Fn(&mut UntrustedListBatch, &mut Vec<Vec<u8>>)| {
            let (mut proof, mut chosen) = (good.clone(), chosen.clone());
            change(&mut proof, &mut chosen);
            proof.verify(tree.root(), &chosen).unwrap_err()
        };
        let shape = |error| ListBatchError::Shape(error);
        assert!(matches!(refused(&|_, leaves| leaves.swap(0, 1)), ListBatchError::Root { .. }));
        assert!(matches!(
            refused(&|proof, _| proof.leaves = 10),
            ListBatchError::Root { .. } | ListBatchError::Shape(_)
        ));
        assert_eq!(refused(&|proof, _| proof.indices[1] = 1), shape(MultiproofError::Order { leaf: 1 }));
        let beyond = shape(MultiproofError::Beyond { leaf: 9, leaves: 9 });
        assert_eq!(refused(&|proof, _| proof.indices[2] = 9), beyond);
        let fewer = ListBatchError::Count { indices: 3, leaves: 2 };
        assert_eq!(refused(&|_, leaves| leaves.truncate(2)), fewer);
        let large = ListBatchError::TooManyLeaves { found: 2_001 };
        assert_eq!(refused(&|proof, _| proof.leaves = 2_001), large);
        assert_eq!(tree.prove_many(vec![]), None);
        assert_eq!(tree.prove_many(vec![4, 1]), None);
        assert_eq!(tree.prove_many(vec![9]), None);
        let nothing = UntrustedListBatch { leaves: 9, indices: vec![], hashes: vec![] };
        assert_eq!(nothing.verify(tree.root(), &[]), Err(shape(MultiproofError::Nothing)));
    }

    #[test]
    fn several_leaves_cost_less_at_once_than_one_by_one() {
        let tree = ListTree::new(leaves(500));
        let indices: Vec<u32> = (0..50).map(|i| i * 10).collect();
        let apart: usize =
            indices.iter().map(|i| crate::codec::encode(&tree.prove(*i as usize).unwrap()).len()).sum();
        let together = crate::codec::encode(&tree.prove_many(indices).unwrap()).len();
        println!("50 of 500 receipts: {apart} bytes of proof one by one, {together} at once");
        assert!(together * 2 < apart);
    }
}
