//! Executes the core's effects, in their order; it takes no protocol decision of its own.

use super::log::{ConsensusLog, LogError};
use super::sync::{self, CommittedBlock};
use crate::ledger::{
    BlockRefusal, CommitError, ExecuteError, ExecutedBlock, Ledger, LedgerError, ProposalInput,
};
use crate::mempool::Mempool;
use crate::network::{ConsensusMessage, Network};
use amulet_pbft::{
    CommitCertificate, Config, Effect, Input, KeySigner, Millis, Outcome, Payload, ProposedBlock, Provenance,
    RecoverError, Replica, Requests, Timer, TimerKind, Tip, UntrustedMessage, ValidatorKeys, Verdict,
};
use amulet_protocol::block::{UntrustedBlock, UntrustedCertifiedBlock};
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, HeaderHash, Height, ReplicaId, Timestamp, View};
use amulet_protocol::limits::BLOCK_BYTES_MAX;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Results of background work waiting for the driver; there is little of it at once.
const RESULTS_MAX: usize = 64;
/// Executed blocks kept until they are committed or overtaken.
const EXECUTED_MAX: usize = 4;
/// How long a primary gathers transactions before it proposes: long enough to batch, too short to notice.
const BATCH_DELAY: Duration = Duration::from_millis(20);

/// What the driver works with.
pub struct DriverParts {
    /// The core's configuration.
    pub config: Config,
    /// The validators' keys.
    pub keys: ValidatorKeys,
    /// The ledger.
    pub ledger: Ledger,
    /// The network.
    pub network: Network,
    /// Transactions that wait.
    pub mempool: Mempool,
    /// Messages of other replicas.
    pub inbox: mpsc::Receiver<ConsensusMessage>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// How consensus goes, for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsensusStatus {
    /// The view entered last.
    pub view: View,
    /// Its primary.
    pub primary: ReplicaId,
    /// The newest committed height.
    pub height: Height,
    /// Replicas seen to contradict themselves since the start.
    pub evidence: u64,
}

/// Why the driver stopped. It never goes on after one of these: a vote that rests on a failed write could contradict an
/// earlier one.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger would not commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Log and ledger do not fit together.
    #[error("the consensus log and the ledger do not fit together: {0}")]
    Recover(#[from] RecoverError),
    /// The core committed a block that this replica cannot execute: a bug, or a damaged disk.
    #[error("block {height} was committed by the others but cannot be executed here")]
    Diverged {
        /// Its height.
        height: Height,
    },
}

enum Done {
    Built(Result<Option<(ProposedBlock, Box<ExecutedBlock>)>, LedgerError>),
    Validated {
        view: View,
        height: Height,
        header_hash: HeaderHash,
        executed: Result<Option<Box<ExecutedBlock>>, LedgerError>,
    },
    Fetched(Vec<CommittedBlock>),
}

/// The task that owns the core.
pub struct Driver {
    parts: DriverParts,
    log: ConsensusLog,
    replica: Replica,
    timers: BTreeMap<TimerKind, (Instant, Timer)>,
    executed: VecDeque<(HeaderHash, ExecutedBlock)>,
    fetching: bool,
    evidence: u64,
    results: (mpsc::Sender<Done>, mpsc::Receiver<Done>),
    status: watch::Sender<ConsensusStatus>,
}

impl Driver {
    /// Recovers the core from log and ledger and carries out its first effects.
    ///
    /// # Errors
    /// [`DriverError`] by variant.
    pub async fn start(
        parts: DriverParts,
        log: ConsensusLog,
        signer: KeySigner,
    ) -> Result<(Self, watch::Receiver<ConsensusStatus>), DriverError> {
        let tip = ledger_tip(&parts.ledger)?;
        let records = log.load()?;
        let (replica, effects) = Replica::recover(parts.config.clone(), Box::new(signer), tip, records)?;
        let status = ConsensusStatus {
            view: replica.view(),
            primary: replica.primary(),
            height: replica.tip().height,
            evidence: 0,
        };
        let (sender, receiver) = watch::channel(status);
        let mut driver = Self {
            parts,
            log,
            replica,
            timers: BTreeMap::new(),
            executed: VecDeque::new(),
            fetching: false,
            evidence: 0,
            results: mpsc::channel(RESULTS_MAX),
            status: sender,
        };
        driver.carry_out(effects).await?;
        Ok((driver, receiver))
    }

    /// Runs until a failure.
    ///
    /// # Errors
    /// [`DriverError`] by variant.
    pub async fn run(mut self) -> Result<(), DriverError> {
        let mut waiting = self.parts.mempool.subscribe();
        waiting.mark_changed();
        loop {
            let alarm = self.timers.values().map(|(at, _)| *at).min();
            let input = tokio::select! {
                message = self.parts.inbox.recv() => match message {
                    Some(message) => self.verify(message),
                    None => return Ok(()),
                },
                Some(done) = self.results.1.recv() => {
                    self.on_done(done).await?;
                    None
                }
                Ok(()) = waiting.changed() => Some(Input::Requests(requests(*waiting.borrow_and_update()))),
                () = sleep_until(alarm) => match self.due() {
                    Some(timer) => {
                        self.before(timer.kind).await?;
                        Some(Input::TimerFired(timer))
                    }
                    None => None,
                },
            };
            if let Some(input) = input {
                self.step(input).await?;
            }
        }
    }

    async fn step(&mut self, input: Input) -> Result<(), DriverError> {
        let step = self.replica.step(input);
        if let Outcome::Ignored(rejection) = &step.outcome {
            tracing::trace!(?rejection, "input ignored");
        }
        self.carry_out(step.effects).await?;
        let status = ConsensusStatus {
            view: self.replica.view(),
            primary: self.replica.primary(),
            height: self.replica.tip().height,
            evidence: self.evidence,
        };
        self.status.send_if_modified(|current| std::mem::replace(current, status) != status);
        Ok(())
    }

    /// Checks a message's signatures. Who signed it need not be the peer that handed it over: replicas pass on what others
    /// signed, a new view for one.
    fn verify(&self, message: ConsensusMessage) -> Option<Input> {
        let ConsensusMessage { from, bytes, place } = message;
        let verified = UntrustedMessage::decode(&bytes).ok()?.verify(&self.parts.keys);
        // Only now, when the work it made is done, may the sender have another one waiting.
        drop(place);
        match verified {
            Ok(verified) => Some(Input::Message(verified)),
            Err(error) => {
                tracing::warn!(replica = from.0, %error, "message refused");
                None
            }
        }
    }

    fn due(&mut self) -> Option<Timer> {
        let now = Instant::now();
        let (kind, timer) =
            self.timers.iter().find(|(_, (at, _))| *at <= now).map(|(kind, (_, t))| (*kind, *t))?;
        self.timers.remove(&kind);
        Some(timer)
    }

    /// Before a primary is blamed for what waits here: what can never be in a block is no reason to leave its view.
    async fn before(&mut self, kind: TimerKind) -> Result<(), DriverError> {
        if kind != TimerKind::Progress {
            return Ok(());
        }
        self.forget_inadmissible(|_| true)?;
        match self.parts.mempool.len() {
            0 => self.step(Input::Requests(Requests::Empty)).await,
            _ => Ok(()),
        }
    }

    /// Takes out of the queue what no block may hold any more. The primary does so when it builds; the others have to as
    /// well, or they would wait for it for ever.
    fn forget_inadmissible(&self, of: impl Fn(&Did) -> bool) -> Result<(), LedgerError> {
        let waiting = self.parts.mempool.waiting(of);
        if !waiting.is_empty() {
            let ledger = &self.parts.ledger;
            let gone =
                tokio::task::block_in_place(|| ledger.inadmissible(waiting.iter().map(AsRef::as_ref)))?;
            self.parts.mempool.remove(&gone);
        }
        Ok(())
    }

    /// Carries effects out in order: the contract is written on [`Effect`].
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), DriverError> {
        let mut effects: VecDeque<Effect> = effects.into();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Persist(record) => {
                    let mut records = vec![record];
                    while let Some(Effect::Persist(_)) = effects.front() {
                        if let Some(Effect::Persist(record)) = effects.pop_front() {
                            records.push(record);
                        }
                    }
                    tokio::task::block_in_place(|| self.log.append(&records))?;
                }
                Effect::Send(to, message) => {
                    self.parts.network.send(to, Arc::new(message.encode(self.parts.config.epoch())))
                }
                Effect::Broadcast(message) => {
                    let bytes = Arc::new(message.encode(self.parts.config.epoch()));
                    for replica in self.others() {
                        self.parts.network.send(replica, bytes.clone());
                    }
                }
                Effect::StartTimer(timer, Millis(ms)) => {
                    self.timers.insert(timer.kind, (Instant::now() + Duration::from_millis(ms), timer));
                }
                Effect::StopTimer(kind) => {
                    self.timers.remove(&kind);
                }
                Effect::Propose { view, height, .. } => self.build(view, height),
                Effect::Validate { view, height, header_hash, payload, provenance, .. } => {
                    self.validate(view, height, header_hash, payload, provenance);
                }
                Effect::Commit { certificate, payload } => self.commit(certificate, &payload)?,
                Effect::Stable { .. } => {}
                Effect::CatchUp { hint, .. } => self.catch_up(hint),
                Effect::Report(evidence) => {
                    self.evidence += 1;
                    tracing::error!(
                        replica = evidence.offender().0,
                        ?evidence,
                        "replica contradicted itself"
                    );
                }
            }
        }
        Ok(())
    }

    fn others(&self) -> Vec<ReplicaId> {
        let own = self.parts.config.replica();
        let size = u16::try_from(self.parts.config.quorum().size()).unwrap_or(u16::MAX);
        (0..size).map(ReplicaId).filter(|replica| *replica != own).collect()
    }

    /// Gathers waiting transactions for a moment, then builds and executes a block off the driver's thread.
    fn build(&self, view: View, height: Height) {
        let (ledger, mempool) = (self.parts.ledger.clone(), self.parts.mempool.clone());
        let (results, proposer, now) = (self.results.0.clone(), self.parts.config.replica(), self.parts.now);
        tokio::spawn(async move {
            tokio::time::sleep(BATCH_DELAY).await;
            let built =
                tokio::task::spawn_blocking(move || build(&ledger, &mempool, view, height, proposer, now()));
            if let Ok(built) = built.await {
                let _ = results.send(Done::Built(built)).await;
            }
        });
    }

    fn validate(
        &self,
        view: View,
        height: Height,
        header_hash: HeaderHash,
        payload: Payload,
        from: Provenance,
    ) {
        let (ledger, results, now) = (self.parts.ledger.clone(), self.results.0.clone(), self.parts.now);
        let quorum = self.parts.config.clone();
        tokio::spawn(async move {
            let executed = tokio::task::spawn_blocking(move || {
                let Ok(block) = codec::decode::<UntrustedBlock>(payload.bytes(), BLOCK_BYTES_MAX) else {
                    return Ok(None);
                };
                let header = &block.header;
                let proposed_here = header.view == view && header.proposer == quorum.primary_of(view);
                let proposed_before = header.view < view && header.proposer == quorum.primary_of(header.view);
                let (placed, clock) = match from {
                    Provenance::New => (proposed_here, Some(now())),
                    Provenance::Carried => (proposed_before, None),
                };
                if !placed || header.height != height || block.hash() != header_hash {
                    return Ok(None);
                }
                match ledger.validate(&[], block, clock, &()) {
                    Ok(executed) => Ok(Some(Box::new(executed))),
                    Err(BlockRefusal::Ledger(error)) => Err(error),
                    Err(refusal) => {
                        tracing::warn!(height = height.0, %refusal, "proposed block refused");
                        Ok(None)
                    }
                }
            });
            if let Ok(executed) = executed.await {
                let _ = results.send(Done::Validated { view, height, header_hash, executed }).await;
            }
        });
    }

    async fn on_done(&mut self, done: Done) -> Result<(), DriverError> {
        match done {
            Done::Built(built) => match built? {
                // Empty first, whatever has come in since: the core asks for a height once, until it hears that
                // nothing waited.
                None => {
                    self.step(Input::Requests(Requests::Empty)).await?;
                    self.step(Input::Requests(requests(self.parts.mempool.len()))).await
                }
                Some((block, executed)) => {
                    self.keep(block.header_hash, *executed);
                    self.step(Input::Proposal(block)).await
                }
            },
            Done::Validated { view, height, header_hash, executed } => {
                let executed = executed?;
                let verdict = if executed.is_some() { Verdict::Valid } else { Verdict::Invalid };
                if let Some(executed) = executed {
                    self.keep(header_hash, *executed);
                }
                self.step(Input::Validated { view, height, header_hash, verdict, ends_epoch: false }).await
            }
            Done::Fetched(blocks) => {
                self.fetching = false;
                for block in blocks {
                    if !self.adopt(block).await? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    fn keep(&mut self, hash: HeaderHash, executed: ExecutedBlock) {
        self.executed.retain(|(kept, _)| *kept != hash);
        self.executed.push_back((hash, executed));
        if self.executed.len() > EXECUTED_MAX {
            self.executed.pop_front();
        }
    }

    fn commit(&mut self, certificate: CommitCertificate, payload: &Payload) -> Result<(), DriverError> {
        let hash = certificate.vote.header_hash;
        let height = certificate.vote.height;
        let kept = self.executed.iter().position(|(kept, _)| *kept == hash);
        let executed = match kept.and_then(|index| self.executed.remove(index)) {
            Some((_, executed)) => executed,
            None => {
                let block = codec::decode(payload.bytes(), BLOCK_BYTES_MAX)
                    .map_err(|_| DriverError::Diverged { height })?;
                tokio::task::block_in_place(|| self.parts.ledger.validate(&[], block, None, &()))
                    .map_err(|_| DriverError::Diverged { height })?
            }
        };
        self.apply(executed, certificate)
    }

    fn apply(&mut self, executed: ExecutedBlock, certificate: CommitCertificate) -> Result<(), DriverError> {
        let ids: Vec<_> = executed.transaction_ids().collect();
        let transactions = &executed.block().transactions;
        let senders: BTreeSet<Did> = transactions.iter().map(|found| found.transaction.sender).collect();
        let tip = tokio::task::block_in_place(|| self.parts.ledger.commit(&executed, certificate))?;
        self.parts.mempool.remove(&ids);
        // Somebody may have sent several transactions of one number, each to another hospital.
        self.forget_inadmissible(|sender| senders.contains(sender))?;
        self.executed.clear();
        self.log.prune(tip.height)?;
        tracing::info!(height = tip.height.0, transactions = ids.len(), "block committed");
        Ok(())
    }

    fn catch_up(&mut self, hint: ReplicaId) {
        if std::mem::replace(&mut self.fetching, true) {
            return;
        }
        let (network, results, others) = (self.parts.network.clone(), self.results.0.clone(), self.others());
        let (keys, from) = (self.parts.keys.clone(), self.parts.ledger.tip().height.next());
        tokio::spawn(async move {
            let blocks = sync::fetch(network, keys, from, hint, others).await;
            let _ = results.send(Done::Fetched(blocks)).await;
        });
    }

    /// Adopts a committed block if it is the next; says whether one after it can be.
    async fn adopt(&mut self, committed: CommittedBlock) -> Result<bool, DriverError> {
        let UntrustedCertifiedBlock { block, certificate } = committed.into_inner();
        let next = self.parts.ledger.tip().height.next();
        if block.header.height != next {
            return Ok(block.header.height < next);
        }
        let executed = match tokio::task::block_in_place(|| self.parts.ledger.validate(&[], block, None, &()))
        {
            Ok(executed) => executed,
            Err(BlockRefusal::Ledger(error)) => return Err(error.into()),
            Err(_) => return Err(DriverError::Diverged { height: next }),
        };
        self.apply(executed, certificate.clone())?;
        self.step(Input::Synced { certificate, ends_epoch: false }).await?;
        Ok(true)
    }
}

fn ledger_tip(ledger: &Ledger) -> Result<Tip, LedgerError> {
    let tip = ledger.tip();
    let certificate = ledger.block(tip.height)?.map(|block| block.certificate);
    Ok(match certificate {
        Some(certificate) if tip.height > Height(0) => {
            Tip { height: tip.height, header_hash: tip.hash, certificate: Some(certificate) }
        }
        _ => Tip::genesis(tip.hash),
    })
}

fn requests(waiting: usize) -> Requests {
    if waiting == 0 { Requests::Empty } else { Requests::Waiting }
}

async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Builds a block of waiting transactions; drops from the queue those that can never be executed. `None` if none is
/// left, or the ledger has moved on.
fn build(
    ledger: &Ledger,
    mempool: &Mempool,
    view: View,
    height: Height,
    proposer: ReplicaId,
    time: Timestamp,
) -> Result<Option<(ProposedBlock, Box<ExecutedBlock>)>, LedgerError> {
    if ledger.tip().height.next() != height {
        return Ok(None);
    }
    let transactions = mempool.batch();
    let executed = match ledger.execute(&[], ProposalInput { transactions, time, proposer, view }) {
        Ok(executed) => executed,
        Err(ExecuteError::Detached(_)) => return Ok(None),
        Err(ExecuteError::Ledger(error)) => return Err(error),
    };
    mempool.remove(executed.inadmissible().iter().map(|(id, _)| id));
    if executed.receipts().is_empty() {
        return Ok(None);
    }
    let Ok(payload) = Payload::new(codec::encode(executed.block())) else {
        tracing::error!(height = height.0, "executed block over the block limit");
        return Ok(None);
    };
    let block = ProposedBlock { view, height, header_hash: executed.hash(), payload, ends_epoch: false };
    Ok(Some((block, Box::new(executed))))
}
