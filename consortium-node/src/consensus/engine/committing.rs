//! Final blocks: what becomes of the queue after them, and the change of epochs.

use super::{Engine, EngineError, Role, in_force};
use crate::consensus::event::{Action, Now, TimerName};
use crate::consensus::job::Task;
use crate::ledger::ExecutedBlock;
use amulet_pbft::{CommitCertificate, Input, Mode, Timer, TimerKind};
use amulet_protocol::ids::{Did, TxId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Looking for waiting transactions that no block may hold any more. At most one look is under way.
#[derive(Default)]
pub(super) struct Sweep {
    is_running: bool,
    /// Whose transactions to look at next; all of them have some in the queue, which is bounded.
    senders: BTreeSet<Did>,
    /// The progress timer that ran down, to be told to the core after a look at everything.
    held: Option<Timer>,
    /// Whether the look under way is at everything, for `held`.
    is_for_held: bool,
}

impl Sweep {
    /// Has everything looked at before this timer is told to the core.
    pub(super) fn hold(&mut self, timer: Timer) {
        self.held = Some(timer);
    }
}

impl Engine {
    pub(super) fn commit(
        &mut self,
        now: Now,
        certificate: CommitCertificate,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        let height = certificate.vote.height;
        let executed = self.speculation.find(certificate.vote.header_hash).cloned();
        self.apply(now, executed.ok_or(EngineError::Diverged { height })?, certificate, out);
        self.batching.on_commit(now.monotonic, !self.in_flight.is_empty());
        Ok(())
    }

    /// Makes a block final.
    pub(super) fn apply(
        &mut self,
        now: Now,
        block: Arc<ExecutedBlock>,
        certificate: CommitCertificate,
        out: &mut Vec<Action>,
    ) {
        let height = block.height();
        self.applied = block.hash();
        if let Some(fitness) = &mut self.fitness {
            fitness.on_block(now, &block);
        }
        self.forget(&block);
        if block.ends_epoch() {
            self.next_epoch = Some(block.next_epoch().clone());
        }
        tracing::info!(height = height.0, transactions = block.receipts().len(), "block committed");
        out.push(Action::Commit { block, certificate });
        out.push(Action::Prune(height));
        self.start_sweep(out);
    }

    /// Takes a final block's transactions out of the queue, and lets those of blocks that it overtook in again.
    fn forget(&mut self, block: &ExecutedBlock) {
        let ids: Vec<_> = block.transaction_ids().collect();
        // Somebody may have sent several transactions of one number, each to another hospital.
        let transactions = &block.block().transactions;
        self.sweep.senders.extend(transactions.iter().map(|found| found.transaction.sender));
        let overtaken = self.speculation.settle(block.height());
        for other in overtaken.iter().filter(|other| other.hash() != block.hash()) {
            self.parts.mempool.put_back(other.transaction_ids());
        }
        self.parts.mempool.remove(&ids);
        if overtaken.len() > 1 || !self.parked.is_empty() {
            self.unpark();
        }
    }

    /// Takes transactions out of the queue that no block may hold any more.
    pub(super) fn drop_inadmissible(&mut self, ids: &[TxId]) {
        self.parts.mempool.remove(ids);
        if let Some(fitness) = &mut self.fitness {
            fitness.forget(ids);
        }
    }

    /// Starts a look at the queue if one is due and none is under way.
    fn start_sweep(&mut self, out: &mut Vec<Action>) {
        if self.sweep.is_running {
            return;
        }
        let is_for_held = self.sweep.held.is_some();
        self.sweep.is_for_held = is_for_held;
        let senders = std::mem::take(&mut self.sweep.senders);
        let waiting = self.parts.mempool.waiting(|sender| is_for_held || senders.contains(sender));
        if !waiting.is_empty() {
            self.sweep.is_running = true;
            self.run(Task::Sweep(waiting), out);
        }
    }

    /// Starts the next look; if nothing is there to be looked at, the held timer has waited for nothing.
    pub(super) fn sweep_next(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        self.start_sweep(out);
        if self.sweep.is_running { Ok(()) } else { self.release_timer(now, out) }
    }

    pub(super) fn on_swept(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        self.sweep.is_running = false;
        self.tell_requests(now, out)?;
        if self.sweep.is_for_held {
            self.release_timer(now, out)?;
        }
        self.sweep_next(now, out)
    }

    fn release_timer(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        match self.sweep.held.take() {
            Some(timer) => self.step(now, Input::TimerFired(timer), out),
            None => Ok(()),
        }
    }

    /// Once the block that ends the epoch is final and the core is done, begins the next with the next validators.
    pub(super) fn enter_next_epoch(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let is_over = match &self.role {
            Role::Member(replica) => replica.mode() == Mode::Ended,
            Role::Observer(_) => true,
        };
        let Some(next) = self.next_epoch.take_if(|_| is_over) else { return Ok(()) };
        self.epoch = in_force(&self.parts, &next);
        let own = self.epoch.own.map(|own| own.0);
        tracing::info!(epoch = next.epoch.0, replica = own, "another validator set is in force");
        for name in [TimerKind::Progress, TimerKind::NewView, TimerKind::Heartbeat].map(TimerName::Core) {
            out.push(Action::StopTimer(name));
        }
        out.push(Action::StopTimer(TimerName::Batch));
        out.push(Action::StopTimer(TimerName::Follow));
        out.push(Action::EpochBegan(Box::new(self.epoch.clone())));
        self.batch = None;
        self.sweep.held = None;
        self.in_flight.clear();
        self.unpark();
        // The log has nothing of this epoch: the replica has never been in it.
        self.take_role(now, Vec::new(), out)
    }
}
