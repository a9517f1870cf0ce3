//! Noticing that the device slept: connections from before are dead, and nobody says so.

use amulet_protocol::ids::Timestamp;
use std::time::Duration;

/// How far the wall clock may get ahead of the running time before that is taken for sleep. Clocks that are set right by
/// the network move by less; a connection survives a pause of this length anyway.
const SLEEP_MIN: Duration = Duration::from_secs(20);

/// Compares the wall clock, which goes on while the device sleeps, with the running time, which does not. A clock that
/// somebody sets forward looks the same, and costs some new connections.
#[derive(Clone, Copy, Debug)]
pub struct WakeWatch {
    wall: Timestamp,
    running: Duration,
}

impl WakeWatch {
    /// Starts to watch.
    #[must_use]
    pub fn new(wall: Timestamp, running: Duration) -> Self {
        Self { wall, running }
    }

    /// Whether the device slept since the last call, or the start.
    pub fn slept(&mut self, wall: Timestamp, running: Duration) -> bool {
        let wall_passed = Duration::from_millis(wall.0.saturating_sub(self.wall.0));
        let running_passed = running.saturating_sub(self.running);
        *self = Self { wall, running };
        wall_passed > running_passed + SLEEP_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_told_from_waiting_and_from_clocks_that_are_set() {
        let seconds = Duration::from_secs;
        let start = Timestamp(1_000_000_000);
        let mut watch = WakeWatch::new(start, seconds(0));
        assert!(!watch.slept(start.plus_millis(3_600_000), seconds(3_600)), "an hour without a question");
        assert!(watch.slept(start.plus_millis(2 * 3_600_000), seconds(3_601)), "an hour of sleep");
        assert!(!watch.slept(start.plus_millis(2 * 3_600_000 + 1_000), seconds(3_602)), "told once");
        assert!(!watch.slept(start.plus_millis(2 * 3_600_000 + 6_000), seconds(3_602)), "set right");
        assert!(!watch.slept(start, seconds(3_603)), "set back");
    }
}
