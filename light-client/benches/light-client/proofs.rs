//! One proof, checked against a header that was verified before. Reading it from its bytes is included.

use crate::clock;
use crate::consortium::{Change, LongChain};
use amulet_crypto::digest::{Digest, sm3};
use amulet_light_client::TrustParams;
use amulet_light_client::verifier::{Verdict, VerifiedHeader, Verifier, link_adjacent, link_range};
use amulet_protocol::codec::{decode, encode};
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Height, Timestamp, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use amulet_protocol::range::UntrustedRangeProof;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::{Proven, TreeHasher, UntrustedStateProof, key_hash};
use jmt::JellyfishMerkleTree;
use jmt::mock::MockTreeStore;
use std::hint::black_box;

/// Keys in the state.
const KEYS: u64 = 100_000;
/// Blocks of the chain.
const BLOCKS: u64 = 100_000;
/// Entries of a history that are checked at once.
const ENTRIES: u64 = 100;

/// A kind of proof: its name, bytes, and seconds that a check takes.
pub struct Checked {
    pub name: &'static str,
    pub bytes: usize,
    pub seconds: f64,
}

/// Measures each kind.
pub fn measure() -> Vec<Checked> {
    let (state, chain) = (State::new(), LongChain::new(BLOCKS, 4, Change::OneAndTheSame));
    let (present, absent) = (state.prove(KEYS / 2), state.prove(KEYS + 1));
    let (head, entries) = history();
    let (newest, older, below) =
        (verified(&chain, BLOCKS), verified(&chain, 4), verified(&chain, BLOCKS - 1));
    let question = LightRequest::RangeProof { older: Height(4), newer: Height(BLOCKS) };
    let LightResponse::RangeProof(proof) = chain.answer(0, &question) else { unreachable!() };
    let range = encode(&proof);
    let seconds = clock::seconds([
        &mut || assert!(matches!(state.check(KEYS / 2, &present), Proven::Present(_))),
        &mut || assert_eq!(state.check(KEYS + 1, &absent), Proven::Absent),
        &mut || {
            let entries: Vec<HistoryEntry> = read(&entries);
            HistoryHead::default().extend_to(head, &entries).unwrap();
        },
        &mut || {
            let proof: UntrustedRangeProof = read(&range);
            link_range(&newest, &older, &proof).unwrap();
        },
        &mut || {
            black_box(link_adjacent(black_box(&newest), &below).unwrap());
        },
    ]);
    let names = [
        ("state: present, one of 100,000 keys", present.len()),
        ("state: absent, one of 100,000 keys", absent.len()),
        ("history: 100 entries, complete", entries.len()),
        ("header link: range of 100,000 blocks", range.len()),
        ("header link: names its predecessor", 0),
    ];
    names.into_iter().zip(seconds).map(|((name, bytes), seconds)| Checked { name, bytes, seconds }).collect()
}

struct State {
    tree: MockTreeStore,
    root: Digest,
}

fn key(number: u64) -> StateKey {
    StateKey::ValidatorKey(sm3(&number.to_be_bytes()))
}

impl State {
    fn new() -> Self {
        let tree = MockTreeStore::default();
        let values = (0..KEYS).map(|number| (key_hash(&key(number)), Some(encode(&number))));
        let (root, batch) = JellyfishMerkleTree::<_, TreeHasher>::new(&tree)
            .put_value_set(values.collect::<Vec<_>>(), 0)
            .unwrap();
        tree.write_tree_update_batch(batch).unwrap();
        Self { root: Digest::from_bytes(root.0), tree }
    }

    fn prove(&self, number: u64) -> Vec<u8> {
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&self.tree);
        let (value, proof) = tree.get_with_proof(key_hash(&key(number)), 0).unwrap();
        encode(&UntrustedStateProof::new(value, &proof))
    }

    fn check(&self, number: u64, proof: &[u8]) -> Proven<u64> {
        read::<UntrustedStateProof>(proof).verify(self.root, &key(number)).unwrap()
    }
}

fn history() -> (HistoryHead, Vec<u8>) {
    let entry = |number: u64| HistoryEntry {
        number,
        height: Height(number),
        time: Timestamp(number),
        transaction: TxId(sm3(&number.to_be_bytes())),
        event: Event::IdentityRegistered,
    };
    let entries: Vec<_> = (1..=ENTRIES).map(entry).collect();
    let head = entries.iter().fold(HistoryHead::default(), |head, entry| head.push(entry).unwrap());
    (head, encode(&entries))
}

fn verified(chain: &LongChain, height: u64) -> VerifiedHeader {
    let genesis = &chain.genesis;
    let set = chain.set_at(height).clone();
    let verifier = Verifier::new(genesis.chain_id(), set, TrustParams::default());
    match verifier.verify_adjacent(chain.signed(height, 0), chain.now()) {
        Verdict::Verified(header) => *header,
        other => unreachable!("{other:?}"),
    }
}

fn read<T: borsh::BorshDeserialize>(bytes: &[u8]) -> T {
    decode(bytes, LIGHT_RESPONSE_BYTES_MAX).unwrap()
}
