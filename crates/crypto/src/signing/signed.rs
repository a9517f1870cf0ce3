//! A value with its signature, and the proof that the signature was checked.

use core::fmt;
use core::ops::Deref;

use borsh::{BorshDeserialize, BorshSerialize};

use super::{ChainTag, PublicKey, Signature, SignatureError, SigningContext, SigningKey};

/// A value, the key that is said to have signed it, and the signature. Decoding one checks nothing but its shape:
/// the payload is reached through [`Signed::verify`].
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signed<T> {
    payload: T,
    key: PublicKey,
    signature: Signature,
}

impl<T: BorshSerialize> Signed<T> {
    /// Signs the borsh encoding of `payload`.
    ///
    /// # Errors
    /// [`SignatureError::Unencodable`] when the payload has no borsh encoding.
    pub fn sign(
        payload: T,
        key: &SigningKey,
        context: SigningContext,
        chain: &ChainTag,
    ) -> Result<Self, SignatureError> {
        let message = borsh::to_vec(&payload).map_err(|_| SignatureError::Unencodable)?;
        let signature = key.sign(context, chain, &message);
        Ok(Self { payload, key: key.public_key().clone(), signature })
    }

    /// Checks the signature. Whether the key may say this is for the caller to judge, by [`Verified::key`].
    ///
    /// # Errors
    /// As [`PublicKey::verify`], and [`SignatureError::Unencodable`] when the payload has no borsh encoding.
    pub fn verify(self, context: SigningContext, chain: &ChainTag) -> Result<Verified<T>, SignatureError> {
        let message = borsh::to_vec(&self.payload).map_err(|_| SignatureError::Unencodable)?;
        self.key.verify(context, chain, &message, &self.signature)?;
        Ok(Verified { signed: self })
    }
}

impl<T> Signed<T> {
    /// The key that is said to have signed; anybody can write any key here.
    pub fn claimed_key(&self) -> &PublicKey {
        &self.key
    }

    /// The signature, unchecked.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The payload before any check, for showing or routing only: **no decision may rest on it**.
    pub fn unverified_for_display(&self) -> &T {
        &self.payload
    }
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("unverified", &self.payload)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A value whose signature was checked. Made by [`Signed::verify`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified<T> {
    signed: Signed<T>,
}

impl<T> Verified<T> {
    /// The key that signed.
    pub fn key(&self) -> &PublicKey {
        &self.signed.key
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.signed.payload
    }

    /// The value with its signature, for storing or passing on.
    pub fn as_signed(&self) -> &Signed<T> {
        &self.signed
    }

    /// The value with its signature, for storing or passing on.
    pub fn into_signed(self) -> Signed<T> {
        self.signed
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.signed.payload
    }
}

impl<T: fmt::Debug> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("payload", &self.signed.payload)
            .field("key", &self.signed.key)
            .finish_non_exhaustive()
    }
}
