//! Ordering alone, for comparing with protocols that are measured so: the real core and its signed votes over libp2p, but
//! transactions of 512 random bytes that nobody signs, no application, and nothing written to a disk.
//!
//! Transactions reach the primary at a fixed rate, as from clients beside it; latency is from there to the commit at
//! another replica.

use crate::cluster::{Member, validators_of};
use amulet_crypto::digest::Digest;
use amulet_node::network::{ConsensusMessage, EventLoop, Network};
use amulet_pbft::limits::PIPELINE_DEPTH_DEFAULT;
use amulet_pbft::verify::Verifier;
use amulet_pbft::{
    Config, Effect, Input, KeySigner, Millis, Payload, ProposedBlock, Replica, Requests, Timeouts, Timer,
    TimerKind, Tip, UntrustedMessage, ValidatorKeys, Verdict,
};
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId, View};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const REPLICAS: usize = 4;
const TRANSACTION_BYTES: usize = 512;
/// Bytes before a payload's transactions: the number of the first and how many there are.
const HEAD_BYTES: usize = 16;
/// How long a primary gathers transactions.
const BATCH_DELAY: Duration = Duration::from_millis(5);
/// What is committed before this has passed does not count.
const WARM_UP: Duration = Duration::from_secs(1);
const CHAIN: ChainId = ChainId(Digest::ZERO);
const EPOCH: Epoch = Epoch(0);
/// Heights in flight, as in a node.
const DEPTH: u64 = PIPELINE_DEPTH_DEFAULT;

/// How clients send in one run, and how much a block takes.
#[derive(Clone, Copy)]
struct Case {
    /// Transactions a second; `None`: there is always one.
    rate: Option<f64>,
    /// Most transactions in a block.
    batch: usize,
}

const CASES: [Case; 5] = [
    Case { rate: Some(10_000.0), batch: 2_000 },
    Case { rate: Some(20_000.0), batch: 2_000 },
    Case { rate: Some(40_000.0), batch: 2_000 },
    Case { rate: Some(80_000.0), batch: 2_000 },
    Case { rate: None, batch: 1 },
];

/// What came of a run.
pub struct Ordered {
    pub offered: Option<f64>,
    pub batch: usize,
    pub tx_per_s: f64,
    pub heights_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Runs all cases for `time` each.
pub async fn measure(time: Duration) -> Vec<Ordered> {
    let mut ordered = Vec::new();
    for case in CASES {
        ordered.push(run(case, time).await);
    }
    ordered
}

#[derive(Clone, Copy)]
struct Commit {
    at: Instant,
    first: u64,
    count: u64,
}

async fn run(case: Case, time: Duration) -> Ordered {
    let members: Vec<Member> = (0..REPLICAS as u64).map(Member::new).collect();
    let validators = validators_of(&members);
    let commits = Arc::new(Mutex::new(Vec::new()));
    let mut event_loops = Vec::new();
    let mut nodes = Vec::new();
    for own in 0..REPLICAS {
        let (mut event_loop, network, inboxes, mut connected) =
            EventLoop::start(Member::network(&members, own), &validators).unwrap();
        event_loop.listening(1).await.unwrap();
        event_loops.push(tokio::spawn(event_loop.run()));
        let keys = ValidatorKeys::new(CHAIN, EPOCH, validators.clone());
        let signer = KeySigner::new(members[own].key(), CHAIN, EPOCH);
        nodes.push(async move {
            connected.wait_for(|count| *count + 1 == REPLICAS).await.unwrap();
            (network, inboxes, keys, signer)
        });
    }
    let ready = futures::future::join_all(nodes).await;
    let start = Instant::now();
    let mut tasks = Vec::new();
    for (own, (network, inboxes, keys, signer)) in ready.into_iter().enumerate() {
        let commits = (own == 1).then(|| commits.clone());
        let node = Node::new(own, keys, signer, network, case, start, commits);
        tasks.push(tokio::spawn(node.run(inboxes.consensus)));
    }
    tokio::time::sleep(time + WARM_UP).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    event_loops.iter().for_each(tokio::task::JoinHandle::abort);
    let commits = std::mem::take(&mut *commits.lock().unwrap());
    summary(case, time, start, commits)
}

fn summary(case: Case, time: Duration, start: Instant, commits: Vec<Commit>) -> Ordered {
    let counted: Vec<_> = commits.iter().filter(|commit| commit.at - start > WARM_UP).collect();
    let transactions: u64 = counted.iter().map(|commit| commit.count).sum();
    let mut latencies: Vec<f64> = match case.rate {
        Some(rate) => counted
            .iter()
            .flat_map(|commit| (commit.first..commit.first + commit.count).map(|number| (commit.at, number)))
            .map(|(at, number)| (at - start).as_secs_f64() - number as f64 / rate)
            .collect(),
        // The next is sent when there is room for it: from one commit to the next times the heights in flight.
        None => {
            counted.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64() * DEPTH as f64).collect()
        }
    };
    latencies.sort_by(f64::total_cmp);
    let part =
        |part: f64| latencies.get((latencies.len() as f64 * part) as usize).map_or(f64::NAN, |s| s * 1e3);
    Ordered {
        offered: case.rate,
        batch: case.batch,
        tx_per_s: transactions as f64 / time.as_secs_f64(),
        heights_per_s: counted.len() as f64 / time.as_secs_f64(),
        p50_ms: part(0.5),
        p99_ms: part(0.99),
    }
}

/// View, height and parent of a block to be proposed.
type Place = (View, Height, HeaderHash);

struct Node {
    own: ReplicaId,
    replica: Replica,
    keys: ValidatorKeys,
    network: Network,
    case: Case,
    start: Instant,
    /// Transactions that are in a block already.
    taken: u64,
    timers: BTreeMap<TimerKind, (Instant, Timer)>,
    proposals: (mpsc::Sender<Place>, mpsc::Receiver<Place>),
    inputs: VecDeque<Input>,
    commits: Option<Arc<Mutex<Vec<Commit>>>>,
}

impl Node {
    fn new(
        own: usize,
        keys: ValidatorKeys,
        signer: KeySigner,
        network: Network,
        case: Case,
        start: Instant,
        commits: Option<Arc<Mutex<Vec<Commit>>>>,
    ) -> Self {
        let own = ReplicaId(u16::try_from(own).unwrap());
        let timeouts = Timeouts { progress: Millis(5_000), ..Timeouts::default() };
        let config = Config::new(own, keys.quorum(), timeouts, 16, 64).unwrap().with_depth(DEPTH).unwrap();
        let tip = Tip::genesis(HeaderHash(Digest::ZERO));
        let (replica, effects) = Replica::new(config, Box::new(signer), tip).unwrap();
        let mut node = Self {
            own,
            replica,
            keys,
            network,
            case,
            start,
            taken: 0,
            timers: BTreeMap::new(),
            proposals: mpsc::channel(64),
            inputs: VecDeque::new(),
            commits,
        };
        effects.into_iter().for_each(|effect| node.carry_out(effect));
        node
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<ConsensusMessage>) {
        self.inputs.push_back(Input::Requests(Requests::Waiting));
        loop {
            while let Some(input) = self.inputs.pop_front() {
                let step = self.replica.step(input);
                step.effects.into_iter().for_each(|effect| self.carry_out(effect));
            }
            let alarm = self.timers.values().map(|(at, _)| *at).min();
            let alarm = alarm.unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            tokio::select! {
                message = inbox.recv() => {
                    let Some(message) = message else { return };
                    let message = UntrustedMessage::decode(&message.bytes).unwrap();
                    self.inputs.extend(message.verify(&self.keys).ok().map(Input::Message));
                }
                Some(place) = self.proposals.1.recv() => self.propose(place),
                () = tokio::time::sleep_until(alarm.into()) => {
                    let due = self.timers.iter().find(|(_, (at, _))| *at <= Instant::now());
                    if let Some((kind, (_, timer))) = due.map(|(kind, timer)| (*kind, *timer)) {
                        self.timers.remove(&kind);
                        self.inputs.push_back(Input::TimerFired(timer));
                    }
                }
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send(to, message) => self.network.send(to, Arc::new(message.encode(EPOCH))),
            Effect::Broadcast(message) => {
                let bytes = Arc::new(message.encode(EPOCH));
                let others = (0..REPLICAS as u16).map(ReplicaId).filter(|other| *other != self.own);
                others.for_each(|other| self.network.send(other, bytes.clone()));
            }
            Effect::StartTimer(timer, Millis(ms)) => {
                self.timers.insert(timer.kind, (Instant::now() + Duration::from_millis(ms), timer));
            }
            Effect::StopTimer(kind) => {
                self.timers.remove(&kind);
            }
            Effect::Propose { view, height, parent } => self.gather((view, height, parent)),
            Effect::Validate { view, height, header_hash, payload, .. } => {
                let is_right = header_hash == hash(&payload);
                let verdict = if is_right { Verdict::Valid } else { Verdict::Invalid };
                self.inputs.push_back(Input::Validated {
                    view,
                    height,
                    header_hash,
                    verdict,
                    ends_epoch: false,
                });
            }
            Effect::Commit { payload, .. } => {
                if let Some(commits) = &self.commits {
                    let number =
                        |at: usize| u64::from_le_bytes(payload.bytes()[at..at + 8].try_into().unwrap());
                    let commit = Commit { at: Instant::now(), first: number(0), count: number(8) };
                    commits.lock().unwrap().push(commit);
                }
            }
            Effect::Persist(_) | Effect::Stable { .. } | Effect::CatchUp { .. } | Effect::Report(_) => {}
        }
    }

    /// Proposes now if a block is full, else in a moment.
    fn gather(&self, place: Place) {
        let proposals = self.proposals.0.clone();
        if self.waiting() >= self.case.batch as u64 {
            proposals.try_send(place).unwrap();
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(BATCH_DELAY).await;
            let _ = proposals.send(place).await;
        });
    }

    fn waiting(&self) -> u64 {
        let arrived =
            self.case.rate.map_or(u64::MAX, |rate| (self.start.elapsed().as_secs_f64() * rate) as u64);
        arrived - self.taken
    }

    fn propose(&mut self, place: Place) {
        let count = self.waiting().min(self.case.batch as u64);
        if count == 0 {
            return self.gather(place);
        }
        let mut bytes = vec![0x5a; HEAD_BYTES + count as usize * TRANSACTION_BYTES];
        bytes[..8].copy_from_slice(&self.taken.to_le_bytes());
        bytes[8..16].copy_from_slice(&count.to_le_bytes());
        self.taken += count;
        let payload = Payload::new(bytes).unwrap();
        let header_hash = hash(&payload);
        let (view, height, parent) = place;
        let block = ProposedBlock { view, height, parent, header_hash, payload, ends_epoch: false };
        self.inputs.push_back(Input::Proposal(block));
    }
}

/// Stands for a header's hash: there is no header.
fn hash(payload: &Payload) -> HeaderHash {
    HeaderHash(payload.digest().0)
}
