//! The border of the engine: what it is told, and what it asks for.

use super::engine::EpochInForce;
use super::job::{Job, JobResult};
use crate::ledger::ExecutedBlock;
use amulet_pbft::{CommitCertificate, Evidence, LogRecord, Millis, TimerKind, VerifiedMessage};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Epoch, Height, ReplicaId, Timestamp};
use std::sync::Arc;

/// The time at which an event is handled. The engine has no clock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since any fixed moment; never goes back.
    pub monotonic: Millis,
    /// What the machine's clock says: goes into headers of blocks that this replica builds, and is held against those of
    /// blocks that others build.
    pub wall: Timestamp,
}

/// One thing that happened. Events may come in any order; what has become void is ignored.
#[derive(Debug)]
pub enum Event {
    /// A message of another replica that passed [`UntrustedMessage::verify`](amulet_pbft::UntrustedMessage::verify).
    Message(VerifiedMessage),
    /// A timer that [`Action::SetTimer`] set has run down. One that was stopped or set anew since is ignored.
    Timer(EngineTimer),
    /// The queue of waiting transactions has changed. Told at least once after each change; changes may be told together.
    MempoolChanged,
    /// The result of an [`Action::Run`]. Results may come in any order.
    JobDone(JobResult),
    /// The end of an [`Action::Fetch`]: what the peer answered, or `None` if it gave no answer in time.
    Fetched {
        /// Who was asked.
        peer: ReplicaId,
        /// Its answer; nothing about it has been checked.
        blocks: Option<Vec<UntrustedCertifiedBlock>>,
    },
    /// A peer speaks of an epoch that has not begun here ([`GateRefusal::EpochAhead`](super::GateRefusal::EpochAhead)):
    /// there are blocks to catch up with, perhaps.
    PeerAhead {
        /// Who.
        peer: ReplicaId,
    },
}

/// One thing to do.
///
/// **The contract.** Actions are carried out in the order in which [`Engine::handle`](super::Engine::handle) returned
/// them, those of one event before those of the next:
/// 1. The records of an `Append` are on the disk before any later `Send`, `Broadcast` or `Commit` begins. Several may be
///    written as one, earlier than their place, but never across a `Commit`: a log that is ahead of its ledger is taken
///    for the log of a ledger that lost blocks.
/// 2. The block of a `Commit` is in the ledger, on the disk, before any later action begins.
/// 3. `Send` and `Broadcast` are best effort.
/// 4. A `Run` may be carried out anywhere, at any time after the actions before it, alongside those after it.
/// 5. If an `Append` or a `Commit` fails, the replica stops. It may start again from what is on its disk.
pub enum Action {
    /// Make records durable, each in place of the one with its key: [`Log::append`](super::Log::append).
    Append(Vec<LogRecord>),
    /// Records of blocks up to this height may be deleted: [`Log::prune`](super::Log::prune).
    Prune(Height),
    /// Commit a block durably: [`Ledger::commit`](crate::ledger::Ledger::commit).
    Commit {
        /// The block, executed on the one below.
        block: Arc<ExecutedBlock>,
        /// A quorum's votes for it.
        certificate: CommitCertificate,
    },
    /// Send an encoded message to one replica.
    Send {
        /// Whom.
        to: ReplicaId,
        /// The message, as it goes over the wire.
        bytes: Arc<Vec<u8>>,
    },
    /// Send an encoded message to all other replicas.
    Broadcast {
        /// The message, as it goes over the wire.
        bytes: Arc<Vec<u8>>,
    },
    /// Count down, in place of any running timer of the same name, and then hand in [`Event::Timer`].
    SetTimer {
        /// Handed back when it has run down.
        timer: EngineTimer,
        /// How long.
        after: Millis,
    },
    /// Stop the timer of this name, if it runs.
    StopTimer(TimerName),
    /// Run a job and hand in [`Event::JobDone`].
    Run(Job),
    /// Ask a peer for certified blocks from a height on, and hand in [`Event::Fetched`].
    Fetch {
        /// Whom.
        peer: ReplicaId,
        /// The first height wanted.
        from: Height,
    },
    /// A replica contradicted itself under its own signature: bring the proof onto the chain.
    SubmitEvidence {
        /// The epoch in which it did.
        epoch: Epoch,
        /// The proof.
        evidence: Box<Evidence>,
    },
    /// Another validator set is in force: numbers of replicas in later actions and messages are numbers in it.
    EpochBegan(Box<EpochInForce>),
}

/// What a timer is for; one of each name runs at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerName {
    /// One of the core's.
    Core(TimerKind),
    /// The gathering of transactions for a block.
    Batch,
    /// An observer's next look at what the validators have committed.
    Follow,
}

/// One run of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineTimer {
    /// The epoch in which it was set; it means nothing in any other.
    pub epoch: Epoch,
    /// What it is for.
    pub name: TimerName,
    /// Which run.
    pub generation: u64,
}
