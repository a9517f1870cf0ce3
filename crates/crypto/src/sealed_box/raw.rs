//! The standard's bare encryption, for comparing with other implementations and as the inside of a box.

use alloc::vec;
use alloc::vec::Vec;
use sm2::pke::{Cipher, EncryptingKey, Mode};
use sm3::Sm3;
use zeroize::Zeroizing;

use super::{AgreementKey, AgreementPublicKey, SealError};
use crate::digest::constant_time_eq;
use crate::entropy::{CurveRng, Entropy};

/// First byte of an uncompressed point. Only this form is written and read, so a box has one spelling.
const UNCOMPRESSED: u8 = 4;

/// C1 (65 bytes) and C3 (32 bytes).
const OVERHEAD_BYTES: usize = 65 + 32;

/// Encrypts as GB/T 32918.4 section 6.1 says: `C1 || C3 || C2`.
///
/// # Panics
/// When `plaintext` is empty, which the standard does not define. Boxes never are: they hold a context.
pub fn encrypt(recipient: &AgreementPublicKey, plaintext: &[u8], entropy: &mut impl Entropy) -> Vec<u8> {
    EncryptingKey::new_with_mode(recipient.point().to_key(), Mode::C1C3C2)
        .encrypt(&mut CurveRng(entropy), plaintext)
        .expect("a finite key and a non-empty plaintext encrypt")
}

/// Decrypts as GB/T 32918.4 section 7.1 says.
///
/// # Errors
/// [`SealError::TooShort`], [`SealError::InvalidPoint`], [`SealError::NotForThisKey`].
pub fn decrypt(key: &AgreementKey, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let min = OVERHEAD_BYTES + 1;
    if ciphertext.len() < min {
        return Err(SealError::TooShort { found: ciphertext.len(), min });
    }
    if ciphertext[0] != UNCOMPRESSED {
        return Err(SealError::InvalidPoint);
    }
    let cipher =
        Cipher::<sm2::Sm2, Sm3>::from_slice(ciphertext, Mode::C1C3C2).map_err(|_| SealError::InvalidPoint)?;
    let mut plaintext = Zeroizing::new(vec![0; ciphertext.len() - OVERHEAD_BYTES]);
    key.inner
        .decrypt_cipher_with_buf::<Sm3>(&cipher, &mut plaintext)
        .map_err(|_| SealError::NotForThisKey)?;
    // Step B4: an all-zero key stream, which shows as plaintext equal to ciphertext, is refused. The library checks
    // this when encrypting only.
    if constant_time_eq(&plaintext, cipher.c2()) {
        return Err(SealError::NotForThisKey);
    }
    Ok(plaintext)
}
