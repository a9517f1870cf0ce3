//! Starting from another device's checkpoint: what a person compares, and how the header and the set are fetched.
//!
//! A device that is up to date shows the [`Pin`] of its trusted header: as ten words to read out, or as a text (`Pin`'s
//! `Display`) in a QR code. The other device fetches what the pin names from any hospital, for the pin's digest is all that
//! has to be trusted, and starts there ([`LightClient::from_checkpoint`], [`LightClient::restart_from`]). Nobody who validated
//! before then can mislead it. Words stand for a pin and do not hold it: with them goes the height, by which it is found.

use crate::client::LightClient;
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::transport::{NodeIndex, Transport};
use amulet_crypto::kdf::Language;
use amulet_protocol::ids::Height;
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
        /// As it was typed.
        word: String,
        /// A word of the English list that is like it.
        suggestion: Option<String>,
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

/// A checkpoint as a person brings it from another device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointName {
    /// Read off a code.
    Pin(Pin),
    /// Typed; [`CheckpointName::words`] makes one.
    Words {
        /// The height that is shown beside the words: they stand for a pin and do not hold it.
        height: Height,
        /// Places of the words in their list.
        numbers: [usize; CHECKPOINT_WORDS],
    },
}

impl From<Pin> for CheckpointName {
    fn from(pin: Pin) -> Self {
        Self::Pin(pin)
    }
}

/// A pin is not the one that a person brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherPin {
    /// The first word that differs, counted from 1, where words were typed.
    pub word: Option<usize>,
}

impl CheckpointName {
    /// The checkpoint of a height by a person's words, in either language.
    ///
    /// # Errors
    /// [`CheckpointWordsError`] but for `Differs`.
    pub fn words(height: Height, text: &str) -> Result<Self, CheckpointWordsError> {
        Ok(Self::Words { height, numbers: read(text)? })
    }

    /// The height.
    #[must_use]
    pub fn height(&self) -> Height {
        match self {
            Self::Pin(pin) => pin.height,
            Self::Words { height, .. } => *height,
        }
    }

    /// Whether a pin is this one.
    ///
    /// # Errors
    /// [`OtherPin`].
    pub fn check(&self, pin: &Pin) -> Result<(), OtherPin> {
        match self {
            Self::Pin(own) if own == pin => Ok(()),
            Self::Pin(_) => Err(OtherPin { word: None }),
            Self::Words { numbers: own, .. } => {
                let differs = own.iter().zip(numbers(pin)).position(|(typed, expected)| *typed != expected);
                differs.map_or(Ok(()), |place| Err(OtherPin { word: Some(place + 1) }))
            }
        }
    }
}

/// The places of a person's words in their lists.
fn read(text: &str) -> Result<[usize; CHECKPOINT_WORDS], CheckpointWordsError> {
    if text.len() > CHECKPOINT_WORDS_BYTES_MAX {
        return Err(CheckpointWordsError::TooLong { found: text.len() });
    }
    let given = split(text);
    if given.len() != CHECKPOINT_WORDS {
        return Err(CheckpointWordsError::WrongCount { found: given.len() });
    }
    let mut read = [0; CHECKPOINT_WORDS];
    for (position, (place, word)) in (1..).zip(read.iter_mut().zip(given)) {
        let lists = [Language::English, Language::SimplifiedChinese].map(Language::word_list);
        let found = lists.iter().find_map(|list| list.iter().position(|listed| *listed == word));
        *place = found.ok_or_else(|| {
            let suggestion = Language::English.nearest_word(&word).map(str::to_owned);
            CheckpointWordsError::UnknownWord { position, word, suggestion }
        })?;
    }
    Ok(read)
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

/// Fetches what a person brought the name of, from the first of so many nodes that has it. Who gives it does not matter: the
/// pin's hash covers all of it.
///
/// # Errors
/// [`LightError::NotFound`], [`LightError::Unreachable`], [`LightError::Refused`] if all have removed the header,
/// [`LightError::CheckpointWords`] if no node's header has the typed words, [`LightError::Forged`] if what came is not what was
/// pinned.
pub async fn fetch(
    transport: &dyn Transport,
    nodes: usize,
    name: &CheckpointName,
) -> Result<Checkpoint, LightError> {
    let mut failures = Vec::new();
    let mut differs = None;
    for node in (0..nodes).map(NodeIndex) {
        match fetch_from(transport, node, name).await {
            Ok(Ok(checkpoint)) => return Ok(checkpoint),
            Ok(Err(position)) => differs = differs.or(Some(position)),
            Err(failure) => failures.push((node, failure)),
        }
    }
    match differs {
        Some(position) => Err(CheckpointWordsError::Differs { position }.into()),
        None => Err(LightError::from_failures(Question::HeaderAt, failures)),
    }
}

/// The checkpoint from one node, or the first word that its header does not have.
async fn fetch_from(
    transport: &dyn Transport,
    node: NodeIndex,
    name: &CheckpointName,
) -> Result<Result<Checkpoint, usize>, NodeFailure> {
    let height = name.height();
    let ask = async |request: LightRequest| match transport.ask(node, &request).await? {
        LightResponse::NotFound => Err(NodeFailure::NotFound),
        LightResponse::Refused(refusal) => Err(refusal.into()),
        answer => Ok(answer),
    };
    let LightResponse::Header(signed) = ask(LightRequest::HeaderAt(height)).await? else {
        return Err(Forgery::OtherAnswer { question: Question::HeaderAt }.into());
    };
    let pin = match name {
        CheckpointName::Pin(pin) => *pin,
        CheckpointName::Words { .. } => Pin { height, ..Pin::of(&signed.header) },
    };
    if let Err(OtherPin { word: Some(position) }) = name.check(&pin) {
        return Ok(Err(position));
    }
    let Some(next) = height.0.checked_add(1).map(Height) else {
        return Err(NodeFailure::NotFound);
    };
    let set_at = async |height| match ask(LightRequest::Validators(height)).await? {
        LightResponse::Validators(set) => Ok::<_, NodeFailure>(*set),
        _ => Err(Forgery::OtherAnswer { question: Question::Validators }.into()),
    };
    let checkpoint = Checkpoint::from_pinned(&pin, signed.header, set_at(next).await?);
    let mut checkpoint = checkpoint.map_err(Forgery::Checkpoint)?;
    if checkpoint.ends_epoch() {
        checkpoint = checkpoint.with_own(set_at(height).await?).map_err(Forgery::Checkpoint)?;
    }
    Ok(Ok(checkpoint))
}

impl LightClient {
    /// What this device can show another one: the pin of its trusted header.
    ///
    /// # Errors
    /// [`LightError::NotSynced`].
    pub fn pin(&self) -> Result<Pin, LightError> {
        Ok(Pin::of(self.head()?.header()))
    }

    /// Fetches what a person brought the name of, for [`LightClient::restart_from`].
    ///
    /// # Errors
    /// As [`fetch`].
    pub async fn fetch_checkpoint(&self, name: &CheckpointName) -> Result<Checkpoint, LightError> {
        fetch(&self.transport, self.nodes().len(), name).await
    }
}
