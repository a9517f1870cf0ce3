//! What the package answers, natively: the same functions that a page calls, without the conversion to its objects. All golden files
//! also run through the built package, in Node and in Chromium (`check/vectors.mjs`).
#![allow(clippy::unwrap_used)]

use amulet_protocol::codec::encode;
use amulet_protocol::proof_file::UntrustedProofFile;
use amulet_verifier::Pin;
use amulet_verifier_wasm::check::{self, Start};
use amulet_verifier_wasm::view::Refused;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Later than every golden header, in milliseconds.
const NOW_MS: u64 = 1_800_000_000_000;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/proofs")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(golden().join(name)).unwrap()
}

fn genesis() -> Start {
    Start::genesis(&file("genesis.bin")).unwrap()
}

fn everything() -> UntrustedProofFile {
    UntrustedProofFile::decode(&file("good-everything.amuletproof")).unwrap()
}

/// The end of an epoch of the golden chain, as a checkpoint.
fn checkpoint(epoch: usize) -> (String, Vec<u8>, Vec<u8>) {
    let end = everything().epochs.swap_remove(epoch);
    let header = end.header.header;
    (Pin::of(&header).to_string(), encode(&header), encode(&end.next))
}

fn from_checkpoint(epoch: usize) -> Start {
    let (pin, header, validators) = checkpoint(epoch);
    Start::checkpoint(&pin, &header, &validators).unwrap()
}

fn code(refused: &Refused) -> &str {
    &refused.reason.code
}

#[test]
fn every_golden_file_gets_its_verdict() {
    let verdicts: Value = serde_json::from_slice(&file("verdicts.json")).unwrap();
    let start = genesis();
    for (name, wanted) in verdicts.as_object().unwrap() {
        match check::proof(&start, &file(name)) {
            Ok(proven) => {
                let proven = serde_json::to_value(proven).unwrap();
                assert_eq!(proven["kind"], "proven", "{name}");
                assert_eq!(proven["anchor"]["hash"], wanted["anchor"], "{name}");
            }
            Err(refused) => assert_eq!(json!(code(&refused)), wanted["breaks"], "{name}"),
        }
    }
}

#[test]
fn a_file_is_checked_from_a_checkpoint_without_the_epochs_before_it() {
    let whole = serde_json::to_value(check::proof(&genesis(), &file("good-everything.amuletproof")).unwrap());
    for epoch in 0..everything().epochs.len() {
        let mut damaged = everything();
        // Who starts later has no need of what came before, and does not look at it.
        damaged.epochs[0].header.certificate.signatures.truncate(if epoch > 0 { 1 } else { usize::MAX });
        let from = check::proof(&from_checkpoint(epoch), &damaged.encode()).unwrap();
        assert_eq!(serde_json::to_value(from).unwrap(), *whole.as_ref().unwrap(), "epoch {epoch}");
    }
    let older = check::proof(&from_checkpoint(1), &file("good-first-block.amuletproof")).unwrap_err();
    assert!(code(&older).starts_with("anchor-"), "{}", code(&older));
}

#[test]
fn a_header_and_validators_that_were_not_pinned_are_refused() {
    let (pin, header, validators) = checkpoint(0);
    let (_, other_header, other_validators) = checkpoint(1);
    let refused = |pin: &str, header: &[u8], validators: &[u8]| {
        Refused::from(&Start::checkpoint(pin, header, validators).unwrap_err()).reason.code
    };
    assert_eq!(refused(&pin, &other_header, &validators), "checkpoint");
    assert_eq!(refused(&pin, &header, &other_validators), "checkpoint");
    assert_eq!(refused("amulet-checkpoint:1:", &header, &validators), "checkpoint");
    assert_eq!(refused(&pin, &[], &validators), "checkpoint");
    assert_eq!(Refused::from(&Start::genesis(&header).unwrap_err()).reason.code, "genesis");
}

#[test]
fn a_signed_header_is_verified_left_open_or_refused() {
    let anchor = everything().anchor;
    let newest = from_checkpoint(everything().epochs.len() - 1);
    let judge = |start: &Start, header: &_, now| {
        check::header(start, &encode(header), now).map(|verdict| serde_json::to_value(verdict).unwrap())
    };
    let verified = judge(&newest, &anchor, NOW_MS).unwrap();
    assert_eq!(verified["kind"], "verified");
    assert_eq!(verified["block"]["hash"], json!(anchor.header.hash().to_string()));
    assert_eq!(judge(&genesis(), &anchor, NOW_MS).unwrap()["kind"], "unknown-validators");
    assert_eq!(code(&judge(&newest, &anchor, 0).unwrap_err()), "from-future");
    let mut changed = anchor.clone();
    changed.header.state_root = changed.header.range_root;
    assert_eq!(code(&judge(&newest, &changed, NOW_MS).unwrap_err()), "header-hash");
    let mut unsigned = anchor;
    unsigned.certificate.signatures.clear();
    assert_eq!(code(&judge(&newest, &unsigned, NOW_MS).unwrap_err()), "too-few");
    assert_eq!(code(&check::header(&newest, &[1, 2, 3], NOW_MS).unwrap_err()), "decode");
}

#[test]
fn an_event_is_present_absent_or_not_covered() {
    let start = genesis();
    let proof = file("good-history.amuletproof");
    let proven = serde_json::to_value(check::proof(&start, &proof).unwrap()).unwrap();
    let facts = proven["facts"].as_array().unwrap();
    let history = facts.iter().find(|fact| fact["kind"] == "history").unwrap();
    let (did, transaction) =
        (history["did"].as_str().unwrap(), history["entries"][0]["transaction"].as_str().unwrap());
    let kind = |did: &str, transaction: &str| {
        serde_json::to_value(check::event(&start, &proof, did, transaction).unwrap()).unwrap()["kind"].clone()
    };
    assert_eq!(kind(did, transaction), "proven-present");
    assert_eq!(kind(did, &"00".repeat(32)), "proven-absent");
    assert_eq!(kind("did:amulet:4TJP4tetpirhLURDLmQTRzDQzfji", transaction), "not-covered");
    assert_eq!(code(&check::event(&start, &proof, "nobody", transaction).unwrap_err()), "question");
    assert_eq!(code(&check::event(&start, b"something", did, transaction).unwrap_err()), "magic");
}

#[test]
fn the_events_of_a_history_are_objects_by_kind() {
    let proven = check::proof(&genesis(), &file("good-history.amuletproof")).unwrap();
    let proven = serde_json::to_value(proven).unwrap();
    let histories = proven["facts"].as_array().unwrap().iter().filter(|fact| fact["kind"] == "history");
    let entries: Vec<&Value> = histories.flat_map(|fact| fact["entries"].as_array().unwrap()).collect();
    assert!(!entries.is_empty());
    for entry in entries {
        let event = entry["event"].as_object().unwrap();
        assert!(event["kind"].is_string(), "{event:?}");
        assert!(
            event.iter().all(|(_, part)| part.is_string() || part.is_u64() || part.is_null()),
            "{event:?}"
        );
    }
}

#[test]
fn the_read_me_shows_the_example_that_runs() {
    assert!(include_str!("../README.md").contains(include_str!("../example/check.mjs")));
}
