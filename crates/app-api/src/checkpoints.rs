//! Checkpoints: what two devices compare to see that they follow the same record, and what a new device can start from.

use crate::wallet::TimeMs;
use serde::{Deserialize, Serialize};

/// Ask for this device's checkpoint: the newest entry that it checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowCheckpoint {}

/// This device's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointView {
    /// Height of the entry: whoever types the words types this number too.
    pub height: u64,
    /// Its time.
    pub at: TimeMs,
    /// The ten words in English, in order.
    pub words_en: Vec<String>,
    /// The same in Chinese: one character each.
    pub words_zh: Vec<String>,
    /// The same as a text to copy.
    pub text: String,
    /// The QR code of the text as SVG markup, made by the wallet.
    pub qr_svg: String,
    /// Height of the checkpoint that a person had this device start from; `None` if it started from the beginning.
    pub started_from: Option<u64>,
}

/// A checkpoint as another device shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum CheckpointCode {
    /// Scanned or pasted.
    Text {
        /// The text.
        text: String,
    },
    /// Read out and typed.
    Words {
        /// The number beside the words.
        height: u64,
        /// The words, in either language.
        words: String,
    },
}

/// Compare another device's checkpoint with what this device knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompareCheckpoint {
    /// From the other device.
    pub code: CheckpointCode,
}

/// How another device's checkpoint compares with what this device knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ComparisonView {
    /// Both devices have the same entry there, and so the same before it.
    Same {
        /// Height.
        height: u64,
        /// Time of the entry.
        at: TimeMs,
    },
    /// Another entry: a misread word, or two devices that follow different records.
    Different {
        /// Height.
        height: u64,
        /// The first word that differs, counted from 1, where words were typed.
        word: Option<u64>,
    },
    /// It is of another network of hospitals, so there is nothing to compare.
    OtherNetwork,
    /// The other device knows newer entries than this one can get.
    Newer {
        /// Its height.
        height: u64,
        /// The newest here.
        newest: u64,
    },
}

/// Start from another device's checkpoint: what this device follows from now on must continue it. What this device knows is
/// compared first, and if that shows another entry nothing is changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartFromCheckpoint {
    /// From the other device.
    pub code: CheckpointCode,
}
