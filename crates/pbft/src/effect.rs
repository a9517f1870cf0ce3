//! What the core asks the driver to do.

use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};

use crate::certificate::CommitCertificate;
use crate::config::Millis;
use crate::message::Message;
use crate::payload::Payload;
use crate::record::LogRecord;
use crate::rejection::Rejection;
use crate::timer::{Timer, TimerKind};
use amulet_protocol::evidence::Evidence;

/// One thing to do.
///
/// **The contract.** The driver carries effects out in the order in which `step` returned them, those of one step before
/// those of the next:
/// 1. A `Persist` has reached the disk before any later `Send`, `Broadcast` or `Commit` begins. The records of one
///    step may be written together, before the first effect that is not a `Persist`.
/// 2. A `Commit` has applied block and certificate durably before any later effect begins, so that the checkpoint vote
///    which may follow is true.
/// 3. `Send` and `Broadcast` are best effort: a message may be lost, delayed, repeated or reordered.
/// 4. If a `Persist` or `Commit` fails the driver stops the replica; it may start again by `Replica::recover`.
///
/// `Propose` and `Validate` are answered later by an input, or never if the driver stops; one of each may be open at a
/// time. A newer one of the same kind, another view, and a settled height make an older one void. The driver may drop an
/// answer that has become void, and the core ignores one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a record durable. A record replaces the one with the same `LogRecord::key`.
    Persist(LogRecord),
    /// Send to one replica.
    Send(ReplicaId, Message),
    /// Send to all other replicas.
    Broadcast(Message),
    /// Count down, in place of any running timer of the same kind.
    StartTimer(Timer, Millis),
    /// Stop the timer of this kind.
    StopTimer(TimerKind),
    /// Build and execute a block of waiting requests and answer with `Input::Proposal`. If none wait any more, say so by
    /// `Input::Requests(Empty)`.
    Propose {
        /// The view to put into the header.
        view: View,
        /// The height of the block.
        height: Height,
        /// Hash of the header of the block before it: the tip's, or that of a block accepted in this view.
        parent: HeaderHash,
    },
    /// Decode and execute a proposed block, and answer with `Input::Validated`.
    Validate {
        /// The view in which it is proposed.
        view: View,
        /// The height that its header must have.
        height: Height,
        /// Hash of the header of the block that it must follow: the tip's, or that of a block accepted in this view.
        parent: HeaderHash,
        /// The hash that its header must have.
        header_hash: HeaderHash,
        /// The encoded block.
        payload: Payload,
        /// How to judge what is not a function of the chain alone.
        provenance: Provenance,
    },
    /// The block is final: apply it.
    Commit {
        /// The proof; its height is the one after the last committed.
        certificate: CommitCertificate,
        /// The encoded block, which this replica has executed.
        payload: Payload,
    },
    /// A quorum holds the blocks up to this height durably: the low water mark. Log records of lower heights are not
    /// needed, nor are blocks for helping others through a view change.
    Stable {
        /// The checkpoint's height.
        height: Height,
    },
    /// Others have committed more: fetch certified blocks from peers and report each by `Input::Synced`. May be repeated
    /// while a fetch is under way. The claim is a peer's word; only certificates prove it.
    CatchUp {
        /// A height that the hinted replica says it has committed.
        to: Height,
        /// Who to ask first.
        hint: ReplicaId,
    },
    /// A replica contradicted itself under its own signature.
    Report(Box<Evidence>),
}

/// Where a proposed block comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The primary of this view built it: its header must name this view and this primary. Its time may be held against
    /// the local clock, as being too far ahead only: after a restart the same block is judged again, and is older.
    New,
    /// A quorum prepared it in an earlier view: its header names an earlier view and that view's primary. It must be
    /// judged by the chain alone, because replicas whose clocks disagree must not differ about it.
    Carried,
}

/// Whether an input was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was acted on or kept for later.
    Accepted,
    /// It did not fit. Not an error: networks repeat and reorder, and peers may be faulty.
    Ignored(Rejection),
}

/// What one input led to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "effects that are not carried out break the protocol"]
pub struct Step {
    /// To be carried out in order, see [`Effect`].
    pub effects: Vec<Effect>,
    /// Whether the input was taken.
    pub outcome: Outcome,
}
