//! What SLIP-0039 does to a secret before it is split: four rounds of a Feistel network over PBKDF2-HMAC-SHA256, here with an
//! empty passphrase, so that it hides nothing by itself.

use alloc::vec::Vec;

use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::phrase::ENTROPY_BYTES;
use crate::heap_secret::HeapSecret;

const HALF: usize = ENTROPY_BYTES / 2;
const ROUNDS: u8 = 4;
const ITERATIONS_BASE: u32 = 10_000 / ROUNDS as u32;

pub(super) fn encrypt(secret: &[u8; ENTROPY_BYTES]) -> HeapSecret<ENTROPY_BYTES> {
    rounds(secret, b"", 0, None, 0..ROUNDS)
}

/// `set` is the set's number for shares of the form that is not extendable, whose salt it is.
pub(super) fn decrypt(
    secret: &[u8; ENTROPY_BYTES],
    passphrase: &[u8],
    exponent: u8,
    set: Option<u16>,
) -> HeapSecret<ENTROPY_BYTES> {
    rounds(secret, passphrase, exponent, set, (0..ROUNDS).rev())
}

fn rounds(
    secret: &[u8; ENTROPY_BYTES],
    passphrase: &[u8],
    exponent: u8,
    set: Option<u16>,
    order: impl Iterator<Item = u8>,
) -> HeapSecret<ENTROPY_BYTES> {
    let mut left = Zeroizing::new([0; HALF]);
    let mut right = Zeroizing::new([0; HALF]);
    left.copy_from_slice(&secret[..HALF]);
    right.copy_from_slice(&secret[HALF..]);
    for round in order {
        let mut salted = Zeroizing::new([0; 8 + HALF]);
        let start = match set {
            Some(set) => {
                salted[..6].copy_from_slice(b"shamir");
                salted[6..8].copy_from_slice(&set.to_be_bytes());
                0
            }
            None => 8,
        };
        salted[8..].copy_from_slice(&*right);
        let mut password = Zeroizing::new(Vec::with_capacity(1 + passphrase.len()));
        password.push(round);
        password.extend_from_slice(passphrase);
        let mut key = Zeroizing::new([0; HALF]);
        pbkdf2::pbkdf2::<Hmac<Sha256>>(&password, &salted[start..], ITERATIONS_BASE << exponent, &mut *key)
            .expect("HMAC takes keys of any length");
        for (to, from) in key.iter_mut().zip(left.iter()) {
            *to ^= from;
        }
        core::mem::swap(&mut *left, &mut *right);
        core::mem::swap(&mut *right, &mut *key);
    }
    HeapSecret::filled(|bytes| {
        bytes[..HALF].copy_from_slice(&*right);
        bytes[HALF..].copy_from_slice(&*left);
    })
}
