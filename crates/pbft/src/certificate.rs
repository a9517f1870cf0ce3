//! What a quorum of votes proves.
//!
//! A certificate made here by the core is right by construction. One that was decoded is worth nothing until `check`
//! passed; `UntrustedMessage::verify` does that for all certificates inside a message.

use amulet_crypto::signing::Signature;
use amulet_protocol::certificate::UntrustedCommitCertificate;
use amulet_protocol::ids::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::config::primary_of;
use crate::message::{Checkpoint, Content, PrePrepare, Prepare, Proposal, Signed};
use crate::verify::{Verifier, VerifyError, check_signature, check_signed};

/// Votes on one content: replica and signature, ordered by replica, each replica once.
pub type Signatures = Vec<(ReplicaId, Signature)>;

/// Proof that a block is final: commit votes from a quorum. The form that light clients get.
pub type CommitCertificate = UntrustedCommitCertificate;

/// Checks a commit certificate's signers, their number and their signatures.
///
/// # Errors
/// [`VerifyError`] by the first check that fails; signatures are checked last.
pub fn check_commit_certificate(
    certificate: &CommitCertificate,
    verifier: &dyn Verifier,
) -> Result<(), VerifyError> {
    check_quorum(&certificate.signatures, verifier.quorum().threshold(), &certificate.vote, verifier)
}

/// Proof that a replica may commit a proposal: the primary's pre-prepare and prepare votes from other replicas, a
/// quorum together. No two can exist for different blocks at the same view and height.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PreparedCertificate {
    pre_prepare: Signed<PrePrepare>,
    prepares: Signatures,
}

impl PreparedCertificate {
    /// The certificate that `prepares`, which are enough, make with `pre_prepare`.
    pub(crate) fn new(
        pre_prepare: Signed<PrePrepare>,
        prepares: impl Iterator<Item = (ReplicaId, Signature)>,
    ) -> Self {
        Self { pre_prepare, prepares: prepares.collect() }
    }

    /// What was prepared.
    #[must_use]
    pub fn proposal(&self) -> &Proposal {
        &self.pre_prepare.content.proposal
    }

    /// The primary's proposal.
    #[must_use]
    pub fn pre_prepare(&self) -> &Signed<PrePrepare> {
        &self.pre_prepare
    }

    /// The replicas that executed the block: the primary and those that voted.
    pub fn signers(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        std::iter::once(self.pre_prepare.sender).chain(self.prepares.iter().map(|(replica, _)| *replica))
    }

    /// Checks the primary, the voters, their number and all signatures.
    ///
    /// # Errors
    /// [`VerifyError`] by the first check that fails; signatures are checked last.
    pub fn check(&self, verifier: &dyn Verifier) -> Result<(), VerifyError> {
        let proposal = *self.proposal();
        let quorum = verifier.quorum();
        let primary = primary_of(proposal.view, quorum);
        if self.pre_prepare.sender != primary {
            return Err(VerifyError::NotPrimary { sender: self.pre_prepare.sender, primary });
        }
        if self.prepares.iter().any(|(replica, _)| *replica == primary) {
            return Err(VerifyError::PrimaryVotedTwice { primary });
        }
        check_quorum(&self.prepares, quorum.threshold() - 1, &Prepare { proposal }, verifier)?;
        check_signed(&self.pre_prepare, verifier)
    }
}

/// Proof that a quorum holds the blocks up to a height durably.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CheckpointCertificate {
    /// What the votes say.
    pub checkpoint: Checkpoint,
    /// The votes, ordered by replica.
    pub signatures: Signatures,
}

impl CheckpointCertificate {
    /// Checks the signers, their number and their signatures.
    ///
    /// # Errors
    /// [`VerifyError`] by the first check that fails; signatures are checked last.
    pub fn check(&self, verifier: &dyn Verifier) -> Result<(), VerifyError> {
        check_quorum(&self.signatures, verifier.quorum().threshold(), &self.checkpoint, verifier)
    }
}

/// Rule PBFT-MB-3: signers are known, strictly ascending and enough, then each signature is over `vote`.
fn check_quorum<T: Content>(
    signatures: &Signatures,
    needed: usize,
    vote: &T,
    verifier: &dyn Verifier,
) -> Result<(), VerifyError> {
    let size = verifier.quorum().size();
    if signatures.len() < needed || signatures.len() > size {
        return Err(VerifyError::Signers { found: signatures.len(), needed, size });
    }
    check_ascending(signatures.iter().map(|(replica, _)| *replica))?;
    let bytes = vote.signing_bytes();
    signatures.iter().try_for_each(|(replica, signature)| {
        check_signature(*replica, T::CONTEXT, &bytes, signature, verifier)
    })
}

/// Strictly ascending replica numbers: each once, and one encoding for each set.
pub(crate) fn check_ascending(replicas: impl Iterator<Item = ReplicaId>) -> Result<(), VerifyError> {
    let mut previous: Option<ReplicaId> = None;
    for next in replicas {
        if let Some(previous) = previous.filter(|previous| *previous >= next) {
            return Err(VerifyError::Order { previous, next });
        }
        previous = Some(next);
    }
    Ok(())
}
