//! Watches the primary, and leaves its view when it is unfit though it keeps every deadline.

use super::{Engine, EngineError, Role};
use crate::consensus::event::{Action, Now};
use crate::ledger::ExecutedBlock;
use amulet_pbft::fitness::{Demands, PrimaryMonitor, Suspicion};
use amulet_pbft::{Input, Millis, Mode, Replica, Requests};
use amulet_protocol::ids::{Height, TxId, View};
use std::collections::BTreeMap;

/// What this replica sees of its primary.
pub(super) struct Fitness {
    monitor: PrimaryMonitor,
    view: View,
    /// Since when proposals of the primary are executed here; as many as heights can be in flight.
    executing: BTreeMap<Height, Millis>,
    /// How long the last execution took.
    work: Millis,
    /// What the monitor found, until the core acts on it: it does not while it hears too few others.
    found: Option<Suspicion>,
    /// Place in the queue up to which requests are watched.
    watched_to: u64,
}

impl Fitness {
    /// Watches a replica from now on.
    pub(super) fn new(now: Now, replica: &Replica) -> Self {
        let config = replica.config();
        let demands = Demands::for_timeouts(config.timeouts());
        let view = target(replica);
        Self {
            monitor: PrimaryMonitor::new(demands, config.quorum().faults(), now.monotonic, view),
            view,
            executing: BTreeMap::new(),
            work: Millis(0),
            found: None,
            watched_to: 0,
        }
    }

    /// The primary proposed a block of its own, which is executed now.
    pub(super) fn on_proposal(&mut self, now: Now, height: Height) {
        self.monitor.on_proposal(now.monotonic, self.work);
        self.executing.insert(height, now.monotonic);
    }

    /// It was executed.
    pub(super) fn on_executed(&mut self, now: Now, height: Height) {
        if let Some(since) = self.executing.remove(&height) {
            self.work = Millis(now.monotonic.0.saturating_sub(since.0));
        }
    }

    /// A block is final.
    pub(super) fn on_block(&mut self, now: Now, block: &ExecutedBlock) {
        let ids: Vec<TxId> = block.transaction_ids().collect();
        self.monitor.on_block(now.monotonic, &ids);
        self.executing = self.executing.split_off(&block.height().next());
    }

    /// These can be in no block any more.
    pub(super) fn forget(&mut self, ids: &[TxId]) {
        ids.iter().for_each(|id| self.monitor.forget(id));
    }
}

/// The view that a replica is in or asks for.
fn target(replica: &Replica) -> View {
    match replica.mode() {
        Mode::ViewChange { target } => target,
        Mode::Normal | Mode::Ended => replica.view(),
    }
}

impl Engine {
    /// Tells the monitor what has changed, and the core what the monitor finds. At the end of each event.
    pub(super) fn watch_primary(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let (Role::Member(replica), Some(fitness)) = (&self.role, &mut self.fitness) else { return Ok(()) };
        let view = target(replica);
        if view != fitness.view {
            tracing::debug!(from = fitness.view.0, to = view.0, "on the way to another view");
            fitness.view = view;
            fitness.executing.clear();
            fitness.found = None;
            fitness.monitor.enter_view(now.monotonic, view);
        }
        let (new, watched_to) = self.parts.mempool.arrived_since(fitness.watched_to);
        fitness.watched_to = watched_to;
        new.into_iter().for_each(|id| fitness.monitor.on_request(id));
        let depth = self.in_flight.len() as u64;
        let top = self.in_flight.last().and_then(|hash| self.speculation.find(*hash));
        let ends_epoch = top.is_some_and(|block| block.ends_epoch());
        let high = replica.low_water_mark().0 + replica.config().window();
        let is_owing = self.told == Requests::Waiting
            && replica.mode() == Mode::Normal
            && fitness.executing.is_empty()
            && depth < replica.config().depth()
            && replica.tip().height.0 + depth < high
            && !ends_epoch;
        fitness.monitor.set_owing(now.monotonic, is_owing);
        if replica.is_primary() {
            return Ok(());
        }
        if let Some(found) = fitness.monitor.judge(now.monotonic) {
            tracing::warn!(view = found.view.0, cause = ?found.cause, "the primary is unfit");
            fitness.found = Some(found);
        }
        match fitness.found {
            Some(found) => self.step(now, Input::Suspect(found), out),
            None => Ok(()),
        }
    }
}
