//! Transactions: a call, who makes it, and the signature.

use crate::calls::Call;
use crate::ids::{ChainId, Did, Nonce, TxId, digest_of};
use crate::merkle::leaf_hash;
use amulet_crypto::digest::{Digest, Tag, tagged};
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

/// Identity of a transaction *with* its key and signature: its leaf in a block's transactions tree, the hash of every
/// byte that travels.
///
/// A [`TxId`] leaves the signature out, so that it is known before one is made. A block that names a known [`TxId`] may
/// still carry a signature that nobody has checked; two replicas, of which one has seen the right signature and skips the
/// check, would judge that block differently. Whoever wants to skip a check asks by this identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealedId(pub Digest);

/// A transaction with what follows from its bytes alone; the signature has not been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedTransaction {
    inner: UntrustedTransaction,
    id: TxId,
    sealed: SealedId,
    /// Bytes without key and signature.
    message: usize,
    size: usize,
}

/// A transaction whose signature was checked against the key it carries. Whether that key speaks for the sender is for
/// the contracts to say, because keys can change on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    hashed: HashedTransaction,
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
        SignedTransaction { hashed: inner.hashed() }
    }
}

impl UntrustedTransaction {
    /// Checks version, chain, size and signature, in this order.
    ///
    /// # Errors
    /// [`TransactionError`] by variant.
    pub fn verify(self, chain: ChainId) -> Result<SignedTransaction, TransactionError> {
        self.hashed().verify(chain)
    }

    /// Computes what follows from the bytes, from one encoding of them.
    #[must_use]
    pub fn hashed(self) -> HashedTransaction {
        let mut bytes = crate::codec::encode(&self.transaction);
        let (id, message) = (TxId(tagged(TAG, &[&bytes])), bytes.len());
        bytes.append(&mut crate::codec::encode(&self.key));
        bytes.append(&mut crate::codec::encode(&self.signature));
        HashedTransaction { id, sealed: SealedId(leaf_hash(&bytes)), message, size: bytes.len(), inner: self }
    }
}

impl HashedTransaction {
    /// Checks version, chain, size and signature, in this order.
    ///
    /// # Errors
    /// [`TransactionError`] by variant.
    pub fn verify(self, chain: ChainId) -> Result<SignedTransaction, TransactionError> {
        self.check_envelope(chain)?;
        let UntrustedTransaction { transaction, key, signature } = &self.inner;
        let message = crate::codec::encode(transaction);
        key.verify(SigningContext::Transaction, &chain.tag(), &message, signature)
            .map_err(|_| TransactionError::Signature)?;
        Ok(SignedTransaction { hashed: self })
    }

    /// Checks everything but the signature, of which the caller says that it was checked before: for this very
    /// [`SealedId`], not for the [`TxId`] alone.
    ///
    /// # Errors
    /// [`TransactionError::Version`], [`TransactionError::Chain`], [`TransactionError::TooLarge`].
    pub fn verified_before(self, chain: ChainId) -> Result<SignedTransaction, TransactionError> {
        self.check_envelope(chain)?;
        Ok(SignedTransaction { hashed: self })
    }

    fn check_envelope(&self, chain: ChainId) -> Result<(), TransactionError> {
        let transaction = &self.inner.transaction;
        if transaction.version != TRANSACTION_VERSION {
            return Err(TransactionError::Version { found: transaction.version });
        }
        if transaction.chain != chain {
            return Err(TransactionError::Chain { found: transaction.chain, expected: chain });
        }
        let limit = crate::limits::TRANSACTION_BYTES_MAX;
        if self.message > limit {
            return Err(TransactionError::TooLarge { found: self.message, limit });
        }
        Ok(())
    }

    /// Its identity without key and signature.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.id
    }

    /// Its identity with key and signature.
    #[must_use]
    pub fn sealed_id(&self) -> SealedId {
        self.sealed
    }

    /// Bytes of its encoding, signature included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }
}

impl SignedTransaction {
    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.hashed.inner.transaction
    }

    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.hashed.inner.key
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.hashed.id
    }

    /// Its identity with key and signature.
    #[must_use]
    pub fn sealed_id(&self) -> SealedId {
        self.hashed.sealed
    }

    /// Bytes of its encoding, signature included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.hashed.size
    }

    /// The form that travels and is stored.
    #[must_use]
    pub fn as_untrusted(&self) -> &UntrustedTransaction {
        &self.hashed.inner
    }

    /// The form that travels and is stored.
    #[must_use]
    pub fn into_untrusted(self) -> UntrustedTransaction {
        self.hashed.inner
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::block::transactions_tree;
    use crate::calls::{GrantId, RevokeAccess};
    use crate::merkle::list_root;
    use amulet_crypto::entropy::SeededEntropy;

    fn signed() -> SignedTransaction {
        let key = SigningKey::generate(&mut SeededEntropy::new(1));
        Transaction {
            version: TRANSACTION_VERSION,
            chain: ChainId(Digest::ZERO),
            sender: Did::of_key(key.public_key()),
            nonce: Nonce(1),
            call: Call::RevokeAccess(RevokeAccess { grant: GrantId(TxId(Digest::ZERO)) }),
        }
        .sign(&key)
    }

    #[test]
    fn another_signature_has_the_same_id_and_another_sealed_id() {
        let good = signed();
        let mut forged = good.as_untrusted().clone();
        let other = SigningKey::generate(&mut SeededEntropy::new(2));
        forged.signature =
            other.sign(SigningContext::Transaction, &ChainId(Digest::ZERO).tag(), b"something else");
        let forged = forged.hashed();
        assert_eq!(forged.id(), good.id());
        assert_ne!(forged.sealed_id(), good.sealed_id());
        assert_eq!(forged.verify(ChainId(Digest::ZERO)), Err(TransactionError::Signature));
    }

    #[test]
    fn the_sealed_id_is_the_leaf_of_the_transactions_tree() {
        let good = signed();
        let root = transactions_tree(core::slice::from_ref(good.as_untrusted())).root();
        assert_eq!(list_root(&[good.sealed_id().0]), root);
        assert_eq!(good.size(), crate::codec::encode(good.as_untrusted()).len());
        assert_eq!(good.id(), good.transaction().id());
    }
}
