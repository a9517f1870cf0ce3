//! Shared by the conformance tests: operations that an implementation answers, and the judging of its answers.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used)]

pub mod operations;

use amulet_crypto::content::{ContentKey, open_content, raw as gcm};
use amulet_crypto::digest::{hmac_sm3, sm3};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::kdf::hkdf_sm3;
use amulet_crypto::passphrase::{PassphraseParams, derive_key};
use amulet_crypto::sealed_box::{AgreementKey, raw as pke};
use amulet_crypto::signing::{PublicKey, Signature, SigningKey, raw as dsa};
use serde_json::Value;

/// What a comparison came to. Disagreement is a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Agreed,
    Unsupported,
}

/// The bytes of a hexadecimal field.
pub fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(value, field)).unwrap_or_else(|error| panic!("{field} of {value}: {error}"))
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{value} has no {field}"))
}

pub fn array<const N: usize>(value: &Value, field: &str) -> [u8; N] {
    bytes(value, field).try_into().unwrap()
}

pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    SigningKey::from_bytes(secret).unwrap().public_key().clone()
}

/// Compares an implementation's answer with ours; panics where they differ.
pub fn judge(peer: &str, item: &Value, answer: &Value) -> Judgement {
    if answer["unsupported"] == true {
        return Judgement::Unsupported;
    }
    let refused = answer["refused"] == true;
    let expect_refusal = item["expect"] == "refused";
    let agreed = match text(item, "op") {
        "sm3" => text(answer, "digest") == sm3(&bytes(item, "message")).to_string(),
        "hmac_sm3" => {
            text(answer, "digest") == hmac_sm3(&bytes(item, "key"), &bytes(item, "message")).to_string()
        }
        "hkdf_sm3" => {
            let mut ours = vec![0; item["length"].as_u64().unwrap() as usize];
            hkdf_sm3(&bytes(item, "ikm"), &bytes(item, "salt"), &bytes(item, "info"), &mut ours);
            bytes(answer, "output") == ours
        }
        "sm2_sign" => judge_signature(item, answer),
        "sm2_verify" => refused == expect_refusal,
        "sm2_encrypt" => {
            let key = AgreementKey::from_bytes(&array(item, "secret")).unwrap();
            *pke::decrypt(&key, &bytes(answer, "ciphertext")).unwrap() == bytes(item, "plaintext")
        }
        // One peer does not compare C3; that it finds no sense in a changed box is all it can show.
        "sm2_decrypt" if expect_refusal => refused || answer["plaintext"] != item["plaintext"],
        "sm4_gcm_open" if expect_refusal => refused,
        "sm2_decrypt" | "sm4_gcm_open" => answer["plaintext"] == item["plaintext"],
        "sm4_gcm_seal" => judge_gcm(item, answer),
        "argon2id" => judge_argon2id(item, answer),
        other => panic!("unknown operation {other}"),
    };
    assert!(agreed, "{peer} and Amulet disagree:\n{item}\n{answer}");
    Judgement::Agreed
}

fn judge_signature(item: &Value, answer: &Value) -> bool {
    let key = public_key(&array(item, "secret"));
    let signature = Signature::from_bytes(array(answer, "signature"));
    let message = bytes(item, "message");
    let other = [&message[..], b"!"].concat();
    let user_id = text(item, "user_id");
    dsa::verify_with_id(&key, user_id, &message, &signature).is_ok()
        && dsa::verify_with_id(&key, user_id, &other, &signature).is_err()
}

fn judge_gcm(item: &Value, answer: &Value) -> bool {
    let key = ContentKey::from_bytes(&array(item, "key"));
    let (nonce, aad, plaintext) = (array(item, "nonce"), bytes(item, "aad"), bytes(item, "plaintext"));
    let theirs = bytes(answer, "sealed");
    gcm::seal_with_nonce(&key, nonce, &aad, &plaintext) == theirs
        && *gcm::open_with_nonce(&key, nonce, &aad, &theirs).unwrap() == plaintext
}

/// The wrapping key is not shown, so the stretched bytes are compared through what both derive from them: a box
/// sealed under our key opens under the key made from theirs, as `docs/spec/crypto.md` lays it out.
fn judge_argon2id(item: &Value, answer: &Value) -> bool {
    let number = |field: &str| u32::try_from(item[field].as_u64().unwrap()).unwrap();
    let cost = (number("memory_kib"), number("passes"), number("lanes"));
    let params = PassphraseParams::new(cost.0, cost.1, cost.2, array(item, "salt")).unwrap();
    let passphrase = String::from_utf8(bytes(item, "passphrase")).unwrap();
    let sealed =
        derive_key(&passphrase, &params).unwrap().seal(b"aad", b"data", &mut SeededEntropy::new(1)).unwrap();
    let mut derived = [0; 32];
    hkdf_sm3(&bytes(answer, "output"), &[], b"amulet/v1/wrapping-key", &mut derived);
    let key = ContentKey::from_bytes(derived[..16].try_into().unwrap());
    sealed[..16] == derived[16..] && **open_content(&key, b"aad", &sealed[16..]).unwrap() == *b"data"
}
