//! Why a file was not taken in.

use super::file::FILE_BYTES_MAX;
use super::review::ReviewError;
use crate::ledger::LedgerError;
use crate::org_sender::SendError;
use crate::vault::{IndexError, VaultError};
use amulet_crypto::content::ContentError;
use amulet_crypto::sealed_box::SealError;
use amulet_fhir::FileRefusal;
use amulet_protocol::grant_keys::SealKeysError;
use amulet_protocol::ids::Did;
use amulet_protocol::large::LargeError;

/// Why a file was not taken in, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Other files are being taken in, or one of the same patient.
    #[error("other files are being taken in right now; send this one again in a moment")]
    Busy,
    /// The patient has no identity on the ledger.
    #[error("patient {patient} is not registered; the patient has to create a wallet first")]
    UnknownPatient {
        /// Who was named.
        patient: Did,
    },
    /// The file itself is no good.
    #[error(transparent)]
    File(#[from] FileRefusal),
    /// No other hospital took copies, so that the records would be lost with this node.
    #[error("no other hospital can be reached to keep copies of the records; try again when one is running")]
    NoMirror,
    /// Registration stopped in the middle or its outcome is not known yet. Sending the file again registers what is
    /// missing, and nothing twice.
    #[error(
        "{registered} of {records} records are registered, then: {source}. Send the same file again for the rest"
    )]
    Unfinished {
        /// Records registered.
        registered: usize,
        /// Records that were to be registered.
        records: usize,
        /// Why it stopped.
        source: SendError,
    },
    /// The words about a file are too long.
    #[error("a title, id, date or media type has {found} bytes, at most {limit} are taken")]
    Words {
        /// Bytes given.
        found: usize,
        /// Bytes taken.
        limit: usize,
    },
    /// The file is larger than any.
    #[error(
        "the file has {found} bytes, at most {FILE_BYTES_MAX} are taken; split the study into its series"
    )]
    FileTooLarge {
        /// Bytes announced.
        found: u64,
    },
    /// Another number of bytes came than was announced.
    #[error("{stated} bytes were announced, {found} or more came; send the file again")]
    OtherLength {
        /// Announced.
        stated: u64,
        /// Came.
        found: u64,
    },
    /// The connection broke.
    #[error("the file could not be read to its end; send it again")]
    CutOff,
    /// A large file could not be sealed.
    #[error("the file could not be encrypted: {0}")]
    LargeFile(#[source] LargeError),
    /// A record could not be encrypted.
    #[error("a record could not be encrypted: {0}")]
    Content(#[from] ContentError),
    /// A record's key could not be sealed to the reader of a standing grant.
    #[error("a record's key could not be sealed to a reader: {0}")]
    Flow(#[from] SealKeysError),
    /// A record's key could not be sealed to the patient.
    #[error("a record's key could not be sealed: {0}")]
    Seal(#[from] SealError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The vault's index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The review queue refuses, or failed.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A task of the node panicked: a bug.
    #[error("the node made an error; its log says more")]
    Internal,
}
