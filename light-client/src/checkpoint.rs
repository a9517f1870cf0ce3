//! Starting from another device's checkpoint: what a person compares, and how the header and the set are fetched.
//!
//! A device that is up to date shows the [`Pin`] of its trusted header: as ten words to read out, or as a text (`Pin`'s
//! `Display`) in a QR code. The other device fetches what the pin names from any hospital, for the pin's digest is all that
//! has to be trusted, and starts there ([`LightClient::from_checkpoint`]). Nobody who validated before then can mislead it.

use crate::client::LightClient;
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::transport::{NodeIndex, Transport};
use amulet_crypto::kdf::Language;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_verifier::{Checkpoint, Pin};

/// Words that stand for a pin. Each is one of 2,048, so they show 110 bits of its digest: whoever wants another checkpoint
/// with the same words has 2^110 to try. Two words fewer than a recovery phrase, so that nobody takes one for the other.
pub const CHECKPOINT_WORDS: usize = 10;
/// Bits of a digest that one word shows.
const WORD_BITS: usize = 11;
/// Longest text read as checkpoint words, in bytes: ten of the longest words, with room for odd spacing.
pub const CHECKPOINT_WORDS_BYTES_MAX: usize = 512;

/// Why words are not those of a checkpoint. Positions count from 1, as people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointWordsError {
    /// More than [`CHECKPOINT_WORDS_BYTES_MAX`].
    #[error("the text of {found} bytes is too long for the words of a checkpoint")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// Another number of words.
    #[error("a checkpoint has {CHECKPOINT_WORDS} words, found {found}")]
    WrongCount {
        /// Words given.
        found: usize,
    },
    /// A word is in neither list.
    #[error("word {position} is in no word list")]
    UnknownWord {
        /// The first such word.
        position: usize,
    },
    /// The words are those of another checkpoint, or one was misread.
    #[error("word {position} is another than the checkpoint's")]
    Differs {
        /// The first word that differs.
        position: usize,
    },
}

/// The words of a pin, in the order in which they are read out.
#[must_use]
pub fn words(pin: &Pin, language: Language) -> [&'static str; CHECKPOINT_WORDS] {
    numbers(pin).map(|number| language.word_list()[number])
}

/// Checks that a person's words, read off another device in either language, are those of this pin.
///
/// # Errors
/// [`CheckpointWordsError`] by variant.
pub fn check_words(pin: &Pin, text: &str) -> Result<(), CheckpointWordsError> {
    if text.len() > CHECKPOINT_WORDS_BYTES_MAX {
        return Err(CheckpointWordsError::TooLong { found: text.len() });
    }
    let given = split(text);
    if given.len() != CHECKPOINT_WORDS {
        return Err(CheckpointWordsError::WrongCount { found: given.len() });
    }
    let mut differs = None;
    for (position, (word, expected)) in (1..).zip(given.iter().zip(numbers(pin))) {
        let lists = [Language::English, Language::SimplifiedChinese].map(Language::word_list);
        let found = lists.iter().find_map(|list| list.iter().position(|listed| listed == word));
        let found = found.ok_or(CheckpointWordsError::UnknownWord { position })?;
        if found != expected {
            differs = differs.or(Some(position));
        }
    }
    differs.map_or(Ok(()), |position| Err(CheckpointWordsError::Differs { position }))
}

/// The leading bits of the pin's digest, word by word.
fn numbers(pin: &Pin) -> [usize; CHECKPOINT_WORDS] {
    let digest = pin.digest();
    let bit = |at: usize| usize::from(digest.as_bytes()[at / 8] >> (7 - at % 8) & 1);
    std::array::from_fn(|word| {
        let bits = word * WORD_BITS..(word + 1) * WORD_BITS;
        bits.fold(0, |number, at| number << 1 | bit(at))
    })
}

/// Words between spaces and commas; a run of Chinese characters is a word each.
fn split(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、' | '.' | '。'));
    let mut words = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        if part.is_ascii() {
            words.push(part.to_owned());
        } else {
            words.extend(part.chars().map(String::from));
        }
    }
    words
}

/// Fetches what a pin names, from the first of so many nodes that has it. Who gives it does not matter: the pin's hash
/// covers all of it.
///
/// # Errors
/// [`LightError::NotFound`], [`LightError::Unreachable`], [`LightError::Refused`] if all have removed the header,
/// [`LightError::Forged`] if what came is not what was pinned.
pub async fn fetch(transport: &dyn Transport, nodes: usize, pin: &Pin) -> Result<Checkpoint, LightError> {
    let mut failures = Vec::new();
    for node in (0..nodes).map(NodeIndex) {
        match fetch_from(transport, node, pin).await {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(failure) => failures.push((node, failure)),
        }
    }
    Err(LightError::from_failures(Question::HeaderAt, failures))
}

async fn fetch_from(
    transport: &dyn Transport,
    node: NodeIndex,
    pin: &Pin,
) -> Result<Checkpoint, NodeFailure> {
    let ask = async |request: LightRequest| match transport.ask(node, &request).await? {
        LightResponse::NotFound => Err(NodeFailure::NotFound),
        LightResponse::Refused(refusal) => Err(refusal.into()),
        answer => Ok(answer),
    };
    let LightResponse::Header(signed) = ask(LightRequest::HeaderAt(pin.height)).await? else {
        return Err(Forgery::OtherAnswer { question: Question::HeaderAt }.into());
    };
    let Some(next) = pin.height.0.checked_add(1).map(amulet_protocol::ids::Height) else {
        return Err(NodeFailure::NotFound);
    };
    let LightResponse::Validators(next) = ask(LightRequest::Validators(next)).await? else {
        return Err(Forgery::OtherAnswer { question: Question::Validators }.into());
    };
    Checkpoint::from_pinned(pin, signed.header, *next).map_err(|cause| Forgery::Checkpoint(cause).into())
}

impl LightClient {
    /// What this device can show another one: the pin of its trusted header.
    ///
    /// # Errors
    /// [`LightError::NotSynced`].
    pub fn pin(&self) -> Result<Pin, LightError> {
        Ok(Pin::of(self.head()?.header()))
    }
}
