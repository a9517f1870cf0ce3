//! What the driver tells the core.

use amulet_protocol::ids::{HeaderHash, Height, View};

use crate::certificate::CommitCertificate;
use crate::fitness::Suspicion;
use crate::payload::Payload;
use crate::timer::Timer;
use crate::verify::VerifiedMessage;

/// One thing that happened. Inputs may come in any order and any number of times; what does not fit is ignored with a
/// `Rejection` that says why.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message from another replica. The driver does not hand a replica its own messages back.
    Message(VerifiedMessage),
    /// The block that `Effect::Propose` asked for, built and executed.
    Proposal(ProposedBlock),
    /// The answer to `Effect::Validate`.
    Validated {
        /// As in the effect.
        view: View,
        /// As in the effect.
        height: Height,
        /// As in the effect.
        header_hash: HeaderHash,
        /// What execution found.
        verdict: Verdict,
        /// Whether the block ends the epoch: its header names another set of validators for the next block.
        ends_epoch: bool,
    },
    /// The driver has durably adopted the block of this certificate from peers, having checked the certificate with
    /// [`check_commit_certificate`](crate::certificate::check_commit_certificate) and executed the block. Given once for each block, in order of height.
    Synced {
        /// The proof.
        certificate: CommitCertificate,
        /// Whether the block ends the epoch.
        ends_epoch: bool,
    },
    /// Whether requests wait that are in no block in flight here. Told on each change; `Waiting` holds until `Empty` is
    /// told.
    Requests(Requests),
    /// The driver's monitor found the primary unfit.
    Suspect(Suspicion),
    /// A timer ran down.
    TimerFired(Timer),
}

/// A block that this replica proposes as the primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedBlock {
    /// The view of the `Effect::Propose` that this answers; also stands in the header.
    pub view: View,
    /// The height of that effect.
    pub height: Height,
    /// The parent of that effect, on which the block was executed. Another block may have become final below since then.
    pub parent: HeaderHash,
    /// Hash of the header of the executed block.
    pub header_hash: HeaderHash,
    /// The encoded block.
    pub payload: Payload,
    /// Whether the block ends the epoch.
    pub ends_epoch: bool,
}

/// What execution of a proposed block found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The block decodes, follows the parent that was named, executes, and its header hashes to the proposed hash.
    Valid,
    /// It does not. Only for what every correct replica would find: a local failure, such as a full disk, is no
    /// verdict, and the driver stops instead.
    Invalid,
}

/// Whether requests wait that are in no block in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requests {
    /// None that the driver knows of.
    #[default]
    Empty,
    /// At least one.
    Waiting,
}
