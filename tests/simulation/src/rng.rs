//! The only source of chance: a seed decides everything.

/// SplitMix64: small, quick, and good enough for choosing faults.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// What a stream of random numbers is for. Streams of one seed do not disturb each other, so that a fault taken out of a
/// schedule leaves the other choices as they were.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// The schedule of faults.
    Plan = 1,
    /// Latency, loss and order of messages.
    Network = 2,
    /// Which unsynced writes survive.
    Disk = 3,
    /// What clients do.
    Clients = 4,
    /// What liars do.
    Liars = 5,
    /// How long work takes.
    Work = 6,
}

impl Rng {
    /// The stream of `seed` for one purpose.
    #[must_use]
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = Self(seed ^ (stream as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        rng.next();
        rng
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `low..high`; `low` if that is empty.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).max(1);
        low + self.next() % width
    }

    /// Whether something with this chance of a thousand happens. Draws a number only if it may.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.range(0, 1_000) < per_mille
    }

    /// One of several; `None` of nothing.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(usize::try_from(self.range(0, of.len() as u64)).ok()?) }
    }

    /// `count` different indices below `size`, ascending.
    pub fn choose(&mut self, count: usize, size: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..size).collect();
        let mut chosen = Vec::new();
        for _ in 0..count.min(size) {
            let index = usize::try_from(self.range(0, left.len() as u64)).expect("an index fits");
            chosen.push(left.swap_remove(index));
        }
        chosen.sort_unstable();
        chosen
    }
}
