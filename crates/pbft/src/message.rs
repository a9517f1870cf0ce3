//! What replicas say to each other.
//!
//! Every message is signed by the replica that says it, over the borsh encoding of its content in a context of its own
//! ([`Content::CONTEXT`]). Payloads travel beside the signed content, which names their digest. A message that was
//! decoded is an [`UntrustedMessage`]; `step` takes only what [`UntrustedMessage::verify`] let through.

use amulet_crypto::signing::{Signature, SigningContext};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::limits::MESSAGE_BYTES_MAX;
use crate::payload::{Payload, PayloadDigest};
use crate::signer::Signer;

/// Something that a replica signs.
pub trait Content: BorshSerialize {
    /// The context that keeps this content's signatures apart from those of all others.
    const CONTEXT: SigningContext;

    /// The bytes under the signature; context and chain are added by the signer.
    fn signing_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("encoding into memory does not fail")
    }
}

/// A content with the replica that is said to have signed it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signed<T> {
    /// Who signed.
    pub sender: ReplicaId,
    /// What was signed.
    pub content: T,
    /// The signature over [`Content::signing_bytes`].
    pub signature: Signature,
}

impl<T: Content> Signed<T> {
    /// Signs `content` as `sender`.
    pub fn new(content: T, sender: ReplicaId, signer: &dyn Signer) -> Self {
        let signature = signer.sign(T::CONTEXT, &content.signing_bytes());
        Self { sender, content, signature }
    }
}

/// A block at its place in the order: what pre-prepare and prepare messages are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// The view in which it is proposed; the header names the view in which the block was built, which may be earlier.
    pub view: View,
    /// The block's height.
    pub height: Height,
    /// Hash of the header of the executed block.
    pub header_hash: HeaderHash,
    /// Digest of the encoded block.
    pub payload_digest: PayloadDigest,
}

impl Proposal {
    /// Whether both name the same block at the same height, in whatever views.
    #[must_use]
    pub fn is_same_block(&self, other: &Self) -> bool {
        (self.height, self.header_hash, self.payload_digest)
            == (other.height, other.header_hash, other.payload_digest)
    }
}

/// The primary's proposal of a block. Counts as its prepare vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PrePrepare {
    /// What is proposed.
    pub proposal: Proposal,
}

/// A backup's vote: it executed the block, found the header right, and accepted this proposal in this view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Prepare {
    /// What is voted for.
    pub proposal: Proposal,
}

/// A replica's statement that it holds the blocks up to `height` durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// A height at which checkpoints are taken.
    pub height: Height,
    /// Hash of the header at that height, which commits to the state after it.
    pub header_hash: HeaderHash,
}

/// A replica's wish to leave its view, with all that the next primary must respect.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ViewChange {
    /// The view to enter.
    pub new_view: View,
    /// Proof of the sender's last committed block; `None` when that is the genesis block.
    pub base: Option<CommitCertificate>,
    /// Proofs of what the sender has prepared above `base`, one for each height, at most `PIPELINE_DEPTH`.
    pub prepared: Vec<PreparedCertificate>,
}

impl ViewChange {
    /// Height of the sender's last committed block.
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

/// How far a replica is with the height in flight.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Status {
    /// The last view that the replica entered.
    pub view: View,
    /// The view it asks for; equals `view` in normal operation.
    pub target: View,
    /// Its last committed height.
    pub height: Height,
    /// Its last stable checkpoint.
    pub stable: Height,
    /// How far it is with the height after `height`, in `view`.
    pub phase: Phase,
}

/// A request for the payload of a proposal that a new view carries over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayloadRequest {
    /// The height in flight.
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

macro_rules! content {
    ($($content:ty => $context:ident),* $(,)?) => {
        $(impl Content for $content {
            const CONTEXT: SigningContext = SigningContext::$context;
        })*
    };
}

content! {
    PrePrepare => PrePrepare,
    Prepare => Prepare,
    CommitVote => Commit,
    Checkpoint => Checkpoint,
    ViewChange => ViewChange,
    NewView => NewView,
    Status => ReplicaStatus,
    PayloadRequest => PayloadRequest,
    PayloadReply => PayloadReply,
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

    /// The bytes for the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("encoding into memory does not fail")
    }
}

/// A decoded message of which nothing has been checked but its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedMessage(pub(crate) Message);

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
        Message::try_from_slice(bytes).map(Self).map_err(DecodeError::Malformed)
    }

    /// Who is said to have sent it; for routing and quotas before the signature is checked.
    #[must_use]
    pub fn claimed_sender(&self) -> ReplicaId {
        self.0.sender()
    }
}

impl From<Message> for UntrustedMessage {
    fn from(message: Message) -> Self {
        Self(message)
    }
}
