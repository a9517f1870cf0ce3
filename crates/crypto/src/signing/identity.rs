//! Z_A, the digest of signer and curve that every signature covers (GB/T 32918.2-2016 section 5.5).

use crate::lazy::Lazy;

use sm3::digest::Update;
use sm3::{Digest, Sm3};

use super::{SignatureError, USER_ID};
use crate::curve::Prehash;
use crate::point::Point;

/// a, b, xG and yG, 32 bytes each (GB/T 32918.5-2017).
const CURVE: [&str; 4] = [
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc",
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
];

/// What Z_A has in common for all keys with the default user id: two of its four blocks.
static DEFAULT_PREFIX: Lazy<Sm3> = Lazy::new(|| prefix(USER_ID).expect("the default user id is short"));

/// A hasher that has taken in Z_A, and takes the message next. Kept with a key, it saves hashing Z_A again.
#[derive(Clone)]
pub(super) struct Identity(Sm3);

impl Identity {
    /// Of this key with the default user id.
    pub(super) fn of(point: &Point) -> Self {
        Self::finish(DEFAULT_PREFIX.clone(), point)
    }

    /// Of this key with this user id.
    ///
    /// # Errors
    /// [`SignatureError::UserId`] when the id is too long.
    pub(super) fn with_user_id(user_id: &str, point: &Point) -> Result<Self, SignatureError> {
        Ok(Self::finish(prefix(user_id)?, point))
    }

    fn finish(prefix: Sm3, point: &Point) -> Self {
        let za = prefix.chain(point.coordinates()).finalize();
        Self(Sm3::new_with_prefix(za))
    }

    /// SM3 over Z_A and the parts of a message.
    pub(super) fn prehash(&self, parts: &[&[u8]]) -> Prehash {
        let hasher = parts.iter().fold(self.0.clone(), |hasher, part| hasher.chain(part));
        Prehash(hasher.finalize().into())
    }
}

/// A hasher that has taken in all of Z_A but the key.
fn prefix(user_id: &str) -> Result<Sm3, SignatureError> {
    let bits = user_id.len().checked_mul(8).ok_or(SignatureError::UserId)?;
    let bits = u16::try_from(bits).map_err(|_| SignatureError::UserId)?;
    let hasher = Sm3::new().chain(bits.to_be_bytes()).chain(user_id);
    Ok(CURVE.iter().fold(hasher, |hasher, number| {
        hasher.chain(hex::decode(number).expect("the numbers are hexadecimal"))
    }))
}
