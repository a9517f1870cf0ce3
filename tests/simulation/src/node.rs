//! One replica of the run: the node's real engine, ledger, log and mempool, on simulated disks and clocks.

use crate::disk::{DiskFile, Handle, Unsynced};
use crate::reports::Reports;
use crate::rng::Rng;
use crate::setting::{DEPTH, Setting};
use crate::signatures::QuickVotes;
use crate::time::Micros;
use amulet_contracts::testing::GENESIS_TIME;
use amulet_crypto::signing::PublicKey;
use amulet_node::consensus::{
    Action, Answer, ConsensusLog, Copier, CopierParts, CopyFiles, Engine, EngineError, EngineParts,
    EngineTimer, EpochInForce, Event, Log, LogError, Now, TimerName, TransferError, put_copy_in_place,
};
use amulet_node::ledger::{EpochSet, Ledger, LedgerError, TransferRequest};
use amulet_node::mempool::Mempool;
use amulet_pbft::Millis;
use amulet_protocol::ids::{Did, Height, ReplicaId, Timestamp, TxId};
use redb::Database;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pages of a database that are kept in memory, in bytes: the simulated disk is memory already.
const CACHE_BYTES: usize = 1 << 20;
/// Records in a log at most: two of each height in flight, also where a stop came before the deletion of those of settled
/// heights, and one of each other kind.
const LOG_RECORDS_MAX: usize = 4 * DEPTH as usize + 5;
/// How long a sync takes on a disk that is well.
const SYNC: Micros = Micros(400);
/// How long after the genesis block a run begins.
const START_MS: u64 = 60_000;
/// How far the clock of a twin's second instance is ahead, so that the two do not build the same blocks.
const TWIN_AHEAD_MS: i64 = 3;

/// A replica, or one of two that share a key.
pub struct Node {
    /// Its number among the hospitals; the one in the validator set of an epoch may differ.
    pub replica: u16,
    /// Whether it keeps to the protocol.
    pub is_correct: bool,
    /// What survives a crash.
    pub disks: Disks,
    /// What does not; `None` while it is stopped.
    pub up: Option<Up>,
    /// Runs so far; what an earlier run planned is void.
    pub life: u64,
    /// Until when its disk keeps it from handling anything.
    pub busy_until: Micros,
    /// Until when the fault that stopped it lasts.
    pub held_until: Micros,
    /// Timers that run.
    pub timers: BTreeMap<TimerName, EngineTimer>,
    /// How far its clock of the day is ahead.
    pub ahead_ms: i64,
    /// Length of its second, in thousandths of a second.
    pub drift_per_mille: u64,
    /// How long a sync takes.
    pub sync: Micros,
    /// The newest block that it has made durable.
    pub durable: Height,
    /// Whether it is stopped because its epoch ended, and about to start with the next.
    pub is_between_epochs: bool,
    /// Transactions that it took since it started, by their place among the submissions.
    pub taken: BTreeMap<TxId, usize>,
    /// How many waited when that was last looked at.
    pub waiting: usize,
    /// Blocks that its ledger keeps below the tip; everything if `None`.
    pub keeps: Option<u64>,
    /// Keys under which it may have voted before its disk was lost.
    pub lost_keys: Vec<PublicKey>,
    /// Whether its operator has still to tell the new machine of these.
    pub must_abstain: bool,
    /// The block at which it took its ledger over from others, if it ever did.
    pub copied: Height,
    /// Whether a copy was put in place by a start that failed later, so that it is still to be checked.
    pub is_copy_unchecked: bool,
    /// How far its clock of the day is ahead when it is well: the second instance of a twin is not quite the first.
    skew_ms: i64,
}

/// The files of a node.
#[derive(Clone, Default)]
pub struct Disks {
    /// The ledger's.
    pub ledger: DiskFile,
    /// The consensus log's.
    pub log: DiskFile,
    /// That of a copy of the others' ledger that is under way, or waits to take the ledger's place.
    pub copy: DiskFile,
}

/// The running part of a node.
pub struct Up {
    /// The replica itself.
    pub engine: Engine,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its log.
    pub log: ConsensusLog,
    /// Transactions that wait.
    pub mempool: Mempool,
    /// What the engine was last told of the mempool's length.
    pub told: usize,
    /// The validators that actions carried out now are for: the engine may be an epoch further.
    pub in_force: EpochInForce,
    /// Evidence that waits to be brought onto the chain; as in the node, it does not survive a stop.
    pub reports: Reports,
    /// What it asks to get back among the others; `None` in runs in which nobody copies a ledger.
    pub copying: Option<Copying>,
}

/// A node's looking after its being near the others.
pub struct Copying {
    /// Decides what to ask.
    pub copier: Copier,
    /// Whom its numbers of peers mean: the epoch in which it started.
    pub set: Arc<EpochSet>,
    /// Rounds of questions so far; answers to earlier ones count for nothing.
    pub round: u64,
    /// What was asked in this round.
    pub asked: Vec<(ReplicaId, TransferRequest)>,
    /// Answers so far, and whether their author keeps to the protocol.
    pub answers: Vec<(Answer, bool)>,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file cannot be opened.
    #[error("the file cannot be opened: {0}")]
    Open(#[from] redb::DatabaseError),
    /// The ledger is no good.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log is no good.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log has more records than heights in flight can leave.
    #[error("the log holds {records} records, at most {LOG_RECORDS_MAX} should be there")]
    LongLog {
        /// How many.
        records: usize,
    },
    /// A copy of the others' ledger is no good.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Disks {
    /// Power fails at so many further writes, on either disk.
    pub fn fail_after(&self, writes: u64) {
        self.ledger.fail_after(writes);
        self.log.fail_after(writes);
        self.copy.fail_after(writes);
    }

    /// Whether the power failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.ledger.has_failed() || self.log.has_failed() || self.copy.has_failed()
    }

    /// No room on either, or room again.
    pub fn set_full(&self, is_full: bool) {
        self.ledger.set_full(is_full);
        self.log.set_full(is_full);
        self.copy.set_full(is_full);
    }

    /// Empty ones in place of what was there.
    pub fn erase(&self) {
        self.ledger.erase();
        self.log.erase();
        self.copy.erase();
    }
}

impl CopyFiles for Disks {
    fn has_copy(&self) -> bool {
        !self.copy.is_empty()
    }

    fn open_copy(&self) -> Result<Database, LedgerError> {
        open_for_copy(&self.copy)
    }

    fn remove_copy(&self) -> Result<(), TransferError> {
        self.copy.erase();
        Ok(())
    }

    fn has_ledger(&self) -> bool {
        !self.ledger.is_empty()
    }

    fn open_ledger(&self) -> Result<Database, LedgerError> {
        open_for_copy(&self.ledger)
    }

    fn put_in_place(&self) -> Result<(), TransferError> {
        self.ledger.take_place(&self.copy);
        Ok(())
    }
}

impl Node {
    /// A node that has not started, with empty disks.
    #[must_use]
    pub fn new(replica: u16, is_correct: bool) -> Self {
        Self {
            replica,
            is_correct,
            disks: Disks::default(),
            up: None,
            life: 0,
            busy_until: Micros(0),
            held_until: Micros(0),
            timers: BTreeMap::new(),
            ahead_ms: 0,
            drift_per_mille: 1_000,
            sync: SYNC,
            durable: Height(0),
            is_between_epochs: false,
            taken: BTreeMap::new(),
            waiting: 0,
            keeps: None,
            lost_keys: Vec::new(),
            must_abstain: false,
            copied: Height(0),
            is_copy_unchecked: false,
            skew_ms: 0,
        }
    }

    /// The second instance of a replica that runs twice.
    #[must_use]
    pub fn twin(replica: u16) -> Self {
        Self { ahead_ms: TWIN_AHEAD_MS, skew_ms: TWIN_AHEAD_MS, ..Self::new(replica, false) }
    }

    /// Starts it from what is on its disks; the actions are to be carried out first.
    ///
    /// # Errors
    /// [`StartError`] by variant.
    pub fn start(&mut self, setting: &Setting, at: Micros) -> Result<Vec<Action>, StartError> {
        let now = self.now(at);
        if setting.copies_ledgers {
            put_copy_in_place(&self.disks, &setting.genesis, &QuickVotes)?;
        }
        let ledger = Ledger::over(open(self.disks.ledger.open())?, &setting.genesis, setting.votes())?;
        let log = ConsensusLog::over(open(self.disks.log.open())?)?;
        if self.must_abstain {
            log.give_up_keys(&self.lost_keys)?;
            self.must_abstain = false;
        }
        log.check_beside(ledger.tip().height)?;
        let records = log.load()?;
        if records.len() > LOG_RECORDS_MAX {
            return Err(StartError::LongLog { records: records.len() });
        }
        let mempool = setting.mempool(self.is_correct);
        (self.taken, self.waiting) = (BTreeMap::new(), 0);
        let parts = EngineParts {
            settings: setting.consensus,
            credentials: setting.credentials(self.replica),
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: Arc::new(setting.checked.clone()),
            #[cfg(feature = "planted")]
            planted: setting.planted.filter(|_| self.is_correct).into_iter().collect(),
        };
        let (engine, actions) = Engine::start(parts, records, now)?;
        let in_force = engine.epoch().clone();
        let reports = Reports::default();
        let copying = setting.copies_ledgers.then(|| self.copying(setting, &ledger, &in_force));
        self.up = Some(Up { engine, ledger, log, mempool, told: 0, in_force, reports, copying });
        Ok(actions)
    }

    fn copying(&self, setting: &Setting, ledger: &Ledger, in_force: &EpochInForce) -> Copying {
        let parts = CopierParts {
            ledger: ledger.clone(),
            genesis: setting.genesis.clone(),
            votes: &QuickVotes,
            others: in_force.others(),
            files: Box::new(self.disks.clone()),
            #[cfg(feature = "planted")]
            planted: setting.planted.filter(|_| self.is_correct),
        };
        let copier = Copier::new(parts);
        let set = in_force.set.clone();
        Copying { copier, set, round: 0, asked: Vec::new(), answers: Vec::new() }
    }

    /// Stops it without warning.
    pub fn crash(&mut self, unsynced: Unsynced, rng: &mut Rng) {
        // The disks first: a database that is closed in an orderly way would write.
        self.disks.ledger.crash(unsynced, rng);
        self.disks.log.crash(unsynced, rng);
        self.disks.copy.crash(unsynced, rng);
        self.up = None;
        self.life += 1;
        self.timers.clear();
        self.busy_until = Micros(0);
    }

    /// Stops it in an orderly way: everything that it wrote is on its disks.
    pub fn end(&mut self) {
        self.up = None;
        // Work that is still under way, on the files as they were open, comes to nothing.
        self.disks.ledger.close();
        self.disks.log.close();
        self.disks.copy.close();
        self.life += 1;
        self.timers.clear();
        self.busy_until = Micros(0);
    }

    /// The time as this node sees it.
    #[must_use]
    pub fn now(&self, at: Micros) -> Now {
        let day = GENESIS_TIME.0 + START_MS + at.as_millis();
        let wall = Timestamp(day.saturating_add_signed(self.ahead_ms));
        Now { monotonic: Millis(at.as_millis()), wall }
    }

    /// How long a timer of so many milliseconds runs here.
    #[must_use]
    pub fn countdown(&self, Millis(millis): Millis) -> Micros {
        Micros(millis.saturating_mul(self.drift_per_mille))
    }

    /// Makes its disk well again.
    pub fn reset_faults(&mut self) {
        (self.ahead_ms, self.drift_per_mille, self.sync) = (self.skew_ms, 1_000, SYNC);
    }
}

impl Up {
    /// Which member another one is in the epoch in force here, by its organisation.
    #[must_use]
    pub fn member(&self, organisation: &Did) -> Option<ReplicaId> {
        let members = self.engine.epoch().set.validators.members();
        let index = members.iter().position(|member| member.organisation == *organisation)?;
        u16::try_from(index).ok().map(ReplicaId)
    }

    /// Whose number this is in the epoch that actions carried out now are for.
    #[must_use]
    pub fn organisation(&self, replica: ReplicaId) -> Option<Did> {
        self.in_force.set.validators.get(replica).map(|member| member.organisation)
    }

    /// Hands an event in, and what changed in the mempool.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<Vec<Action>, EngineError> {
        let mut actions = self.engine.handle(now, event)?;
        actions.extend(self.tell(now)?);
        Ok(actions)
    }

    /// Tells the engine if the mempool changed.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn tell(&mut self, now: Now) -> Result<Vec<Action>, EngineError> {
        let length = self.mempool.len();
        if std::mem::replace(&mut self.told, length) == length {
            return Ok(Vec::new());
        }
        self.engine.handle(now, Event::MempoolChanged)
    }
}

fn open_for_copy(file: &DiskFile) -> Result<Database, LedgerError> {
    let opened = open(file.open());
    opened.map_err(|source| LedgerError::Open { path: "of a simulated disk".into(), source })
}

fn open(handle: Handle) -> Result<Database, redb::DatabaseError> {
    Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(handle)
}
