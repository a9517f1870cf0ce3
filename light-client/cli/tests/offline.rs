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

/// The newest block that a golden file shows.
fn newest_of(name: &str) -> amulet_protocol::header::Header {
    use amulet_protocol::proof_file::UntrustedProofFile;
    UntrustedProofFile::decode(&std::fs::read(golden(name)).unwrap()).unwrap().anchor.header
}

#[test]
fn a_proof_is_compared_with_a_checkpoint_by_code_by_words_and_by_file() {
    use amulet_crypto::kdf::Language;
    use amulet_light_client::checkpoint::words;
    use amulet_light_client::verifier::Pin;
    let name = "good-header-newest.amuletproof";
    let header = newest_of(name);
    let (pin, height) = (Pin::of(&header), header.height);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, format!("{pin}\n")).unwrap();
    let english = words(&pin, Language::English).map(str::to_owned);
    let with_words = format!("{height} {}", english.join(" "));
    let chinese = format!("{height} {}", words(&pin, Language::SimplifiedChinese).concat());
    for good in [&pin.to_string(), &with_words, &chinese, file.to_str().unwrap()] {
        for command in ["verify-proof", "verify-header"] {
            let output = check(command, &golden(name), &["--json", "--checkpoint", good]);
            assert_eq!((output.status.code(), &json(&output)["ok"]), (Some(0), &Value::Bool(true)), "{good}");
        }
    }
    let refused = |checkpoint: &str| {
        let output = check("verify-proof", &golden(name), &["--json", "--checkpoint", checkpoint]);
        let said = json(&output);
        let text = |field: &str| said["error"][field].as_str().unwrap().to_owned();
        (output.status.code().unwrap(), text("code"), text("message"))
    };
    // Another block of the same number.
    let other = Pin { header: newest_of("good-no-epochs.amuletproof").hash(), ..pin };
    let (exit, code, said) = refused(&other.to_string());
    assert_eq!((exit, code.as_str()), (1, "other-checkpoint"));
    assert!(said.contains(&pin.header.to_string()) && said.contains("not the checkpoint's"), "{said}");
    let mut misread = english.clone();
    misread[6] = if misread[6] == "zoo" { "zone".to_owned() } else { "zoo".to_owned() };
    let (exit, code, said) = refused(&format!("{height} {}", misread.join(" ")));
    assert_eq!((exit, code.as_str()), (1, "other-checkpoint"));
    assert!(said.contains("word 7 is another"), "{said}");
    // A block that the file does not show.
    let beside = Pin { height: height.next(), ..pin };
    let (exit, code, _) = refused(&beside.to_string());
    assert_eq!((exit, code.as_str()), (3, "beside-checkpoint"));
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_wrong_use_and_the_word_with_the_slip_is_named() {
    let refused = |checkpoint: &str| {
        let file = golden("good-header-newest.amuletproof");
        let output = check("verify-proof", &file, &["--checkpoint", checkpoint]);
        assert_eq!(output.status.code(), Some(2), "{checkpoint}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("amulet-light: --checkpoint: ") && said.lines().count() == 1, "{said}");
        said
    };
    let words = "abandon ability able about above absent absorb abstract absurd abuse";
    let slip = refused(&format!("22 {}", words.replace("absorb", "absorp")));
    assert!(slip.contains("word 7 is in no word list, did you mean \"absorb\"?"), "{slip}");
    assert!(refused(&words.replace("able", "abel")).contains("word 3"), "also before the number is missed");
    assert!(refused(words).contains("number of the block is missing"));
    assert!(refused("22 abandon ability").contains("found 2"));
    assert!(refused("amulet-checkpoint:1:00:22:00").contains("cut off or changed"));
    assert!(refused("").contains("found 0"));
    let large = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(large.path(), "zoo ".repeat(10_000)).unwrap();
    assert!(refused(large.path().to_str().unwrap()).contains("neither a code nor words"));
    std::fs::write(large.path(), [0xFF; 8]).unwrap();
    assert!(refused(large.path().to_str().unwrap()).contains("neither a code nor words"));
}
