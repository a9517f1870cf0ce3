//! A node as the driver contract describes it: a replica in memory; a ledger, and records by key, on a disk that survives.

use std::collections::{BTreeMap, BTreeSet};

use amulet_pbft::certificate::check_commit_certificate;
use amulet_pbft::{
    CommitCertificate, Config, Effect, Input, LogRecord, Payload, ProposedBlock, Provenance, RecordKey,
    Replica, Requests, Tip, Verdict, Verifier,
};
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::support::{FakeKeys, FakeSigner, genesis_hash, header_hash};

/// A request whose number is a multiple of this, 0 not counted, asks for the end of the epoch where epochs are played.
const REQUESTS_PER_EPOCH: u64 = 17;

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
    /// Whether requests may end the epoch.
    pub has_epochs: bool,
    settled: BTreeSet<u64>,
    /// Blocks executed and not final.
    executed: BTreeMap<HeaderHash, Block>,
    /// Blocks that were found invalid.
    pub invalid: BTreeSet<HeaderHash>,
    told: Requests,
}

impl Node {
    pub fn new(id: u16, keys: FakeKeys, has_epochs: bool) -> Self {
        Self {
            id: ReplicaId(id),
            keys,
            disk: Disk::default(),
            replica: None,
            life: 0,
            waiting: BTreeSet::new(),
            has_epochs,
            settled: BTreeSet::new(),
            executed: BTreeMap::new(),
            invalid: BTreeSet::new(),
            told: Requests::Empty,
        }
    }

    /// The epoch that follows from the ledger, and the height of the last block before it.
    pub fn epoch(&self) -> (Epoch, Height) {
        let ends = self.disk.ledger.iter().filter(|block| self.ends_epoch(&decode(&block.payload).unwrap()));
        let heights: Vec<_> = ends.map(|block| block.certificate.vote.height).collect();
        (Epoch(heights.len() as u64), heights.last().copied().unwrap_or_default())
    }

    pub fn ends_epoch(&self, block: &Block) -> bool {
        let asks = |request: &u64| {
            *request > 0 && *request < 1_000_000 && request.is_multiple_of(REQUESTS_PER_EPOCH)
        };
        self.has_epochs && block.requests.iter().any(asks)
    }

    /// Starts from the disk; the effects are those of starting.
    pub fn start(&mut self, config: Config) -> Vec<Effect> {
        self.life += 1;
        self.told = Requests::Empty;
        self.executed.clear();
        let (epoch, start) = self.epoch();
        self.keys.1 = epoch;
        self.settled = self.disk.requests();
        let records = self.disk.records.values().cloned().collect();
        let signer = Box::new(FakeSigner(self.id, epoch));
        let config = config.in_epoch(epoch, start.next());
        let (replica, effects) = Replica::recover(config, signer, self.disk.tip(), records).unwrap();
        self.replica = Some(replica);
        effects
    }

    pub fn crash(&mut self) {
        self.replica = None;
        self.waiting.clear();
    }

    /// Requests in the blocks from the tip, excluded, to `head`; `None` if `head` does not stand on the tip.
    fn requests_in_flight(&self, mut head: HeaderHash) -> Option<BTreeSet<u64>> {
        let tip = self.disk.tip().header_hash;
        let mut requests = BTreeSet::new();
        while head != tip {
            let block = self.executed.get(&head)?;
            requests.extend(&block.requests);
            head = block.parent;
        }
        Some(requests)
    }

    /// What the replica must be told about waiting requests, if that changed.
    pub fn news(&mut self) -> Option<Input> {
        let replica = self.replica.as_ref()?;
        let in_flight = replica.in_flight();
        let in_flight: BTreeSet<u64> = in_flight
            .iter()
            .filter_map(|hash| self.executed.get(hash))
            .flat_map(|block| block.requests.iter().copied())
            .collect();
        let now = if self.waiting.is_subset(&in_flight) { Requests::Empty } else { Requests::Waiting };
        (now != self.told).then(|| {
            self.told = now;
            Input::Requests(now)
        })
    }

    pub fn propose(&mut self, view: View, height: Height, parent: HeaderHash) -> Option<Input> {
        let in_flight = self.requests_in_flight(parent)?;
        let is_over = self.executed.get(&parent).is_some_and(|below| self.ends_epoch(below));
        assert!(!is_over, "nothing is built on top of a block that ends the epoch");
        let requests: Vec<u64> = self.waiting.difference(&in_flight).take(3).copied().collect();
        if requests.is_empty() {
            self.told = Requests::Empty;
            return Some(Input::Requests(Requests::Empty));
        }
        let block = Block { height, parent, view, proposer: self.id, requests };
        let payload = Payload::new(borsh::to_vec(&block).unwrap()).unwrap();
        let header_hash = header_hash(payload.bytes());
        let ends_epoch = self.ends_epoch(&block);
        self.executed.insert(header_hash, block);
        Some(Input::Proposal(ProposedBlock { view, height, parent, header_hash, payload, ends_epoch }))
    }

    pub fn validate(
        &mut self,
        view: View,
        height: Height,
        parent: HeaderHash,
        expected: HeaderHash,
        payload: &Payload,
        provenance: Provenance,
    ) -> Input {
        let block = decode(payload).filter(|block| {
            let in_view = match provenance {
                Provenance::New => block.view == view,
                Provenance::Carried => block.view < view,
            };
            in_view
                && header_hash(payload.bytes()) == expected
                && (block.height, block.parent) == (height, parent)
                && self.is_executable(block)
        });
        let ends_epoch = block.as_ref().is_some_and(|block| self.ends_epoch(block));
        if block.is_none() {
            self.invalid.insert(expected);
        }
        let verdict = if block.is_some() { Verdict::Valid } else { Verdict::Invalid };
        if let Some(block) = block {
            self.executed.insert(expected, block);
        }
        Input::Validated { view, height, header_hash: expected, verdict, ends_epoch }
    }

    fn is_executable(&self, block: &Block) -> bool {
        let Some(in_flight) = self.requests_in_flight(block.parent) else { return false };
        let is_new = |request: &u64| !self.settled.contains(request) && !in_flight.contains(request);
        !block.requests.is_empty() && block.requests.iter().all(is_new)
    }

    /// Applies a final block, and says whether it ends the epoch. Panics when the proof or the block is wrong: that is what
    /// the run is to find.
    pub fn commit(&mut self, certificate: CommitCertificate, payload: Payload) -> bool {
        check_commit_certificate(&certificate, &self.keys)
            .expect("a committed block has a valid certificate");
        let block = decode(&payload).expect("a committed block decodes");
        let tip = self.disk.tip();
        assert_eq!(
            header_hash(payload.bytes()),
            certificate.vote.header_hash,
            "the certificate is for this block"
        );
        let follows = (block.height, block.parent) == (tip.height.next(), tip.header_hash)
            && self.is_executable(&block);
        assert!(follows, "block {block:?} follows {tip:?}");
        assert_eq!(certificate.vote.view.epoch(), self.epoch().0, "the certificate is of its epoch");
        for request in &block.requests {
            self.waiting.remove(request);
            self.settled.insert(*request);
        }
        self.disk.ledger.push(Final { certificate, payload });
        let height = block.height;
        self.executed.retain(|_, kept| kept.height > height);
        self.disk.records.retain(|key, _| !key.is_obsolete(height));
        self.ends_epoch(&block)
    }

    pub fn quorum_size(&self) -> usize {
        self.keys.quorum().size()
    }
}
