//! A summary for a clinic that has no Amulet: a link, a passcode, and a program that somebody else wrote.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::links::{HealthLinks, LinkStanding, MakeHealthLink, RevokeHealthLink};
use amulet_app_api::wallet::Language;
use amulet_tests::http;
use amulet_tests::localnet::root;
use amulet_tests::wallet::Newcomer;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const PASSCODE: &str = "246810";

fn wish(passcode: Option<&str>) -> MakeHealthLink {
    MakeHealthLink {
        label: "Lisbon 里斯本".to_owned(),
        days: 7,
        passcode: passcode.map(str::to_owned),
        language: Language::En,
    }
}

/// The patient hands a summary over, sees who opened it, and takes it back.
pub async fn a_summary_is_handed_over(world: &mut World, person: &Newcomer) {
    let wallet = &person.wallet;
    let weak = wallet.fails(wish(Some("12345"))).await;
    assert_eq!((weak.code, weak.details["field"].as_str()), (ErrorCode::BadRequest, "passcode"));
    let guarded = wallet.must(wish(Some(PASSCODE))).await;
    let simple = wallet.must(wish(None)).await;
    assert!(guarded.listed > 20 && guarded.missing == 0, "{guarded:?}");
    let link = |view: &amulet_app_api::links::HealthLinkView| view.code.clone().expect("it is known").text;
    let parsed = amulet_health_link::Link::parse(&link(&guarded.link)).unwrap();
    assert_eq!((parsed.label(), parsed.flags().passcode), (Some("Lisbon 里斯本"), true));
    let address = parsed.url().to_owned();

    opens_in_another_program(&link(&guarded.link), Some(PASSCODE));
    opens_in_another_program(&link(&simple.link), None);
    is_answered_by_the_standard(&address);
    world.net.kill(1);
    world.net.restart(1);
    // What was guessed before the hospital's computer was killed counts.
    let guess = ask(&address, json!({ "recipient": "guesser", "passcode": "000000" }));
    assert_eq!((guess.status, guess.json()["remainingAttempts"].as_u64()), (401, Some(8)));

    let seen = wallet.must(HealthLinks {}).await;
    assert!(seen.silent.is_empty() && seen.can_make, "{seen:?}");
    let view = |id: &str| seen.links.iter().find(|one| one.id == id).expect("it is listed").clone();
    let first = view(&guarded.link.id);
    assert_eq!((first.standing, first.attempts_left), (LinkStanding::Open, Some(8)));
    assert!(first.openings.iter().any(|one| one.recipient == "Clínica do Porto"), "{first:?}");
    assert_eq!(first.code, guarded.link.code, "it can be shown again");

    wallet.must(RevokeHealthLink { id: guarded.link.id.clone() }).await;
    let gone = ask(&address, json!({ "recipient": "late", "passcode": PASSCODE }));
    assert_eq!(gone.status, 404);
    let again = wallet.fails(RevokeHealthLink { id: "0123456789abcdef".to_owned() }).await;
    assert_eq!(again.code, ErrorCode::NotFound);
    let seen = wallet.must(HealthLinks {}).await;
    let taken = seen.links.iter().find(|one| one.id == guarded.link.id).unwrap();
    assert_eq!((taken.standing, &taken.code), (LinkStanding::Revoked, &None));
}

fn ask(address: &str, question: Value) -> http::Answer {
    http::post(address, &[("content-type", "application/json")], question.to_string().as_bytes()).unwrap()
}

/// A guess costs one of ten, a file that is too long for the manifest is fetched once, and pages of any origin may ask.
fn is_answered_by_the_standard(address: &str) {
    let guess = ask(address, json!({ "recipient": "guesser", "passcode": "000000" }));
    assert_eq!((guess.status, guess.json()["remainingAttempts"].as_u64()), (401, Some(9)));
    let open = json!({ "recipient": "Clínica do Porto", "passcode": PASSCODE, "embeddedLengthMax": 10 });
    let manifest = ask(address, open).json();
    let place = manifest["files"][0]["location"].as_str().expect("it is at an address").to_owned();
    assert_eq!(manifest["files"][0]["contentType"], "application/fhir+json");
    assert_eq!(http::get(&place).unwrap().status, 200);
    assert_eq!(http::get(&place).unwrap().status, 404, "once");
    assert_eq!(ask(address, json!({ "passcode": PASSCODE })).status, 400, "nobody is named");
    assert_eq!(ask(&format!("{address}x"), json!({ "recipient": "a" })).status, 404);
    assert_eq!(http::get(&format!("{address}?recipient=a")).unwrap().status, 404, "it has no flag U");
}

/// `kill-the-clipboard` asks the hospital itself, and finds a summary.
fn opens_in_another_program(link: &str, passcode: Option<&str>) {
    let script = root().join("target/conformance/node/health_link.mjs");
    if !script.exists() {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "kill-the-clipboard is not installed; run tests/conformance/install.sh");
        eprintln!("skipped: kill-the-clipboard is not installed; run tests/conformance/install.sh");
        return;
    }
    let mut viewer = Command::new("node")
        .arg(script)
        .arg("open")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = json!({ "link": link, "passcode": passcode });
    viewer.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let found: Value = serde_json::from_slice(&viewer.wait_with_output().unwrap().stdout).unwrap();
    let document = &found["resources"][0];
    assert_eq!(
        (document["resourceType"].as_str(), document["type"].as_str()),
        (Some("Bundle"), Some("document")),
        "{found}"
    );
    assert!(document["entry"].as_array().unwrap().len() > 20);
}
