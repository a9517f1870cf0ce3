//! Blocks as they travel and are stored.

use crate::certificate::UntrustedCommitCertificate;
use crate::header::Header;
use crate::ids::HeaderHash;
use crate::merkle::ListTree;
use crate::transaction::UntrustedTransaction;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use borsh::{BorshDeserialize, BorshSerialize};

/// A header and the transactions it was made of; nothing has been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedBlock {
    /// The header.
    pub header: Header,
    /// The transactions, in execution order.
    pub transactions: Vec<UntrustedTransaction>,
}

/// A block with the certificate that committed it, as one node hands it to another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedCertifiedBlock {
    /// The block.
    pub block: UntrustedBlock,
    /// Its certificate.
    pub certificate: UntrustedCommitCertificate,
}

impl UntrustedBlock {
    /// Hash of the header.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        self.header.hash()
    }
}

/// Root over the encodings of a block's transactions.
#[must_use]
pub fn transactions_tree(transactions: &[UntrustedTransaction]) -> ListTree {
    ListTree::new(transactions.iter().map(crate::codec::encode))
}

/// Root of an empty list, for blocks without transactions.
#[must_use]
pub fn empty_root() -> Digest {
    ListTree::new([]).root()
}
