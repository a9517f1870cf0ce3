//! Recovery words split among guardians: SLIP-0039 shares of twelve words' entropy, of which a threshold gives them back
//! and fewer tell nothing.
//!
//! One group, no passphrase, the extendable form, 20 words of 10 bits each:
//!
//! ```text
//! 15 bits set || 1 extendable || 4 iteration exponent || 4 group, 4 group threshold - 1, 4 groups - 1
//!             || 4 member || 4 member threshold - 1 || 2 zero bits || 128 bits value || 30 bits checksum
//! ```
//!
//! Any other program for SLIP-0039 reads them, and gives the 16 bytes of the words' entropy.

mod cipher;
mod field;
mod words;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::phrase::{ENTROPY_BYTES, Language, SeedPhrase, nearest};
use crate::entropy::Entropy;
use crate::heap_secret::HeapSecret;
use crate::residue::normalised;
use words::WORDS;

/// Words of a share.
pub const SHARE_WORDS: usize = 20;
/// Guardians among whom words can be split.
pub const GUARDIANS_MAX: u8 = 16;
/// Guardians who are needed at the least: one alone would be a copy of the words.
pub const THRESHOLD_MIN: u8 = 2;
/// Longest text read as a share, in bytes.
pub const MAX_SHARE_BYTES: usize = 1024;

const WORD_BITS: u32 = 10;
/// Each step doubles the time that combining takes; what other programs make has 0 or 1.
const ITERATION_EXPONENT_MAX: u8 = 4;
const CHECKSUM_WORDS: usize = 3;
const VALUE_WORDS: usize = 13;
/// Separates these checksums from those of the form before, which is not extendable.
const CUSTOMISATION: &[u8] = b"shamir_extendable";
const CUSTOMISATION_BEFORE: &[u8] = b"shamir";
/// Where in the polynomial the digest and the secret are.
const DIGEST_AT: u8 = 254;
const SECRET_AT: u8 = 255;
const DIGEST_BYTES: usize = 4;

/// Which shares belong together: a random number of 15 bits, drawn when words are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareSet(u16);

impl ShareSet {
    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

/// Why words cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SplitError {
    /// More guardians than SLIP-0039 has room for, or fewer than are needed.
    #[error(
        "{guardians} guardians of whom {threshold} are needed: at least {THRESHOLD_MIN} and at most {GUARDIANS_MAX}"
    )]
    Count {
        /// Guardians asked for.
        guardians: u8,
        /// How many of them are needed.
        threshold: u8,
    },
}

/// Why a text is no share. Word numbers count from 1. `Display` and `Debug` leave out what was typed.
#[derive(Clone, PartialEq, Eq, Error)]
pub enum ShareError {
    /// More than [`MAX_SHARE_BYTES`].
    #[error("the text of {found} bytes is too long for a guardian's share")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// Another number of words than [`SHARE_WORDS`].
    #[error("a guardian's share has {SHARE_WORDS} words, found {found}")]
    WrongCount {
        /// Words given.
        found: usize,
    },
    /// A word is not in the list; the first such word.
    #[error("word {index} is not in the word list")]
    UnknownWord {
        /// The word's number.
        index: usize,
        /// The word as read.
        word: String,
        /// The list's word that is most like it, if one is near.
        suggestion: Option<String>,
    },
    /// A word is wrong, or two are swapped.
    #[error("the words of the share do not belong together")]
    Checksum,
    /// A share of SLIP-0039, but of a form that this wallet does not make: several groups, or another length.
    #[error("a share of another form")]
    OtherForm,
}

impl fmt::Debug for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShareError({self})")
    }
}

/// Why shares do not give words back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CombineError {
    /// Fewer different shares than are needed.
    #[error("{have} shares, {needed} are needed")]
    TooFew {
        /// Different shares given.
        have: usize,
        /// The threshold.
        needed: usize,
    },
    /// Shares of different sets.
    #[error("shares of sets {first} and {other} do not belong together")]
    Mixed {
        /// That of the first share.
        first: u16,
        /// Another's.
        other: u16,
    },
    /// The shares say that they belong together, and do not.
    #[error("the shares contradict each other")]
    Contradiction,
}

/// One guardian's part of recovery words. Wiped on drop, redacted in debug output.
pub struct GuardianShare {
    set: ShareSet,
    is_extendable: bool,
    iteration_exponent: u8,
    member: u8,
    threshold: u8,
    value: HeapSecret<ENTROPY_BYTES>,
}

impl GuardianShare {
    /// Reads a share as a person types it: words, beginnings of at least four letters, or numbers from 1 to 1024.
    ///
    /// # Errors
    /// [`ShareError`], by variant.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        if text.len() > MAX_SHARE_BYTES {
            return Err(ShareError::TooLong { found: text.len() });
        }
        let text = normalised(text, char::to_lowercase);
        let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '、' | ';' | '.' | '。');
        let typed: Vec<&str> = text.split(is_between).filter(|part| !part.is_empty()).collect();
        let mut numbers = Zeroizing::new(Vec::with_capacity(typed.len()));
        for (position, word) in typed.iter().enumerate() {
            let number = number_of(word).ok_or_else(|| ShareError::UnknownWord {
                index: position + 1,
                word: (*word).to_owned(),
                suggestion: nearest(word, &WORDS).map(str::to_owned),
            })?;
            numbers.push(number);
        }
        let numbers: &[u16; SHARE_WORDS] =
            numbers.as_slice().try_into().map_err(|_| ShareError::WrongCount { found: typed.len() })?;
        Self::of_numbers(numbers)
    }

    fn of_numbers(words: &[u16; SHARE_WORDS]) -> Result<Self, ShareError> {
        let bits = |from: usize| u32::from(words[from]) << WORD_BITS | u32::from(words[from + 1]);
        let (head, place) = (bits(0), bits(2));
        let is_extendable = head >> 4 & 1 == 1;
        let customisation = if is_extendable { CUSTOMISATION } else { CUSTOMISATION_BEFORE };
        if checksum_state(customisation, words) != 1 {
            return Err(ShareError::Checksum);
        }
        let four = |shift: u32| u8::try_from(place >> shift & 15).unwrap_or_default();
        let (group, group_threshold, groups) = (four(16), four(12), four(8));
        let mut value = Zeroizing::new(0_u128);
        for word in &words[4..4 + VALUE_WORDS] {
            // Whatever stands in the two bits of padding is refused below.
            *value = *value << WORD_BITS | u128::from(*word);
        }
        let has_padding = words[4] >> 8 == 0;
        let iteration_exponent = u8::try_from(head & 15).unwrap_or_default();
        let is_ours = (group, group_threshold, groups) == (0, 0, 0) && has_padding;
        if !is_ours || iteration_exponent > ITERATION_EXPONENT_MAX {
            return Err(ShareError::OtherForm);
        }
        Ok(Self {
            set: ShareSet(u16::try_from(head >> 5).unwrap_or_default()),
            is_extendable,
            iteration_exponent,
            member: four(4),
            threshold: four(0) + 1,
            value: HeapSecret::filled(|bytes| *bytes = value.to_be_bytes()),
        })
    }

    fn to_numbers(&self) -> Zeroizing<[u16; SHARE_WORDS]> {
        let mut words = Zeroizing::new([0_u16; SHARE_WORDS]);
        let head = u32::from(self.set.0) << 5
            | u32::from(self.is_extendable) << 4
            | u32::from(self.iteration_exponent);
        let place = u32::from(self.member) << 4 | u32::from(self.threshold - 1);
        let low = |number: u32| u16::try_from(number & 1023).unwrap_or_default();
        (words[0], words[1]) = (low(head >> WORD_BITS), low(head));
        (words[2], words[3]) = (low(place >> WORD_BITS), low(place));
        let mut value = Zeroizing::new(u128::from_be_bytes(*self.value));
        for word in words[4..4 + VALUE_WORDS].iter_mut().rev() {
            *word = u16::try_from(*value & 1023).unwrap_or_default();
            *value >>= WORD_BITS;
        }
        let customisation = if self.is_extendable { CUSTOMISATION } else { CUSTOMISATION_BEFORE };
        // The checksum's words are zero until here.
        let checksum = checksum_state(customisation, &*words) ^ 1;
        for place in 0..CHECKSUM_WORDS {
            let shift = WORD_BITS * u32::try_from(CHECKSUM_WORDS - 1 - place).unwrap_or_default();
            words[SHARE_WORDS - CHECKSUM_WORDS + place] = low(checksum >> shift);
        }
        words
    }

    /// The twenty words, to be shown once for writing down.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        self.to_numbers().iter().map(|number| WORDS[usize::from(*number)]).collect()
    }

    /// The numbers of the words from 1, for people who would rather write digits than English words.
    #[must_use]
    pub fn numbers(&self) -> Zeroizing<[u16; SHARE_WORDS]> {
        let mut numbers = self.to_numbers();
        numbers.iter_mut().for_each(|number| *number += 1);
        numbers
    }

    /// Which shares it belongs to.
    #[must_use]
    pub fn set(&self) -> ShareSet {
        self.set
    }

    /// The guardian's number within the set, from 1.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.member + 1
    }

    /// How many shares are needed.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        self.threshold
    }
}

impl fmt::Debug for GuardianShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardianShare")
            .field("set", &self.set)
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

impl SeedPhrase {
    /// Splits the words among guardians, `threshold` of whom can give them back together.
    ///
    /// # Errors
    /// [`SplitError::Count`].
    pub fn split(
        &self,
        threshold: u8,
        guardians: u8,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<GuardianShare>, SplitError> {
        if threshold < THRESHOLD_MIN || guardians < threshold || guardians > GUARDIANS_MAX {
            return Err(SplitError::Count { guardians, threshold });
        }
        let mut set = [0; 2];
        entropy.fill(&mut set);
        let set = ShareSet(u16::from_be_bytes(set) >> 1);
        let secret = cipher::encrypt(self.entropy());
        let mut points: Vec<(u8, HeapSecret<ENTROPY_BYTES>)> = (0..threshold - 2)
            .map(|member| (member, HeapSecret::filled(|bytes| entropy.fill(bytes))))
            .collect();
        points.push((DIGEST_AT, digest_share(&secret, entropy)));
        points.push((SECRET_AT, secret));
        let share = |member: u8| {
            let value = field::interpolate(&points, member);
            GuardianShare { set, is_extendable: true, iteration_exponent: 0, member, threshold, value }
        };
        Ok((0..guardians).map(share).collect())
    }

    /// The words that shares give back. A share given twice counts once; more shares than are needed must fit too.
    ///
    /// # Errors
    /// [`CombineError`], by variant.
    pub fn combine(shares: &[GuardianShare], language: Language) -> Result<Self, CombineError> {
        combine_with(shares, b"").map(|entropy| Self::from_entropy(language, entropy))
    }
}

/// The passphrase is SLIP-0039's: this wallet makes shares without one.
fn combine_with(
    shares: &[GuardianShare],
    passphrase: &[u8],
) -> Result<HeapSecret<ENTROPY_BYTES>, CombineError> {
    let Some(first) = shares.first() else {
        return Err(CombineError::TooFew { have: 0, needed: THRESHOLD_MIN.into() });
    };
    let mut points: Vec<(u8, HeapSecret<ENTROPY_BYTES>)> = Vec::new();
    for share in shares {
        if share.set != first.set {
            return Err(CombineError::Mixed { first: first.set.0, other: share.set.0 });
        }
        let form = |share: &GuardianShare| (share.threshold, share.is_extendable, share.iteration_exponent);
        if form(share) != form(first) {
            return Err(CombineError::Contradiction);
        }
        match points.iter().find(|(member, _)| *member == share.member) {
            Some((_, known)) if **known != *share.value => return Err(CombineError::Contradiction),
            Some(_) => {}
            None => points.push((share.member, HeapSecret::copied(&share.value))),
        }
    }
    let needed = usize::from(first.threshold);
    if points.len() < needed {
        return Err(CombineError::TooFew { have: points.len(), needed });
    }
    let surplus = points.split_off(needed);
    if surplus.iter().any(|(member, value)| *field::interpolate(&points, *member) != **value) {
        return Err(CombineError::Contradiction);
    }
    // One share alone is the secret itself, without a digest; this wallet makes none, others do.
    let secret = if needed == 1 {
        HeapSecret::copied(&points[0].1)
    } else {
        let secret = field::interpolate(&points, SECRET_AT);
        let digest = field::interpolate(&points, DIGEST_AT);
        let (found, random) = digest.split_at(DIGEST_BYTES);
        if digest_of(random, &*secret) != *found {
            return Err(CombineError::Contradiction);
        }
        secret
    };
    let salt = (!first.is_extendable).then_some(first.set.0);
    Ok(cipher::decrypt(&secret, passphrase, first.iteration_exponent, salt))
}

fn digest_share(secret: &[u8; ENTROPY_BYTES], entropy: &mut impl Entropy) -> HeapSecret<ENTROPY_BYTES> {
    HeapSecret::filled(|bytes| {
        let (digest, random) = bytes.split_at_mut(DIGEST_BYTES);
        entropy.fill(random);
        digest.copy_from_slice(&digest_of(random, secret));
    })
}

fn digest_of(random: &[u8], secret: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(random).expect("HMAC takes keys of any length");
    mac.update(secret);
    let bytes = mac.finalize().into_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

fn number_of(word: &str) -> Option<u16> {
    let place = if let Ok(number) = word.parse::<usize>() {
        (1..=WORDS.len()).contains(&number).then(|| number - 1)
    } else {
        let is_meant = |known: &&str| *known == word || word.len() >= 4 && known.starts_with(word);
        WORDS.iter().position(is_meant)
    };
    place.and_then(|place| u16::try_from(place).ok())
}

/// The state of the Reed-Solomon code over GF(1024) after the customisation and these words; 1 when the last three words are
/// the checksum of those before.
fn checksum_state(customisation: &[u8], words: &[u16]) -> u32 {
    const GENERATOR: [u32; 10] = [
        0x00E0_E040,
        0x01C1_C080,
        0x0383_8100,
        0x0707_0200,
        0x0E0E_0009,
        0x1C0C_2412,
        0x3808_6C24,
        0x3090_FC48,
        0x21B1_F890,
        0x03F3_F120,
    ];
    let values =
        customisation.iter().map(|byte| u32::from(*byte)).chain(words.iter().map(|word| u32::from(*word)));
    values.fold(1, |state, value| {
        let top = state >> 20;
        let next = (state & 0xF_FFFF) << 10 ^ value;
        GENERATOR
            .iter()
            .enumerate()
            .fold(next, |next, (bit, part)| if top >> bit & 1 == 1 { next ^ part } else { next })
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
