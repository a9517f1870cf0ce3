//! Transactions that wait to be ordered, oldest first.

use crate::ledger::KnownTransactions;
use amulet_protocol::ids::{Did, Nonce, ReplicaId, TxId};
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
    /// Too much waits that came the same way, against what is still free.
    #[error(
        "{transactions} transactions of {bytes} bytes that came the same way wait, which is their share for now"
    )]
    Share {
        /// Transactions that came this way.
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

/// How a transaction came here: from a validator that passed it on, or to this node first.
type Way = Option<ReplicaId>;

/// What waits of one way.
#[derive(Clone, Copy, Default)]
struct Taken {
    transactions: usize,
    bytes: usize,
}

#[derive(Default)]
struct Queue {
    next: u64,
    bytes: usize,
    /// What may be put into the next block, by its place in the queue.
    ready: BTreeMap<u64, Arc<SignedTransaction>>,
    /// Bytes of `ready`.
    ready_bytes: usize,
    /// What waits and may not be put into the next block.
    aside: BTreeMap<u64, Arc<SignedTransaction>>,
    /// What is aside, in the queue or not: at most the transactions of the blocks in flight and of one more block.
    aside_ids: BTreeSet<TxId>,
    places: BTreeMap<TxId, (u64, Way)>,
    /// By sender and number, as a block names them first; of several of one number, the one that came last.
    numbers: BTreeMap<(Did, Nonce), u64>,
    per_sender: BTreeMap<Did, usize>,
    /// A way has as many entries as there are validators, at most.
    per_way: BTreeMap<Way, Taken>,
}

impl Queue {
    fn len(&self) -> usize {
        self.ready.len() + self.aside.len()
    }

    fn put_in_place(&mut self, place: u64, transaction: Arc<SignedTransaction>) {
        if self.aside_ids.contains(&transaction.id()) {
            self.aside.insert(place, transaction);
        } else {
            self.ready_bytes += transaction.size();
            self.ready.insert(place, transaction);
        }
    }

    fn take_from_place(&mut self, place: u64) -> Option<Arc<SignedTransaction>> {
        if let Some(transaction) = self.ready.remove(&place) {
            self.ready_bytes -= transaction.size();
            return Some(transaction);
        }
        self.aside.remove(&place)
    }

    /// Whether the queue has room for another transaction that came this way. A way may take as much as is left free: one
    /// that floods the queue gets half of it, two a third each, and there is always room for the others ("dynamic
    /// thresholds", Choudhury and Hahne, 1998).
    fn check_room(&self, way: Way, size: usize) -> Result<(), MempoolFull> {
        let transactions = self.len();
        if transactions >= MEMPOOL_TRANSACTIONS_MAX || self.bytes + size > MEMPOOL_BYTES_MAX {
            return Err(MempoolFull::Total { transactions, bytes: self.bytes });
        }
        let Taken { transactions, bytes } = self.per_way.get(&way).copied().unwrap_or_default();
        let free = (MEMPOOL_TRANSACTIONS_MAX - self.len(), MEMPOOL_BYTES_MAX - self.bytes);
        if transactions >= free.0 || bytes + size > free.1 {
            return Err(MempoolFull::Share { transactions, bytes });
        }
        Ok(())
    }

    /// Moves a transaction to where it belongs by `aside_ids`.
    fn sort(&mut self, id: TxId) {
        if let Some((place, _)) = self.places.get(&id).copied() {
            let transaction = self.take_from_place(place).expect("all tables hold the same transactions");
            self.put_in_place(place, transaction);
        }
    }
}

/// What may be put into the next block, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Transactions.
    pub transactions: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Transactions that ever came into the queue: its growth is the rate of arrival.
    pub arrived: u64,
}

/// The queue; cheap to clone.
#[derive(Clone)]
pub struct Mempool {
    queue: Arc<Mutex<Queue>>,
    length: watch::Sender<usize>,
    /// A deliberate bug.
    is_unbounded: bool,
}

impl Default for Mempool {
    fn default() -> Self {
        Self { queue: Arc::default(), length: watch::Sender::new(0), is_unbounded: false }
    }
}

impl Mempool {
    /// A queue that takes everything: a deliberate bug.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn without_bounds() -> Self {
        Self { is_unbounded: true, ..Self::default() }
    }

    /// Adds a transaction that came to this node first, whose signature was checked.
    ///
    /// # Errors
    /// [`MempoolFull`] by variant.
    pub fn insert(&self, transaction: SignedTransaction) -> Result<Inserted, MempoolFull> {
        self.add(None, transaction)
    }

    /// Adds a transaction that a validator passed on, whose signature was checked.
    ///
    /// # Errors
    /// [`MempoolFull`] by variant.
    pub fn insert_from(
        &self,
        from: ReplicaId,
        transaction: SignedTransaction,
    ) -> Result<Inserted, MempoolFull> {
        self.add(Some(from), transaction)
    }

    fn add(&self, way: Way, transaction: SignedTransaction) -> Result<Inserted, MempoolFull> {
        let mut queue = self.lock();
        let id = transaction.id();
        if queue.places.contains_key(&id) {
            return Ok(Inserted::Known);
        }
        let sender = transaction.transaction().sender;
        let waiting = queue.per_sender.get(&sender).copied().unwrap_or(0);
        if waiting >= MEMPOOL_PER_SENDER_MAX && !self.is_unbounded {
            return Err(MempoolFull::Sender { sender, waiting });
        }
        let size = transaction.size();
        if !self.is_unbounded {
            queue.check_room(way, size)?;
        }
        let place = queue.next;
        queue.next += 1;
        queue.bytes += size;
        let taken = queue.per_way.entry(way).or_default();
        (taken.transactions, taken.bytes) = (taken.transactions + 1, taken.bytes + size);
        queue.places.insert(id, (place, way));
        queue.numbers.insert((sender, transaction.transaction().nonce), place);
        queue.per_sender.insert(sender, waiting + 1);
        queue.put_in_place(place, Arc::new(transaction));
        self.announce(&queue);
        Ok(Inserted::New)
    }

    /// Transactions that came after so many others had come, oldest first, and how many have come now. Those that have left
    /// the queue since are not among them.
    #[must_use]
    pub fn arrived_since(&self, arrived: u64) -> (Vec<TxId>, u64) {
        let queue = self.lock();
        let (ready, aside) = (queue.ready.range(arrived..), queue.aside.range(arrived..));
        let mut new: Vec<_> = ready.chain(aside).map(|(place, found)| (*place, found.id())).collect();
        new.sort_unstable_by_key(|(place, _)| *place);
        (new.into_iter().map(|(_, id)| id).collect(), queue.next)
    }

    /// The oldest transactions that fit into a block and are not [aside](Self::set_aside). They stay in the queue until they
    /// are removed.
    #[must_use]
    pub fn batch(&self) -> Vec<Arc<SignedTransaction>> {
        self.batch_of(BLOCK_TRANSACTIONS_MAX)
    }

    /// As [`batch`](Self::batch), and no more than `most`.
    #[must_use]
    pub fn batch_of(&self, most: usize) -> Vec<Arc<SignedTransaction>> {
        let queue = self.lock();
        let mut bytes = 0;
        let fits = |transaction: &&Arc<SignedTransaction>| {
            bytes += transaction.size();
            bytes <= BLOCK_TRANSACTIONS_BYTES_MAX
        };
        queue.ready.values().take(most.min(BLOCK_TRANSACTIONS_MAX)).take_while(fits).cloned().collect()
    }

    /// What [`batch`](Self::batch) picks from, in numbers.
    #[must_use]
    pub fn ready(&self) -> Ready {
        let queue = self.lock();
        Ready { transactions: queue.ready.len(), bytes: queue.ready_bytes, arrived: queue.next }
    }

    /// Keeps transactions out of batches, whether they are in the queue or come into it later: those of a block in flight,
    /// for no two blocks may hold the same one.
    pub fn set_aside(&self, ids: impl IntoIterator<Item = TxId>) {
        let mut queue = self.lock();
        for id in ids {
            queue.aside_ids.insert(id);
            queue.sort(id);
        }
    }

    /// Lets transactions into batches again, each at its old place in the queue.
    pub fn put_back(&self, ids: impl IntoIterator<Item = TxId>) {
        let mut queue = self.lock();
        for id in ids {
            queue.aside_ids.remove(&id);
            queue.sort(id);
        }
    }

    /// What has waited longest and is not [aside](Self::set_aside), of what came to this node first and of what was passed on
    /// to it: no more than `most` of each.
    #[must_use]
    pub fn oldest(&self, most: usize) -> (Vec<Arc<SignedTransaction>>, Vec<Arc<SignedTransaction>>) {
        let queue = self.lock();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for transaction in queue.ready.values() {
            let is_own = queue.places.get(&transaction.id()).is_some_and(|(_, way)| way.is_none());
            let found = if is_own { &mut own } else { &mut others };
            if found.len() < most {
                found.push(transaction.clone());
            }
            if own.len() == most && others.len() == most {
                break;
            }
        }
        (own, others)
    }

    /// Everything that waits of the senders that `of` picks.
    #[must_use]
    pub fn waiting(&self, of: impl Fn(&Did) -> bool) -> Vec<Arc<SignedTransaction>> {
        let queue = self.lock();
        let senders: BTreeSet<Did> = queue.per_sender.keys().filter(|sender| of(sender)).copied().collect();
        if senders.is_empty() {
            return Vec::new();
        }
        let theirs = |found: &&Arc<SignedTransaction>| senders.contains(&found.transaction().sender);
        queue.ready.values().chain(queue.aside.values()).filter(theirs).cloned().collect()
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, id: TxId) -> bool {
        self.lock().places.contains_key(&id)
    }

    /// Whether a transaction waits, or stands in a block in flight.
    #[must_use]
    pub fn knows(&self, id: TxId) -> bool {
        let queue = self.lock();
        queue.places.contains_key(&id) || queue.aside_ids.contains(&id)
    }

    /// Removes transactions that were committed or can never be.
    pub fn remove<'a>(&self, ids: impl IntoIterator<Item = &'a TxId>) {
        let mut queue = self.lock();
        for id in ids {
            queue.aside_ids.remove(id);
            let Some((place, way)) = queue.places.remove(id) else { continue };
            let transaction = queue.take_from_place(place).expect("all tables hold the same transactions");
            let size = transaction.size();
            queue.bytes -= size;
            let taken = queue.per_way.get_mut(&way).expect("all tables hold the same transactions");
            (taken.transactions, taken.bytes) = (taken.transactions - 1, taken.bytes - size);
            let sender = transaction.transaction().sender;
            let number = (sender, transaction.transaction().nonce);
            if queue.numbers.get(&number) == Some(&place) {
                queue.numbers.remove(&number);
            }
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
        let length = queue.len();
        self.length.send_if_modified(|current| std::mem::replace(current, length) != length);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownTransactions for Mempool {
    fn find(&self, sender: Did, nonce: Nonce) -> Option<Arc<SignedTransaction>> {
        let queue = self.lock();
        let place = queue.numbers.get(&(sender, nonce))?;
        queue.aside.get(place).or_else(|| queue.ready.get(place)).cloned()
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
        assert_eq!(batch(&mempool), all);
        mempool.remove([&all[1].id()]);
        assert_eq!(batch(&mempool), [all[0].clone(), all[2].clone()]);
        assert_eq!(*mempool.subscribe().borrow(), 2);
    }

    #[test]
    fn what_is_aside_is_in_no_batch_even_if_it_comes_later_and_has_its_old_place_afterwards() {
        let key = SigningKey::generate(&mut SeededEntropy::new(3));
        let mempool = Mempool::default();
        let all: Vec<_> = (1..=3).map(|nonce| transaction(&key, nonce)).collect();
        mempool.insert(all[0].clone()).unwrap();
        mempool.insert(all[1].clone()).unwrap();
        mempool.set_aside([all[0].id(), all[2].id()]);
        mempool.insert(all[2].clone()).unwrap();
        assert_eq!(batch(&mempool), all[1..2]);
        let ready = Ready { transactions: 1, bytes: all[1].size(), arrived: 3 };
        assert_eq!((mempool.ready(), mempool.len()), (ready, 3));
        mempool.put_back([all[0].id()]);
        assert_eq!(batch(&mempool), all[..2]);
        mempool.remove([&all[2].id()]);
        assert_eq!(mempool.len(), 2);
        mempool.insert(all[2].clone()).unwrap();
        assert_eq!(batch(&mempool), all);
    }

    fn batch(mempool: &Mempool) -> Vec<SignedTransaction> {
        mempool.batch().into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// A fresh sender for each, as whoever floods the queue would make them.
    fn fill(mempool: &Mempool, from: Option<u16>, first: u64) -> usize {
        let mut key = SigningKey::generate(&mut SeededEntropy::new(first));
        for count in 0.. {
            if count % MEMPOOL_PER_SENDER_MAX == 0 {
                key = SigningKey::generate(&mut SeededEntropy::new(first + count as u64));
            }
            let transaction = transaction(&key, count as u64);
            let inserted = match from {
                Some(from) => mempool.insert_from(ReplicaId(from), transaction),
                None => mempool.insert(transaction),
            };
            match inserted {
                Ok(_) => {}
                Err(MempoolFull::Share { transactions, .. }) => {
                    assert_eq!(transactions, count);
                    return count;
                }
                Err(other) => panic!("{other}"),
            }
        }
        unreachable!("the queue is bounded")
    }

    #[test]
    fn a_validator_that_floods_the_queue_leaves_room_for_others_and_loses_nothing_when_it_is_worked_off() {
        let mempool = Mempool::default();
        let half = fill(&mempool, Some(1), 1);
        assert_eq!(half, MEMPOOL_TRANSACTIONS_MAX / 2);
        let next = fill(&mempool, None, 1_000_000);
        assert!(next >= MEMPOOL_TRANSACTIONS_MAX / 4);
        let key = SigningKey::generate(&mut SeededEntropy::new(9));
        assert_eq!(mempool.insert_from(ReplicaId(2), transaction(&key, 1)), Ok(Inserted::New));
        let all: Vec<TxId> = mempool.waiting(|_| true).iter().map(|found| found.id()).collect();
        mempool.remove(&all);
        assert_eq!(fill(&mempool, Some(1), 2_000_000), half);
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
