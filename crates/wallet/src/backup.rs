//! A wallet as a file that its owner keeps: what the device has of it, as it lies there, sealed under passphrase and keys.
//!
//! ```text
//! backup = borsh (magic, version, wallet file, device state or none)
//! ```
//!
//! Whoever finds one has what a thief of the device has: nothing without the passphrase.

use amulet_protocol::codec;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::keyfile::KEY_FILE_BYTES_MAX;
use crate::store::STORED_FILE_BYTES_MAX;

const MAGIC: [u8; 8] = *b"AMULETBK";
const VERSION: u16 = 1;

/// What backup files are called after their date.
pub const BACKUP_SUFFIX: &str = ".amuletbackup";
/// Bytes of a backup file.
pub const BACKUP_BYTES_MAX: usize = KEY_FILE_BYTES_MAX + STORED_FILE_BYTES_MAX + 64;

/// What is in a backup; untrusted until the wallet file opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The wallet file.
    pub keys: Vec<u8>,
    /// The sealed device state, where there was one.
    pub device: Option<Vec<u8>>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Written {
    magic: [u8; 8],
    version: u16,
    keys: Vec<u8>,
    device: Option<Vec<u8>>,
}

impl Backup {
    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { keys, device } = self.clone();
        codec::encode(&Written { magic: MAGIC, version: VERSION, keys, device })
    }

    /// Reads a file; `None` when it is no backup of this version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let Written { magic, version, keys, device } = codec::decode(bytes, BACKUP_BYTES_MAX).ok()?;
        let fits = keys.len() <= KEY_FILE_BYTES_MAX
            && device.as_ref().is_none_or(|device| device.len() <= STORED_FILE_BYTES_MAX);
        ((magic, version) == (MAGIC, VERSION) && fits).then_some(Self { keys, device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_and_what_is_none_is_refused() {
        let backup = Backup { keys: vec![1; 300], device: Some(vec![2; 900]) };
        let bytes = backup.encode();
        assert_eq!(Backup::decode(&bytes), Some(backup));
        assert_eq!(Backup::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Backup::decode(b"{\"resourceType\": \"Bundle\"}"), None);
        assert_eq!(Backup::decode(&[0; BACKUP_BYTES_MAX + 1]), None);
        let too_large = Backup { keys: vec![1; KEY_FILE_BYTES_MAX + 1], device: None };
        assert_eq!(Backup::decode(&too_large.encode()), None);
    }
}
