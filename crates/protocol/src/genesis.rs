//! The genesis document: the one thing that a device has to be given, and pins.

use crate::ids::{ChainId, Did, Timestamp, digest_of};
use crate::limits::{NAME_BYTES_MAX, ORGANISATIONS_MAX};
use crate::validators::{Validator, ValidatorSet, ValidatorSetError};
use alloc::string::String;
use alloc::vec::Vec;
use amulet_crypto::digest::Tag;
use amulet_crypto::signing::PublicKey;
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/genesis");

/// Version of the genesis format.
pub const GENESIS_VERSION: u16 = 1;

/// An organisation of the consortium at the start.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Organisation {
    /// Name in English.
    pub name_en: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Key that signs for the organisation; its DID follows from it.
    pub key: PublicKey,
}

/// What every party of the chain starts from.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Genesis {
    /// [`GENESIS_VERSION`].
    pub version: u16,
    /// Name of the network, for people.
    pub network: String,
    /// Time of block 0.
    pub time: Timestamp,
    /// The organisations.
    pub organisations: Vec<Organisation>,
    /// The validators.
    pub validators: Vec<Validator>,
}

/// Why a genesis document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Unknown format.
    #[error("genesis version {found} is not {GENESIS_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// Too many organisations.
    #[error("{found} organisations, at most {ORGANISATIONS_MAX} are accepted")]
    Organisations {
        /// Found.
        found: usize,
    },
    /// A name is empty or too long.
    #[error("organisation {index} has a name of {bytes} bytes")]
    Name {
        /// Which, from 0.
        index: usize,
        /// Length found.
        bytes: usize,
    },
    /// A validator belongs to no organisation of the document.
    #[error("a validator belongs to {organisation}, which is not in the genesis document")]
    Stranger {
        /// The organisation named.
        organisation: Did,
    },
    /// The validators make no validator set.
    #[error(transparent)]
    Validators(#[from] ValidatorSetError),
}

impl Organisation {
    /// The organisation's DID.
    #[must_use]
    pub fn did(&self) -> Did {
        Did::of_key(&self.key)
    }
}

impl Genesis {
    /// The chain's identity: the digest of this document.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        ChainId(digest_of(TAG, self))
    }

    /// Checks the document and gives its validator set.
    ///
    /// # Errors
    /// [`GenesisError`] by variant.
    pub fn validate(&self) -> Result<ValidatorSet, GenesisError> {
        if self.version != GENESIS_VERSION {
            return Err(GenesisError::Version { found: self.version });
        }
        if self.organisations.len() > ORGANISATIONS_MAX {
            return Err(GenesisError::Organisations { found: self.organisations.len() });
        }
        for (index, organisation) in self.organisations.iter().enumerate() {
            for name in [&organisation.name_en, &organisation.name_zh] {
                if name.is_empty() || name.len() > NAME_BYTES_MAX {
                    return Err(GenesisError::Name { index, bytes: name.len() });
                }
            }
        }
        for validator in &self.validators {
            if !self.organisations.iter().any(|organisation| organisation.did() == validator.organisation) {
                return Err(GenesisError::Stranger { organisation: validator.organisation });
            }
        }
        Ok(ValidatorSet::new(self.validators.clone())?)
    }
}
