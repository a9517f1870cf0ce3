//! A replica without its surroundings: the consensus core, and all that decides what the core is told.
//!
//! [`Engine::handle`] takes one [`Event`] with the time at which it is handled, and returns the [`Action`]s that follow
//! from it. The engine reads no clock, draws no random number, spawns nothing and waits for nothing; long work is handed
//! out as [`Job`]s. So a run is a function of its events, and the same engine runs under tokio in a node
//! ([`Driver`](super::Driver)) and under a virtual clock in a simulator. What it shares with others is the mempool, into
//! which they put transactions, and the ledger, which only its own `Commit` actions change.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`building`] | which transactions go into which block, and when |
//! | [`committing`] | final blocks, the queue after them, the change of epochs |
//! | [`fitness`] | watching the primary |
//! | [`following`] | catching up with the others |

mod building;
mod committing;
mod fitness;
mod following;

use super::batching::Batching;
use super::credentials::{Credentials, SharedVerifier};
use super::event::{Action, EngineTimer, Event, Now, TimerName};
use super::gate::Gate;
use super::job::{Found, Job, JobResult, Judgement, Task, Validate};
use super::speculation::Speculation;
use crate::ledger::{EpochSet, ExecutedBlock, Ledger, LedgerError, VerifiedTransactions};
use crate::mempool::Mempool;
use amulet_crypto::signing::PublicKey;
use amulet_pbft::planted::Bug;
use amulet_pbft::{
    Config, ConfigError, Effect, Input, LogRecord, Outcome, Provenance, RecoverError, Replica, Requests,
    Timeouts, TimerKind, Tip, Verdict, check_epochs, is_lost, lost_keys,
};
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, TxId, View};
use building::Batch;
use committing::Sweep;
use fitness::Fitness;
use following::CatchUp;
use std::sync::Arc;

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
    /// Transactions whose signatures were checked before.
    pub verified: Arc<dyn VerifiedTransactions>,
    /// Deliberate bugs.
    #[cfg(feature = "planted")]
    pub planted: std::collections::BTreeSet<amulet_pbft::planted::Bug>,
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
    /// A quorum committed a block that this replica cannot execute: a bug, or a damaged disk.
    #[error("block {height} was committed by the others but cannot be executed here")]
    Diverged {
        /// Its height.
        height: Height,
    },
}

/// A validator set in force, and how its members' signatures are checked.
#[derive(Clone)]
pub struct EpochInForce {
    /// The set and its number.
    pub set: Arc<EpochSet>,
    /// This node's number among them; `None` if it is no member.
    pub own: Option<ReplicaId>,
    /// Checks their signatures.
    pub verifier: SharedVerifier,
}

impl EpochInForce {
    /// All its validators but this node.
    #[must_use]
    pub fn others(&self) -> Vec<ReplicaId> {
        let size = u16::try_from(self.set.validators.members().len()).unwrap_or(u16::MAX);
        (0..size).map(ReplicaId).filter(|replica| Some(*replica) != self.own).collect()
    }
}

/// What this node is in the epoch in force.
enum Role {
    /// A validator.
    Member(Box<Replica>),
    /// Not a validator, or one that does not know what it said in this epoch: it follows the others' blocks. The newest committed one.
    Observer(Tip),
}

/// One replica, deterministic: what it does follows from its inputs and their order.
pub struct Engine {
    parts: EngineParts,
    epoch: EpochInForce,
    role: Role,
    /// The block of the last `Commit` action: what the ledger holds when an action after it begins. The core may be
    /// further within a step.
    applied: HeaderHash,
    speculation: Speculation,
    /// What the core has in flight, as of the last step: the transactions of these blocks are aside in the queue.
    in_flight: Vec<HeaderHash>,
    /// Transactions that may not be in a block on top of those in flight; aside until the next block is committed.
    parked: Vec<TxId>,
    /// What the core was told last.
    told: Requests,
    batching: Batching,
    batch: Option<Batch>,
    batches: u64,
    catch_up: CatchUp,
    sweep: Sweep,
    fitness: Option<Fitness>,
    /// The epoch after the one in force, whose last block was committed in this step.
    next_epoch: Option<Arc<EpochSet>>,
    evidence: u64,
    /// Keys under which nobody knows what was said.
    lost_keys: Vec<PublicKey>,
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
        let tip = ledger_tip(&parts.ledger)?;
        let epoch = in_force(&parts, &parts.ledger.epoch());
        check_epochs(&records, epoch.set.epoch)?;
        let batching = Batching::new(parts.settings.timeouts.progress);
        let mut engine = Self {
            epoch,
            applied: tip.header_hash,
            role: Role::Observer(tip),
            parts,
            speculation: Speculation::default(),
            in_flight: Vec::new(),
            parked: Vec::new(),
            told: Requests::Empty,
            batching,
            batch: None,
            batches: 0,
            catch_up: CatchUp::Idle,
            sweep: Sweep::default(),
            fitness: None,
            next_epoch: None,
            evidence: 0,
            lost_keys: lost_keys(&records),
        };
        let mut actions = Vec::new();
        engine.take_role(now, records, &mut actions)?;
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
            Event::MempoolChanged => self.on_mempool_changed(now, out),
            Event::JobDone(JobResult(found)) => self.on_found(now, found, out)?,
            Event::Fetched { peer, blocks } => self.on_fetched(peer, blocks, out),
            Event::PeerAhead { peer } => self.catch_up(peer, out),
        }
        self.tell_requests(now, out)?;
        self.watch_primary(now, out)?;
        Ok(actions)
    }

    /// How consensus goes.
    #[must_use]
    pub fn status(&self) -> ConsensusStatus {
        let view = match &self.role {
            Role::Member(replica) => replica.view(),
            Role::Observer(_) => self.epoch.set.epoch.first_view(),
        };
        let primary = self.epoch.set.validators.primary(view);
        ConsensusStatus { view, primary, height: self.tip().height, evidence: self.evidence }
    }

    /// The core, to look at; `None` while the node is no validator.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        match &self.role {
            Role::Member(replica) => Some(replica),
            Role::Observer(_) => None,
        }
    }

    /// The newest committed block.
    #[must_use]
    pub fn tip(&self) -> &Tip {
        match &self.role {
            Role::Member(replica) => replica.tip(),
            Role::Observer(tip) => tip,
        }
    }

    /// The epoch in force.
    #[must_use]
    pub fn epoch(&self) -> &EpochInForce {
        &self.epoch
    }

    /// What received messages are held against before they may become an [`Event::Message`]. Good until the next event is
    /// handled; an older one lets more through, but for what the engine has come within reach of since.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate::new(&self.epoch, self.replica().map(Replica::horizon))
    }

    /// Executed blocks kept because they may be committed; at most
    /// [`SPECULATIVE_BLOCKS_MAX`](super::SPECULATIVE_BLOCKS_MAX).
    #[must_use]
    pub fn speculative_blocks(&self) -> usize {
        self.speculation.len()
    }

    /// All validators of the epoch in force but this node.
    #[must_use]
    pub fn others(&self) -> Vec<ReplicaId> {
        self.epoch.others()
    }

    /// Becomes what the epoch in force makes of this node, on the tip.
    fn take_role(
        &mut self,
        now: Now,
        records: Vec<LogRecord>,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        let tip = self.tip().clone();
        self.told = Requests::Empty;
        let log_is_lost = is_lost(&records, self.epoch.set.epoch);
        let Some(own) = self.epoch.own.filter(|own| !log_is_lost && !self.has_lost_key(*own)) else {
            (self.role, self.fitness) = (Role::Observer(tip), None);
            self.follow(out);
            return Ok(());
        };
        let Settings { timeouts, blocks_per_checkpoint, window, depth } = self.parts.settings;
        let quorum = self.epoch.set.validators.quorum();
        let config = Config::new(own, quorum, timeouts, blocks_per_checkpoint, window)?
            .with_depth(depth)?
            .in_epoch(self.epoch.set.epoch, self.epoch.set.first);
        #[cfg(feature = "planted")]
        let config = config.with_planted(self.parts.planted.clone());
        let signer = self.parts.credentials.signer(self.parts.ledger.chain(), self.epoch.set.epoch);
        let (replica, effects) = Replica::recover(config, signer, tip, records)?;
        self.fitness = Some(Fitness::new(now, &replica));
        self.role = Role::Member(Box::new(replica));
        self.carry_out(now, effects, out)
    }

    /// Rule PBFT-RC-7: whether nobody knows what was said under the key that this node has in the epoch in force.
    fn has_lost_key(&self, own: ReplicaId) -> bool {
        #[cfg(feature = "planted")]
        if self.parts.planted.contains(&Bug::VoteAfterWipe) {
            return false;
        }
        let member = self.epoch.set.validators.get(own);
        member.is_some_and(|member| self.lost_keys.contains(&member.key))
    }

    /// Hands an input to the core, if there is one, and carries out what follows.
    fn step(&mut self, now: Now, input: Input, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let Role::Member(replica) = &mut self.role else { return Ok(()) };
        let step = replica.step(input);
        if let Outcome::Ignored(rejection) = &step.outcome {
            tracing::trace!(?rejection, "input ignored");
        }
        self.mark_in_flight();
        self.carry_out(now, step.effects, out)?;
        self.enter_next_epoch(now, out)
    }

    /// Turns effects of the core into actions, in their order: [`Effect`] has the contract.
    fn carry_out(
        &mut self,
        now: Now,
        effects: Vec<Effect>,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        let epoch = self.epoch.set.epoch;
        for effect in effects {
            match effect {
                Effect::Persist(record) => match out.last_mut() {
                    Some(Action::Append(records)) => records.push(record),
                    _ => out.push(Action::Append(vec![record])),
                },
                Effect::Send(to, message) => {
                    out.push(Action::Send { to, bytes: Arc::new(message.encode(epoch)) });
                }
                Effect::Broadcast(message) => {
                    out.push(Action::Broadcast { bytes: Arc::new(message.encode(epoch)) });
                }
                Effect::StartTimer(timer, after) => {
                    let name = TimerName::Core(timer.kind);
                    let timer = EngineTimer { epoch, name, generation: timer.generation };
                    out.push(Action::SetTimer { timer, after });
                }
                Effect::StopTimer(kind) => out.push(Action::StopTimer(TimerName::Core(kind))),
                Effect::Propose { view, height, parent } => {
                    self.gather(now, Batch::new(view, height, parent), out)
                }
                Effect::Validate { view, height, parent, header_hash, payload, provenance } => {
                    let Some(parents) = self.parents(parent) else { continue };
                    let wall = now.wall;
                    if let (Provenance::New, Some(fitness)) = (provenance, &mut self.fitness) {
                        fitness.on_proposal(now, height);
                    }
                    let validate = Validate { view, height, header_hash, parents, payload, provenance, wall };
                    self.run(Task::Validate(validate), out);
                }
                Effect::Commit { certificate, .. } => self.commit(now, certificate, out)?,
                Effect::Stable { .. } => {}
                Effect::CatchUp { hint, .. } => self.catch_up(hint, out),
                Effect::Report(evidence) => {
                    self.evidence += 1;
                    let replica = evidence.offender().0;
                    tracing::error!(replica, ?evidence, "replica contradicted itself");
                    out.push(Action::SubmitEvidence { epoch, evidence });
                }
            }
        }
        Ok(())
    }

    /// The uncommitted blocks up to this one, for a block on top of it.
    fn parents(&self, top: HeaderHash) -> Option<Vec<Arc<ExecutedBlock>>> {
        let parents = self.speculation.chain(self.applied, top);
        if parents.is_none() {
            // The core asks only on top of what it accepted, and what it accepted was executed here.
            tracing::error!(parent = %top, "the block below a proposal is not here");
        }
        parents
    }

    fn is_planted(&self, bug: Bug) -> bool {
        self.replica().is_some_and(|replica| replica.config().is_planted(bug))
    }

    fn run(&self, task: Task, out: &mut Vec<Action>) {
        let EngineParts { ledger, verified, mempool, .. } = &self.parts;
        let (ledger, verified, known) = (ledger.clone(), verified.clone(), mempool.clone());
        out.push(Action::Run(Job { ledger, verified, known, task }));
    }

    fn on_timer(&mut self, now: Now, timer: EngineTimer, out: &mut Vec<Action>) -> Result<(), EngineError> {
        let EngineTimer { epoch, name, generation } = timer;
        if epoch != self.epoch.set.epoch {
            return Ok(());
        }
        match name {
            TimerName::Batch => self.on_batch_timer(now, generation, out),
            TimerName::Follow => self.follow(out),
            // Before a primary is blamed for what waits here: what can never be in a block is no reason to leave its view.
            TimerName::Core(kind @ TimerKind::Progress) => {
                self.sweep.hold(amulet_pbft::Timer { kind, generation });
                self.sweep_next(now, out)?;
            }
            TimerName::Core(kind) => {
                self.step(now, Input::TimerFired(amulet_pbft::Timer { kind, generation }), out)?;
            }
        }
        Ok(())
    }

    fn on_found(&mut self, now: Now, found: Found, out: &mut Vec<Action>) -> Result<(), EngineError> {
        match found {
            Found::Built(built) => self.on_built(now, built?, out),
            Found::Validated { view, height, header_hash, judged } => {
                if let Some(fitness) = &mut self.fitness {
                    fitness.on_executed(now, height);
                }
                let (verdict, ends_epoch) = match judged? {
                    Judgement::Right(executed) => {
                        let ends_epoch = executed.ends_epoch();
                        self.speculation.keep(executed, &self.in_flight);
                        (Verdict::Valid, ends_epoch)
                    }
                    Judgement::Wrong if self.is_planted(Bug::ValidateBlindly) => (Verdict::Valid, false),
                    Judgement::Wrong => (Verdict::Invalid, false),
                    Judgement::Void => return Ok(()),
                };
                self.step(now, Input::Validated { view, height, header_hash, verdict, ends_epoch }, out)
            }
            Found::Checked { peer, committed } => {
                self.on_checked(peer, committed, out);
                Ok(())
            }
            Found::Executed { peer, height, certificate, judged } => {
                self.on_executed(now, peer, height, certificate, judged?, out)
            }
            Found::Swept(gone) => {
                self.drop_inadmissible(&gone?);
                self.on_swept(now, out)
            }
        }
    }
}

/// The epoch with this node's place in it.
fn in_force(parts: &EngineParts, set: &Arc<EpochSet>) -> EpochInForce {
    let own = parts.credentials.replica(&set.validators);
    let verifier = parts.credentials.verifier(parts.ledger.chain(), set.epoch, &set.validators);
    EpochInForce { set: set.clone(), own, verifier }
}

fn ledger_tip(ledger: &Ledger) -> Result<Tip, LedgerError> {
    let tip = ledger.tip();
    let certificate = ledger.certificate(tip.height)?;
    Ok(match certificate {
        Some(certificate) if tip.height > Height(0) => {
            Tip { height: tip.height, header_hash: tip.hash, certificate: Some(certificate) }
        }
        _ => Tip::genesis(tip.hash),
    })
}
