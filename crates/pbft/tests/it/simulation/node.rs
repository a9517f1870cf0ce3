//! A node as the driver contract describes it: a replica in memory; a ledger, and records by key, on a disk that survives.

use std::collections::{BTreeMap, BTreeSet};

use amulet_pbft::certificate::check_commit_certificate;
use amulet_pbft::{
    CommitCertificate, Effect, Input, LogRecord, Payload, ProposedBlock, Provenance, RecordKey, Replica,
    Requests, Timeouts, Tip, Verdict,
};
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::support::{FakeKeys, FakeSigner, config, genesis_hash, header_hash};
use amulet_pbft::Verifier;

/// What is ordered here: a list of numbers, on top of a parent.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct Block {
    pub height: Height,
    pub parent: HeaderHash,
    pub view: View,
    pub proposer: ReplicaId,
    pub requests: Vec<u64>,
}

/// A final block with its proof.
#[derive(Clone)]
pub struct Final {
    pub certificate: CommitCertificate,
    pub payload: Payload,
}

/// What survives a crash.
#[derive(Default)]
pub struct Disk {
    pub ledger: Vec<Final>,
    pub records: BTreeMap<RecordKey, LogRecord>,
}

impl Disk {
    pub fn tip(&self) -> Tip {
        self.ledger.last().map_or_else(
            || Tip::genesis(genesis_hash()),
            |last| Tip {
                height: last.certificate.vote.height,
                header_hash: last.certificate.vote.header_hash,
                certificate: Some(last.certificate.clone()),
            },
        )
    }

    pub fn requests(&self) -> BTreeSet<u64> {
        self.ledger.iter().flat_map(|block| decode(&block.payload).unwrap().requests).collect()
    }
}

pub fn decode(payload: &Payload) -> Option<Block> {
    Block::try_from_slice(payload.bytes()).ok()
}

pub struct Node {
    pub id: ReplicaId,
    pub keys: FakeKeys,
    pub disk: Disk,
    pub replica: Option<Replica>,
    /// Counts starts, so that timers and answers of an earlier life do not reach a later one.
    pub life: u64,
    pub waiting: BTreeSet<u64>,
    told: Requests,
}

impl Node {
    pub fn new(id: u16, keys: FakeKeys) -> Self {
        Self {
            id: ReplicaId(id),
            keys,
            disk: Disk::default(),
            replica: None,
            life: 0,
            waiting: BTreeSet::new(),
            told: Requests::Empty,
        }
    }

    /// Starts from the disk; the effects are those of starting.
    pub fn start(&mut self, timeouts: Timeouts) -> Vec<Effect> {
        self.life += 1;
        self.told = Requests::Empty;
        let config = config(self.id.0, self.keys.quorum().size(), timeouts);
        let records = self.disk.records.values().cloned().collect();
        let (replica, effects) =
            Replica::recover(config, Box::new(FakeSigner(self.id)), self.disk.tip(), records).unwrap();
        self.replica = Some(replica);
        effects
    }

    pub fn crash(&mut self) {
        self.replica = None;
        self.waiting.clear();
    }

    /// What the replica must be told about waiting requests, if that changed.
    pub fn news(&mut self) -> Option<Input> {
        let now = if self.waiting.is_empty() { Requests::Empty } else { Requests::Waiting };
        (now != self.told).then(|| {
            self.told = now;
            Input::Requests(now)
        })
    }

    pub fn propose(&self, view: View, height: Height, parent: HeaderHash) -> Option<Input> {
        if self.disk.tip().height.next() != height || self.waiting.is_empty() {
            return None;
        }
        let requests = self.waiting.iter().take(3).copied().collect();
        let block = Block { height, parent, view, proposer: self.id, requests };
        let payload = Payload::new(borsh::to_vec(&block).unwrap()).unwrap();
        let header_hash = header_hash(payload.bytes());
        Some(Input::Proposal(ProposedBlock { view, height, header_hash, payload, ends_epoch: false }))
    }

    pub fn validate(
        &self,
        view: View,
        height: Height,
        expected: HeaderHash,
        payload: &Payload,
        provenance: Provenance,
    ) -> Input {
        let is_valid = header_hash(payload.bytes()) == expected
            && decode(payload).is_some_and(|block| {
                let in_view = match provenance {
                    Provenance::New => block.view == view,
                    Provenance::Carried => block.view < view,
                };
                in_view && block.height == height && self.follows(&block)
            });
        let verdict = if is_valid { Verdict::Valid } else { Verdict::Invalid };
        Input::Validated { view, height, header_hash: expected, verdict, ends_epoch: false }
    }

    fn follows(&self, block: &Block) -> bool {
        let tip = self.disk.tip();
        let settled = self.disk.requests();
        (block.height, block.parent) == (tip.height.next(), tip.header_hash)
            && !block.requests.is_empty()
            && block.requests.iter().all(|request| !settled.contains(request))
    }

    /// Applies a final block. Panics when the proof or the block is wrong: that is what the run is to find.
    pub fn commit(&mut self, certificate: CommitCertificate, payload: Payload) {
        check_commit_certificate(&certificate, &self.keys)
            .expect("a committed block has a valid certificate");
        let block = decode(&payload).expect("a committed block decodes");
        assert_eq!(
            header_hash(payload.bytes()),
            certificate.vote.header_hash,
            "the certificate is for this block"
        );
        assert!(self.follows(&block), "block {block:?} follows {:?}", self.disk.tip());
        for request in &block.requests {
            self.waiting.remove(request);
        }
        self.disk.ledger.push(Final { certificate, payload });
        let height = block.height;
        self.disk.records.retain(|key, _| !key.is_obsolete(height));
    }
}
