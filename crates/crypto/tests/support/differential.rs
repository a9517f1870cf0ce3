//! Signatures made to measure for comparing verification with the crate `sm2`, from the digest on.
//!
//! For any s, t and key P a digest e can be chosen that makes (t - s, s) a right signature: e = r - x1 with x1 from
//! s · G + t · P. So right signatures are made for numbers that no signer would ever draw, those that drive the sum
//! through its special cases, and each is shown once as it is and once with something changed.

use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_crypto::signing::{PreparedKey, PublicKey, Signature, raw};
use sm2::dsa::signature::hazmat::PrehashVerifier;
use sm2::elliptic_curve::ff::PrimeField;
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

/// Keys that have few signatures each would spend all the time on their tables.
const CASES_PER_KEY: u64 = 64;

/// How many cases of each kind were compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Signatures that both accept.
    pub accepted: u64,
    /// Signatures that both refuse.
    pub refused: u64,
}

/// Compares `cases` signatures that follow from `seed`.
///
/// # Panics
/// At the first that the crate `sm2` judges otherwise, with everything that repeats it.
pub fn compare(seed: u64, cases: u64) -> Compared {
    let mut source = Source(SeededEntropy::new(seed));
    let mut compared = Compared::default();
    let mut done = 0;
    while done < cases {
        let key = Keys::new(source.key());
        for _ in 0..CASES_PER_KEY.min(cases - done) {
            match key.judge(&source.case(&key)) {
                true => compared.accepted += 1,
                false => compared.refused += 1,
            }
            done += 1;
        }
    }
    compared
}

/// One key in all forms, with the number it is the multiple of G by.
struct Keys {
    secret: Scalar,
    reference: sm2::dsa::VerifyingKey,
    stranger: PublicKey,
    prepared: PreparedKey,
}

impl Keys {
    fn new(secret: Scalar) -> Self {
        use sm2::elliptic_curve::sec1::ToSec1Point;
        let point = AffinePoint::from(ProjectivePoint::GENERATOR * secret);
        let stranger = PublicKey::from_bytes(point.to_sec1_point(true).as_bytes()).unwrap();
        let reference = sm2::dsa::VerifyingKey::from_affine("1234567812345678", point).unwrap();
        Self { secret, reference, prepared: PreparedKey::new(stranger.clone()), stranger }
    }

    fn judge(&self, case: &Case) -> bool {
        let Case { prehash, r, s } = case;
        let bytes: [u8; 64] = [&r[..], s].concat().try_into().unwrap();
        let signature = Signature::from_bytes(bytes);
        let expected = sm2::dsa::Signature::from_slice(&bytes)
            .is_ok_and(|parsed| self.reference.verify_prehash(prehash, &parsed).is_ok());
        let stranger = raw::verify_prehash(&self.stranger, *prehash, &signature).is_ok();
        let prepared = raw::verify_prehash_prepared(&self.prepared, *prehash, &signature).is_ok();
        let shown =
            || format!("key {}, digest {}, signature {signature}", self.stranger, hex::encode(prehash));
        assert_eq!(stranger, expected, "{}", shown());
        assert_eq!(prepared, expected, "by the key's table: {}", shown());
        expected
    }
}

struct Case {
    prehash: [u8; 32],
    r: [u8; 32],
    s: [u8; 32],
}

struct Source(SeededEntropy);

impl Source {
    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill(&mut bytes);
        bytes
    }

    fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }

    /// A number other than zero: any, or one that is small, near n, or a few runs of ones.
    fn scalar(&mut self) -> Scalar {
        let number = match self.below(4) {
            0 => Scalar::from(self.below(40)),
            1 => -Scalar::from(self.below(40)),
            2 => (0..self.below(4)).fold(Scalar::ONE, |sum, _| {
                let power = power_of_two(self.below(256));
                if self.below(2) == 0 { sum + power } else { sum - power }
            }),
            _ => Scalar::reduce(&FieldBytes::from(self.bytes())),
        };
        if bool::from(number.is_zero()) { Scalar::ONE } else { number }
    }

    /// Keys that are small multiples of G, ±G among them, meet G's own multiples inside the sum.
    fn key(&mut self) -> Scalar {
        self.scalar()
    }

    fn case(&mut self, key: &Keys) -> Case {
        let t = self.scalar();
        let s = match self.below(8) {
            // s · G is ±t · P: the last addition is a doubling, or gives infinity.
            0 => t * key.secret,
            1 => -(t * key.secret),
            _ => self.scalar(),
        };
        let point =
            (ProjectivePoint::GENERATOR * s + ProjectivePoint::GENERATOR * (t * key.secret)).to_affine();
        let x = Scalar::reduce(&point.x());
        let r = t - s;
        let prehash = self.respell(r - x);
        let (r, s) = (bytes(&r), bytes(&s));
        match self.below(8) {
            0 => Case { prehash: self.bytes(), r, s },
            1 => Case { prehash, r: s, s: r },
            2 => Case { prehash, r: self.edge(), s },
            3 => Case { prehash, r, s: self.edge() },
            // r + s = n.
            4 if self.below(2) == 0 => Case { prehash, r: bytes(&-self.number(&s)), s },
            _ => Case { prehash, r, s },
        }
    }

    fn number(&self, bytes: &[u8; 32]) -> Scalar {
        Scalar::reduce(&FieldBytes::from(*bytes))
    }

    /// The digest in one of its spellings: numbers below 2^256 - n have two.
    fn respell(&mut self, digest: Scalar) -> [u8; 32] {
        let bytes = bytes(&digest);
        let above = add(&bytes, &ORDER);
        if self.below(2) == 0 { above.unwrap_or(bytes) } else { bytes }
    }

    /// Zero, one, n - 1, n, n + 1, the largest.
    fn edge(&mut self) -> [u8; 32] {
        let mut one = [0; 32];
        one[31] = 1;
        match self.below(6) {
            0 => [0; 32],
            1 => one,
            2 => bytes(&-Scalar::ONE),
            3 => ORDER,
            4 => add(&ORDER, &one).unwrap(),
            _ => [0xff; 32],
        }
    }
}

/// n (GB/T 32918.5-2017).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72,
    0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
];

fn power_of_two(exponent: u64) -> Scalar {
    let place = usize::try_from(exponent).unwrap();
    let mut bytes = [0; 32];
    bytes[31 - place / 8] = 1 << (place % 8);
    Scalar::reduce(&FieldBytes::from(bytes))
}

fn bytes(scalar: &Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

/// The sum of two big-endian numbers, if it has 32 bytes.
fn add(left: &[u8; 32], right: &[u8; 32]) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    let mut carry = 0;
    for i in (0..32).rev() {
        let digit = u16::from(left[i]) + u16::from(right[i]) + carry;
        sum[i] = u8::try_from(digit & 0xff).unwrap();
        carry = digit >> 8;
    }
    (carry == 0).then_some(sum)
}
