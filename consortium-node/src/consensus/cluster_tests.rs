//! Four engines with real ledgers, and the test in place of network, disk and clock. Messages and jobs take no time; time
//! passes only when there is nothing else to do.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::ledger::Ledger;
use crate::mempool::Mempool;
use crate::testing::NOW;
use crate::verified::Verified;
use amulet_contracts::testing::{Actor, GENESIS_TIME, genesis, practitioner};
use amulet_crypto::signing::{Signature, SigningContext, SigningKey};
use amulet_pbft::{LogRecord, Message, Millis, RecordKey, Signer, Timeouts, UntrustedMessage, Verifier};
use amulet_protocol::calls::Call;
use amulet_protocol::certificate::Sm2Votes;
use amulet_protocol::ids::{ChainId, Epoch, Height, Nonce, ReplicaId, TxId, View};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::transaction::SignedTransaction;
use amulet_protocol::validators::ValidatorSet;
use redb::backends::InMemoryBackend;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Node {
    engine: Engine,
    ledger: Ledger,
    mempool: Mempool,
    log: BTreeMap<RecordKey, LogRecord>,
    timers: BTreeMap<TimerName, (u64, EngineTimer)>,
    is_up: bool,
    /// Most blocks that were in flight at once.
    deepest: usize,
}

struct Cluster {
    nodes: Vec<Node>,
    /// Events on their way, in order.
    events: VecDeque<(usize, Event)>,
    /// Encoded messages on their way: from, to.
    messages: VecDeque<(usize, usize, Arc<Vec<u8>>)>,
    /// All that were ever sent.
    sent: Vec<(usize, usize, Arc<Vec<u8>>)>,
    /// Signatures checked so far, by all nodes.
    checks: Arc<AtomicUsize>,
    now: u64,
}

/// A validator's key; counts the signatures that are checked.
struct Counted {
    key: ValidatorKey,
    checks: Arc<AtomicUsize>,
}

impl Credentials for Counted {
    fn replica(&self, validators: &ValidatorSet) -> Option<ReplicaId> {
        self.key.replica(validators)
    }

    fn signer(&self, chain: ChainId, epoch: Epoch) -> Box<dyn Signer> {
        self.key.signer(chain, epoch)
    }

    fn verifier(&self, chain: ChainId, epoch: Epoch, validators: &ValidatorSet) -> SharedVerifier {
        let verifier = self.key.verifier(chain, epoch, validators);
        Arc::new(CountedChecks { verifier, checks: self.checks.clone() })
    }
}

struct CountedChecks {
    verifier: SharedVerifier,
    checks: Arc<AtomicUsize>,
}

impl Verifier for CountedChecks {
    fn epoch(&self) -> Epoch {
        self.verifier.epoch()
    }

    fn quorum(&self) -> Quorum {
        self.verifier.quorum()
    }

    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        found: &Signature,
    ) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.verifier.is_valid(signer, context, message, found)
    }
}

const TIMEOUTS: Timeouts =
    Timeouts { progress: Millis(1_500), progress_max: Millis(24_000), heartbeat: Millis(500) };

impl Cluster {
    fn new(depth: u64) -> Self {
        let hospitals: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let mut cluster = Self {
            nodes: Vec::new(),
            events: VecDeque::new(),
            messages: VecDeque::new(),
            sent: Vec::new(),
            checks: Arc::default(),
            now: 0,
        };
        for hospital in &hospitals {
            let database = redb::Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
            let ledger = Ledger::over(database, &genesis(&hospitals), Box::new(Sm2Votes)).unwrap();
            let mempool = Mempool::default();
            let key = SigningKey::from_bytes(&hospital.signing.expose_secret()).unwrap();
            let parts = EngineParts {
                settings: Settings { timeouts: TIMEOUTS, blocks_per_checkpoint: 16, window: 64, depth },
                credentials: Arc::new(Counted {
                    key: ValidatorKey::new(Arc::new(key)),
                    checks: cluster.checks.clone(),
                }),
                ledger: ledger.clone(),
                mempool: mempool.clone(),
                verified: Arc::new(Verified::default()),
                #[cfg(feature = "planted")]
                planted: std::collections::BTreeSet::new(),
            };
            let (engine, actions) = Engine::start(parts, Vec::new(), cluster.now()).unwrap();
            let (log, timers) = (BTreeMap::new(), BTreeMap::new());
            cluster.nodes.push(Node { engine, ledger, mempool, log, timers, is_up: true, deepest: 0 });
            cluster.carry_out(cluster.nodes.len() - 1, actions);
        }
        cluster
    }

    fn now(&self) -> Now {
        Now { monotonic: Millis(self.now), wall: NOW.plus_millis(self.now) }
    }

    fn chain(&self) -> ChainId {
        self.nodes[0].ledger.chain()
    }

    /// Puts a transaction into these nodes' queues.
    fn submit(&mut self, to: &[usize], transaction: &SignedTransaction) {
        for node in to {
            self.nodes[*node].mempool.insert(transaction.clone()).unwrap();
            self.events.push_back((*node, Event::MempoolChanged));
        }
    }

    fn handle(&mut self, node: usize, event: Event) {
        let now = self.now();
        if !self.nodes[node].is_up {
            return;
        }
        let actions = self.nodes[node].engine.handle(now, event).unwrap();
        let in_flight = self.nodes[node].engine.replica().map_or(0, |replica| replica.in_flight().len());
        self.nodes[node].deepest = self.nodes[node].deepest.max(in_flight);
        self.carry_out(node, actions);
    }

    fn carry_out(&mut self, from: usize, actions: Vec<Action>) {
        for action in actions {
            let node = &mut self.nodes[from];
            match action {
                Action::Append(records) => {
                    node.log.extend(records.into_iter().map(|record| (record.key(), record)));
                }
                Action::Prune(committed) => node.log.retain(|key, _| !key.is_obsolete(committed)),
                Action::Commit { block, certificate } => {
                    node.ledger.commit(&block, certificate).unwrap();
                }
                Action::Send { to, bytes } => self.messages.push_back((from, usize::from(to.0), bytes)),
                Action::Broadcast { bytes } => {
                    let others = (0..4).filter(|to| *to != from);
                    self.messages.extend(others.map(|to| (from, to, bytes.clone())));
                }
                Action::SetTimer { timer, after } => {
                    node.timers.insert(timer.name, (self.now + after.0, timer));
                }
                Action::StopTimer(name) => {
                    node.timers.remove(&name);
                }
                Action::Run(job) => self.events.push_back((from, Event::JobDone(job.run()))),
                Action::Fetch { peer, from: height } => {
                    let ledger = &self.nodes[usize::from(peer.0)].ledger;
                    let blocks = (height.0..).map_while(|height| ledger.block(Height(height)).unwrap());
                    let blocks = Some(blocks.collect());
                    self.events.push_back((from, Event::Fetched { peer, blocks }));
                }
                Action::SubmitEvidence { .. } => panic!("nobody contradicts itself"),
                Action::EpochBegan(_) => {}
            }
        }
    }

    /// Does all that can be done without time passing.
    fn settle(&mut self) {
        loop {
            if let Some((node, event)) = self.events.pop_front() {
                self.handle(node, event);
            } else if let Some((from, to, bytes)) = self.messages.pop_front() {
                self.sent.push((from, to, bytes.clone()));
                let from = Some(ReplicaId(u16::try_from(from).unwrap()));
                if self.nodes[to].is_up
                    && let Ok(message) = self.nodes[to].engine.gate().admit(from, &bytes)
                {
                    self.handle(to, Event::Message(message));
                }
            } else {
                return;
            }
        }
    }

    /// Lets so much time pass, timer by timer.
    fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        loop {
            self.settle();
            let up = self.nodes.iter().enumerate().filter(|(_, node)| node.is_up);
            let due = up
                .flat_map(|(index, node)| node.timers.values().map(move |(at, timer)| (*at, index, *timer)));
            let Some((at, node, timer)) = due.min().filter(|(at, ..)| *at <= end) else { break };
            self.now = at.max(self.now);
            self.nodes[node].timers.remove(&timer.name);
            self.handle(node, Event::Timer(timer));
        }
        self.now = end;
    }

    /// Transactions of the committed blocks of a node, in order.
    fn committed(&self, node: usize) -> Vec<TxId> {
        let ledger = &self.nodes[node].ledger;
        let blocks = (1..=ledger.tip().height.0).map(|height| ledger.block(Height(height)).unwrap().unwrap());
        blocks.flat_map(|block| block.block.transactions).map(|found| found.transaction.id()).collect()
    }
}

fn registration(seed: u64, chain: ChainId) -> SignedTransaction {
    let newcomer = Actor::new(seed);
    newcomer.sign_numbered(chain, Nonce(1), newcomer.registration())
}

/// All once, in the same order everywhere.
fn assert_once_and_alike(cluster: &Cluster, nodes: &[usize], expected: &[SignedTransaction]) {
    let order = cluster.committed(nodes[0]);
    let expected: BTreeSet<TxId> = expected.iter().map(SignedTransaction::id).collect();
    assert_eq!((order.len(), order.iter().copied().collect()), (expected.len(), expected));
    for node in nodes {
        assert_eq!(cluster.committed(*node), order);
        assert_eq!(cluster.nodes[*node].ledger.tip(), cluster.nodes[nodes[0]].ledger.tip());
        assert!(cluster.nodes[*node].mempool.is_empty());
    }
}

#[test]
fn several_blocks_are_in_flight_and_no_transaction_is_in_two_of_them() {
    let mut cluster = Cluster::new(8);
    let all: Vec<_> = (100..160).map(|seed| registration(seed, cluster.chain())).collect();
    for transaction in &all {
        cluster.submit(&[0, 1, 2, 3], transaction);
        // The primary works on, and hears nobody.
        while let Some((node, event)) = cluster.events.pop_front() {
            cluster.handle(node, event);
        }
    }
    assert_eq!(cluster.nodes[0].deepest, 8);
    cluster.run(5_000);
    assert_once_and_alike(&cluster, &[0, 1, 2, 3], &all);
}

#[test]
fn what_a_dead_primary_had_in_flight_is_ordered_by_the_next() {
    let mut cluster = Cluster::new(8);
    let all: Vec<_> = (100..110).map(|seed| registration(seed, cluster.chain())).collect();
    for (index, transaction) in all.iter().enumerate() {
        cluster.submit(&[0, 1, 2, 3], transaction);
        while let Some((node, event)) = cluster.events.pop_front() {
            cluster.handle(node, event);
        }
        if index == 5 {
            // The others have its first proposals.
            cluster.settle();
        }
    }
    cluster.nodes[0].is_up = false;
    cluster.run(20_000);
    assert_once_and_alike(&cluster, &[1, 2, 3], &all);
}

#[test]
fn rival_transactions_of_one_number_leave_nothing_waiting() {
    let mut cluster = Cluster::new(4);
    let (hospital, chain) = (Actor::new(1), cluster.chain());
    let employ = |seed| Call::RegisterPractitioner(practitioner(Actor::new(seed).did, GENESIS_TIME));
    let first = hospital.sign_numbered(chain, Nonce(1), employ(100));
    let rival = hospital.sign_numbered(chain, Nonce(1), employ(101));
    cluster.submit(&[0, 1, 2, 3], &first);
    while let Some((node, event)) = cluster.events.pop_front() {
        cluster.handle(node, event);
    }
    // The first is in flight; the rival cannot be on top of it, and would be good without it.
    cluster.submit(&[0, 1, 2, 3], &rival);
    cluster.run(5_000);
    assert_once_and_alike(&cluster, &[0, 1, 2, 3], &[first]);
}

#[test]
fn who_was_away_catches_up_and_takes_part_again() {
    let mut cluster = Cluster::new(8);
    let all: Vec<_> = (100..130).map(|seed| registration(seed, cluster.chain())).collect();
    cluster.nodes[3].is_up = false;
    for transaction in &all[..20] {
        cluster.submit(&[0, 1, 2], transaction);
        cluster.run(50);
    }
    assert_eq!(cluster.nodes[3].ledger.tip().height, Height(0));
    cluster.nodes[3].is_up = true;
    cluster.run(3_000);
    cluster.nodes[2].is_up = false;
    for transaction in &all[20..] {
        cluster.submit(&[0, 1, 3], transaction);
        cluster.run(50);
    }
    cluster.run(5_000);
    assert_once_and_alike(&cluster, &[0, 1, 3], &all);
}

#[test]
fn a_primary_that_leaves_one_transaction_out_is_replaced_though_it_orders_all_others() {
    let mut cluster = Cluster::new(8);
    // It never reaches the primary, which is the same to the others as being left out.
    let left_out = registration(99, cluster.chain());
    cluster.submit(&[1, 2, 3], &left_out);
    for seed in 100..220 {
        let other = registration(seed, cluster.chain());
        cluster.submit(&[0, 1, 2, 3], &other);
        cluster.run(50);
        if cluster.committed(1).contains(&left_out.id()) {
            assert!(cluster.nodes[1].engine.status().view > View(0));
            return;
        }
    }
    panic!("it waits for ever");
}

/// PBFT-MB-8: whoever keeps what the others signed can send it again and again. None of it is worth a signature check: what
/// is over, what was left with its view, and what counts already.
#[test]
fn a_flood_of_old_and_repeated_votes_costs_no_signature_checks() {
    let mut cluster = Cluster::new(4);
    for seed in 100..120 {
        let transaction = registration(seed, cluster.chain());
        cluster.submit(&[0, 1, 2, 3], &transaction);
        cluster.run(50);
    }
    // A view change, and then a block that gets no further: two of four are not enough.
    cluster.nodes[0].is_up = false;
    cluster.submit(&[1, 2, 3], &registration(120, cluster.chain()));
    cluster.run(10_000);
    cluster.nodes[3].is_up = false;
    cluster.submit(&[1, 2], &registration(121, cluster.chain()));
    cluster.run(50);
    assert!(cluster.nodes[2].engine.status().view > View(0));
    assert_eq!(cluster.nodes[2].engine.replica().unwrap().in_flight().len(), 1);
    let to_two = cluster.sent.iter().filter(|(_, to, _)| *to == 2);
    let votes: Vec<_> = to_two
        .filter(|(.., bytes)| {
            let message = UntrustedMessage::decode(bytes).unwrap();
            // A status may be news however often it comes, and is let in.
            !matches!(message.message(), Message::Status(_))
        })
        .collect();
    let kinds: BTreeSet<_> =
        votes.iter().map(|(.., bytes)| UntrustedMessage::decode(bytes).unwrap().message().kind()).collect();
    let expected = ["checkpoint", "commit", "new-view", "pre-prepare", "prepare", "view-change"];
    assert_eq!(kinds, BTreeSet::from(expected));
    let (gate, before) = (cluster.nodes[2].engine.gate(), cluster.checks.load(Ordering::Relaxed));
    for (from, _, bytes) in &votes {
        let from = ReplicaId(u16::try_from(*from).unwrap());
        let refused = gate.admit(Some(from), bytes).map(|message| message.message().kind()).unwrap_err();
        assert!(matches!(refused, GateRefusal::Stale { .. }), "{refused}");
    }
    assert_eq!(cluster.checks.load(Ordering::Relaxed), before);
}
