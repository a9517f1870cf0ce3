//! The opaque bytes that are ordered: an encoded block.

use std::fmt;
use std::io;
use std::sync::Arc;

use amulet_crypto::digest::{Tag, tagged};
pub use amulet_protocol::consensus::PayloadDigest;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::limits::PAYLOAD_BYTES_MAX;

const PAYLOAD_TAG: Tag = Tag::new("amulet/v1/consensus-payload");

/// An encoded block, cheap to clone, with its digest. The core never looks inside.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    bytes: Arc<[u8]>,
    digest: PayloadDigest,
}

/// A payload above [`PAYLOAD_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block has {bytes} bytes, at most {PAYLOAD_BYTES_MAX} are ordered")]
pub struct PayloadTooLarge {
    /// Bytes given.
    pub bytes: usize,
}

impl Payload {
    /// Takes an encoded block.
    ///
    /// # Errors
    /// [`PayloadTooLarge`] above [`PAYLOAD_BYTES_MAX`] bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, PayloadTooLarge> {
        let bytes = bytes.into();
        if bytes.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadTooLarge { bytes: bytes.len() });
        }
        let digest = PayloadDigest(tagged(PAYLOAD_TAG, &[&bytes]));
        Ok(Self { bytes, digest })
    }

    /// The encoded block.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> PayloadDigest {
        self.digest
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes, {:?})", self.bytes.len(), self.digest.0)
    }
}

impl BorshSerialize for Payload {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.bytes.as_ref().serialize(writer)
    }
}

impl BorshDeserialize for Payload {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let length = u32::deserialize_reader(reader)? as usize;
        if length > PAYLOAD_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, PayloadTooLarge { bytes: length }));
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes)?;
        Self::new(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_payload_over_the_limit_is_refused_before_it_is_read() {
        let claim = (PAYLOAD_BYTES_MAX as u32 + 1).to_le_bytes();
        assert!(Payload::try_from_slice(&claim).is_err());
        let bytes = PAYLOAD_BYTES_MAX + 1;
        assert_eq!(Payload::new(vec![0; bytes]), Err(PayloadTooLarge { bytes }));
    }

    #[test]
    fn a_payload_survives_its_encoding_and_its_digest_tells_it_apart() {
        let payload = Payload::new(vec![1, 2, 3]).unwrap();
        assert_eq!(Payload::try_from_slice(&borsh::to_vec(&payload).unwrap()).unwrap(), payload);
        assert_ne!(Payload::new(vec![1, 2, 4]).unwrap().digest(), payload.digest());
    }
}
