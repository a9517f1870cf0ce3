//! Where randomness comes from. Code that needs some takes `&mut impl Entropy`, so tests can repeat a run exactly.

use core::convert::Infallible;

use sm2::elliptic_curve::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::digest::{Tag, hmac_sm3, tagged};

/// A source of random bytes.
pub trait Entropy {
    /// Fills all of `out`.
    fn fill(&mut self, out: &mut [u8]);
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// The operating system's (in a browser: the page's `crypto`) random source. The only one for real keys.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

#[cfg(feature = "std")]
impl Entropy for SystemEntropy {
    /// # Panics
    /// When the system has no working random source: going on without one would make guessable keys.
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).expect("the system has a working random source");
    }
}

/// A repeatable stream made from a seed: **for tests and simulations only**, never for real keys.
///
/// Block `i` is `HMAC-SM3(tagged("amulet/v1/seeded-entropy", seed), i)`.
pub struct SeededEntropy {
    key: Zeroizing<[u8; 32]>,
    counter: u64,
    block: Zeroizing<[u8; 32]>,
    used: usize,
}

impl SeededEntropy {
    /// Starts a stream; equal seeds give equal streams. Takes a `u64` or 32 bytes.
    pub fn new(seed: impl Into<EntropySeed>) -> Self {
        let key = tagged(Tag::new("amulet/v1/seeded-entropy"), &[&seed.into().0]);
        Self { key: Zeroizing::new(key.to_bytes()), counter: 0, block: Zeroizing::new([0; 32]), used: 32 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == self.block.len() {
                *self.block = hmac_sm3(&*self.key, &self.counter.to_be_bytes()).to_bytes();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

impl core::fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SeededEntropy").finish_non_exhaustive()
    }
}

/// The seed of a [`SeededEntropy`].
pub struct EntropySeed([u8; 32]);

impl From<u64> for EntropySeed {
    fn from(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl From<[u8; 32]> for EntropySeed {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Shows an [`Entropy`] to the curve library as its own random-source trait.
pub(crate) struct CurveRng<'a, E: Entropy + ?Sized>(pub(crate) &'a mut E);

impl<E: Entropy + ?Sized> TryRng for CurveRng<'_, E> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl<E: Entropy + ?Sized> TryCryptoRng for CurveRng<'_, E> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(entropy: &mut impl Entropy, sizes: &[usize]) -> Vec<u8> {
        let mut out = Vec::new();
        for size in sizes {
            let mut part = vec![0; *size];
            entropy.fill(&mut part);
            out.extend(part);
        }
        out
    }

    #[test]
    fn equal_seeds_repeat_and_other_seeds_differ() {
        let whole = take(&mut SeededEntropy::new(7), &[100]);
        assert_eq!(take(&mut SeededEntropy::new(7), &[1, 31, 33, 35]), whole);
        assert_ne!(take(&mut SeededEntropy::new(8), &[100]), whole);
        assert_ne!(whole[..32], whole[32..64]);
    }

    #[test]
    fn the_system_source_does_not_repeat() {
        assert_ne!(take(&mut SystemEntropy, &[32]), take(&mut SystemEntropy, &[32]));
    }
}
