//! Numbers modulo p = 2^256 - 2^224 - 2^96 + 2^64 - 1, in Montgomery form with R = 2^256.
//!
//! p is -1 modulo 2^64, so a Montgomery step adds exactly `m · p` for the lowest limb `m`, and because p is a sum of powers
//! of two that product is made of shifts: reduction costs no multiplication.
//!
//! Limbs hold any number below 2^256, not only below p: a result is corrected by p when it overflows 256 bits, which costs
//! less than comparing it with p, and the two spellings of numbers below 2^256 - p are told to be equal where that is asked.

use core::array;

/// Limbs of 64 bits, the lowest first.
pub(super) type Limbs = [u64; 4];

/// p.
pub(super) const P: Limbs = [u64::MAX, 0xffff_ffff_0000_0000, u64::MAX, 0xffff_fffe_ffff_ffff];
/// R² modulo p: multiplying by it takes a number into Montgomery form.
const R_SQUARED: Limbs =
    [0x0000_0002_0000_0003, 0x0000_0002_ffff_ffff, 0x0000_0001_0000_0001, 0x0000_0004_0000_0002];

/// 2^256 - p, which an overflow is worth.
const OVERFLOW: Limbs = [1, 0xffff_ffff, 0, 1 << 32];

/// An element of the field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldElement(Limbs);

impl FieldElement {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// One is R modulo p.
    pub(super) const ONE: Self = Self([1, 0x0000_0000_ffff_ffff, 0, 0x0000_0001_0000_0000]);

    /// The element whose Montgomery form this is; for constants, which the tests compare with the standard's numbers.
    pub(super) const fn from_montgomery(limbs: Limbs) -> Self {
        Self(limbs)
    }

    /// The number, if it is below p.
    pub(super) fn from_limbs(limbs: Limbs) -> Option<Self> {
        less(&limbs, &P).then(|| Self(limbs).multiply(&Self(R_SQUARED)))
    }

    /// The number in 32 bytes, big-endian, if it is below p.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(limbs_of(bytes))
    }

    /// The number in 32 bytes, big-endian.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        bytes_of(&self.to_limbs())
    }

    /// The number itself, out of Montgomery form and below p.
    fn to_limbs(self) -> Limbs {
        let [a, b, c, d] = self.0;
        let Self(limbs) = reduce([a, b, c, d, 0, 0, 0, 0]);
        if less(&limbs, &P) { limbs } else { subtract_limbs(&limbs, &P).0 }
    }

    pub(super) fn is_zero(&self) -> bool {
        // 2p has more than 256 bits, so zero has no third spelling.
        self.0 == [0; 4] || self.0 == P
    }

    /// Whether the number itself, not its Montgomery form, is odd.
    pub(super) fn is_odd(self) -> bool {
        self.to_limbs()[0] & 1 == 1
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        let (sum, carry) = add_limbs(&sum, &overflow_if(carry));
        if carry { overflow_again(&sum) } else { Self(sum) }
    }

    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(super) fn triple(&self) -> Self {
        self.double().add(self)
    }

    /// Half: of the number, or of the number plus p, whichever is even.
    #[inline(always)]
    pub(super) fn halve(&self) -> Self {
        let odd = 0u64.wrapping_sub(self.0[0] & 1);
        let (sum, carry) = add_limbs(&self.0, &P.map(|limb| limb & odd));
        let above = [sum[1], sum[2], sum[3], u64::from(carry)];
        Self(array::from_fn(|i| sum[i] >> 1 | above[i] << 63))
    }

    #[inline(always)]
    pub(super) fn subtract(&self, other: &Self) -> Self {
        let (difference, borrow) = subtract_limbs(&self.0, &other.0);
        let (difference, borrow) = subtract_limbs(&difference, &overflow_if(borrow));
        if borrow { underflow_again(&difference) } else { Self(difference) }
    }

    pub(super) fn negate(&self) -> Self {
        Self::ZERO.subtract(self)
    }

    #[inline(always)]
    pub(super) fn multiply(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let mut product = [0; 8];
        for i in 0..4 {
            let mut carry = 0;
            for j in 0..4 {
                (product[i + j], carry) = a[i].carrying_mul_add(b[j], product[i + j], carry);
            }
            product[i + 4] = carry;
        }
        reduce(product)
    }

    /// Ten products of limbs where [`Self::multiply`] has sixteen.
    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        let a = &self.0;
        let mut product = [0; 8];
        for i in 0..3 {
            let mut carry = 0;
            for j in i + 1..4 {
                (product[i + j], carry) = a[i].carrying_mul_add(a[j], product[i + j], carry);
            }
            product[i + 4] = carry;
        }
        // Each product of two different limbs occurs twice.
        for i in (1..8).rev() {
            product[i] = product[i] << 1 | product[i - 1] >> 63;
        }
        let mut carry = false;
        for i in 0..4 {
            let (low, high) = a[i].carrying_mul(a[i], 0);
            (product[2 * i], carry) = product[2 * i].carrying_add(low, carry);
            (product[2 * i + 1], carry) = product[2 * i + 1].carrying_add(high, carry);
        }
        reduce(product)
    }

    /// Squared `times` times.
    fn square_repeatedly(mut self, times: usize) -> Self {
        for _ in 0..times {
            self = self.square();
        }
        self
    }

    /// The inverse, by Fermat: a^(p - 2). Zero gives zero.
    ///
    /// p - 2 in bits, highest first: 31 ones, a zero, 128 ones, 32 zeros, 62 ones, a zero, a one.
    pub(super) fn invert(&self) -> Self {
        let ones = Ones::of(self);
        let head = ones.n31.square_repeatedly(33).multiply(&ones.n32);
        let head = (0..3).fold(head, |head, _| head.square_repeatedly(32).multiply(&ones.n32));
        let head = head.square_repeatedly(32 + 62).multiply(&ones.n62());
        head.square_repeatedly(2).multiply(self)
    }

    /// A square root, if there is one: a^((p + 1) / 4), for p is 3 modulo 4. The other root is its negative.
    ///
    /// (p + 1) / 4 = 2^254 - 2^222 - 2^94 + 2^62; in bits, highest first: 31 ones, a zero, 128 ones, 31 zeros, a one,
    /// 62 zeros.
    pub(super) fn square_root(&self) -> Option<Self> {
        let ones = Ones::of(self);
        let head = ones.n31.square_repeatedly(33).multiply(&ones.n32);
        let head = (0..3).fold(head, |head, _| head.square_repeatedly(32).multiply(&ones.n32));
        let root = head.square_repeatedly(32).multiply(self).square_repeatedly(62);
        (root.square() == *self).then_some(root)
    }
}

/// Powers of a number whose exponents are runs of ones in binary: what p's exponents are made of.
struct Ones {
    n30: FieldElement,
    n31: FieldElement,
    n32: FieldElement,
}

impl Ones {
    fn of(a: &FieldElement) -> Self {
        let n2 = a.square().multiply(a);
        let n4 = n2.square_repeatedly(2).multiply(&n2);
        let n6 = n4.square_repeatedly(2).multiply(&n2);
        let n12 = n6.square_repeatedly(6).multiply(&n6);
        let n24 = n12.square_repeatedly(12).multiply(&n12);
        let n30 = n24.square_repeatedly(6).multiply(&n6);
        let n31 = n30.square().multiply(a);
        let n32 = n31.square().multiply(a);
        Self { n30, n31, n32 }
    }

    fn n62(&self) -> FieldElement {
        self.n32.square_repeatedly(30).multiply(&self.n30)
    }
}

impl PartialEq for FieldElement {
    fn eq(&self, other: &Self) -> bool {
        self.subtract(other).is_zero()
    }
}

impl Eq for FieldElement {}

/// `product / R` modulo p.
///
/// Each of four steps takes the lowest limb m away by adding m · p and dividing by 2^64. Divided, m · p is
/// m · (2^192 - 2^160 - 2^32 + 1) once its lowest limb -m has met m. The upper half is added at the end: the lower half
/// comes out at most p and the upper half is below 2^256, so p taken off an overflow leaves no second one.
#[inline(always)]
fn reduce(product: [u64; 8]) -> FieldElement {
    let [mut t0, mut t1, mut t2, mut t3, upper @ ..] = product;
    for _ in 0..4 {
        let (low, high) = (t0 << 32, t0 >> 32);
        let (d0, borrow) = t0.borrowing_sub(low, false);
        let (d1, borrow) = 0u64.borrowing_sub(high, borrow);
        let (d2, borrow) = 0u64.borrowing_sub(low, borrow);
        let (d3, _) = t0.borrowing_sub(high, borrow);
        let (s0, carry) = t1.carrying_add(d0, false);
        let (s1, carry) = t2.carrying_add(d1, carry);
        let (s2, carry) = t3.carrying_add(d2, carry);
        // No carry comes out: (2^256 + 2^64 · p) / 2^64 fits into 256 bits.
        let (s3, _) = d3.carrying_add(0, carry);
        (t0, t1, t2, t3) = (s0, s1, s2, s3);
    }
    let (sum, carry) = add_limbs(&[t0, t1, t2, t3], &upper);
    FieldElement(add_limbs(&sum, &overflow_if(carry)).0)
}

/// [`OVERFLOW`] if there was one, else zero.
#[inline(always)]
fn overflow_if(overflow: bool) -> Limbs {
    let mask = 0u64.wrapping_sub(u64::from(overflow));
    OVERFLOW.map(|limb| limb & mask)
}

/// A sum that overflowed twice. Only numbers within 2^225 of 2^256 do that, one in some 2^32, so it is kept out of the way.
#[cold]
fn overflow_again(sum: &Limbs) -> FieldElement {
    FieldElement(add_limbs(sum, &OVERFLOW).0)
}

/// As [`overflow_again`], for a difference.
#[cold]
fn underflow_again(difference: &Limbs) -> FieldElement {
    FieldElement(subtract_limbs(difference, &OVERFLOW).0)
}

#[inline(always)]
pub(super) fn add_limbs(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (s0, carry) = a[0].carrying_add(b[0], false);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, carry) = a[3].carrying_add(b[3], carry);
    ([s0, s1, s2, s3], carry)
}

#[inline(always)]
pub(super) fn subtract_limbs(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (d0, borrow) = a[0].borrowing_sub(b[0], false);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

pub(super) fn less(a: &Limbs, b: &Limbs) -> bool {
    subtract_limbs(a, b).1
}

/// Limbs of a number in 32 bytes, big-endian.
pub(super) fn limbs_of(bytes: &[u8; 32]) -> Limbs {
    let limb = |i: usize| array::from_fn(|byte| bytes[24 - 8 * i + byte]);
    array::from_fn(|i| u64::from_be_bytes(limb(i)))
}

fn bytes_of(limbs: &Limbs) -> [u8; 32] {
    array::from_fn(|i| limbs[3 - i / 8].to_be_bytes()[i % 8])
}

#[cfg(all(test, not(target_family = "wasm")))]
#[path = "field_tests.rs"]
mod tests;
