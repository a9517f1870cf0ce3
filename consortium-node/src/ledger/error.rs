//! Why the ledger cannot go on, and why it refuses a block.

use super::Tip;
use crate::store_advice::{advice, advice_on_opening};
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::genesis::GenesisError;
use amulet_protocol::ids::{ChainId, HeaderHash, Height, ReplicaId, Timestamp, TxId, View};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::transaction::TransactionError;
use std::path::PathBuf;

/// Why the ledger's file cannot be used. Never caused by a block, a transaction or a question.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened: no ledger, torn, held by another process, or not accessible.
    #[error("the ledger {path} cannot be opened: {source}{advice}", advice = advice_on_opening(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: redb::DatabaseError,
    },
    /// The file was written by another version of this program.
    #[error("the ledger has format {found}, this program reads format {expected}")]
    Format {
        /// In the file.
        found: u64,
        /// Of this program.
        expected: u64,
    },
    /// The file holds another chain.
    #[error("the ledger is of chain {found}, the genesis document is of chain {expected}")]
    OtherChain {
        /// In the file.
        found: ChainId,
        /// Of the document given.
        expected: ChainId,
    },
    /// The file is a copy that was begun and not finished.
    #[error("the ledger is being copied from the other hospitals and is not whole yet")]
    Unfinished,
    /// The genesis document is no good.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// An entry is missing or holds something that was never written there.
    #[error("table {table} of the ledger is damaged")]
    Corrupt {
        /// Which table.
        table: &'static str,
    },
    /// The store failed: disk full, input or output error, damaged page.
    #[error("the ledger's store failed: {0}{advice}", advice = advice(.0))]
    Store(#[source] Box<redb::Error>),
    /// The header range could not be computed.
    #[error("the header range failed: {0}")]
    Range(ckb_merkle_mountain_range::Error),
}

/// The parents given for a block do not continue the ledger: another block was committed in place of one of them, or there
/// is a gap. Says nothing about the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parents given do not continue the tip {tip} at height {height}")]
pub struct Detached {
    /// Height of the tip.
    pub height: Height,
    /// The tip.
    pub tip: HeaderHash,
}

/// Why no block was made.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The parents are out of date.
    #[error(transparent)]
    Detached(#[from] Detached),
    /// This node's ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a block is not executed on top of this ledger.
#[derive(Debug, thiserror::Error)]
pub enum BlockRefusal {
    /// Unknown format.
    #[error("header version {found} is not {expected}")]
    Version {
        /// In the header.
        found: u16,
        /// Of this program.
        expected: u16,
    },
    /// Of another chain.
    #[error("the block is of chain {found}, this is {expected}")]
    Chain {
        /// In the header.
        found: ChainId,
        /// This chain.
        expected: ChainId,
    },
    /// Not the next height.
    #[error("the block has height {found}, next is {expected}")]
    Height {
        /// In the header.
        found: Height,
        /// One above the tip.
        expected: Height,
    },
    /// Not on top of its parent.
    #[error("the block follows {found}, its parent here is {expected}")]
    Previous {
        /// In the header.
        found: HeaderHash,
        /// The tip.
        expected: HeaderHash,
    },
    /// Not later than the block before.
    #[error("the block's time {found} is not after {previous}")]
    NotLater {
        /// In the header.
        found: Timestamp,
        /// Of the tip.
        previous: Timestamp,
    },
    /// Further in the future than clocks may differ.
    #[error("the block's time {found} is ahead of the clock, {now}, by more than clocks may differ")]
    FromTheFuture {
        /// In the header.
        found: Timestamp,
        /// The caller's clock.
        now: Timestamp,
    },
    /// The proposer is not the primary of the view.
    #[error("validator {found} proposed in view {view}, whose primary is {expected}")]
    Proposer {
        /// In the header.
        found: ReplicaId,
        /// In the header.
        view: View,
        /// The view's primary.
        expected: ReplicaId,
    },
    /// A digest in the header is not what this node computes.
    #[error("the header's {root} is {found}, computed is {computed}")]
    Root {
        /// Which.
        root: HeaderRoot,
        /// In the header.
        found: Digest,
        /// Computed.
        computed: Digest,
    },
    /// Too many transactions.
    #[error("{found} transactions, a block holds at most {BLOCK_TRANSACTIONS_MAX}")]
    TooMany {
        /// Found.
        found: usize,
    },
    /// Too many bytes of transactions.
    #[error("{found} bytes of transactions, a block holds at most {BLOCK_TRANSACTIONS_BYTES_MAX}")]
    TooLarge {
        /// Found.
        found: usize,
    },
    /// A transaction fails by itself.
    #[error("transaction {index} of the block: {source}")]
    Transaction {
        /// Position in the block, from 0.
        index: usize,
        /// Why.
        source: TransactionError,
    },
    /// A transaction whose key or nonce is not good for its sender; it has no place in a block.
    #[error("transaction {transaction} has no place in a block: {code}")]
    Inadmissible {
        /// Which.
        transaction: TxId,
        /// Why.
        code: RefusalCode,
    },
    /// The parents are out of date; says nothing about the block.
    #[error(transparent)]
    Detached(#[from] Detached),
    /// This node's ledger failed; says nothing about the block.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The digests of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRoot {
    /// Over the transactions.
    Transactions,
    /// Over the receipts.
    Receipts,
    /// Of the state.
    State,
    /// Over the earlier headers.
    Range,
    /// Of the validators that certify this block.
    Validators,
    /// Of the validators that certify the next.
    NextValidators,
}

impl std::fmt::Display for HeaderRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Transactions => "transactions root",
            Self::Receipts => "receipts root",
            Self::State => "state root",
            Self::Range => "range root",
            Self::Validators => "validator-set hash",
            Self::NextValidators => "next validator-set hash",
        })
    }
}

/// Why an executed block was not committed. The ledger is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The tip has moved since the block was executed.
    #[error("block {height} was executed on {base}, the tip is {}", tip.hash)]
    NotOnTip {
        /// Height of the block.
        height: Height,
        /// What it was executed on.
        base: HeaderHash,
        /// The tip now.
        tip: Tip,
    },
    /// The certificate does not commit this block.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

macro_rules! store_errors {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for LedgerError {
            fn from(error: redb::$error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        })*
    };
}

store_errors!(TransactionError, TableError, StorageError, CommitError, SetDurabilityError);
