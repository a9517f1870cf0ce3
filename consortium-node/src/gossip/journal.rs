//! What is to be passed on, kept once for all peers.

use amulet_protocol::transaction::SignedTransaction;
use std::collections::VecDeque;
use std::sync::Arc;

/// Transactions kept: somewhat fewer than the queue holds, several times what goes into one block.
pub(super) const JOURNAL_TRANSACTIONS_MAX: usize = 8_192;
/// Bytes kept, for all peers together: four blocks.
pub(super) const JOURNAL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Transactions in one message: enough to make a message's own cost small, few enough that checking their signatures
/// does not keep a peer from other questions.
pub(super) const MESSAGE_TRANSACTIONS_MAX: usize = 512;
/// Bytes of the transactions in one message; a larger transaction goes alone.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// The transactions that came in last, the oldest first. Each peer has a place in it up to which it was told; whoever is so
/// slow that its place is gone misses what was there, so a slow peer costs neither memory nor the others their time.
#[derive(Default)]
pub(super) struct Journal {
    /// Place of the first entry; places count what ever came in.
    first: u64,
    entries: VecDeque<Arc<SignedTransaction>>,
    bytes: usize,
}

/// What a peer is told next.
pub(super) struct Excerpt {
    /// In order.
    pub(super) transactions: Vec<Arc<SignedTransaction>>,
    /// How many had left the journal before the peer's turn came.
    pub(super) missed: u64,
    /// The peer's place after these.
    pub(super) next: u64,
}

impl Journal {
    /// Adds a transaction, for which the oldest make room.
    pub(super) fn push(&mut self, transaction: Arc<SignedTransaction>) {
        self.bytes += transaction.size();
        self.entries.push_back(transaction);
        while self.entries.len() > JOURNAL_TRANSACTIONS_MAX || self.bytes > JOURNAL_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.size();
            self.first += 1;
        }
    }

    /// The place after the last entry.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// What fits into one message for a peer at this place.
    pub(super) fn excerpt(&self, place: u64) -> Excerpt {
        let from = place.max(self.first);
        let skip = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let mut transactions: Vec<Arc<SignedTransaction>> = Vec::new();
        for transaction in self.entries.iter().skip(skip).take(MESSAGE_TRANSACTIONS_MAX) {
            bytes += transaction.size();
            if bytes > MESSAGE_BYTES_MAX && !transactions.is_empty() {
                break;
            }
            transactions.push(transaction.clone());
        }
        let next = from + transactions.len() as u64;
        Excerpt { transactions, missed: from - place, next }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_contracts::testing::Actor;
    use amulet_crypto::digest::Digest;
    use amulet_protocol::ids::{ChainId, Nonce};

    fn transactions(count: u64) -> Vec<Arc<SignedTransaction>> {
        let actor = Actor::new(1);
        let sign = |nonce| actor.sign_numbered(ChainId(Digest::ZERO), Nonce(nonce), actor.registration());
        (0..count).map(|nonce| Arc::new(sign(nonce))).collect()
    }

    #[test]
    fn messages_hold_everything_in_order_within_their_bounds() {
        let mut journal = Journal::default();
        let all = transactions(MESSAGE_TRANSACTIONS_MAX as u64 + 10);
        all.iter().for_each(|transaction| journal.push(transaction.clone()));
        let (mut told, mut place) = (Vec::new(), 0);
        while place < journal.end() {
            let mut excerpt = journal.excerpt(place);
            let bytes: usize = excerpt.transactions.iter().map(|transaction| transaction.size()).sum();
            assert!(excerpt.transactions.len() <= MESSAGE_TRANSACTIONS_MAX && bytes <= MESSAGE_BYTES_MAX);
            assert_eq!(excerpt.missed, 0);
            told.append(&mut excerpt.transactions);
            place = excerpt.next;
        }
        assert_eq!(told, all);
    }

    #[test]
    fn the_oldest_make_room_and_a_slow_peer_goes_on_with_what_is_left() {
        let mut journal = Journal::default();
        let one = transactions(1).remove(0);
        for _ in 0..JOURNAL_TRANSACTIONS_MAX + 100 {
            journal.push(one.clone());
        }
        assert_eq!(journal.entries.len(), JOURNAL_TRANSACTIONS_MAX);
        let excerpt = journal.excerpt(30);
        assert_eq!(excerpt.missed, 70);
        assert_eq!(excerpt.next, 100 + excerpt.transactions.len() as u64);
        assert_eq!(journal.bytes, JOURNAL_TRANSACTIONS_MAX * one.size());
    }
}
