//! What happened, as a checksum that tells runs apart, and as text for who replays one.

use crate::time::Micros;

/// A run's record.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    checksum: u64,
    is_verbose: bool,
}

impl Trace {
    /// A record that is printed as it is made.
    #[must_use]
    pub fn verbose() -> Self {
        Self { checksum: 0, is_verbose: true }
    }

    /// Takes note of something at a node.
    pub(crate) fn note(&mut self, at: Micros, what: &str, node: usize, number: u64) {
        for word in [at.0, node as u64, number, what.len() as u64] {
            self.mix(word);
        }
        for byte in what.bytes() {
            self.mix(u64::from(byte));
        }
        if self.is_verbose {
            self.print(at, &format!("{what} at {node} ({number})"));
        }
    }

    /// Says something that the checksum need not know.
    pub(crate) fn say(&self, at: Micros, what: impl FnOnce() -> String) {
        if self.is_verbose {
            self.print(at, &what());
        }
    }

    fn print(&self, at: Micros, what: &str) {
        #[allow(clippy::print_stdout)]
        {
            println!("{at:>16} {what}");
        }
    }

    fn mix(&mut self, word: u64) {
        self.checksum = (self.checksum ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }

    /// The checksum so far.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}
