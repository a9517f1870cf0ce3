//! `--checkpoint`: what a person pins beside the genesis document.

use crate::failure::Failure;
use crate::offline;
use amulet_light_client::checkpoint::{CheckpointName, CheckpointWordsError, OtherPin};
use amulet_light_client::verifier::Pin;
use amulet_protocol::header::Header;
use amulet_protocol::ids::Height;
use std::path::Path;

/// Bytes of a file with a checkpoint's code or words.
const FILE_BYTES_MAX: usize = 1_024;
/// What a code begins with.
const CODE_PREFIX: &str = "amulet-checkpoint:";

/// Reads a code, the height and the words, or a file with either.
pub fn read(given: &str) -> Result<CheckpointName, Failure> {
    let path = Path::new(given);
    if given.starts_with(CODE_PREFIX) || !path.is_file() {
        return parse(given);
    }
    let bytes = offline::read(path, FILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= FILE_BYTES_MAX);
    parse(&text.ok_or_else(|| Failure::checkpoint(format!("{given} holds neither a code nor words")))?)
}

fn parse(text: &str) -> Result<CheckpointName, Failure> {
    let text = text.trim();
    if text.starts_with(CODE_PREFIX) {
        let pin: Pin = text.parse().map_err(|_| Failure::checkpoint("the code is cut off or changed"))?;
        return Ok(pin.into());
    }
    let (height, words) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match height.parse() {
        Ok(height) => CheckpointName::words(Height(height), words).map_err(unreadable),
        // Words alone: a slip in them is worth saying first.
        Err(_) => {
            CheckpointName::words(Height(0), text).map_err(unreadable)?;
            Err(Failure::checkpoint("the number of the block is missing before the words"))
        }
    }
}

fn unreadable(error: CheckpointWordsError) -> Failure {
    let meant = match &error {
        CheckpointWordsError::UnknownWord { suggestion: Some(word), .. } => {
            format!(", did you mean \"{word}\"?")
        }
        _ => String::new(),
    };
    Failure::checkpoint(format!("{error}{meant}"))
}

/// Compares a checkpoint with the header of its height among these, all of one chain; whether there is one.
pub fn compare<'a>(
    name: &CheckpointName,
    headers: impl IntoIterator<Item = &'a Header>,
) -> Result<bool, Failure> {
    let height = name.height();
    let Some(header) = headers.into_iter().find(|header| header.height == height) else {
        return Ok(false);
    };
    let found = header.hash();
    match name.check(&Pin::of(header)) {
        Ok(()) => Ok(true),
        Err(OtherPin { word: Some(position) }) => {
            let error = CheckpointWordsError::Differs { position };
            Err(Failure::other_checkpoint(format!("block {height} there is {found}: {error}")))
        }
        Err(OtherPin { word: None }) => {
            Err(Failure::other_checkpoint(format!("block {height} there is {found}, not the checkpoint's")))
        }
    }
}
