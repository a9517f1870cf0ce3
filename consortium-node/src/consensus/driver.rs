//! The engine under tokio: carries its actions out with a disk, a clock, timers and a network. It decides nothing.

use super::engine::{ConsensusStatus, Engine, EngineError, EngineParts};
use super::event::{Action, EngineTimer, Event, Now, TimerName};
use super::gate::GateRefusal;
use super::log::{Log, LogError};
use crate::ledger::{CommitError, Ledger};
use crate::network::{ConsensusMessage, Network, PeerRequest, PeerResponse};
use amulet_pbft::Millis;
use amulet_protocol::ids::{Height, ReplicaId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Results of background work waiting for the driver; there is little of it at once.
const RESULTS_MAX: usize = 64;

/// What the driver works with.
pub struct DriverParts {
    /// What the engine works with.
    pub engine: EngineParts,
    /// The consensus log.
    pub log: Box<dyn Log>,
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
}

/// The task that owns the engine.
pub struct Driver {
    engine: Engine,
    ledger: Ledger,
    log: Box<dyn Log>,
    network: Network,
    inbox: mpsc::Receiver<ConsensusMessage>,
    waiting: watch::Receiver<usize>,
    clock: Clock,
    timers: BTreeMap<TimerName, (Instant, EngineTimer)>,
    results: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    status: watch::Sender<ConsensusStatus>,
}

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
        let DriverParts { engine, log, network, inbox, now } = parts;
        let (ledger, waiting) = (engine.ledger.clone(), engine.mempool.subscribe());
        let clock = Clock { wall: now, start: Instant::now() };
        let (engine, actions) = Engine::start(engine, log.load()?, clock.now())?;
        let (status, receiver) = watch::channel(engine.status());
        let mut driver = Self {
            engine,
            ledger,
            log,
            network,
            inbox,
            waiting,
            clock,
            timers: BTreeMap::new(),
            results: mpsc::channel(RESULTS_MAX),
            status,
        };
        driver.carry_out(actions)?;
        Ok((driver, receiver))
    }

    /// Runs until a failure.
    ///
    /// # Errors
    /// [`DriverError`] by variant.
    pub async fn run(mut self) -> Result<(), DriverError> {
        loop {
            let alarm = self.timers.values().map(|(at, _)| *at).min();
            let event = tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.admit(message),
                    None => return Ok(()),
                },
                Some(event) = self.results.1.recv() => Some(event),
                Ok(()) = self.waiting.changed() => Some(Event::MempoolChanged),
                () = sleep_until(alarm) => self.due().map(Event::Timer),
            };
            if let Some(event) = event {
                let actions = self.engine.handle(self.clock.now(), event)?;
                self.carry_out(actions)?;
                let status = self.engine.status();
                self.status.send_if_modified(|current| std::mem::replace(current, status) != status);
            }
        }
    }

    fn admit(&self, message: ConsensusMessage) -> Option<Event> {
        let ConsensusMessage { from, bytes, place } = message;
        let admitted = self.engine.gate().admit(Some(from), &bytes);
        // Only now, when the work it made is done, may the sender have another one waiting.
        drop(place);
        match admitted {
            Ok(verified) => Some(Event::Message(verified)),
            Err(GateRefusal::EpochAhead { .. }) => Some(Event::PeerAhead { peer: from }),
            Err(refusal) => {
                tracing::debug!(replica = from.0, %refusal, "message refused");
                None
            }
        }
    }

    fn due(&mut self) -> Option<EngineTimer> {
        let now = Instant::now();
        let name = self.timers.iter().find(|(_, (at, _))| *at <= now).map(|(name, _)| *name)?;
        self.timers.remove(&name).map(|(_, timer)| timer)
    }

    /// Carries actions out in order: the contract is written on [`Action`].
    fn carry_out(&mut self, actions: Vec<Action>) -> Result<(), DriverError> {
        for action in actions {
            match action {
                Action::Append(records) => tokio::task::block_in_place(|| self.log.append(&records))?,
                Action::Prune(committed) => self.log.prune(committed)?,
                Action::Commit { block, certificate } => {
                    tokio::task::block_in_place(|| self.ledger.commit(&block, certificate))?;
                }
                Action::Send { to, bytes } => self.network.send(to, bytes),
                Action::Broadcast { bytes } => {
                    for replica in self.engine.others() {
                        self.network.send(replica, bytes.clone());
                    }
                }
                Action::SetTimer { timer, after: Millis(ms) } => {
                    self.timers.insert(timer.name, (Instant::now() + Duration::from_millis(ms), timer));
                }
                Action::StopTimer(name) => {
                    self.timers.remove(&name);
                }
                Action::Run(job) => {
                    let results = self.results.0.clone();
                    tokio::spawn(async move {
                        // A job that panics leaves the engine waiting, as a lost message would.
                        if let Ok(result) = tokio::task::spawn_blocking(move || job.run()).await {
                            let _ = results.send(Event::JobDone(result)).await;
                        }
                    });
                }
                Action::Fetch { peer, from } => self.fetch(peer, from),
                // Recorded in the log of the node only: the ledger has no place for it yet.
                Action::SubmitEvidence { .. } => {}
                Action::EpochBegan(_) => {}
            }
        }
        Ok(())
    }

    fn fetch(&self, peer: ReplicaId, from: Height) {
        let (network, results) = (self.network.clone(), self.results.0.clone());
        tokio::spawn(async move {
            let blocks = match network.ask(peer, PeerRequest::Blocks { from }).await {
                Some(PeerResponse::Blocks(blocks)) => Some(blocks),
                _ => None,
            };
            let _ = results.send(Event::Fetched { peer, blocks }).await;
        });
    }
}

async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
