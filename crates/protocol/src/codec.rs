//! Canonical encoding: `borsh`, bounded before it is read.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Why bytes from outside were refused before anything looked at their meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than the limit for this kind of message.
    #[error("{found} bytes, but at most {limit} are accepted here")]
    TooLarge {
        /// Bytes received.
        found: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// The bytes are no encoding of the expected type, or have bytes left over.
    #[error("the bytes are not a {expected}")]
    Malformed {
        /// Name of the expected type.
        expected: &'static str,
    },
}

/// Decodes exactly one value from `bytes`, refusing more than `limit` bytes and any trailing byte.
///
/// # Errors
/// [`DecodeError::TooLarge`], [`DecodeError::Malformed`].
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLarge { found: bytes.len(), limit });
    }
    borsh::from_slice(bytes).map_err(|_| DecodeError::Malformed { expected: short_name::<T>() })
}

/// The canonical encoding of a value.
#[must_use]
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("encoding into memory does not fail")
}

fn short_name<T>() -> &'static str {
    let name = core::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oversized_truncated_and_trailing_bytes_are_refused() {
        let bytes = encode(&7u64);
        assert_eq!(decode::<u64>(&bytes, 8), Ok(7));
        assert_eq!(decode::<u64>(&bytes, 7), Err(DecodeError::TooLarge { found: 8, limit: 7 }));
        assert_eq!(decode::<u64>(&bytes[..7], 8), Err(DecodeError::Malformed { expected: "u64" }));
        assert_eq!(decode::<u32>(&bytes, 8), Err(DecodeError::Malformed { expected: "u32" }));
    }
}
