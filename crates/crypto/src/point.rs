//! A public point on the SM2 curve with its compressed form: the common body of both kinds of public key.

use alloc::string::ToString;
use borsh::io;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use thiserror::Error;

use crate::curve::AffinePoint;
use crate::hex_text::{HexError, decode_array};

/// Bytes in a compressed SM2 public key (GB/T 32918.1 section 4.2.9): `02` or `03`, then the x coordinate.
pub const PUBLIC_KEY_BYTES: usize = 33;

/// First byte of a compressed point whose y coordinate is even.
const EVEN: u8 = 2;
/// First byte of a compressed point whose y coordinate is odd.
const ODD: u8 = 3;

/// Why bytes are not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Another length than a compressed key has.
    #[error("a public key has {PUBLIC_KEY_BYTES} bytes, found {found}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// The first byte is neither `02` nor `03`.
    #[error("a compressed public key starts with 02 or 03, found {found:02x}")]
    Form {
        /// The first byte given.
        found: u8,
    },
    /// There is no curve point with this x coordinate.
    #[error("the public key is not a point on the SM2 curve")]
    NotOnCurve,
}

/// A validated point: on the curve, not infinity. Compared, ordered and hashed by its compressed bytes.
#[derive(Clone)]
pub(crate) struct Point {
    bytes: [u8; PUBLIC_KEY_BYTES],
    affine: AffinePoint,
}

impl Point {
    pub(crate) fn from_key(key: sm2::PublicKey) -> Self {
        use sm2::elliptic_curve::sec1::ToSec1Point;
        let encoded = key.to_sec1_point(true);
        let bytes = encoded.as_bytes().try_into().expect("a finite point compresses to 33 bytes");
        Self::decompress(bytes).expect("a public key is on the curve")
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let bytes: [u8; PUBLIC_KEY_BYTES] =
            bytes.try_into().map_err(|_| PublicKeyError::Length { found: bytes.len() })?;
        if !matches!(bytes[0], EVEN | ODD) {
            return Err(PublicKeyError::Form { found: bytes[0] });
        }
        Self::decompress(bytes).ok_or(PublicKeyError::NotOnCurve)
    }

    /// A public key is public, so it may be read in variable time.
    fn decompress(bytes: [u8; PUBLIC_KEY_BYTES]) -> Option<Self> {
        let (form, x) = bytes.split_first_chunk::<1>()?;
        let affine = AffinePoint::decompress(x.first_chunk()?, form[0] == ODD)?;
        Some(Self { bytes, affine })
    }

    pub(crate) fn from_hex(text: &str) -> Result<Self, HexError> {
        Self::from_bytes(&decode_array::<PUBLIC_KEY_BYTES>(text)?).map_err(|_| HexError::Invalid)
    }

    pub(crate) fn read(reader: &mut impl io::Read) -> io::Result<Self> {
        let mut bytes = [0; PUBLIC_KEY_BYTES];
        reader.read_exact(&mut bytes)?;
        Self::from_bytes(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }

    pub(crate) fn bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.bytes
    }

    /// For checking signatures.
    pub(crate) fn affine(&self) -> &AffinePoint {
        &self.affine
    }

    /// Both coordinates, 32 bytes each, big-endian.
    pub(crate) fn coordinates(&self) -> [u8; 64] {
        let mut coordinates = [0; 64];
        coordinates[..32].copy_from_slice(&self.bytes[1..]);
        coordinates[32..].copy_from_slice(&self.affine.y_bytes());
        coordinates
    }

    /// For encrypting, in constant time.
    pub(crate) fn to_key(&self) -> sm2::PublicKey {
        let coordinates = self.coordinates();
        let point = sm2::Sec1Point::from_untagged_bytes(&coordinates.into());
        sm2::PublicKey::from_sec1_bytes(point.as_bytes()).expect("the point was found to be on the curve")
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Point {}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Point {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// Implements what both kinds of public key share, for a newtype over [`Point`].
macro_rules! public_key_type {
    ($type:ident, $what:literal) => {
        impl $type {
            #[doc = concat!("Reads ", $what, " from its compressed form and checks that it is on the curve.")]
            ///
            /// # Errors
            /// [`PublicKeyError`], by what is wrong with the bytes.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
                Point::from_bytes(bytes).map(Self::from)
            }

            /// The 33 bytes of the compressed form.
            pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
                *self.point().bytes()
            }

            /// The 33 bytes of the compressed form, borrowed.
            pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
                self.point().bytes()
            }

            /// SM3 of the compressed key: the key's name in identifiers and key lists.
            pub fn fingerprint(&self) -> $crate::digest::Digest {
                $crate::digest::sm3(self.point().bytes())
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&hex::encode(self.point().bytes()))
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($type), "({}…)"), hex::encode(&self.point().bytes()[..5]))
            }
        }

        impl core::str::FromStr for $type {
            type Err = $crate::hex_text::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Point::from_hex(text).map(Self::from)
            }
        }

        $crate::hex_text::serde_as_text!($type);

        impl borsh::BorshSerialize for $type {
            fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
                writer.write_all(self.point().bytes())
            }
        }

        impl borsh::BorshDeserialize for $type {
            fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
                Point::read(reader).map(Self::from)
            }
        }
    };
}
pub(crate) use public_key_type;
