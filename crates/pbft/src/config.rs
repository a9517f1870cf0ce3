//! What a replica must be told, checked once.

use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;

use crate::limits::{OPEN_CHECKPOINTS_MAX, PIPELINE_DEPTH_MAX};
use crate::planted::Bug;

/// A span of time in milliseconds. The core only names it; the driver waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// How long a primary has to commit a waiting request before its backups leave the view; doubles with each view
    /// that brings no commit. Must exceed the time to build, send, execute and vote on the largest block.
    pub progress: Millis,
    /// What the doubling ends at.
    pub progress_max: Millis,
    /// Time between two status messages of a replica; also how often lost messages are sent again. Below `progress`,
    /// so that a replica that is not cut off hears the others while it waits.
    pub heartbeat: Millis,
}

impl Default for Timeouts {
    /// Fits a network within a country: 1.5 s to commit, 24 s at most, a status message twice a second.
    fn default() -> Self {
        Self { progress: Millis(1_500), progress_max: Millis(24_000), heartbeat: Millis(500) }
    }
}

/// A replica's configuration; valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    replica: ReplicaId,
    quorum: Quorum,
    timeouts: Timeouts,
    blocks_per_checkpoint: u64,
    window: u64,
    depth: u64,
    epoch: Epoch,
    epoch_start: Height,
    #[cfg(feature = "planted")]
    planted: std::collections::BTreeSet<Bug>,
}

/// Why a configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The replica's own number is not in the set.
    #[error("replica {replica} is not one of {size}")]
    UnknownReplica {
        /// The configured number.
        replica: ReplicaId,
        /// Members in the set.
        size: usize,
    },
    /// A time is zero, or they are not in order.
    #[error(
        "timeouts must be above zero and in order: heartbeat {heartbeat} < progress {progress} <= {max} ms"
    )]
    Timeouts {
        /// The heartbeat in milliseconds.
        heartbeat: u64,
        /// The first progress timeout in milliseconds.
        progress: u64,
        /// The largest progress timeout in milliseconds.
        max: u64,
    },
    /// The window is not between two checkpoints and the bound, or a checkpoint has no blocks.
    #[error(
        "window {window} must be 2 to {OPEN_CHECKPOINTS_MAX} times the {blocks_per_checkpoint} blocks of a checkpoint"
    )]
    Window {
        /// Blocks between the low and the high water mark.
        window: u64,
        /// Blocks from one checkpoint to the next.
        blocks_per_checkpoint: u64,
    },
    /// No height, or too many, would be in flight.
    #[error("1 to {PIPELINE_DEPTH_MAX} heights can be in flight at once, not {depth}")]
    Depth {
        /// The number given.
        depth: u64,
    },
}

impl Config {
    /// Checks and makes a configuration.
    ///
    /// `blocks_per_checkpoint` is the distance of checkpoints in heights. `window` is the distance of the water marks:
    /// at least two checkpoints, so that one lost round of checkpoint messages does not stop the chain.
    ///
    /// # Errors
    /// [`ConfigError`], by the setting that is wrong.
    pub fn new(
        replica: ReplicaId,
        quorum: Quorum,
        timeouts: Timeouts,
        blocks_per_checkpoint: u64,
        window: u64,
    ) -> Result<Self, ConfigError> {
        if usize::from(replica.0) >= quorum.size() {
            return Err(ConfigError::UnknownReplica { replica, size: quorum.size() });
        }
        let Timeouts { progress, progress_max, heartbeat } = timeouts;
        if heartbeat.0 == 0 || progress <= heartbeat || progress_max < progress {
            return Err(ConfigError::Timeouts {
                heartbeat: heartbeat.0,
                progress: progress.0,
                max: progress_max.0,
            });
        }
        let checkpoints = window.checked_div(blocks_per_checkpoint).unwrap_or(0);
        if !(2..=OPEN_CHECKPOINTS_MAX).contains(&checkpoints) {
            return Err(ConfigError::Window { window, blocks_per_checkpoint });
        }
        Ok(Self {
            replica,
            quorum,
            timeouts,
            blocks_per_checkpoint,
            window,
            depth: 1,
            epoch: Epoch(0),
            epoch_start: Height(0),
            #[cfg(feature = "planted")]
            planted: std::collections::BTreeSet::new(),
        })
    }

    /// The same, with `depth` heights in flight at once instead of one. All replicas should have the same.
    ///
    /// # Errors
    /// [`ConfigError::Depth`] for 0 and above `PIPELINE_DEPTH_MAX`.
    pub fn with_depth(mut self, depth: u64) -> Result<Self, ConfigError> {
        if !(1..=PIPELINE_DEPTH_MAX).contains(&depth) {
            return Err(ConfigError::Depth { depth });
        }
        self.depth = depth;
        Ok(self)
    }

    /// The same, in another epoch than that of the genesis set. `first` is the first height that the set certifies; the
    /// block before it is what all replicas of the epoch have to begin with.
    #[must_use]
    pub fn in_epoch(mut self, epoch: Epoch, first: Height) -> Self {
        self.epoch = epoch;
        self.epoch_start = first.previous().unwrap_or_default();
        self
    }

    /// The same, with deliberate bugs.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn with_planted(mut self, bugs: std::collections::BTreeSet<Bug>) -> Self {
        self.planted = bugs;
        self
    }

    /// Whether this deliberate bug is in.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn is_planted(&self, bug: Bug) -> bool {
        self.planted.contains(&bug)
    }

    /// Whether this deliberate bug is in: never, in a build without them.
    #[cfg(not(feature = "planted"))]
    #[must_use]
    pub const fn is_planted(&self, _bug: Bug) -> bool {
        false
    }

    /// Height of the last block before the epoch.
    #[must_use]
    pub fn epoch_start(&self) -> Height {
        self.epoch_start
    }

    /// The epoch in which the validator set is in force.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Heights that may be in flight at once, above the last committed one.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// This replica's number.
    #[must_use]
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// The quorum system of the validator set.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// How long to wait for what.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Heights from the low to the high water mark: `low` is excluded, `low + window` included.
    #[must_use]
    pub fn window(&self) -> u64 {
        self.window
    }

    /// Whether a checkpoint is taken after the block at `height`.
    #[must_use]
    pub fn is_checkpoint(&self, height: Height) -> bool {
        height.0 != 0 && height.0.is_multiple_of(self.blocks_per_checkpoint)
    }

    /// The primary of a view.
    #[must_use]
    pub fn primary_of(&self, view: View) -> ReplicaId {
        primary_of(view, self.quorum)
    }
}

/// The primary of `view` among the members of `quorum`: replica `view mod n`.
#[must_use]
pub fn primary_of(view: View, quorum: Quorum) -> ReplicaId {
    let position = view.0 % quorum.size() as u64;
    ReplicaId(u16::try_from(position).expect("a validator set has at most 100 members"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn four() -> Quorum {
        Quorum::for_size(4).unwrap()
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let config = |replica, timeouts, blocks, window| {
            Config::new(ReplicaId(replica), four(), timeouts, blocks, window)
        };
        let usual = Timeouts::default();
        assert!(config(3, usual, 8, 32).is_ok());
        assert_eq!(
            config(4, usual, 8, 32),
            Err(ConfigError::UnknownReplica { replica: ReplicaId(4), size: 4 })
        );
        for (blocks_per_checkpoint, window) in [(0, 32), (8, 15), (8, 17 * 8)] {
            assert_eq!(
                config(0, usual, blocks_per_checkpoint, window),
                Err(ConfigError::Window { window, blocks_per_checkpoint })
            );
        }
        let shrinking = Timeouts { progress_max: Millis(1), ..usual };
        assert!(matches!(config(0, shrinking, 8, 32), Err(ConfigError::Timeouts { max: 1, .. })));
        let deaf = Timeouts { heartbeat: usual.progress, ..usual };
        assert!(matches!(config(0, deaf, 8, 32), Err(ConfigError::Timeouts { heartbeat: 1_500, .. })));
    }

    #[test]
    fn primaries_take_turns() {
        let turns: Vec<_> = (0..6).map(|view| primary_of(View(view), four()).0).collect();
        assert_eq!(turns, [0, 1, 2, 3, 0, 1]);
    }

    #[test]
    fn genesis_is_no_checkpoint() {
        let config = Config::new(ReplicaId(0), four(), Timeouts::default(), 8, 32).unwrap();
        let checkpoints: Vec<_> = (0..20).filter(|height| config.is_checkpoint(Height(*height))).collect();
        assert_eq!(checkpoints, [8, 16]);
    }
}
