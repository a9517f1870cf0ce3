//! The run: what happens next, and to whom.

mod clients;
mod copies;
mod evidence;
mod faults;
mod governance;
mod replicas;

use crate::cast::Cast;
use crate::checkers::{Chain, Checked, Checker, Conflicts, Findings, Promises, Violation, Watch};
use crate::client::Client;
use crate::liars::LiarMind;
use crate::network::Network;
use crate::node::Node;
use crate::packet::Packet;
use crate::queue::Queue;
use crate::rng::{Rng, Stream};
use crate::schedule::{Behaviour, Plan};
use crate::setting::Setting;
use crate::time::Micros;
use crate::trace::Trace;
use amulet_node::consensus::{EngineTimer, Event, Job};
use amulet_node::ledger::{TransferRequest, TransferResponse};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Height, ReplicaId};
use amulet_protocol::transaction::SignedTransaction;
use amulet_protocol::validators::Validator;
use clients::{Sender, Submission};
use copies::CopyRound;
use governance::Governance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Events that may wait at once; more would mean that messages breed.
const QUEUE_MAX: usize = 2_000_000;

/// Something that will happen.
pub(crate) enum Happening {
    /// A message arrives at a node.
    Deliver { from: u16, node: usize, packet: Packet },
    /// A timer runs down.
    Timer { node: usize, life: u64, timer: EngineTimer },
    /// Work is done.
    Work { node: usize, life: u64, job: Box<Job> },
    /// Somebody asks for blocks.
    FetchAsked { node: usize, life: u64, peer: ReplicaId, from: Height },
    /// They are answered, or not in time.
    FetchAnswered { node: usize, life: u64, peer: ReplicaId, blocks: Option<Vec<UntrustedCertifiedBlock>> },
    /// A transaction reaches a node.
    Submit { node: usize, submission: usize, is_gossip: bool },
    /// A fault begins or ends.
    Fault { index: usize, begins: bool },
    /// A node that is down tries to start.
    Start { node: usize },
    /// A client has its next wish.
    Wish { client: usize },
    /// A client looks whether its transaction is settled.
    Look { submission: usize },
    /// A node looks whether the evidence that it sent is recorded.
    LookAtReport { node: usize, life: u64 },
    /// Operators look after the validator set.
    Govern,
    /// A node ends because its epoch did.
    EndWithEpoch { node: usize, life: u64 },
    /// A node looks whether it is far behind.
    LookBehind { node: usize, life: u64 },
    /// Somebody asks for a piece of the ledger.
    PieceAsked { asked: CopyRound, server: usize, request: Box<TransferRequest> },
    /// They are answered, or not in time.
    PieceAnswered { asked: CopyRound, is_honest: bool, answer: Option<Box<TransferResponse>> },
    /// A node removes what it is not to keep.
    Prune { node: usize, life: u64 },
    /// A calm ends.
    CalmEnds { index: usize },
}

/// What a run was like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Blocks settled.
    pub blocks: u64,
    /// Transactions settled.
    pub transactions: usize,
    /// Transactions of which a client holds a proof.
    pub acknowledged: u64,
    /// Highest view that any replica entered, counted from the first of its epoch.
    pub views: u64,
    /// Stops without warning.
    pub crashes: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Highest epoch that any replica entered.
    pub epochs: u64,
    /// Changes of the validators that were decided by vote and came into force, or rotations.
    pub changes: u64,
    /// Pieces of evidence that correct replicas found.
    pub evidence: u64,
    /// Records of evidence on the ledger.
    pub records: u64,
    /// Machines that were replaced.
    pub wipes: u64,
    /// Ledgers that were copied from others.
    pub copies: u64,
    /// Checksum over everything that happened; equal for equal runs.
    pub trace: u64,
}

/// A run.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) cast: Cast,
    pub(crate) setting: Setting,
    pub(crate) now: Micros,
    pub(crate) queue: Queue<Happening>,
    pub(crate) network: Network,
    /// The replicas in order, then the second instances of twins.
    pub(crate) nodes: Vec<Node>,
    pub(crate) minds: BTreeMap<u16, LiarMind>,
    pub(crate) clients: Vec<Client>,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) chain: Chain,
    pub(crate) promises: Promises,
    /// What each node heard and said.
    pub(crate) watches: Vec<Watch>,
    pub(crate) conflicts: Conflicts,
    pub(crate) findings: Findings,
    pub(crate) governance: Governance,
    pub(crate) disk_rng: Rng,
    pub(crate) client_rng: Rng,
    pub(crate) work_rng: Rng,
    pub(crate) summary: Summary,
    pub(crate) trace: Trace,
}

impl World {
    /// The run of a plan, at its beginning.
    #[must_use]
    pub fn new(plan: Plan, trace: Trace) -> Self {
        let cast = Cast::new(plan.replicas, plan.upkeep.spares);
        let setting = Setting::new(&cast, &plan);
        let correct = plan.correct();
        let mut nodes: Vec<Node> =
            (0..plan.hospitals()).map(|replica| Node::new(replica, correct.contains(&replica))).collect();
        let twins = plan.liars.iter().filter(|liar| liar.behaviours.contains(&Behaviour::Twins));
        nodes.extend(twins.map(|liar| Node::twin(liar.replica)));
        for node in &mut nodes {
            node.keeps = plan.upkeep.keeps.get(&node.replica).copied();
        }
        let minds = plan.liars.iter().map(|liar| (liar.replica, LiarMind::new(liar, &plan, &setting)));
        let clients: Vec<Client> = plan.clients.iter().map(|client| Client::new(*client, &cast)).collect();
        let mut world = Self {
            network: Network::new(&plan),
            minds: minds.collect(),
            chain: Chain::new(&cast, setting.checked.clone()),
            promises: Promises::default(),
            watches: nodes.iter().map(|_| Watch::default()).collect(),
            conflicts: Conflicts::default(),
            findings: Findings::default(),
            governance: Governance::default(),
            disk_rng: Rng::new(plan.seed, Stream::Disk),
            client_rng: Rng::new(plan.seed, Stream::Clients),
            work_rng: Rng::new(plan.seed, Stream::Work),
            now: Micros(0),
            queue: Queue::default(),
            submissions: Vec::new(),
            summary: Summary::default(),
            nodes,
            clients,
            setting,
            cast,
            plan,
            trace,
        };
        world.plan_everything();
        world
    }

    fn plan_everything(&mut self) {
        for node in 0..self.nodes.len() {
            self.queue.push(Micros(0), Happening::Start { node });
        }
        for (index, fault) in self.plan.faults.iter().enumerate() {
            self.queue.push(fault.from, Happening::Fault { index, begins: true });
            self.queue.push(fault.until, Happening::Fault { index, begins: false });
        }
        for (client, planned) in self.plan.clients.iter().enumerate() {
            self.queue.push(planned.from, Happening::Wish { client });
        }
        if let Some(change) = self.plan.upkeep.changes.first() {
            self.queue.push(change.at, Happening::Govern);
        }
        for (index, calm) in self.plan.calms.iter().enumerate() {
            self.queue.push(calm.until, Happening::CalmEnds { index });
        }
    }

    /// Runs to the end, or to the first thing that does not hold.
    ///
    /// # Errors
    /// That thing.
    pub fn run(mut self) -> Result<Summary, Box<Violation>> {
        self.run_to_end()
            .map_err(|(checker, detail)| Box::new(Violation { at: self.now, checker, detail }))?;
        self.summary.blocks = self.chain.height().0;
        self.summary.transactions = self.chain.transactions();
        self.summary.trace = self.trace.checksum();
        Ok(self.summary)
    }

    fn run_to_end(&mut self) -> Checked {
        while let Some((at, happening)) = self.queue.pop_before(self.plan.end) {
            self.now = at;
            self.happen(happening)?;
            if self.queue.len() > QUEUE_MAX {
                return Err((Checker::Memory, format!("{} events wait", self.queue.len())));
            }
        }
        self.check_end()
    }

    fn happen(&mut self, happening: Happening) -> Checked {
        match happening {
            Happening::Deliver { from, node, packet } => self.deliver(from, node, packet),
            Happening::Timer { node, life, timer } => self.on_timer(node, life, timer),
            Happening::Work { node, life, job } => {
                if self.is_running(node, life) {
                    self.trace.note(self.now, "work", node, 0);
                    return self.feed(node, |_| Some(Event::JobDone(job.run())));
                }
                Ok(())
            }
            Happening::FetchAsked { node, life, peer, from } => {
                self.answer_fetch(node, life, peer, from);
                Ok(())
            }
            Happening::FetchAnswered { node, life, peer, blocks } => {
                if self.is_running(node, life) {
                    return self.feed(node, |_| Some(Event::Fetched { peer, blocks }));
                }
                Ok(())
            }
            Happening::Submit { node, submission, is_gossip } => self.take(node, submission, is_gossip),
            Happening::Fault { index, begins } => self.on_fault(index, begins),
            Happening::Start { node } => self.start(node),
            Happening::Wish { client } => {
                self.wish(client);
                Ok(())
            }
            Happening::Look { submission } => self.look(submission),
            Happening::LookAtReport { node, life } => self.look_at_report(node, life),
            Happening::Govern => self.govern(),
            Happening::EndWithEpoch { node, life } => {
                self.end_with_epoch(node, life);
                Ok(())
            }
            Happening::LookBehind { node, life } => self.look_behind(node, life),
            Happening::PieceAsked { asked, server, request } => self.answer_piece(asked, server, &request),
            Happening::PieceAnswered { asked, is_honest, answer } => {
                self.take_piece(asked, is_honest, answer.map(|answer| *answer))
            }
            Happening::Prune { node, life } => self.prune(node, life),
            Happening::CalmEnds { index } => self.check_liveness(index),
        }
    }

    fn is_running(&self, node: usize, life: u64) -> bool {
        self.nodes[node].up.is_some() && self.nodes[node].life == life
    }

    /// Nodes that run as one replica.
    fn nodes_of(&self, replica: ReplicaId) -> impl Iterator<Item = usize> + use<> {
        let twins: Vec<usize> =
            (0..self.nodes.len()).filter(|node| self.nodes[*node].replica == replica.0).collect();
        twins.into_iter()
    }

    /// Whether a hospital was voted out without having heard of it. Nobody tells it: validators talk to validators alone.
    pub(crate) fn is_left_behind(&self, node: &Node) -> bool {
        let newest = self.chain.oracle().epoch();
        let number = |member: &Validator| self.setting.number_of(&member.organisation);
        let is_member = newest.validators.members().iter().any(|member| number(member) == Some(node.replica));
        !is_member && node.up.as_ref().is_some_and(|up| up.in_force.set.epoch < newest.epoch)
    }

    fn check_liveness(&self, index: usize) -> Checked {
        let calm = self.plan.calms[index];
        let mut highest = Height(0);
        let is_due = |submission: &&Submission| {
            !matches!(submission.sender, Sender::Node(_)) && submission.at < calm.from
        };
        for submission in self.submissions.iter().filter(is_due) {
            let transaction: &SignedTransaction = &submission.transaction;
            let (sender, nonce) = (transaction.transaction().sender, transaction.transaction().nonce);
            let Some(height) = self.chain.executed(sender, nonce) else {
                let detail = format!(
                    "{} was submitted at {}, the faults ended at {}, and it is not committed",
                    transaction.id(),
                    submission.at,
                    calm.from
                );
                return Err((Checker::Liveness, detail));
            };
            highest = highest.max(height);
        }
        for node in self.nodes.iter().filter(|node| node.is_correct && !self.is_left_behind(node)) {
            // An epoch may end with a calm: its nodes are away for a moment, and have what they had.
            let kept = node.is_between_epochs.then_some(node.durable);
            let tip = node.up.as_ref().map(|up| up.ledger.tip().height).or(kept);
            if tip.is_none_or(|tip| tip < highest) {
                let detail = format!(
                    "replica {} is at {tip:?}, the faults ended at {}, and block {highest} is older",
                    node.replica, calm.from
                );
                return Err((Checker::Liveness, detail));
            }
        }
        self.check_governance(calm.from)?;
        self.check_evidence(calm.from)
    }

    fn check_end(&mut self) -> Checked {
        for node in self.nodes.iter().filter(|node| node.is_correct) {
            if let Some(up) = &node.up {
                let is_archive = node.keeps.is_none() && node.copied == Height(0);
                self.chain.check_ledger(node.replica, &up.ledger, is_archive)?;
                self.chain.check_root(node.replica, &up.ledger)?;
            }
        }
        self.summary.records = self.check_accused()?;
        self.conflicts.check(self.summary.evidence)
    }
}
