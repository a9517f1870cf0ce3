//! Sends the hospital's own transactions: numbers them, and stays with each until the ledger has it.

use crate::gossip::Gossip;
use crate::ledger::{Ledger, LedgerError};
use crate::mempool::{Mempool, MempoolFull};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::Call;
use amulet_protocol::ids::{Did, Nonce};
use amulet_protocol::limits::{NONCE_WINDOW, TRANSACTION_BYTES_MAX};
use amulet_protocol::receipt::{Outcome, Receipt, RefusalCode};
use amulet_protocol::state::{Account, StateKey};
use amulet_protocol::transaction::{SignedTransaction, TRANSACTION_VERSION, Transaction};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, interval_at, timeout_at};

/// How long a transaction is waited for: a view change, and some blocks.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often it is passed on again, for a validator that was away may be the primary now.
const AGAIN_EVERY: Duration = Duration::from_secs(3);

/// Why a transaction of the hospital did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The ledger refused it.
    #[error("the ledger refused: {0}")]
    Refused(RefusalCode),
    /// It was not committed in time. It may still be, later.
    #[error(
        "the hospitals did not agree within {} seconds; see whether enough of them are running, then try again",
        DEADLINE.as_secs()
    )]
    TimedOut,
    /// Another transaction of this hospital, sent earlier or from elsewhere, took its number: it can never be committed.
    #[error("another transaction of this hospital took the place of this one; try again")]
    Overtaken,
    /// Too many of this hospital's transactions are on their way.
    #[error("too many transactions of this hospital are on their way; try again later")]
    Busy,
    /// The queue is full.
    #[error(transparent)]
    Queue(#[from] MempoolFull),
    /// The call does not fit into a transaction.
    #[error("the transaction has {bytes} bytes, at most {TRANSACTION_BYTES_MAX} are accepted")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl SendError {
    /// Whether the call can still take effect later.
    #[must_use]
    pub fn may_take_effect(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Ledger(_))
    }
}

/// Sends for one hospital; there is one in a node, shared by all who send.
#[derive(Clone)]
pub struct OrgSender {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Ledger,
    mempool: Mempool,
    gossip: Gossip,
    key: Arc<SigningKey>,
    organisation: Did,
    on_their_way: Mutex<BTreeSet<u64>>,
    patience: Duration,
}

/// A number in use until this is dropped.
struct Numbered<'a> {
    inner: &'a Inner,
    nonce: Nonce,
}

impl Drop for Numbered<'_> {
    fn drop(&mut self) {
        self.inner.lock().remove(&self.nonce.0);
    }
}

impl OrgSender {
    /// Sends as the organisation whose key this is.
    #[must_use]
    pub fn new(ledger: Ledger, mempool: Mempool, gossip: Gossip, key: Arc<SigningKey>) -> Self {
        Self::with_patience(ledger, mempool, gossip, key, DEADLINE)
    }

    /// The same with another time after which a transaction is given up.
    pub(crate) fn with_patience(
        ledger: Ledger,
        mempool: Mempool,
        gossip: Gossip,
        key: Arc<SigningKey>,
        patience: Duration,
    ) -> Self {
        let organisation = Did::of_key(key.public_key());
        let on_their_way = Mutex::default();
        Self { inner: Arc::new(Inner { ledger, mempool, gossip, key, organisation, on_their_way, patience }) }
    }

    /// The organisation.
    #[must_use]
    pub fn organisation(&self) -> Did {
        self.inner.organisation
    }

    /// Sends a call and waits until the ledger has applied it.
    ///
    /// A number that was given up on is used again by the next call, so that of the two at most one is committed.
    ///
    /// # Errors
    /// [`SendError`] by variant; after [`SendError::TimedOut`] the call may still take effect.
    pub async fn send(&self, call: Call) -> Result<Receipt, SendError> {
        let numbered = self.inner.number()?;
        let inner = self.inner.clone();
        let nonce = numbered.nonce;
        let signed = tokio::task::spawn_blocking(move || inner.sign(nonce, call));
        let transaction = signed.await.expect("signing does not panic");
        if transaction.size() > TRANSACTION_BYTES_MAX {
            return Err(SendError::TooLarge { bytes: transaction.size() });
        }
        let receipt = self.settle(&transaction).await;
        if receipt.is_err() {
            self.inner.mempool.remove([&transaction.id()]);
        }
        let receipt = receipt?;
        match receipt.outcome {
            Outcome::Applied { .. } => Ok(receipt),
            Outcome::Refused { code } => Err(SendError::Refused(code)),
        }
    }

    async fn settle(&self, transaction: &SignedTransaction) -> Result<Receipt, SendError> {
        let inner = &self.inner;
        let mut tips = inner.ledger.subscribe();
        let deadline = Instant::now() + inner.patience;
        let mut again = interval_at(Instant::now() + AGAIN_EVERY, AGAIN_EVERY);
        inner.mempool.insert(transaction.clone())?;
        inner.gossip.pass_on(transaction);
        loop {
            tips.borrow_and_update();
            if let Some((_, receipt)) = inner.ledger.receipt(transaction.id())? {
                return Ok(receipt);
            }
            if inner.is_used(transaction.transaction().nonce)? {
                // The block may have come between the two looks.
                return match inner.ledger.receipt(transaction.id())? {
                    Some((_, receipt)) => Ok(receipt),
                    None => Err(SendError::Overtaken),
                };
            }
            let next = async {
                tokio::select! {
                    biased;
                    _ = tips.changed() => false,
                    _ = again.tick() => true,
                }
            };
            if timeout_at(deadline, next).await.map_err(|_| SendError::TimedOut)? {
                // It may have been dropped meanwhile. That there is no room for it now is no reason to give up: others
                // have it.
                let _ = inner.mempool.insert(transaction.clone());
                inner.gossip.pass_on(transaction);
            }
        }
    }
}

impl Inner {
    fn sign(&self, nonce: Nonce, call: Call) -> SignedTransaction {
        let (version, chain) = (TRANSACTION_VERSION, self.ledger.chain());
        Transaction { version, chain, sender: self.organisation, nonce, call }.sign(&self.key)
    }

    fn account(&self) -> Result<Account, LedgerError> {
        Ok(self.ledger.read(&StateKey::Account(self.organisation))?.unwrap_or_default())
    }

    /// The lowest number above all committed ones that is not on its way.
    fn number(&self) -> Result<Numbered<'_>, SendError> {
        let mut on_their_way = self.lock();
        let highest = self.account()?.highest.0;
        let free = (highest + 1..=highest + NONCE_WINDOW).find(|nonce| !on_their_way.contains(nonce));
        let nonce = free.ok_or(SendError::Busy)?;
        on_their_way.insert(nonce);
        Ok(Numbered { inner: self, nonce: Nonce(nonce) })
    }

    /// Whether a committed transaction has this number, which was free when it was given out.
    fn is_used(&self, nonce: Nonce) -> Result<bool, LedgerError> {
        let Account { highest, used } = self.account()?;
        let Some(below) = highest.0.checked_sub(nonce.0) else { return Ok(false) };
        let Some(bit) = below.checked_sub(1) else { return Ok(true) };
        let word = usize::try_from(bit / 64).ok().and_then(|word| used.get(word));
        Ok(word.is_none_or(|word| word >> (bit % 64) & 1 == 1))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.on_their_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
