//! Fork files: two certified headers that exclude each other, as a person carries them to whoever has to judge what the
//! hospitals did.
//!
//! A file names its chain and holds how each epoch ended before the later of the two votes, and the fork. Whoever checks it
//! needs the genesis document and nothing else. The bytes are [`FORK_MAGIC`], the version (2 bytes, little-endian) and the borsh
//! form of [`UntrustedForkFile`]; nothing in them is superfluous.
//!
//! [`UntrustedForkFile::decode`] → [`UntrustedForkFile::verify`] → [`VerifiedFork`].

use crate::certificate::UntrustedSignedHeader;
use crate::codec::{self, DecodeError};
use crate::fork::{ForkError, UntrustedFork, contradictions, verify_side};
use crate::genesis::Genesis;
use crate::ids::{ChainId, Did, Epoch};
use crate::light::UntrustedEpochEnd;
use crate::proof_file::{KnownSet, PROOF_EPOCHS_MAX, PROOF_FILE_BYTES_MAX, ProofFileError, follow_one};
use crate::validators::ValidatorSet;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The first bytes of a fork file.
pub const FORK_MAGIC: [u8; 8] = *b"AMULETFK";
/// Version of the format that this code writes and reads.
pub const FORK_FILE_VERSION: u16 = 1;
/// Bytes of a fork file: nearly all of a large one are the ends of epochs, as in a proof file.
pub const FORK_FILE_BYTES_MAX: usize = PROOF_FILE_BYTES_MAX;

/// A fork file as it was read: nothing about it has been checked but its form.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedForkFile {
    /// The chain.
    pub chain: ChainId,
    /// How each epoch ended before that of the later of the two votes, from the genesis on.
    pub epochs: Vec<UntrustedEpochEnd>,
    /// The two headers.
    pub fork: UntrustedFork,
}

/// Two headers of one chain, each certified by a quorum, of which only one can be true. Only [`UntrustedForkFile::verify`]
/// makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedFork {
    fork: UntrustedFork,
    both: BTreeSet<Did>,
    convicted: BTreeSet<Did>,
}

/// Why a fork file is refused; the first rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkFileError {
    /// Some other kind of file.
    #[error("this is not a fork file")]
    Magic,
    /// A format that this code does not know.
    #[error("the fork file has version {found}, this program reads {FORK_FILE_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// Too large, cut off, or with bytes left over.
    #[error("the fork file is damaged: {0}")]
    Decode(#[from] DecodeError),
    /// The genesis document, the chain, or the end of an epoch; named as for a proof file.
    #[error(transparent)]
    Chain(#[from] ProofFileError),
    /// An end of an epoch is missing, or one is there that nothing needs.
    #[error("{found} ends of epochs, the votes need {needed}")]
    Epochs {
        /// In the file.
        found: usize,
        /// The epoch of the later vote.
        needed: Epoch,
    },
    /// The two headers are no fork.
    #[error(transparent)]
    Fork(#[from] ForkError),
}

impl ForkFileError {
    /// The broken rule's short name, as in `docs/spec/proofs.md`.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Magic => "magic".to_owned(),
            Self::Version { .. } => "version".to_owned(),
            Self::Decode(_) => "decode".to_owned(),
            Self::Chain(cause) => cause.rule(),
            Self::Epochs { .. } => "fork-epochs".to_owned(),
            Self::Fork(ForkError::Chain { .. }) => "fork-chain".to_owned(),
            Self::Fork(ForkError::Compatible { .. }) => "fork-compatible".to_owned(),
            Self::Fork(ForkError::Epoch { .. }) => "fork-epochs".to_owned(),
            Self::Fork(ForkError::Certificate(_)) => "fork-certificate".to_owned(),
        }
    }
}

impl UntrustedForkFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ForkFileError::Magic`], [`ForkFileError::Version`], [`ForkFileError::Decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ForkFileError> {
        let rest = bytes.strip_prefix(&FORK_MAGIC).ok_or(ForkFileError::Magic)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(ForkFileError::Magic)?;
        let found = u16::from_le_bytes(*version);
        if found != FORK_FILE_VERSION {
            return Err(ForkFileError::Version { found });
        }
        Ok(codec::decode(rest, FORK_FILE_BYTES_MAX - FORK_MAGIC.len() - 2)?)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = FORK_MAGIC.to_vec();
        bytes.extend(FORK_FILE_VERSION.to_le_bytes());
        bytes.extend(codec::encode(self));
        bytes
    }

    /// How many ends of epochs a file about this fork has: as many as came before the epoch of the later vote.
    #[must_use]
    pub fn epochs_needed(fork: &UntrustedFork) -> Epoch {
        let epochs = fork.sides().map(|side| side.certificate.vote.view.epoch());
        epochs[0].max(epochs[1])
    }

    /// Checks everything, starting from a genesis document that the reader has from a source they trust.
    ///
    /// # Errors
    /// [`ForkFileError`], the first rule that is broken.
    pub fn verify(self, genesis: &Genesis) -> Result<VerifiedFork, ForkFileError> {
        let validators = genesis.validate().map_err(ProofFileError::from)?;
        self.verify_from(genesis.chain_id(), validators)
    }

    /// As [`Self::verify`], from the chain and the validators of the genesis document.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_from(self, chain: ChainId, genesis: ValidatorSet) -> Result<VerifiedFork, ForkFileError> {
        if self.chain != chain {
            return Err(ProofFileError::Chain { found: self.chain, expected: chain }.into());
        }
        let (found, needed) = (self.epochs.len(), Self::epochs_needed(&self.fork));
        if found > PROOF_EPOCHS_MAX {
            return Err(ProofFileError::Epochs { found }.into());
        }
        if found as u64 != needed.0 {
            return Err(ForkFileError::Epochs { found, needed });
        }
        self.fork.excludes(chain)?;
        let mut sets = vec![genesis.clone()];
        let mut known = KnownSet::of_genesis(chain, genesis);
        for end in self.epochs {
            known = follow_one(known, end)?;
            sets.push(known.validators.clone());
        }
        let set_of = |epoch: Epoch| usize::try_from(epoch.0).ok().and_then(|epoch| sets.get(epoch)).cloned();
        for side in self.fork.sides() {
            verify_side(side, chain, set_of)?;
        }
        let [lower, upper] = self.fork.sides().map(|side| signers(side, set_of));
        let convicted = contradictions(&self.fork.lower.certificate, &self.fork.upper.certificate);
        let offenders = convicted.iter().map(|evidence| evidence.offender());
        let set = set_of(self.fork.lower.certificate.vote.view.epoch());
        let convicted = offenders.filter_map(|replica| Some(set.as_ref()?.get(replica)?.organisation));
        let convicted = convicted.collect();
        let both = lower.intersection(&upper).copied().collect();
        Ok(VerifiedFork { fork: self.fork, both, convicted })
    }
}

/// The organisations that signed a side.
fn signers(side: &UntrustedSignedHeader, set_of: impl Fn(Epoch) -> Option<ValidatorSet>) -> BTreeSet<Did> {
    let set = set_of(side.certificate.vote.view.epoch());
    let signers = side.certificate.signatures.iter().map(|(signer, _)| *signer);
    signers.filter_map(|replica| Some(set.as_ref()?.get(replica)?.organisation)).collect()
}

impl VerifiedFork {
    /// The two headers.
    #[must_use]
    pub fn fork(&self) -> &UntrustedFork {
        &self.fork
    }

    /// The organisations that signed both.
    #[must_use]
    pub fn signed_both(&self) -> &BTreeSet<Did> {
        &self.both
    }

    /// Those that signed both in one view, which no honest validator does. Signing both in different views proves nothing
    /// against any one of them (docs/decisions/0014).
    #[must_use]
    pub fn convicted(&self) -> &BTreeSet<Did> {
        &self.convicted
    }
}
