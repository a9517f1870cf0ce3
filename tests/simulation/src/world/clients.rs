//! What clients send, and how they learn what became of it.

use super::{Happening, World};
use crate::checkers::{Checked, Checker, ensure};
use crate::schedule::Behaviour;
use crate::time::Micros;
use amulet_node::mempool::{Inserted, MEMPOOL_PER_SENDER_MAX};
use amulet_protocol::ids::{ReplicaId, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::transaction::SignedTransaction;

/// A transaction that a client wants to have executed.
pub struct Submission {
    /// What it signed.
    pub transaction: SignedTransaction,
    /// When it was first sent.
    pub at: Micros,
    /// Who sends.
    pub sender: Sender,
    /// Times it was sent.
    pub tries: u32,
    /// Whether the client holds a proof of its receipt.
    pub is_acknowledged: bool,
}

/// Whose a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A client's, who stays with it whatever happens to replicas.
    Client(usize),
    /// An operator's, who stays with it likewise.
    Operator,
    /// A node's own, in the name of its hospital; forgotten when the node stops.
    Node(usize),
}

/// First and longest pause before a client looks for its receipt.
const LOOK_AFTER: (Micros, Micros) = (Micros::seconds(1), Micros::seconds(8));
/// Questions and submissions of a thousand that get lost between client and replica.
const LOST_PER_MILLE: u64 = 50;
/// Time from a client to a replica.
const WAY: Micros = Micros::millis(5);

impl World {
    /// A client's next transactions, and when it has more.
    pub(super) fn wish(&mut self, index: usize) {
        let wall: Timestamp = self.nodes[0].now(self.now).wall;
        // Clients have clocks of their own, and these are right.
        let wall = Timestamp(wall.0.saturating_add_signed(-self.nodes[0].ahead_ms));
        let wishes = self.clients[index].next(&mut self.cast, wall, &mut self.client_rng);
        for transaction in wishes {
            let submission = self.admit(transaction, Sender::Client(index));
            self.submit(submission);
        }
        let mean = self.clients[index].plan().every.0;
        let next = self.now + Micros(self.client_rng.range(mean / 2, mean * 3 / 2));
        self.queue.push(next, Happening::Wish { client: index });
    }

    /// Takes note of a transaction that somebody signed and wants to have executed.
    pub(super) fn admit(&mut self, transaction: SignedTransaction, sender: Sender) -> usize {
        self.setting.checked.insert(&transaction);
        self.chain.on_submitted(transaction.id());
        let submission = Submission { transaction, at: self.now, sender, tries: 0, is_acknowledged: false };
        self.submissions.push(submission);
        self.submissions.len() - 1
    }

    /// Sends a transaction to some replica, and plans to look for its receipt.
    pub(super) fn submit(&mut self, index: usize) {
        let node = self.any_node();
        let submission = &mut self.submissions[index];
        submission.tries += 1;
        let pause = Micros(LOOK_AFTER.0.0 << submission.tries.min(10)).min(LOOK_AFTER.1);
        if !self.client_rng.chance(LOST_PER_MILLE) {
            let taken = Happening::Submit { node, submission: index, is_gossip: false };
            self.queue.push(self.now + WAY, taken);
        }
        self.queue.push(self.now + pause, Happening::Look { submission: index });
    }

    fn any_node(&mut self) -> usize {
        let nodes = self.nodes.len() as u64;
        usize::try_from(self.client_rng.range(0, nodes)).expect("few nodes")
    }

    /// A replica takes a transaction and passes it on to the others.
    pub(super) fn take(&mut self, index: usize, submission: usize, is_gossip: bool) -> Checked {
        let (replica, sender) = (self.nodes[index].replica, self.submissions[submission].sender);
        let Some(up) = &self.nodes[index].up else { return Ok(()) };
        let is_censored = sender == Sender::Client(0)
            && (self.setting.has_bug("censor-one")
                || self.minds.get(&replica).is_some_and(|mind| mind.has(Behaviour::Censor)));
        let transaction = self.submissions[submission].transaction.clone();
        let is_settled = up.ledger.contains(transaction.id()).unwrap_or(true);
        if is_censored || is_settled {
            return Ok(());
        }
        let (id, sender) = (transaction.id(), transaction.transaction().sender);
        let inserted = up.mempool.insert(transaction);
        let waiting = up.mempool.waiting(|waiting| *waiting == sender).len();
        if inserted == Ok(Inserted::New) {
            self.nodes[index].taken.insert(id, submission);
            self.nodes[index].waiting += 1;
        }
        if !is_gossip && inserted.is_ok() {
            self.pass_on(index, submission);
        }
        ensure(waiting <= MEMPOOL_PER_SENDER_MAX || !self.nodes[index].is_correct, Checker::Memory, || {
            format!("{waiting} transactions of one sender wait, at most {MEMPOOL_PER_SENDER_MAX} should")
        })?;
        self.feed_news(index)
    }

    /// What a replica took and has no longer is settled, or can never be in a block.
    pub(super) fn check_custody(&mut self, index: usize) -> Checked {
        let node = &mut self.nodes[index];
        let Some(up) = node.up.as_ref().filter(|_| node.is_correct) else { return Ok(()) };
        let waiting = up.mempool.len();
        if waiting >= std::mem::replace(&mut node.waiting, waiting) {
            return Ok(());
        }
        let gone: Vec<_> = node
            .taken
            .iter()
            .filter(|(id, _)| !up.mempool.contains(**id))
            .map(|(id, at)| (*id, *at))
            .collect();
        for (id, at) in gone {
            node.taken.remove(&id);
            let is_settled = up.ledger.contains(id).unwrap_or(true);
            let transaction = &self.submissions[at].transaction;
            let is_admissible = up.ledger.inadmissible([transaction]).is_ok_and(|no| no.is_empty());
            // Of two with one nonce it is enough to keep the one that stands in a block in flight.
            let place = |other: &SignedTransaction| (other.transaction().sender, other.transaction().nonce);
            let mut rivals = self.submissions.iter().map(|other| &other.transaction);
            let has_rival = rivals.any(|other| other.id() != id && place(other) == place(transaction));
            let forgotten = !is_settled && is_admissible && !has_rival;
            ensure(!forgotten, Checker::Custody, || {
                format!("replica {} took {id} and has forgotten it", node.replica)
            })?;
        }
        Ok(())
    }

    /// Transactions are passed on as messages are: they may be lost, and then the client comes again.
    pub(super) fn pass_on(&mut self, index: usize, submission: usize) {
        let from = self.nodes[index].replica;
        for to in 0..self.plan.hospitals() {
            if to == from {
                continue;
            }
            for node in self.nodes_of(ReplicaId(to)) {
                let Some(time) = self.network.travel(index, node, "transaction")[0] else { continue };
                let taken = Happening::Submit { node, submission, is_gossip: true };
                self.queue.push(self.now + time, taken);
            }
        }
    }

    /// A client asks some replica for the receipt, and sends the transaction again if there is none.
    pub(super) fn look(&mut self, index: usize) -> Checked {
        if self.submissions[index].is_acknowledged {
            return Ok(());
        }
        let transaction = self.submissions[index].transaction.transaction();
        let key = (transaction.sender, transaction.nonce);
        let id = self.submissions[index].transaction.id();
        let node = self.any_node();
        let answer = match &self.nodes[node].up {
            Some(up) if !self.client_rng.chance(LOST_PER_MILLE) => {
                up.ledger.answer(&LightRequest::Receipt(id)).ok()
            }
            _ => None,
        };
        if self.setting.has_bug("ack-before-commit") {
            // What waits at a replica is taken for settled.
            let waits = self.nodes[node].up.as_ref().is_some_and(|up| up.mempool.contains(id));
            if waits {
                self.chain.on_word(id);
                self.submissions[index].is_acknowledged = true;
                return Ok(());
            }
        }
        if let Some(LightResponse::Receipt(proof)) = answer
            && self.chain.on_receipt(id, &proof)?
        {
            self.submissions[index].is_acknowledged = true;
            self.summary.acknowledged += 1;
            return Ok(());
        }
        // The other of two transactions with one nonce was executed: this one never will be.
        if self.chain.executed_instead(key.0, key.1, id) {
            return Ok(());
        }
        self.submit(index);
        Ok(())
    }
}
