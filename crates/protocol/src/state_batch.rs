//! Values and absences of many keys under one state root, each hash given once.
//!
//! The proof is the part of the sparse tree that leads to the keys, node by node from the root, left before right
//! ([`StateNode`]). There is one proof for a set of keys: a node that no key needs is refused, and so is a key without an
//! end. A subtree beside the way is given by its hash alone; unlike a proof by the crate `jmt`, nothing is ever inserted by
//! it, so it does not matter what kind of node it is.

use crate::limits::STATE_KEYS_PER_REQUEST_MAX;
use crate::state::StateKey;
use crate::state_tree::{
    EMPTY, PLACE_BITS, StateProofError, StateSibling, UntrustedStateProof, bit, common_bits, leaf_node, node,
};
use crate::verdict::Verdict;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, sm3};
use borsh::{BorshDeserialize, BorshSerialize};

/// A node of the part of the tree that leads to the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum StateNode {
    /// An empty subtree.
    Empty,
    /// The leaf of the one key below here that has a value; its hash follows from key and value.
    Asked,
    /// The leaf of a key that was not asked about, where one that was asked about would be.
    Other {
        /// The key's place.
        place: Digest,
        /// SM3 of its value.
        value_hash: Digest,
    },
    /// Two children, which follow.
    Branch,
    /// A subtree that no key leads into.
    Beside(Digest),
}

/// Values at keys with one proof for all, as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedStateBatch {
    /// The values in the order of the keys; `None` claims that there is none.
    pub values: Vec<Option<Vec<u8>>>,
    /// The proof, from the root, left before right.
    pub nodes: Vec<StateNode>,
}

/// What a state holds at some keys, proven. Only [`UntrustedStateBatch::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateBatch {
    values: BTreeMap<StateKey, Option<Vec<u8>>>,
}

/// Why values and their proof were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateBatchError {
    /// No key, or more than are ever asked for at once.
    #[error("a proof for {found} keys, from 1 to {STATE_KEYS_PER_REQUEST_MAX} are accepted")]
    Keys {
        /// Found.
        found: usize,
    },
    /// A key stands there twice.
    #[error("{key:?} stands there twice")]
    Duplicate {
        /// Which.
        key: StateKey,
    },
    /// Not one value, or claimed absence, for each key.
    #[error("{values} values for {keys} keys")]
    Count {
        /// Keys.
        keys: usize,
        /// Values and claimed absences.
        values: usize,
    },
    /// The proof says nothing about a key: it gives the subtree that the key leads into by its hash alone.
    #[error("the proof does not cover {key:?}")]
    NotCovered {
        /// Which.
        key: StateKey,
    },
    /// The proof shows something else about a key than what is claimed.
    #[error("the proof does not show what is claimed about {key:?}")]
    Claim {
        /// Which.
        key: StateKey,
    },
    /// A leaf stands where its own key does not lead.
    #[error("the leaf of {place} is out of its place")]
    Place {
        /// Place of its key.
        place: Digest,
    },
    /// More levels than a place has bits.
    #[error("the proof goes deeper than {PLACE_BITS} levels")]
    TooDeep,
    /// A node that no key needs.
    #[error("node {index} of the proof is not needed")]
    Superfluous {
        /// Which, from 0.
        index: usize,
    },
    /// The proof ends before every key has an end.
    #[error("the proof ends after {found} nodes")]
    TooShort {
        /// Nodes found.
        found: usize,
    },
    /// The nodes make another root.
    #[error("the proof leads to root {computed}, the header has {expected}")]
    Root {
        /// Computed.
        computed: Digest,
        /// Of the verified header.
        expected: Digest,
    },
}

impl UntrustedStateBatch {
    /// Joins proofs for different keys under one root, as the tree made them. `None` if they are not of one tree.
    #[must_use]
    pub fn join(proofs: Vec<(StateKey, UntrustedStateProof)>) -> Option<Self> {
        let mut paths = Vec::with_capacity(proofs.len());
        for (key, proof) in &proofs {
            let place = key.hash();
            paths.push(Path { place, leaf: proof.leaf()?, siblings: proof.siblings()? });
        }
        paths.sort_by_key(|path| path.place);
        let mut nodes = Vec::new();
        give(&paths, 0, &mut nodes)?;
        Some(Self { values: proofs.into_iter().map(|(_, proof)| proof.value).collect(), nodes })
    }

    /// Checks every claim against the state root of a verified header. `keys` are those asked for, all different.
    ///
    /// # Errors
    /// [`StateBatchError`] by variant.
    pub fn verify(&self, expected: Digest, keys: &[StateKey]) -> Result<StateBatch, StateBatchError> {
        if keys.is_empty() || keys.len() > STATE_KEYS_PER_REQUEST_MAX {
            return Err(StateBatchError::Keys { found: keys.len() });
        }
        if keys.len() != self.values.len() {
            return Err(StateBatchError::Count { keys: keys.len(), values: self.values.len() });
        }
        let mut claims: Vec<Claim<'_>> = keys
            .iter()
            .zip(&self.values)
            .map(|(key, value)| Claim { place: key.hash(), key, value: value.as_deref() })
            .collect();
        claims.sort_by_key(|claim| claim.place);
        if let Some(twice) = claims.windows(2).find(|pair| pair[0].place == pair[1].place) {
            return Err(StateBatchError::Duplicate { key: twice[1].key.clone() });
        }
        let mut walk = Walk { nodes: &self.nodes, next: 0 };
        let computed = walk.hash(&claims, 0)?;
        if walk.next < self.nodes.len() {
            return Err(StateBatchError::Superfluous { index: walk.next });
        }
        if computed != expected {
            return Err(StateBatchError::Root { computed, expected });
        }
        Ok(StateBatch { values: keys.iter().cloned().zip(self.values.iter().cloned()).collect() })
    }
}

impl StateBatch {
    /// What was proven about a key.
    ///
    /// # Errors
    /// [`StateProofError::Value`] if the value is of another type.
    pub fn verdict<T: BorshDeserialize>(&self, key: &StateKey) -> Result<Verdict<T>, StateProofError> {
        match self.values.get(key) {
            None => Ok(Verdict::NotCovered),
            Some(None) => Ok(Verdict::Absent),
            Some(Some(bytes)) => borsh::from_slice(bytes)
                .map(Verdict::Present)
                .map_err(|_| StateProofError::Value { key: key.clone() }),
        }
    }

    /// Every key with its value, or `None` where absence was proven.
    pub fn iter(&self) -> impl Iterator<Item = (&StateKey, Option<&[u8]>)> {
        self.values.iter().map(|(key, value)| (key, value.as_deref()))
    }
}

struct Claim<'a> {
    place: Digest,
    key: &'a StateKey,
    value: Option<&'a [u8]>,
}

struct Walk<'a> {
    nodes: &'a [StateNode],
    next: usize,
}

impl Walk<'_> {
    fn take(&mut self) -> Result<StateNode, StateBatchError> {
        let node = self.nodes.get(self.next).copied();
        self.next += 1;
        node.ok_or(StateBatchError::TooShort { found: self.nodes.len() })
    }

    /// Hash of the subtree into which the claims lead, whose places have the first `depth` bits in common.
    fn hash(&mut self, claims: &[Claim<'_>], depth: usize) -> Result<Digest, StateBatchError> {
        let index = self.next;
        let found = self.take()?;
        let Some(first) = claims.first() else {
            return match found {
                StateNode::Empty => Ok(EMPTY),
                StateNode::Beside(hash) if hash != EMPTY => Ok(hash),
                _ => Err(StateBatchError::Superfluous { index }),
            };
        };
        match found {
            StateNode::Branch if depth == PLACE_BITS => Err(StateBatchError::TooDeep),
            StateNode::Branch => {
                let (left, right) =
                    claims.split_at(claims.partition_point(|claim| !bit(&claim.place, depth)));
                let left = self.hash(left, depth + 1)?;
                let right = self.hash(right, depth + 1)?;
                Ok(node(&left, &right))
            }
            StateNode::Beside(_) => Err(StateBatchError::NotCovered { key: first.key.clone() }),
            StateNode::Asked => asked(claims),
            StateNode::Empty => absent(claims).map(|()| EMPTY),
            StateNode::Other { place, value_hash } => {
                absent(claims)?;
                if let Some(denied) = claims.iter().find(|claim| claim.place == place) {
                    return Err(StateBatchError::Claim { key: denied.key.clone() });
                }
                if common_bits(&place, &first.place) < depth {
                    return Err(StateBatchError::Place { place });
                }
                Ok(leaf_node(&place, &value_hash))
            }
        }
    }
}

/// The leaf of the only claim with a value; the other keys, having the same way, are proven absent by it.
fn asked(claims: &[Claim<'_>]) -> Result<Digest, StateBatchError> {
    let mut present = claims.iter().filter_map(|claim| claim.value.map(|value| (claim, value)));
    let Some((claim, value)) = present.next() else {
        return Err(StateBatchError::Claim { key: claims[0].key.clone() });
    };
    if let Some((other, _)) = present.next() {
        return Err(StateBatchError::Claim { key: other.key.clone() });
    }
    Ok(leaf_node(&claim.place, &sm3(value)))
}

fn absent(claims: &[Claim<'_>]) -> Result<(), StateBatchError> {
    match claims.iter().find(|claim| claim.value.is_some()) {
        Some(claim) => Err(StateBatchError::Claim { key: claim.key.clone() }),
        None => Ok(()),
    }
}

/// The way to one key as the tree gives it.
struct Path {
    place: Digest,
    leaf: Option<(Digest, Digest)>,
    /// From the bottom up.
    siblings: Vec<StateSibling>,
}

/// Gives the nodes of the subtree into which the paths lead; they ascend by place.
fn give(paths: &[Path], depth: usize, nodes: &mut Vec<StateNode>) -> Option<()> {
    let first = paths.first()?;
    let Some(level) = first.siblings.len().checked_sub(depth + 1) else {
        nodes.push(match first.leaf {
            None => StateNode::Empty,
            Some((place, _)) if paths.iter().any(|path| path.place == place) => StateNode::Asked,
            Some((place, value_hash)) => StateNode::Other { place, value_hash },
        });
        return Some(());
    };
    nodes.push(StateNode::Branch);
    let beside = match first.siblings.get(level)?.hash() {
        EMPTY => StateNode::Empty,
        hash => StateNode::Beside(hash),
    };
    let (left, right) = paths.split_at(paths.partition_point(|path| !bit(&path.place, depth)));
    for side in [left, right] {
        if side.is_empty() {
            nodes.push(beside);
        } else {
            give(side, depth + 1, nodes)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::codec::encode;
    use crate::state_tree::{Proven, TreeHasher, key_hash};
    use jmt::JellyfishMerkleTree;
    use jmt::mock::MockTreeStore;

    /// A state of so many keys, each holding its number.
    struct Tree {
        store: MockTreeStore,
        root: Digest,
    }

    fn key(number: u64) -> StateKey {
        StateKey::ValidatorKey(sm3(&number.to_be_bytes()))
    }

    impl Tree {
        fn of(accounts: u64) -> Self {
            let store = MockTreeStore::default();
            let values = (0..accounts).map(|number| (key_hash(&key(number)), Some(encode(&number))));
            let (root, batch) =
                JellyfishMerkleTree::<_, TreeHasher>::new(&store).put_value_set(values, 0).unwrap();
            store.write_tree_update_batch(batch).unwrap();
            Self { store, root: Digest::from_bytes(root.0) }
        }

        fn single(&self, key: &StateKey) -> UntrustedStateProof {
            let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&self.store);
            let (value, proof) = tree.get_with_proof(key_hash(key), 0).unwrap();
            UntrustedStateProof::new(value, &proof)
        }

        fn prove(&self, keys: &[StateKey]) -> UntrustedStateBatch {
            let proofs = keys.iter().map(|key| (key.clone(), self.single(key))).collect();
            UntrustedStateBatch::join(proofs).unwrap()
        }
    }

    #[test]
    fn presence_and_absence_of_many_keys_are_proven_at_once_in_trees_of_every_size() {
        for accounts in [1, 2, 3, 7, 60] {
            let tree = Tree::of(accounts);
            let keys: Vec<_> = (0..accounts + 9).rev().map(key).collect();
            let batch = tree.prove(&keys).verify(tree.root, &keys).unwrap();
            for (number, key) in (0..accounts + 9).rev().zip(&keys) {
                let there = if number < accounts { Verdict::Present(number) } else { Verdict::Absent };
                assert_eq!(batch.verdict(key).unwrap(), there);
                assert_eq!(tree.single(key).judge(tree.root, key).unwrap(), there);
            }
            assert_eq!(batch.verdict::<u64>(&key(1_000)).unwrap(), Verdict::NotCovered);
        }
    }

    #[test]
    fn a_key_that_was_not_asked_about_is_neither_present_nor_absent() {
        let tree = Tree::of(9);
        let side = |wanted: bool| move |key: &StateKey| bit(&key.hash(), 0) == wanted;
        let (right, left) =
            ((0..9).map(key).find(side(true)).unwrap(), (0..9).map(key).find(side(false)).unwrap());
        let batch = tree.prove(core::slice::from_ref(&right));
        assert!(batch.verify(tree.root, core::slice::from_ref(&right)).is_ok());
        let refused = batch.verify(tree.root, core::slice::from_ref(&left));
        assert_eq!(refused, Err(StateBatchError::NotCovered { key: left }));
        let judged = tree.single(&key(3)).judge::<u64>(tree.root, &key(4));
        assert_eq!(judged, Ok(Verdict::NotCovered));
        let refused = tree.single(&key(3)).verify::<u64>(tree.root, &key(4));
        assert_eq!(refused, Err(StateProofError::NotCovered { key: key(4) }));
        assert_eq!(tree.single(&key(3)).verify(tree.root, &key(3)), Ok(Proven::Present(3u64)));
    }

    #[test]
    fn a_false_claim_is_refused() {
        let tree = Tree::of(9);
        let keys = [key(2), key(50), key(5)];
        let good = tree.prove(&keys);
        let changed = |change: &dyn Fn(&mut UntrustedStateBatch)| {
            let mut batch = good.clone();
            change(&mut batch);
            batch.verify(tree.root, &keys).unwrap_err()
        };
        let denied = changed(&|batch| batch.values[0] = None);
        assert_eq!(denied, StateBatchError::Claim { key: key(2) });
        let invented = changed(&|batch| batch.values[1] = Some(encode(&7u64)));
        assert!(matches!(invented, StateBatchError::Claim { .. }), "{invented}");
        let other = changed(&|batch| batch.values[2] = Some(encode(&7u64)));
        assert!(matches!(other, StateBatchError::Root { .. }), "{other}");
        let fewer = changed(&|batch| batch.values.truncate(2));
        assert_eq!(fewer, StateBatchError::Count { keys: 3, values: 2 });
        let twice = good.verify(tree.root, &[key(2), key(2), key(5)]).unwrap_err();
        assert_eq!(twice, StateBatchError::Duplicate { key: key(2) });
        assert_eq!(good.verify(tree.root, &[]), Err(StateBatchError::Keys { found: 0 }));
    }

    /// A subtree that is proven absent for one key by a leaf that is its own would deny what is there.
    #[test]
    fn a_present_key_cannot_be_denied_by_its_own_leaf() {
        let tree = Tree::of(1);
        let value_hash = sm3(&encode(&0u64));
        let nodes = vec![StateNode::Other { place: key(0).hash(), value_hash }];
        let denial = UntrustedStateBatch { values: vec![None], nodes };
        let refused = denial.verify(tree.root, &[key(0)]);
        assert_eq!(refused, Err(StateBatchError::Claim { key: key(0) }));
        assert!(denial.verify(tree.root, &[key(1)]).is_ok(), "the tree has no other leaf");
    }

    #[test]
    fn a_leaf_elsewhere_proves_no_absence() {
        let tree = Tree::of(40);
        let ends_beside_other = |key: &StateKey| {
            let nodes = tree.prove(core::slice::from_ref(key)).nodes;
            nodes.iter().any(|node| matches!(node, StateNode::Other { .. }))
        };
        let absent = (40..).map(key).find(ends_beside_other).unwrap();
        let mut batch = tree.prove(core::slice::from_ref(&absent));
        let far = (0..40).map(key).find(|key| bit(&key.hash(), 0) != bit(&absent.hash(), 0)).unwrap();
        for node in &mut batch.nodes {
            if let StateNode::Other { place, .. } = node {
                *place = far.hash();
            }
        }
        let refused = batch.verify(tree.root, core::slice::from_ref(&absent));
        assert_eq!(refused, Err(StateBatchError::Place { place: far.hash() }));
    }

    #[test]
    fn nodes_that_are_missing_superfluous_or_repeated_are_refused() {
        let tree = Tree::of(30);
        let keys = [key(1), key(17), key(90)];
        let good = tree.prove(&keys);
        for at in 0..good.nodes.len() {
            let mut without = good.clone();
            without.nodes.remove(at);
            assert!(without.verify(tree.root, &keys).is_err(), "without node {at}");
            let mut twice = good.clone();
            twice.nodes.insert(at, good.nodes[at]);
            assert!(twice.verify(tree.root, &keys).is_err(), "with node {at} twice");
        }
        let mut more = good.clone();
        more.nodes.push(StateNode::Empty);
        let index = good.nodes.len();
        assert_eq!(more.verify(tree.root, &keys), Err(StateBatchError::Superfluous { index }));
        let mut wide = tree.prove(&keys[..1]);
        let beside = wide.nodes.iter().position(|node| matches!(node, StateNode::Beside(_))).unwrap();
        wide.nodes.splice(beside..=beside, [StateNode::Branch, StateNode::Empty, StateNode::Empty]);
        let refused = wide.verify(tree.root, &keys[..1]);
        assert_eq!(refused, Err(StateBatchError::Superfluous { index: beside }));
        let deep = UntrustedStateBatch { values: vec![None], nodes: vec![StateNode::Branch; 600] };
        assert!(deep.verify(tree.root, &keys[..1]).is_err());
    }

    #[test]
    fn a_batch_is_smaller_than_its_proofs_one_by_one() {
        let tree = Tree::of(5_000);
        let keys: Vec<_> = (0..64).map(|number| key(number * 79)).collect();
        let apart: usize = keys.iter().map(|key| encode(&tree.single(key)).len()).sum();
        let together = encode(&tree.prove(&keys)).len();
        println!("64 of 5,000 keys: {apart} bytes one by one, {together} at once");
        assert!(together * 4 < apart);
        let one = encode(&tree.prove(&keys[..1])).len();
        println!(
            "1 of 5,000 keys: {} bytes as jmt gives it, {one} as a batch",
            encode(&tree.single(&keys[0])).len()
        );
        assert!(one < encode(&tree.single(&keys[0])).len());
    }
}
