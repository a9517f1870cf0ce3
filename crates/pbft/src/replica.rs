//! A replica's state, and the dispatch of inputs to the rules.

use std::collections::{BTreeMap, VecDeque};

use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};

use crate::certificate::PreparedCertificate;
use crate::checkpoint::Checkpoints;
use crate::config::{Config, Millis};
use crate::effect::{Effect, Outcome, Step};
use crate::fitness::Suspicion;
use crate::future::FutureMessages;
use crate::input::{Input, Requests};
use crate::limits::BACKOFF_DOUBLINGS_MAX;
use crate::message::{Content, Message, NewView, PrePrepare, Signed, ViewChange};
use crate::payload::{Payload, PayloadDigest};
use crate::planted::Bug;
use crate::record::{LogEntry, LogRecord};
use crate::recovery::Tip;
use crate::rejection::Rejection;
use crate::signer::Signer;
use crate::slot::{RetainedPayloads, Slot};
use crate::stale::Bounds;
use crate::status::Peers;
use crate::timer::{Timer, TimerKind, Timers};
use crate::verify::VerifiedMessage;

/// Whether the replica takes part in its view, or asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It takes part in ordering.
    Normal,
    /// It has asked for `target` and takes part in no view until a new-view for that or a later one arrives.
    ViewChange {
        /// The view asked for.
        target: View,
    },
    /// The block that ends the epoch is committed: this replica is done, and takes nothing any more. The driver makes
    /// another one with the next validator set.
    Ended,
}

/// What this replica has prepared at a height in flight, in the highest view in which it did.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) certificate: PreparedCertificate,
    pub(crate) payload: Payload,
}

/// One replica of the protocol. Made by [`Replica::new`] or [`Replica::recover`], driven by [`Replica::step`].
pub struct Replica {
    pub(crate) config: Config,
    signer: Box<dyn Signer>,
    /// The last committed block.
    pub(crate) tip: Tip,
    /// The view entered last.
    pub(crate) view: View,
    pub(crate) mode: Mode,
    /// What started `view`; `None` in view 0.
    pub(crate) new_view: Option<Signed<NewView>>,
    /// Height up to which the view's certificate proved everything final: the view orders nothing there.
    pub(crate) base: Height,
    /// What the view must begin with, above the tip.
    pub(crate) carried: BTreeMap<Height, Signed<PrePrepare>>,
    /// The heights in flight, from the one after the tip to twice the depth: what is further up than the depth waits for
    /// the tip to move.
    pub(crate) slots: BTreeMap<Height, Slot>,
    /// By height above the tip; what is linked to the tip is shown when this replica leaves its view.
    pub(crate) prepared: BTreeMap<Height, Prepared>,
    pub(crate) retained: RetainedPayloads,
    /// The newest view-change of each replica, this one included; all for views above `view`.
    pub(crate) view_changes: BTreeMap<ReplicaId, Signed<ViewChange>>,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) future: FutureMessages,
    pub(crate) peers: Peers,
    pub(crate) requests: Requests,
    /// The view, height and parent for which the driver was asked to propose.
    pub(crate) asked: Option<(View, Height, HeaderHash)>,
    /// View changes begun since the last commit; sets the timeouts.
    pub(crate) failures: u32,
    pub(crate) timers: Timers,
    /// Kept messages whose time may have come; empty between steps.
    pub(crate) ready: VecDeque<VerifiedMessage>,
    /// What this step leads to; empty between steps.
    pub(crate) effects: Vec<Effect>,
}

/// When to handle a message of the normal case.
enum Placement {
    Now,
    Later,
}

impl Replica {
    /// A replica that holds nothing but its place.
    pub(crate) fn at(config: Config, signer: Box<dyn Signer>, tip: Tip) -> Self {
        let epoch = config.epoch();
        Self {
            view: epoch.first_view(),
            base: config.epoch_start(),
            config,
            signer,
            tip,
            mode: Mode::Normal,
            new_view: None,
            carried: BTreeMap::new(),
            slots: BTreeMap::new(),
            prepared: BTreeMap::new(),
            retained: RetainedPayloads::default(),
            view_changes: BTreeMap::new(),
            checkpoints: Checkpoints::default(),
            future: FutureMessages::default(),
            peers: Peers::default(),
            requests: Requests::Empty,
            asked: None,
            failures: 0,
            timers: Timers::default(),
            ready: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Takes one input and says what to do: the only way in. Deterministic; never blocks.
    pub fn step(&mut self, input: Input) -> Step {
        let outcome = match self.handle(input) {
            Ok(()) => Outcome::Accepted,
            Err(rejection) => Outcome::Ignored(rejection),
        };
        Step { effects: self.finish(), outcome }
    }

    /// The view entered last.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether this replica takes part in its view.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The last committed block.
    #[must_use]
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// The low water mark: the last stable checkpoint.
    #[must_use]
    pub fn low_water_mark(&self) -> Height {
        self.checkpoints.low
    }

    /// The primary of the view entered last.
    #[must_use]
    pub fn primary(&self) -> ReplicaId {
        self.config.primary_of(self.view)
    }

    /// Whether this replica is the primary of the view entered last.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.primary() == self.config.replica()
    }

    /// The configuration this replica runs with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The blocks that this replica has accepted in its view above the tip, in order: the chain on which the next block is
    /// built.
    #[must_use]
    pub fn in_flight(&self) -> Vec<HeaderHash> {
        self.slots.values().map_while(|slot| slot.progress.accepted_hash()).collect()
    }

    fn handle(&mut self, input: Input) -> Result<(), Rejection> {
        if self.mode == Mode::Ended {
            return Err(Rejection::EpochEnded { last: self.tip.height });
        }
        match input {
            Input::Message(message) => self.on_message(message),
            Input::Proposal(block) => self.on_proposal(block),
            Input::Validated { view, height, header_hash, verdict, ends_epoch } => {
                self.on_validated(view, height, header_hash, verdict, ends_epoch)
            }
            Input::Synced { certificate, ends_epoch } => self.on_synced(certificate, ends_epoch),
            Input::Suspect(suspicion) => self.on_suspicion(suspicion),
            Input::Requests(requests) => {
                self.requests = requests;
                if requests == Requests::Empty {
                    self.asked = None;
                }
                Ok(())
            }
            Input::TimerFired(timer) => self.on_timer(timer),
        }
    }

    fn on_message(&mut self, message: VerifiedMessage) -> Result<(), Rejection> {
        if message.sender() == self.config.replica() {
            return Err(Rejection::OwnMessage { replica: message.sender() });
        }
        if self.is_planted(Bug::AccuseHonest) {
            self.accuse_honest(message.message());
        }
        let (found, expected) = (message.epoch(), self.config.epoch());
        if found != expected {
            return Err(Rejection::Epoch { found, expected });
        }
        self.peers.heard.insert(message.sender());
        if let Some((view, height)) = message.message().place()
            && let Placement::Later = self.place(view, height)?
        {
            self.future.keep(view, height, message);
            return Ok(());
        }
        match message.into_message() {
            Message::PrePrepare(signed, payload) => self.on_pre_prepare(signed, payload),
            Message::Prepare(signed) => self.on_prepare(signed),
            Message::Commit(signed) => self.on_commit(signed),
            Message::Checkpoint(signed) => self.on_checkpoint(signed),
            Message::ViewChange(signed) => self.on_view_change(signed),
            Message::NewView(signed) => self.on_new_view(signed),
            Message::Status(signed) => self.on_status(&signed),
            Message::PayloadRequest(signed) => self.on_payload_request(&signed),
            Message::PayloadReply(signed, payload) => self.on_payload_reply(&signed, payload),
        }
    }

    /// Rule PBFT-NC-10: messages of the normal case count in the active view at the heights in flight; those ahead of
    /// them are kept, those behind or beyond the window refused.
    fn place(&self, view: View, height: Height) -> Result<Placement, Rejection> {
        self.bounds().check(view, height)?;
        let is_now = (self.mode == Mode::Normal || self.is_planted(Bug::VoteInLeftView))
            && view == self.view
            && height <= self.highest_slot();
        Ok(if is_now { Placement::Now } else { Placement::Later })
    }

    /// Between what a message of the normal case may still matter.
    pub(crate) fn bounds(&self) -> Bounds {
        let view = if self.is_planted(Bug::VoteInLeftView) { self.view } else { self.target() };
        let (low, high) = (self.checkpoints.low, self.checkpoints.high(&self.config));
        Bounds { view, tip: self.tip.height, low, high }
    }

    /// Rule PBFT-TM-1: only the current run of a timer counts.
    fn on_timer(&mut self, timer: Timer) -> Result<(), Rejection> {
        if !self.timers.fire(timer) {
            return Err(Rejection::StaleTimer(timer));
        }
        match timer.kind {
            // Started anew at the end of this step.
            TimerKind::Progress if self.is_cut_off() => {}
            TimerKind::Progress | TimerKind::NewView => self.start_view_change(self.target().next()),
            TimerKind::Heartbeat => self.on_heartbeat(),
        }
        Ok(())
    }

    /// Rule PBFT-PF-1: a primary that the driver's monitor found unfit is left, as if it had missed a deadline.
    fn on_suspicion(&mut self, suspicion: Suspicion) -> Result<(), Rejection> {
        if self.mode != Mode::Normal || suspicion.view != self.view {
            return Err(Rejection::StaleView { message: suspicion.view, current: self.target() });
        }
        if self.is_cut_off() {
            let (heard, needed) = (self.peers.heard.len(), self.threshold() - 1);
            return Err(Rejection::CutOff { heard, needed });
        }
        self.start_view_change(self.view.next());
        Ok(())
    }

    /// Rule PBFT-TM-5: who has not heard enough others to make a quorum with does not leave its view. Nothing could be
    /// committed anyway, and a replica that leaves alone stays out of the view in which the others go on.
    fn is_cut_off(&self) -> bool {
        self.peers.heard.len() + 1 < self.config.quorum().threshold() && !self.is_planted(Bug::RunAhead)
    }

    /// Ends a step: looks at kept messages again, asks for a block, and sets the timers by the state reached.
    pub(crate) fn finish(&mut self) -> Vec<Effect> {
        while let Some(message) = self.ready.pop_front() {
            // Kept messages are a courtesy: one that no longer fits is dropped.
            let _ = self.on_message(message);
        }
        self.propose_if_due();
        self.set_timers();
        if self.mode == Mode::Ended {
            self.stop_timer(TimerKind::Heartbeat);
        }
        std::mem::take(&mut self.effects)
    }

    /// Rules PBFT-TM-2 and PBFT-TM-3: which timers run is a function of the state.
    fn set_timers(&mut self) {
        let is_busy = self.requests == Requests::Waiting
            || self.slots.values().any(|slot| slot.progress.pre_prepare().is_some());
        let is_watching = self.mode == Mode::Normal && is_busy && !self.is_planted(Bug::NeverLeaveView);
        self.set_timer(TimerKind::Progress, is_watching);
        self.set_timer(TimerKind::NewView, self.is_new_view_due());
    }

    fn set_timer(&mut self, kind: TimerKind, is_wanted: bool) {
        if is_wanted && !self.timers.is_running(kind) {
            let timeout = self.timeout();
            self.start_timer(kind, timeout);
        } else if !is_wanted {
            self.stop_timer(kind);
        }
    }

    pub(crate) fn start_timer(&mut self, kind: TimerKind, duration: Millis) {
        if kind == TimerKind::Progress {
            self.peers.heard.clear();
        }
        let timer = self.timers.start(kind);
        self.effects.push(Effect::StartTimer(timer, duration));
    }

    pub(crate) fn stop_timer(&mut self, kind: TimerKind) {
        if self.timers.stop(kind) {
            self.effects.push(Effect::StopTimer(kind));
        }
    }

    /// Rule PBFT-TM-4: the first view change after a commit waits the configured time, each further one twice as long
    /// as the one before.
    fn timeout(&self) -> Millis {
        let timeouts = self.config.timeouts();
        let doublings = self.failures.saturating_sub(1).min(BACKOFF_DOUBLINGS_MAX);
        let millis = timeouts.progress.0.saturating_mul(1 << doublings);
        Millis(millis.min(timeouts.progress_max.0))
    }

    /// The view that this replica is in or asks for; it votes in none below.
    pub(crate) fn target(&self) -> View {
        match self.mode {
            Mode::Normal | Mode::Ended => self.view,
            Mode::ViewChange { target } => target,
        }
    }

    /// The lowest height in flight.
    pub(crate) fn active_height(&self) -> Height {
        self.tip.height.next()
    }

    /// The highest height that may be accepted now.
    pub(crate) fn highest_in_flight(&self) -> Height {
        Height(self.tip.height.0.saturating_add(self.config.depth()))
    }

    /// The highest height of which votes and proposals are taken. The others' tips may be ahead of this one's by as much
    /// as they have in flight.
    fn highest_slot(&self) -> Height {
        Height(self.tip.height.0.saturating_add(2 * self.config.depth()))
    }

    /// The slot of a height above the tip.
    pub(crate) fn slot_mut(&mut self, height: Height) -> &mut Slot {
        let since = self.peers.heartbeats;
        self.slots.entry(height).or_insert_with(|| Slot { since, ..Slot::default() })
    }

    /// Looks again at what was kept for the view and the heights reached.
    pub(crate) fn take_ready(&mut self) {
        self.ready.extend(self.future.take(self.view, self.highest_slot()));
    }

    /// Votes that make a quorum.
    pub(crate) fn threshold(&self) -> usize {
        let threshold = self.config.quorum().threshold();
        if self.is_planted(Bug::QuorumOffByOne) { threshold - 1 } else { threshold }
    }

    pub(crate) fn is_planted(&self, bug: Bug) -> bool {
        self.config.is_planted(bug)
    }

    pub(crate) fn persist(&mut self, entry: LogEntry) {
        self.effects.push(Effect::Persist(LogRecord { epoch: self.config.epoch(), entry }));
    }

    pub(crate) fn sign<T: Content>(&self, content: T) -> Signed<T> {
        Signed::new(content, self.config.replica(), self.signer.as_ref())
    }

    /// A payload of a height in flight, from wherever this replica has it.
    pub(crate) fn find_payload(&self, height: Height, digest: PayloadDigest) -> Option<Payload> {
        let prepared = self.prepared.get(&height).map(|prepared| &prepared.payload);
        let in_slot = self.slots.get(&height).and_then(|slot| slot.progress.payload());
        prepared
            .into_iter()
            .chain(in_slot)
            .find(|payload| payload.digest() == digest)
            .or_else(|| self.retained.find(height, digest))
            .cloned()
    }
}
