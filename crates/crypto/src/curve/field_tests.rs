//! The field against whole numbers of another library.
#![allow(clippy::unwrap_used)]

use super::*;
use num_bigint::BigUint;
use proptest::prelude::*;

fn p() -> BigUint {
    number(&P)
}

fn number(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64) + *limb)
}

fn value(element: FieldElement) -> BigUint {
    BigUint::from_bytes_be(&element.to_bytes())
}

/// An element whose *Montgomery form* has these limbs, below p or not, so that carries at the edges are met.
fn element() -> impl Strategy<Value = FieldElement> {
    let limb = prop_oneof![
        any::<u64>(),
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(0xffff_ffff),
        Just(0xffff_ffff_0000_0000),
        Just(0xffff_fffe_ffff_ffff),
    ];
    prop::array::uniform4(limb).prop_map(FieldElement)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arithmetic_is_that_of_whole_numbers_modulo_p(a in element(), b in element()) {
        let (x, y) = (value(a), value(b));
        prop_assert_eq!(value(a.add(&b)), (&x + &y) % p());
        prop_assert_eq!(value(a.subtract(&b)), (&x + p() - &y) % p());
        prop_assert_eq!(value(a.double()), (&x * 2u32) % p());
        prop_assert_eq!(value(a.triple()), (&x * 3u32) % p());
        prop_assert_eq!((value(a.halve()) * 2u32) % p(), x.clone());
        prop_assert_eq!(a == b, x == y);
        prop_assert_eq!(a.is_zero(), x == BigUint::ZERO);
        prop_assert_eq!(value(a.negate()), (p() - &x) % p());
        prop_assert_eq!(value(a.multiply(&b)), (&x * &y) % p());
        prop_assert_eq!(value(a.square()), (&x * &x) % p());
        prop_assert_eq!(a.is_odd(), x.bit(0));
        prop_assert_eq!(FieldElement::from_bytes(&a.to_bytes()), Some(a));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inverses_and_roots_are_what_they_are_called(a in element()) {
        let inverse = if a.is_zero() { FieldElement::ZERO } else { FieldElement::ONE };
        prop_assert_eq!(a.multiply(&a.invert()), inverse);
        let root = a.square().square_root().unwrap();
        prop_assert!(root == a || root == a.negate());
        // -1 is no square modulo p, so of a number and its negative exactly one has a root.
        prop_assert_eq!(a.is_zero() || a.square_root().is_some() != a.negate().square_root().is_some(), true);
    }
}

#[test]
fn only_numbers_below_p_are_elements() {
    let below = subtract_limbs(&P, &[1, 0, 0, 0]).0;
    assert_eq!(FieldElement::from_limbs(below), Some(FieldElement::ONE.negate()));
    assert_eq!(FieldElement::from_limbs(P), None);
    assert_eq!(FieldElement::from_limbs([u64::MAX; 4]), None);
    assert_eq!(FieldElement::from_limbs([1, 0, 0, 0]), Some(FieldElement::ONE));
}

#[test]
fn the_two_spellings_of_a_number_are_equal() {
    let both = |limbs: Limbs| (FieldElement(limbs), FieldElement(add_limbs(&limbs, &P).0));
    // Up to 2^256 - 1 - p.
    for limbs in [[0; 4], [1, 0, 0, 0], [u64::MAX, 7, 0, 0], [0, 0xffff_ffff, 0, 1 << 32]] {
        let (low, high) = both(limbs);
        assert_eq!(low, high);
        assert_eq!(low.is_zero(), high.is_zero());
        assert_eq!(low.to_bytes(), high.to_bytes());
        assert_eq!(low.is_odd(), high.is_odd());
    }
}

/// Sums of numbers that overflow twice are too rare to be met by chance.
#[test]
fn numbers_near_the_top_are_added_and_subtracted_right() {
    let top = |below: u64| FieldElement(subtract_limbs(&[u64::MAX; 4], &[below, 0, 0, 0]).0);
    for (a, b) in [(0, 0), (0, 1), (5, 0xffff_ffff), (u64::MAX, u64::MAX)] {
        let (x, y) = (value(top(a)), value(top(b)));
        assert_eq!(value(top(a).add(&top(b))), (&x + &y) % p());
        for small in 0..3 {
            let small = FieldElement([small, 0, 0, 0]);
            assert_eq!(value(small.subtract(&top(a))), (value(small) + p() - &x) % p());
        }
        assert_eq!(value(top(a).multiply(&top(b))), (&x * &y) % p());
        assert_eq!(value(top(a).square()), (&x * &x) % p());
    }
}

#[test]
fn constants_are_what_they_are_called() {
    let r = BigUint::from(1u32) << 256;
    let shifted = |shift: u32| BigUint::from(1u32) << shift;
    assert_eq!(p(), shifted(256) - shifted(224) - shifted(96) + shifted(64) - 1u32);
    assert_eq!(number(&R_SQUARED), (&r * &r) % p());
    assert_eq!(number(&FieldElement::ONE.0), r % p());
}
