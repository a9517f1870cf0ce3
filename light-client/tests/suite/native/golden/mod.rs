//! The golden proof files in `tests/conformance/proofs` and fork files in `tests/conformance/forks`: made by a light client from
//! a chain in memory, and made bad in every way. They are the same in each run (all signatures are deterministic), and the verifier in Python, written from
//! `docs/spec/`, must say the same of each. After a change of the format: `AMULET_WRITE_GOLDEN=1`.

mod bad;
mod forks;
mod good;

use amulet_crypto::digest::sm3;
use amulet_protocol::codec::encode;
use amulet_protocol::fork_file::UntrustedForkFile;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::ids::Did;
use amulet_protocol::proof_file::{Fact, UntrustedProofFile, VerifiedProof};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file: its name, its bytes, and the rule that it breaks.
pub struct Golden {
    pub name: String,
    pub bytes: Vec<u8>,
    pub breaks: Option<&'static str>,
}

impl Golden {
    fn good(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: format!("good-{name}"), bytes, breaks: None }
    }

    fn bad(name: &str, breaks: &'static str, bytes: Vec<u8>) -> Self {
        Self { name: format!("bad-{name}"), bytes, breaks: Some(breaks) }
    }
}

/// Where the golden files of a kind are.
fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance").join(kind)
}

async fn all() -> (Genesis, Vec<Golden>) {
    let good = good::Good::make().await;
    let mut files = good.files();
    files.extend(bad::files(&good));
    (good.genesis(), files)
}

/// What a reader must say of a file, in the words that the two implementations share.
fn verdict(bytes: &[u8], genesis: &Genesis) -> Value {
    let verified = UntrustedProofFile::decode(bytes).and_then(|file| file.verify(genesis));
    match verified {
        Ok(proof) => json!({ "anchor": proof.anchor().hash().to_string(), "facts": facts(&proof) }),
        Err(error) => json!({ "breaks": error.rule() }),
    }
}

fn facts(proof: &VerifiedProof) -> Vec<String> {
    proof.facts().iter().map(|(header, fact)| said(header, fact)).collect()
}

fn said(header: &Header, fact: &Fact) -> String {
    let height = header.height;
    match fact {
        Fact::Header => format!("header {height} {}", header.hash()),
        Fact::State(batch) => {
            // In the order of the keys' places, which any implementation knows.
            let mut values: Vec<_> = batch.iter().map(|(key, value)| (key.hash(), value)).collect();
            values.sort_unstable();
            let said = values.iter().map(|(place, value)| match value {
                Some(value) => format!("{place}={}", sm3(value)),
                None => format!("{place}=absent"),
            });
            format!("state {height} {}", said.collect::<Vec<_>>().join(" "))
        }
        Fact::Receipts(receipts) => {
            let said = receipts.iter().map(|receipt| sm3(&encode(receipt)).to_string());
            format!("receipts {height} {}", said.collect::<Vec<_>>().join(" "))
        }
        Fact::History(history) => {
            format!("history {height} {} {} {}", history.did, history.head.count, history.head.head)
        }
    }
}

/// What a reader must say of a fork file.
fn fork_verdict(bytes: &[u8], genesis: &Genesis) -> Value {
    match UntrustedForkFile::decode(bytes).and_then(|file| file.verify(genesis)) {
        Ok(fork) => {
            let named = |dids: &BTreeSet<Did>| {
                dids.iter().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
            };
            json!({
                "sides": fork.fork().hashes().map(|hash| hash.to_string()),
                "signed_both": named(fork.signed_both()),
                "convicted": named(fork.convicted()),
            })
        }
        Err(error) => json!({ "breaks": error.rule() }),
    }
}

/// The same with the names in each object ascending, whatever order the build keeps them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<String, Value> =
                map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Judges the files, and compares them with those in the folder of their kind.
fn are_in(
    folder: &Path,
    ending: &str,
    genesis: &Genesis,
    files: Vec<Golden>,
    verdict: fn(&[u8], &Genesis) -> Value,
) {
    let mut verdicts = serde_json::Map::new();
    let mut wrong = Vec::new();
    for file in &files {
        let verdict = verdict(&file.bytes, genesis);
        let breaks = verdict.get("breaks").and_then(Value::as_str);
        if breaks != file.breaks {
            wrong.push(format!("{}: {breaks:?} instead of {:?}", file.name, file.breaks));
        }
        assert!(verdicts.insert(format!("{}.{ending}", file.name), verdict).is_none(), "{}", file.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut expected = vec![("genesis.bin".to_owned(), encode(genesis))];
    expected.extend(files.into_iter().map(|file| (format!("{}.{ending}", file.name), file.bytes)));
    let verdicts = serde_json::to_string_pretty(&sorted(Value::Object(verdicts))).unwrap() + "\n";
    expected.push(("verdicts.json".into(), verdicts.into_bytes()));
    if std::env::var_os("AMULET_WRITE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).unwrap();
        for (name, bytes) in &expected {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    for (name, bytes) in &expected {
        let found = std::fs::read(folder.join(name)).unwrap_or_default();
        assert!(found == *bytes, "{name} is not what this code makes; AMULET_WRITE_GOLDEN=1 writes it anew");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), expected.len(), "a file that is no longer made");
}

#[tokio::test]
async fn the_golden_proof_files_are_what_this_code_makes_and_are_judged_as_expected() {
    let (genesis, files) = all().await;
    are_in(&folder("proofs"), "amuletproof", &genesis, files, verdict);
}

#[tokio::test]
async fn the_golden_fork_files_are_what_this_code_makes_and_are_judged_as_expected() {
    let forks = forks::Forks::make().await;
    are_in(&folder("forks"), "amuletfork", &forks.genesis(), forks.files(), fork_verdict);
}

/// Nobody is accused by a file that somebody changed.
#[tokio::test]
async fn a_fork_file_with_any_one_bit_changed_is_refused() {
    let forks = forks::Forks::make().await;
    let (genesis, files) = (forks.genesis(), forks.files());
    let good = &files.iter().find(|file| file.name == "good-one-view").unwrap().bytes;
    for at in (0..good.len()).step_by(11) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(fork_verdict(&bytes, &genesis).get("breaks").is_some(), "byte {at} of {}", good.len());
    }
}

/// Nothing in a file is free to be anything: whoever changes it is found out. (A statement that names a header can be made
/// one that names another header of the file, and is then as true; so files without such statements are changed.)
#[tokio::test]
async fn a_file_with_any_one_bit_changed_is_refused() {
    let (genesis, files) = all().await;
    for name in ["good-log-line", "good-receipts-batch"] {
        let good = &files.iter().find(|file| file.name == name).unwrap().bytes;
        // A step without a common factor with the sizes in the format, so that every field has its turn.
        for at in (0..good.len()).step_by(11) {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            assert!(verdict(&bytes, &genesis).get("breaks").is_some(), "{name}: byte {at} of {}", good.len());
        }
    }
}

#[test]
fn a_verifier_written_from_the_specification_in_python_says_the_same_of_every_file() {
    for folder in ["proofs", "forks"].map(folder) {
        let script = folder.join("../python/verify_proof.py");
        let output = Command::new("python3").arg(&script).arg("--all").arg(&folder).output();
        let Ok(output) = output else {
            let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
            assert!(!required, "python3 is not installed and AMULET_REQUIRE_CONFORMANCE=1");
            println!("SKIPPED: python3 is not installed");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected: Value =
            serde_json::from_slice(&std::fs::read(folder.join("verdicts.json")).unwrap()).unwrap();
        for (file, verdict) in expected.as_object().unwrap() {
            assert_eq!(found[file], *verdict, "{file}");
        }
        assert_eq!(found.as_object().unwrap().len(), expected.as_object().unwrap().len());
    }
}
