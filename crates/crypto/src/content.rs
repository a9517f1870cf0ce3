//! Encryption of records and files: SM4-GCM (GB/T 32907, RFC 8998 section 2), a fresh key for each object.
//!
//! [`seal_content`] takes an object that fits in memory; [`ChunkedSealer`] and [`ChunkedOpener`] stream larger ones
//! in chunks. Associated data (`aad`) is authenticated, not stored: whoever opens must know it, so a ciphertext
//! cannot be passed off as another object's.

#[cfg(feature = "std")]
mod chunked;
#[doc(hidden)]
pub mod raw;

use alloc::vec::Vec;
use core::fmt;

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag as AeadTag};
use sm4::Sm4;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::heap_secret::HeapSecret;

#[cfg(feature = "std")]
pub use chunked::{CHUNK_BYTES, CHUNKED_HEADER_BYTES, ChunkedOpener, ChunkedSealer};

/// Bytes in an SM4 key.
pub const CONTENT_KEY_BYTES: usize = 16;

/// First byte of content sealed whole.
pub const CONTENT_VERSION: u8 = 1;

/// Bytes that sealing whole adds: version, nonce, authentication tag.
pub const CONTENT_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// Most bytes sealed whole. More goes in chunks, so that opening never needs much memory.
pub const MAX_CONTENT_BYTES: usize = 16 * 1024 * 1024;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// An SM4 key for one object. Wiped on drop, redacted in debug output, neither `Clone` nor serialisable.
pub struct ContentKey(HeapSecret<CONTENT_KEY_BYTES>);

impl ContentKey {
    /// Makes a new random key.
    pub fn generate(entropy: &mut impl Entropy) -> Self {
        Self(HeapSecret::filled(|bytes| entropy.fill(bytes)))
    }

    /// Takes 16 bytes as a key.
    pub fn from_bytes(bytes: &[u8; CONTENT_KEY_BYTES]) -> Self {
        Self(HeapSecret::copied(bytes))
    }

    /// The key's bytes: whoever has them can read the object.
    ///
    /// Only for sealing the key to a person; the copy wipes itself.
    pub fn expose_secret(&self) -> Zeroizing<[u8; CONTENT_KEY_BYTES]> {
        Zeroizing::new(*self.0)
    }

    fn cipher(&self) -> Sm4Gcm {
        Sm4Gcm::new((&*self.0).into())
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

/// Why content is refused or cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentError {
    /// More bytes than allowed; both in bytes.
    #[error("content of {found} bytes is over the limit of {max}")]
    TooLong {
        /// Bytes given, or seen so far.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// Fewer bytes than any sealed content has.
    #[error("content of {found} bytes is shorter than any sealed content")]
    TooShort {
        /// Bytes given.
        found: usize,
    },
    /// The first byte names no format known here.
    #[error("unknown content format {found}")]
    UnknownVersion {
        /// The first byte.
        found: u8,
    },
    /// The key or associated data is wrong, or bytes were changed.
    #[error("the content does not open: wrong key, or it was changed")]
    NotAuthentic,
    /// The stream ends early: what came is authentic, but there is more that did not come.
    #[error("the content was cut off")]
    Truncated,
}

/// Encrypts content that fits in memory: `01 || nonce (12) || ciphertext || tag (16)`.
///
/// The version byte is authenticated in front of `aad`.
///
/// # Errors
/// [`ContentError::TooLong`] over [`MAX_CONTENT_BYTES`].
pub fn seal_content(
    key: &ContentKey,
    aad: &[u8],
    plaintext: &[u8],
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, ContentError> {
    if plaintext.len() > MAX_CONTENT_BYTES {
        return Err(ContentError::TooLong { found: plaintext.len() as u64, max: MAX_CONTENT_BYTES as u64 });
    }
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let mut sealed = Vec::with_capacity(CONTENT_OVERHEAD_BYTES + plaintext.len());
    sealed.push(CONTENT_VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = seal_in_place(&key.cipher(), nonce, &versioned(aad), &mut sealed[1 + NONCE_BYTES..]);
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Decrypts what [`seal_content`] made with the same key and associated data.
///
/// # Errors
/// [`ContentError`], by what is wrong; a wrong key, wrong `aad` and changed bytes cannot be told apart.
pub fn open_content(key: &ContentKey, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ContentError> {
    if sealed.len() < CONTENT_OVERHEAD_BYTES {
        return Err(ContentError::TooShort { found: sealed.len() });
    }
    if sealed.len() > CONTENT_OVERHEAD_BYTES + MAX_CONTENT_BYTES {
        let max = (CONTENT_OVERHEAD_BYTES + MAX_CONTENT_BYTES) as u64;
        return Err(ContentError::TooLong { found: sealed.len() as u64, max });
    }
    if sealed[0] != CONTENT_VERSION {
        return Err(ContentError::UnknownVersion { found: sealed[0] });
    }
    let (nonce, body) = sealed[1..].split_first_chunk::<NONCE_BYTES>().expect("the length was checked above");
    let (ciphertext, tag) = body.split_last_chunk::<TAG_BYTES>().expect("the length was checked above");
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    open_in_place(&key.cipher(), *nonce, &versioned(aad), &mut plaintext, *tag)?;
    Ok(plaintext)
}

fn versioned(aad: &[u8]) -> Vec<u8> {
    let mut versioned = Vec::with_capacity(1 + aad.len());
    versioned.push(CONTENT_VERSION);
    versioned.extend_from_slice(aad);
    versioned
}

fn seal_in_place(cipher: &Sm4Gcm, nonce: [u8; NONCE_BYTES], aad: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
    cipher
        .encrypt_inout_detached(&Nonce::<Sm4Gcm>::from(nonce), aad, bytes.into())
        .expect("inputs are far below GCM's limit of 64 GiB")
        .into()
}

fn open_in_place(
    cipher: &Sm4Gcm,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    bytes: &mut [u8],
    tag: [u8; TAG_BYTES],
) -> Result<(), ContentError> {
    cipher
        .decrypt_inout_detached(
            &Nonce::<Sm4Gcm>::from(nonce),
            aad,
            bytes.into(),
            &AeadTag::<Sm4Gcm>::from(tag),
        )
        .map_err(|_| ContentError::NotAuthentic)
}
