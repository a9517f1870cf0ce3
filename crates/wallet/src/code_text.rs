//! Values as the text of a QR code: a prefix that says what it is, then base45 of the value and a checksum.

use amulet_crypto::digest::{Tag, tagged};
use amulet_protocol::codec;
use borsh::{BorshDeserialize, BorshSerialize};

const CHECKSUM_BYTES: usize = 4;

/// Writes a value.
#[must_use]
pub fn write<T: BorshSerialize>(prefix: &str, tag: Tag, value: &T) -> String {
    let mut bytes = codec::encode(value);
    // An odd number of bytes makes base45 end in a digit, so that a trimmed text is still whole.
    if (bytes.len() + CHECKSUM_BYTES).is_multiple_of(2) {
        bytes.push(0);
    }
    bytes.extend_from_slice(&checksum(tag, &bytes));
    format!("{prefix}{}", base45::encode(&bytes))
}

/// Reads what follows the prefix; `None` when it is cut off, mistyped or changed.
#[must_use]
pub fn read<T: BorshDeserialize>(tag: Tag, text: &str) -> Option<T> {
    let bytes = base45::decode(text.trim_end()).ok()?;
    let (mut body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    if checksum(tag, body) != *sum {
        return None;
    }
    let value = T::deserialize(&mut body).ok()?;
    matches!(body, [] | [0]).then_some(value)
}

fn checksum(tag: Tag, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let sum = tagged(tag, &[bytes]).to_bytes();
    [sum[0], sum[1], sum[2], sum[3]]
}
