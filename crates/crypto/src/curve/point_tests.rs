//! Points against the crate `sm2`, the cases apart that the formulas treat apart.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::curve::scalar::Scalar;
use crate::curve::tables::{GENERATOR_MULTIPLES, KeyTable, WindowTable};
use proptest::prelude::*;
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::{AffinePoint as Reference, ProjectivePoint};

/// `factor · G` by the crate `sm2`.
fn reference(factor: u64) -> ProjectivePoint {
    ProjectivePoint::GENERATOR * sm2::Scalar::from(factor)
}

fn ours(point: &ProjectivePoint) -> JacobianPoint {
    let encoded = Reference::from(point).to_sec1_point(false);
    match (encoded.x(), encoded.y()) {
        (Some(x), Some(y)) => {
            let point = AffinePoint::decompress(x.as_slice().try_into().unwrap(), y[31] & 1 == 1).unwrap();
            assert_eq!(point.y_bytes(), y.as_slice());
            point.into()
        }
        _ => JacobianPoint::INFINITY,
    }
}

/// The same point with another Z.
fn rescaled(point: &JacobianPoint, z: u64) -> JacobianPoint {
    let z = FieldElement::from_limbs([z, 0, 0, 0]).unwrap();
    let zz = z.square();
    JacobianPoint { x: point.x.multiply(&zz), y: point.y.multiply(&zz.multiply(&z)), z: point.z.multiply(&z) }
}

fn same(left: &JacobianPoint, right: &JacobianPoint) -> bool {
    match (left.is_infinity(), right.is_infinity()) {
        (false, false) => JacobianPoint::to_affine_all(&[*left]) == JacobianPoint::to_affine_all(&[*right]),
        (left, right) => left == right,
    }
}

proptest! {
    /// Small factors make both equal, opposite and infinite summands common.
    #[test]
    fn sums_are_those_of_the_reference(a in 0u64..6, b in 0u64..6, minus: bool, za in 1u64.., zb in 1u64..) {
        let (left, right) = (reference(a), if minus { -reference(b) } else { reference(b) });
        let expected = ours(&(left + right));
        let (left, right) = (rescaled(&ours(&left), za), rescaled(&ours(&right), zb));
        prop_assert!(same(&left.add(&right.into()), &expected));
        prop_assert!(same(&left.add(&Addend::from(right).negate().negate()), &expected));
        if !right.is_infinity() {
            let affine = JacobianPoint::to_affine_all(&[right])[0];
            prop_assert!(same(&left.add_affine(&affine), &expected));
        }
        prop_assert!(same(&left.double(), &ours(&(reference(a) + reference(a)))));
    }

    #[test]
    fn compressed_points_are_read_as_the_reference_reads_them(bytes: [u8; 32], odd: bool) {
        let compressed = [&[2 + u8::from(odd)][..], &bytes].concat();
        let expected = sm2::PublicKey::from_sec1_bytes(&compressed).ok();
        let expected = expected.map(|key| ours(&ProjectivePoint::from(*key.as_affine())));
        let found = AffinePoint::decompress(&bytes, odd).map(JacobianPoint::from);
        prop_assert_eq!(found.is_some(), expected.is_some());
        if let (Some(found), Some(expected)) = (found, expected) {
            prop_assert!(same(&found, &expected));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn multiples_from_a_table_are_those_of_the_reference(factor in 1u64.., top: [u8; 4], width in 2usize..9) {
        let base = reference(factor);
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&top);
        bytes[24..].copy_from_slice(&factor.to_be_bytes());
        let repr = <sm2::Scalar as sm2::elliptic_curve::ops::Reduce<sm2::FieldBytes>>::reduce(&bytes.into());
        let point = JacobianPoint::to_affine_all(&[ours(&base)])[0];
        let table = WindowTable::new(&point, width);
        let found = table.add_multiple(JacobianPoint::INFINITY, &Scalar::reduce_bytes(&bytes));
        prop_assert!(same(&found, &ours(&(base * repr))));
        let key = KeyTable::new(&point).add_multiple(found, &Scalar::reduce_bytes(&bytes));
        prop_assert!(same(&key, &ours(&(base * (repr + repr)))));
    }
}

#[test]
fn the_constants_are_the_standards() {
    let generator = JacobianPoint::from(AffinePoint::GENERATOR);
    assert!(same(&generator, &ours(&ProjectivePoint::GENERATOR)));
    assert_eq!(AffinePoint::GENERATOR.y.square(), curve_equation(&AffinePoint::GENERATOR.x));
    for (index, multiple) in GENERATOR_MULTIPLES.iter().enumerate() {
        assert!(same(&(*multiple).into(), &ours(&reference(2 * index as u64 + 1))));
    }
}

#[test]
fn infinity_has_no_x_coordinate() {
    assert!(!JacobianPoint::INFINITY.has_x(&FieldElement::ONE));
    let generator = rescaled(&JacobianPoint::from(AffinePoint::GENERATOR), 3);
    assert!(generator.has_x(&AffinePoint::GENERATOR.x));
    assert!(!generator.has_x(&AffinePoint::GENERATOR.y));
}
