//! What independent implementations made (`fixtures/peers`), read back by Amulet: the comparison that needs nothing
//! installed. Made by `conformance_external`'s `write_fixtures` with the versions pinned in `tests/conformance` and
//! OpenSSL 3.0.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::{Judgement, judge, text};

fn check(name: &str, lines: &str) -> BTreeSet<String> {
    lines
        .lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(judge(name, &record["operation"], &record["answer"]), Judgement::Agreed);
            text(&record["operation"], "op").to_owned()
        })
        .collect()
}

macro_rules! fixture {
    ($test:ident, $name:literal, $operations:expr) => {
        #[test]
        fn $test() {
            let seen = check($name, include_str!(concat!("fixtures/peers/", $name, ".jsonl")));
            assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), $operations);
        }
    };
}

fixture!(sm_crypto, "sm-crypto", ["hmac_sm3", "sm2_encrypt", "sm2_sign", "sm3"]);
fixture!(
    sm_crypto_v2,
    "sm-crypto-v2",
    ["hkdf_sm3", "hmac_sm3", "sm2_encrypt", "sm2_sign", "sm3", "sm4_gcm_seal"]
);
fixture!(gmssl, "gmssl", ["sm2_encrypt", "sm2_sign", "sm3"]);
fixture!(cryptography, "cryptography", ["argon2id", "hkdf_sm3", "hmac_sm3", "sm3", "sm4_gcm_seal"]);
fixture!(openssl, "openssl", ["hkdf_sm3", "hmac_sm3", "sm2_encrypt", "sm2_sign", "sm3"]);
