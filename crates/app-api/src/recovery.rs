//! Ways back to a wallet beside its recovery words: guardians with sheets, a backup file, another device.

use crate::wallet::TimeMs;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Ask who this wallet's guardians are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Guardians {}

/// Who this wallet's guardians are, as far as this device knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardiansView {
    /// The sheets made last; `None` before the first.
    pub sheets: Option<SheetSetView>,
    /// Guardians that can be named.
    pub guardians_max: u8,
}

/// Sheets that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetSetView {
    /// Who has one, in the order of the sheets' numbers.
    pub names: Vec<String>,
    /// How many sheets are needed.
    pub threshold: u8,
    /// When they were made.
    pub made: TimeMs,
    /// When they were last tried out; until then nobody knows whether they work.
    pub tried: Option<TimeMs>,
    /// Whether the keys were replaced since: these sheets open nothing any more.
    pub worthless: bool,
}

/// Split the recovery words among guardians.
#[derive(Clone, Serialize, Deserialize)]
pub struct MakeSheets {
    /// Who gets a sheet: 2 to [`GuardiansView::guardians_max`] names.
    pub names: Vec<String>,
    /// How many of them are needed; at least 2.
    pub threshold: u8,
    /// The wallet's passphrase: whoever has enough sheets has the wallet.
    pub passphrase: String,
}

impl fmt::Debug for MakeSheets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeSheets").field("guardians", &self.names.len()).finish_non_exhaustive()
    }
}

/// Sheets to hand out, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetsView {
    /// How many are needed.
    pub threshold: u8,
    /// The wallet's owner, who is named on each.
    pub owner: String,
    /// One for each guardian.
    pub sheets: Vec<SheetView>,
}

/// What one guardian gets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetView {
    /// From 1.
    pub number: u8,
    /// Whose it is.
    pub name: String,
    /// Twenty words of SLIP-0039.
    pub words: Vec<String>,
    /// The same as numbers from 1 to 1024.
    pub numbers: Vec<u16>,
    /// The QR code as SVG markup.
    pub qr_svg: String,
    /// What the QR code says.
    pub qr_text: String,
}

impl fmt::Debug for SheetsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SheetsView").field("threshold", &self.threshold).finish_non_exhaustive()
    }
}

impl fmt::Debug for SheetView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SheetView").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Read sheets as they are scanned or typed. None of them is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadSheets {
    /// Texts of sheets: words, numbers or QR texts; each may be there twice.
    pub texts: Vec<String>,
}

/// How far sheets reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetsReadView {
    /// Numbers of the different sheets, ascending.
    pub numbers: Vec<u8>,
    /// How many are needed.
    pub threshold: u8,
}

/// Try out whether sheets give this wallet's words back.
#[derive(Clone, Serialize, Deserialize)]
pub struct TrySheets {
    /// As in [`ReadSheets`].
    pub texts: Vec<String>,
}

/// Restore a wallet from guardians' sheets.
#[derive(Clone, Serialize, Deserialize)]
pub struct RestoreFromSheets {
    /// The person's name.
    pub name: String,
    /// As in [`ReadSheets`].
    pub texts: Vec<String>,
    /// The new passphrase of the wallet on this device.
    pub passphrase: String,
    /// A hospital where the person is registered.
    pub hospital: String,
}

/// Save the wallet, encrypted under its passphrase, as a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveBackup {}

/// Put a wallet from a backup file onto this device.
#[derive(Clone, Serialize, Deserialize)]
pub struct RestoreBackup {
    /// The file as base64.
    pub file: String,
    /// The wallet's passphrase when the file was saved.
    pub passphrase: String,
}

/// On a new device: show the code with which another device hands its wallet over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginMove {}

/// What a new device shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCodeView {
    /// What the QR code says. It is no secret.
    pub qr_text: String,
    /// The QR code as SVG markup.
    pub qr_svg: String,
    /// Eight digits that the other device must show too.
    pub check: String,
    /// When the code is over.
    pub until: TimeMs,
}

/// On the old device: the digits of a new device's code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadMoveCode {
    /// What was scanned or pasted.
    pub code: String,
}

/// What the owner compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCheckView {
    /// Eight digits that the new device must show too.
    pub check: String,
}

/// On the old device: hand the wallet over to a new device.
#[derive(Clone, Serialize, Deserialize)]
pub struct HandOver {
    /// What was scanned or pasted.
    pub code: String,
    /// The wallet's passphrase.
    pub passphrase: String,
}

/// What the old device shows: the wallet, which only the new device can read, and there only with the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOverView {
    /// What the QR code says.
    pub qr_text: String,
    /// The QR code as SVG markup.
    pub qr_svg: String,
}

/// On the new device: take the wallet from what the old device shows.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishMove {
    /// What was scanned or pasted.
    pub code: String,
    /// The wallet's passphrase.
    pub passphrase: String,
}

macro_rules! says_nothing {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

// What they hold opens a wallet.
says_nothing!(ReadSheets, TrySheets, RestoreFromSheets, RestoreBackup, HandOver, FinishMove);
