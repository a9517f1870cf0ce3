//! The keys that secrets are encrypted to. Apart from signing keys by type: one key never does both.

use crate::lazy::Lazy;
use core::fmt;

use sm2::NonZeroScalar;
use sm2::pke::DecryptingKey;
use zeroize::Zeroizing;

use super::{PUBLIC_KEY_BYTES, PublicKeyError, SECRET_KEY_BYTES, SecretKeyError};
use crate::entropy::Entropy;
use crate::point::{Point, public_key_type};
use crate::secret_box::{Placeholder, SecretBox};
use crate::signing::is_secret_scalar;

/// An SM2 public key to encrypt to, validated when made: on the curve and not infinity.
///
/// Compared, ordered and hashed by its 33 compressed bytes; borsh is those bytes, serde their hexadecimal form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgreementPublicKey(Point);

public_key_type!(AgreementPublicKey, "a key to encrypt to");

impl AgreementPublicKey {
    pub(super) fn point(&self) -> &Point {
        &self.0
    }
}

impl From<Point> for AgreementPublicKey {
    fn from(point: Point) -> Self {
        Self(point)
    }
}

/// An SM2 secret key that opens boxes. Wiped on drop, redacted in debug output, neither `Clone` nor serialisable.
pub struct AgreementKey {
    pub(super) inner: SecretBox<DecryptingKey>,
    public: AgreementPublicKey,
}

impl AgreementKey {
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
        let inner = DecryptingKey::from_slice(bytes).map_err(|_| SecretKeyError)?;
        let point = sm2::PublicKey::from_secret_scalar(inner.as_nonzero_scalar());
        Ok(Self { inner: SecretBox::new(inner), public: AgreementPublicKey(Point::from_key(point)) })
    }

    /// The secret number, 32 bytes big-endian: whoever has it can open every box made for this key.
    ///
    /// Only for writing a key file that is itself encrypted; the copy wipes itself.
    pub fn expose_secret(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        Zeroizing::new(self.inner.to_bytes().into())
    }

    /// The key that others encrypt to.
    pub fn public_key(&self) -> &AgreementPublicKey {
        &self.public
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgreementKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Placeholder for DecryptingKey {
    fn placeholder() -> Self {
        static ONE: Lazy<DecryptingKey> = Lazy::new(|| {
            let mut one = [0; SECRET_KEY_BYTES];
            one[SECRET_KEY_BYTES - 1] = 1;
            let one = NonZeroScalar::try_from(one.as_slice()).expect("one is a scalar");
            DecryptingKey::from_nonzero_scalar(one).expect("every non-zero scalar is a key")
        });
        ONE.clone()
    }
}
