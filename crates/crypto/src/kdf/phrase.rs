//! Recovery words: BIP-39, twelve words, in English or Simplified Chinese.
//!
//! Reading is forgiving about form (case, spacing, commas, full-width letters, Chinese words typed without spaces)
//! and precise about content: an error says which word is wrong.

mod nearest;

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use bip39::Mnemonic;
use thiserror::Error;
use zeroize::Zeroizing;

use super::seed::Seed;
use crate::entropy::Entropy;
use crate::heap_secret::HeapSecret;
use crate::residue::normalised;

/// Words in a phrase: 128 bits of entropy and 4 of checksum.
pub const PHRASE_WORDS: usize = 12;

/// Longest text read as a phrase, in bytes: twelve of the longest words with room for odd spacing.
pub const MAX_PHRASE_BYTES: usize = 1024;

pub(super) use nearest::nearest;

pub(super) const ENTROPY_BYTES: usize = 16;

/// The language of a word list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// BIP-39's English list.
    English,
    /// BIP-39's Simplified Chinese list, one character a word.
    SimplifiedChinese,
}

impl Language {
    fn list(self) -> bip39::Language {
        match self {
            Self::English => bip39::Language::English,
            Self::SimplifiedChinese => bip39::Language::SimplifiedChinese,
        }
    }

    /// The 2048 words, in the order of their numbers.
    pub fn word_list(self) -> &'static [&'static str; 2048] {
        self.list().word_list()
    }

    /// The word of the list that somebody may have meant; `None` when all are far, and for Chinese, where a word is a
    /// character and no character is like another by its parts.
    pub fn nearest_word(self, typed: &str) -> Option<&'static str> {
        match self {
            Self::English => nearest(typed, self.word_list()),
            Self::SimplifiedChinese => None,
        }
    }
}

/// Why a text is not a phrase. Word numbers count from 1, as people do.
///
/// The words in here are what somebody typed, perhaps nearly a secret: show them to that person, do not log them.
/// `Display` and `Debug` leave them out.
#[derive(Clone, PartialEq, Eq, Error)]
pub enum PhraseError {
    /// More than [`MAX_PHRASE_BYTES`].
    #[error("the text of {found} bytes is too long for a recovery phrase")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// Another number of words than twelve.
    #[error("a recovery phrase has {expected} words, found {found}")]
    WrongCount {
        /// Words given.
        found: usize,
        /// [`PHRASE_WORDS`].
        expected: usize,
    },
    /// Some words are Chinese and some are not; a phrase is in one language.
    #[error("the recovery phrase mixes languages")]
    MixedLanguages,
    /// A word is not in the language's list; the first such word.
    #[error("word {index} is not in the word list")]
    UnknownWord {
        /// The word's number, from 1.
        index: usize,
        /// The word as read.
        word: String,
        /// The list's word that is most like it, if one is near (English only).
        suggestion: Option<String>,
    },
    /// All words are in the list, but they are no phrase: one is wrong, or two are swapped.
    #[error("the recovery words do not belong together")]
    Checksum {
        /// The number of the one word, from 1, that a single-letter slip would explain; none if no word or
        /// several would.
        likely: Option<usize>,
    },
}

impl fmt::Debug for PhraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhraseError({self})")
    }
}

/// Twelve recovery words. Wiped on drop, redacted in debug output, neither `Clone` nor serialisable.
pub struct SeedPhrase {
    language: Language,
    entropy: HeapSecret<ENTROPY_BYTES>,
}

impl SeedPhrase {
    /// Makes a new random phrase.
    pub fn generate(language: Language, entropy: &mut impl Entropy) -> Self {
        Self { language, entropy: HeapSecret::filled(|bytes| entropy.fill(bytes)) }
    }

    /// Reads a phrase as a person types it; finds the language itself.
    ///
    /// # Errors
    /// [`PhraseError`], which says which word looks wrong where that can be known.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        if text.len() > MAX_PHRASE_BYTES {
            return Err(PhraseError::TooLong { found: text.len() });
        }
        let words = split_words(text);
        let chinese = words.iter().filter(|word| word.chars().any(is_han)).count();
        if chinese > 0 && chinese < words.len() {
            return Err(PhraseError::MixedLanguages);
        }
        if words.len() != PHRASE_WORDS {
            return Err(PhraseError::WrongCount { found: words.len(), expected: PHRASE_WORDS });
        }
        let language = if chinese > 0 { Language::SimplifiedChinese } else { Language::English };
        let indices = look_up(language, &words)?;
        match entropy_of(&indices) {
            Some(entropy) => Ok(Self { language, entropy: HeapSecret::copied(&entropy) }),
            None => Err(PhraseError::Checksum { likely: likely_wrong_word(language, &indices) }),
        }
    }

    pub(super) fn from_entropy(language: Language, entropy: HeapSecret<ENTROPY_BYTES>) -> Self {
        Self { language, entropy }
    }

    pub(super) fn entropy(&self) -> &[u8; ENTROPY_BYTES] {
        &self.entropy
    }

    /// The phrase's language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The twelve words, to be shown once for writing down.
    pub fn words(&self) -> Vec<&'static str> {
        self.mnemonic().words().collect()
    }

    /// The seed: PBKDF2-HMAC-SHA512 over the words with an empty passphrase, as BIP-39 has it.
    pub fn to_seed(&self) -> Seed {
        let seed = Zeroizing::new(self.mnemonic().to_seed_normalized(""));
        Seed::from_bytes(&seed)
    }

    fn mnemonic(&self) -> Mnemonic {
        Mnemonic::from_entropy_in(self.language.list(), &*self.entropy).expect("16 bytes make twelve words")
    }
}

impl fmt::Debug for SeedPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeedPhrase").field("language", &self.language).finish_non_exhaustive()
    }
}

/// Splits at everything that people put between words, and Chinese runs into characters.
fn split_words(text: &str) -> Vec<Zeroizing<String>> {
    let text = normalised(text, char::to_lowercase);
    let mut words = Vec::new();
    // NFKC has made the ideographic space an ordinary one and the full-width comma an ASCII one.
    for part in
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '、' | ';' | '.' | '。' | '\u{feff}'))
    {
        if part.is_empty() {
            continue;
        }
        if part.chars().all(is_han) {
            words.extend(part.chars().map(|c| Zeroizing::new(c.to_string())));
        } else {
            words.push(Zeroizing::new(part.to_owned()));
        }
    }
    words
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

type Indices = Zeroizing<[u16; PHRASE_WORDS]>;

fn look_up(language: Language, words: &[Zeroizing<String>]) -> Result<Indices, PhraseError> {
    let mut indices = Indices::default();
    for (position, (index, word)) in indices.iter_mut().zip(words).enumerate() {
        *index = language.list().find_word(word).ok_or_else(|| PhraseError::UnknownWord {
            index: position + 1,
            word: word.to_string(),
            suggestion: language.nearest_word(word).map(str::to_owned),
        })?;
    }
    Ok(indices)
}

/// The entropy of twelve word numbers, if their checksum fits.
fn entropy_of(indices: &[u16; PHRASE_WORDS]) -> Option<Zeroizing<[u8; ENTROPY_BYTES]>> {
    let mut bits = Zeroizing::new([0u8; ENTROPY_BYTES + 1]);
    for (position, index) in indices.iter().enumerate() {
        for bit in 0..11 {
            let at = position * 11 + bit;
            bits[at / 8] |= u8::from(index >> (10 - bit) & 1 == 1) << (7 - at % 8);
        }
    }
    let (entropy, checksum) = bits.split_first_chunk::<ENTROPY_BYTES>().expect("17 bytes hold 16");
    let mnemonic =
        Mnemonic::from_entropy_in(bip39::Language::English, entropy).expect("16 bytes make twelve words");
    (mnemonic.checksum() == checksum[0] >> 4).then(|| Zeroizing::new(*entropy))
}

/// The one position where a slip of one letter explains the failed checksum.
fn likely_wrong_word(language: Language, indices: &[u16; PHRASE_WORDS]) -> Option<usize> {
    if language != Language::English {
        return None;
    }
    let list = language.word_list();
    let mut suspects = (0..PHRASE_WORDS).filter(|&position| {
        let typed = list[usize::from(indices[position])];
        (0..2048).filter(|&other| nearest::distance(typed, list[usize::from(other)]) == 1).any(|other| {
            let mut repaired = Zeroizing::new(*indices);
            repaired[position] = other;
            entropy_of(&repaired).is_some()
        })
    });
    let first = suspects.next()?;
    suspects.next().is_none().then_some(first + 1)
}
