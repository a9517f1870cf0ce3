//! Why a proof file is refused: each rule by its name, which the specification and every implementation share.

use super::{PROOF_EPOCHS_MAX, PROOF_FILE_VERSION, PROOF_STATEMENTS_MAX};
use crate::certificate::CertificateError;
use crate::codec::DecodeError;
use crate::genesis::GenesisError;
use crate::history::HistoryError;
use crate::ids::{ChainId, Epoch, Height};
use crate::merkle::ListBatchError;
use crate::multiproof::MultiproofError;
use crate::range::RangeBatchError;
use crate::state_batch::StateBatchError;
use alloc::format;
use alloc::string::String;
use amulet_crypto::digest::Digest;

/// Why a proof file is refused; the first rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Some other kind of file.
    #[error("this is not a proof file")]
    Magic,
    /// A format that this code does not know.
    #[error("the proof file has version {found}, this program reads {PROOF_FILE_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// Too large, cut off, or with bytes left over.
    #[error("the proof file is damaged: {0}")]
    Decode(#[from] DecodeError),
    /// The genesis document that the reader brought is bad.
    #[error("the genesis document: {0}")]
    Genesis(#[from] GenesisError),
    /// The proof is about another chain than the reader's.
    #[error("the proof is about chain {found}, the genesis document is of chain {expected}")]
    Chain {
        /// In the file.
        found: ChainId,
        /// The reader's.
        expected: ChainId,
    },
    /// More ends of epochs than are read.
    #[error("{found} ends of epochs, at most {PROOF_EPOCHS_MAX} are accepted")]
    Epochs {
        /// Found.
        found: usize,
    },
    /// No statement, or too many.
    #[error("{found} statements, from 1 to {PROOF_STATEMENTS_MAX} are accepted")]
    Statements {
        /// Found.
        found: usize,
    },
    /// The header that ends an epoch is not certified by the epoch's validators.
    #[error("the end of epoch {epoch}: {source}")]
    EpochHeader {
        /// Which.
        epoch: Epoch,
        /// Why.
        source: CertificateError,
    },
    /// The header that should end an epoch is older than the epoch.
    #[error("epoch {epoch} began at height {first}, the header that should end it is at {height}")]
    EpochHeight {
        /// Which.
        epoch: Epoch,
        /// Its first height.
        first: Height,
        /// Height of the header.
        height: Height,
    },
    /// The header that should end an epoch names the same validators for the next block.
    #[error("the header at {height} does not end epoch {epoch}")]
    EpochGoesOn {
        /// Which.
        epoch: Epoch,
        /// Height of the header.
        height: Height,
    },
    /// The next validators are not those that the header names.
    #[error("the validators after epoch {epoch} have hash {found}, the header names {named}")]
    EpochSet {
        /// Which.
        epoch: Epoch,
        /// Computed.
        found: Digest,
        /// In the header.
        named: Digest,
    },
    /// The anchor is older than the validators that should have certified it.
    #[error("the anchor at height {anchor} is not above the end of the last epoch at {last}")]
    AnchorHeight {
        /// Height of the anchor.
        anchor: Height,
        /// Height of the header that ended the epoch before.
        last: Height,
    },
    /// The anchor is not certified by the validators that the file leads to.
    #[error("the anchor: {0}")]
    Anchor(#[source] CertificateError),
    /// The older headers are not in the anchor's chain.
    #[error("the older headers: {0}")]
    Range(#[from] RangeBatchError),
    /// A statement is about a block whose header is not in the file.
    #[error("the file has no header of height {height}, which a statement is about")]
    NoHeader {
        /// Which.
        height: Height,
    },
    /// An older header that no statement is about.
    #[error("no statement is about the header of height {height}")]
    UnusedHeader {
        /// Which.
        height: Height,
    },
    /// State that is not proven.
    #[error("state: {0}")]
    State(#[from] StateBatchError),
    /// Receipts that are not proven.
    #[error("receipts: {0}")]
    Receipts(#[from] ListBatchError),
    /// The value proven under the history's key is no count and head.
    #[error("the state holds no history where one is claimed")]
    HistoryValue,
    /// A history that is not the proven one.
    #[error("history: {0}")]
    History(#[from] HistoryError),
}

impl ProofFileError {
    /// The name of the broken rule, as in `docs/spec/proofs.md`.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Magic => "magic".into(),
            Self::Version { .. } => "version".into(),
            Self::Decode(_) => "decode".into(),
            Self::Genesis(_) => "genesis".into(),
            Self::Chain { .. } => "chain".into(),
            Self::Epochs { .. } => "epochs".into(),
            Self::Statements { .. } => "statements".into(),
            Self::EpochHeader { source, .. } => format!("epoch-{}", source.rule()),
            Self::EpochHeight { .. } => "epoch-first".into(),
            Self::EpochGoesOn { .. } => "epoch-goes-on".into(),
            Self::EpochSet { .. } => "epoch-set".into(),
            Self::AnchorHeight { .. } => "anchor-epoch".into(),
            Self::Anchor(source) => format!("anchor-{}", source.rule()),
            Self::Range(source) => format!("range-{}", range(source)),
            Self::NoHeader { .. } => "no-header".into(),
            Self::UnusedHeader { .. } => "unused-header".into(),
            Self::State(source) => format!("state-{}", state(source)),
            Self::Receipts(source) => format!("receipts-{}", list(source)),
            Self::HistoryValue => "history-value".into(),
            Self::History(source) => format!("history-{}", history(source)),
        }
    }
}

fn range(error: &RangeBatchError) -> &'static str {
    match error {
        RangeBatchError::TooMany { .. } => "too-many",
        RangeBatchError::Count { .. } => "count",
        RangeBatchError::TooHigh { .. } => "too-high",
        RangeBatchError::Shape(error) => shape(error),
        RangeBatchError::Root { .. } => "root",
    }
}

fn list(error: &ListBatchError) -> &'static str {
    match error {
        ListBatchError::TooManyLeaves { .. } => "leaves",
        ListBatchError::TooMany { .. } => "too-many",
        ListBatchError::Count { .. } => "count",
        ListBatchError::Shape(error) => shape(error),
        ListBatchError::Root { .. } => "root",
    }
}

fn shape(error: &MultiproofError) -> &'static str {
    match error {
        MultiproofError::Nothing => "nothing",
        MultiproofError::Order { .. } => "order",
        MultiproofError::Beyond { .. } => "beyond",
        MultiproofError::TooShort { .. } => "too-short",
        MultiproofError::Unused { .. } => "unused",
    }
}

fn state(error: &StateBatchError) -> &'static str {
    match error {
        StateBatchError::Keys { .. } => "keys",
        StateBatchError::Duplicate { .. } => "duplicate",
        StateBatchError::Count { .. } => "count",
        StateBatchError::NotCovered { .. } => "not-covered",
        StateBatchError::Claim { .. } => "claim",
        StateBatchError::Place { .. } => "place",
        StateBatchError::TooDeep => "too-deep",
        StateBatchError::Superfluous { .. } => "superfluous",
        StateBatchError::TooShort { .. } => "too-short",
        StateBatchError::Root { .. } => "root",
    }
}

fn history(error: &HistoryError) -> &'static str {
    match error {
        HistoryError::Number { .. } => "number",
        HistoryError::Count { .. } => "count",
        HistoryError::Head { .. } => "head",
    }
}
