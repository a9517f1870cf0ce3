//! The FHIR gateway over four real hospitals, asked by a FHIR client of others: what a grant opens is read and searched, what
//! it does not open is refused in words, and the patient's log says what was read.

#![allow(clippy::unwrap_used)]

mod gateway;
mod hostile;

use amulet_app_api::access::{
    AccessLog, GrantRequest, LogEvent, PauseGrant, Purpose, ResumeGrant, RevokeGrant, ShareView,
};
use amulet_app_api::clinician::{AskAccess, AskFor};
use amulet_app_api::records::Category;
use amulet_tests::localnet::Localnet;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, clinician, new_patient};
use amulet_tests::{run, step};
use gateway::Gateway;
use serde_json::{Value, json};

/// Categories of the grant: no laboratory results.
const GRANTED: [Category; 4] =
    [Category::Allergies, Category::Medicines, Category::VitalSigns, Category::Administrative];

#[test]
fn a_hospitals_systems_read_what_a_patient_opened_and_nothing_else() {
    if !gateway::is_client_installed() {
        return;
    }
    let net = Localnet::start();
    run(async {
        step("a patient with records, and a gateway for Dr Chen");
        let patient = new_patient(&net, "James Miller", 1).await;
        let sample = Sample::james_miller();
        net.hospital(1).must_take_in(patient.session.did(), &sample.bundle);
        let gateway = Gateway::start(&net, "dr-chen").await;
        let id = patient.session.did().trim_start_matches("did:amulet:").to_owned();
        without_a_grant_nobody_is_known(&gateway, &patient, &id).await;
        step("the patient grants; the gateway reads");
        let share = granted(&net, &patient).await;
        is_refused_for_another_purpose(&gateway, &id).await;
        assert_eq!(reads(&patient).await, 0, "asking for nothing that is open states nothing");
        let all = is_searched(&gateway, &id).await;
        is_paged(&gateway, &id).await;
        one_by_one(&gateway, &id, &all).await;
        what_the_ledger_says(&gateway, &id, &share).await;
        assert_eq!(reads(&patient).await, 1, "one reading answered all of it");
        step("hostile questions");
        hostile::is_refused(&gateway, &id).await;
        step("the patient pauses, resumes and takes it back");
        patient.wallet.must(PauseGrant { grant: share.id.clone() }).await;
        is_forbidden(&gateway, &id, "paused").await;
        patient.wallet.must(ResumeGrant { grant: share.id.clone() }).await;
        let again = gateway.ask(&[search("Observation", &id, json!({}))]).await;
        assert_eq!(again[0]["status"], 200);
        assert_eq!(reads(&patient).await, 2, "after a refusal nothing is left of the first reading");
        patient.wallet.must(RevokeGrant { grant: share.id.clone() }).await;
        is_forbidden(&gateway, &id, "taken the grant back").await;
    });
}

fn search(kind: &str, patient: &str, more: Value) -> Value {
    let mut parameters = more;
    parameters["patient"] = format!("Patient/{patient}").into();
    json!({ "op": "search", "resourceType": kind, "searchParams": parameters })
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
    matches.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

/// How often the patient's log says that Dr Chen read for treatment.
async fn reads(patient: &Newcomer) -> usize {
    let log = patient.wallet.must(AccessLog {}).await;
    assert!(log.complete);
    let is_read = |event: &LogEvent| matches!(event, LogEvent::RecordsRead { purpose: Purpose::Treatment });
    let lines = log.lines.iter().filter(|line| is_read(&line.what));
    lines.filter(|line| line.by.as_ref().is_some_and(|by| by.name.starts_with("Dr Chen"))).count()
}

async fn granted(net: &Localnet, patient: &Newcomer) -> ShareView {
    let chen = clinician(net, "dr-chen").await;
    let request = AskAccess {
        patient: patient.session.did().to_owned(),
        categories: GRANTED.to_vec(),
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    };
    let asked = chen.must(request).await;
    let records = patient.wallet.shown(&asked.id).await;
    let grant =
        GrantRequest { request: asked.id, records, uses_max: None, new_records: false, only_asker: false };
    patient.wallet.must(grant).await
}

async fn without_a_grant_nobody_is_known(gateway: &Gateway, patient: &Newcomer, id: &str) {
    // An identity that nobody has.
    let nobody = "2CSb3yfEFbvuaJSsB8k6qmpiJRjp";
    let answers = gateway
        .ask(&[
            search("Observation", id, json!({})),
            search("Observation", nobody, json!({})),
            json!({ "op": "read", "resourceType": "Patient", "id": id }),
            json!({ "op": "read", "resourceType": "Patient", "id": nobody }),
            search("Consent", id, json!({})),
            search("Consent", nobody, json!({})),
        ])
        .await;
    for pair in answers.chunks(2) {
        assert_eq!(pair[0]["status"], 403, "{pair:?}");
        assert_eq!(pair[0]["body"], pair[1]["body"], "a patient without a grant looks like nobody");
        assert_eq!(pair[0]["status"], pair[1]["status"]);
        assert_eq!(pair[0]["body"]["resourceType"], "OperationOutcome");
    }
    assert_eq!(reads(patient).await, 0);
}

async fn is_refused_for_another_purpose(gateway: &Gateway, id: &str) {
    let path = format!("Observation?patient={id}");
    let answer = gateway.get(&path, &[("purpose-of-use", "COC")]).await;
    assert_eq!(answer.0, 403);
    assert!(answer.1["issue"][0]["diagnostics"].as_str().unwrap().contains("COC"), "{answer:?}");
    let answer = gateway.get(&path, &[("purpose-of-use", "HRESCH")]).await;
    assert_eq!(answer.0, 403, "the token is not for research: {answer:?}");
}

/// Searches of several kinds; gives all observations.
async fn is_searched(gateway: &Gateway, id: &str) -> Vec<String> {
    let answers = gateway
        .ask(&[
            json!({ "op": "capabilityStatement" }),
            search("Observation", id, json!({})),
            search("AllergyIntolerance", id, json!({})),
            search("MedicationRequest", id, json!({ "status": "active" })),
            search("Condition", id, json!({})),
            search("Observation", id, json!({ "date": "ge1900-01-01" })),
            search("Observation", id, json!({ "date": "lt1900" })),
            search("Observation", id, json!({ "category": "vital-signs" })),
            search("Observation", id, json!({ "category": "laboratory" })),
            search("Patient", id, json!({ "_id": id })),
        ])
        .await;
    for answer in &answers {
        assert_eq!(answer["status"], 200, "{answer}");
        assert!(answer["type"].as_str().unwrap().starts_with("application/fhir+json"));
    }
    assert_eq!(answers[0]["body"]["resourceType"], "CapabilityStatement");
    let found = |at: usize| ids(&answers[at]["body"]);
    assert!(!found(1).is_empty() && found(1) == found(5) && found(1) == found(7), "{}", answers[1]["body"]);
    assert!(found(6).is_empty());
    assert!(found(4).is_empty() && found(8).is_empty(), "conditions and laboratory results were not granted");
    assert_eq!((found(2).len(), found(9)), (3, vec![id.to_owned()]));
    let expected = Sample::james_miller()
        .records
        .iter()
        .filter(|(label, _)| label.starts_with("MedicationRequest/"))
        .count();
    assert!((1..=expected).contains(&found(3).len()));
    let by_code = code_of(&answers[1]["body"]["entry"][0]["resource"]);
    let coded = gateway.ask(&[search("Observation", id, json!({ "code": by_code }))]).await;
    assert!(ids(&coded[0]["body"]).contains(&found(1)[0]));
    let all: Vec<Value> = answers.iter().map(|answer| answer["body"].clone()).collect();
    gateway.valid(&all);
    found(1)
}

fn code_of(resource: &Value) -> String {
    let coding = &resource["code"]["coding"][0];
    format!("{}|{}", coding["system"].as_str().unwrap(), coding["code"].as_str().unwrap())
}

async fn is_paged(gateway: &Gateway, id: &str) {
    let steps = [search("Observation", id, json!({ "_count": 1 })), json!({ "op": "nextPage" })];
    let pages = gateway.ask(&steps).await;
    let total = pages[0]["body"]["total"].as_u64().unwrap();
    assert!(total > 1, "{}", pages[0]["body"]);
    let (first, second) = (ids(&pages[0]["body"]), ids(&pages[1]["body"]));
    assert!(first.len() == 1 && second.len() == 1 && first != second);
    let mut steps = vec![search("Observation", id, json!({ "_count": 1 }))];
    steps.extend((0..total).map(|_| json!({ "op": "nextPage" })));
    let pages = gateway.ask(&steps).await;
    let mut seen: Vec<String> = pages.iter().flat_map(|page| ids(&page["body"])).collect();
    assert_eq!(pages.last().unwrap()["none"], true, "the last page has no next");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as u64, total, "each once");
    let gone = gateway.get(&format!("Observation?patient={id}&_page=1-0123456789abcdef"), &[]).await;
    assert_eq!((gone.0, &gone.1["resourceType"]), (410, &json!("OperationOutcome")));
}

/// Reads, versions, and the links between resources.
async fn one_by_one(gateway: &Gateway, id: &str, observations: &[String]) {
    let one = &observations[0];
    let answers = gateway
        .ask(&[
            json!({ "op": "read", "resourceType": "Observation", "id": one }),
            json!({ "op": "read", "resourceType": "Observation", "id": format!("{id}.{}", "0".repeat(32)) }),
            json!({ "op": "read", "resourceType": "Patient", "id": id }),
            json!({ "op": "read", "resourceType": "Claim", "id": one }),
        ])
        .await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 404, 200, 404]);
    let (observation, patient) = (&answers[0]["body"], &answers[2]["body"]);
    assert_eq!(observation["subject"]["reference"], format!("Patient/{id}"));
    assert!(patient["name"][0]["family"].is_string(), "{patient}");
    let version = observation["meta"]["versionId"].as_str().unwrap();
    assert_eq!(answers[0]["etag"], format!("W/\"{version}\""));
    let read = json!({ "op": "vread", "resourceType": "Observation", "id": one, "version": version });
    assert_eq!(gateway.ask(&[read]).await[0]["body"], *observation);
    let has = format!("W/\"{version}\"");
    let unchanged = gateway.get(&format!("Observation/{one}"), &[("if-none-match", has.as_str())]).await;
    assert_eq!(unchanged.0, 304);
    is_what_the_hospital_wrote(observation);
}

/// The values are the sample's, digit for digit.
fn is_what_the_hospital_wrote(served: &Value) {
    let own_id = served["meta"]["extension"][0]["valueString"].as_str().unwrap();
    let records = Sample::james_miller().records;
    let (_, written) = records.iter().find(|(label, _)| *label == format!("Observation/{own_id}")).unwrap();
    let written: Value = serde_json::from_slice(written).unwrap();
    for key in ["code", "status", "valueQuantity", "effectiveDateTime", "component"] {
        assert_eq!(served[key], written[key], "{key}");
    }
}

async fn what_the_ledger_says(gateway: &Gateway, id: &str, share: &ShareView) {
    let answers = gateway.ask(&[search("Consent", id, json!({})), search("AuditEvent", id, json!({}))]).await;
    let (consents, audits) = (&answers[0]["body"], &answers[1]["body"]);
    assert_eq!((consents["total"].as_u64(), audits["total"].as_u64()), (Some(1), Some(1)), "{answers:?}");
    let consent = &consents["entry"][0]["resource"];
    assert_eq!(
        (&consent["status"], &consent["patient"]["reference"]),
        (&json!("active"), &json!(format!("Patient/{id}")))
    );
    assert!(consent["id"].as_str().unwrap().ends_with(&share.id[..32]));
    let audit = &audits["entry"][0]["resource"];
    assert_eq!(audit["purposeOfEvent"][0]["coding"][0]["code"], "TREAT");
    let read = json!({ "op": "read", "resourceType": "AuditEvent", "id": audit["id"] });
    assert_eq!(gateway.ask(&[read]).await[0]["body"], *audit);
    gateway.valid(&[consents.clone(), audits.clone()]);
}

async fn is_forbidden(gateway: &Gateway, id: &str, words: &str) {
    let answers = gateway
        .ask(&[
            search("Observation", id, json!({})),
            json!({ "op": "read", "resourceType": "Patient", "id": id }),
        ])
        .await;
    for answer in answers {
        assert_eq!(
            (&answer["status"], &answer["body"]["resourceType"]),
            (&json!(403), &json!("OperationOutcome"))
        );
        assert!(answer["body"]["issue"][0]["diagnostics"].as_str().unwrap().contains(words), "{answer}");
    }
}
