//! What replicas sign when they agree on blocks, in the form that a third party can check: the contract that records
//! evidence, and light clients.
//!
//! Every content is signed over its borsh encoding in a context of its own ([`Content::CONTEXT`]) and in a domain
//! ([`signing_domain`]): commit votes in the chain's, because light clients check them, everything else in that of one
//! epoch of the chain. So a vote of one kind, chain or epoch is never valid as another.

use crate::certificate::CommitVote;
use crate::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId, View};
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_crypto::signing::{ChainTag, Signature, SigningContext};
use borsh::{BorshDeserialize, BorshSerialize};

const DOMAIN_TAG: Tag = Tag::new("amulet/v1/consensus-domain");

/// The domain in which a replica signs contents of `context` in an epoch of a chain.
#[must_use]
pub fn signing_domain(context: SigningContext, chain: ChainId, epoch: Epoch) -> ChainTag {
    match context {
        SigningContext::Commit => chain.tag(),
        _ => tagged(DOMAIN_TAG, &[chain.as_bytes(), &epoch.0.to_le_bytes()]).into(),
    }
}

/// Signs as one replica in one epoch. Must be deterministic: the same input gives the same signature, also after a
/// restart.
pub trait Signer: Send {
    /// Signs `message` in `context`.
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature;
}

/// Something that a replica signs.
pub trait Content: BorshSerialize + Sized {
    /// The context that keeps this content's signatures apart from those of all others.
    const CONTEXT: SigningContext;

    /// The bytes under the signature; context and domain are added by the signer.
    fn signing_bytes(&self) -> Vec<u8> {
        crate::codec::encode(self)
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

/// Digest of an encoded block, signatures of transactions included. Votes cover it beside the header hash, so that a
/// prepared certificate names exactly the bytes that its signers executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PayloadDigest(pub Digest);

/// A block at its place in the order: what pre-prepare and prepare messages are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// The view in which it is proposed; the header names the view in which the block was built, which may be earlier.
    pub view: View,
    /// The block's height.
    pub height: Height,
    /// Hash of the header of the block before it, which need not be final yet.
    pub parent: HeaderHash,
    /// Hash of the header of the executed block.
    pub header_hash: HeaderHash,
    /// Digest of the encoded block.
    pub payload_digest: PayloadDigest,
}

impl Proposal {
    /// Whether both name the same block at the same place, in whatever views.
    #[must_use]
    pub fn is_same_block(&self, other: &Self) -> bool {
        Self { view: other.view, ..*self } == *other
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

impl Content for PrePrepare {
    const CONTEXT: SigningContext = SigningContext::PrePrepare;
}

impl Content for Prepare {
    const CONTEXT: SigningContext = SigningContext::Prepare;
}

impl Content for CommitVote {
    const CONTEXT: SigningContext = SigningContext::Commit;
}

impl Content for Checkpoint {
    const CONTEXT: SigningContext = SigningContext::Checkpoint;
}
