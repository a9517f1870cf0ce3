//! Links between this crate and `kill-the-clipboard`, somebody else's SMART Health Links, in both directions.
#![allow(clippy::unwrap_used, missing_docs)]

use amulet_crypto::entropy::SeededEntropy;
use amulet_health_link::{Flags, Link, LinkKey, Manifest, open, seal};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const FHIR: &str = "application/fhir+json";
const ADDRESS: &str = "https://hospital.example/shl/abc";

/// Made by `node health_link.mjs make` and kept, so that this direction is tested without npm.
fn made_by_others() -> Value {
    serde_json::from_str(include_str!("vectors/kill-the-clipboard-1.1.0.json")).unwrap()
}

#[test]
fn links_of_another_program_open() {
    let vectors = made_by_others();
    let links = vectors["links"].as_array().unwrap();
    assert_eq!(links.len(), 4);
    for made in links {
        let link = Link::parse(made["link"].as_str().unwrap()).unwrap();
        let flag = made["flag"].as_str().unwrap();
        let flags = Flags { long_term: flag.contains('L'), passcode: flag.contains('P'), single_file: false };
        assert_eq!(link.flags(), flags);
        assert_eq!((link.url(), link.label()), (made["url"].as_str().unwrap(), made["label"].as_str()));
        assert_eq!(link.expires_at(), made["exp"].as_u64());
        let located = Manifest::parse(made["located"].to_string().as_bytes()).unwrap();
        assert!(located.files[0].location.is_some() && located.files[0].embedded.is_none());
        let manifest = Manifest::parse(made["embedded"].to_string().as_bytes()).unwrap();
        let file = open(link.key(), manifest.files[0].embedded.as_deref().unwrap()).unwrap();
        assert_eq!(file.content_type.as_deref(), Some(FHIR));
        assert_eq!(String::from_utf8(file.content).unwrap(), made["content"].as_str().unwrap());
    }
}

#[test]
fn the_key_of_one_link_opens_no_file_of_another() {
    let vectors = made_by_others();
    let [first, second] = [0, 1].map(|at| &vectors["links"][at]);
    let link = Link::parse(first["link"].as_str().unwrap()).unwrap();
    assert!(open(link.key(), second["embedded"]["files"][0]["embedded"].as_str().unwrap()).is_err());
}

fn bundle() -> Value {
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": "测试" }] } }] })
}

/// The other program opens `link` against these answers; `None` where it is not installed.
fn opened_by_others(link: &Link, passcode: Option<&str>, answers: &Value) -> Option<Value> {
    let script =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance/node/health_link.mjs");
    if !script.exists() {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "kill-the-clipboard is not installed; run tests/conformance/install.sh");
        eprintln!("skipped: kill-the-clipboard is not installed; run tests/conformance/install.sh");
        return None;
    }
    let mut child = Command::new("node")
        .arg(script)
        .arg("open")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = json!({ "link": link.expose().as_str(), "passcode": passcode, "answers": answers });
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    Some(serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap())
}

fn link(flags: Flags) -> Link {
    let key = LinkKey::generate(&mut SeededEntropy::new(5));
    Link::new(ADDRESS.to_owned(), key, Some(1_900_000_000), flags, Some("摘要".to_owned())).unwrap()
}

#[test]
fn another_program_opens_our_links() {
    for compress in [false, true] {
        let made = link(Flags { passcode: true, ..Flags::default() });
        let text = bundle().to_string();
        let jwe = seal(made.key(), FHIR, text.as_bytes(), compress, &mut SeededEntropy::new(6)).unwrap();
        let place = format!("{ADDRESS}/file/1");
        for file in [
            json!({ "contentType": FHIR, "embedded": jwe }),
            json!({ "contentType": FHIR, "location": place }),
        ] {
            let manifest = json!({ "status": "finalized", "files": [file] });
            let answers = json!({
                ADDRESS: { "status": 200, "type": "application/json", "body": manifest.to_string() },
                &place: { "status": 200, "type": "application/jose", "body": jwe },
            });
            let Some(found) = opened_by_others(&made, Some("2468"), &answers) else { return };
            assert_eq!(found["resources"], json!([bundle()]), "{found}");
            assert_eq!(found["label"], "摘要");
            let asked = amulet_health_link::ManifestRequest::parse(
                found["asked"][0]["body"].as_str().unwrap().as_bytes(),
            )
            .unwrap();
            assert_eq!(
                (asked.recipient.as_str(), asked.passcode.as_deref()),
                ("Example Clinic", Some("2468"))
            );
        }
    }
}

#[test]
fn another_program_opens_our_single_file() {
    let made = link(Flags { single_file: true, ..Flags::default() });
    let text = bundle().to_string();
    let jwe = seal(made.key(), FHIR, text.as_bytes(), true, &mut SeededEntropy::new(6)).unwrap();
    let at = format!("{ADDRESS}?recipient=Example%20Clinic");
    let file = json!({ "status": 200, "type": "application/jose", "body": jwe });
    let answers = json!({ &at: file, format!("{ADDRESS}?recipient=Example+Clinic"): file });
    let Some(found) = opened_by_others(&made, None, &answers) else { return };
    assert_eq!(found["resources"], json!([bundle()]), "{found}");
}

#[test]
fn another_program_understands_that_a_passcode_was_wrong() {
    let made = link(Flags { passcode: true, ..Flags::default() });
    let wrong = serde_json::to_string(&amulet_health_link::WrongPasscode { remaining_attempts: 3 }).unwrap();
    let answers = json!({ ADDRESS: { "status": 401, "type": "application/json", "body": wrong } });
    let Some(found) = opened_by_others(&made, Some("0000"), &answers) else { return };
    assert_eq!(found["refused"], "SHLInvalidPasscodeError", "{found}");
}
