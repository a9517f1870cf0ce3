use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What went wrong, as a closed list: the interface has a sentence for each, in each language, saying what happened,
/// what it means and what to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The passphrase does not open this wallet.
    WrongPassphrase,
    /// The passphrase is too weak to protect a wallet.
    WeakPassphrase,
    /// No wallet is unlocked.
    Locked,
    /// There is no such wallet on this device.
    NoSuchWallet,
    /// A recovery word is not in the list. Details: `index` (from 1), `word`, perhaps `suggestion`.
    WordUnknown,
    /// Too few or too many recovery words. Details: `found`, `expected`.
    WordCount,
    /// Every word is known but they do not belong together. Detail: perhaps `index`.
    WordChecksum,
    /// Words of two languages are mixed.
    WordLanguages,
    /// The words typed to confirm differ from those shown. Detail: `index`.
    WordsDiffer,
    /// The words were shown too long ago or never: start again.
    NoPendingWords,
    /// No hospital could be reached. Details: `asked`.
    Unreachable,
    /// Fewer than two hospitals answered, so nothing could be checked. Details: `answered`, `needed`.
    TooFewWitnesses,
    /// Hospitals gave answers that contradict each other. Details: `hospitals`.
    Disagreement,
    /// A hospital's answer failed a check. Details: `hospital`, `what` (header, certificate, proof, ciphertext, history).
    Forged,
    /// The newest certified state is too old. Detail: `age_ms`.
    Stale,
    /// Several hospitals show entries dated later than this device's clock. Details: `now_ms`, `newest_ms`.
    ClockBehind,
    /// The transaction was refused. Detail: `reason`, the ledger's refusal code.
    Refused,
    /// The transaction was not committed in time; it may still be.
    NotCommitted,
    /// The code is not one of ours.
    CodeNotOurs,
    /// The code is cut off or mistyped.
    CodeDamaged,
    /// The card was replaced or revoked. Detail: perhaps `at_ms`.
    CardRevoked,
    /// No such card is on the ledger.
    CardUnknown,
    /// A text is not that of a checkpoint.
    CheckpointCode,
    /// A word typed is no word of a checkpoint. Details: `index` (from 1), `word`, perhaps `suggestion`.
    CheckpointWord,
    /// Too few or too many words of a checkpoint. Details: `found`, `expected`.
    CheckpointWordCount,
    /// No hospital has an entry with the words typed. Detail: `index` of the first that differs.
    CheckpointDiffers,
    /// The picture holds no QR code that can be read.
    NoQrInPicture,
    /// The file is no FHIR bundle that can be taken. Details: `code`, `message`.
    FhirRefused,
    /// The file or message is too large. Details: `size`, `limit`.
    TooLarge,
    /// The record is not on this device and no hospital that holds it answered.
    RecordUnavailable,
    /// The grant has ended. Detail: `why` (expired, revoked, used_up).
    GrantEnded,
    /// Only a registered clinician can do this.
    NotAClinician,
    /// The thing asked for does not exist.
    NotFound,
    /// The device's storage failed. Detail: `message`.
    Storage,
    /// The passphrase was tried too often. Details: `wait_ms`, `found` (wrong tries).
    TooManyTries,
    /// Other keys speak for this person now: they were replaced on another device.
    KeysReplaced,
    /// Other recovery words took the place of these.
    WordsReplaced,
    /// A word on a guardian's sheet is not in the list. Details: `index` (from 1), `word`, perhaps `suggestion`.
    SheetWord,
    /// Too few or too many words on a guardian's sheet. Details: `found`, `expected`.
    SheetWordCount,
    /// Every word of a sheet is known but they do not belong together.
    SheetChecksum,
    /// A share of the standard, but not of a wallet like this.
    SheetOther,
    /// Sheets were made at different times, or for different wallets.
    SheetsMixed,
    /// More sheets are needed. Details: `found`, `needed`.
    SheetsTooFew,
    /// Sheets contradict each other: at least one is false.
    SheetsContradict,
    /// The sheets give other words than this wallet's.
    SheetsElsewhere,
    /// This wallet is on this device already.
    WalletExists,
    /// The file is no backup of a wallet.
    BackupNotOurs,
    /// The wallet belongs to other hospitals than this app's.
    OtherNetwork,
    /// The text is not what a device shows for moving a wallet, or it is cut off.
    MoveCode,
    /// The code for moving was shown too long ago, or for another device.
    MoveOver,
    /// The request was malformed.
    BadRequest,
    /// A bug in Amulet. Detail: `message`.
    Internal,
}

/// The one error type of the bridge; safe to show and to log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What went wrong.
    pub code: ErrorCode,
    /// The values that the sentence for `code` names.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
}

impl ApiError {
    /// An error without details.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self { code, details: BTreeMap::new() }
    }

    /// The same error with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.code)?;
        for (name, value) in &self.details {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}
