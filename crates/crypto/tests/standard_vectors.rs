//! The standards' own examples, from `fixtures/standards/vectors.json`, each with its source.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use amulet_crypto::content::{ContentKey, raw as gcm};
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::Entropy;
use amulet_crypto::kdf::SeedPhrase;
use amulet_crypto::sealed_box::{AgreementKey, raw as pke};
use amulet_crypto::signing::{Signature, raw as dsa};
use serde_json::Value;
use sm4::cipher::{BlockCipherEncrypt, KeyInit};
use support::{array, bytes, public_key, text};

fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/standards/vectors.json")).unwrap();
    let vectors = all[kind].as_array().unwrap().clone();
    assert!(!vectors.is_empty(), "no vectors of {kind}");
    vectors
}

#[test]
fn sm3_digests() {
    for vector in vectors("sm3") {
        assert_eq!(sm3(&bytes(&vector, "message")).to_string(), text(&vector, "digest"), "{vector}");
    }
}

#[test]
fn sm4_blocks() {
    for vector in vectors("sm4") {
        let cipher = sm4::Sm4::new(&array(&vector, "key").into());
        let mut block = array::<16>(&vector, "plaintext").into();
        for _ in 0..vector["rounds"].as_u64().unwrap() {
            cipher.encrypt_block(&mut block);
        }
        assert_eq!(hex::encode(block), text(&vector, "ciphertext"), "{vector}");
    }
}

#[test]
fn sm4_gcm_both_ways() {
    for vector in vectors("sm4_gcm") {
        let key = ContentKey::from_bytes(&array(&vector, "key"));
        let (nonce, aad) = (array(&vector, "nonce"), bytes(&vector, "aad"));
        let (plaintext, sealed) = (bytes(&vector, "plaintext"), bytes(&vector, "sealed"));
        assert_eq!(gcm::seal_with_nonce(&key, nonce, &aad, &plaintext), sealed, "{vector}");
        assert_eq!(*gcm::open_with_nonce(&key, nonce, &aad, &sealed).unwrap(), plaintext, "{vector}");
    }
}

#[test]
fn sm2_signatures_verify() {
    for vector in vectors("sm2_signature") {
        let key = public_key(&array(&vector, "secret"));
        assert_eq!(key.to_bytes()[1..], bytes(&vector, "public")[1..33], "{vector}");
        let signature = Signature::from_bytes(array(&vector, "signature"));
        let message = bytes(&vector, "message");
        dsa::verify_with_id(&key, text(&vector, "user_id"), &message, &signature).unwrap();
        dsa::verify_with_id(&key, "someone else", &message, &signature).unwrap_err();
    }
}

/// Gives the standard's ephemeral number where encryption asks for a random one.
struct Given([u8; 32]);

impl Entropy for Given {
    fn fill(&mut self, out: &mut [u8]) {
        out.copy_from_slice(&self.0);
    }
}

#[test]
fn sm2_encryption_both_ways() {
    for vector in vectors("sm2_encryption") {
        let key = AgreementKey::from_bytes(&array(&vector, "secret")).unwrap();
        let (plaintext, ciphertext) = (bytes(&vector, "plaintext"), bytes(&vector, "ciphertext"));
        let mut ephemeral = Given(array(&vector, "ephemeral"));
        assert_eq!(pke::encrypt(key.public_key(), &plaintext, &mut ephemeral), ciphertext, "{vector}");
        assert_eq!(*pke::decrypt(&key, &ciphertext).unwrap(), plaintext, "{vector}");
    }
}

#[test]
fn bip39_seeds() {
    for vector in vectors("bip39_seed") {
        let phrase = SeedPhrase::parse(text(&vector, "words")).unwrap();
        assert_eq!(phrase.words().join(" "), text(&vector, "words"));
        assert_eq!(hex::encode(*phrase.to_seed().expose_secret()), text(&vector, "seed"), "{vector}");
    }
}
