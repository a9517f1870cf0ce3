//! How quick agreement is between hospitals of a whole country, for 4 to 100 replicas.
//!
//! The consensus core is the real one; the application only counts, and every signature is charged for instead of made:
//! each replica's machine has processors, a disk and a line, and what they do takes time. Nothing goes wrong. Replicas
//! stand in Chinese cities in turn (module `cities`).

mod cities;
mod costs;
mod member;

pub use costs::Costs;

use crate::packet::Packet;
use crate::queue::Queue;
use crate::rng::{Rng, Stream};
use crate::signatures::{Domain, QuickVerifier};
use crate::time::Micros;
use amulet_crypto::digest::sm3;
use amulet_node::consensus::SharedVerifier;
use amulet_pbft::{Effect, Input, Millis, Timer};
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use member::{Deed, Member};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sizes of validator sets that are measured.
pub const SIZES: [u16; 6] = [4, 7, 16, 31, 64, 100];
/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// At most so much is added to each message's time at random, in microseconds.
const JITTER: u64 = 2_000;
/// How long a primary gathers transactions.
const GATHER: Micros = Micros::millis(2);
/// Time before anything is measured.
const WARM_UP: Micros = Micros::seconds(2);

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Size of the validator set.
    pub replicas: u16,
    /// Transactions offered a day.
    pub per_day: u64,
    /// Transactions measured.
    pub transactions: usize,
    /// Blocks committed.
    pub blocks: u64,
    /// Median time from a hospital's taking a transaction to its commit at that hospital, in milliseconds.
    pub p50_ms: f64,
    /// The time that 99 of 100 stay under, in milliseconds.
    pub p99_ms: f64,
    /// Messages of agreement for each block, over all replicas, status messages left out.
    pub messages_per_block: f64,
    /// Their bytes.
    pub bytes_per_block: f64,
    /// Views that failed; more than none means that the load is too much.
    pub views: u64,
}

enum Event {
    /// A message has come over the line.
    Arrive {
        to: u16,
        packet: Packet,
    },
    /// Its signatures are checked.
    Checked {
        to: u16,
        packet: Packet,
    },
    /// The replica's thread gets to an input.
    Input {
        to: u16,
        input: Box<Input>,
    },
    Timer {
        to: u16,
        timer: Timer,
    },
    Build {
        to: u16,
        view: View,
        height: Height,
        parent: HeaderHash,
    },
    /// A hospital takes a transaction.
    Take {
        transaction: u64,
    },
    /// Another one hears of it.
    Hear {
        to: u16,
        transaction: u64,
    },
}

struct Wide {
    costs: Costs,
    verifier: SharedVerifier,
    members: Vec<Member>,
    queue: Queue<Event>,
    rng: Rng,
    now: Micros,
    taken: BTreeMap<u64, (u16, Micros)>,
    latencies: Vec<u64>,
    blocks: u64,
    messages: u64,
    bytes: u64,
}

/// Measures one size under one load for about `transactions` transactions.
#[must_use]
pub fn measure(replicas: u16, per_day: u64, transactions: u64, costs: &Costs) -> Measured {
    let mut wide = Wide::new(replicas, costs.clone());
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mean = (DAY * 1_000_000.0 / per_day as f64) as u64;
    let mut at = WARM_UP.0;
    for transaction in 0..transactions {
        // Uniform between none and twice the mean.
        at += wide.rng.range(0, 2 * mean);
        wide.queue.push(Micros(at), Event::Take { transaction });
    }
    wide.run(Micros(at) + Micros::seconds(8));
    wide.report(replicas, per_day)
}

impl Wide {
    fn new(replicas: u16, costs: Costs) -> Self {
        let quorum = Quorum::for_size(usize::from(replicas)).expect("4 to 100 replicas");
        let cast = crate::cast::Cast::new(replicas, 0);
        let domain = Domain { chain: ChainId(sm3(b"wide")), epoch: Epoch::default() };
        let validators = cast.validators.clone();
        let mut wide = Self {
            verifier: Arc::new(QuickVerifier { validators, domain, is_blind: false }),
            members: Vec::new(),
            queue: Queue::default(),
            rng: Rng::new(u64::from(replicas), Stream::Network),
            now: Micros(0),
            taken: BTreeMap::new(),
            latencies: Vec::new(),
            blocks: 0,
            messages: 0,
            bytes: 0,
            costs,
        };
        let mut begin = Vec::new();
        for (id, hospital) in (0..replicas).zip(&cast.hospitals) {
            let key = hospital.signing.public_key().clone();
            let (member, effects) = Member::new(id, quorum, key, &wide.costs);
            wide.members.push(member);
            begin.push((id, effects));
        }
        for (id, effects) in begin {
            wide.carry_out(id, effects);
        }
        wide
    }

    fn run(&mut self, end: Micros) {
        while let Some((at, event)) = self.queue.pop_before(end) {
            self.now = at;
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { to, packet } => {
                let checks = packet.signatures();
                let cost = Micros(self.costs.check_vote.0 * checks);
                let done = self.members[usize::from(to)].work(self.now, cost);
                self.queue.push(done, Event::Checked { to, packet });
            }
            Event::Checked { to, packet } => {
                if let Some(message) = packet.verified(&self.verifier) {
                    self.input(to, Input::Message(message));
                }
            }
            Event::Input { to, input } => self.input(to, *input),
            Event::Timer { to, timer } => {
                let member = &mut self.members[usize::from(to)];
                if member.timers.get(&timer.kind) == Some(&timer) {
                    member.timers.remove(&timer.kind);
                    self.input(to, Input::TimerFired(timer));
                }
            }
            Event::Build { to, view, height, parent } => {
                let bytes = self.costs.transaction_bytes;
                let inputs = self.members[usize::from(to)].build(view, height, parent, bytes);
                for input in inputs {
                    self.input(to, input);
                }
            }
            Event::Take { transaction } => self.take(transaction),
            Event::Hear { to, transaction } => {
                let cost = self.costs.check_transaction;
                let member = &mut self.members[usize::from(to)];
                member.work(self.now, cost);
                member.submit(transaction);
                self.tell(to);
            }
        }
    }

    /// A hospital takes a transaction and passes it on to all others.
    fn take(&mut self, transaction: u64) {
        let size = self.members.len() as u64;
        let own = u16::try_from(self.rng.range(0, size)).expect("few");
        self.taken.insert(transaction, (own, self.now));
        let checked = self.members[usize::from(own)].work(self.now, self.costs.check_transaction);
        self.queue.push(checked, Event::Hear { to: own, transaction });
        for to in (0..self.members.len()).filter(|to| *to != usize::from(own)) {
            let at = self.leave(own, checked, self.costs.transaction_bytes);
            let at = at + self.travel(own, to);
            let to = u16::try_from(to).expect("few");
            // Its signature is checked before it counts.
            self.queue.push(at + self.costs.check_transaction, Event::Hear { to, transaction });
        }
    }

    /// When bytes have left a replica's line.
    fn leave(&mut self, from: u16, at: Micros, bytes: usize) -> Micros {
        let line = &mut self.members[usize::from(from)].line;
        *line = at.max(*line) + Micros(bytes as u64 / self.costs.line_bytes_per_us);
        *line
    }

    fn travel(&mut self, from: u16, to: usize) -> Micros {
        cities::one_way(usize::from(from), to) + Micros(self.rng.range(0, JITTER))
    }

    fn tell(&mut self, to: u16) {
        if let Some(news) = self.members[usize::from(to)].news() {
            self.input(to, news);
        }
    }

    /// The replica's thread takes one input after the other.
    fn input(&mut self, to: u16, input: Input) {
        let member = &mut self.members[usize::from(to)];
        if member.free > self.now {
            let at = member.free;
            self.queue.push(at, Event::Input { to, input: Box::new(input) });
            return;
        }
        let effects = member.replica.step(input).effects;
        self.carry_out(to, effects);
        self.tell(to);
    }

    fn carry_out(&mut self, id: u16, effects: Vec<Effect>) {
        let mut at = self.now;
        let costs = self.costs.clone();
        let deeds = self.members[usize::from(id)].deeds(effects, &costs, &mut at);
        for deed in deeds {
            match deed {
                Deed::Send(to, message) => {
                    at = at + costs.sign;
                    self.send(id, to, &message, at);
                }
                Deed::Timer(timer, Millis(ms)) => {
                    self.queue.push(at + Micros::millis(ms), Event::Timer { to: id, timer });
                }
                Deed::Build(view, height, parent) => {
                    self.queue.push(at + GATHER, Event::Build { to: id, view, height, parent });
                }
                Deed::Validate(input, size) => {
                    let cost = Micros(costs.execute.0 * size as u64);
                    let done = self.members[usize::from(id)].work(at, cost);
                    self.queue.push(done, Event::Input { to: id, input });
                }
                Deed::Committed(transactions) => self.on_committed(id, &transactions, at),
            }
        }
        self.members[usize::from(id)].free = at;
    }

    fn on_committed(&mut self, id: u16, transactions: &[u64], at: Micros) {
        self.blocks += u64::from(id == 0);
        for transaction in transactions {
            if let Some((own, taken)) = self.taken.get(transaction)
                && *own == id
            {
                self.latencies.push((at - *taken).0);
            }
        }
    }

    fn send(&mut self, from: u16, to: Option<ReplicaId>, message: &amulet_pbft::Message, at: Micros) {
        let Some(packet) = Packet::of(message, Epoch::default()) else { return };
        let bytes = packet.bytes().len();
        let receivers: Vec<usize> = match to {
            Some(to) => vec![usize::from(to.0)],
            None => (0..self.members.len()).filter(|to| *to != usize::from(from)).collect(),
        };
        for to in receivers {
            if packet.kind() != "status" {
                self.messages += 1;
                self.bytes += bytes as u64;
            }
            let left = self.leave(from, at, bytes);
            let arrives = left + self.travel(from, to);
            let to = u16::try_from(to).expect("few");
            self.queue.push(arrives, Event::Arrive { to, packet: packet.clone() });
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn report(mut self, replicas: u16, per_day: u64) -> Measured {
        self.latencies.sort_unstable();
        let at = |share: usize| {
            let index = self.latencies.len() * share / 100;
            self.latencies.get(index).map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
        };
        Measured {
            replicas,
            per_day,
            transactions: self.latencies.len(),
            blocks: self.blocks,
            p50_ms: at(50),
            p99_ms: at(99),
            messages_per_block: self.messages as f64 / self.blocks.max(1) as f64,
            bytes_per_block: self.bytes as f64 / self.blocks.max(1) as f64,
            views: self.members.iter().map(|member| member.replica.view().0).max().unwrap_or(0),
        }
    }
}
