//! The one text form of fixed-size byte strings: lower-case hexadecimal, exactly as long as the bytes need.
//!
//! Upper case is refused so that a digest or key has a single spelling, and texts can be compared as texts.

use alloc::vec::Vec;
use thiserror::Error;

/// Why a text is not the hexadecimal form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HexError {
    /// The text has another length than the value needs; both in bytes of text.
    #[error("expected {expected} hexadecimal characters, found {found}")]
    Length {
        /// Length of the given text.
        found: usize,
        /// Length that the value needs.
        expected: usize,
    },
    /// A character is not one of `0-9a-f`.
    #[error("character {position} is not a lower-case hexadecimal digit")]
    Character {
        /// Position of the character, in bytes from zero.
        position: usize,
    },
    /// The characters are right, but the bytes are no valid value, such as a point that is not on the curve.
    #[error("the bytes are not a valid value of this type")]
    Invalid,
}

/// Decodes exactly `N` bytes from lower-case hexadecimal.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    check(text, 2 * N)?;
    let mut out = [0u8; N];
    hex::decode_to_slice(text, &mut out).map_err(|_| HexError::Invalid)?;
    Ok(out)
}

/// Decodes at most `max` bytes from lower-case hexadecimal.
pub(crate) fn decode_vec(text: &str, max: usize) -> Result<Vec<u8>, HexError> {
    if text.len() > 2 * max {
        return Err(HexError::Length { found: text.len(), expected: 2 * max });
    }
    check(text, text.len().next_multiple_of(2))?;
    hex::decode(text).map_err(|_| HexError::Invalid)
}

fn check(text: &str, expected: usize) -> Result<(), HexError> {
    if text.len() != expected {
        return Err(HexError::Length { found: text.len(), expected });
    }
    match text.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        Some(position) => Err(HexError::Character { position }),
        None => Ok(()),
    }
}

/// Implements serde as a string by way of `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <alloc::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        assert_eq!(decode_array::<2>("0aff"), Ok([0x0a, 0xff]));
        assert_eq!(decode_array::<2>("0aFf"), Err(HexError::Character { position: 2 }));
        assert_eq!(decode_array::<2>("0af"), Err(HexError::Length { found: 3, expected: 4 }));
        assert_eq!(decode_vec("0aff00", 2), Err(HexError::Length { found: 6, expected: 4 }));
        assert_eq!(decode_vec("0af", 2), Err(HexError::Length { found: 3, expected: 4 }));
    }
}
