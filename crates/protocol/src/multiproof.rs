//! Proofs of several leaves of one tree at once, each hash given once: what the lists of a block ([`crate::merkle`]) and
//! the header range ([`crate::range`]) have in common.
//!
//! Both trees have the same shape: `n` leaves are split at the largest power of two below `n`. They differ in how two
//! children make a parent. A proof is the hashes of the largest subtrees without a proven leaf, from left to right. So there is
//! exactly one proof for a set of leaves, and none that could hold more than it needs.

use alloc::vec::Vec;
use amulet_crypto::digest::Digest;

/// Why the hashes of a proof of several leaves lead nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultiproofError {
    /// No leaf is asked about, so there is nothing to prove.
    #[error("a proof of nothing")]
    Nothing,
    /// The same leaf twice, or leaves out of order.
    #[error("leaf {leaf} is repeated or out of order")]
    Order {
        /// Which.
        leaf: u64,
    },
    /// The tree is too small to have such a leaf.
    #[error("leaf {leaf} is beyond the {leaves} leaves of the tree")]
    Beyond {
        /// Which.
        leaf: u64,
        /// Leaves of the tree.
        leaves: u64,
    },
    /// Fewer hashes than the tree's shape demands.
    #[error("the proof ends after {found} hashes, before it leads to the root")]
    TooShort {
        /// Hashes in the proof.
        found: usize,
    },
    /// Hashes that nothing needs.
    #[error("{unused} hashes of the proof are not used")]
    Unused {
        /// How many.
        unused: usize,
    },
}

/// How the two children of a node are joined. A node over a number of leaves that is a power of two is said to be `even`.
pub(crate) type Join = fn(even: bool, left: &Digest, right: &Digest) -> Digest;

/// The root that these leaves and the hashes beside them make. `known` ascends by place; every hash must be used.
pub(crate) fn root(
    leaves: u64,
    known: &[(u64, Digest)],
    hashes: &[Digest],
    join: Join,
) -> Result<Digest, MultiproofError> {
    check_places(leaves, known.iter().map(|(leaf, _)| *leaf))?;
    let mut rest = hashes.iter();
    let root =
        fold(0, leaves, known, &mut rest, join).ok_or(MultiproofError::TooShort { found: hashes.len() })?;
    match rest.len() {
        0 => Ok(root),
        unused => Err(MultiproofError::Unused { unused }),
    }
}

fn check_places(leaves: u64, places: impl Iterator<Item = u64>) -> Result<(), MultiproofError> {
    let mut previous = None;
    for leaf in places {
        if leaf >= leaves {
            return Err(MultiproofError::Beyond { leaf, leaves });
        }
        if previous.is_some_and(|previous| previous >= leaf) {
            return Err(MultiproofError::Order { leaf });
        }
        previous = Some(leaf);
    }
    previous.map(|_| ()).ok_or(MultiproofError::Nothing)
}

fn fold(
    first: u64,
    leaves: u64,
    known: &[(u64, Digest)],
    hashes: &mut core::slice::Iter<'_, Digest>,
    join: Join,
) -> Option<Digest> {
    match known {
        [] => return hashes.next().copied(),
        [(_, leaf)] if leaves == 1 => return Some(*leaf),
        _ => {}
    }
    let split = split(leaves);
    let (left, right) = known.split_at(known.partition_point(|(leaf, _)| *leaf < first + split));
    let left = fold(first, split, left, hashes, join)?;
    let right = fold(first + split, leaves - split, right, hashes, join)?;
    Some(join(leaves.is_power_of_two(), &left, &right))
}

/// The hashes that prove the leaves at `places` (ascending, within the tree). `subtree(first, leaves)` is the hash of the
/// subtree over so many leaves from the first on.
pub(crate) fn hashes<E>(
    leaves: u64,
    places: &[u64],
    subtree: &mut dyn FnMut(u64, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let mut out = Vec::new();
    collect(0, leaves, places, subtree, &mut out)?;
    Ok(out)
}

fn collect<E>(
    first: u64,
    leaves: u64,
    places: &[u64],
    subtree: &mut dyn FnMut(u64, u64) -> Result<Digest, E>,
    out: &mut Vec<Digest>,
) -> Result<(), E> {
    if places.is_empty() {
        out.push(subtree(first, leaves)?);
        return Ok(());
    }
    if leaves <= 1 {
        return Ok(());
    }
    let split = split(leaves);
    let (left, right) = places.split_at(places.partition_point(|leaf| *leaf < first + split));
    collect(first, split, left, subtree, out)?;
    collect(first + split, leaves - split, right, subtree, out)
}

/// The largest power of two below `leaves`, which is at least 2.
pub(crate) fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
