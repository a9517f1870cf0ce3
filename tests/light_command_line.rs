//! `amulet-light` against running hospitals: what it follows, watches and saves, and what it says when too few answer.

#![allow(clippy::unwrap_used)]

use amulet_tests::consortium::{Consortium, Founding, Place};
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::localnet::light_program;
use amulet_tests::step;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const GROWN: u64 = 6;
const GROWN_WITHIN: Duration = Duration::from_secs(120);

fn run(command: &str, genesis: &Path, more: &[&str]) -> Output {
    let mut light = Command::new(light_program());
    light.arg(command).arg("--json").arg("--genesis").arg(genesis).args(more).output().unwrap()
}

/// The lines of JSON that it printed.
fn said(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where each hospital is asked, with its identity.
fn addresses(consortium: &Consortium, places: &[Place]) -> Vec<String> {
    let validators = &consortium.genesis().validators;
    let address = |(place, peer): (&Place, &Vec<u8>)| {
        let peer = libp2p::PeerId::from_bytes(peer).unwrap();
        format!("/ip4/{}/tcp/{}/p2p/{peer}", place.libp2p.ip(), place.libp2p.port())
    };
    places.iter().zip(validators.iter().map(|validator| &validator.peer_id)).map(address).collect()
}

#[test]
fn an_auditor_follows_the_chain_and_carries_a_history_away() {
    let founding = Founding::on_loopback(4);
    let places = founding.places.clone();
    let mut consortium = founding.found(|_, other| places[other].libp2p);
    consortium.start_all();
    let genesis: PathBuf = consortium.hospital(0).folder.join("genesis.bin");
    let addresses = addresses(&consortium, &places);
    let nodes: Vec<&str> = addresses.iter().flat_map(|address| ["--node", address]).collect();

    step("nothing has happened yet");
    let early = run("sync", &genesis, &nodes);
    assert_eq!(early.status.code(), Some(3), "{early:?}");
    assert_eq!(said(&early)[0]["error"]["code"], "nothing-yet");

    let load =
        Load::start(&consortium.hospitals(), &Pinned::of(consortium.genesis()), &LoadOptions::default());
    load.wait_above(GROWN, GROWN_WITHIN).expect("the chain grows");
    let person = load.people()[0].to_string();
    assert!(!load.stop().is_empty());

    step("the newest header, and a proof of it");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (store, header) = (file("store"), file("header.amuletproof"));
    let synced = run("sync", &genesis, &[&nodes[..], &["--store", &store, "--save", &header]].concat());
    assert!(synced.status.success(), "{synced:?}");
    let head = said(&synced).remove(0);
    assert!(head["height"].as_u64().unwrap() > GROWN && head["agreeing"].as_u64().unwrap() >= 2, "{head}");
    let checked = run("verify-header", &genesis, &[&header]);
    assert_eq!(said(&checked)[0]["anchor"]["hash"], head["hash"]);

    step("a complete history, read again with no network");
    let history = file("history.amuletproof");
    let watched = run("watch", &genesis, &[&nodes[..], &[&person, "--once", "--save", &history]].concat());
    assert!(watched.status.success(), "{watched:?}");
    let mut lines = said(&watched);
    let last = lines.pop().unwrap();
    assert_eq!(last["count"].as_u64().unwrap(), lines.len() as u64);
    assert!(!lines.is_empty());

    step("a checkpoint, from which another device starts");
    let code_file = file("checkpoint");
    let printed = run("checkpoint", &genesis, &[&nodes[..], &["--save", &code_file]].concat());
    assert!(printed.status.success(), "{printed:?}");
    let pinned = said(&printed).remove(0);
    let words: Vec<&str> =
        pinned["words"]["en"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let code = pinned["code"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(&code_file).unwrap().trim(), code);
    let by_words = format!("{} {}", pinned["height"], words.join(" "));
    for given in [code, &code_file, &by_words] {
        let started = run("sync", &genesis, &[&nodes[..], &["--checkpoint", given]].concat());
        assert!(started.status.success(), "{given}: {started:?}");
        assert_eq!(said(&started)[0]["hash"], pinned["hash"], "nothing happened since");
    }
    let mut misread = words.clone();
    misread[3] = if misread[3] == "zoo" { "zone" } else { "zoo" };
    let misread = format!("{} {}", pinned["height"], misread.join(" "));
    let refused = run("sync", &genesis, &[&nodes[..], &["--checkpoint", &misread]].concat());
    assert_eq!(
        (refused.status.code(), &said(&refused)[0]["error"]["code"]),
        (Some(1), &"other-checkpoint".into())
    );
    assert!(said(&refused)[0]["error"]["message"].as_str().unwrap().contains("word 4"), "{refused:?}");
    let unknown = format!("999999 {}", words.join(" "));
    let unknown = run("sync", &genesis, &[&nodes[..], &["--checkpoint", &unknown]].concat());
    assert_eq!((unknown.status.code(), &said(&unknown)[0]["error"]["code"]), (Some(3), &"not-found".into()));

    for hospital in 0..3 {
        consortium.kill(hospital);
    }
    let checked = run("verify-proof", &genesis, &[&history]);
    assert!(checked.status.success(), "{checked:?}");
    let fact = &said(&checked)[0]["facts"][0];
    assert_eq!((&fact["did"], &fact["entries"]), (&Value::String(person), &Value::Array(lines)));

    step("one hospital alone is not believed");
    let alone = run("sync", &genesis, &[&nodes[..], &["--store", &store]].concat());
    assert_eq!(alone.status.code(), Some(3), "{alone:?}");
    assert_eq!(said(&alone)[0]["error"]["code"], "too-few-witnesses");
    consortium.kill(3);
    let nobody = run("sync", &genesis, &nodes);
    assert_eq!((nobody.status.code(), &said(&nobody)[0]["error"]["code"]), (Some(3), &"unreachable".into()));
}
