//! One line on standard error that says how far a long command is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two lines: on a terminal they replace each other, elsewhere they fill a log.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Bytes in the unit that people read.
const MIB: u64 = 1024 * 1024;

/// The line.
pub(super) struct Progress {
    what: &'static str,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Of a command that does this.
    pub fn new(what: &'static str) -> Self {
        Self { what, shown: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Shows how many of how many, and how many bytes that was, now and then.
    pub fn show(&mut self, done: u64, of: u64, bytes: u64) {
        let every = if self.terminal { ON_TERMINAL } else { ELSEWHERE };
        if self.shown.is_some_and(|shown| shown.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let (start, end) = if self.terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        let (what, mib) = (self.what, bytes / MIB);
        // Nobody looking is no reason to stop.
        let _ = write!(std::io::stderr(), "{start}{what}: {done} of {of}, {mib} MiB{end}");
    }

    /// Ends the line.
    pub fn end(self) {
        if self.terminal && self.shown.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
