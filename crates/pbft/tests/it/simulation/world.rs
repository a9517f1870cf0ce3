//! Nodes in a virtual network under a virtual clock, with faults drawn from a seed, and the checks after each step.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use amulet_pbft::message::UntrustedMessage;
use amulet_pbft::planted::Bug;
use amulet_pbft::{
    Config, Effect, Evidence, Input, Message, Millis, Mode, Outcome, Replica, Timeouts, Timer, TimerKind,
    Verifier,
};
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId};

use super::audit::Audit;
use super::byzantine::{Lies, bend};
use super::node::{Final, Node};
use super::rng::Rng;
use crate::support::{BLOCKS_PER_CHECKPOINT, FakeSigner, WINDOW, config_with_window, is_proof, keys};

/// Blocks that one answer to a catch-up brings.
const BLOCKS_PER_SYNC: usize = 8;

/// Milliseconds in which all nodes stop when the power fails.
const POWER_FAILS_WITHIN: u64 = 600;

/// What may go wrong while faults last.
#[derive(Clone, Copy)]
pub struct Faults {
    pub loss_percent: u64,
    pub duplicate_percent: u64,
    /// Chance that a node stops in the middle of a step, per thousand steps.
    pub crash_per_mille: u64,
    pub partitions: bool,
    pub byzantine: Option<(ReplicaId, Lies)>,
    /// Whether requests may end the epoch.
    pub epochs: bool,
}

impl Faults {
    pub const NONE: Self = Self {
        loss_percent: 0,
        duplicate_percent: 0,
        crash_per_mille: 0,
        partitions: false,
        byzantine: None,
        epochs: false,
    };
}

enum Event {
    Deliver { from: ReplicaId, to: ReplicaId, bytes: Vec<u8> },
    Timer { at: ReplicaId, life: u64, timer: Timer },
    Answer { at: ReplicaId, life: u64, input: Box<Input> },
    SyncRequest { from: ReplicaId, to: ReplicaId, above: Height },
    SyncReply { to: ReplicaId, blocks: Vec<Final> },
    Restart { node: ReplicaId },
    Cut,
}

pub struct World {
    pub nodes: Vec<Node>,
    pub now: u64,
    pub evidence: Vec<Evidence>,
    pub chosen: BTreeMap<Height, HeaderHash>,
    pub delivered: u64,
    audit: Audit,
    faults: Faults,
    timeouts: Timeouts,
    rng: Rng,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    running: BTreeMap<(ReplicaId, TimerKind), Timer>,
    /// Nodes that cannot be reached from the others; empty when the network is whole.
    island: BTreeSet<ReplicaId>,
    next_request: u64,
    /// Whether every node is about to stop.
    power_fails: bool,
    depth: u64,
    window: u64,
    /// In a build that has planted bugs.
    #[cfg_attr(not(feature = "planted"), expect(dead_code))]
    planted: Option<Bug>,
}

impl World {
    pub fn new(n: usize, depth: u64, seed: u64, faults: Faults) -> Self {
        Self::with_bug(n, depth, seed, faults, None)
    }

    /// With a deliberate bug in all correct nodes.
    pub fn with_bug(n: usize, depth: u64, seed: u64, faults: Faults, planted: Option<Bug>) -> Self {
        Self::found(n, depth, seed, faults, planted, WINDOW)
    }

    /// With the smallest window there is: two checkpoints.
    pub fn with_smallest_window(n: usize, depth: u64, seed: u64, faults: Faults) -> Self {
        Self::found(n, depth, seed, faults, None, 2 * BLOCKS_PER_CHECKPOINT)
    }

    fn found(n: usize, depth: u64, seed: u64, faults: Faults, planted: Option<Bug>, window: u64) -> Self {
        let keys = keys(n);
        let timeouts =
            Timeouts { progress: Millis(1_500), progress_max: Millis(12_000), heartbeat: Millis(500) };
        let nodes = (0..n).map(|id| Node::new(u16::try_from(id).unwrap(), keys, faults.epochs)).collect();
        let mut world = Self {
            nodes,
            now: 0,
            evidence: Vec::new(),
            chosen: BTreeMap::new(),
            delivered: 0,
            audit: Audit::default(),
            faults,
            timeouts,
            rng: Rng::new(seed),
            events: BTreeMap::new(),
            sequence: 0,
            running: BTreeMap::new(),
            island: BTreeSet::new(),
            next_request: 0,
            power_fails: false,
            depth,
            window,
            planted,
        };
        for id in 0..n {
            world.start(ReplicaId(u16::try_from(id).unwrap()));
        }
        if faults.partitions {
            world.after(2_000, Event::Cut);
        }
        world
    }

    pub fn quorum(&self) -> amulet_protocol::quorum::Quorum {
        self.nodes[0].keys.quorum()
    }

    pub fn is_up(&self, node: ReplicaId) -> bool {
        self.nodes[usize::from(node.0)].replica.is_some()
    }

    pub fn replica(&self, node: u16) -> &Replica {
        self.nodes[usize::from(node)].replica.as_ref().unwrap()
    }

    /// Nodes that keep to the protocol.
    pub fn correct(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !self.lies(node.id))
    }

    /// Gives new requests to all nodes that are up.
    pub fn submit(&mut self, count: u64) {
        let requests: Vec<u64> = (self.next_request..self.next_request + count).collect();
        self.next_request += count;
        self.offer(&requests);
    }

    /// Gives all requests that some node has not settled to that node again.
    pub fn submit_again(&mut self) {
        let all: Vec<u64> = (0..self.next_request).collect();
        self.offer(&all);
    }

    fn offer(&mut self, requests: &[u64]) {
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            if node.replica.is_some() {
                let settled = node.disk.requests();
                node.waiting.extend(requests.iter().filter(|request| !settled.contains(request)));
                let id = node.id;
                self.tell_news(id);
            }
        }
    }

    /// Whether every correct node that is up has settled every request.
    pub fn is_done(&self) -> bool {
        let all: BTreeSet<u64> = (0..self.next_request).collect();
        self.correct()
            .filter(|node| node.replica.is_some())
            .all(|node| node.disk.requests().is_superset(&all))
    }

    /// Ends all faults but the lies: the network is whole, and nodes that are down start again.
    pub fn heal(&mut self) {
        let byzantine = self.faults.byzantine;
        self.faults = Faults { byzantine, ..Faults::NONE };
        self.island.clear();
        for id in 0..self.nodes.len() {
            let id = ReplicaId(u16::try_from(id).unwrap());
            if !self.is_up(id) {
                self.start(id);
            }
        }
    }

    pub fn crash(&mut self, node: ReplicaId) {
        self.nodes[usize::from(node.0)].crash();
        self.running.retain(|(owner, _), _| *owner != node);
    }

    /// Stops every node, each between any two of the effects that the next moments bring; what is under way between them
    /// is lost.
    pub fn cut_the_power(&mut self) {
        self.power_fails = true;
        self.run(self.now + POWER_FAILS_WITHIN, |world| {
            world.nodes.iter().all(|node| node.replica.is_none())
        });
        self.power_fails = false;
        for index in 0..self.nodes.len() {
            self.crash(ReplicaId(u16::try_from(index).unwrap()));
        }
        self.events.retain(|_, event| matches!(event, Event::Cut));
    }

    pub fn start(&mut self, node: ReplicaId) {
        let config = self.config(node);
        let effects = self.nodes[usize::from(node.0)].start(config);
        self.running.retain(|(owner, _), _| *owner != node);
        let mut inputs = VecDeque::new();
        self.carry_out(node, effects, &mut inputs);
        self.drain(node, inputs);
    }

    fn config(&self, node: ReplicaId) -> Config {
        let size = self.nodes[usize::from(node.0)].quorum_size();
        let config =
            config_with_window(node.0, size, self.timeouts, self.window).with_depth(self.depth).unwrap();
        #[cfg(feature = "planted")]
        let config = match self.planted.filter(|_| !self.lies(node)) {
            Some(bug) => config.with_planted([bug].into()),
            None => config,
        };
        config
    }

    fn lies(&self, node: ReplicaId) -> bool {
        self.faults.byzantine.is_some_and(|(liar, _)| liar == node)
    }

    /// Runs until `deadline`, or until `until` holds; whether it came to hold.
    pub fn run(&mut self, deadline: u64, until: impl Fn(&Self) -> bool) -> bool {
        while let Some((&(time, sequence), _)) = self.events.first_key_value() {
            if until(self) {
                return true;
            }
            if time > deadline {
                break;
            }
            let event = self.events.remove(&(time, sequence)).unwrap();
            self.now = time;
            self.happen(event);
        }
        self.now = self.now.max(deadline);
        until(self)
    }

    fn after(&mut self, millis: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + millis, self.sequence), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, bytes } => {
                if self.is_up(to) && self.is_connected(from, to) {
                    self.delivered += 1;
                    self.deliver(from, to, &bytes);
                }
            }
            Event::Timer { at, life, timer } => {
                let is_running = self.running.get(&(at, timer.kind)) == Some(&timer);
                if is_running && self.is_alive(at, life) {
                    self.running.remove(&(at, timer.kind));
                    self.input(at, Input::TimerFired(timer));
                }
            }
            Event::Answer { at, life, input } => {
                if self.is_alive(at, life) {
                    self.input(at, *input);
                }
            }
            Event::SyncRequest { from, to, above } => self.serve_sync(from, to, above),
            Event::SyncReply { to, blocks } => self.adopt(to, blocks),
            Event::Restart { node } => {
                if !self.is_up(node) {
                    self.start(node);
                }
            }
            Event::Cut => self.cut(),
        }
    }

    fn deliver(&mut self, from: ReplicaId, to: ReplicaId, bytes: &[u8]) {
        let message = UntrustedMessage::decode(bytes).expect("replicas send well-formed messages");
        let node = &self.nodes[usize::from(to.0)];
        match message.epoch().cmp(&node.keys.epoch()) {
            // It has blocks of an epoch that this node has not reached.
            Ordering::Greater => {
                let above = node.disk.tip().height;
                let pause = self.rng.range(1, 50);
                self.after(pause, Event::SyncRequest { from: to, to: from, above });
            }
            Ordering::Less => {}
            Ordering::Equal => {
                let is_stale =
                    node.replica.as_ref().is_some_and(|replica| replica.horizon().is_stale(&message));
                let message = message.verify(&node.keys).expect("replicas send valid messages");
                let is_ignored = self.input(to, Input::Message(message));
                assert!(!is_stale || is_ignored, "what is called stale changes nothing");
            }
        }
    }

    /// Cuts some nodes off, or joins them again, and plans the next change.
    fn cut(&mut self) {
        if !self.faults.partitions {
            return;
        }
        self.island.clear();
        if self.rng.percent(70) {
            let size = self.rng.range(1, self.nodes.len() as u64 / 2 + 1);
            for _ in 0..size {
                let id = self.rng.range(0, self.nodes.len() as u64);
                self.island.insert(ReplicaId(u16::try_from(id).unwrap()));
            }
        }
        let pause = self.rng.range(500, 6_000);
        self.after(pause, Event::Cut);
    }

    fn is_alive(&self, node: ReplicaId, life: u64) -> bool {
        self.is_up(node) && self.nodes[usize::from(node.0)].life == life
    }

    fn is_connected(&self, left: ReplicaId, right: ReplicaId) -> bool {
        self.island.contains(&left) == self.island.contains(&right)
    }

    /// Whether the input was ignored without any effect.
    fn input(&mut self, node: ReplicaId, input: Input) -> bool {
        let Some(replica) = self.nodes[usize::from(node.0)].replica.as_mut() else { return true };
        let step = replica.step(input);
        let is_ignored = matches!(step.outcome, Outcome::Ignored(_)) && step.effects.is_empty();
        let mut inputs = VecDeque::new();
        self.carry_out(node, step.effects, &mut inputs);
        self.drain(node, inputs);
        is_ignored
    }

    fn tell_news(&mut self, node: ReplicaId) {
        if let Some(news) = self.nodes[usize::from(node.0)].news() {
            self.input(node, news);
        }
    }

    fn drain(&mut self, node: ReplicaId, mut inputs: VecDeque<Input>) {
        while let Some(input) = inputs.pop_front() {
            let Some(replica) = self.nodes[usize::from(node.0)].replica.as_mut() else { return };
            let step = replica.step(input);
            self.carry_out(node, step.effects, &mut inputs);
        }
        let is_over = |replica: &Replica| replica.mode() == Mode::Ended;
        if self.nodes[usize::from(node.0)].replica.as_ref().is_some_and(is_over) {
            self.start(node);
        }
    }

    /// Carries effects out in order; the node may stop between any two.
    fn carry_out(&mut self, id: ReplicaId, effects: Vec<Effect>, inputs: &mut VecDeque<Input>) {
        for effect in effects {
            if self.may_crash(id) {
                self.crash(id);
                let pause = self.rng.range(100, 6_000);
                self.after(pause, Event::Restart { node: id });
                return;
            }
            self.carry_out_one(id, effect);
        }
        inputs.extend(self.nodes[usize::from(id.0)].news());
    }

    fn may_crash(&mut self, id: ReplicaId) -> bool {
        if self.power_fails {
            return self.rng.percent(10);
        }
        if self.faults.crash_per_mille == 0 || self.rng.range(0, 1_000) >= self.faults.crash_per_mille {
            return false;
        }
        let down = self.nodes.iter().filter(|node| node.replica.is_none()).count();
        let lying = usize::from(self.faults.byzantine.is_some());
        down + lying < self.quorum().faults() && !self.lies(id)
    }

    fn carry_out_one(&mut self, id: ReplicaId, effect: Effect) {
        let node = &mut self.nodes[usize::from(id.0)];
        let life = node.life;
        match effect {
            Effect::Persist(record) => {
                node.disk.records.insert(record.key(), record);
            }
            Effect::Send(to, message) => {
                self.audit(id, &message);
                self.send(id, to, &message);
            }
            Effect::Broadcast(message) => {
                self.audit(id, &message);
                for to in 0..self.nodes.len() {
                    let to = ReplicaId(u16::try_from(to).unwrap());
                    if to != id {
                        self.send(id, to, &message);
                    }
                }
            }
            Effect::StartTimer(timer, Millis(millis)) => {
                self.running.insert((id, timer.kind), timer);
                self.after(millis, Event::Timer { at: id, life, timer });
            }
            Effect::StopTimer(kind) => {
                self.running.remove(&(id, kind));
            }
            Effect::Propose { view, height, parent } => {
                if let Some(input) = node.propose(view, height, parent) {
                    let pause = self.rng.range(1, 20);
                    self.after(pause, Event::Answer { at: id, life, input: Box::new(input) });
                }
            }
            Effect::Validate { view, height, parent, header_hash, payload, provenance } => {
                let replica = node.replica.as_ref().unwrap();
                let is_linked = parent == replica.tip().header_hash || replica.in_flight().contains(&parent);
                assert!(is_linked, "replica {id} judges a block on top of one that it did not accept");
                let input = Box::new(node.validate(view, height, parent, header_hash, &payload, provenance));
                let pause = self.rng.range(1, 20);
                self.after(pause, Event::Answer { at: id, life, input });
            }
            Effect::Commit { certificate, payload } => {
                node.commit(certificate, payload);
                self.check_agreement(id);
            }
            Effect::Stable { height } => {
                assert!(height <= self.highest(), "nothing is stable before it is final")
            }
            Effect::CatchUp { hint, .. } => {
                let above = node.disk.tip().height;
                let pause = self.rng.range(1, 50);
                self.after(pause, Event::SyncRequest { from: id, to: hint, above });
            }
            Effect::Report(evidence) => {
                assert!(is_proof(&evidence, &node.keys), "evidence can be checked by anybody");
                assert!(self.lies(evidence.offender()), "nobody correct is accused: {evidence:?}");
                self.evidence.push(*evidence);
            }
        }
    }

    fn highest(&self) -> Height {
        self.chosen.keys().next_back().copied().unwrap_or_default()
    }

    /// No two correct nodes settle different blocks at one height.
    fn check_agreement(&mut self, id: ReplicaId) {
        if self.lies(id) {
            return;
        }
        let vote = self.nodes[usize::from(id.0)].disk.ledger.last().unwrap().certificate.vote;
        let chosen = *self.chosen.entry(vote.height).or_insert(vote.header_hash);
        assert_eq!(chosen, vote.header_hash, "replica {id} and another differ at height {}", vote.height);
    }

    /// Holds what a correct replica says itself against the rules.
    fn audit(&mut self, from: ReplicaId, message: &Message) {
        if !self.lies(from) && message.sender() == from {
            let node = &self.nodes[usize::from(from.0)];
            let (tip, (_, epoch_start)) = (node.disk.tip(), node.epoch());
            if let Message::Prepare(vote) = message {
                let hash = vote.content.proposal.header_hash;
                assert!(!node.invalid.contains(&hash), "replica {from} votes for a wrong block");
            }
            self.audit.check(message, &tip, epoch_start);
        }
    }

    fn send(&mut self, from: ReplicaId, to: ReplicaId, message: &Message) {
        let epoch = self.nodes[usize::from(from.0)].keys.epoch();
        let messages = match self.faults.byzantine {
            Some((liar, lies)) if liar == from => bend(lies, message.clone(), FakeSigner(from, epoch), to),
            _ => vec![message.clone()],
        };
        for message in messages {
            let copies = 1 + u64::from(self.rng.percent(self.faults.duplicate_percent));
            for _ in 0..copies {
                if self.rng.percent(self.faults.loss_percent) {
                    continue;
                }
                // Mostly quick, now and then so slow that much overtakes it.
                let pause =
                    if self.rng.percent(3) { self.rng.range(100, 1_500) } else { self.rng.range(1, 40) };
                self.after(pause, Event::Deliver { from, to, bytes: message.encode(epoch) });
            }
        }
    }

    fn serve_sync(&mut self, from: ReplicaId, to: ReplicaId, above: Height) {
        let is_lost = self.rng.percent(self.faults.loss_percent) || !self.is_connected(from, to);
        if is_lost || !self.is_up(to) {
            return;
        }
        let ledger = &self.nodes[usize::from(to.0)].disk.ledger;
        let blocks: Vec<_> =
            ledger.iter().skip(usize::try_from(above.0).unwrap()).take(BLOCKS_PER_SYNC).cloned().collect();
        let pause = self.rng.range(1, 50);
        self.after(pause, Event::SyncReply { to: from, blocks });
    }

    fn adopt(&mut self, to: ReplicaId, blocks: Vec<Final>) {
        for block in blocks {
            let node = &mut self.nodes[usize::from(to.0)];
            if node.replica.is_none() || block.certificate.vote.height != node.disk.tip().height.next() {
                continue;
            }
            let ends_epoch = node.commit(block.certificate.clone(), block.payload);
            self.check_agreement(to);
            self.input(to, Input::Synced { certificate: block.certificate, ends_epoch });
            self.tell_news(to);
        }
    }
}
