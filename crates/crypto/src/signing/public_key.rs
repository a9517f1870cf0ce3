//! The key that signatures are checked with.

use sm2::dsa::VerifyingKey;
use sm2::dsa::signature::MultipartVerifier;

use super::{ChainTag, PUBLIC_KEY_BYTES, PublicKeyError, Signature, SignatureError, SigningContext, USER_ID};
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
        self.verify_parts(USER_ID, &[&context.prefix(chain), message], signature)
    }

    pub(super) fn verify_parts(
        &self,
        user_id: &str,
        parts: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let signature = signature.parse()?;
        let key = VerifyingKey::new(user_id, *self.0.key()).map_err(|_| SignatureError::UserId)?;
        key.multipart_verify(parts, &signature).map_err(|_| SignatureError::Mismatch)
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
