//! Blocks as they come from a proposer, with those of their transactions that are known here taken as they are known:
//! reading one anew costs as much as a good part of its signature check, for each key in it is checked to be one.

use amulet_protocol::block::UntrustedBlock;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, Did, Nonce};
use amulet_protocol::limits::{BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::merkle::leaf_hash;
use amulet_protocol::transaction::{
    HashedTransaction, SealedId, SignedTransaction, TransactionError, UntrustedTransaction,
};
use borsh::BorshDeserialize;
use std::sync::Arc;

/// Where transactions are found that were read and checked before.
pub trait KnownTransactions {
    /// A transaction of this sender with this number, whatever it says.
    fn find(&self, sender: Did, nonce: Nonce) -> Option<Arc<SignedTransaction>>;
}

/// A proposed block; nothing has been checked but the signatures of the transactions that were known.
#[derive(Clone, Debug)]
pub struct ArrivedBlock {
    /// The header.
    pub header: Header,
    pub(super) transactions: Vec<Arrived>,
}

/// A transaction of a proposed block.
#[derive(Clone, Debug)]
pub(super) enum Arrived {
    /// It is here already: the same bytes, key and signature included.
    Known(Arc<SignedTransaction>),
    /// It is not.
    New(Box<HashedTransaction>),
}

impl ArrivedBlock {
    /// Reads the encoding of an [`UntrustedBlock`]; `None` if it is none, or too large.
    #[must_use]
    pub fn decode(bytes: &[u8], known: &dyn KnownTransactions) -> Option<Self> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return None;
        }
        let rest = &mut &*bytes;
        let header = Header::deserialize(rest).ok()?;
        let count = usize::try_from(u32::deserialize(rest).ok()?).ok()?;
        // One more than there may be is enough for the refusal that names the number.
        if count > BLOCK_TRANSACTIONS_MAX + 1 {
            return None;
        }
        let transactions: Option<Vec<_>> = (0..count).map(|_| Arrived::read(rest, known)).collect();
        Some(Self { header, transactions: transactions? }).filter(|_| rest.is_empty())
    }
}

impl From<UntrustedBlock> for ArrivedBlock {
    fn from(UntrustedBlock { header, transactions }: UntrustedBlock) -> Self {
        let new = |transaction: UntrustedTransaction| Arrived::New(Box::new(transaction.hashed()));
        Self { header, transactions: transactions.into_iter().map(new).collect() }
    }
}

impl Arrived {
    fn read(bytes: &mut &[u8], known: &dyn KnownTransactions) -> Option<Self> {
        let (_version, _chain, sender, nonce) =
            <(u16, ChainId, Did, Nonce)>::deserialize(&mut &**bytes).ok()?;
        if let Some(known) = known.find(sender, nonce)
            && let Some((own, rest)) = bytes.split_at_checked(known.size())
            && SealedId(leaf_hash(own)) == known.sealed_id()
        {
            *bytes = rest;
            return Some(Self::Known(known));
        }
        Some(Self::New(Box::new(UntrustedTransaction::deserialize(bytes).ok()?.hashed())))
    }

    pub(super) fn sealed_id(&self) -> SealedId {
        match self {
            Self::Known(known) => known.sealed_id(),
            Self::New(new) => new.sealed_id(),
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Known(known) => known.size(),
            Self::New(new) => new.size(),
        }
    }
}

/// A known transaction for this chain, which its signature was checked for.
pub(super) fn of_chain(
    known: Arc<SignedTransaction>,
    chain: ChainId,
) -> Result<SignedTransaction, TransactionError> {
    let found = known.transaction().chain;
    if found == chain {
        Ok(Arc::unwrap_or_clone(known))
    } else {
        Err(TransactionError::Chain { found, expected: chain })
    }
}
