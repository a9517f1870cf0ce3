//! From a passphrase to a key: Argon2id (RFC 9106), with its parameters stored beside what the key protects.

use alloc::string::ToString;
use alloc::vec::Vec;
use borsh::io;
use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::content::{CONTENT_KEY_BYTES, ContentError, ContentKey, open_content, seal_content};
use crate::digest::constant_time_eq;
use crate::entropy::Entropy;
use crate::kdf::hkdf_sm3;
use crate::residue::normalised;

/// Least memory, in KiB: 64 MiB, the second recommendation of RFC 9106 section 4.
pub const MIN_MEMORY_KIB: u32 = 64 * 1024;
/// Least passes over the memory, from the same recommendation.
pub const MIN_PASSES: u32 = 3;
/// Most memory, in KiB: 1 GiB. More in a file is an attempt to exhaust the device that opens it.
pub const MAX_MEMORY_KIB: u32 = 1024 * 1024;
/// Most memory that tuning chooses, in KiB: 256 MiB, so that a wallet made on a desk opens on a phone.
pub const TUNED_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Most passes, for the same reason.
pub const MAX_PASSES: u32 = 16;
/// Most lanes.
pub const MAX_LANES: u32 = 16;
/// Bytes in a salt.
pub const SALT_BYTES: usize = 16;
/// Longest passphrase, in bytes of UTF-8 as typed.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

const CHECK_BYTES: usize = 16;

/// Argon2id's cost and salt. Always within the floor and the ceiling, however it was made or loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, Serialize, Deserialize)]
#[serde(try_from = "UncheckedParams", into = "UncheckedParams")]
pub struct PassphraseParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT_BYTES],
}

/// Why parameters or a passphrase are refused, or what they protect does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PassphraseError {
    /// Cheaper than [`MIN_MEMORY_KIB`] or [`MIN_PASSES`], or no lane: guessing would be too easy.
    #[error("the cost of {memory_kib} KiB, {passes} passes and {lanes} lanes is below the floor")]
    BelowFloor {
        /// Memory asked for, in KiB.
        memory_kib: u32,
        /// Passes asked for.
        passes: u32,
        /// Lanes asked for.
        lanes: u32,
    },
    /// Dearer than [`MAX_MEMORY_KIB`], [`MAX_PASSES`] or [`MAX_LANES`].
    #[error("the cost of {memory_kib} KiB, {passes} passes and {lanes} lanes is above the ceiling")]
    AboveCeiling {
        /// Memory asked for, in KiB.
        memory_kib: u32,
        /// Passes asked for.
        passes: u32,
        /// Lanes asked for.
        lanes: u32,
    },
    /// The passphrase has no characters.
    #[error("the passphrase is empty")]
    Empty,
    /// The passphrase is longer than [`MAX_PASSPHRASE_BYTES`].
    #[error("the passphrase has {found} bytes, at most {MAX_PASSPHRASE_BYTES} are taken")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// The device has not the memory that the parameters ask for.
    #[error("this device has not enough memory for the passphrase's protection")]
    OutOfMemory,
    /// The passphrase is not the one that the data was sealed with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase is right, but the data is damaged or belongs elsewhere.
    #[error("the protected data is damaged")]
    Damaged(#[source] ContentError),
}

impl PassphraseParams {
    /// Parameters of a given cost.
    ///
    /// # Errors
    /// [`PassphraseError::BelowFloor`], [`PassphraseError::AboveCeiling`].
    pub fn new(
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        salt: [u8; SALT_BYTES],
    ) -> Result<Self, PassphraseError> {
        if memory_kib < MIN_MEMORY_KIB || passes < MIN_PASSES || lanes < 1 {
            return Err(PassphraseError::BelowFloor { memory_kib, passes, lanes });
        }
        if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(PassphraseError::AboveCeiling { memory_kib, passes, lanes });
        }
        Ok(Self { memory_kib, passes, lanes, salt })
    }

    /// Parameters at the floor, with one lane and a new random salt.
    pub fn floor(entropy: &mut impl Entropy) -> Self {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        Self { memory_kib: MIN_MEMORY_KIB, passes: MIN_PASSES, lanes: 1, salt }
    }

    /// Parameters for about `target_ms` on this device, with one lane and a new random salt, within the floor and the ceiling.
    ///
    /// `measure` gives the milliseconds that a derivation with given parameters takes. Memory is doubled first, because
    /// it costs an attacker's special hardware most; passes take up what is left.
    pub fn tuned(target_ms: u64, entropy: &mut impl Entropy, measure: impl Fn(&Self) -> u64) -> Self {
        let mut params = Self::floor(entropy);
        let mut took = measure(&params);
        while took > 0 && took.saturating_mul(2) <= target_ms && params.memory_kib < TUNED_MEMORY_KIB_MAX {
            let doubled = Self { memory_kib: params.memory_kib * 2, ..params };
            let takes = measure(&doubled);
            if !(took..=target_ms).contains(&takes) {
                break;
            }
            (params, took) = (doubled, takes);
        }
        // A clock that stands still says nothing of this device.
        if took == 0 {
            return params;
        }
        let passes = u64::from(params.passes).saturating_mul(target_ms) / took;
        let passes = u32::try_from(passes).unwrap_or(MAX_PASSES).clamp(params.passes, MAX_PASSES);
        Self { passes, ..params }
    }

    /// Memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The salt; public, but new for each passphrase set.
    pub fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }
}

/// The stored shape of [`PassphraseParams`], before its values are checked.
#[derive(BorshDeserialize, Serialize, Deserialize)]
struct UncheckedParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "hex::serde")]
    salt: [u8; SALT_BYTES],
}

impl TryFrom<UncheckedParams> for PassphraseParams {
    type Error = PassphraseError;

    fn try_from(unchecked: UncheckedParams) -> Result<Self, PassphraseError> {
        Self::new(unchecked.memory_kib, unchecked.passes, unchecked.lanes, unchecked.salt)
    }
}

impl From<PassphraseParams> for UncheckedParams {
    fn from(params: PassphraseParams) -> Self {
        let PassphraseParams { memory_kib, passes, lanes, salt } = params;
        Self { memory_kib, passes, lanes, salt }
    }
}

impl BorshDeserialize for PassphraseParams {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let unchecked = UncheckedParams::deserialize_reader(reader)?;
        Self::try_from(unchecked)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

/// The key that protects what a passphrase guards. Wiped on drop, redacted, neither `Clone` nor serialisable.
pub struct WrappingKey {
    key: ContentKey,
    check: [u8; CHECK_BYTES],
}

/// Derives the key of a passphrase. Takes a good part of a second and [`PassphraseParams::memory_kib`] of memory.
///
/// The passphrase is normalised to NFKC, so the same characters typed on another keyboard give the same key; spaces
/// and case count.
///
/// # Errors
/// [`PassphraseError::Empty`], [`PassphraseError::TooLong`], [`PassphraseError::OutOfMemory`].
pub fn derive_key(passphrase: &str, params: &PassphraseParams) -> Result<WrappingKey, PassphraseError> {
    if passphrase.is_empty() {
        return Err(PassphraseError::Empty);
    }
    if passphrase.len() > MAX_PASSPHRASE_BYTES {
        return Err(PassphraseError::TooLong { found: passphrase.len() });
    }
    let normalised = normalised(passphrase, core::iter::once);
    let cost = Params::new(params.memory_kib, params.passes, params.lanes, None)
        .expect("the floor and the ceiling are within Argon2's own limits");
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into(normalised.as_bytes(), &params.salt, &mut *stretched)
        .map_err(|_| PassphraseError::OutOfMemory)?;
    let mut derived = Zeroizing::new([0; CONTENT_KEY_BYTES + CHECK_BYTES]);
    hkdf_sm3(&*stretched, &[], b"amulet/v1/wrapping-key", &mut *derived);
    let (key, check) = derived.split_first_chunk().expect("the key comes first");
    let check = check.try_into().expect("the check value is the rest");
    Ok(WrappingKey { key: ContentKey::from_bytes(key), check })
}

impl WrappingKey {
    /// Encrypts `plaintext`: `check (16) ||` [content sealed whole](seal_content).
    ///
    /// The check value is derived beside the key, so that opening can tell a wrong passphrase from damaged data; it
    /// tells nothing about the key and is as dear to guess against as the content itself.
    ///
    /// # Errors
    /// [`PassphraseError::Damaged`] with [`ContentError::TooLong`] inside.
    pub fn seal(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, PassphraseError> {
        let content = seal_content(&self.key, aad, plaintext, entropy).map_err(PassphraseError::Damaged)?;
        Ok([&self.check[..], &content].concat())
    }

    /// Decrypts what [`WrappingKey::seal`] made.
    ///
    /// # Errors
    /// [`PassphraseError::WrongPassphrase`] when the check value differs, else [`PassphraseError::Damaged`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PassphraseError> {
        let Some((check, content)) = sealed.split_first_chunk::<CHECK_BYTES>() else {
            return Err(PassphraseError::Damaged(ContentError::TooShort { found: sealed.len() }));
        };
        if !constant_time_eq(check, &self.check) {
            return Err(PassphraseError::WrongPassphrase);
        }
        open_content(&self.key, aad, content).map_err(PassphraseError::Damaged)
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappingKey(…)")
    }
}
