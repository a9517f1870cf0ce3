//! How long a node that could not be reached is left alone. Time and randomness are inputs.

use amulet_protocol::ids::Timestamp;
use std::time::Duration;

/// Pause after the first failure.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(250);
/// Longest pause. A person who switches the network on and tries again waits at most so long.
pub const BACKOFF_MAX: Duration = Duration::from_secs(4);

/// The state of one node. Each failure doubles the pause; of each pause half is fixed and half is drawn, so that many
/// wallets that lost the same hospital at the same moment do not come back at the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// Notes that the node could not be reached at `now`; `drawn` is any number.
    pub fn on_failure(&mut self, now: Timestamp, drawn: u16) {
        let pause = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(16)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = pause / 2 + (pause / 2).mul_f64(f64::from(drawn) / f64::from(u16::MAX));
        self.until = Some(now.plus_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)));
    }

    /// Notes that the node answers.
    pub fn on_success(&mut self) {
        *self = Self::default();
    }

    /// How long to wait at `now` before the node is tried again. Never longer than [`BACKOFF_MAX`], also if the clock was
    /// set back meanwhile.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Duration {
        let left = self.until.map_or(0, |until| until.0.saturating_sub(now.0));
        Duration::from_millis(left).min(BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn waits(drawn: u16) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let step = |_| {
            backoff.on_failure(NOW, drawn);
            backoff.wait(NOW).as_millis()
        };
        (0..7).map(step).collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_half_of_each_is_drawn() {
        assert_eq!(waits(u16::MAX), [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
        assert_eq!(waits(0), [125, 250, 500, 1_000, 2_000, 2_000, 2_000]);
    }

    #[test]
    fn an_answer_ends_it_time_ends_it_and_a_clock_that_is_set_back_does_not_prolong_it() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.wait(NOW), Duration::ZERO);
        backoff.on_failure(NOW, u16::MAX);
        assert_eq!(backoff.wait(NOW.plus_millis(100)), Duration::from_millis(150));
        assert_eq!(backoff.wait(NOW.plus_millis(250)), Duration::ZERO);
        assert_eq!(backoff.wait(Timestamp(0)), BACKOFF_MAX);
        backoff.on_success();
        assert_eq!(backoff, Backoff::default());
    }
}
