//! The signature value and why one is refused.

use core::fmt;
use core::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::hex_text::{HexError, decode_array, serde_as_text};

/// Bytes in an SM2 signature: r, then s, 32 bytes each, big-endian.
pub const SIGNATURE_BYTES: usize = 64;

/// An SM2 signature as 64 bytes `r || s`. Any 64 bytes can be carried; [`super::PublicKey::verify`] judges them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// Takes 64 bytes `r || s` as a signature.
    pub const fn from_bytes(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes `r || s`.
    pub const fn to_bytes(self) -> [u8; SIGNATURE_BYTES] {
        self.0
    }

    /// The 64 bytes `r || s`, borrowed.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    /// r and s.
    pub(crate) fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        let (r, s) = self.0.split_first_chunk().expect("a signature is two numbers of 32 bytes");
        (r, s.first_chunk().expect("a signature is two numbers of 32 bytes"))
    }
}

impl From<sm2::dsa::Signature> for Signature {
    fn from(signature: sm2::dsa::Signature) -> Self {
        Self(signature.to_bytes().into())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", hex::encode(&self.0[..4]))
    }
}

impl FromStr for Signature {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        decode_array(text).map(Self)
    }
}

serde_as_text!(Signature);

/// Why a signature is refused or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// r or s is zero or not below the group order (GB/T 32918.2 section 7.1, steps B1 and B2).
    #[error("the signature's numbers are out of range")]
    OutOfRange,
    /// The signature is not this key's over this message in this context on this chain.
    #[error("the signature does not match the key, message, context and chain")]
    Mismatch,
    /// The payload has no encoding, so there is nothing to sign or verify.
    #[error("the payload cannot be encoded")]
    Unencodable,
    /// The user id is longer than 8191 bytes; only the raw interface takes other ids than the default.
    #[error("the user id is too long")]
    UserId,
}
