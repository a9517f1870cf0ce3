//! Replacing the keys of a wallet, after a device was lost or stolen.

use crate::wallet::{HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// Ask how it stands with this wallet's keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keys {}

/// How it stands with this wallet's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysView {
    /// How often they were replaced.
    pub replaced: u32,
    /// When the hospitals last took new ones; `None` if they never did.
    pub at: Option<TimeMs>,
    /// Hospitals where the keys before still count, because the replacement was interrupted. It goes on by itself.
    pub waiting: Vec<HospitalView>,
    /// Whether somebody else replaced them, at one hospital or more: this wallet speaks for nobody there any more.
    pub elsewhere: bool,
    /// Whether that is so at all hospitals.
    pub powerless: bool,
}

/// Replace all keys that are still this person's by those of the words last made by `NewWords`. From then on every other device with the words before is
/// worthless, and so are those words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplaceKeys {
    /// The words at the positions asked for, in that order.
    pub answers: Vec<String>,
    /// The wallet's passphrase: its file is sealed anew.
    pub passphrase: String,
}
