//! Points on the curve y² = x³ - 3x + b.
//!
//! In Jacobian form (X, Y, Z) is the point (X / Z², Y / Z³), and Z = 0 is infinity. The group has prime order, so no point
//! has y = 0, and doubling needs no case for it.

use super::field::FieldElement;
use alloc::vec::Vec;

/// b (GB/T 32918.5-2017), in Montgomery form as all constants here.
const B: FieldElement = FieldElement::from_montgomery([
    0x90d2_3063_2bc0_dd42,
    0x71cf_379a_e9b5_37ab,
    0x5279_8150_5ea5_1c3c,
    0x240f_e188_ba20_e2c8,
]);

/// A point that is not infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AffinePoint {
    x: FieldElement,
    y: FieldElement,
}

impl AffinePoint {
    /// G (GB/T 32918.5-2017).
    pub(super) const GENERATOR: Self = Self {
        x: FieldElement::from_montgomery([
            0x6132_8990_f418_029e,
            0x3e79_81ed_dca6_c050,
            0xd6a1_ed99_ac24_c3c3,
            0x9116_7a5e_e1c1_3b05,
        ]),
        y: FieldElement::from_montgomery([
            0xc135_4e59_3c2d_0ddd,
            0xc1f5_e578_8d32_95fa,
            0x8d4c_fb06_6e2a_48f8,
            0x63cd_65d4_81d7_35bd,
        ]),
    };

    /// The point of the curve with this x coordinate whose y coordinate is odd or even as said, if there is one.
    pub(crate) fn decompress(x: &[u8; 32], odd: bool) -> Option<Self> {
        let x = FieldElement::from_bytes(x)?;
        let root = curve_equation(&x).square_root()?;
        let y = if root.is_odd() == odd { root } else { root.negate() };
        Some(Self { x, y })
    }

    /// The y coordinate in 32 bytes, big-endian.
    pub(crate) fn y_bytes(&self) -> [u8; 32] {
        self.y.to_bytes()
    }

    pub(super) fn negate(&self) -> Self {
        Self { x: self.x, y: self.y.negate() }
    }
}

/// x³ - 3x + b.
fn curve_equation(x: &FieldElement) -> FieldElement {
    let three_x = x.double().add(x);
    x.square().multiply(x).subtract(&three_x).add(&B)
}

/// Any point, infinity included.
#[derive(Clone, Copy, Debug)]
pub(super) struct JacobianPoint {
    x: FieldElement,
    y: FieldElement,
    z: FieldElement,
}

impl JacobianPoint {
    pub(super) const INFINITY: Self =
        Self { x: FieldElement::ONE, y: FieldElement::ONE, z: FieldElement::ZERO };

    pub(super) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Whether this is a finite point with this x coordinate: X = x · Z², so that nothing is divided.
    pub(super) fn has_x(&self, x: &FieldElement) -> bool {
        !self.is_infinity() && self.z.square().multiply(x) == self.x
    }

    /// Twice the point: EFD dbl-2001-b with 2 · Y1 taken once, which saves additions. Right for infinity as well.
    #[inline]
    pub(super) fn double(&self) -> Self {
        let delta = self.z.square();
        let y2 = self.y.double();
        let gamma4 = y2.square();
        let beta4 = self.x.multiply(&gamma4);
        let alpha = self.x.subtract(&delta).multiply(&self.x.add(&delta)).triple();
        let x = alpha.square().subtract(&beta4.double());
        let y = alpha.multiply(&beta4.subtract(&x)).subtract(&gamma4.square().halve());
        Self { x, y, z: y2.multiply(&self.z) }
    }

    /// The sum with an affine point: EFD madd-2004-hmv.
    #[inline]
    pub(super) fn add_affine(&self, other: &AffinePoint) -> Self {
        if self.is_infinity() {
            return (*other).into();
        }
        let zz = self.z.square();
        let u2 = other.x.multiply(&zz);
        let s2 = other.y.multiply(&self.z.multiply(&zz));
        self.finish_sum(self.x, self.y, &u2, &s2, self.z)
    }

    /// The sum with a point whose powers of Z are at hand: EFD add-1998-cmo-2.
    #[inline]
    pub(super) fn add(&self, other: &Addend) -> Self {
        if self.is_infinity() {
            return other.point;
        }
        if other.point.is_infinity() {
            return *self;
        }
        let zz = self.z.square();
        let u1 = self.x.multiply(&other.zz);
        let s1 = self.y.multiply(&other.zzz);
        let u2 = other.point.x.multiply(&zz);
        let s2 = other.point.y.multiply(&self.z.multiply(&zz));
        self.finish_sum(u1, s1, &u2, &s2, self.z.multiply(&other.point.z))
    }

    /// The common end of both sums. With both points brought to one denominator, `(u1, s1)` are the coordinates of this
    /// point, `(u2, s2)` those of the other, and `z` is what the new Z is a multiple of.
    #[inline]
    fn finish_sum(
        &self,
        u1: FieldElement,
        s1: FieldElement,
        u2: &FieldElement,
        s2: &FieldElement,
        z: FieldElement,
    ) -> Self {
        let h = u2.subtract(&u1);
        let r = s2.subtract(&s1);
        if h.is_zero() {
            // The same x: the same point, or its negative. The formula below would give 0/0.
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        let hh = h.square();
        let hhh = hh.multiply(&h);
        let v = u1.multiply(&hh);
        let x = r.square().subtract(&hhh).subtract(&v.double());
        let y = r.multiply(&v.subtract(&x)).subtract(&s1.multiply(&hhh));
        Self { x, y, z: z.multiply(&h) }
    }

    /// The affine forms of finite points, by one inversion for all (Montgomery's trick).
    ///
    /// # Panics
    /// When one is infinity, which has no affine form.
    pub(super) fn to_affine_all(points: &[Self]) -> Vec<AffinePoint> {
        // products[i] is the product of the first i denominators.
        let mut products = Vec::with_capacity(points.len());
        let mut product = FieldElement::ONE;
        for point in points {
            assert!(!point.is_infinity(), "infinity has no affine form");
            products.push(product);
            product = product.multiply(&point.z);
        }
        let mut inverse = product.invert();
        let mut affine: Vec<AffinePoint> = points
            .iter()
            .zip(products)
            .rev()
            .map(|(point, before)| {
                let z = inverse.multiply(&before);
                inverse = inverse.multiply(&point.z);
                let zz = z.square();
                AffinePoint { x: point.x.multiply(&zz), y: point.y.multiply(&zz.multiply(&z)) }
            })
            .collect();
        affine.reverse();
        affine
    }
}

impl From<AffinePoint> for JacobianPoint {
    fn from(point: AffinePoint) -> Self {
        Self { x: point.x, y: point.y, z: FieldElement::ONE }
    }
}

/// A point that is added more than once: Z² and Z³ are kept with it.
#[derive(Clone, Copy)]
pub(super) struct Addend {
    point: JacobianPoint,
    zz: FieldElement,
    zzz: FieldElement,
}

impl Addend {
    pub(super) fn negate(&self) -> Self {
        let point = JacobianPoint { y: self.point.y.negate(), ..self.point };
        Self { point, ..*self }
    }

    pub(super) fn point(&self) -> &JacobianPoint {
        &self.point
    }
}

impl From<JacobianPoint> for Addend {
    fn from(point: JacobianPoint) -> Self {
        let zz = point.z.square();
        Self { point, zz, zzz: zz.multiply(&point.z) }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
#[path = "point_tests.rs"]
mod tests;
