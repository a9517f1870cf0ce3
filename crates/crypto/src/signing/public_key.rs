//! The keys that signatures are checked with.

use core::fmt;

use super::identity::Identity;
use super::{ChainTag, PUBLIC_KEY_BYTES, PublicKeyError, Signature, SignatureError, SigningContext};
use crate::curve::{self, KeyTable, Prehash};
use crate::point::{Point, public_key_type};

/// An SM2 public key for signatures, validated when made: on the curve and not infinity.
///
/// Compared, ordered and hashed by its 33 compressed bytes; borsh is those bytes, serde their hexadecimal form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(Point);

public_key_type!(PublicKey, "a public key");

impl PublicKey {
    /// Checks that `signature` is this key's over `message` in `context` on `chain`.
    ///
    /// # Errors
    /// [`SignatureError::OutOfRange`] when the signature's numbers are impossible, [`SignatureError::Mismatch`] for
    /// every other wrong signature.
    pub fn verify(
        &self,
        context: SigningContext,
        chain: &ChainTag,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let prehash = Identity::of(&self.0).prehash(&[&context.prefix(chain), message]);
        self.verify_prehash(&prehash, signature)
    }

    pub(super) fn verify_with_id(
        &self,
        user_id: &str,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let prehash = Identity::with_user_id(user_id, &self.0)?.prehash(&[message]);
        self.verify_prehash(&prehash, signature)
    }

    pub(super) fn verify_prehash(
        &self,
        prehash: &Prehash,
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        curve::verify(self.0.affine(), prehash, signature)
    }

    fn point(&self) -> &Point {
        &self.0
    }
}

impl From<Point> for PublicKey {
    fn from(point: Point) -> Self {
        Self(point)
    }
}

/// A public key with multiples of it computed beforehand, for a signer whose signatures are checked often, such as a
/// validator: each check costs about a third of [`PublicKey::verify`]'s.
///
/// Making one takes about half a millisecond, and it holds 86 KiB: not for keys that strangers choose.
pub struct PreparedKey {
    key: PublicKey,
    identity: Identity,
    table: KeyTable,
}

impl PreparedKey {
    /// Prepares `key`.
    pub fn new(key: PublicKey) -> Self {
        Self { identity: Identity::of(&key.0), table: KeyTable::new(key.0.affine()), key }
    }

    /// The key.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// As [`PublicKey::verify`], with the same answers.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(
        &self,
        context: SigningContext,
        chain: &ChainTag,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let prehash = self.identity.prehash(&[&context.prefix(chain), message]);
        self.verify_prehash(&prehash, signature)
    }

    pub(super) fn verify_prehash(
        &self,
        prehash: &Prehash,
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        curve::verify_prepared(&self.table, prehash, signature)
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey").field("key", &self.key).finish_non_exhaustive()
    }
}
