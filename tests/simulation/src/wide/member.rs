//! One replica of the wide-area run: the core, with an application that only counts, and the time its machine takes.

use super::Costs;
use crate::signatures::{Domain, QuickSigner};
use crate::time::Micros;
use amulet_crypto::digest::sm3;
use amulet_crypto::signing::PublicKey;
use amulet_pbft::{
    Config, Effect, Input, Message, Millis, Payload, ProposedBlock, Replica, Requests, Timeouts, Timer,
    TimerKind, Tip, Verdict,
};
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is ordered: numbers of transactions, with as many bytes as they would have.
#[derive(BorshSerialize, BorshDeserialize)]
struct Block {
    view: View,
    height: Height,
    parent: HeaderHash,
    transactions: Vec<u64>,
    bytes: Vec<u8>,
}

/// Heights between checkpoints, and in the window, as in a node.
const CHECKPOINT: u64 = 64;
const WINDOW: u64 = 256;
/// Heights in flight.
const DEPTH: u64 = 8;
/// Transactions in a block at most.
const BLOCK_MAX: usize = 2_000;

/// The replica and its machine.
pub(super) struct Member {
    pub(super) replica: Replica,
    /// When each processor is free.
    lanes: Vec<Micros>,
    /// When the thread that owns the replica is free.
    pub(super) free: Micros,
    /// When the line out is free.
    pub(super) line: Micros,
    waiting: BTreeSet<u64>,
    settled: BTreeSet<u64>,
    executed: BTreeMap<HeaderHash, (Height, Vec<u64>)>,
    told: Requests,
    pub(super) timers: BTreeMap<TimerKind, Timer>,
}

/// What the surroundings have to do.
pub(super) enum Deed {
    Send(Option<ReplicaId>, Message),
    Timer(Timer, Millis),
    Build(View, Height, HeaderHash),
    Validate(Box<Input>, usize),
    Committed(Vec<u64>),
}

impl Member {
    pub(super) fn new(id: u16, quorum: Quorum, key: PublicKey, costs: &Costs) -> (Self, Vec<Effect>) {
        let timeouts =
            Timeouts { progress: Millis(4_000), progress_max: Millis(32_000), heartbeat: Millis(1_000) };
        let config = Config::new(ReplicaId(id), quorum, timeouts, CHECKPOINT, WINDOW)
            .and_then(|config| config.with_depth(DEPTH))
            .expect("the settings are in bounds");
        let genesis = HeaderHash(sm3(b"genesis"));
        let domain = Domain { chain: ChainId(sm3(b"wide")), epoch: Epoch::default() };
        let signer = Box::new(QuickSigner { key, domain });
        let (replica, effects) =
            Replica::new(config, signer, Tip::genesis(genesis)).expect("the genesis is a tip");
        let member = Self {
            replica,
            lanes: vec![Micros(0); costs.processors],
            free: Micros(0),
            line: Micros(0),
            waiting: BTreeSet::new(),
            settled: BTreeSet::new(),
            executed: BTreeMap::new(),
            told: Requests::Empty,
            timers: BTreeMap::new(),
        };
        (member, effects)
    }

    /// Work of so long on the processor that is free first; when it is done.
    pub(super) fn work(&mut self, at: Micros, cost: Micros) -> Micros {
        let lane = self.lanes.iter_mut().min().expect("a machine has a processor");
        *lane = at.max(*lane) + cost;
        *lane
    }

    pub(super) fn submit(&mut self, transaction: u64) {
        if !self.settled.contains(&transaction) {
            self.waiting.insert(transaction);
        }
    }

    /// What changed about waiting requests, if anything did.
    pub(super) fn news(&mut self) -> Option<Input> {
        let flying: usize = self.flying().map(Vec::len).sum();
        let requests = if self.waiting.len() > flying { Requests::Waiting } else { Requests::Empty };
        (std::mem::replace(&mut self.told, requests) != requests).then_some(Input::Requests(requests))
    }

    fn flying(&self) -> impl Iterator<Item = &Vec<u64>> {
        let hashes = self.replica.in_flight();
        hashes.into_iter().filter_map(|hash| self.executed.get(&hash).map(|(_, transactions)| transactions))
    }

    /// A block of what waits and is in no block in flight.
    pub(super) fn build(
        &mut self,
        view: View,
        height: Height,
        parent: HeaderHash,
        bytes: usize,
    ) -> Vec<Input> {
        let flying: BTreeSet<u64> = self.flying().flatten().copied().collect();
        let transactions: Vec<u64> =
            self.waiting.iter().filter(|id| !flying.contains(id)).take(BLOCK_MAX).copied().collect();
        if transactions.is_empty() {
            self.told = Requests::Empty;
            return vec![Input::Requests(Requests::Empty)];
        }
        let bytes = vec![0; transactions.len() * bytes];
        let block = Block { view, height, parent, transactions, bytes };
        let encoded = borsh::to_vec(&block).expect("encoding into memory does not fail");
        let header_hash = HeaderHash(sm3(&encoded));
        self.executed.insert(header_hash, (height, block.transactions));
        let payload = Payload::new(encoded).expect("a block is within its bound");
        vec![Input::Proposal(ProposedBlock { view, height, parent, header_hash, payload, ends_epoch: false })]
    }

    /// What effects ask of the surroundings; `at` moves on by what they cost here.
    pub(super) fn deeds(&mut self, effects: Vec<Effect>, costs: &Costs, at: &mut Micros) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let mut is_synced = false;
        for effect in effects {
            match effect {
                Effect::Persist(_) if !is_synced => {
                    *at = *at + costs.sync;
                    is_synced = true;
                }
                Effect::Persist(_) => {}
                Effect::Send(to, message) => deeds.push(Deed::Send(Some(to), message)),
                Effect::Broadcast(message) => deeds.push(Deed::Send(None, message)),
                Effect::StartTimer(timer, after) => {
                    self.timers.insert(timer.kind, timer);
                    deeds.push(Deed::Timer(timer, after));
                }
                Effect::StopTimer(kind) => drop(self.timers.remove(&kind)),
                Effect::Propose { view, height, parent } => deeds.push(Deed::Build(view, height, parent)),
                Effect::Validate { view, height, header_hash, payload, .. } => {
                    let block = Block::try_from_slice(payload.bytes()).expect("nobody lies here");
                    let size = block.transactions.len();
                    self.executed.insert(header_hash, (height, block.transactions));
                    let input = Input::Validated {
                        view,
                        height,
                        header_hash,
                        verdict: Verdict::Valid,
                        ends_epoch: false,
                    };
                    deeds.push(Deed::Validate(Box::new(input), size));
                }
                Effect::Commit { certificate, .. } => {
                    *at = *at + costs.sync;
                    let settled = self.executed.remove(&certificate.vote.header_hash);
                    let (height, transactions) = settled.expect("executed before it is committed");
                    self.executed.retain(|_, (other, _)| *other > height);
                    for transaction in &transactions {
                        self.waiting.remove(transaction);
                        self.settled.insert(*transaction);
                    }
                    deeds.push(Deed::Committed(transactions));
                }
                Effect::Stable { .. } | Effect::CatchUp { .. } | Effect::Report(_) => {}
            }
        }
        deeds
    }
}
