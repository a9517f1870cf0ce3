//! Both directions with implementations outside this process: OpenSSL's command line, and the peers of
//! `tests/conformance`. One that is not installed is skipped with a line that says so; with
//! `AMULET_REQUIRE_CONFORMANCE=1` that is a failure.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod openssl;
mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::kdf::{GuardianShare, Language, SeedPhrase};
use serde_json::{Value, json};
use support::{Judgement, judge, operations, text};

const SIGN_AND_ENCRYPT: [&str; 4] = ["sm2_decrypt", "sm2_encrypt", "sm2_sign", "sm2_verify"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A program that answers operations as `tests/conformance/README.md` says.
struct Peer {
    name: &'static str,
    program: PathBuf,
    script: PathBuf,
    /// What it must answer; so a peer that suddenly supports nothing does not pass.
    operations: &'static [&'static str],
}

fn peers() -> [Peer; 4] {
    let installed = repository().join("target/conformance");
    let node = |name, operations| Peer {
        name,
        program: "node".into(),
        script: installed.join("node/peer.mjs"),
        operations,
    };
    let python = |name, operations| Peer {
        name,
        program: installed.join("venv/bin/python"),
        script: repository().join("tests/conformance/python/peer.py"),
        operations,
    };
    [
        node("sm-crypto", &["hmac_sm3", "sm2_decrypt", "sm2_encrypt", "sm2_sign", "sm2_verify", "sm3"]),
        node(
            "sm-crypto-v2",
            &[
                "hkdf_sm3",
                "hmac_sm3",
                "sm2_decrypt",
                "sm2_encrypt",
                "sm2_sign",
                "sm2_verify",
                "sm3",
                "sm4_gcm_open",
                "sm4_gcm_seal",
            ],
        ),
        python("gmssl", &["sm2_decrypt", "sm2_encrypt", "sm2_sign", "sm2_verify", "sm3"]),
        python("cryptography", &["argon2id", "hkdf_sm3", "hmac_sm3", "sm3", "sm4_gcm_open", "sm4_gcm_seal"]),
    ]
}

impl Peer {
    fn is_installed(&self) -> bool {
        self.script.exists()
            && Command::new(&self.program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
            && (self.program.as_os_str() != "node" || self.script.with_file_name("node_modules").exists())
    }

    fn answers(&self, items: &[Value]) -> Vec<Value> {
        let mut child = Command::new(&self.program)
            .arg(&self.script)
            .arg(self.name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(json!(items).to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{} failed", self.name);
        let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answers.len(), items.len());
        answers
    }
}

/// Notes that something is missing; fails where everything is required.
fn skip(name: &str) {
    let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "{name} is not installed and AMULET_REQUIRE_CONFORMANCE=1; run tests/conformance/install.sh"
    );
    println!("SKIPPED: {name} is not installed; run tests/conformance/install.sh");
}

/// Judges all answers; gives how many agreed by operation.
fn compare(name: &str, items: &[Value], answers: &[Value]) -> BTreeMap<String, usize> {
    let mut agreed = BTreeMap::new();
    for (item, answer) in items.iter().zip(answers) {
        if judge(name, item, answer) == Judgement::Agreed {
            *agreed.entry(text(item, "op").to_owned()).or_default() += 1;
        }
    }
    println!("{name}: agreed on {agreed:?}");
    agreed
}

fn compare_peer(name: &str) {
    let peers = peers();
    let peer = peers.iter().find(|peer| peer.name == name).unwrap();
    if !peer.is_installed() {
        return skip(name);
    }
    let items = [operations::making(100), operations::checking(100), vec![operations::argon2id()]].concat();
    let agreed = compare(name, &items, &peer.answers(&items));
    assert_eq!(agreed.keys().map(String::as_str).collect::<Vec<_>>(), peer.operations);
}

#[test]
fn sm_crypto_agrees_both_ways() {
    compare_peer("sm-crypto");
}

#[test]
fn sm_crypto_v2_agrees_both_ways() {
    compare_peer("sm-crypto-v2");
}

#[test]
fn gmssl_agrees_both_ways() {
    compare_peer("gmssl");
}

#[test]
fn cryptography_agrees_both_ways() {
    compare_peer("cryptography");
}

/// The reference implementation of SLIP-0039 reads our shares, and we read its.
#[test]
fn shamir_mnemonic_agrees_both_ways() {
    let peer = Peer {
        name: "shamir-mnemonic",
        program: repository().join("target/conformance/venv/bin/python"),
        script: repository().join("tests/conformance/python/peer.py"),
        operations: &[],
    };
    if !peer.is_installed() {
        return skip(peer.name);
    }
    let mut entropy = SeededEntropy::new(39);
    for (threshold, guardians) in [(2, 2), (2, 3), (3, 5), (7, 7), (16, 16)] {
        let words = SeedPhrase::generate(Language::English, &mut entropy);
        let secret =
            hex::encode(bip39::Mnemonic::parse_normalized(&words.words().join(" ")).unwrap().to_entropy());
        let shares = words.split(threshold, guardians, &mut entropy).unwrap();
        let some: Vec<String> =
            shares.iter().rev().take(threshold.into()).map(|share| share.words().join(" ")).collect();
        let answers = peer.answers(&[
            json!({ "op": "slip39_combine", "shares": some }),
            json!({ "op": "slip39_split", "secret": secret, "threshold": threshold, "guardians": guardians }),
        ]);
        assert_eq!(answers[0]["secret"], secret);
        let theirs = answers[1]["shares"].as_array().unwrap().iter();
        let theirs: Vec<GuardianShare> =
            theirs.map(|share| GuardianShare::parse(share.as_str().unwrap()).unwrap()).collect();
        let back = SeedPhrase::combine(&theirs, Language::English).unwrap();
        assert_eq!(back.words(), words.words(), "{threshold} of {guardians}");
    }
}

#[test]
fn openssl_agrees_both_ways() {
    if !openssl::has_sm2() {
        return skip("openssl (version 3 with SM2)");
    }
    let items = [operations::making(101), operations::checking(101)].concat();
    let answers: Vec<Value> = items.iter().map(openssl::answer).collect();
    let agreed = compare("openssl", &items, &answers);
    for operation in [&SIGN_AND_ENCRYPT[..], &["hkdf_sm3", "hmac_sm3", "sm3"]].concat() {
        assert!(agreed.contains_key(operation), "openssl did not answer {operation}");
    }
}

/// Writes what the peers make to `fixtures/peers`, where `conformance_fixtures` reads it. Run by hand after changing
/// the operations: `cargo nextest run -p amulet-crypto --test conformance_external --run-ignored only`.
#[test]
#[ignore = "writes fixtures"]
fn write_fixtures() {
    let items = [operations::making(7), vec![operations::argon2id()]].concat();
    let write = |name: &str, answers: Vec<Value>| {
        let supported: Vec<Value> = items
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer["unsupported"] != true)
            .map(|(item, answer)| json!({ "operation": item, "answer": answer }))
            .collect();
        let lines: Vec<String> = supported.iter().map(Value::to_string).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/peers/{name}.jsonl"));
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    };
    for peer in peers() {
        write(peer.name, peer.answers(&items));
    }
    write("openssl", items.iter().map(openssl::answer).collect());
}
