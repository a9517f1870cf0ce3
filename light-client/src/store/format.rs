//! The bytes of a stored header.

use super::StoreError;
use amulet_crypto::digest::{DIGEST_BYTES, Tag, tagged};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::UntrustedEpochEnd;
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/stored-header");
const VERSION: u16 = 2;
const VERSION_BYTES: usize = 2;

/// Bytes of a stored header with the trail of epochs that leads to it. A header with a certificate of 4 signatures and a set
/// of 4 have about 1,000 bytes, of 100 about 20,000: room for 1,000 epochs of the ones, or 50 of the others. A longer
/// trail is not kept, and is followed anew after a restart.
pub const STORED_BYTES_MAX: usize = 1024 * 1024;

/// A header as the store gave it back: nothing about it is believed before it is verified again.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredHeader {
    /// The header with its certificate.
    pub signed: UntrustedSignedHeader,
    /// When hospitals last agreed that it was the newest.
    pub checked_at: Timestamp,
    /// How each epoch before the header's ended, from the genesis on.
    pub trail: Vec<UntrustedEpochEnd>,
}

impl StoredHeader {
    /// Version, digest, content.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let content = codec::encode(self);
        let mut bytes = VERSION.to_be_bytes().to_vec();
        bytes.extend_from_slice(tagged(TAG, &[&content]).as_bytes());
        bytes.extend_from_slice(&content);
        bytes
    }

    /// Reads what [`StoredHeader::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let (version, rest) = bytes.split_first_chunk::<VERSION_BYTES>().ok_or(StoreError::Corrupt)?;
        let found = u16::from_be_bytes(*version);
        if found != VERSION {
            return Err(StoreError::Version { found, expected: VERSION });
        }
        let (digest, content) = rest.split_first_chunk::<DIGEST_BYTES>().ok_or(StoreError::Corrupt)?;
        if tagged(TAG, &[content]).as_bytes() != digest {
            return Err(StoreError::Corrupt);
        }
        codec::decode(content, STORED_BYTES_MAX).map_err(|_| StoreError::Corrupt)
    }
}
