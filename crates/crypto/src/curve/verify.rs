//! The verification of GB/T 32918.2-2016 section 7.1, from the digest on.

use super::field::{FieldElement, add_limbs};
use super::point::{AffinePoint, JacobianPoint};
use super::scalar::{N, Scalar};
use super::tables::{
    GENERATOR_MULTIPLES, GENERATOR_WIDTH, GENERATOR_WINDOWS, KeyTable, STRANGER_WIDTH, stranger_multiples,
};
use crate::signing::{Signature, SignatureError};

/// What is signed: SM3 over Z_A and the message, the standard's e before it is reduced modulo n.
#[derive(Clone, Copy)]
pub(crate) struct Prehash(pub(crate) [u8; 32]);

/// Checks a signature of any key.
pub(crate) fn verify(
    key: &AffinePoint,
    prehash: &Prehash,
    signature: &Signature,
) -> Result<(), SignatureError> {
    Equation::new(prehash, signature)?.holds_for(|s, t| sum_of_multiples(s, key, t))
}

/// Checks a signature of a key whose multiples are at hand.
pub(crate) fn verify_prepared(
    key: &KeyTable,
    prehash: &Prehash,
    signature: &Signature,
) -> Result<(), SignatureError> {
    Equation::new(prehash, signature)?.holds_for(|s, t| {
        let sum = GENERATOR_WINDOWS.add_multiple(JacobianPoint::INFINITY, s);
        key.add_multiple(sum, t)
    })
}

/// A signature is right when s · G + t · P has an x coordinate x1 with r = e + x1 modulo n.
struct Equation {
    s: Scalar,
    t: Scalar,
    /// x1 modulo n.
    x: Scalar,
}

impl Equation {
    /// Steps B1, B2 and B5.
    fn new(prehash: &Prehash, signature: &Signature) -> Result<Self, SignatureError> {
        let (r, s) = signature.halves();
        let r = Scalar::from_bytes_nonzero(r).ok_or(SignatureError::OutOfRange)?;
        let s = Scalar::from_bytes_nonzero(s).ok_or(SignatureError::OutOfRange)?;
        let t = r.add(&s);
        if t.is_zero() {
            return Err(SignatureError::Mismatch);
        }
        Ok(Self { s, t, x: r.subtract(&Scalar::reduce_bytes(&prehash.0)) })
    }

    /// Steps B6 and B7. Coordinates go up to p, which is a little more than n, so x1 is x or, if that is a number below p,
    /// x + n. Infinity has no x coordinate and is refused, as the crate `sm2` does.
    fn holds_for(&self, point: impl FnOnce(&Scalar, &Scalar) -> JacobianPoint) -> Result<(), SignatureError> {
        let point = point(&self.s, &self.t);
        let candidates = [(*self.x.limbs(), false), add_limbs(self.x.limbs(), &N)];
        let mut candidates = candidates.into_iter().filter(|(_, overflow)| !overflow);
        let holds =
            candidates.any(|(limbs, _)| FieldElement::from_limbs(limbs).is_some_and(|x| point.has_x(&x)));
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// `s · G + t · P`, the doublings shared by both (Guide to Elliptic Curve Cryptography, algorithm 3.51).
fn sum_of_multiples(s: &Scalar, key: &AffinePoint, t: &Scalar) -> JacobianPoint {
    let (generators, keys) = (&*GENERATOR_MULTIPLES, stranger_multiples(key));
    let s = s.non_adjacent_form(GENERATOR_WIDTH);
    let t = t.non_adjacent_form(STRANGER_WIDTH);
    let mut sum = JacobianPoint::INFINITY;
    let digits = s.iter().zip(&t).rev().skip_while(|digits| matches!(digits, (0, 0)));
    for (s, t) in digits {
        sum = sum.double();
        // An odd digit d stands for entry |d| / 2.
        if *t != 0 {
            let multiple = &keys[usize::from(t.unsigned_abs() / 2)];
            sum = if *t > 0 { sum.add(multiple) } else { sum.add(&multiple.negate()) };
        }
        if *s != 0 {
            let multiple = &generators[usize::from(s.unsigned_abs() / 2)];
            sum = if *s > 0 { sum.add_affine(multiple) } else { sum.add_affine(&multiple.negate()) };
        }
    }
    sum
}
