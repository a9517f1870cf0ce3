//! The program as a person runs it, on the golden proof files, without a network.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/proofs").join(name)
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_amulet-light")).args(arguments).output().unwrap()
}

fn check(command: &str, file: &Path, more: &[&str]) -> Output {
    let genesis = golden("genesis.bin");
    let mut arguments = vec![command, "--genesis", genesis.to_str().unwrap(), file.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_golden_file_is_proven_or_refused_by_the_rule_it_breaks() {
    let verdicts: Value = serde_json::from_slice(&std::fs::read(golden("verdicts.json")).unwrap()).unwrap();
    for (name, expected) in verdicts.as_object().unwrap() {
        let output = check("verify-proof", &golden(name), &["--json"]);
        let said = json(&output);
        match expected.get("breaks") {
            None => {
                assert_eq!(output.status.code(), Some(0), "{name}: {said}");
                assert_eq!(said["anchor"]["hash"], expected["anchor"], "{name}");
                let facts = expected["facts"].as_array().unwrap().len();
                assert_eq!(said["facts"].as_array().unwrap().len(), facts, "{name}");
            }
            Some(rule) => {
                assert_eq!(output.status.code(), Some(1), "{name}: {said}");
                assert_eq!((&said["ok"], &said["error"]["code"]), (&Value::Bool(false), rule), "{name}");
            }
        }
    }
}

#[test]
fn a_history_is_told_in_words_with_the_block_it_is_proven_from() {
    let output = check("verify-proof", &golden("good-history.amuletproof"), &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("PROVEN, up to block 22 of 2023-11-14 22:13:42 UTC, signed by 3 of 4 validators."),
        "{said}"
    );
    assert!(said.contains("the complete history of did:amulet:") && said.contains("27 entries"), "{said}");
    assert_eq!(said.matches("AccessDeclined").count(), 26, "{said}");
    assert!(said.contains("It says nothing about what came after"), "{said}");
    assert!(output.stderr.is_empty());
}

#[test]
fn what_is_refused_is_said_in_one_line_with_what_to_do() {
    let refused = |name: &str, exit: i32, words: &[&str]| {
        let output = check("verify-proof", &golden(name), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(output.stdout.is_empty());
        assert!(said.starts_with("amulet-light: ") && said.lines().count() == 1, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused("bad-history-newest-kept-back.amuletproof", 1, &["26 entries", "counts 27", "do not rely on"]);
    refused("bad-another-chain.amuletproof", 1, &["is about chain", "genesis document"]);
    refused("bad-newer-version.amuletproof", 1, &["version 2", "newer amulet-light"]);
    refused("genesis.bin", 1, &["not a proof file", "a wallet exported"]);
    refused("there-is-no-such-file", 2, &["there-is-no-such-file", "that you may read"]);
    let file = golden("good-header-newest.amuletproof");
    let output = run(&["verify-proof", "--genesis", file.to_str().unwrap(), file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no genesis document") && said.contains("genesis.bin"), "{said}");
    assert_eq!(run(&["verify-proof"]).status.code(), Some(2), "what is missing is wrong use");
}

#[test]
fn a_header_is_checked_by_itself_under_the_first_validators_or_with_its_epochs() {
    use amulet_protocol::codec::encode;
    use amulet_protocol::proof_file::UntrustedProofFile;
    let folder = tempfile::tempdir().unwrap();
    let header_of = |name: &str| {
        let file = UntrustedProofFile::decode(&std::fs::read(golden(name)).unwrap()).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, encode(&file.anchor)).unwrap();
        path
    };
    let output = check("verify-header", &header_of("good-no-epochs.amuletproof"), &["--json"]);
    let said = json(&output);
    assert_eq!((&said["ok"], &said["height"], &said["signed"]), (&Value::Bool(true), &5.into(), &3.into()));
    let later = check("verify-header", &header_of("good-header-newest.amuletproof"), &[]);
    assert_eq!(later.status.code(), Some(1));
    assert!(String::from_utf8(later.stderr).unwrap().contains("how later validators follow"));
    let proof = check("verify-header", &golden("good-header-newest.amuletproof"), &["--json"]);
    assert_eq!(json(&proof)["anchor"]["epoch"], 2);
}
