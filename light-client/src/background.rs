//! When to synchronise without being asked: pausable, sparing on a metered link, patient with a network that is down.
//!
//! [`Background`] decides and remembers; it has no clock, no randomness and no network of its own. Whoever embeds it spawns
//! [`Background::run`] on the platform's executor and says what a sync is. One that is paused or killed half-way is gone on
//! with from the store, see [`LightClient::sync`](crate::LightClient::sync).

use crate::platform::{self, Clock};
use amulet_crypto::entropy::Entropy;
use amulet_protocol::ids::Timestamp;
use futures::future::{Either, select};
use futures::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// Pause after the first failure; each further one doubles it.
pub const RETRY_FIRST: Duration = Duration::from_secs(30);
/// How often the clock is looked at while waiting: timers stand still while a device sleeps, and it should not be stale for
/// long after it woke up.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How much a sync may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// All hospitals are asked.
    #[default]
    Full,
    /// As on a metered or weak link: only as many hospitals as are needed as witnesses, others only in the place of those
    /// that fail. Nothing is believed on less; but who is behind or down is not learnt, nor a disagreement of those not
    /// asked.
    Metered,
}

impl SyncPolicy {
    /// Time between two syncs in the background.
    #[must_use]
    pub fn interval(self) -> Duration {
        match self {
            Self::Full => Duration::from_secs(3_600),
            Self::Metered => Duration::from_secs(6 * 3_600),
        }
    }
}

/// What goes on in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundStatus {
    /// How much a sync may cost.
    pub policy: SyncPolicy,
    /// Whether it is paused.
    pub paused: bool,
    /// Since when a sync is under way, if one is.
    pub under_way: Option<Timestamp>,
    /// When a sync last succeeded, in the background or not, since this was made.
    pub succeeded: Option<Timestamp>,
    /// When the next one is due; `None` while paused or under way.
    pub next: Option<Timestamp>,
    /// How many failed since one succeeded.
    pub failures: u32,
}

/// The schedule of one client. All methods take `&self`; only one [`run`](Background::run) at a time.
#[derive(Debug, Default)]
pub struct Background {
    schedule: Mutex<Schedule>,
    changed: AtomicWaker,
}

#[derive(Debug, Default)]
struct Schedule {
    policy: SyncPolicy,
    paused: bool,
    under_way: Option<Timestamp>,
    succeeded: Option<Timestamp>,
    /// At the start of time at first: a sync is due at once.
    due: Timestamp,
    failures: u32,
    /// Counts what was changed from outside, so that a change between two looks is not missed.
    changes: u64,
}

impl Schedule {
    /// How long until a sync is due; `None` while paused. Never longer than the interval: what lies further ahead was planned
    /// before the clock was set back, and is planned anew.
    fn wait(&mut self, now: Timestamp) -> Option<Duration> {
        self.due = self.due.min(now.plus_millis(millis(self.policy.interval())));
        let left = Duration::from_millis(self.due.0.saturating_sub(now.0));
        (!self.paused).then_some(left)
    }
}

impl Background {
    /// A schedule by which a sync is due at once.
    #[must_use]
    pub fn new(policy: SyncPolicy) -> Self {
        let schedule = Schedule { policy, ..Schedule::default() };
        Self { schedule: Mutex::new(schedule), changed: AtomicWaker::new() }
    }

    /// What goes on.
    #[must_use]
    pub fn status(&self) -> BackgroundStatus {
        let Schedule { policy, paused, under_way, succeeded, due, failures, .. } = *self.schedule();
        let next = (!paused && under_way.is_none()).then_some(due);
        BackgroundStatus { policy, paused, under_way, succeeded, next, failures }
    }

    /// Pauses, or goes on. A sync that is under way is broken off; what it had reached is kept.
    pub fn set_paused(&self, paused: bool) {
        self.change(|schedule| schedule.paused = paused);
    }

    /// Changes the policy, from the next sync on.
    pub fn set_policy(&self, policy: SyncPolicy, now: Timestamp) {
        self.change(|schedule| {
            schedule.policy = policy;
            schedule.due = schedule.due.min(now.plus_millis(millis(policy.interval())));
        });
    }

    /// Notes that a sync succeeded, whoever asked for it: the next one can wait.
    pub fn note_success(&self, now: Timestamp) {
        let mut schedule = self.schedule();
        schedule.failures = 0;
        schedule.succeeded = Some(now);
        schedule.due = now.plus_millis(millis(schedule.policy.interval()));
    }

    /// Notes that a sync in the background failed; `drawn` is any number. Half of the pause before the next is fixed, half
    /// is drawn, so that not all wallets come at once to hospitals that were down.
    pub fn note_failure(&self, now: Timestamp, drawn: u16) {
        let mut schedule = self.schedule();
        let pause =
            RETRY_FIRST.saturating_mul(1 << schedule.failures.min(16)).min(schedule.policy.interval());
        schedule.failures = schedule.failures.saturating_add(1);
        let pause = pause / 2 + (pause / 2).mul_f64(f64::from(drawn) / f64::from(u16::MAX));
        schedule.due = now.plus_millis(millis(pause));
    }

    /// Synchronises whenever that is due, for as long as this is polled; `sync` says whether it succeeded. When it is
    /// paused, the future of a sync under way is dropped.
    pub async fn run<F: Future<Output = bool>>(
        &self,
        clock: &dyn Clock,
        mut entropy: impl Entropy,
        mut sync: impl FnMut(SyncPolicy) -> F,
    ) {
        loop {
            self.until_due(clock).await;
            let policy = {
                let mut schedule = self.schedule();
                schedule.under_way = Some(clock.now());
                schedule.policy
            };
            let outcome = match select(pin!(sync(policy)), pin!(self.until_paused())).await {
                Either::Left((succeeded, _)) => Some(succeeded),
                Either::Right(_) => None,
            };
            self.schedule().under_way = None;
            match outcome {
                Some(true) => self.note_success(clock.now()),
                Some(false) => {
                    let mut drawn = [0; 2];
                    entropy.fill(&mut drawn);
                    self.note_failure(clock.now(), u16::from_be_bytes(drawn));
                }
                // It stays due.
                None => {}
            }
        }
    }

    async fn until_due(&self, clock: &dyn Clock) {
        loop {
            let (wait, seen) = {
                let mut schedule = self.schedule();
                (schedule.wait(clock.now()), schedule.changes)
            };
            match wait {
                Some(Duration::ZERO) => return,
                Some(wait) => {
                    let pause = pin!(platform::sleep(wait.min(LOOK_EVERY)));
                    select(pause, pin!(self.until_changed(seen))).await;
                }
                None => self.until_changed(seen).await,
            }
        }
    }

    async fn until_paused(&self) {
        loop {
            let (paused, seen) = {
                let schedule = self.schedule();
                (schedule.paused, schedule.changes)
            };
            if paused {
                return;
            }
            self.until_changed(seen).await;
        }
    }

    async fn until_changed(&self, seen: u64) {
        let look = |context: &mut std::task::Context<'_>| {
            self.changed.register(context.waker());
            if self.schedule().changes == seen { Poll::Pending } else { Poll::Ready(()) }
        };
        poll_fn(look).await;
    }

    fn change(&self, change: impl FnOnce(&mut Schedule)) {
        let mut schedule = self.schedule();
        change(&mut schedule);
        schedule.changes += 1;
        drop(schedule);
        self.changed.wake();
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const HOUR_MS: u64 = 3_600_000;

    fn next_after_failures(failures: usize, drawn: u16) -> Duration {
        let background = Background::new(SyncPolicy::Full);
        (0..failures).for_each(|_| background.note_failure(NOW, drawn));
        background.schedule().wait(NOW).unwrap_or_default()
    }

    #[test]
    fn the_first_is_due_at_once_and_the_next_after_the_interval() {
        let background = Background::new(SyncPolicy::Full);
        assert_eq!(background.schedule().wait(NOW), Some(Duration::ZERO));
        background.note_success(NOW);
        assert_eq!(background.status().next, Some(NOW.plus_millis(HOUR_MS)));
        background.set_policy(SyncPolicy::Metered, NOW);
        assert_eq!(background.status().next, Some(NOW.plus_millis(HOUR_MS)), "what was planned stays");
        background.note_success(NOW);
        assert_eq!(background.status().next, Some(NOW.plus_millis(6 * HOUR_MS)));
        background.set_policy(SyncPolicy::Full, NOW);
        assert_eq!(background.status().next, Some(NOW.plus_millis(HOUR_MS)), "no longer spared");
    }

    #[test]
    fn failures_are_tried_again_later_and_later_but_not_later_than_usual() {
        let seconds = |drawn| [1, 2, 3, 7, 8, 40].map(|n| next_after_failures(n, drawn).as_secs());
        assert_eq!(seconds(u16::MAX), [30, 60, 120, 1_920, 3_600, 3_600]);
        assert_eq!(seconds(0), [15, 30, 60, 960, 1_800, 1_800]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_it_for_longer_than_the_interval() {
        let background = Background::new(SyncPolicy::Full);
        background.note_success(NOW);
        assert_eq!(background.schedule().wait(Timestamp(0)), Some(Duration::from_millis(HOUR_MS)));
    }

    #[test]
    fn after_the_clock_was_set_back_it_is_due_after_the_interval_by_that_clock() {
        let background = Background::new(SyncPolicy::Full);
        background.note_success(NOW.plus_millis(1_000 * HOUR_MS));
        let waits =
            [0, HOUR_MS / 2, HOUR_MS].map(|passed| background.schedule().wait(NOW.plus_millis(passed)));
        let left = [HOUR_MS, HOUR_MS / 2, 0].map(|left| Some(Duration::from_millis(left)));
        assert_eq!(waits, left);
        assert_eq!(background.status().next, Some(NOW.plus_millis(HOUR_MS)));
    }

    #[test]
    fn while_paused_nothing_is_due() {
        let background = Background::new(SyncPolicy::Full);
        background.set_paused(true);
        // One after the other: what `schedule` gives is a lock that `status` takes too.
        assert_eq!(background.schedule().wait(NOW), None);
        assert_eq!(background.status().next, None);
        background.set_paused(false);
        assert_eq!(background.schedule().wait(NOW), Some(Duration::ZERO));
    }
}
