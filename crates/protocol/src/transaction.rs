//! Transactions: a call, who makes it, and the signature.

use crate::calls::Call;
use crate::ids::{ChainId, Did, Nonce, TxId, digest_of};
use amulet_crypto::digest::Tag;
use amulet_crypto::signing::{PublicKey, Signature, SigningContext, SigningKey};
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/transaction");

/// Version of the transaction format.
pub const TRANSACTION_VERSION: u16 = 1;

/// A call with its sender and number.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// [`TRANSACTION_VERSION`].
    pub version: u16,
    /// The chain it is meant for.
    pub chain: ChainId,
    /// Who calls.
    pub sender: Did,
    /// The sender's number for it; each is executed at most once, in any order within
    /// [`NONCE_WINDOW`](crate::limits::NONCE_WINDOW).
    pub nonce: Nonce,
    /// The call.
    pub call: Call,
}

/// A transaction as received: the signature has not been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedTransaction {
    /// The transaction.
    pub transaction: Transaction,
    /// Key said to have signed it.
    pub key: PublicKey,
    /// Signature over the canonical encoding of the transaction.
    pub signature: Signature,
}

/// A transaction whose signature was checked against the key it carries. Whether that key speaks for the sender is for
/// the contracts to say, because keys can change on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    inner: UntrustedTransaction,
    id: TxId,
    size: usize,
}

/// Why a transaction was refused before any contract saw it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Unknown format.
    #[error("transaction version {found} is not {TRANSACTION_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// Meant for another chain.
    #[error("the transaction is for chain {found}, this is {expected}")]
    Chain {
        /// Found.
        found: ChainId,
        /// Expected.
        expected: ChainId,
    },
    /// Too large.
    #[error("the transaction has {found} bytes, at most {limit} are accepted")]
    TooLarge {
        /// Found.
        found: usize,
        /// Accepted.
        limit: usize,
    },
    /// The signature does not verify.
    #[error("the transaction's signature does not verify")]
    Signature,
}

impl Transaction {
    /// Identity of the transaction: SM3 of its encoding, without the signature.
    #[must_use]
    pub fn id(&self) -> TxId {
        TxId(digest_of(TAG, self))
    }

    /// Signs the transaction with the sender's key.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> SignedTransaction {
        let message = crate::codec::encode(&self);
        let signature = key.sign(SigningContext::Transaction, &self.chain.tag(), &message);
        let inner = UntrustedTransaction { key: key.public_key().clone(), signature, transaction: self };
        SignedTransaction::checked(inner)
    }
}

impl UntrustedTransaction {
    /// Checks version, chain, size and signature, in this order.
    ///
    /// # Errors
    /// [`TransactionError`] by variant.
    pub fn verify(self, chain: ChainId) -> Result<SignedTransaction, TransactionError> {
        let transaction = &self.transaction;
        if transaction.version != TRANSACTION_VERSION {
            return Err(TransactionError::Version { found: transaction.version });
        }
        if transaction.chain != chain {
            return Err(TransactionError::Chain { found: transaction.chain, expected: chain });
        }
        let message = crate::codec::encode(transaction);
        let limit = crate::limits::TRANSACTION_BYTES_MAX;
        if message.len() > limit {
            return Err(TransactionError::TooLarge { found: message.len(), limit });
        }
        self.key
            .verify(SigningContext::Transaction, &chain.tag(), &message, &self.signature)
            .map_err(|_| TransactionError::Signature)?;
        Ok(SignedTransaction::checked(self))
    }
}

impl SignedTransaction {
    fn checked(inner: UntrustedTransaction) -> Self {
        let id = inner.transaction.id();
        let size = crate::codec::encode(&inner).len();
        Self { inner, id, size }
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.inner.transaction
    }

    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.inner.key
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.id
    }

    /// Bytes of its encoding, signature included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The form that travels and is stored.
    #[must_use]
    pub fn as_untrusted(&self) -> &UntrustedTransaction {
        &self.inner
    }
}
