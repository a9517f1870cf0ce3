//! Numbers modulo n, the order of the group, and the signed digits that multiplication of points goes by.
//!
//! Verification only adds and subtracts such numbers, so they need no Montgomery form.

use super::field::{Limbs, add_limbs, less, limbs_of, subtract_limbs};

/// n, the number of points on the curve.
pub(super) const N: Limbs = [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, u64::MAX, 0xffff_fffe_ffff_ffff];

/// A number below n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar(Limbs);

impl Scalar {
    /// The number in 32 bytes, big-endian, if it is in [1, n - 1].
    pub(super) fn from_bytes_nonzero(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs_of(bytes);
        (limbs != [0; 4] && less(&limbs, &N)).then_some(Self(limbs))
    }

    /// The number in 32 bytes, big-endian, modulo n. One subtraction is enough because 2^256 is below 2n.
    pub(super) fn reduce_bytes(bytes: &[u8; 32]) -> Self {
        let limbs = limbs_of(bytes);
        if less(&limbs, &N) { Self(limbs) } else { Self(subtract_limbs(&limbs, &N).0) }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(super) fn limbs(&self) -> &Limbs {
        &self.0
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        if carry || !less(&sum, &N) { Self(subtract_limbs(&sum, &N).0) } else { Self(sum) }
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        let (difference, borrow) = subtract_limbs(&self.0, &other.0);
        if borrow { Self(add_limbs(&difference, &N).0) } else { Self(difference) }
    }

    /// Bits `at .. at + count`, `count` at most 16; zeros beyond bit 255.
    fn bits(&self, at: usize, count: usize) -> u64 {
        let (limb, shift) = (at / 64, at % 64);
        let low = self.0.get(limb).map_or(0, |low| low >> shift);
        let high = match shift {
            0 => 0,
            _ => self.0.get(limb + 1).map_or(0, |high| high << (64 - shift)),
        };
        (low | high) & ((1 << count) - 1)
    }

    /// The non-adjacent form of width `width` (Guide to Elliptic Curve Cryptography, algorithm 3.35): digits, each for
    /// its power of two, that are zero or odd and below 2^(width - 1) in absolute value, at least `width - 1` zeros
    /// after each that is not zero. One digit more than n has bits, for the last carry.
    pub(super) fn non_adjacent_form(&self, width: usize) -> [i16; 257] {
        let mut digits = [0; 257];
        let (mut at, mut carry) = (0, 0);
        while at < digits.len() {
            if self.bits(at, 1) == carry {
                at += 1;
                continue;
            }
            let window = self.bits(at, width) + carry;
            carry = window >> (width - 1);
            digits[at] = signed(window, carry, width);
            at += width;
        }
        digits
    }

    /// Digits to the base 2^`width`, each in [-2^(width - 1), 2^(width - 1)], the lowest first. There are
    /// [`windows`]`(width)` of them.
    pub(super) fn signed_windows(&self, width: usize) -> impl Iterator<Item = i16> {
        let mut carry = 0;
        (0..windows(width)).map(move |index| {
            let window = self.bits(index * width, width) + carry;
            carry = u64::from(window > 1 << (width - 1));
            signed(window, carry, width)
        })
    }
}

/// Signed digits to the base 2^`width` that a number below n needs, the last carry included.
pub(super) const fn windows(width: usize) -> usize {
    256 / width + 1
}

/// `window - carry · 2^width`.
fn signed(window: u64, carry: u64, width: usize) -> i16 {
    let digit = i32::try_from(window).expect("a window has few bits") - (i32::from(carry == 1) << width);
    i16::try_from(digit).expect("a digit is at most half its base")
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use num_bigint::{BigInt, BigUint};
    use proptest::prelude::*;

    fn n() -> BigUint {
        number(&N)
    }

    fn number(limbs: &Limbs) -> BigUint {
        limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64) + *limb)
    }

    fn bytes(number: &BigUint) -> [u8; 32] {
        let digits = number.to_bytes_be();
        let mut bytes = [0; 32];
        bytes[32 - digits.len()..].copy_from_slice(&digits);
        bytes
    }

    fn sum(digits: impl DoubleEndedIterator<Item = i16>, width: usize) -> BigInt {
        digits.rev().fold(BigInt::ZERO, |sum, digit| (sum << width) + digit)
    }

    /// Any number of 256 bits; often one whose limbs are all zeros or all ones, or that is near n.
    fn any_bytes() -> impl Strategy<Value = [u8; 32]> {
        let limb = prop_oneof![any::<u64>(), Just(0), Just(1), Just(u64::MAX), Just(1 << 63)];
        let limbs = prop::array::uniform4(limb).prop_map(|limbs| bytes(&number(&limbs)));
        let near = (0u32..4, any::<bool>()).prop_map(|(distance, above)| match above {
            true => bytes(&(n() + distance)),
            false => bytes(&(n() - distance)),
        });
        prop_oneof![4 => limbs, 1 => near]
    }

    proptest! {
        #[test]
        fn sums_and_differences_are_those_of_whole_numbers(a in any_bytes(), b in any_bytes()) {
            let (x, y) = (Scalar::reduce_bytes(&a), Scalar::reduce_bytes(&b));
            let (a, b) = (BigUint::from_bytes_be(&a) % n(), BigUint::from_bytes_be(&b) % n());
            prop_assert_eq!(number(&x.0), a.clone());
            prop_assert_eq!(number(&x.add(&y).0), (&a + &b) % n());
            prop_assert_eq!(number(&x.subtract(&y).0), (&a + n() - &b) % n());
            let exact = Scalar::from_bytes_nonzero(&bytes(&a));
            prop_assert_eq!(exact, (a != BigUint::ZERO).then_some(x));
        }

        #[test]
        fn digits_add_up_to_the_number(bytes in any_bytes(), width in 2usize..13) {
            let scalar = Scalar::reduce_bytes(&bytes);
            let expected = BigInt::from(number(&scalar.0));
            let sparse = scalar.non_adjacent_form(width);
            prop_assert_eq!(sum(sparse.into_iter(), 1), expected.clone());
            for (place, digit) in sparse.iter().enumerate().filter(|(_, digit)| **digit != 0) {
                prop_assert!(digit % 2 != 0 && digit.unsigned_abs() < 1 << (width - 1));
                let zeros = sparse[place + 1..].iter().take(width - 1);
                prop_assert!(zeros.copied().all(|digit| digit == 0));
            }
            let dense: Vec<i16> = scalar.signed_windows(width).collect();
            prop_assert!(dense.iter().all(|digit| digit.unsigned_abs() <= 1 << (width - 1)));
            prop_assert_eq!(sum(dense.into_iter(), width), expected);
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_scalars() {
        let zero = [0; 32];
        for bad in [zero, bytes(&n()), bytes(&(n() + 1u32)), [0xff; 32]] {
            assert_eq!(Scalar::from_bytes_nonzero(&bad), None);
        }
        assert!(Scalar::from_bytes_nonzero(&bytes(&(n() - 1u32))).is_some());
        assert!(Scalar::reduce_bytes(&bytes(&n())).is_zero());
    }
}
