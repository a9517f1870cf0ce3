//! Small secrets encrypted to a person: SM2 public-key encryption (GB/T 32918.4), ciphertext order C1 C3 C2.
//!
//! SM2 encryption has no associated data, so the [`SealContext`] goes inside: the plaintext that SM2 sees is the
//! context's digest (32 bytes) followed by the data, and opening compares the digest. A box made for one record
//! therefore does not open as the box of another. SM2's C3 is a hash over the plaintext and the shared point, so a
//! changed box, of whatever kind, is refused.

mod keys;
#[doc(hidden)]
pub mod raw;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use borsh::io;
use core::fmt;
use core::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::digest::{DIGEST_BYTES, Digest, Tag, constant_time_eq, tagged};
use crate::entropy::Entropy;
use crate::hex_text::{HexError, decode_vec, serde_as_text};

pub use crate::point::{PUBLIC_KEY_BYTES, PublicKeyError};
pub use crate::signing::{SECRET_KEY_BYTES, SecretKeyError};
pub use keys::{AgreementKey, AgreementPublicKey};

/// Bytes that a box adds to its data: C1 as an uncompressed point (65), C3 (32), the context's digest (32).
pub const SEALED_OVERHEAD_BYTES: usize = 65 + 32 + DIGEST_BYTES;

/// Largest box, in bytes. Boxes carry keys and short notes; anything longer is content under a boxed key.
pub const MAX_SEALED_BYTES: usize = 4096;

/// Most data in a box, in bytes.
pub const MAX_SEALED_DATA_BYTES: usize = MAX_SEALED_BYTES - SEALED_OVERHEAD_BYTES;

/// What a box is for: the purpose and everything that it must not be moved away from, such as a record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext(Digest);

impl SealContext {
    /// A context from a purpose and the values that a box is bound to.
    pub fn new(purpose: Tag, binding: &[&[u8]]) -> Self {
        let values = tagged(Tag::new("amulet/v1/seal-binding"), binding);
        Self(tagged(Tag::new("amulet/v1/seal-context"), &[purpose.as_str().as_bytes(), values.as_ref()]))
    }
}

/// An encrypted secret: `C1 (65 bytes, 04 x y) || C3 (32) || C2`, at most [`MAX_SEALED_BYTES`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct SealedBox(Vec<u8>);

/// Why a box is refused or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The data is longer than a box holds; both in bytes.
    #[error("a sealed box holds at most {max} bytes, got {found}")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// [`MAX_SEALED_DATA_BYTES`] or [`MAX_SEALED_BYTES`].
        max: usize,
    },
    /// Fewer bytes than any box has.
    #[error("a sealed box has at least {min} bytes, got {found}")]
    TooShort {
        /// Bytes given.
        found: usize,
        /// The least bytes of a box.
        min: usize,
    },
    /// C1 is not an uncompressed point of the curve.
    #[error("the box does not start with a point on the SM2 curve")]
    InvalidPoint,
    /// The box was made for another key, was changed, or its key stream is all zero.
    #[error("the box does not open with this key")]
    NotForThisKey,
    /// The box opens, but was made for another purpose or object.
    #[error("the box was made for another purpose")]
    WrongContext,
}

impl SealedBox {
    /// Encrypts `data` to `recipient`, bound to `context`.
    ///
    /// # Errors
    /// [`SealError::TooLong`] when the data exceeds [`MAX_SEALED_DATA_BYTES`].
    pub fn seal(
        recipient: &AgreementPublicKey,
        context: &SealContext,
        data: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Self, SealError> {
        if data.len() > MAX_SEALED_DATA_BYTES {
            return Err(SealError::TooLong { found: data.len(), max: MAX_SEALED_DATA_BYTES });
        }
        let mut plaintext = Zeroizing::new(Vec::with_capacity(DIGEST_BYTES + data.len()));
        plaintext.extend_from_slice(context.0.as_ref());
        plaintext.extend_from_slice(data);
        Ok(Self(raw::encrypt(recipient, &plaintext, entropy)))
    }

    /// Decrypts with `key` and checks the context.
    ///
    /// # Errors
    /// [`SealError::InvalidPoint`], [`SealError::NotForThisKey`] or [`SealError::WrongContext`].
    pub fn open(&self, key: &AgreementKey, context: &SealContext) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let plaintext = raw::decrypt(key, &self.0)?;
        let Some((bound, data)) = plaintext.split_at_checked(DIGEST_BYTES) else {
            return Err(SealError::WrongContext);
        };
        if !constant_time_eq(bound, context.0.as_ref()) {
            return Err(SealError::WrongContext);
        }
        Ok(Zeroizing::new(data.to_vec()))
    }

    /// Takes bytes as a box after checking their number; [`SealedBox::open`] judges the rest.
    ///
    /// # Errors
    /// [`SealError::TooLong`] or [`SealError::TooShort`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SealError> {
        check_length(bytes.len())?;
        Ok(Self(bytes))
    }

    /// The box's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn check_length(found: usize) -> Result<(), SealError> {
    match found {
        ..SEALED_OVERHEAD_BYTES => Err(SealError::TooShort { found, min: SEALED_OVERHEAD_BYTES }),
        SEALED_OVERHEAD_BYTES..=MAX_SEALED_BYTES => Ok(()),
        _ => Err(SealError::TooLong { found, max: MAX_SEALED_BYTES }),
    }
}

impl BorshDeserialize for SealedBox {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let length = u32::deserialize_reader(reader)? as usize;
        check_length(length)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for SealedBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for SealedBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBox({} bytes)", self.0.len())
    }
}

impl FromStr for SealedBox {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        Self::from_bytes(decode_vec(text, MAX_SEALED_BYTES)?).map_err(|_| HexError::Invalid)
    }
}

serde_as_text!(SealedBox);
