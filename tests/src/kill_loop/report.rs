//! What a kill loop found.

use super::Options;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// What a kill loop found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Processes killed.
    pub kills: u64,
    /// Times that all hospitals were killed at once.
    pub all_at_once: u64,
    /// Transactions whose receipt a client saw proven.
    pub acknowledged: usize,
    /// Blocks, compared at all hospitals.
    pub blocks: u64,
    /// The longest wait for a new block while a quorum ran.
    pub longest_wait: Duration,
    /// How long all of it took.
    pub took: Duration,
    /// The seed.
    pub seed: u64,
    /// Hospitals.
    pub hospitals: u16,
    /// Whether somebody ended it early: what is new since the last comparison was not compared.
    pub interrupted: bool,
    /// What went wrong, if anything did; the loop ends there.
    pub problem: Option<String>,
    /// Where the hospitals' folders are kept then.
    pub kept: Option<PathBuf>,
}

impl Report {
    pub(super) fn new(options: &Options) -> Self {
        Self { seed: options.seed, hospitals: options.hospitals, ..Self::default() }
    }

    pub(super) fn line(&self, so_far: Duration, acknowledged: usize) -> String {
        let (kills, all, seconds) = (self.kills, self.all_at_once, so_far.as_secs_f64());
        let rate = self.kills as f64 / seconds.max(1.0);
        let wait = self.longest_wait.as_secs_f64();
        format!(
            "{kills} kills ({all} times all at once) in {seconds:.0} s, {rate:.1} a second; {acknowledged} transactions \
             acknowledged; longest wait for a block {wait:.1} s"
        )
    }

    /// All of it in a line or, when something went wrong, some.
    #[must_use]
    pub fn summary(&self) -> String {
        let line = self.line(self.took, self.acknowledged);
        let (seed, hospitals, blocks) = (self.seed, self.hospitals, self.blocks);
        match (&self.problem, &self.kept) {
            (None, _) if self.interrupted => format!(
                "seed {seed}, {hospitals} hospitals: {line}; interrupted, nothing lost in what was compared before"
            ),
            (None, _) => format!(
                "seed {seed}, {hospitals} hospitals: {line}; {blocks} blocks alike at all; nothing lost"
            ),
            (Some(problem), kept) => format!(
                "seed {seed}, {hospitals} hospitals: {line}\nFAILED: {problem}\nThe hospitals' folders are kept: {}",
                kept.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
            ),
        }
    }

    /// For other programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "seed": self.seed,
            "hospitals": self.hospitals,
            "kills": self.kills,
            "all_at_once": self.all_at_once,
            "acknowledged": self.acknowledged,
            "blocks": self.blocks,
            "longest_wait_ms": u64::try_from(self.longest_wait.as_millis()).unwrap_or(u64::MAX),
            "seconds": self.took.as_secs_f64(),
            "interrupted": self.interrupted,
            "problem": self.problem,
        })
    }
}
