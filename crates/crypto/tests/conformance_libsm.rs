//! Both directions with `libsm`, an independent implementation in Rust, in this process.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use libsm::sm2::encrypt::{DecryptCtx, EncryptCtx};
use libsm::sm2::signature::{SigCtx, Signature};
use libsm::sm3::hash::Sm3Hash;
use serde_json::{Value, json};
use support::{Judgement, array, bytes, judge, operations, text};

/// C1 is an uncompressed point, C3 a digest.
const C1_BYTES: usize = 65;
const C3_BYTES: usize = 32;

fn answer(item: &Value) -> Value {
    let context = SigCtx::new();
    match text(item, "op") {
        "sm3" => json!({ "digest": hex::encode(Sm3Hash::new(&bytes(item, "message")).get_hash()) }),
        "sm2_sign" | "sm2_verify" if text(item, "user_id") != "1234567812345678" => unsupported(),
        "sm2_sign" => {
            let secret = context.load_seckey(&bytes(item, "secret")).unwrap();
            let public = context.pk_from_sk(&secret).unwrap();
            let signature = context.sign(&bytes(item, "message"), &secret, &public).unwrap();
            json!({ "signature": format!("{:064x}{:064x}", signature.get_r(), signature.get_s()) })
        }
        "sm2_verify" => {
            let public = context.load_pubkey(&bytes(item, "public")).unwrap();
            let signature = array::<64>(item, "signature");
            let signature = Signature::new(&signature[..32], &signature[32..]);
            match context.verify(&bytes(item, "message"), &public, &signature).unwrap() {
                true => json!({ "valid": true }),
                false => json!({ "refused": true }),
            }
        }
        "sm2_encrypt" => {
            let public = context.load_pubkey(&bytes(item, "public")).unwrap();
            let plaintext = bytes(item, "plaintext");
            let theirs = EncryptCtx::new(plaintext.len(), public).encrypt(&plaintext).unwrap();
            // This library writes C1 C2 C3, the order of the first draft of the standard.
            let (c1, rest) = theirs.split_at(C1_BYTES);
            let (c2, c3) = rest.split_at(plaintext.len());
            json!({ "ciphertext": hex::encode([c1, c3, c2].concat()) })
        }
        "sm2_decrypt" => {
            let secret = context.load_seckey(&bytes(item, "secret")).unwrap();
            let ciphertext = bytes(item, "ciphertext");
            let (c1, rest) = ciphertext.split_at(C1_BYTES);
            let (c3, c2) = rest.split_at(C3_BYTES);
            match DecryptCtx::new(c2.len(), secret).decrypt(&[c1, c2, c3].concat()) {
                Ok(plaintext) => json!({ "plaintext": hex::encode(plaintext) }),
                Err(_) => json!({ "refused": true }),
            }
        }
        _ => unsupported(),
    }
}

fn unsupported() -> Value {
    json!({ "unsupported": true })
}

#[test]
fn libsm_agrees_both_ways() {
    let mut agreed = std::collections::BTreeMap::new();
    for seed in 0..2 {
        for item in [operations::making(seed), operations::checking(seed)].concat() {
            if judge("libsm", &item, &answer(&item)) == Judgement::Agreed {
                *agreed.entry(text(&item, "op").to_owned()).or_insert(0) += 1;
            }
        }
    }
    let compared: Vec<&str> = agreed.keys().map(String::as_str).collect();
    assert_eq!(compared, ["sm2_decrypt", "sm2_encrypt", "sm2_sign", "sm2_verify", "sm3"]);
}
