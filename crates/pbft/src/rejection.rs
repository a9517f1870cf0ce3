//! Why an input was ignored. Each variant carries the values that were compared.

use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};

use crate::payload::PayloadDigest;
use crate::timer::Timer;

/// Why an input was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The message is of a view that this replica has left.
    #[error("view {message} is over, the current one is {current}")]
    StaleView {
        /// The message's view.
        message: View,
        /// The view entered or asked for.
        current: View,
    },
    /// The message was checked against the validators of another epoch.
    #[error("the message is of epoch {found}, this replica of epoch {expected}")]
    Epoch {
        /// The message's.
        found: Epoch,
        /// This replica's.
        expected: Epoch,
    },
    /// Too few others were heard of late to blame the primary.
    #[error("heard {heard} others, which is fewer than {needed}")]
    CutOff {
        /// Others heard.
        heard: usize,
        /// Others that make a quorum with this replica.
        needed: usize,
    },
    /// The block below ends the epoch.
    #[error("height {height} is beyond the epoch, which ends with {last}")]
    BeyondEpoch {
        /// The message's height.
        height: Height,
        /// Height of the accepted block that ends the epoch.
        last: Height,
    },
    /// The epoch is over, and with it this replica's work.
    #[error("the epoch ended with height {last}")]
    EpochEnded {
        /// The epoch's last height.
        last: Height,
    },
    /// The block at this height is final already.
    #[error("height {height} is settled, up to {committed}")]
    Settled {
        /// The message's height.
        height: Height,
        /// The last committed height, or what the new-view message proved to be committed.
        committed: Height,
    },
    /// The height is outside the window.
    #[error("height {height} is not above {low} and at most {high}")]
    OutsideWaterMarks {
        /// The message's height.
        height: Height,
        /// The low water mark, excluded.
        low: Height,
        /// The high water mark, included.
        high: Height,
    },
    /// Only the primary may say this.
    #[error("replica {sender} is not the primary {primary} of view {view}")]
    NotPrimary {
        /// Who said it.
        sender: ReplicaId,
        /// Who may.
        primary: ReplicaId,
        /// In which view.
        view: View,
    },
    /// The primary's pre-prepare is its vote; it sends no prepare.
    #[error("the primary {primary} does not prepare")]
    PrimaryDoesNotPrepare {
        /// The primary of the view.
        primary: ReplicaId,
    },
    /// Already known.
    #[error("replica {sender} has said this before")]
    Duplicate {
        /// Who said it.
        sender: ReplicaId,
    },
    /// Contradicts what the replica said before; evidence was reported once.
    #[error("replica {offender} contradicts itself")]
    Equivocation {
        /// Who did.
        offender: ReplicaId,
    },
    /// A message under this replica's own number: another process has its key, or the driver looped it back.
    #[error("a message of this replica, {replica}, came from outside")]
    OwnMessage {
        /// This replica.
        replica: ReplicaId,
    },
    /// A checkpoint at a height where none is taken.
    #[error("no checkpoint is taken at height {height}")]
    NoCheckpoint {
        /// The message's height.
        height: Height,
    },
    /// A new-view does not begin with the proposals that its own certificate demands.
    #[error("the new-view for view {view} proposes other blocks than its certificate demands")]
    NewViewMismatch {
        /// The view.
        view: View,
    },
    /// The requested payload is not here.
    #[error("payload {digest:?} is not held")]
    PayloadNotHeld {
        /// The digest asked for.
        digest: PayloadDigest,
    },
    /// A payload that this replica does not wait for.
    #[error("payload {digest:?} is not awaited")]
    PayloadNotAwaited {
        /// The digest received.
        digest: PayloadDigest,
    },
    /// A driver's answer to a question that is no longer open.
    #[error("no answer is awaited about block {header_hash} at height {height} in view {view}")]
    NotAwaited {
        /// The answer's view.
        view: View,
        /// The answer's height.
        height: Height,
        /// The answer's block.
        header_hash: HeaderHash,
    },
    /// The timer was stopped or started anew since.
    #[error("timer {0:?} is not running")]
    StaleTimer(Timer),
}
