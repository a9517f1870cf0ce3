//! The header range: a Merkle mountain range over the hashes of all earlier headers, so that one verified header proves
//! any older one with O(log n) hashes.
//!
//! Leaf `h` is the hash of the header at height `h`. The root in the header at height `h` covers leaves `0..h`. Leaves,
//! inner nodes and the bagging of peaks are hashed under different tags, and the root binds the number of leaves.

use crate::ids::{HeaderHash, Height};
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
}
