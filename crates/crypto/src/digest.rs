//! SM3 (GB/T 32905), domain-separated hashing over it, and HMAC-SM3.
//!
//! Hash what other programs must be able to hash too (a file, a FHIR document) with [`sm3()`]; hash everything that
//! only Amulet gives a meaning to with [`tagged`], so that no two meanings can ever share a digest.

use core::fmt;
use core::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use hmac::{Hmac, KeyInit, Mac};

pub use sm3::Digest as IncrementalDigest;
pub use sm3::Sm3;
/// The incremental SM3 hasher, for libraries that take any `digest::Digest`, such as Merkle trees.
pub use sm3::Sm3 as Sm3Hasher;

use crate::hex_text::{HexError, decode_array, serde_as_text};

/// Bytes in an SM3 digest.
pub const DIGEST_BYTES: usize = 32;

/// An SM3 digest: 32 bytes, shown as 64 lower-case hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize, BorshDeserialize)]
pub struct Digest([u8; DIGEST_BYTES]);

impl Digest {
    /// The digest of all zero bytes: a place holder where there is nothing to point at, such as before genesis.
    pub const ZERO: Self = Self([0; DIGEST_BYTES]);

    /// Takes 32 bytes as a digest.
    pub const fn from_bytes(bytes: [u8; DIGEST_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn to_bytes(self) -> [u8; DIGEST_BYTES] {
        self.0
    }

    /// The 32 bytes, borrowed.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }
}

impl From<[u8; DIGEST_BYTES]> for Digest {
    fn from(bytes: [u8; DIGEST_BYTES]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    /// The first four bytes: enough to tell digests apart in a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}…)", hex::encode(&self.0[..4]))
    }
}

impl FromStr for Digest {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        decode_array(text).map(Self)
    }
}

serde_as_text!(Digest);

/// A domain tag: says what a hash is of. By custom `amulet/v1/<what>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(&'static str);

impl Tag {
    /// Names a domain. Tags are part of the persisted formats: never reuse one for another meaning.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The tag's text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The SM3 digest of `bytes`, with nothing added (GB/T 32905-2016).
pub fn sm3(bytes: &[u8]) -> Digest {
    finish(Sm3::new_with_prefix(bytes))
}

/// The digest of a list of parts under a domain tag.
///
/// It is `SM3(t || t || len(p1) || p1 || len(p2) || p2 …)` with `t = SM3(tag)` and lengths as 8 bytes, big-endian.
/// Different tags or different lists never give the same SM3 input: `["ab", "c"]` differs from `["a", "bc"]`.
pub fn tagged(tag: Tag, parts: &[&[u8]]) -> Digest {
    let mut hasher = TaggedHasher::new(tag);
    for part in parts {
        hasher.part(part);
    }
    hasher.finish()
}

/// The digest of [`tagged`], for parts that come piece by piece.
#[derive(Clone)]
pub struct TaggedHasher(Sm3);

impl TaggedHasher {
    /// Starts under a domain tag.
    pub fn new(tag: Tag) -> Self {
        let tag_digest = Sm3::digest(tag.0.as_bytes());
        let mut hasher = Sm3::new();
        hasher.update(tag_digest);
        hasher.update(tag_digest);
        Self(hasher)
    }

    /// Takes a whole part.
    pub fn part(&mut self, part: &[u8]) {
        self.begin_part(part.len() as u64);
        self.update(part);
    }

    /// Begins a part of so many bytes, which [`TaggedHasher::update`] has to be given then.
    pub fn begin_part(&mut self, bytes: u64) {
        self.0.update(bytes.to_be_bytes());
    }

    /// Takes the next bytes of the part that was begun.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        finish(self.0)
    }
}

/// HMAC-SM3 of `message` under `key` of any length (GB/T 15852.2, RFC 2104 over SM3).
pub fn hmac_sm3(key: &[u8], message: &[u8]) -> Digest {
    let mut mac = Hmac::<Sm3>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    Digest(mac.finalize().into_bytes().into())
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    use sm2::elliptic_curve::subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}

fn finish(hasher: Sm3) -> Digest {
    Digest(hasher.finalize().into())
}
