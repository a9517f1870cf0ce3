//! The header range: a Merkle mountain range over the hashes of all earlier headers, so that one verified header proves
//! any older one with O(log n) hashes.
//!
//! Leaf `h` is the hash of the header at height `h`. The root in the header at height `h` covers leaves `0..h`. Leaves,
//! inner nodes and the bagging of peaks are hashed under different tags, and the root binds the number of leaves.

use crate::ids::{HeaderHash, Height};
use crate::limits::HEADERS_PER_REQUEST_MAX;
use crate::multiproof::{self, MultiproofError};
use alloc::vec;
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, Tag, tagged};
use borsh::{BorshDeserialize, BorshSerialize};
use ckb_merkle_mountain_range::{
    MMR, MMRStoreReadOps, Merge, MerkleProof, leaf_index_to_mmr_size, leaf_index_to_pos,
};

const LEAF: Tag = Tag::new("amulet/v1/range-leaf");
const NODE: Tag = Tag::new("amulet/v1/range-node");
const PEAKS: Tag = Tag::new("amulet/v1/range-peaks");
const ROOT: Tag = Tag::new("amulet/v1/range-root");

/// Hashes in a range proof; a range of 2^60 headers needs fewer.
pub const RANGE_PROOF_HASHES_MAX: usize = 128;

/// How nodes of the range are merged.
pub struct RangeMerge;

impl Merge for RangeMerge {
    type Item = Digest;

    fn merge(left: &Digest, right: &Digest) -> ckb_merkle_mountain_range::Result<Digest> {
        Ok(tagged(NODE, &[left.as_bytes(), right.as_bytes()]))
    }

    fn merge_peaks(left: &Digest, right: &Digest) -> ckb_merkle_mountain_range::Result<Digest> {
        Ok(tagged(PEAKS, &[left.as_bytes(), right.as_bytes()]))
    }
}

/// Leaves of the largest range: positions of nodes, two for each leaf, are counted in 64 bits.
const RANGE_LEAVES_MAX: u64 = 1 << 62;

/// The leaf for a header.
#[must_use]
pub fn range_leaf(hash: HeaderHash) -> Digest {
    tagged(LEAF, &[hash.as_bytes()])
}

/// The root that a header carries: the mountain range's own root, bound to the number of leaves. `None` for no leaves.
#[must_use]
pub fn range_root(leaves: u64, root: Option<Digest>) -> Digest {
    match root {
        Some(root) => tagged(ROOT, &[&leaves.to_be_bytes(), root.as_bytes()]),
        None => Digest::ZERO,
    }
}

/// Number of nodes of a range with `leaves` leaves.
#[must_use]
pub fn range_size(leaves: u64) -> u64 {
    leaves.checked_sub(1).map_or(0, leaf_index_to_mmr_size)
}

/// Proof, as received, that the header at `height` precedes the header that carries the root.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedRangeProof {
    /// Height of the older header.
    pub height: Height,
    /// Hashes, in the order of `ckb-merkle-mountain-range`.
    pub hashes: Vec<Digest>,
}

/// Proof, as received, that headers at several heights precede the header that carries the root, each hash given once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedRangeBatch {
    /// Heights of the older headers, ascending.
    pub heights: Vec<Height>,
    /// Hashes of the largest subtrees without a proven leaf, from left to right.
    pub hashes: Vec<Digest>,
}

/// Why a range proof of several headers was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeBatchError {
    /// More headers at once than are ever asked for.
    #[error("a proof of {found} headers, at most {HEADERS_PER_REQUEST_MAX} are accepted")]
    TooMany {
        /// Found.
        found: usize,
    },
    /// Not one header for each height.
    #[error("{headers} headers for {heights} heights")]
    Count {
        /// Heights in the proof.
        heights: usize,
        /// Headers given.
        headers: usize,
    },
    /// No range has so many leaves.
    #[error("no range reaches height {newer}")]
    TooHigh {
        /// Height of the header that carries the root.
        newer: Height,
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

/// Why a range proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeProofError {
    /// The older header is not lower than the newer.
    #[error("height {older} is not below height {newer}")]
    NotOlder {
        /// Height to prove.
        older: Height,
        /// Height of the header that carries the root.
        newer: Height,
    },
    /// The proof is longer than any range needs.
    #[error("{found} hashes in a range proof")]
    TooLong {
        /// Found.
        found: usize,
    },
    /// No range has so many leaves.
    #[error("no range reaches height {newer}")]
    TooHigh {
        /// Height of the header that carries the root.
        newer: Height,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead from height {height} to the root")]
    Path {
        /// Height to prove.
        height: Height,
    },
}

/// Proves leaf `height` of the range that the header at height `at` carries, from a store of range nodes.
///
/// # Errors
/// The store's error, or a range that does not hold `height`.
pub fn prove_range<S: MMRStoreReadOps<Digest>>(
    store: S,
    height: Height,
    at: Height,
) -> ckb_merkle_mountain_range::Result<UntrustedRangeProof> {
    let mmr: MMR<Digest, RangeMerge, S> = MMR::new(range_size(at.0), store);
    let proof = mmr.gen_proof(vec![leaf_index_to_pos(height.0)])?;
    Ok(UntrustedRangeProof { height, hashes: proof.proof_items().to_vec() })
}

/// Proves the leaves at `heights` (ascending, below `at`) of the range that the header at height `at` carries, from a store
/// of range nodes.
///
/// # Errors
/// The store's error, or one that lacks a node.
pub fn prove_range_many<S: MMRStoreReadOps<Digest>>(
    store: S,
    heights: Vec<Height>,
    at: Height,
) -> ckb_merkle_mountain_range::Result<UntrustedRangeBatch> {
    let places: Vec<u64> = heights.iter().map(|height| height.0).collect();
    let hashes =
        multiproof::hashes(at.0, &places, &mut |first, leaves| stored_subtree(&store, first, leaves))?;
    Ok(UntrustedRangeBatch { heights, hashes })
}

/// Hash over so many leaves from the first on: a stored node, or such nodes bagged.
fn stored_subtree<S: MMRStoreReadOps<Digest>>(
    store: &S,
    first: u64,
    leaves: u64,
) -> ckb_merkle_mountain_range::Result<Digest> {
    if leaves.is_power_of_two() {
        // A subtree is stored in post-order: its root comes last of its two nodes for each leaf, less one.
        let top = leaf_index_to_pos(first) + 2 * leaves - 2;
        return store.get_elem(top)?.ok_or(ckb_merkle_mountain_range::Error::InconsistentStore);
    }
    let split = multiproof::split(leaves);
    let left = stored_subtree(store, first, split)?;
    let right = stored_subtree(store, first + split, leaves - split)?;
    Ok(join(false, &left, &right))
}

/// A node within a mountain, or, over a number of leaves that is no power of two, the bagging of peaks from the right.
fn join(even: bool, left: &Digest, right: &Digest) -> Digest {
    if even {
        tagged(NODE, &[left.as_bytes(), right.as_bytes()])
    } else {
        tagged(PEAKS, &[right.as_bytes(), left.as_bytes()])
    }
}

impl UntrustedRangeBatch {
    /// Checks that `older` are the header hashes at [`UntrustedRangeBatch::heights`], against the root that the verified
    /// header at height `newer` carries.
    ///
    /// # Errors
    /// [`RangeBatchError`] by variant.
    pub fn verify(
        &self,
        newer: Height,
        expected: Digest,
        older: &[HeaderHash],
    ) -> Result<(), RangeBatchError> {
        if self.heights.len() > HEADERS_PER_REQUEST_MAX {
            return Err(RangeBatchError::TooMany { found: self.heights.len() });
        }
        if self.heights.len() != older.len() {
            return Err(RangeBatchError::Count { heights: self.heights.len(), headers: older.len() });
        }
        if newer.0 > RANGE_LEAVES_MAX {
            return Err(RangeBatchError::TooHigh { newer });
        }
        let known: Vec<(u64, Digest)> =
            self.heights.iter().zip(older).map(|(height, hash)| (height.0, range_leaf(*hash))).collect();
        let root = multiproof::root(newer.0, &known, &self.hashes, join)?;
        let computed = range_root(newer.0, Some(root));
        if computed != expected {
            return Err(RangeBatchError::Root { computed, expected });
        }
        Ok(())
    }
}

impl UntrustedRangeProof {
    /// Checks that `older` is the header hash at [`UntrustedRangeProof::height`], against the root that the verified
    /// header at height `newer` carries.
    ///
    /// # Errors
    /// [`RangeProofError`] by variant.
    pub fn verify(&self, newer: Height, expected: Digest, older: HeaderHash) -> Result<(), RangeProofError> {
        if self.height >= newer {
            return Err(RangeProofError::NotOlder { older: self.height, newer });
        }
        if newer.0 > RANGE_LEAVES_MAX {
            return Err(RangeProofError::TooHigh { newer });
        }
        if self.hashes.len() > RANGE_PROOF_HASHES_MAX {
            return Err(RangeProofError::TooLong { found: self.hashes.len() });
        }
        // The range of one header is that header, and the library does not look at hashes then.
        if newer.0 == 1 && !self.hashes.is_empty() {
            return Err(RangeProofError::Path { height: self.height });
        }
        let proof = MerkleProof::<Digest, RangeMerge>::new(range_size(newer.0), self.hashes.clone());
        let root = proof
            .calculate_root(vec![(leaf_index_to_pos(self.height.0), range_leaf(older))])
            .map_err(|_| RangeProofError::Path { height: self.height })?;
        if range_root(newer.0, Some(root)) != expected {
            return Err(RangeProofError::Path { height: self.height });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use ckb_merkle_mountain_range::util::MemStore;

    fn hash(height: u64) -> HeaderHash {
        HeaderHash(sm3(&height.to_be_bytes()))
    }

    #[test]
    fn any_older_header_is_proven_and_a_changed_one_is_not() {
        let store = MemStore::default();
        let mut roots = vec![range_root(0, None)];
        let mut mmr: MMR<Digest, RangeMerge, _> = MMR::new(0, &store);
        for height in 0..50 {
            mmr.push(range_leaf(hash(height))).unwrap();
            roots.push(range_root(height + 1, Some(mmr.get_root().unwrap())));
        }
        mmr.commit().unwrap();
        for newer in 1..50u64 {
            for older in 0..newer {
                let proof = prove_range(&store, Height(older), Height(newer)).unwrap();
                let root = roots[newer as usize];
                assert_eq!(proof.verify(Height(newer), root, hash(older)), Ok(()));
                let path = Err(RangeProofError::Path { height: Height(older) });
                assert_eq!(proof.verify(Height(newer), root, hash(older + 1)), path);
                assert_eq!(proof.verify(Height(newer + 1), root, hash(older)), path);
            }
        }
    }

    #[test]
    fn a_header_does_not_prove_itself_or_the_future() {
        let proof = UntrustedRangeProof { height: Height(3), hashes: vec![] };
        let refused = Err(RangeProofError::NotOlder { older: Height(3), newer: Height(3) });
        assert_eq!(proof.verify(Height(3), Digest::ZERO, hash(3)), refused);
    }

    #[test]
    fn a_height_that_no_range_reaches_is_refused() {
        let proof = UntrustedRangeProof { height: Height(u64::MAX - 1), hashes: vec![sm3(b"hash")] };
        let newer = Height(u64::MAX);
        assert_eq!(proof.verify(newer, Digest::ZERO, hash(3)), Err(RangeProofError::TooHigh { newer }));
    }

    /// A range over so many headers, and its root.
    fn range(leaves: u64) -> (MemStore<Digest>, Digest) {
        let store = MemStore::default();
        let mut mmr: MMR<Digest, RangeMerge, _> = MMR::new(0, &store);
        for height in 0..leaves {
            mmr.push(range_leaf(hash(height))).unwrap();
        }
        let root = range_root(leaves, Some(mmr.get_root().unwrap()));
        mmr.commit().unwrap();
        (store, root)
    }

    #[test]
    fn any_choice_of_headers_is_proven_at_once_and_every_hash_is_needed() {
        for leaves in 1..12u64 {
            let (store, root) = range(leaves);
            let at = Height(leaves);
            for choice in 1u64..1 << leaves {
                let heights: Vec<Height> = (0..leaves).filter(|h| choice >> h & 1 == 1).map(Height).collect();
                let older: Vec<HeaderHash> = heights.iter().map(|height| hash(height.0)).collect();
                let proof = prove_range_many(&store, heights, at).unwrap();
                assert_eq!(proof.verify(at, root, &older), Ok(()));
                let mut more = proof.clone();
                more.hashes.push(Digest::ZERO);
                let unused = Err(RangeBatchError::Shape(MultiproofError::Unused { unused: 1 }));
                assert_eq!(more.verify(at, root, &older), unused);
                let mut other = older.clone();
                other[0] = hash(99);
                assert!(matches!(proof.verify(at, root, &other), Err(RangeBatchError::Root { .. })));
            }
        }
    }

    #[test]
    fn heights_out_of_order_repeated_or_not_older_are_refused() {
        let (store, root) = range(9);
        let good = prove_range_many(&store, vec![Height(2), Height(5)], Height(9)).unwrap();
        let older = [hash(2), hash(5)];
        let refused = |heights: Vec<Height>| {
            let proof = UntrustedRangeBatch { heights, hashes: good.hashes.clone() };
            proof.verify(Height(9), root, &older).unwrap_err()
        };
        let shape = |error| RangeBatchError::Shape(error);
        assert_eq!(refused(vec![Height(5), Height(2)]), shape(MultiproofError::Order { leaf: 2 }));
        assert_eq!(refused(vec![Height(2), Height(2)]), shape(MultiproofError::Order { leaf: 2 }));
        let beyond = shape(MultiproofError::Beyond { leaf: 9, leaves: 9 });
        assert_eq!(refused(vec![Height(2), Height(9)]), beyond);
        assert_eq!(refused(vec![Height(2)]), RangeBatchError::Count { heights: 1, headers: 2 });
        let newer = Height(u64::MAX);
        assert_eq!(good.verify(newer, root, &older), Err(RangeBatchError::TooHigh { newer }));
        let many = UntrustedRangeBatch { heights: vec![Height(1); 257], hashes: vec![] };
        assert_eq!(many.verify(Height(9), root, &older), Err(RangeBatchError::TooMany { found: 257 }));
    }

    #[test]
    fn several_headers_cost_less_at_once_than_one_by_one() {
        let (store, _) = range(10_000);
        let at = Height(10_000);
        let heights: Vec<Height> = (0..100).map(|i| Height(i * 97)).collect();
        let apart: usize = heights
            .iter()
            .map(|height| crate::codec::encode(&prove_range(&store, *height, at).unwrap()).len())
            .sum();
        let together = crate::codec::encode(&prove_range_many(&store, heights, at).unwrap()).len();
        println!("100 of 10,000 headers: {apart} bytes of proof one by one, {together} at once");
        assert!(together * 3 / 2 < apart);
    }

    #[test]
    fn there_is_one_proof_for_a_place_in_a_range_and_none_with_more_or_fewer_hashes() {
        let store = MemStore::default();
        let mut mmr: MMR<Digest, RangeMerge, _> = MMR::new(0, &store);
        for newer in 1..20u64 {
            mmr.push(range_leaf(hash(newer - 1))).unwrap();
            mmr.commit().unwrap();
            let root = range_root(newer, Some(mmr.get_root().unwrap()));
            for older in 0..newer {
                let good = prove_range(&store, Height(older), Height(newer)).unwrap();
                let verify = |change: &dyn Fn(&mut UntrustedRangeProof)| {
                    let mut proof = good.clone();
                    change(&mut proof);
                    proof.verify(Height(newer), root, hash(older))
                };
                let refused = Err(RangeProofError::Path { height: Height(older) });
                assert_eq!(verify(&|_| ()), Ok(()));
                assert_eq!(verify(&|proof| proof.hashes.push(Digest::ZERO)), refused, "{older} of {newer}");
                if !good.hashes.is_empty() {
                    assert_eq!(verify(&|proof| _ = proof.hashes.pop()), refused, "{older} of {newer}");
                    assert_eq!(verify(&|proof| _ = proof.hashes.remove(0)), refused, "{older} of {newer}");
                }
                for other in (0..newer + 1).filter(|other| *other != older) {
                    assert!(verify(&|proof| proof.height = Height(other)).is_err(), "{other} of {newer}");
                }
            }
        }
    }
}
