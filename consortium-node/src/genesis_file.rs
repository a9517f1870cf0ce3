//! The genesis document on disk, and the public halves of a node's keys from which one is made.

use crate::keys::NodeKeys;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, GenesisError, Organisation};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::GENESIS_BYTES_MAX;
use amulet_protocol::validators::{Validator, ValidatorSet};
use borsh::{BorshDeserialize, BorshSerialize};
use std::path::{Path, PathBuf};

/// Name of the genesis document in a node's data folder.
pub const GENESIS_FILE: &str = "genesis.bin";
/// Name of the file with a node's public keys.
pub const JOIN_FILE: &str = "join.bin";

/// What a hospital gives to whoever writes the genesis document.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct JoinRequest {
    /// The hospital.
    pub organisation: Organisation,
    /// Its node.
    pub validator: Validator,
}

/// Why a genesis document or a join request cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GenesisFileError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The bytes are of another kind.
    #[error("{path}: {source}")]
    Decode {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// The document breaks a rule.
    #[error("{path}: {source}")]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Which rule.
        source: GenesisError,
    },
}

impl JoinRequest {
    /// The request of a hospital with these names and keys.
    #[must_use]
    pub fn new(name_en: &str, name_zh: &str, keys: &NodeKeys) -> Self {
        let organisation = Organisation {
            name_en: name_en.to_owned(),
            name_zh: name_zh.to_owned(),
            key: keys.organisation.public_key().clone(),
        };
        let validator = Validator {
            organisation: organisation.did(),
            key: keys.validator.public_key().clone(),
            peer_id: keys.network.public().to_peer_id().to_bytes(),
        };
        Self { organisation, validator }
    }

    /// DID of the hospital.
    #[must_use]
    pub fn did(&self) -> Did {
        self.organisation.did()
    }
}

/// The genesis document of these hospitals, in this order.
#[must_use]
pub fn assemble(network: &str, time: Timestamp, joins: &[JoinRequest]) -> Genesis {
    Genesis {
        version: GENESIS_VERSION,
        network: network.to_owned(),
        time,
        organisations: joins.iter().map(|join| join.organisation.clone()).collect(),
        validators: joins.iter().map(|join| join.validator.clone()).collect(),
    }
}

/// Writes a value in its canonical encoding.
///
/// # Errors
/// [`GenesisFileError::File`].
pub fn save<T: BorshSerialize>(path: &Path, value: &T) -> Result<(), GenesisFileError> {
    std::fs::write(path, codec::encode(value))
        .map_err(|source| GenesisFileError::File { path: path.to_owned(), source })
}

/// Reads a value in its canonical encoding.
///
/// # Errors
/// [`GenesisFileError`] by variant.
pub fn load<T: BorshDeserialize>(path: &Path) -> Result<T, GenesisFileError> {
    let bytes =
        std::fs::read(path).map_err(|source| GenesisFileError::File { path: path.to_owned(), source })?;
    codec::decode(&bytes, GENESIS_BYTES_MAX)
        .map_err(|source| GenesisFileError::Decode { path: path.to_owned(), source })
}

/// Reads and checks the genesis document of a data folder.
///
/// # Errors
/// [`GenesisFileError`] by variant.
pub fn load_genesis(data: &Path) -> Result<(Genesis, ValidatorSet), GenesisFileError> {
    let path = data.join(GENESIS_FILE);
    let genesis: Genesis = load(&path)?;
    let validators = genesis.validate().map_err(|source| GenesisFileError::Invalid { path, source })?;
    Ok((genesis, validators))
}
