//! The standard's bare signature, for comparing with other implementations. Nothing in Amulet signs this way.

use super::signing_key::sign_parts;
use super::{PreparedKey, PublicKey, Signature, SignatureError, SigningKey};
use crate::curve::Prehash;

/// Signs `message` as GB/T 32918.2 says, with `user_id` and nothing added.
///
/// # Errors
/// [`SignatureError::UserId`] when the id is too long.
pub fn sign_with_id(key: &SigningKey, user_id: &str, message: &[u8]) -> Result<Signature, SignatureError> {
    let secret = key.expose_secret();
    let key = sm2::dsa::SigningKey::from_slice(user_id, &*secret).map_err(|_| SignatureError::UserId)?;
    Ok(sign_parts(&key, &[message]))
}

/// Verifies `message` as GB/T 32918.2 says, with `user_id` and nothing added.
///
/// # Errors
/// As [`PublicKey::verify`], and [`SignatureError::UserId`] when the id is too long.
pub fn verify_with_id(
    key: &PublicKey,
    user_id: &str,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    key.verify_with_id(user_id, message, signature)
}

/// Verifies from the digest e on (GB/T 32918.2 section 7.1, after step B4).
///
/// # Errors
/// As [`PublicKey::verify`].
pub fn verify_prehash(
    key: &PublicKey,
    prehash: [u8; 32],
    signature: &Signature,
) -> Result<(), SignatureError> {
    key.verify_prehash(&Prehash(prehash), signature)
}

/// As [`verify_prehash`], by the key's table.
///
/// # Errors
/// As [`PublicKey::verify`].
pub fn verify_prehash_prepared(
    key: &PreparedKey,
    prehash: [u8; 32],
    signature: &Signature,
) -> Result<(), SignatureError> {
    key.verify_prehash(&Prehash(prehash), signature)
}
