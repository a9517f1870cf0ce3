//! Proof that a replica contradicted itself.

use crate::certificate::CommitVote;
use crate::consensus::{Checkpoint, Content, PrePrepare, Prepare, Signed, signing_domain};
use crate::ids::{ChainId, Did, Epoch, Height, ReplicaId, View};
use crate::validators::ValidatorSet;
use amulet_crypto::signing::{Signature, SigningContext};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

/// Two messages that no correct replica signs both. Anybody with the keys of the epoch's validators can check it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Evidence {
    /// A primary proposed two blocks at one view and height.
    PrePrepares(Signed<PrePrepare>, Signed<PrePrepare>),
    /// A backup voted for two blocks at one view and height.
    Prepares(Signed<Prepare>, Signed<Prepare>),
    /// A replica voted to commit two blocks at one view and height.
    Commits(Signed<CommitVote>, Signed<CommitVote>),
    /// A replica stated two states at one height.
    Checkpoints(Signed<Checkpoint>, Signed<Checkpoint>),
}

/// What kind of message the two contradicting ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize)]
#[borsh(use_discriminant = false)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// Pre-prepares.
    PrePrepare,
    /// Prepares.
    Prepare,
    /// Commits.
    Commit,
    /// Checkpoints.
    Checkpoint,
}

/// Evidence that the ledger recorded, under [`StateKey::Evidence`](crate::state::StateKey::Evidence).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EvidenceRecord {
    /// Who brought it.
    pub reporter: Did,
    /// The block in which it was recorded.
    pub recorded: Height,
    /// The two messages; who reads them can check them again.
    pub evidence: Evidence,
}

/// Why two messages prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// They come from different replicas.
    #[error("one message is of replica {first}, the other of replica {second}")]
    Senders {
        /// Who is said to have signed the first.
        first: ReplicaId,
        /// Who is said to have signed the second.
        second: ReplicaId,
    },
    /// They are about different places in the order, so both may be honest.
    #[error(
        "one message is about height {} in view {}, the other about height {} in view {}",
        first.1, first.0, second.1, second.0
    )]
    Places {
        /// View and height of the first; view 0 stands for messages without one.
        first: (View, Height),
        /// View and height of the second.
        second: (View, Height),
    },
    /// They say the same.
    #[error("both messages say the same")]
    Same,
    /// The view is not one of the epoch. Commit votes are signed in the chain's domain, and the views of an epoch are
    /// what tells its votes from those of another, in which the same height may have been tried.
    #[error("view {view} is not one of epoch {epoch}")]
    Epoch {
        /// The view of the messages.
        view: View,
        /// The epoch that they are said to belong to.
        epoch: Epoch,
    },
    /// A signature is not the replica's over this content in this epoch.
    #[error("a signature of replica {signer} is wrong, or {signer} was not a validator")]
    Signature {
        /// Who is said to have signed.
        signer: ReplicaId,
    },
}

impl Evidence {
    /// The replica that is accused.
    #[must_use]
    pub fn offender(&self) -> ReplicaId {
        match self {
            Self::PrePrepares(first, _) => first.sender,
            Self::Prepares(first, _) => first.sender,
            Self::Commits(first, _) => first.sender,
            Self::Checkpoints(first, _) => first.sender,
        }
    }

    /// What kind of contradiction it is.
    #[must_use]
    pub fn kind(&self) -> EvidenceKind {
        match self {
            Self::PrePrepares(..) => EvidenceKind::PrePrepare,
            Self::Prepares(..) => EvidenceKind::Prepare,
            Self::Commits(..) => EvidenceKind::Commit,
            Self::Checkpoints(..) => EvidenceKind::Checkpoint,
        }
    }

    /// The height at which the replica contradicted itself.
    #[must_use]
    pub fn height(&self) -> Height {
        match self {
            Self::PrePrepares(first, _) => first.content.proposal.height,
            Self::Prepares(first, _) => first.content.proposal.height,
            Self::Commits(first, _) => first.content.height,
            Self::Checkpoints(first, _) => first.content.height,
        }
    }

    /// Checks that both messages are the offender's and contradict each other (rule PBFT-EV-1), and names the offender
    /// by its number in `validators`, which are those of `epoch`.
    ///
    /// # Errors
    /// [`EvidenceError`] by the first check that fails; signatures are checked last.
    pub fn check(
        &self,
        chain: ChainId,
        epoch: Epoch,
        validators: &ValidatorSet,
    ) -> Result<ReplicaId, EvidenceError> {
        self.check_by(epoch, &|signer, context, message, signature| {
            let domain = signing_domain(context, chain, epoch);
            validators
                .get(signer)
                .is_some_and(|member| member.key.verify(context, &domain, message, signature).is_ok())
        })
    }

    /// As [`Self::check`], with signatures that are checked by `is_valid`.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_by(&self, epoch: Epoch, is_valid: &SignatureCheck<'_>) -> Result<ReplicaId, EvidenceError> {
        match self {
            Self::PrePrepares(first, second) => {
                let place = |signed: &Signed<PrePrepare>| {
                    (signed.content.proposal.view, signed.content.proposal.height)
                };
                check_view(place(first).0, epoch)?;
                check_pair(first, second, place, is_valid)
            }
            Self::Prepares(first, second) => {
                let place =
                    |signed: &Signed<Prepare>| (signed.content.proposal.view, signed.content.proposal.height);
                check_view(place(first).0, epoch)?;
                check_pair(first, second, place, is_valid)
            }
            Self::Commits(first, second) => {
                let place = |signed: &Signed<CommitVote>| (signed.content.view, signed.content.height);
                check_view(place(first).0, epoch)?;
                check_pair(first, second, place, is_valid)
            }
            Self::Checkpoints(first, second) => {
                let place = |signed: &Signed<Checkpoint>| (View(0), signed.content.height);
                check_pair(first, second, place, is_valid)
            }
        }
    }
}

/// Whether a signature is this replica's over these bytes in this context.
pub type SignatureCheck<'a> = dyn Fn(ReplicaId, SigningContext, &[u8], &Signature) -> bool + 'a;

fn check_view(view: View, epoch: Epoch) -> Result<(), EvidenceError> {
    if view.epoch() == epoch { Ok(()) } else { Err(EvidenceError::Epoch { view, epoch }) }
}

fn check_pair<T: Content + PartialEq>(
    first: &Signed<T>,
    second: &Signed<T>,
    place: impl Fn(&Signed<T>) -> (View, Height),
    is_valid: &SignatureCheck<'_>,
) -> Result<ReplicaId, EvidenceError> {
    let signer = first.sender;
    if signer != second.sender {
        return Err(EvidenceError::Senders { first: signer, second: second.sender });
    }
    if place(first) != place(second) {
        return Err(EvidenceError::Places { first: place(first), second: place(second) });
    }
    if first.content == second.content {
        return Err(EvidenceError::Same);
    }
    for signed in [first, second] {
        if !is_valid(signer, T::CONTEXT, &signed.content.signing_bytes(), &signed.signature) {
            return Err(EvidenceError::Signature { signer });
        }
    }
    Ok(signer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::consensus::Signer;
    use crate::ids::HeaderHash;
    use crate::validators::Validator;
    use amulet_crypto::digest::Digest;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;

    const CHAIN: ChainId = ChainId(Digest::ZERO);

    struct Key<'a>(&'a SigningKey, Epoch);

    impl Signer for Key<'_> {
        fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
            self.0.sign(context, &signing_domain(context, CHAIN, self.1), message)
        }
    }

    fn keys() -> (Vec<SigningKey>, ValidatorSet) {
        let mut entropy = SeededEntropy::new(1);
        let keys: Vec<_> = (0..4).map(|_| SigningKey::generate(&mut entropy)).collect();
        let member = |key: &SigningKey| Validator {
            organisation: Did::of_key(key.public_key()),
            key: key.public_key().clone(),
            peer_id: Vec::new(),
        };
        let set = ValidatorSet::new(keys.iter().map(member).collect()).unwrap();
        (keys, set)
    }

    fn vote(epoch: Epoch, byte: u8) -> CommitVote {
        let header_hash = HeaderHash(Digest::from([byte; 32]));
        CommitVote { height: Height(5), view: epoch.first_view(), header_hash }
    }

    fn commit(key: &SigningKey, sender: u16, epoch: Epoch, byte: u8) -> Signed<CommitVote> {
        Signed::new(vote(epoch, byte), ReplicaId(sender), &Key(key, epoch))
    }

    /// PBFT-EV-1
    #[test]
    fn two_votes_of_one_replica_for_two_blocks_at_one_place_convict_it() {
        let (keys, set) = keys();
        let epoch = Epoch(3);
        let one = |byte| commit(&keys[2], 2, epoch, byte);
        assert_eq!(Evidence::Commits(one(1), one(2)).check(CHAIN, epoch, &set), Ok(ReplicaId(2)));
        assert_eq!(Evidence::Commits(one(1), one(1)).check(CHAIN, epoch, &set), Err(EvidenceError::Same));
        let other = commit(&keys[1], 1, epoch, 2);
        assert_eq!(
            Evidence::Commits(one(1), other).check(CHAIN, epoch, &set),
            Err(EvidenceError::Senders { first: ReplicaId(2), second: ReplicaId(1) })
        );
        let forged = Signed { sender: ReplicaId(1), ..one(1) };
        assert_eq!(
            Evidence::Commits(forged.clone(), Signed { content: vote(epoch, 2), ..forged })
                .check(CHAIN, epoch, &set),
            Err(EvidenceError::Signature { signer: ReplicaId(1) })
        );
    }

    /// An honest replica may try one height in two epochs; its commit votes are in views of different numbers, and all
    /// else is signed in the domain of one epoch.
    #[test]
    fn votes_of_two_epochs_convict_nobody() {
        let (keys, set) = keys();
        let (old, new) = (Epoch(0), Epoch(1));
        let commits = Evidence::Commits(commit(&keys[0], 0, old, 1), commit(&keys[0], 0, new, 2));
        assert!(matches!(commits.check(CHAIN, old, &set), Err(EvidenceError::Places { .. })));
        let both_old = Evidence::Commits(commit(&keys[0], 0, old, 1), commit(&keys[0], 0, old, 2));
        assert_eq!(
            both_old.check(CHAIN, new, &set),
            Err(EvidenceError::Epoch { view: old.first_view(), epoch: new })
        );
        let checkpoint = |byte| {
            let content = Checkpoint { height: Height(8), header_hash: HeaderHash(Digest::from([byte; 32])) };
            Signed::new(content, ReplicaId(0), &Key(&keys[0], old))
        };
        let checkpoints = Evidence::Checkpoints(checkpoint(1), checkpoint(2));
        assert_eq!(checkpoints.check(CHAIN, old, &set), Ok(ReplicaId(0)));
        assert_eq!(
            checkpoints.check(CHAIN, new, &set),
            Err(EvidenceError::Signature { signer: ReplicaId(0) })
        );
    }
}
