//! Damages valid inputs, from a seed: what libFuzzer does, without its feedback.

/// Bytes that a damaged input grows by at most.
const GROWTH_BYTES_MAX: u64 = 64;

/// Damages done to one input at most.
const DAMAGES_MAX: u64 = 6;

/// Numbers that decoders trip over.
const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0xffff_ffff_ffff_ffff];

/// A generator of damaged inputs (splitmix64; the same seed gives the same inputs).
pub struct Mutator(u64);

impl Mutator {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is above 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    /// Bytes without any form.
    pub fn noise(&mut self, length_max: u64) -> Vec<u8> {
        let length = self.below(length_max + 1);
        (0..length).map(|_| self.byte()).collect()
    }

    /// One of `seeds`, damaged in a few places; sometimes the head of one with the tail of another.
    ///
    /// # Panics
    /// Without seeds.
    pub fn damaged(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(seeds).clone();
        if self.below(8) == 0 {
            let other = self.pick(seeds);
            let (head, tail) = (self.position(bytes.len()), self.position(other.len()));
            bytes.truncate(head);
            bytes.extend_from_slice(&other[tail..]);
        }
        for _ in 0..=self.below(DAMAGES_MAX) {
            self.damage(&mut bytes);
        }
        bytes
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            bytes.extend(self.noise(GROWTH_BYTES_MAX));
            return;
        }
        let at = self.position(bytes.len() - 1);
        match self.below(8) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.byte(),
            2 => bytes.truncate(at),
            3 => {
                let more = self.noise(GROWTH_BYTES_MAX);
                bytes.splice(at..at, more);
            }
            4 => {
                let end = (at + self.position(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                // A length, a count or a height at its edge.
                let width = 1 << self.below(4);
                let number = EDGES[self.position(EDGES.len() - 1)].to_le_bytes();
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            6 => {
                // Something twice: a vote, a signer, a list item.
                let end = (at + self.position(128)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(end..end, again);
            }
            _ => {
                let other = self.position(bytes.len() - 1);
                bytes.swap(at, other);
            }
        }
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    /// A position from 0 to `last`.
    fn position(&mut self, last: usize) -> usize {
        self.below(last as u64 + 1) as usize
    }

    fn pick<'a>(&mut self, seeds: &'a [Vec<u8>]) -> &'a Vec<u8> {
        &seeds[self.position(seeds.len() - 1)]
    }
}
