//! When a primary proposes what waits: at once, or a little later with more.
//!
//! A block costs much the same whether it holds one transaction or fifty: votes of all replicas, writes to their disks. So
//! under load it is worth waiting for more transactions, and the longer the more blocks are under way already, because
//! what is proposed now waits behind those anyway. Without load nothing is gained by waiting.
//!
//! Under overload there is always more than a block holds. How much goes into one is then bounded by the time from one
//! commit to the next: replicas that take longer over a block than their patience with the primary would leave its view,
//! and what is too much for them would be the less of a bound the longer the queue is.

use crate::mempool::Ready;
use amulet_pbft::Millis;
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};

/// Transactions with which a block is proposed without further delay. Executing and checking so many takes a good part of
/// the time that one agreement takes, so more would only make the pipeline's steps coarser.
pub const BATCH_TRANSACTIONS: usize = BLOCK_TRANSACTIONS_MAX / 4;
/// Bytes with which a block is proposed without further delay.
pub const BATCH_BYTES: usize = BLOCK_TRANSACTIONS_BYTES_MAX / 4;
/// What a block is delayed for each block in flight when there is load, in milliseconds.
pub const BATCH_DELAY_STEP: Millis = Millis(5);
/// The longest delay, in milliseconds: too short to be noticed by somebody who waits for a receipt.
pub const BATCH_DELAY_MAX: Millis = Millis(40);
/// Arrivals in one [`BATCH_DELAY_STEP`] from which on waiting that long is worth it.
const ARRIVALS_WORTH_WAITING: u64 = 2;
/// Time over which the rate of arrival is averaged, in milliseconds.
const RATE_WINDOW: Millis = Millis(100);
/// Fewest transactions that a block is bounded to, however long the blocks take: with fewer, agreement costs more than what
/// is agreed on.
const MOST_MIN: usize = 128;
/// Parts of the patience with a primary: commits further apart than the first make blocks smaller, by a quarter each; closer
/// than the second they make them larger again, by an eighth.
const FAR_APART: u64 = 3;
const CLOSE: u64 = 6;
/// Rates are kept as arrivals in this many milliseconds, in whole numbers.
const RATE_UNIT_MS: u64 = 1_000;

/// Follows the load and says how long to wait. A function of what it is told; the same at all times of day.
#[derive(Clone, Debug)]
pub(super) struct Batching {
    /// Arrivals a second, averaged.
    rate: u64,
    /// When the rate was last looked at, and how many had arrived.
    seen: Option<(Millis, u64)>,
    /// How long replicas wait for a commit before they leave a view.
    patience: Millis,
    /// Most transactions of a block.
    most: usize,
    /// Since when the next commit is waited for.
    waiting_since: Option<Millis>,
}

impl Batching {
    /// Without load yet, for replicas of this patience.
    pub(super) fn new(patience: Millis) -> Self {
        Self { rate: 0, seen: None, patience, most: BLOCK_TRANSACTIONS_MAX, waiting_since: None }
    }

    /// Most transactions that go into a block now.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A block is built now.
    pub(super) fn on_build(&mut self, now: Millis) {
        self.waiting_since.get_or_insert(now);
    }

    /// A block was committed; whether others are in flight behind it.
    pub(super) fn on_commit(&mut self, now: Millis, is_more_in_flight: bool) {
        let since = std::mem::replace(&mut self.waiting_since, is_more_in_flight.then_some(now));
        let Some(took) = since.map(|since| now.0.saturating_sub(since.0)) else { return };
        if took > self.patience.0 / FAR_APART {
            self.most = (self.most * 3 / 4).max(MOST_MIN);
        } else if took < self.patience.0 / CLOSE {
            self.most = (self.most + self.most / 8).min(BLOCK_TRANSACTIONS_MAX);
        }
    }

    /// Takes note of the queue.
    pub(super) fn observe(&mut self, now: Millis, ready: Ready) {
        let Some((then, arrived)) = self.seen else {
            self.seen = Some((now, ready.arrived));
            return;
        };
        let elapsed = now.0.saturating_sub(then.0);
        if elapsed == 0 {
            return;
        }
        let new = ready.arrived.saturating_sub(arrived).saturating_mul(RATE_UNIT_MS) / elapsed;
        // An average that forgets: what was seen longest counts most, and after a pause nothing is left of the past.
        let weight = elapsed.min(RATE_WINDOW.0);
        self.rate = (self.rate * (RATE_WINDOW.0 - weight) + new.saturating_mul(weight)) / RATE_WINDOW.0;
        self.seen = Some((now, ready.arrived));
    }

    /// How long to wait before the next block is built, with so many blocks in flight; [`Self::is_full`] ends the wait.
    pub(super) fn delay(&self, ready: Ready, in_flight: usize) -> Millis {
        let arrivals = self.rate.saturating_mul(BATCH_DELAY_STEP.0) / RATE_UNIT_MS;
        if self.is_full(ready) || arrivals < ARRIVALS_WORTH_WAITING {
            return Millis(0);
        }
        let steps = 1 + u64::try_from(in_flight).unwrap_or(u64::MAX);
        Millis(BATCH_DELAY_STEP.0.saturating_mul(steps).min(BATCH_DELAY_MAX.0))
    }

    /// Whether enough waits for a block, whatever else comes.
    pub(super) fn is_full(&self, ready: Ready) -> bool {
        ready.transactions >= BATCH_TRANSACTIONS.min(self.most) || ready.bytes >= BATCH_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(transactions: usize, arrived: u64) -> Ready {
        Ready { transactions, bytes: transactions * 300, arrived }
    }

    /// After a second with so many arrivals, evenly spread.
    fn after(rate: u64) -> Batching {
        let mut batching = Batching::new(Millis(1_500));
        for tick in 0..=100 {
            batching.observe(Millis(tick * 10), ready(1, tick * rate / 100));
        }
        batching
    }

    #[test]
    fn a_lone_transaction_does_not_wait_and_under_load_the_wait_grows_with_the_pipeline() {
        assert_eq!(after(0).delay(ready(1, 0), 0), Millis(0));
        assert_eq!(after(50).delay(ready(1, 50), 3), Millis(0));
        let loaded = after(2_000);
        assert_eq!(loaded.delay(ready(10, 2_000), 0), BATCH_DELAY_STEP);
        assert_eq!(loaded.delay(ready(10, 2_000), 2), Millis(15));
        assert_eq!(loaded.delay(ready(10, 2_000), 100), BATCH_DELAY_MAX);
    }

    #[test]
    fn a_full_batch_does_not_wait_by_count_nor_by_bytes() {
        let loaded = after(2_000);
        assert_eq!(loaded.delay(ready(BATCH_TRANSACTIONS, 2_000), 5), Millis(0));
        let large = Ready { transactions: 1, bytes: BATCH_BYTES, arrived: 2_000 };
        assert_eq!(loaded.delay(large, 5), Millis(0));
    }

    #[test]
    fn load_that_has_passed_is_forgotten() {
        let mut batching = after(5_000);
        batching.observe(Millis(1_200), ready(1, 5_001));
        assert_eq!(batching.delay(ready(1, 5_001), 4), Millis(0));
    }

    #[test]
    fn blocks_that_take_long_get_smaller_before_patience_ends_and_larger_again_when_they_do_not() {
        let mut batching = Batching::new(Millis(1_500));
        let mut now = Millis(0);
        batching.on_build(now);
        // A machine that takes one millisecond for a transaction: a full block would end everybody's patience.
        let mut took = Vec::new();
        for _ in 0..20 {
            let gap = batching.most() as u64;
            now = Millis(now.0 + gap);
            took.push(gap);
            batching.on_commit(now, true);
        }
        assert_eq!(took[0], BLOCK_TRANSACTIONS_MAX as u64);
        assert!(took[6..].iter().all(|gap| (250..=600).contains(gap)), "{took:?}");
        let slow = (0..50).fold(batching.clone(), |mut slow, step| {
            slow.on_commit(Millis(now.0 + step * 2_000), true);
            slow
        });
        assert_eq!(slow.most(), MOST_MIN);
        for _ in 0..50 {
            now = Millis(now.0 + 20);
            batching.on_commit(now, true);
        }
        assert_eq!(batching.most(), BLOCK_TRANSACTIONS_MAX);
        batching.on_commit(now, false);
        batching.on_commit(Millis(now.0 + 60_000), false);
        assert_eq!(batching.most(), BLOCK_TRANSACTIONS_MAX, "nobody waited for anything");
    }
}
