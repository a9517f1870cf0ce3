//! Multiples of points that are computed once: of G for every signature, of a known signer's key for each of theirs.

use crate::lazy::Lazy;
use alloc::vec::Vec;

use super::point::{Addend, AffinePoint, JacobianPoint};
use super::scalar::{Scalar, windows};

/// Width of the non-adjacent form that a stranger's key is multiplied by: 8 multiples, made for each signature. Wider
/// costs more for making them than it saves.
pub(super) const STRANGER_WIDTH: usize = 5;
/// Odd multiples of a stranger's key.
const STRANGER_MULTIPLES: usize = 1 << (STRANGER_WIDTH - 2);
/// Width of the non-adjacent form that G is multiplied by beside a stranger's key: 256 multiples, 16 KiB.
pub(super) const GENERATOR_WIDTH: usize = 10;
/// Width of the windows of G beside a known key: 4,096 multiples and the carry's, 264 KiB.
const GENERATOR_WINDOW: usize = 8;
/// Width of the windows of a known key: 43 windows of 32 multiples, 86 KiB for each key. One bit more saves six
/// additions in 75 and takes 70 % more memory.
const KEY_WINDOW: usize = 6;

/// G, 3G, 5G, …
pub(super) static GENERATOR_MULTIPLES: Lazy<Vec<AffinePoint>> = Lazy::new(|| {
    let generator = JacobianPoint::from(AffinePoint::GENERATOR);
    let twice = Addend::from(generator.double());
    let odd = core::iter::successors(Some(generator), |point| Some(point.add(&twice)));
    JacobianPoint::to_affine_all(&odd.take(1 << (GENERATOR_WIDTH - 2)).collect::<Vec<_>>())
});

/// Windows of G.
pub(super) static GENERATOR_WINDOWS: Lazy<WindowTable> =
    Lazy::new(|| WindowTable::new(&AffinePoint::GENERATOR, GENERATOR_WINDOW));

/// P, 3P, 5P, … of a stranger's key, not affine: the inversion would cost more than it saves.
pub(super) fn stranger_multiples(point: &AffinePoint) -> [Addend; STRANGER_MULTIPLES] {
    let first = JacobianPoint::from(*point);
    let twice = Addend::from(first.double());
    let mut multiples = [Addend::from(first); STRANGER_MULTIPLES];
    for i in 1..STRANGER_MULTIPLES {
        multiples[i] = multiples[i - 1].point().add(&twice).into();
    }
    multiples
}

/// The multiples of a signer's key that make checking their signatures faster; 86 KiB, made in about half a millisecond.
pub(crate) struct KeyTable(WindowTable);

impl KeyTable {
    /// The table of this key.
    pub(crate) fn new(key: &AffinePoint) -> Self {
        Self(WindowTable::new(key, KEY_WINDOW))
    }

    /// `sum` and `scalar` times the key.
    pub(super) fn add_multiple(&self, sum: JacobianPoint, scalar: &Scalar) -> JacobianPoint {
        self.0.add_multiple(sum, scalar)
    }
}

/// For each place of a number to the base 2^width, the point times each value that a digit can have there, so that a
/// multiple is a sum of one entry for each place, with no doubling at all.
pub(super) struct WindowTable {
    width: usize,
    /// Place by place, 1 to 2^(width - 1) times the place's power of two.
    multiples: Vec<AffinePoint>,
}

impl WindowTable {
    pub(super) fn new(point: &AffinePoint, width: usize) -> Self {
        let digits = 1 << (width - 1);
        let mut multiples = Vec::with_capacity(windows(width) * digits);
        let mut base = Addend::from(JacobianPoint::from(*point));
        for _ in 0..windows(width) {
            let mut multiple = *base.point();
            for _ in 0..digits {
                multiples.push(multiple);
                multiple = multiple.add(&base);
            }
            // The largest multiple, doubled, is the next place's.
            let largest = multiples.last().expect("a window has a multiple");
            base = largest.double().into();
        }
        Self { width, multiples: JacobianPoint::to_affine_all(&multiples) }
    }

    pub(super) fn add_multiple(&self, mut sum: JacobianPoint, scalar: &Scalar) -> JacobianPoint {
        let digits = 1 << (self.width - 1);
        for (window, digit) in self.multiples.chunks_exact(digits).zip(scalar.signed_windows(self.width)) {
            if let Some(multiple) = usize::from(digit.unsigned_abs()).checked_sub(1) {
                let multiple = &window[multiple];
                sum = if digit > 0 { sum.add_affine(multiple) } else { sum.add_affine(&multiple.negate()) };
            }
        }
        sum
    }
}
