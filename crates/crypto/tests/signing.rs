//! What a signature holds against: another context, chain, message, key, or changed numbers.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{
    ChainTag, PublicKey, PublicKeyError, SecretKeyError, Signature, SignatureError, Signed, SigningContext,
    SigningKey,
};
use borsh::{BorshDeserialize, BorshSerialize};
use proptest::prelude::*;

const CHAIN: ChainTag = ChainTag([1; 32]);
const OTHER_CHAIN: ChainTag = ChainTag([2; 32]);

/// Group order of SM2 (GB/T 32918.5 section 3).
const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(&mut SeededEntropy::new(seed))
}

fn number(hex_text: &str) -> [u8; 32] {
    hex::decode(hex_text).unwrap().try_into().unwrap()
}

#[test]
fn a_signature_counts_for_one_context_chain_message_and_key() {
    let signer = key(1);
    let public = signer.public_key();
    let signature = signer.sign(SigningContext::Prepare, &CHAIN, b"vote");
    assert_eq!(public.verify(SigningContext::Prepare, &CHAIN, b"vote", &signature), Ok(()));
    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(public.verify(SigningContext::Commit, &CHAIN, b"vote", &signature), mismatch);
    assert_eq!(public.verify(SigningContext::Prepare, &OTHER_CHAIN, b"vote", &signature), mismatch);
    assert_eq!(public.verify(SigningContext::Prepare, &CHAIN, b"vote ", &signature), mismatch);
    assert_eq!(key(2).public_key().verify(SigningContext::Prepare, &CHAIN, b"vote", &signature), mismatch);
}

#[test]
fn signing_is_deterministic() {
    let sign = |message: &[u8]| key(1).sign(SigningContext::Transaction, &CHAIN, message);
    assert_eq!(sign(b"a"), sign(b"a"));
    assert_ne!(sign(b"a").to_bytes()[..32], sign(b"b").to_bytes()[..32], "two messages must not share r");
}

/// Pins the signed bytes, the deterministic nonce and the encoding: a change here breaks every existing chain.
#[test]
fn the_signed_format_is_pinned() {
    let signer = SigningKey::from_bytes(&[7; 32]).unwrap();
    let signature = signer.sign(SigningContext::Transaction, &CHAIN, b"message");
    assert_eq!(
        signer.public_key().to_string(),
        "02df07dc0b31591dfb63ec895516e5bb4ad05a09c2feba6d496ce523f7303fffcd"
    );
    assert_eq!(
        signature.to_string(),
        "ea10bd65a9034ac384258abff86afbf4812ea2ed02b40240430332aacab1b8e331d029e1548c11bd89a74b4f1b767a6f77eb3554c4a9ae50c8b01e8e2dac6a7f"
    );
    assert_eq!(
        signer.public_key().fingerprint().to_string(),
        "ce9724a3017bf5afa9a027a9d26a86f73cafeb5d0b46ac4de905a76de1d3d30a"
    );
    // The same bytes as a plain GM/T 0009 signature over the documented preimage.
    let preimage = [&[21][..], b"amulet/v1/transaction", &[1; 32], b"message"].concat();
    let user_id = "1234567812345678";
    amulet_crypto::signing::raw::verify_with_id(signer.public_key(), user_id, &preimage, &signature).unwrap();
}

#[test]
fn contexts_have_distinct_tags() {
    use SigningContext::*;
    let all = [
        Transaction,
        PrePrepare,
        Prepare,
        Commit,
        Checkpoint,
        ViewChange,
        NewView,
        NodeHandshake,
        ReadRequest,
        OfflineFacts,
        IntakeReceipt,
        Genesis,
    ];
    let tags: std::collections::BTreeSet<_> = all.iter().map(|context| context.tag()).collect();
    assert_eq!(tags.len(), all.len());
    assert!(tags.iter().all(|tag| tag.starts_with("amulet/v1/")));
}

#[test]
fn impossible_numbers_are_refused() {
    let signer = key(1);
    let good = signer.sign(SigningContext::Commit, &CHAIN, b"x").to_bytes();
    let verify = |r: &[u8], s: &[u8]| {
        let bytes = [r, s].concat().try_into().unwrap();
        signer.public_key().verify(SigningContext::Commit, &CHAIN, b"x", &Signature::from_bytes(bytes))
    };
    let (r, s) = good.split_at(32);
    assert_eq!(verify(r, s), Ok(()));
    let out_of_range = Err(SignatureError::OutOfRange);
    assert_eq!(verify(&[0; 32], s), out_of_range);
    assert_eq!(verify(r, &[0; 32]), out_of_range);
    assert_eq!(verify(&number(ORDER), s), out_of_range);
    assert_eq!(verify(r, &number(ORDER)), out_of_range);
    assert_eq!(verify(&[0xff; 32], &[0xff; 32]), out_of_range);
    // r + s = n makes t zero (GB/T 32918.2 section 7.1, step B5).
    let mut one = [0; 32];
    one[31] = 1;
    let mut order_minus_one = number(ORDER);
    order_minus_one[31] -= 1;
    assert_eq!(verify(&one, &order_minus_one), Err(SignatureError::Mismatch));
}

#[test]
fn secret_numbers_out_of_range_are_refused() {
    let minus = |n: u8| {
        let mut bytes = number(ORDER);
        bytes[31] -= n;
        bytes
    };
    for bad in [[0; 32], minus(0), minus(1), [0xff; 32]] {
        assert_eq!(SigningKey::from_bytes(&bad).err(), Some(SecretKeyError));
    }
    let largest = SigningKey::from_bytes(&minus(2)).unwrap();
    let signature = largest.sign(SigningContext::Commit, &CHAIN, b"x");
    assert_eq!(largest.public_key().verify(SigningContext::Commit, &CHAIN, b"x", &signature), Ok(()));
}

#[test]
fn only_compressed_points_of_the_curve_are_public_keys() {
    let good = key(1).public_key().to_bytes();
    assert!(PublicKey::from_bytes(&good).is_ok());
    assert_eq!(PublicKey::from_bytes(&good[..32]), Err(PublicKeyError::Length { found: 32 }));
    assert_eq!(PublicKey::from_bytes(&[0]), Err(PublicKeyError::Length { found: 1 }));
    for form in [0, 4, 5, 6] {
        let mut bytes = good;
        bytes[0] = form;
        assert_eq!(PublicKey::from_bytes(&bytes), Err(PublicKeyError::Form { found: form }));
    }
    // x = p is zero in another spelling, x = 2^256 - 1 is out of the field; for about half of all x there is no point.
    let mut beyond = [0xff; 33];
    beyond[0] = 2;
    assert_eq!(PublicKey::from_bytes(&beyond), Err(PublicKeyError::NotOnCurve));
    let off_curve = (0..=u8::MAX).filter(|&last| {
        let mut bytes = good;
        bytes[32] = last;
        PublicKey::from_bytes(&bytes) == Err(PublicKeyError::NotOnCurve)
    });
    assert!((64..192).contains(&off_curve.count()));
}

#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
struct Claim {
    amount: u64,
    text: String,
}

#[test]
fn a_signed_value_is_reached_by_verifying_only() {
    let claim = Claim { amount: 3, text: "three".into() };
    let signer = key(1);
    let signed = Signed::sign(claim.clone(), &signer, SigningContext::Transaction, &CHAIN).unwrap();
    let bytes = borsh::to_vec(&signed).unwrap();
    let decoded: Signed<Claim> = borsh::from_slice(&bytes).unwrap();
    assert_eq!(
        decoded.clone().verify(SigningContext::ReadRequest, &CHAIN).unwrap_err(),
        SignatureError::Mismatch
    );
    assert_eq!(
        decoded.clone().verify(SigningContext::Transaction, &OTHER_CHAIN).unwrap_err(),
        SignatureError::Mismatch
    );
    let verified = decoded.verify(SigningContext::Transaction, &CHAIN).unwrap();
    assert_eq!(verified.key(), signer.public_key());
    assert_eq!(verified.amount, 3);
    assert_eq!(borsh::to_vec(verified.as_signed()).unwrap(), bytes);
    assert_eq!(verified.into_inner(), claim);
}

#[test]
fn every_changed_byte_of_a_signed_value_is_noticed() {
    let claim = Claim { amount: 3, text: "three".into() };
    let signed = Signed::sign(claim, &key(1), SigningContext::Transaction, &CHAIN).unwrap();
    let bytes = borsh::to_vec(&signed).unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let accepted = borsh::from_slice::<Signed<Claim>>(&changed)
            .is_ok_and(|signed| signed.verify(SigningContext::Transaction, &CHAIN).is_ok());
        assert!(!accepted, "a change of byte {position} went unnoticed");
    }
}

#[test]
fn values_survive_their_encodings() {
    let public = key(1).public_key().clone();
    let signature = key(1).sign(SigningContext::Commit, &CHAIN, b"x");
    assert_eq!(borsh::from_slice::<PublicKey>(&borsh::to_vec(&public).unwrap()).unwrap(), public);
    assert_eq!(borsh::to_vec(&public).unwrap().len(), 33);
    assert_eq!(borsh::to_vec(&signature).unwrap().len(), 64);
    let json = serde_json::to_string(&(public.clone(), signature, CHAIN)).unwrap();
    assert_eq!(
        serde_json::from_str::<(PublicKey, Signature, ChainTag)>(&json).unwrap(),
        (public.clone(), signature, CHAIN)
    );
    assert!(json.contains(&public.to_string()));
    let mut bad = borsh::to_vec(&public).unwrap();
    bad[0] = 4;
    assert!(borsh::from_slice::<PublicKey>(&bad).is_err());
    assert!(serde_json::from_str::<PublicKey>(&format!("\"{}\"", "00".repeat(33))).is_err());
}

#[test]
fn debug_output_has_no_secret() {
    let signer = key(1);
    let shown = format!("{signer:?}");
    let secret = hex::encode(*signer.expose_secret());
    assert!(shown.starts_with("SigningKey") && !shown.contains(&secret[..8]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_signed_verifies_and_other_bytes_do_not(seed: u64, message: Vec<u8>, at: usize, noise: [u8; 64]) {
        let signer = key(seed);
        let signature = signer.sign(SigningContext::Transaction, &CHAIN, &message);
        let verify = |message: &[u8], signature| {
            signer.public_key().verify(SigningContext::Transaction, &CHAIN, message, &signature)
        };
        prop_assert_eq!(verify(&message, signature), Ok(()));
        prop_assert!(verify(&message, Signature::from_bytes(noise)).is_err());
        let mut longer = message.clone();
        longer.insert(at % (message.len() + 1), 0);
        prop_assert_eq!(verify(&longer, signature), Err(SignatureError::Mismatch));
    }
}
