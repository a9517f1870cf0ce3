//! Transactions that wait to be ordered, oldest first.

use amulet_protocol::ids::{Did, TxId};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::transaction::SignedTransaction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Transactions kept in all.
pub const MEMPOOL_TRANSACTIONS_MAX: usize = 10_000;
/// Bytes kept in all.
pub const MEMPOOL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Transactions kept of one sender, so that one cannot crowd out the rest.
pub const MEMPOOL_PER_SENDER_MAX: usize = 64;

/// Why a transaction was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MempoolFull {
    /// The queue as a whole is full.
    #[error("the queue holds {transactions} transactions of {bytes} bytes, which is its limit")]
    Total {
        /// Transactions held.
        transactions: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// This sender has too many waiting.
    #[error("{sender} has {waiting} transactions waiting, which is the limit")]
    Sender {
        /// Whose.
        sender: Did,
        /// How many wait.
        waiting: usize,
    },
}

/// Whether a transaction was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was.
    New,
    /// It waits already.
    Known,
}

#[derive(Default)]
struct Queue {
    next: u64,
    bytes: usize,
    waiting: BTreeMap<u64, Arc<SignedTransaction>>,
    places: BTreeMap<TxId, u64>,
    per_sender: BTreeMap<Did, usize>,
}

/// The queue; cheap to clone.
#[derive(Clone)]
pub struct Mempool {
    queue: Arc<Mutex<Queue>>,
    length: watch::Sender<usize>,
}

impl Default for Mempool {
    fn default() -> Self {
        Self { queue: Arc::default(), length: watch::Sender::new(0) }
    }
}

impl Mempool {
    /// Adds a transaction whose signature was checked.
    ///
    /// # Errors
    /// [`MempoolFull`] by variant.
    pub fn insert(&self, transaction: SignedTransaction) -> Result<Inserted, MempoolFull> {
        let mut queue = self.lock();
        let id = transaction.id();
        if queue.places.contains_key(&id) {
            return Ok(Inserted::Known);
        }
        let sender = transaction.transaction().sender;
        let waiting = queue.per_sender.get(&sender).copied().unwrap_or(0);
        if waiting >= MEMPOOL_PER_SENDER_MAX {
            return Err(MempoolFull::Sender { sender, waiting });
        }
        let transactions = queue.waiting.len();
        if transactions >= MEMPOOL_TRANSACTIONS_MAX || queue.bytes + transaction.size() > MEMPOOL_BYTES_MAX {
            return Err(MempoolFull::Total { transactions, bytes: queue.bytes });
        }
        let place = queue.next;
        queue.next += 1;
        queue.bytes += transaction.size();
        queue.places.insert(id, place);
        queue.per_sender.insert(sender, waiting + 1);
        queue.waiting.insert(place, Arc::new(transaction));
        self.announce(&queue);
        Ok(Inserted::New)
    }

    /// The oldest transactions that fit into a block. They stay in the queue until they are removed.
    #[must_use]
    pub fn batch(&self) -> Vec<SignedTransaction> {
        self.candidates().into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// As [`batch`](Self::batch), shared with the queue.
    #[must_use]
    pub fn candidates(&self) -> Vec<Arc<SignedTransaction>> {
        let queue = self.lock();
        let mut bytes = 0;
        let fits = |transaction: &&Arc<SignedTransaction>| {
            bytes += transaction.size();
            bytes <= BLOCK_TRANSACTIONS_BYTES_MAX
        };
        queue.waiting.values().take(BLOCK_TRANSACTIONS_MAX).take_while(fits).cloned().collect()
    }

    /// Everything that waits of the senders that `of` picks, oldest first.
    #[must_use]
    pub fn waiting(&self, of: impl Fn(&Did) -> bool) -> Vec<Arc<SignedTransaction>> {
        let queue = self.lock();
        let senders: BTreeSet<Did> = queue.per_sender.keys().filter(|sender| of(sender)).copied().collect();
        if senders.is_empty() {
            return Vec::new();
        }
        let theirs = |found: &&Arc<SignedTransaction>| senders.contains(&found.transaction().sender);
        queue.waiting.values().filter(theirs).cloned().collect()
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, id: TxId) -> bool {
        self.lock().places.contains_key(&id)
    }

    /// Removes transactions that were committed or can never be.
    pub fn remove<'a>(&self, ids: impl IntoIterator<Item = &'a TxId>) {
        let mut queue = self.lock();
        for id in ids {
            let Some(place) = queue.places.remove(id) else { continue };
            let transaction = queue.waiting.remove(&place).expect("both tables hold the same transactions");
            queue.bytes -= transaction.size();
            let sender = transaction.transaction().sender;
            if let Some(waiting) = queue.per_sender.get_mut(&sender) {
                *waiting -= 1;
                if *waiting == 0 {
                    queue.per_sender.remove(&sender);
                }
            }
        }
        self.announce(&queue);
    }

    /// Number of transactions waiting, as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    /// Number of transactions waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        *self.length.borrow()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn announce(&self, queue: &Queue) {
        let length = queue.waiting.len();
        self.length.send_if_modified(|current| std::mem::replace(current, length) != length);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::Digest;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::calls::{Call, GrantId, RevokeAccess};
    use amulet_protocol::ids::{ChainId, Nonce};
    use amulet_protocol::transaction::{TRANSACTION_VERSION, Transaction};

    fn transaction(key: &SigningKey, nonce: u64) -> SignedTransaction {
        Transaction {
            version: TRANSACTION_VERSION,
            chain: ChainId(Digest::ZERO),
            sender: Did::of_key(key.public_key()),
            nonce: Nonce(nonce),
            call: Call::RevokeAccess(RevokeAccess { grant: GrantId(TxId(Digest::ZERO)) }),
        }
        .sign(key)
    }

    #[test]
    fn the_oldest_come_first_and_leave_when_removed() {
        let key = SigningKey::generate(&mut SeededEntropy::new(1));
        let mempool = Mempool::default();
        let all: Vec<_> = (1..=3).map(|nonce| transaction(&key, nonce)).collect();
        for transaction in &all {
            assert_eq!(mempool.insert(transaction.clone()), Ok(Inserted::New));
        }
        assert_eq!(mempool.insert(all[0].clone()), Ok(Inserted::Known));
        assert_eq!(mempool.batch(), all);
        mempool.remove([&all[1].id()]);
        assert_eq!(mempool.batch(), [all[0].clone(), all[2].clone()]);
        assert_eq!(*mempool.subscribe().borrow(), 2);
    }

    #[test]
    fn one_sender_cannot_crowd_out_the_others() {
        let mut entropy = SeededEntropy::new(2);
        let (greedy, modest) = (SigningKey::generate(&mut entropy), SigningKey::generate(&mut entropy));
        let mempool = Mempool::default();
        for nonce in 1..=MEMPOOL_PER_SENDER_MAX as u64 {
            mempool.insert(transaction(&greedy, nonce)).unwrap();
        }
        let refused = mempool.insert(transaction(&greedy, 1_000));
        let sender = Did::of_key(greedy.public_key());
        assert_eq!(refused, Err(MempoolFull::Sender { sender, waiting: MEMPOOL_PER_SENDER_MAX }));
        assert_eq!(mempool.insert(transaction(&modest, 1)), Ok(Inserted::New));
    }
}
