//! Who can open a box, and what happens to boxes that somebody built wrong on purpose.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use amulet_crypto::digest::{Tag, sm3};
use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_crypto::sealed_box::{
    AgreementKey, MAX_SEALED_BYTES, MAX_SEALED_DATA_BYTES, SEALED_OVERHEAD_BYTES, SealContext, SealError,
    SealedBox, raw,
};
use proptest::prelude::*;
use sm2::elliptic_curve::Group;
use sm2::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use sm2::{AffinePoint, NonZeroScalar, ProjectivePoint, Sec1Point};

const PURPOSE: Tag = Tag::new("amulet/v1/test");

fn key(seed: u64) -> AgreementKey {
    AgreementKey::generate(&mut SeededEntropy::new(seed))
}

fn context(binding: &[u8]) -> SealContext {
    SealContext::new(PURPOSE, &[binding])
}

fn sealed(data: &[u8]) -> SealedBox {
    SealedBox::seal(key(1).public_key(), &context(b"record 1"), data, &mut SeededEntropy::new(9)).unwrap()
}

#[test]
fn a_box_opens_for_its_key_and_context_only() {
    let sealed = sealed(b"a content key");
    assert_eq!(**sealed.open(&key(1), &context(b"record 1")).unwrap(), *b"a content key");
    assert_eq!(sealed.open(&key(2), &context(b"record 1")), Err(SealError::NotForThisKey));
    assert_eq!(sealed.open(&key(1), &context(b"record 2")), Err(SealError::WrongContext));
    let other_purpose = SealContext::new(Tag::new("amulet/v1/other"), &[b"record 1"]);
    assert_eq!(sealed.open(&key(1), &other_purpose), Err(SealError::WrongContext));
    let split_otherwise = SealContext::new(PURPOSE, &[b"record", b" 1"]);
    assert_eq!(sealed.open(&key(1), &split_otherwise), Err(SealError::WrongContext));
}

#[test]
fn the_same_secret_seals_differently_each_time() {
    let mut entropy = SeededEntropy::new(3);
    let mut seal = || SealedBox::seal(key(1).public_key(), &context(b""), b"same", &mut entropy).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn every_changed_bit_is_noticed() {
    let sealed = sealed(b"secret");
    for position in 0..sealed.as_bytes().len() {
        let mut changed = sealed.as_bytes().to_vec();
        changed[position] ^= 0x10;
        let opened = SealedBox::from_bytes(changed).unwrap().open(&key(1), &context(b"record 1"));
        assert!(
            matches!(opened, Err(SealError::InvalidPoint | SealError::NotForThisKey)),
            "a change of byte {position} gave {opened:?}"
        );
    }
}

#[test]
fn every_cut_is_noticed() {
    let sealed = sealed(b"secret");
    for length in 0..sealed.as_bytes().len() {
        let cut = sealed.as_bytes()[..length].to_vec();
        match SealedBox::from_bytes(cut.clone()) {
            Err(error) => {
                assert!(length < SEALED_OVERHEAD_BYTES);
                assert_eq!(error, SealError::TooShort { found: length, min: SEALED_OVERHEAD_BYTES });
            }
            Ok(cut) => assert_eq!(cut.open(&key(1), &context(b"record 1")), Err(SealError::NotForThisKey)),
        }
        // The bare decryption underneath must not panic on any length either: sm2 before 0.14.0 did (CVE-2026-22699, -22700).
        assert!(raw::decrypt(&key(1), &cut).is_err());
    }
}

#[test]
fn c1_must_be_an_uncompressed_point_on_the_curve() {
    let good = sealed(&[7; 100]).as_bytes().to_vec();
    let with_c1 = |c1: &[u8]| {
        let mut bytes = good.clone();
        bytes[..c1.len()].copy_from_slice(c1);
        raw::decrypt(&key(1), &bytes)
    };
    let invalid = Err(SealError::InvalidPoint);
    assert_eq!(with_c1(&[&[4][..], &[0; 64]].concat()), invalid, "(0, 0) is not on the curve");
    assert_eq!(with_c1(&[&[4][..], &[0xff; 64]].concat()), invalid, "coordinates beyond the field");
    for form in [0, 1, 2, 3, 5, 6, 7] {
        assert_eq!(with_c1(&[form]), invalid, "form {form}");
    }
    // A point of the curve y^2 = x^3 - 3x + b' with another b': the start of an invalid-curve attack.
    let mut off = good[..65].to_vec();
    off[64] ^= 1;
    assert_eq!(with_c1(&off), invalid);
    // The other encodings of the same point, shortened as they would be: one box, one spelling.
    let point = Sec1Point::from_bytes(&good[..65]).unwrap();
    let point = AffinePoint::from_sec1_point(&point).unwrap();
    let compressed = [point.to_sec1_point(true).as_bytes(), &good[65..]].concat();
    assert_eq!(raw::decrypt(&key(1), &compressed), invalid);
    let infinity = [&[0][..], &good[65..]].concat();
    assert_eq!(raw::decrypt(&key(1), &infinity), invalid);
}

/// Finds an ephemeral number whose key stream for one byte is zero, and the box that it makes of `plaintext`.
fn zero_stream_box(recipient: &AgreementKey, plaintext: u8) -> ([u8; 32], Vec<u8>) {
    let public = sm2::PublicKey::from_sec1_bytes(recipient.public_key().as_bytes()).unwrap();
    let mut entropy = SeededEntropy::new(77);
    loop {
        let mut ephemeral = [0; 32];
        entropy.fill(&mut ephemeral);
        let k = NonZeroScalar::try_from(ephemeral.as_slice()).unwrap();
        let shared = (public.to_projective() * *k).to_affine().to_sec1_point(false);
        let (x, y) = shared.as_bytes()[1..].split_at(32);
        if sm3(&[x, y, &[0, 0, 0, 1]].concat()).as_bytes()[0] == 0 {
            let c1 = ProjectivePoint::mul_by_generator(&k).to_affine().to_sec1_point(false);
            let c3 = sm3(&[x, &[plaintext], y].concat());
            return (ephemeral, [c1.as_bytes(), c3.as_ref(), &[plaintext]].concat());
        }
    }
}

#[test]
fn an_all_zero_key_stream_is_refused_when_opening() {
    // The box is right in every hash, but its "ciphertext" is the plaintext (GB/T 32918.4 section 7.1, step B4).
    let (_, bytes) = zero_stream_box(&key(1), 0x5a);
    assert_eq!(raw::decrypt(&key(1), &bytes), Err(SealError::NotForThisKey));
}

#[test]
fn an_all_zero_key_stream_is_drawn_again_when_sealing() {
    struct First(Option<[u8; 32]>, SeededEntropy);
    impl Entropy for First {
        fn fill(&mut self, out: &mut [u8]) {
            match self.0.take() {
                Some(bytes) => out.copy_from_slice(&bytes),
                None => self.1.fill(out),
            }
        }
    }
    let (bad, leaking) = zero_stream_box(&key(1), 0x5a);
    let sealed = raw::encrypt(key(1).public_key(), &[0x5a], &mut First(Some(bad), SeededEntropy::new(5)));
    assert_ne!(sealed, leaking);
    assert_eq!(**raw::decrypt(&key(1), &sealed).unwrap(), [0x5a]);
}

#[test]
fn sizes_are_bounded() {
    let seal = |length: usize| {
        SealedBox::seal(key(1).public_key(), &context(b""), &vec![1; length], &mut SeededEntropy::new(1))
    };
    let largest = seal(MAX_SEALED_DATA_BYTES).unwrap();
    assert_eq!(largest.as_bytes().len(), MAX_SEALED_BYTES);
    assert_eq!(largest.open(&key(1), &context(b"")).unwrap().len(), MAX_SEALED_DATA_BYTES);
    let found = MAX_SEALED_DATA_BYTES + 1;
    assert_eq!(seal(found), Err(SealError::TooLong { found, max: MAX_SEALED_DATA_BYTES }));
    assert_eq!(seal(0).unwrap().as_bytes().len(), SEALED_OVERHEAD_BYTES);
    assert!(seal(0).unwrap().open(&key(1), &context(b"")).unwrap().is_empty());
    // A length prefix of 4 GiB is refused before anything is allocated for it.
    let error = borsh::from_slice::<SealedBox>(&[0xff; 200]).unwrap_err();
    assert!(error.to_string().contains("at most 4096"), "{error}");
}

#[test]
fn a_box_survives_its_encodings() {
    let sealed = sealed(b"secret");
    assert_eq!(borsh::from_slice::<SealedBox>(&borsh::to_vec(&sealed).unwrap()).unwrap(), sealed);
    let json = serde_json::to_string(&sealed).unwrap();
    assert_eq!(serde_json::from_str::<SealedBox>(&json).unwrap(), sealed);
    assert!(serde_json::from_str::<SealedBox>("\"00\"").is_err());
    let too_long = format!("\"{}\"", "00".repeat(MAX_SEALED_BYTES + 1));
    assert!(serde_json::from_str::<SealedBox>(&too_long).is_err());
}

/// Pins the format: boxes already stored must open for ever.
#[test]
fn the_format_is_pinned() {
    let stored: SealedBox = include_str!("fixtures/sealed_box.hex").trim().parse().unwrap();
    assert_eq!(**stored.open(&key(1), &context(b"record 1")).unwrap(), *b"a content key");
    assert_eq!(stored, sealed(b"a content key"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_never_opens(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(raw::decrypt(&key(1), &noise).is_err());
        let mut with_form = noise;
        if let Some(first) = with_form.first_mut() {
            *first = 4;
        }
        prop_assert!(raw::decrypt(&key(1), &with_form).is_err());
    }

    #[test]
    fn whatever_is_sealed_opens(data in prop::collection::vec(any::<u8>(), 0..300), seed: u64) {
        let sealed =
            SealedBox::seal(key(1).public_key(), &context(b"x"), &data, &mut SeededEntropy::new(seed)).unwrap();
        prop_assert_eq!(&**sealed.open(&key(1), &context(b"x")).unwrap(), &data[..]);
    }
}
