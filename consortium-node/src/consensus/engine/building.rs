//! Which transactions go into which block, and when.

use super::{Engine, EngineError, Role};
use crate::consensus::event::{Action, EngineTimer, Now, TimerName};
use crate::consensus::job::{Build, BuiltBlock, Task};
use amulet_pbft::planted::Bug;
use amulet_pbft::{Input, Millis, Requests};
use amulet_protocol::ids::{HeaderHash, Height, View};

/// A block that the core asked for, while its transactions are gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    view: View,
    height: Height,
    parent: HeaderHash,
    /// Which run of the timer ends the gathering.
    generation: u64,
}

impl Batch {
    pub(super) fn new(view: View, height: Height, parent: HeaderHash) -> Self {
        Self { view, height, parent, generation: 0 }
    }
}

impl Engine {
    /// Gathers waiting transactions for as long as the load makes it worth while, and then builds.
    pub(super) fn gather(&mut self, now: Now, batch: Batch, out: &mut Vec<Action>) {
        let ready = self.parts.mempool.ready();
        self.batching.observe(now.monotonic, ready);
        let after = self.batching.delay(ready, self.in_flight.len());
        if after == Millis(0) {
            self.build(now, batch, out);
            return;
        }
        self.batches += 1;
        let generation = self.batches;
        self.batch = Some(Batch { generation, ..batch });
        let timer = EngineTimer { epoch: self.epoch.set.epoch, name: TimerName::Batch, generation };
        out.push(Action::SetTimer { timer, after });
    }

    pub(super) fn on_batch_timer(&mut self, now: Now, generation: u64, out: &mut Vec<Action>) {
        if let Some(batch) = self.batch.take_if(|batch| batch.generation == generation) {
            self.build(now, batch, out);
        }
    }

    pub(super) fn on_mempool_changed(&mut self, now: Now, out: &mut Vec<Action>) {
        let ready = self.parts.mempool.ready();
        self.batching.observe(now.monotonic, ready);
        if self.batching.is_full(ready)
            && let Some(batch) = self.batch.take()
        {
            out.push(Action::StopTimer(TimerName::Batch));
            self.build(now, batch, out);
        }
    }

    fn build(&mut self, now: Now, batch: Batch, out: &mut Vec<Action>) {
        // A newer question makes an older one void.
        self.batch = None;
        let Batch { view, height, parent, .. } = batch;
        let (Some(proposer), Some(parents)) = (self.epoch.own, self.parents(parent)) else { return };
        self.batching.on_build(now.monotonic);
        let candidates = self.parts.mempool.batch_of(self.batching.most());
        let build = Build { view, height, parents, proposer, time: now.wall, candidates };
        self.run(Task::Build(build), out);
    }

    pub(super) fn on_built(
        &mut self,
        now: Now,
        built: BuiltBlock,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        let BuiltBlock { block, inadmissible, is_final } = built;
        if is_final {
            self.drop_inadmissible(&inadmissible);
        } else {
            // They do not go with what is in flight, which may still be replaced.
            self.parts.mempool.set_aside(inadmissible.iter().copied());
            self.parked.extend(inadmissible);
        }
        match block {
            Some((block, executed)) => {
                self.speculation.keep(executed, &self.in_flight);
                self.step(now, Input::Proposal(block), out)
            }
            None => {
                // Empty first, whatever has come in since: the core asks for a height once, until it hears that nothing
                // waited.
                self.told = Requests::Empty;
                self.step(now, Input::Requests(Requests::Empty), out)
            }
        }
    }

    /// Tells the core whether transactions wait that are in no block in flight, if that has changed.
    pub(super) fn tell_requests(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        loop {
            let is_empty = self.parts.mempool.ready().transactions == 0;
            let requests = if is_empty { Requests::Empty } else { Requests::Waiting };
            if self.told == requests {
                return Ok(());
            }
            self.told = requests;
            self.step(now, Input::Requests(requests), out)?;
        }
    }

    /// Keeps the transactions of the blocks in flight out of further batches, and lets those of dropped blocks in again.
    pub(super) fn mark_in_flight(&mut self) {
        let Role::Member(replica) = &self.role else { return };
        let in_flight = replica.in_flight();
        if in_flight == self.in_flight {
            return;
        }
        let (before, committed) = (std::mem::replace(&mut self.in_flight, in_flight), self.tip().height);
        let blocks = |hashes: &[HeaderHash], but: &[HeaderHash]| -> Vec<_> {
            let changed = hashes.iter().filter(|hash| !but.contains(hash));
            changed.filter_map(|hash| self.speculation.find(*hash).cloned()).collect()
        };
        let (dropped, added) = (blocks(&before, &self.in_flight), blocks(&self.in_flight, &before));
        // What is at a committed height is dealt with when that is committed here.
        let dropped: Vec<_> = dropped.iter().filter(|block| block.height() > committed).collect();
        for block in &dropped {
            if self.is_planted(Bug::ForgetDropped) {
                self.parts.mempool.remove(&block.transaction_ids().collect::<Vec<_>>());
            }
            self.parts.mempool.put_back(block.transaction_ids());
        }
        if !dropped.is_empty() {
            self.unpark();
        }
        for block in added {
            self.parts.mempool.set_aside(block.transaction_ids());
        }
    }

    /// Lets what did not go with the blocks in flight into batches again, for those blocks have changed.
    pub(super) fn unpark(&mut self) {
        self.parts.mempool.put_back(self.parked.drain(..));
        self.mark_again();
    }

    /// After something was put back that may stand in a block in flight as well.
    pub(super) fn mark_again(&self) {
        for block in self.in_flight.iter().filter_map(|hash| self.speculation.find(*hash)) {
            self.parts.mempool.set_aside(block.transaction_ids());
        }
    }
}
