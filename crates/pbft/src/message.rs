//! What replicas say to each other.
//!
//! Every message is signed by the replica that says it, over the borsh encoding of its content in a context of its own
//! ([`Content::CONTEXT`]). Payloads travel beside the signed content, which names their digest. The contents that third
//! parties check, because they may become evidence, are in `amulet_protocol::consensus`. On the wire a message names its
//! epoch. One that was decoded is an [`UntrustedMessage`]; `step` takes only what [`UntrustedMessage::verify`] let
//! through.

use amulet_crypto::signing::SigningContext;
use amulet_protocol::certificate::CommitVote;
pub use amulet_protocol::consensus::{Checkpoint, Content, PrePrepare, Prepare, Proposal, Signed};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::limits::MESSAGE_BYTES_MAX;
use crate::payload::{Payload, PayloadDigest};

/// A replica's wish to leave its view, with all that the next primary must respect.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ViewChange {
    /// The view to enter.
    pub new_view: View,
    /// Proof of the sender's last committed block; `None` when no block of this epoch is committed there: the start of an
    /// epoch is certified by the epoch before, and known to all.
    pub base: Option<CommitCertificate>,
    /// Proofs of what the sender has prepared above `base`, one for each height without a gap, each on top of the block
    /// below it; at most `PIPELINE_DEPTH_MAX`.
    pub prepared: Vec<PreparedCertificate>,
}

impl ViewChange {
    /// Height of the sender's last committed block in this epoch; 0 if there is none yet.
    #[must_use]
    pub fn base_height(&self) -> Height {
        self.base.as_ref().map_or(Height(0), |certificate| certificate.vote.height)
    }
}

/// A new primary's start of its view.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NewView {
    /// The view that starts.
    pub view: View,
    /// The view-change certificate: messages for this view from a quorum, ordered by sender.
    pub view_changes: Vec<Signed<ViewChange>>,
    /// The proposals that the certificate obliges the view to begin with, in order of height.
    pub pre_prepares: Vec<Signed<PrePrepare>>,
}

/// How far a replica is with a height in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = false)]
pub enum Phase {
    /// It has no block for it.
    AwaitingProposal,
    /// It has a block and is not prepared.
    Preparing,
    /// It is prepared.
    Committing,
}

/// How far a replica is. Sent with each heartbeat; whoever is ahead answers with what the sender lacks.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Status {
    /// The last view that the replica entered.
    pub view: View,
    /// The view it asks for; equals `view` in normal operation.
    pub target: View,
    /// Its last committed height.
    pub height: Height,
    /// Its last stable checkpoint.
    pub stable: Height,
    /// How far it is, in `view`, with the heights after `height`, in order; at most `PIPELINE_DEPTH_MAX`. Nothing is known
    /// to it of heights beyond.
    pub phases: Vec<Phase>,
}

/// A request for the payload of a proposal that a new view carries over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayloadRequest {
    /// The proposal's height.
    pub height: Height,
    /// Which payload.
    pub payload_digest: PayloadDigest,
}

/// The answer to a [`PayloadRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayloadReply {
    /// The height asked for.
    pub height: Height,
    /// Digest of the payload beside this message.
    pub payload_digest: PayloadDigest,
}

impl Content for ViewChange {
    const CONTEXT: SigningContext = SigningContext::ViewChange;
}

impl Content for NewView {
    const CONTEXT: SigningContext = SigningContext::NewView;
}

impl Content for Status {
    const CONTEXT: SigningContext = SigningContext::ReplicaStatus;
}

impl Content for PayloadRequest {
    const CONTEXT: SigningContext = SigningContext::PayloadRequest;
}

impl Content for PayloadReply {
    const CONTEXT: SigningContext = SigningContext::PayloadReply;
}

/// A message as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// A proposal and its block.
    PrePrepare(Signed<PrePrepare>, Payload),
    /// A backup's vote for a proposal.
    Prepare(Signed<Prepare>),
    /// A vote that a quorum prepared the block. A quorum of these is the block's certificate, so the signed bytes are
    /// exactly those that light clients check.
    Commit(Signed<CommitVote>),
    /// A statement of durable state.
    Checkpoint(Signed<Checkpoint>),
    /// A wish to leave a view.
    ViewChange(Signed<ViewChange>),
    /// The start of a view.
    NewView(Signed<NewView>),
    /// How far a replica is.
    Status(Signed<Status>),
    /// A request for a payload.
    PayloadRequest(Signed<PayloadRequest>),
    /// A requested payload.
    PayloadReply(Signed<PayloadReply>, Payload),
}

impl Message {
    /// The replica that signed it, or is said to have.
    #[must_use]
    pub fn sender(&self) -> ReplicaId {
        match self {
            Self::PrePrepare(signed, _) => signed.sender,
            Self::Prepare(signed) => signed.sender,
            Self::Commit(signed) => signed.sender,
            Self::Checkpoint(signed) => signed.sender,
            Self::ViewChange(signed) => signed.sender,
            Self::NewView(signed) => signed.sender,
            Self::Status(signed) => signed.sender,
            Self::PayloadRequest(signed) => signed.sender,
            Self::PayloadReply(signed, _) => signed.sender,
        }
    }

    /// View and height of a message of the normal case.
    pub(crate) fn place(&self) -> Option<(View, Height)> {
        match self {
            Self::PrePrepare(signed, _) => {
                Some((signed.content.proposal.view, signed.content.proposal.height))
            }
            Self::Prepare(signed) => Some((signed.content.proposal.view, signed.content.proposal.height)),
            Self::Commit(signed) => Some((signed.content.view, signed.content.height)),
            _ => None,
        }
    }

    /// The kind's name, as logs and metrics show it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PrePrepare(..) => "pre-prepare",
            Self::Prepare(_) => "prepare",
            Self::Commit(_) => "commit",
            Self::Checkpoint(_) => "checkpoint",
            Self::ViewChange(_) => "view-change",
            Self::NewView(_) => "new-view",
            Self::Status(_) => "status",
            Self::PayloadRequest(_) => "payload-request",
            Self::PayloadReply(..) => "payload-reply",
        }
    }

    /// The bytes for the wire, in an envelope that names the epoch.
    #[must_use]
    pub fn encode(&self, epoch: Epoch) -> Vec<u8> {
        borsh::to_vec(&(epoch, self)).expect("encoding into memory does not fail")
    }
}

/// A decoded message of which nothing has been checked but its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedMessage {
    pub(crate) epoch: Epoch,
    pub(crate) message: Message,
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than any message has.
    #[error("the message has {bytes} bytes, at most {MESSAGE_BYTES_MAX} are read")]
    TooLarge {
        /// Bytes received.
        bytes: usize,
    },
    /// The bytes do not have the shape of a message.
    #[error("the message is malformed: {0}")]
    Malformed(std::io::Error),
}

impl UntrustedMessage {
    /// Reads a message; all bytes must belong to it (rule PBFT-MB-1).
    ///
    /// # Errors
    /// [`DecodeError`], by what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: bytes.len() });
        }
        let (epoch, message) = BorshDeserialize::try_from_slice(bytes).map_err(DecodeError::Malformed)?;
        Ok(Self { epoch, message })
    }

    /// A message as if it had been received.
    #[must_use]
    pub fn new(epoch: Epoch, message: Message) -> Self {
        Self { epoch, message }
    }

    /// The epoch that it names. A later one than this replica's says that there are blocks to catch up with; the message
    /// itself can only be checked with that epoch's validators.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What it says; nothing of it has been checked.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Who is said to have sent it; for routing and quotas before the signature is checked.
    #[must_use]
    pub fn claimed_sender(&self) -> ReplicaId {
        self.message.sender()
    }
}
