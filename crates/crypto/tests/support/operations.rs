//! The operations that every implementation is asked: those whose answers we check, and those that check ours.

use amulet_crypto::content::{ContentKey, raw as gcm};
use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_crypto::sealed_box::{AgreementKey, raw as pke};
use amulet_crypto::signing::{SigningKey, USER_ID, raw as dsa};
use serde_json::{Value, json};
use sm2::elliptic_curve::sec1::ToSec1Point;

const LENGTHS: [usize; 8] = [16, 31, 32, 33, 55, 64, 200, 1000];

fn random(entropy: &mut SeededEntropy, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    entropy.fill(&mut out);
    out
}

fn uncompressed(key: &SigningKey) -> String {
    let key = sm2::PublicKey::from_sec1_bytes(key.public_key().as_bytes()).unwrap();
    hex::encode(key.to_sec1_point(false).as_bytes())
}

/// Operations by which an implementation makes something that we then check.
pub fn making(seed: u64) -> Vec<Value> {
    let mut entropy = SeededEntropy::new(seed);
    let mut items = Vec::new();
    for (i, length) in LENGTHS.into_iter().enumerate() {
        let message = hex::encode(random(&mut entropy, length));
        let key = hex::encode(random(&mut entropy, 16));
        let salt = hex::encode(random(&mut entropy, 1 + 9 * i));
        let nonce = hex::encode(random(&mut entropy, 12));
        items.push(json!({ "op": "sm3", "message": message }));
        items.push(json!({ "op": "hmac_sm3", "key": salt, "message": message }));
        items.push(
            json!({ "op": "hkdf_sm3", "ikm": message, "salt": salt, "info": key, "length": 10 + 20 * i }),
        );
        items.push(
            json!({ "op": "sm4_gcm_seal", "key": key, "nonce": nonce, "aad": salt, "plaintext": message }),
        );
        let signer = SigningKey::generate(&mut entropy);
        let (secret, public) = (hex::encode(*signer.expose_secret()), uncompressed(&signer));
        let user_id = if i == 3 { "ALICE123@YAHOO.COM" } else { USER_ID };
        items.push(
            json!({ "op": "sm2_sign", "secret": secret, "public": public, "user_id": user_id, "message": message }),
        );
        items.push(json!({ "op": "sm2_encrypt", "secret": secret, "public": public, "plaintext": message }));
    }
    items
}

/// Operations by which an implementation checks what we made, and what somebody then changed.
pub fn checking(seed: u64) -> Vec<Value> {
    let mut entropy = SeededEntropy::new(seed);
    let mut items = Vec::new();
    for (i, length) in LENGTHS.into_iter().enumerate() {
        let message = random(&mut entropy, length);
        let user_id = if i == 3 { "ALICE123@YAHOO.COM" } else { USER_ID };
        items.extend(signature_checks(&mut entropy, user_id, &message));
        items.extend(box_checks(&mut entropy, &message));
        items.extend(gcm_checks(&mut entropy, &message));
    }
    items
}

fn signature_checks(entropy: &mut SeededEntropy, user_id: &str, message: &[u8]) -> [Value; 2] {
    let key = SigningKey::generate(entropy);
    let signature = dsa::sign_with_id(&key, user_id, message).unwrap().to_string();
    let good = json!({
        "op": "sm2_verify", "public": uncompressed(&key), "user_id": user_id,
        "message": hex::encode(message), "signature": signature, "expect": "valid",
    });
    let mut other = message.to_vec();
    other[0] ^= 1;
    let mut bad = good.clone();
    bad["message"] = hex::encode(other).into();
    bad["expect"] = "refused".into();
    [good, bad]
}

fn box_checks(entropy: &mut SeededEntropy, message: &[u8]) -> [Value; 2] {
    let key = AgreementKey::generate(entropy);
    let ciphertext = pke::encrypt(key.public_key(), message, entropy);
    let signer = SigningKey::from_bytes(&key.expose_secret()).unwrap();
    let good = json!({
        "op": "sm2_decrypt", "secret": hex::encode(*key.expose_secret()), "public": uncompressed(&signer),
        "ciphertext": hex::encode(&ciphertext), "plaintext": hex::encode(message), "expect": "opened",
    });
    let mut changed = ciphertext;
    *changed.last_mut().unwrap() ^= 1;
    let mut bad = good.clone();
    bad["ciphertext"] = hex::encode(changed).into();
    bad["expect"] = "refused".into();
    [good, bad]
}

fn gcm_checks(entropy: &mut SeededEntropy, message: &[u8]) -> [Value; 2] {
    let key = ContentKey::generate(entropy);
    let mut nonce = [0; 12];
    entropy.fill(&mut nonce);
    let sealed = gcm::seal_with_nonce(&key, nonce, b"aad", message);
    let good = json!({
        "op": "sm4_gcm_open", "key": hex::encode(*key.expose_secret()), "nonce": hex::encode(nonce),
        "aad": hex::encode("aad"), "sealed": hex::encode(&sealed), "plaintext": hex::encode(message),
        "expect": "opened",
    });
    let mut changed = sealed;
    changed[0] ^= 1;
    let mut bad = good.clone();
    bad["sealed"] = hex::encode(changed).into();
    bad["expect"] = "refused".into();
    [good, bad]
}

/// Argon2id at the floor of cost, with what the derived wrapping key must come from.
pub fn argon2id() -> Value {
    json!({
        "op": "argon2id", "passphrase": hex::encode("correct horse 电池"), "salt": "000102030405060708090a0b0c0d0e0f",
        "memory_kib": 64 * 1024, "passes": 3, "lanes": 1,
    })
}
