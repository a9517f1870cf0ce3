//! Files that are no patient's bundle, files that are too large, and people who may not bring any.

use amulet_app_api::card::{CardDraft, SummarySection};
use amulet_app_api::records::Records;
use amulet_app_api::wallet::Sync;
use amulet_app_api::{ErrorCode, clinician};
use amulet_tests::hospital::counts;
use amulet_tests::http::{self, Answer};
use amulet_tests::localnet::{Localnet, node_output};
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, clinician, new_patient};
use serde_json::{Value, json};
use std::ffi::OsString;

struct BadFile {
    name: &'static str,
    bytes: Vec<u8>,
    code: &'static str,
    /// What the sentence for people must name.
    says: &'static str,
}

fn bundle(entries: &[Value]) -> Vec<u8> {
    let entries: Vec<Value> = entries.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

fn patient(id: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id, "name": [{ "text": id }] })
}

fn bad_files() -> Vec<BadFile> {
    let sample = Sample::wang_fang().bundle;
    let xml = br#"<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir"></Bundle>"#.to_vec();
    let observation = json!({ "resourceType": "Observation", "id": "o", "status": "final" });
    let cda = br#"<ClinicalDocument xmlns="urn:hl7-org:v3"></ClinicalDocument>"#.to_vec();
    let unborn = json!({ "resourceType": "Patient", "id": "p", "birthDate": "2199-01-01" });
    let file = |name, bytes, code, says| BadFile { name, bytes, code, says };
    vec![
        file("empty", Vec::new(), "file_empty", "empty"),
        file("text", b"Dear colleague,".to_vec(), "file_not_json", "JSON"),
        file("cut off", sample[..sample.len() / 2].to_vec(), "file_not_json", "JSON"),
        file("not text", vec![0xff, 0xfe, 0, 1], "file_not_utf8", "UTF-8"),
        file("XML", xml, "file_is_xml", "XML"),
        file("no bundle", b"[]".to_vec(), "not_a_bundle", "Bundle"),
        file("CDA", cda, "file_is_cda", "CDA"),
        file("born tomorrow", bundle(&[unborn]), "quality_refused", "future"),
        file("no patient", bundle(&[observation]), "bundle_no_patient", "atient"),
        file("two patients", bundle(&[patient("a"), patient("b")]), "bundle_more_than_one_patient", "atient"),
        file("50 MB", vec![b' '; 50 * 1024 * 1024], "file_too_large", "32 MiB"),
    ]
}

/// Each bad file is refused by its code and in words, and leaves nothing behind.
pub async fn bad_files_are_named(net: &Localnet) {
    let owner = new_patient(net, "Careful", 1).await;
    let before = net.same_head(std::time::Duration::from_secs(20));
    for bad in bad_files() {
        let answer = net.hospital(1).take_in(owner.session.did(), &bad.bytes).unwrap();
        let error = refusal(&answer, bad.name);
        assert!((400..500).contains(&answer.status), "{}: {}", bad.name, answer.status);
        assert_eq!(error["code"], bad.code, "{}: {error}", bad.name);
        assert!(error["message"].as_str().unwrap().contains(bad.says), "{}: {error}", bad.name);
    }
    assert_eq!(net.same_head(std::time::Duration::from_secs(20)), before, "no block was made for them");
    assert!(owner.wallet.must(Records {}).await.records.is_empty());
    a_clinician_hears_it_too(net, &owner).await;
    a_bad_resource_is_refused_alone(net, &owner).await;
}

fn refusal(answer: &Answer, name: &str) -> Value {
    let error = answer.json()["error"].clone();
    assert!(error.is_object(), "{name}: {} {}", answer.status, answer.text());
    error
}

/// The same over a practitioner's wallet.
async fn a_clinician_hears_it_too(net: &Localnet, owner: &Newcomer) {
    let chen = clinician(net, "dr-chen").await;
    for bad in bad_files().into_iter().filter(|bad| bad.code != "file_not_utf8") {
        let request = clinician::Intake {
            patient: owner.session.did().to_owned(),
            file_name: "export.json".to_owned(),
            text: String::from_utf8(bad.bytes).unwrap(),
        };
        let error = chen.fails(request).await;
        let expected =
            if bad.code == "file_too_large" { ErrorCode::TooLarge } else { ErrorCode::FhirRefused };
        assert_eq!(error.code, expected, "{}: {error}", bad.name);
        if expected == ErrorCode::FhirRefused {
            assert_eq!(error.details["code"], bad.code, "{error}");
        }
    }
}

/// In a good bundle a bad entry is refused by name; the others are kept.
async fn a_bad_resource_is_refused_alone(net: &Localnet, owner: &Newcomer) {
    let stranger = json!({ "resourceType": "Observation", "id": "x", "subject": { "reference": "Patient/someone-else" } });
    let own = json!({ "resourceType": "Observation", "id": "y", "status": "final",
        "code": { "text": "INR" }, "subject": { "reference": "Patient/p" } });
    let file = bundle(&[patient("p"), stranger, own]);
    let answer = net.hospital(1).take_in(owner.session.did(), &file).unwrap();
    assert_eq!((answer.status, counts(&answer)), (200, (3, 2)), "{}", answer.text());
    let refused = answer.json()["refused"].clone();
    assert_eq!(refused.as_array().unwrap().len(), 1);
    assert_eq!(refused[0]["resource"], "Observation/x", "{refused}");
    assert_eq!(owner.wallet.must(Records {}).await.records.len(), 2);
}

/// What is in doubt reaches the patient once a person has said so, on the hospital's command line; and what is of class core is
/// in the wallet, but not in what an emergency opens.
pub async fn a_person_decides_about_what_is_in_doubt(net: &Localnet) {
    let owner = new_patient(net, "Doubtful", 1).await;
    let condition = |id: &str, more: Value| {
        let mut condition = json!({ "resourceType": "Condition", "id": id, "code": { "text": id },
            "subject": { "reference": "Patient/p" } });
        condition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        condition
    };
    let file = bundle(&[
        patient("p"),
        condition("Asthma", json!({})),
        condition("Secret", json!({ "meta": { "security": [{ "code": "R" }] } })),
        condition("Gout", json!({ "onsetDateTime": "2199-01-01" })),
    ]);
    let hospital = net.hospital(1);
    let answer = hospital.take_in(owner.session.did(), &file).unwrap();
    assert_eq!((answer.status, counts(&answer)), (200, (4, 3)), "{}", answer.text());
    let held = answer.json()["refused"][0].clone();
    assert_eq!((&held["resource"], &held["code"]), (&json!("Condition/Gout"), &json!("held_for_review")));
    assert_eq!(owner.wallet.must(Records {}).await.records.len(), 3);
    let draft = owner.wallet.must(CardDraft {}).await;
    let conditions = draft.summary.iter().find(|(section, _)| *section == SummarySection::Conditions);
    assert_eq!(conditions.unwrap().1, 1, "the core record stays out: {:?}", draft.summary);
    let token = hospital.folder.join("keys/intake.token");
    let id = held["review"].to_string();
    let words = ["intake", "review", "approve", "--who", "Dr. Chen", "--reason", "asked", "--node"];
    let mut arguments: Vec<OsString> = words.map(OsString::from).into();
    arguments.extend([hospital.http.clone().into(), "--token-file".into(), token.into(), id.into()]);
    let output = node_output(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    owner.wallet.must(Sync { all: true }).await;
    assert_eq!(owner.wallet.must(Records {}).await.records.len(), 4);
}

/// Nobody else brings a file in, and none for somebody who has no wallet.
pub async fn only_the_hospitals_own_systems_bring_files(net: &Localnet) {
    let owner = new_patient(net, "Owner", 2).await;
    let sample = Sample::james_miller().bundle;
    let hospital = net.hospital(2);
    let url = format!("{}/fhir?patient={}", hospital.http, owner.session.did());
    let without = http::post(&url, &[], &sample).unwrap();
    assert_eq!((without.status, &refusal(&without, "no token")["code"]), (401, &json!("unauthenticated")));
    let others = format!("Bearer {}", net.hospital(3).intake_token);
    let wrong = http::post(&url, &[("authorization", &others)], &sample).unwrap();
    assert_eq!((wrong.status, &refusal(&wrong, "wrong token")["code"]), (401, &json!("wrong_token")));
    let nobody = hospital.take_in("did:amulet:2drjgb5DXdXFHQzN6hLZqUvGcDYp", &sample).unwrap();
    assert!((400..500).contains(&nobody.status), "{}", nobody.text());
    let nonsense = hospital.take_in("Wang", &sample).unwrap();
    assert_eq!((nonsense.status, &refusal(&nonsense, "no DID")["code"]), (400, &json!("patient_malformed")));
    // A practitioner brings files to their own hospital; for the patient that is one more line in the log.
    let zhao = clinician(net, "dr-zhao").await;
    let text = String::from_utf8(sample).unwrap();
    let request =
        clinician::Intake { patient: owner.session.did().to_owned(), file_name: "j.json".to_owned(), text };
    let taken = zhao.must(request.clone()).await;
    assert_eq!((taken.resources_in, taken.records_out), (31, 31));
    let not_entitled = owner.wallet.fails(request).await;
    assert_eq!(not_entitled.code, ErrorCode::NotAClinician);
    assert_eq!(owner.wallet.must(Records {}).await.records.len(), 31);
}

/// After all that, all four hospitals work.
pub async fn good_files_still_arrive(net: &Localnet) {
    let sample = Sample::wang_fang();
    for n in 1..=4 {
        assert!(net.hospital(n).is_healthy(), "hospital {n}");
        let owner = new_patient(net, "Afterwards", n).await;
        net.hospital(n).must_take_in(owner.session.did(), &sample.bundle);
        let timeline = owner.wallet.must(Records {}).await;
        assert_eq!((timeline.records.len(), timeline.missing), (sample.records.len(), 0));
    }
}
