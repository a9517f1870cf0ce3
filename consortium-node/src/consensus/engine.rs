//! A replica without its surroundings: the consensus core, and all that decides what the core is told.
//!
//! [`Engine::handle`] takes one [`Event`] with the time at which it is handled, and returns the [`Action`]s that follow
//! from it. The engine reads no clock, draws no random number, spawns nothing and waits for nothing; long work is handed
//! out as [`Job`](super::Job)s. So a run is a function of its events, and the same engine runs under tokio in a node
//! ([`Driver`](super::Driver)) and under a virtual clock in a simulator. What it shares with others is the mempool, into
//! which they put transactions, and the ledger, which only its own `Commit` actions change.

use super::credentials::{Credentials, SharedVerifier};
use super::event::{Action, EngineTimer, Event, Now, TimerName};
use super::job::{Build, BuiltBlock, Found, Job, JobResult, Judgement, Task, Validate};
use super::speculation::Speculation;
use super::sync::{CatchUp, CommittedBlock};
use crate::ledger::{ExecutedBlock, Ledger, LedgerError};
use crate::mempool::Mempool;
use amulet_pbft::{
    CommitCertificate, Config, ConfigError, Effect, Input, LogRecord, Millis, Outcome, RecoverError, Replica,
    Requests, Timeouts, TimerKind, Tip, Verdict,
};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Did, Epoch, Height, ReplicaId, View};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// How long a primary gathers transactions before it proposes: long enough to batch, too short to notice.
const BATCH_DELAY: Millis = Millis(20);

/// What an engine works with.
pub struct EngineParts {
    /// Times and sizes.
    pub settings: Settings,
    /// The node's key as a validator.
    pub credentials: Arc<dyn Credentials>,
    /// The ledger.
    pub ledger: Ledger,
    /// Transactions that wait.
    pub mempool: Mempool,
}

/// Times and sizes of the protocol; the same at all replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Heights from one checkpoint to the next.
    pub blocks_per_checkpoint: u64,
    /// Heights from the low to the high water mark.
    pub window: u64,
    /// Heights in flight at once.
    pub depth: u64,
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

/// Why an engine does not start, or cannot go on. It must not be used again after one of these: a vote that rests on a
/// failed read could contradict an earlier one.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Log and ledger do not fit together.
    #[error("the consensus log and the ledger do not fit together: {0}")]
    Recover(#[from] RecoverError),
    /// The settings are out of bounds.
    #[error("consensus: {0}")]
    Settings(#[from] ConfigError),
    /// The node's key is none of the validators'.
    #[error("this node's key is not among the validators")]
    NotAValidator,
    /// A quorum committed a block that this replica cannot execute: a bug, or a damaged disk.
    #[error("block {height} was committed by the others but cannot be executed here")]
    Diverged {
        /// Its height.
        height: Height,
    },
}

/// One replica; see the [module](self).
pub struct Engine {
    parts: EngineParts,
    verifier: SharedVerifier,
    replica: Replica,
    speculation: Speculation,
    /// What is to be built when the batch timer runs down.
    batch: Option<(EngineTimer, View, Height)>,
    generations: u64,
    catch_up: CatchUp,
    sweep: Sweep,
    evidence: u64,
}

/// Looking for waiting transactions that no block may hold any more. At most one look is under way.
#[derive(Default)]
struct Sweep {
    is_running: bool,
    /// Whose transactions to look at next.
    senders: BTreeSet<Did>,
    /// The progress timer that ran down, to be told to the core after a look at everything.
    held: Option<amulet_pbft::Timer>,
    /// Whether the look under way is at everything, for `held`.
    is_for_held: bool,
}

impl Engine {
    /// Recovers the replica whose log held `records`, on the ledger's tip. The actions are to be carried out before the
    /// first event is handed in.
    ///
    /// # Errors
    /// [`EngineError`] by variant.
    pub fn start(
        parts: EngineParts,
        records: Vec<LogRecord>,
        now: Now,
    ) -> Result<(Self, Vec<Action>), EngineError> {
        let EngineParts { settings, credentials, ledger, .. } = &parts;
        let current = ledger.epoch();
        let (epoch, validators) = (current.epoch, &current.validators);
        let own = credentials.replica(validators).ok_or(EngineError::NotAValidator)?;
        let Settings { timeouts, blocks_per_checkpoint, window, depth } = *settings;
        let config = Config::new(own, validators.quorum(), timeouts, blocks_per_checkpoint, window)?
            .with_depth(depth)?
            .in_epoch(epoch);
        let verifier = credentials.verifier(ledger.chain(), epoch, validators);
        let signer = credentials.signer(ledger.chain(), epoch);
        let (replica, effects) = Replica::recover(config, signer, ledger_tip(ledger)?, records)?;
        let mut engine = Self {
            parts,
            verifier,
            replica,
            speculation: Speculation::default(),
            batch: None,
            generations: 0,
            catch_up: CatchUp::Idle,
            sweep: Sweep::default(),
            evidence: 0,
        };
        let mut actions = Vec::new();
        engine.carry_out(now, effects, &mut actions)?;
        engine.tell_requests(now, &mut actions)?;
        Ok((engine, actions))
    }

    /// Takes one event and says what to do, in order; the contract is written on [`Action`]. Never blocks.
    ///
    /// # Errors
    /// [`EngineError`]; the engine must not be used after that.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<Vec<Action>, EngineError> {
        let mut actions = Vec::new();
        let out = &mut actions;
        match event {
            Event::Message(message) => self.step(now, Input::Message(message), out)?,
            Event::Timer(timer) => self.on_timer(now, timer, out)?,
            Event::MempoolChanged => self.tell_requests(now, out)?,
            Event::JobDone(JobResult(found)) => self.on_found(now, found, out)?,
            Event::Fetched { peer, blocks } => self.on_fetched(peer, blocks, out),
        }
        Ok(actions)
    }

    /// How consensus goes.
    #[must_use]
    pub fn status(&self) -> ConsensusStatus {
        ConsensusStatus {
            view: self.replica.view(),
            primary: self.replica.primary(),
            height: self.replica.tip().height,
            evidence: self.evidence,
        }
    }

    /// The core, to look at.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Checks signatures of messages for this replica.
    #[must_use]
    pub fn verifier(&self) -> SharedVerifier {
        self.verifier.clone()
    }

    /// The epoch that the replica lives for.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.replica.config().epoch()
    }

    /// Executed blocks kept because they may be committed.
    #[must_use]
    pub fn speculative_blocks(&self) -> usize {
        self.speculation.len()
    }

    /// All replicas but this one.
    #[must_use]
    pub fn others(&self) -> Vec<ReplicaId> {
        let own = self.replica.config().replica();
        let size = u16::try_from(self.replica.config().quorum().size()).unwrap_or(u16::MAX);
        (0..size).map(ReplicaId).filter(|replica| *replica != own).collect()
    }

    fn step(&mut self, now: Now, input: Input, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let step = self.replica.step(input);
        if let Outcome::Ignored(rejection) = &step.outcome {
            tracing::trace!(?rejection, "input ignored");
        }
        self.carry_out(now, step.effects, out)
    }

    /// Turns effects of the core into actions, in their order: [`Effect`] has the contract.
    fn carry_out(
        &mut self,
        now: Now,
        effects: Vec<Effect>,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        for effect in effects {
            match effect {
                Effect::Persist(record) => match out.last_mut() {
                    Some(Action::Append(records)) => records.push(record),
                    _ => out.push(Action::Append(vec![record])),
                },
                Effect::Send(to, message) => {
                    out.push(Action::Send { to, bytes: Arc::new(message.encode(self.epoch())) });
                }
                Effect::Broadcast(message) => {
                    out.push(Action::Broadcast { bytes: Arc::new(message.encode(self.epoch())) });
                }
                Effect::StartTimer(timer, after) => {
                    out.push(Action::SetTimer { timer: timer.into(), after });
                }
                Effect::StopTimer(kind) => out.push(Action::StopTimer(TimerName::Core(kind))),
                Effect::Propose { view, height, .. } => self.gather(view, height, out),
                Effect::Validate { view, height, header_hash, payload, provenance, .. } => {
                    let (parents, wall) = (Vec::new(), now.wall);
                    let validate = Validate { view, height, header_hash, parents, payload, provenance, wall };
                    self.run(Task::Validate(validate), out);
                }
                Effect::Commit { certificate, .. } => self.commit(certificate, out)?,
                Effect::Stable { .. } => {}
                Effect::CatchUp { hint, .. } => self.catch_up(hint, out),
                Effect::Report(evidence) => {
                    self.evidence += 1;
                    tracing::error!(
                        replica = evidence.offender().0,
                        ?evidence,
                        "replica contradicted itself"
                    );
                    out.push(Action::SubmitEvidence(evidence));
                }
            }
        }
        Ok(())
    }

    fn run(&self, task: Task, out: &mut Vec<Action>) {
        out.push(Action::Run(Job { ledger: self.parts.ledger.clone(), task }));
    }

    fn on_timer(&mut self, now: Now, timer: EngineTimer, out: &mut Vec<Action>) -> Result<(), EngineError> {
        match timer.name {
            TimerName::Batch => {
                if let Some((_, view, height)) = self.batch.take_if(|(awaited, ..)| *awaited == timer) {
                    self.build(now, view, height, out);
                }
                Ok(())
            }
            // Before a primary is blamed for what waits here: what can never be in a block is no reason to leave its view.
            TimerName::Core(TimerKind::Progress) => {
                let timer = amulet_pbft::Timer { kind: TimerKind::Progress, generation: timer.generation };
                self.sweep.held = Some(timer);
                self.sweep_next(now, out)
            }
            TimerName::Core(kind) => {
                let timer = amulet_pbft::Timer { kind, generation: timer.generation };
                self.step(now, Input::TimerFired(timer), out)
            }
        }
    }

    /// Tells the core whether transactions wait.
    fn tell_requests(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let requests = if self.parts.mempool.is_empty() { Requests::Empty } else { Requests::Waiting };
        self.step(now, Input::Requests(requests), out)
    }

    /// Gathers waiting transactions for a moment before a block is built of them.
    fn gather(&mut self, view: View, height: Height, out: &mut Vec<Action>) {
        self.generations += 1;
        let timer = EngineTimer { name: TimerName::Batch, generation: self.generations };
        self.batch = Some((timer, view, height));
        out.push(Action::SetTimer { timer, after: BATCH_DELAY });
    }

    fn build(&mut self, now: Now, view: View, height: Height, out: &mut Vec<Action>) {
        let build = Build {
            view,
            height,
            parents: Vec::new(),
            proposer: self.replica.config().replica(),
            time: now.wall,
            candidates: self.parts.mempool.candidates(),
        };
        self.run(Task::Build(build), out);
    }

    fn on_found(&mut self, now: Now, found: Found, out: &mut Vec<Action>) -> Result<(), EngineError> {
        match found {
            Found::Built(built) => self.on_built(now, built?, out),
            Found::Validated { view, height, header_hash, judged } => {
                let verdict = match judged? {
                    Judgement::Right(executed) => {
                        self.speculation.keep(executed);
                        Verdict::Valid
                    }
                    Judgement::Wrong => Verdict::Invalid,
                    Judgement::Void => return Ok(()),
                };
                self.step(
                    now,
                    Input::Validated { view, height, header_hash, verdict, ends_epoch: false },
                    out,
                )
            }
            Found::Checked { peer, committed } => {
                self.on_checked(peer, committed, out);
                Ok(())
            }
            Found::Executed { height, certificate, judged } => {
                self.on_executed(now, height, certificate, judged?, out)
            }
            Found::Swept(gone) => {
                self.parts.mempool.remove(&gone?);
                self.on_swept(now, out)
            }
        }
    }

    fn on_built(&mut self, now: Now, built: BuiltBlock, out: &mut Vec<Action>) -> Result<(), EngineError> {
        self.parts.mempool.remove(&built.inadmissible);
        match built.block {
            Some((block, executed)) => {
                self.speculation.keep(executed);
                self.step(now, Input::Proposal(block), out)
            }
            None => {
                // Empty first, whatever has come in since: the core asks for a height once, until it hears that nothing
                // waited.
                self.step(now, Input::Requests(Requests::Empty), out)?;
                self.tell_requests(now, out)
            }
        }
    }

    fn commit(&mut self, certificate: CommitCertificate, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let height = certificate.vote.height;
        let executed = self.speculation.take(certificate.vote.header_hash);
        self.apply(executed.ok_or(EngineError::Diverged { height })?, certificate, out);
        Ok(())
    }

    fn apply(&mut self, block: Arc<ExecutedBlock>, certificate: CommitCertificate, out: &mut Vec<Action>) {
        let height = block.height();
        let ids: Vec<_> = block.transaction_ids().collect();
        let transactions = &block.block().transactions;
        // Somebody may have sent several transactions of one number, each to another hospital.
        self.sweep.senders.extend(transactions.iter().map(|found| found.transaction.sender));
        self.parts.mempool.remove(&ids);
        self.speculation.settle(height);
        tracing::info!(height = height.0, transactions = ids.len(), "block committed");
        out.push(Action::Commit { block, certificate });
        out.push(Action::Prune(height));
        self.start_sweep(out);
    }

    /// Starts a look at the queue if one is due and none is under way.
    fn start_sweep(&mut self, out: &mut Vec<Action>) {
        if self.sweep.is_running {
            return;
        }
        self.sweep.is_for_held = self.sweep.held.is_some();
        let senders = std::mem::take(&mut self.sweep.senders);
        let is_due = |sender: &Did| self.sweep.is_for_held || senders.contains(sender);
        let waiting = self.parts.mempool.waiting(is_due);
        if !waiting.is_empty() {
            self.sweep.is_running = true;
            self.run(Task::Sweep(waiting), out);
        }
    }

    /// Starts the next look; if nothing is there to be looked at, the held timer has waited for nothing.
    fn sweep_next(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
        self.start_sweep(out);
        if self.sweep.is_running { Ok(()) } else { self.release_timer(now, out) }
    }

    fn on_swept(&mut self, now: Now, out: &mut Vec<Action>) -> Result<(), EngineError> {
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

    fn catch_up(&mut self, hint: ReplicaId, out: &mut Vec<Action>) {
        if let CatchUp::Idle = self.catch_up {
            let next = self.others().into_iter().filter(|replica| *replica != hint).collect();
            self.ask(hint, next, out);
        }
    }

    fn ask(&mut self, peer: ReplicaId, next: VecDeque<ReplicaId>, out: &mut Vec<Action>) {
        self.catch_up = CatchUp::Asking { next };
        out.push(Action::Fetch { peer, from: self.replica.tip().height.next() });
    }

    /// Asks the next peer, if there is one left.
    fn ask_next(&mut self, out: &mut Vec<Action>) {
        if let CatchUp::Asking { mut next } = std::mem::take(&mut self.catch_up)
            && let Some(peer) = next.pop_front()
        {
            self.ask(peer, next, out);
        }
    }

    fn on_fetched(
        &mut self,
        peer: ReplicaId,
        blocks: Option<Vec<UntrustedCertifiedBlock>>,
        out: &mut Vec<Action>,
    ) {
        let tip = self.replica.tip().height;
        let first =
            blocks.as_deref().and_then(|blocks| blocks.first()).map(|block| block.block.header.height);
        match (blocks, first) {
            // Blocks may have been committed since the peer was asked.
            (Some(blocks), Some(from)) if from <= tip.next() => {
                let verifier = self.verifier.clone();
                self.run(Task::CheckBlocks { peer, from, blocks, verifier }, out);
            }
            _ => self.ask_next(out),
        }
    }

    /// Who sends anything that is not committed is passed over: a peer must not be able to keep this node behind.
    fn on_checked(&mut self, peer: ReplicaId, committed: Option<Vec<CommittedBlock>>, out: &mut Vec<Action>) {
        match committed {
            Some(blocks) => {
                self.catch_up = CatchUp::Adopting { blocks: blocks.into() };
                self.adopt_next(out);
            }
            None => {
                tracing::warn!(replica = peer.0, "peer sent blocks that were never committed");
                self.ask_next(out);
            }
        }
    }

    /// Has the next committed block executed, if it is the one after the tip.
    fn adopt_next(&mut self, out: &mut Vec<Action>) {
        let next = self.replica.tip().height.next();
        let CatchUp::Adopting { blocks } = &mut self.catch_up else { return };
        while blocks.pop_front_if(|block| block.height() < next).is_some() {}
        match blocks.pop_front() {
            Some(block) => self.run(Task::Execute(Box::new(block)), out),
            None => self.catch_up = CatchUp::Idle,
        }
    }

    fn on_executed(
        &mut self,
        now: Now,
        height: Height,
        certificate: CommitCertificate,
        judged: Judgement,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        // It may have been committed in the normal course meanwhile.
        if height == self.replica.tip().height.next() {
            let Judgement::Right(executed) = judged else { return Err(EngineError::Diverged { height }) };
            self.apply(executed, certificate.clone(), out);
            self.step(now, Input::Synced { certificate, ends_epoch: false }, out)?;
        }
        self.adopt_next(out);
        Ok(())
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
