//! The engine under tokio: carries its actions out with a disk, a clock, timers and a network. It decides nothing.

use super::admission::{self, Admitted};
use super::engine::{ConsensusStatus, Engine, EngineError, EngineParts};
use super::event::{Action, EngineTimer, Event, Now, TimerName};
use super::gate::Gate;
use super::job::Job;
use super::log::{Log, LogError};
use super::reporter::EvidenceOutlet;
use crate::ledger::{CommitError, Ledger};
use crate::network::{ConsensusMessage, Network, PeerRequest, PeerResponse};
use amulet_pbft::Millis;
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::ids::{Height, ReplicaId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Results of background work waiting for the driver; there is little of it at once.
const RESULTS_MAX: usize = 64;
/// Events handled before their actions are carried out, so that one write to the disk serves them all.
const EVENTS_AT_ONCE: usize = 64;

/// What the driver works with.
pub struct DriverParts {
    /// What the engine works with.
    pub engine: EngineParts,
    /// The consensus log.
    pub log: Box<dyn Log>,
    /// Takes evidence against other replicas.
    pub evidence: EvidenceOutlet,
    /// The network.
    pub network: Network,
    /// Messages of other replicas.
    pub inbox: mpsc::Receiver<ConsensusMessage>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Why the driver stopped. It never goes on after one of these: a vote that rests on a failed write could contradict an
/// earlier one.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The engine cannot go on.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The ledger would not commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A job panicked: a bug. The engine would wait for its result for ever.
    #[error("a job of consensus ({kind}) panicked, which is a bug; see the lines before this one")]
    JobLost {
        /// What it was to do.
        kind: &'static str,
    },
}

/// The task that owns the engine.
pub struct Driver {
    engine: Engine,
    ledger: Ledger,
    log: Box<dyn Log>,
    network: Network,
    evidence: EvidenceOutlet,
    /// The validators that actions carried out now are for: the engine may be an epoch further.
    others: Vec<ReplicaId>,
    messages: mpsc::Receiver<Admitted>,
    gate: watch::Sender<Gate>,
    waiting: watch::Receiver<usize>,
    clock: Clock,
    timers: BTreeMap<TimerName, (Instant, EngineTimer)>,
    results: (mpsc::Sender<Done>, mpsc::Receiver<Done>),
    status: watch::Sender<ConsensusStatus>,
}

/// What came of background work.
type Done = Result<Event, DriverError>;

struct Clock {
    wall: fn() -> Timestamp,
    start: Instant,
}

impl Clock {
    fn now(&self) -> Now {
        let since = self.start.elapsed().as_millis();
        Now { monotonic: Millis(u64::try_from(since).unwrap_or(u64::MAX)), wall: (self.wall)() }
    }
}

impl Driver {
    /// Recovers the engine from log and ledger and carries out its first actions.
    ///
    /// # Errors
    /// [`DriverError`] by variant.
    pub async fn start(parts: DriverParts) -> Result<(Self, watch::Receiver<ConsensusStatus>), DriverError> {
        let DriverParts { engine, log, evidence, network, inbox, now } = parts;
        let (ledger, waiting) = (engine.ledger.clone(), engine.mempool.subscribe());
        let clock = Clock { wall: now, start: Instant::now() };
        let (engine, actions) = Engine::start(engine, log.load()?, clock.now())?;
        let (status, receiver) = watch::channel(engine.status());
        let (gate, admits) = watch::channel(engine.gate());
        let others = engine.epoch().others();
        let mut driver = Self {
            engine,
            ledger,
            log,
            network,
            evidence,
            messages: admission::start(inbox, &admits),
            gate,
            others,
            waiting,
            clock,
            timers: BTreeMap::new(),
            results: mpsc::channel(RESULTS_MAX),
            status,
        };
        driver.carry_out(actions)?;
        Ok((driver, receiver))
    }

    /// Runs until a failure, or until nobody can send messages any more.
    ///
    /// # Errors
    /// [`DriverError`] by variant.
    pub async fn run(mut self) -> Result<(), DriverError> {
        while let Some(done) = self.next_event().await {
            let mut actions = Vec::new();
            let mut next = done;
            let mut handled = 0;
            while let Some(done) = next {
                actions.append(&mut self.engine.handle(self.clock.now(), done?)?);
                handled += 1;
                next = if handled < EVENTS_AT_ONCE { self.ready_event() } else { None };
            }
            // Before the actions: an answer to what they ask for is to be let in.
            self.gate.send_replace(self.engine.gate());
            self.carry_out(actions)?;
            let status = self.engine.status();
            self.status.send_if_modified(|current| std::mem::replace(current, status) != status);
        }
        Ok(())
    }

    /// Waits for an event; `None` when there will be no messages any more, `Some(None)` when it turned out to be nothing.
    async fn next_event(&mut self) -> Option<Option<Done>> {
        let alarm = self.timers.values().map(|(at, _)| *at).min();
        Some(tokio::select! {
            message = self.messages.recv() => Some(Ok(message?.event)),
            Some(done) = self.results.1.recv() => Some(done),
            Ok(()) = self.waiting.changed() => Some(Ok(Event::MempoolChanged)),
            () = sleep_until(alarm) => self.due().map(|timer| Ok(Event::Timer(timer))),
        })
    }

    /// An event that is there already. Results first: messages may make them void, never the other way round.
    fn ready_event(&mut self) -> Option<Done> {
        if let Ok(done) = self.results.1.try_recv() {
            return Some(done);
        }
        self.messages.try_recv().ok().map(|admitted| Ok(admitted.event))
    }

    fn due(&mut self) -> Option<EngineTimer> {
        let now = Instant::now();
        let name = self.timers.iter().find(|(_, (at, _))| *at <= now).map(|(name, _)| *name)?;
        self.timers.remove(&name).map(|(_, timer)| timer)
    }

    /// Carries actions out in order: the contract is written on [`Action`].
    fn carry_out(&mut self, actions: Vec<Action>) -> Result<(), DriverError> {
        let mut actions = actions.into_iter().peekable();
        while actions.peek().is_some() {
            let mut segment = Vec::new();
            let mut commit = None;
            for action in actions.by_ref() {
                if let Action::Commit { block, certificate } = action {
                    commit = Some((block, certificate));
                    break;
                }
                segment.push(action);
            }
            self.carry_out_together(segment)?;
            if let Some((block, certificate)) = commit {
                tokio::task::block_in_place(|| self.ledger.commit(&block, certificate))?;
            }
        }
        Ok(())
    }

    /// Carries out actions between two commits. Their records are written as one, in the place of the first: what comes
    /// after that waits for more than it must, and nothing goes out before its record. Jobs need no record, and begin
    /// while the disk works.
    fn carry_out_together(&mut self, actions: Vec<Action>) -> Result<(), DriverError> {
        let mut records = Vec::new();
        let mut after = Vec::new();
        for action in actions {
            match action {
                Action::Append(more) => records.extend(more),
                Action::Run(job) => self.run_job(job),
                action if records.is_empty() => self.perform(action)?,
                action => after.push(action),
            }
        }
        if !records.is_empty() {
            tokio::task::block_in_place(|| self.log.append(&records))?;
        }
        after.into_iter().try_for_each(|action| self.perform(action))
    }

    /// Carries out one action that is neither a write nor a job.
    fn perform(&mut self, action: Action) -> Result<(), DriverError> {
        match action {
            Action::Prune(committed) => self.log.prune(committed)?,
            Action::Send { to, bytes } => self.network.send(to, bytes),
            Action::Broadcast { bytes } => {
                for replica in &self.others {
                    self.network.send(*replica, bytes.clone());
                }
            }
            Action::SetTimer { timer, after: Millis(ms) } => {
                self.timers.insert(timer.name, (Instant::now() + Duration::from_millis(ms), timer));
            }
            Action::StopTimer(name) => {
                self.timers.remove(&name);
            }
            Action::Fetch { peer, from } => self.fetch(peer, from),
            Action::SubmitEvidence { epoch, evidence } => {
                self.evidence.report(ReportEvidence { epoch, evidence: *evidence });
            }
            Action::EpochBegan(epoch) => self.others = epoch.others(),
            Action::Append(_) | Action::Commit { .. } | Action::Run(_) => {
                unreachable!("writes and jobs are carried out before")
            }
        }
        Ok(())
    }

    fn run_job(&self, job: Job) {
        let (results, kind) = (self.results.0.clone(), job.kind());
        tokio::spawn(async move {
            let done = match tokio::task::spawn_blocking(move || job.run()).await {
                Ok(result) => Ok(Event::JobDone(result)),
                Err(lost) if lost.is_panic() => Err(DriverError::JobLost { kind }),
                // The node is closing.
                Err(_) => return,
            };
            // Nobody waits for it any more if the driver has stopped.
            let _ = results.send(done).await;
        });
    }

    fn fetch(&self, peer: ReplicaId, from: Height) {
        let (network, results) = (self.network.clone(), self.results.0.clone());
        tokio::spawn(async move {
            let blocks = match network.ask(peer, PeerRequest::Blocks { from }).await {
                Some(PeerResponse::Blocks(blocks)) => Some(blocks),
                _ => None,
            };
            let _ = results.send(Ok(Event::Fetched { peer, blocks })).await;
        });
    }
}

async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
