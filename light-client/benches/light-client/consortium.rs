//! A chain of any length whose validators change a hundred times: headers are hashed and linked, all of them; certificates are
//! signed where somebody asks for one.

use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{SigningContext, SigningKey};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, Organisation};
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{ChainId, Did, Epoch, HeaderHash, Height, ReplicaId, Timestamp};
use amulet_protocol::light::{
    LightRequest, LightResponse, UntrustedEpochEnd, UntrustedHeaderRun, UntrustedHeaders, UntrustedStep,
};
use amulet_protocol::range::{RangeMerge, prove_range, prove_range_many, range_leaf, range_root, range_size};
use amulet_protocol::validators::{Validator, ValidatorSet};
use ckb_merkle_mountain_range::{MMR, MMRStoreReadOps, MMRStoreWriteOps};
use std::cell::RefCell;
use std::sync::Arc;

/// Time of the genesis block; blocks follow each second.
const START: u64 = 1_700_000_000_000;
/// Changes of the validators in a chain that is long enough.
const CHANGES: u64 = 100;
/// Bytes of a validator's libp2p identity, as they are in real sets.
const PEER_ID: [u8; 38] = [8; 38];

/// Whose key is replaced when the validators change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// That of one and the same validator each time: all others stay.
    OneAndTheSame,
    /// Each validator's in turn: with four of them nobody is left after four changes.
    InTurn,
}

/// Validators and the heights that they certify.
struct Term {
    last: u64,
    keys: Vec<Arc<SigningKey>>,
    set: ValidatorSet,
}

/// The chain. Its headers are made again from what differs in each.
pub struct LongChain {
    pub genesis: Genesis,
    chain: ChainId,
    terms: Vec<Term>,
    hashes: Vec<HeaderHash>,
    range_roots: Vec<Digest>,
    range: RangeNodes,
}

/// The nodes of the header range, by their position. The range's own store in memory needs three times the room.
#[derive(Default)]
struct RangeNodes(RefCell<Vec<Digest>>);

impl MMRStoreReadOps<Digest> for &RangeNodes {
    fn get_elem(&self, position: u64) -> ckb_merkle_mountain_range::Result<Option<Digest>> {
        Ok(self.0.borrow().get(position as usize).copied())
    }
}

impl MMRStoreWriteOps<Digest> for &RangeNodes {
    fn append(&mut self, position: u64, nodes: Vec<Digest>) -> ckb_merkle_mountain_range::Result<()> {
        let mut known = self.0.borrow_mut();
        assert_eq!(known.len() as u64, position, "nodes are appended in order");
        known.extend(nodes);
        Ok(())
    }
}

impl LongChain {
    /// A chain of this many blocks after the genesis, certified by this many validators.
    pub fn new(blocks: u64, validators: usize, change: Change) -> Self {
        let mut entropy = SeededEntropy::new(7);
        let keys: Vec<_> = (0..validators).map(|_| Arc::new(SigningKey::generate(&mut entropy))).collect();
        let organisations: Vec<_> = (0..validators).map(|_| SigningKey::generate(&mut entropy)).collect();
        let genesis = genesis(&keys, &organisations);
        let changes = changes(blocks);
        let mut terms: Vec<Term> = Vec::new();
        let mut now = keys;
        for turn in 0..=changes {
            let last = if turn == changes { u64::MAX } else { (turn + 1) * blocks / (changes + 1) };
            terms.push(Term { last, keys: now.clone(), set: set(&now, &genesis.organisations) });
            let place = match change {
                Change::OneAndTheSame => 0,
                Change::InTurn => turn as usize % validators,
            };
            now[place] = Arc::new(SigningKey::generate(&mut entropy));
        }
        let mut chain = Self {
            chain: genesis.chain_id(),
            genesis,
            terms,
            hashes: Vec::new(),
            range_roots: Vec::new(),
            range: RangeNodes::default(),
        };
        (0..=blocks).for_each(|_| chain.push());
        chain
    }

    fn push(&mut self) {
        let height = self.hashes.len() as u64;
        let root = match self.hashes.last() {
            None => range_root(0, None),
            Some(previous) => {
                let mut range: MMR<Digest, RangeMerge, _> = MMR::new(range_size(height - 1), &self.range);
                range.push(range_leaf(*previous)).unwrap();
                let root = range.get_root().unwrap();
                range.commit().unwrap();
                range_root(height, Some(root))
            }
        };
        self.range_roots.push(root);
        let hash = self.header(height).hash();
        self.hashes.push(hash);
    }

    pub fn tip(&self) -> u64 {
        self.hashes.len() as u64 - 1
    }

    /// The clock of a device at the chain's end.
    pub fn now(&self) -> Timestamp {
        Timestamp(START + self.tip() * 1_000 + 500)
    }

    pub fn changes(&self) -> usize {
        self.terms.len() - 1
    }

    pub fn header(&self, height: u64) -> Header {
        let epoch = self.epoch_at(height);
        let root = sm3(b"the state is measured elsewhere");
        Header {
            version: HEADER_VERSION,
            chain: self.chain,
            height: Height(height),
            time: Timestamp(START + height * 1_000),
            previous: height
                .checked_sub(1)
                .map_or(HeaderHash(Digest::ZERO), |below| self.hashes[below as usize]),
            transactions_root: root,
            receipts_root: root,
            state_root: root,
            range_root: self.range_roots[height as usize],
            validators_hash: self.terms[epoch].set.hash(),
            next_validators_hash: self.set_at(height + 1).hash(),
            proposer: ReplicaId(0),
            view: Epoch(epoch as u64).first_view(),
        }
    }

    fn epoch_at(&self, height: u64) -> usize {
        self.terms.partition_point(|term| term.last < height)
    }

    pub fn set_at(&self, height: u64) -> &ValidatorSet {
        &self.terms[self.epoch_at(height)].set
    }

    /// The header with a certificate of a quorum. Which validators sign differs from height to height and from node to node,
    /// as it does where each node takes the first votes that reach it.
    pub fn signed(&self, height: u64, node: usize) -> UntrustedSignedHeader {
        let header = self.header(height);
        let Term { keys, set, .. } = &self.terms[self.epoch_at(height)];
        let vote = CommitVote {
            height: header.height,
            view: header.view,
            header_hash: self.hashes[height as usize],
        };
        let (tag, bytes, n) = (self.chain.tag(), vote.signed_bytes(), keys.len());
        let first = (height as usize).wrapping_mul(7) + node;
        let mut signers: Vec<usize> = (0..set.quorum().threshold()).map(|i| (first + i) % n).collect();
        signers.sort_unstable();
        let sign = |signer: usize| {
            (ReplicaId(signer as u16), keys[signer].sign(SigningContext::Commit, &tag, &bytes))
        };
        let signatures = signers.into_iter().map(sign).collect();
        UntrustedSignedHeader { certificate: UntrustedCommitCertificate { vote, signatures }, header }
    }

    /// Headers from a height on, and the sets that follow on those that end an epoch.
    pub fn run(&self, from: u64, count: u64) -> UntrustedHeaderRun {
        let heights = from..(from + count).min(self.tip() + 1);
        let ends = heights.clone().filter(|height| self.epoch_at(*height) != self.epoch_at(height + 1));
        let next = ends.map(|height| self.set_at(height + 1).clone()).collect();
        UntrustedHeaderRun { headers: heights.map(|height| self.signed(height, 0)).collect(), next }
    }

    /// What an honest node answers.
    pub fn answer(&self, node: usize, question: &LightRequest) -> LightResponse {
        match question {
            LightRequest::LatestUnless(known) if *known == self.hashes[self.tip() as usize] => {
                LightResponse::Unchanged
            }
            LightRequest::Latest | LightRequest::LatestUnless(_) => {
                LightResponse::Header(Box::new(self.signed(self.tip(), node)))
            }
            LightRequest::HeaderAt(height) => LightResponse::Header(Box::new(self.signed(height.0, node))),
            LightRequest::RangeProof { older, newer } => {
                LightResponse::RangeProof(prove_range(&self.range, *older, *newer).unwrap())
            }
            LightRequest::RangeBatch { heights, newer } => {
                LightResponse::RangeBatch(prove_range_many(&self.range, heights.clone(), *newer).unwrap())
            }
            LightRequest::Headers { heights, newer } => LightResponse::Headers(Box::new(UntrustedHeaders {
                headers: heights.iter().map(|height| self.signed(height.0, node)).collect(),
                proof: prove_range_many(&self.range, heights.clone(), *newer).unwrap(),
            })),
            LightRequest::EpochEnd(epoch) => {
                let (header, _, next) = self.epoch_end(*epoch, node);
                LightResponse::EpochEnd(Box::new(UntrustedEpochEnd { header, next }))
            }
            LightRequest::EpochEndWithSet(epoch) => {
                let (header, own, next) = self.epoch_end(*epoch, node);
                let step = UntrustedStep { header, validators: Some(own), next: Some(next) };
                LightResponse::EpochEndWithSet(Box::new(step))
            }
            LightRequest::Validators(height) => {
                LightResponse::Validators(Box::new(self.set_at(height.0).clone()))
            }
            other => unreachable!("a sync asks nothing like {other:?}"),
        }
    }

    fn epoch_end(&self, epoch: Epoch, node: usize) -> (UntrustedSignedHeader, ValidatorSet, ValidatorSet) {
        let [own, next] = [0, 1].map(|on| &self.terms[epoch.0 as usize + on]);
        (self.signed(own.last, node), own.set.clone(), next.set.clone())
    }
}

/// A hundred, or one for each ten blocks.
fn changes(blocks: u64) -> u64 {
    CHANGES.min(blocks / 10)
}

fn genesis(keys: &[Arc<SigningKey>], organisations: &[SigningKey]) -> Genesis {
    let organisations: Vec<_> = organisations
        .iter()
        .enumerate()
        .map(|(i, key)| Organisation {
            name_en: format!("Hospital {i}"),
            name_zh: format!("第{i}医院"),
            key: key.public_key().clone(),
        })
        .collect();
    let validators = members(keys, &organisations);
    Genesis {
        version: GENESIS_VERSION,
        network: "bench".into(),
        time: Timestamp(START),
        organisations,
        validators,
    }
}

fn members(keys: &[Arc<SigningKey>], organisations: &[Organisation]) -> Vec<Validator> {
    let member = |(key, organisation): (&Arc<SigningKey>, &Organisation)| Validator {
        organisation: organisation.did(),
        key: key.public_key().clone(),
        peer_id: PEER_ID.to_vec(),
    };
    keys.iter().zip(organisations).map(member).collect()
}

fn set(keys: &[Arc<SigningKey>], organisations: &[Organisation]) -> ValidatorSet {
    ValidatorSet::new(members(keys, organisations)).unwrap()
}

/// The organisations whose nodes a client is given: all of them.
pub fn organisations(genesis: &Genesis) -> impl Iterator<Item = Did> + '_ {
    genesis.organisations.iter().map(Organisation::did)
}
