//! What a signature is for.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::digest::Digest;
use crate::hex_text::{HexError, serde_as_text};

/// The kind of message that a signature is over: one for each message type that anybody signs.
///
/// A new message type gets a new context; a context's text never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SigningContext {
    /// A transaction for the ledger.
    Transaction,
    /// A primary's proposal of an order.
    PrePrepare,
    /// A replica's prepare vote.
    Prepare,
    /// A replica's commit vote; these make a block's certificate.
    Commit,
    /// A replica's statement of a state digest at a sequence number.
    Checkpoint,
    /// A replica's wish to leave a view.
    ViewChange,
    /// A new primary's start of a view.
    NewView,
    /// A replica's statement of how far it is, which others answer with what it lacks.
    ReplicaStatus,
    /// A replica's request for a proposed block that it lacks.
    PayloadRequest,
    /// The answer to such a request.
    PayloadReply,
    /// The binding of a network identity to a node key.
    NodeHandshake,
    /// A request to read encrypted records from a vault.
    ReadRequest,
    /// A wish to have a ciphertext kept in a vault.
    Upload,
    /// Facts readable without a network, such as those in an emergency card.
    OfflineFacts,
    /// A practitioner's wish that their hospital takes a file in.
    IntakeRequest,
    /// A hospital's receipt for an intake.
    IntakeReceipt,
    /// The description of a chain that clients start from.
    Genesis,
    /// A key holder's agreement to be a validator.
    SeatAcceptance,
    /// A patient's order about links that a hospital serves.
    LinkRequest,
    /// A key holder's agreement to speak for a DID from now on.
    KeyPossession,
}

impl SigningContext {
    /// The text that goes into the signature.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Transaction => "amulet/v1/transaction",
            Self::PrePrepare => "amulet/v1/pre-prepare",
            Self::Prepare => "amulet/v1/prepare",
            Self::Commit => "amulet/v1/commit",
            Self::Checkpoint => "amulet/v1/checkpoint",
            Self::ViewChange => "amulet/v1/view-change",
            Self::NewView => "amulet/v1/new-view",
            Self::ReplicaStatus => "amulet/v1/replica-status",
            Self::PayloadRequest => "amulet/v1/payload-request",
            Self::PayloadReply => "amulet/v1/payload-reply",
            Self::NodeHandshake => "amulet/v1/node-handshake",
            Self::ReadRequest => "amulet/v1/read-request",
            Self::Upload => "amulet/v1/upload",
            Self::OfflineFacts => "amulet/v1/offline-facts",
            Self::IntakeRequest => "amulet/v1/intake-request",
            Self::IntakeReceipt => "amulet/v1/intake-receipt",
            Self::Genesis => "amulet/v1/genesis",
            Self::SeatAcceptance => "amulet/v1/seat-acceptance",
            Self::LinkRequest => "amulet/v1/link-request",
            Self::KeyPossession => "amulet/v1/key-possession",
        }
    }

    /// The bytes before the message: tag length, tag, chain.
    pub(super) fn prefix(self, chain: &ChainTag) -> Vec<u8> {
        let tag = self.tag().as_bytes();
        let mut prefix = Vec::with_capacity(1 + tag.len() + chain.0.len());
        prefix.push(u8::try_from(tag.len()).expect("context tags are short"));
        prefix.extend_from_slice(tag);
        prefix.extend_from_slice(&chain.0);
        prefix
    }
}

/// The chain that a signature counts on: 32 bytes, by custom the digest of the chain's genesis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ChainTag(pub [u8; 32]);

impl From<Digest> for ChainTag {
    fn from(digest: Digest) -> Self {
        Self(digest.to_bytes())
    }
}

impl fmt::Display for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainTag({}…)", hex::encode(&self.0[..4]))
    }
}

impl FromStr for ChainTag {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse::<Digest>().map(Self::from)
    }
}

serde_as_text!(ChainTag);
