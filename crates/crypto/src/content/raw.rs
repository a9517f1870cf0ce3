//! SM4-GCM with a given nonce and nothing added, for comparing with other implementations. Never for real content:
//! a nonce used twice under one key gives both plaintexts away.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{ContentError, ContentKey, NONCE_BYTES, TAG_BYTES, open_in_place, seal_in_place};

/// Encrypts as RFC 8998 section 2 says: `ciphertext || tag (16)`.
pub fn seal_with_nonce(key: &ContentKey, nonce: [u8; NONCE_BYTES], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = plaintext.to_vec();
    let tag = seal_in_place(&key.cipher(), nonce, aad, &mut sealed);
    sealed.extend_from_slice(&tag);
    sealed
}

/// Decrypts `ciphertext || tag (16)`.
///
/// # Errors
/// [`ContentError::TooShort`], [`ContentError::NotAuthentic`].
pub fn open_with_nonce(
    key: &ContentKey,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ContentError> {
    let (ciphertext, tag) =
        sealed.split_last_chunk::<TAG_BYTES>().ok_or(ContentError::TooShort { found: sealed.len() })?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    open_in_place(&key.cipher(), nonce, aad, &mut plaintext, *tag)?;
    Ok(plaintext)
}
