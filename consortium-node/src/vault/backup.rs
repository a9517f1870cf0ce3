//! Backups: one encrypted file with the ciphertexts of a vault, and their way back.
//!
//! ```text
//! head:   "amulet-vault-backup" || 01 || passphrase parameters || chain (32) || made at (8)
//! key:    length (4) || the content key, sealed under the passphrase, with the head as associated data
//! stream: content in chunks (docs/spec/crypto.md) under that key, with the SM3 of the head as associated data, of
//!         entries  01 || digest (32) || bytes (8) || ciphertext
//!         end      00 || entries (8) || ciphertexts that should have been there (8)
//! ```
//!
//! Numbers are little-endian. The stream's own end shows that nothing was cut off, and the end's count that nothing was left out.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{BackupReader, Restored};
pub use write::{BackupWriter, Written};

use super::VaultError;
use amulet_crypto::content::ContentError;
use amulet_crypto::passphrase::{PassphraseError, PassphraseParams};
use amulet_protocol::ids::{BlobId, ChainId, Timestamp};
use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use std::path::PathBuf;

/// What a backup begins with.
const MAGIC: [u8; 19] = *b"amulet-vault-backup";
/// Version of the format.
const VERSION: u8 = 1;
/// Bytes of the sealed key: 16, a check value and a seal are 61.
const SEALED_KEY_BYTES_MAX: u32 = 256;
/// What an entry and the end begin with.
const ENTRY: u8 = 1;
const END: u8 = 0;
/// Characters of the shortest secret that a key file may hold: what cannot be guessed even without the passphrase's protection.
pub const KEY_FILE_CHARS_MIN: usize = 32;

/// What stands before the key.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
struct Head {
    magic: [u8; 19],
    version: u8,
    params: PassphraseParams,
    chain: ChainId,
    made: Timestamp,
}

/// Why a backup cannot be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file already.
    #[error(
        "{path} exists already; a backup is never overwritten. Choose another name, or remove it yourself"
    )]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file is something else.
    #[error("this is no backup of a vault")]
    NotABackup,
    /// The file is of a version that this program does not know.
    #[error("the backup is of version {found}, this program reads version {VERSION}; use a newer one")]
    UnknownVersion {
        /// In the file.
        found: u8,
    },
    /// The key or passphrase is not the one that the backup was made with.
    #[error("the key is not the one that this backup was made with")]
    WrongKey,
    /// The passphrase itself cannot be used.
    #[error(transparent)]
    Passphrase(PassphraseError),
    /// The backup is of another chain.
    #[error("the backup is of chain {found}, this node's is {expected}")]
    OtherChain {
        /// In the backup.
        found: ChainId,
        /// Of the node.
        expected: ChainId,
    },
    /// The file ends early, at the end of a chunk.
    #[error(
        "the backup was cut off after {entries} ciphertexts; these are good and were restored. Find a whole copy and restore again"
    )]
    CutOff {
        /// Ciphertexts before the cut.
        entries: u64,
    },
    /// The file was changed, or cut off within a chunk.
    #[error(
        "the backup was changed or is damaged after {entries} ciphertexts; these are good and were restored. Find another copy"
    )]
    Altered {
        /// Ciphertexts before the change.
        entries: u64,
    },
    /// A ciphertext changed while it was written.
    #[error("ciphertext {blob} changed while it was read; make the backup again")]
    Changed {
        /// Which.
        blob: BlobId,
    },
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<PassphraseError> for BackupError {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::WrongPassphrase => Self::WrongKey,
            PassphraseError::Damaged(_) => Self::Altered { entries: 0 },
            other => Self::Passphrase(other),
        }
    }
}

/// What an error of the stream means.
fn of_stream(error: &io::Error, entries: u64, path: &std::path::Path) -> BackupError {
    match ContentError::from_io(error) {
        Some(ContentError::Truncated | ContentError::TooShort { .. }) => BackupError::CutOff { entries },
        Some(_) => BackupError::Altered { entries },
        None if error.kind() == io::ErrorKind::UnexpectedEof => BackupError::CutOff { entries },
        None => BackupError::File {
            path: path.to_owned(),
            source: io::Error::new(error.kind(), error.to_string()),
        },
    }
}
