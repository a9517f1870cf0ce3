//! A sequence of choices that follows from a seed.

use amulet_crypto::entropy::{Entropy, SeededEntropy};

/// The sequence; equal seeds give equal ones.
pub struct Choices(SeededEntropy);

impl Choices {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    /// One of `count` places, from 0.
    ///
    /// # Panics
    /// When there is none.
    pub fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).expect("a count fits");
        usize::try_from(self.below(count)).expect("smaller than a count")
    }

    /// Different places, in any order: `wanted` of `count`.
    pub fn places(&mut self, wanted: usize, count: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..count).collect();
        (0..wanted.min(count)).map(|_| left.swap_remove(self.index(left.len()))).collect()
    }

    /// Whether the next of `of` equally likely things is the first.
    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}
