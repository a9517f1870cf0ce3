//! The key that signs.

use crate::lazy::Lazy;
use core::fmt;

use sm2::NonZeroScalar;
use sm2::dsa::signature::MultipartSigner;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{ChainTag, PublicKey, Signature, SigningContext, USER_ID};
use crate::entropy::Entropy;
use crate::point::Point;
use crate::secret_box::{Placeholder, SecretBox};

/// Bytes in an SM2 secret key: one number, big-endian.
pub const SECRET_KEY_BYTES: usize = 32;

/// Group order minus one. A signing key must be below it, or the signature's division by 1 + d fails
/// (GB/T 32918.2 section 5.2: d is in [1, n - 2]).
const ORDER_MINUS_ONE: [u8; SECRET_KEY_BYTES] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72,
    0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
];

/// Bytes that are no secret key: zero, or not below the group order minus one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes are not an SM2 secret key")]
pub struct SecretKeyError;

/// An SM2 signing key. Wiped on drop, redacted in debug output, neither `Clone` nor serialisable.
pub struct SigningKey {
    inner: SecretBox<sm2::dsa::SigningKey>,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a new random key.
    pub fn generate(entropy: &mut impl Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_KEY_BYTES]);
        loop {
            entropy.fill(&mut *bytes);
            // Out of range about once in 2^32 tries: draw again, which keeps the choice uniform.
            if let Ok(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// Takes a secret number, 32 bytes big-endian, in [1, n - 2].
    ///
    /// # Errors
    /// [`SecretKeyError`] when the number is out of that range.
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Result<Self, SecretKeyError> {
        if !is_secret_scalar(bytes) {
            return Err(SecretKeyError);
        }
        let inner = sm2::dsa::SigningKey::from_slice(USER_ID, bytes).map_err(|_| SecretKeyError)?;
        let public = PublicKey::from(Point::from_key(inner.verifying_key().into()));
        Ok(Self { inner: SecretBox::new(inner), public })
    }

    /// The secret number, 32 bytes big-endian: whoever has it can sign as this key.
    ///
    /// Only for writing a key file that is itself encrypted; the copy wipes itself.
    pub fn expose_secret(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        Zeroizing::new(self.inner.to_bytes().into())
    }

    /// The public key of this key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` in `context` on `chain`. The same input gives the same signature (RFC 6979 with HMAC-SM3).
    pub fn sign(&self, context: SigningContext, chain: &ChainTag, message: &[u8]) -> Signature {
        sign_parts(&self.inner, &[&context.prefix(chain), message])
    }
}

pub(super) fn sign_parts(key: &sm2::dsa::SigningKey, parts: &[&[u8]]) -> Signature {
    // Fails only if r, s or r + k is zero, about once in 2^256 messages: never seen by anybody.
    key.try_multipart_sign(parts).expect("an SM2 signature over a hash exists").into()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Placeholder for sm2::dsa::SigningKey {
    fn placeholder() -> Self {
        static ONE: Lazy<sm2::dsa::SigningKey> = Lazy::new(|| {
            let mut one = [0; SECRET_KEY_BYTES];
            one[SECRET_KEY_BYTES - 1] = 1;
            let one = NonZeroScalar::try_from(one.as_slice()).expect("one is a scalar");
            sm2::dsa::SigningKey::from_nonzero_scalar(USER_ID, one).expect("the default user id is short")
        });
        ONE.clone()
    }
}

/// Whether the number is in [1, n - 2]; does not look at secret bytes in secret-dependent time.
pub(crate) fn is_secret_scalar(bytes: &[u8; SECRET_KEY_BYTES]) -> bool {
    use sm2::elliptic_curve::subtle::{Choice, ConstantTimeEq};
    let zero = bytes.ct_eq(&[0; SECRET_KEY_BYTES]);
    let top = bytes.ct_eq(&ORDER_MINUS_ONE);
    let in_group: Choice = Choice::from(u8::from(NonZeroScalar::try_from(bytes.as_slice()).is_ok()));
    (in_group & !zero & !top).into()
}
