//! What intake keeps and refuses, on small bundles.
#![allow(clippy::unwrap_used)]

use amulet_fhir::limits::{MAX_ENTRIES, MAX_RESOURCE_NESTING};
use amulet_fhir::quality::Given;
use amulet_fhir::{Category, CheckLine, DataClass, FileRefusal, Intake, RefusalReason};

const PATIENT: &str = r#"{"fullUrl":"urn:uuid:p1","resource":{"resourceType":"Patient","id":"p1","name":[{"family":"王","given":["芳"]}]}}"#;

fn bundle(entries: &[&str]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","))
}

fn intake(bytes: &[u8]) -> Result<Intake, FileRefusal> {
    amulet_fhir::intake(bytes, &Given::default())
}

fn check_line(file: &str, bytes: &[u8]) -> CheckLine {
    amulet_fhir::check_line(file, bytes, &Given::default())
}

fn with_patient(entries: &[&str]) -> Intake {
    let mut all = vec![PATIENT];
    all.extend(entries);
    let intake = intake(bundle(&all).as_bytes()).unwrap();
    assert_eq!(intake.resources_in, all.len());
    assert_eq!(intake.resources_in, intake.records.len() + intake.refused.len());
    intake
}

fn refused(entry: &str) -> (String, &'static str) {
    let mut intake = with_patient(&[entry]);
    assert_eq!(intake.records.len(), 1, "only the patient is kept: {entry}");
    let refusal = intake.refused.remove(0);
    assert!(!refusal.reason.to_string().is_empty());
    (refusal.resource, refusal.reason.code())
}

fn file_code(bytes: &[u8]) -> &'static str {
    let refusal = intake(bytes).unwrap_err();
    let line = check_line("f.json", bytes);
    assert_eq!(line.resources_in, line.refused.len());
    assert_eq!(line.records_out, 0);
    assert_eq!(line.error.unwrap().code, refusal.code());
    refusal.code()
}

#[test]
fn content_is_kept_byte_for_byte() {
    let odd = r#"{ "id":"o1" ,"resourceType":"Observation","valueQuantity":{"value":1.50},
   "note":[{"text":"\u4e2d é \/"}],  "subject":{"reference":"urn:uuid:P1"} }"#;
    let intake = with_patient(&[&format!(r#"{{"resource": {odd} }}"#)]);
    assert_eq!(intake.records[1].content, odd.as_bytes());
    assert_eq!(intake.patient.name.as_deref(), Some("王芳"));
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let text = bundle(&[PATIENT]);
    let marked = [b"\xef\xbb\xbf\r\n ".as_slice(), text.as_bytes()].concat();
    assert_eq!(intake(&marked).unwrap(), intake(text.as_bytes()).unwrap());
}

#[test]
fn files_that_are_no_bundle_are_refused_by_name() {
    assert_eq!(file_code(b""), "file_empty");
    assert_eq!(file_code(b"\xef\xbb\xbf \n"), "file_empty");
    assert_eq!(file_code(b"<?xml version=\"1.0\"?><Bundle/>"), "file_is_xml");
    assert_eq!(file_code(b"\xef\xbb\xbf  <Bundle/>"), "file_is_xml");
    assert_eq!(file_code(b"\xff\xfe<\0"), "file_not_utf8");
    assert_eq!(
        intake(b"{\n  \"a\": nope}").unwrap_err(),
        FileRefusal::NotJson { line: 2, column: 9, cut_off: false }
    );
    let text = bundle(&[PATIENT]);
    assert!(matches!(
        intake(&text.as_bytes()[..text.len() - 2]).unwrap_err(),
        FileRefusal::NotJson { cut_off: true, .. }
    ));
    assert_eq!(file_code(format!("{text}\n{text}").as_bytes()), "bundle_in_lines");
    assert_eq!(file_code(b"[]"), "not_a_bundle");
    assert_eq!(file_code(b"{}"), "not_a_bundle");
    assert_eq!(file_code(br#"{"resourceType":"../Patient","id":"p"}"#), "not_a_bundle");
    assert_eq!(file_code(b"MSH|^~\\&|LAB|"), "file_is_hl7_v2");
    let cda = br#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>"#;
    assert_eq!(file_code(cda), "file_is_cda");
    assert_eq!(file_code(br#"{"resourceType":"Bundle"}"#), "bundle_no_entries");
    assert_eq!(file_code(br#"{"resourceType":"Bundle","entry":{}}"#), "bundle_entries_not_a_list");
    assert_eq!(file_code(br#"{"resourceType":"Bundle","entry":[],"entry":[]}"#), "bundle_repeated_key");
}

#[test]
fn sizes_and_depths_are_bounded_before_anything_is_read() {
    assert_eq!(file_code(&vec![b' '; 50_000_000]), "file_too_large");
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert_eq!(file_code(deep.as_bytes()), "file_too_deep");
    assert_eq!(file_code(bundle(&vec!["{}"; MAX_ENTRIES + 1]).as_bytes()), "bundle_too_many_entries");
}

#[test]
fn exactly_one_patient_is_needed() {
    let observation = r#"{"resource":{"resourceType":"Observation","id":"o"}}"#;
    assert_eq!(file_code(bundle(&[observation]).as_bytes()), "bundle_no_patient");
    let other = r#"{"resource":{"resourceType":"Patient","id":"p2"}}"#;
    let two = bundle(&[PATIENT, other, observation]);
    assert_eq!(
        intake(two.as_bytes()).unwrap_err(),
        FileRefusal::MoreThanOnePatient { count: 2, ids: vec!["p1".to_owned(), "p2".to_owned()] }
    );
    let line = check_line("two.json", two.as_bytes());
    let labels: Vec<&str> = line.refused.iter().map(|refusal| refusal.resource.as_str()).collect();
    assert_eq!(labels, ["Patient/p1", "Patient/p2", "Observation/o"]);
    let broken = r#"{"resource":{"resourceType":"Patient","id":"p","id":"q"}}"#;
    assert_eq!(file_code(bundle(&[broken]).as_bytes()), "bundle_unusable_patient");
}

#[test]
fn the_same_patient_twice_is_one_patient() {
    let intake = with_patient(&[PATIENT]);
    assert_eq!(intake.refused[0].reason, RefusalReason::Duplicate { first: "Patient/p1".to_owned() });
    // The same id on two servers is two people.
    let a = r#"{"fullUrl":"https://a.example/Patient/1","resource":{"resourceType":"Patient","id":"1","gender":"male"}}"#;
    let b = r#"{"fullUrl":"https://b.example/Patient/1","resource":{"resourceType":"Patient","id":"1","gender":"female"}}"#;
    assert_eq!(file_code(bundle(&[a, b]).as_bytes()), "bundle_more_than_one_patient");
}

#[test]
fn entries_without_a_record_are_refused_with_their_reason() {
    let entry = |n: &str| n.to_owned();
    assert_eq!(refused("7"), (entry("entry[1]"), "not_an_object"));
    assert_eq!(refused("{}"), (entry("entry[1]"), "no_resource"));
    assert_eq!(refused(r#"{"resource":null}"#), (entry("entry[1]"), "no_resource"));
    assert_eq!(refused(r#"{"resource":[1]}"#), (entry("entry[1]"), "not_an_object"));
    assert_eq!(
        refused(r#"{"request":{"method":"DELETE","url":"Observation/1"}}"#),
        (entry("entry[1]"), "change_request")
    );
    assert_eq!(
        refused(r#"{"resource":{"resourceType":"OperationOutcome","id":"x"},"search":{"mode":"outcome"}}"#),
        (entry("OperationOutcome/x"), "search_outcome")
    );
    assert_eq!(refused(r#"{"resource":{"id":"x"}}"#), (entry("entry[1]"), "no_resource_type"));
    assert_eq!(refused(r#"{"resource":{"resourceType":5}}"#), (entry("entry[1]"), "no_resource_type"));
    assert_eq!(refused(r#"{"resource":{"resourceType":"../x"}}"#), (entry("entry[1]"), "bad_resource_type"));
    assert_eq!(
        refused(r#"{"resource":{"resourceType":"Observation","id":"x","a":{"b":1,"b":2}}}"#),
        (entry("Observation/x"), "repeated_key")
    );
    assert_eq!(
        refused(r#"{"resource":{"resourceType":"Observation","id":"x","a":"\ud800"}}"#),
        (entry("Observation/x"), "bad_text")
    );
    let deep = "[".repeat(MAX_RESOURCE_NESTING) + &"]".repeat(MAX_RESOURCE_NESTING);
    let deep = format!(r#"{{"resource":{{"resourceType":"Observation","id":"x","a":{deep}}}}}"#);
    assert_eq!(refused(&deep), (entry("Observation/x"), "too_deep"));
}

#[test]
fn records_of_other_people_are_refused() {
    let about = |reference: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Condition","id":"c","subject":{{"reference":"{reference}"}}}}}}"#
        )
    };
    assert_eq!(refused(&about("Patient/p2")).1, "another_patient");
    assert_eq!(refused(&about("https://elsewhere.example/fhir/Patient/p9")).1, "another_patient");
    assert_eq!(refused(&about("urn:uuid:nobody")).1, "unknown_patient");
    for ours in ["Patient/p1", "urn:uuid:p1", "Group/g", "Patient/p1/_history/2"] {
        assert_eq!(with_patient(&[&about(ours)]).records.len(), 2, "{ours}");
    }
}

#[test]
fn duplicates_are_refused_and_versions_do_not_mix() {
    let at = |content: &str| format!(r#"{{"resource":{{"resourceType":"Observation","id":"o",{content}}}}}"#);
    let intake = with_patient(&[&at(r#""a":1,"b":2"#), &at(r#" "b":2, "a":1"#), &at(r#""a":3"#)]);
    let codes: Vec<&str> = intake.refused.iter().map(|refusal| refusal.reason.code()).collect();
    assert_eq!(codes, ["duplicate", "conflicting_version"]);
    // The newer version is kept, wherever it stands.
    let old = at(r#""meta":{"lastUpdated":"2020-01-01T00:00:00Z"}"#);
    let new = at(r#""meta":{"lastUpdated":"2021-01-01T00:00:00Z"}"#);
    for pair in [[&old, &new], [&new, &old]] {
        let intake = with_patient(&[pair[0], pair[1]]);
        assert!(String::from_utf8_lossy(&intake.records[1].content).contains("2021"));
        assert_eq!(intake.refused[0].reason.code(), "conflicting_version");
    }
}

#[test]
fn resources_without_an_id_are_kept_under_a_stable_one() {
    let nameless = r#"{"resource":{"resourceType":"Observation","status":"final"}}"#;
    let by_url = r#"{"fullUrl":"urn:uuid:AB-1","resource":{"resourceType":"Observation","status":"final"}}"#;
    let first = with_patient(&[nameless, by_url, nameless]);
    assert_eq!(first.refused[0].reason, RefusalReason::Duplicate { first: "entry[1]".to_owned() });
    assert!(first.records[1].id.starts_with("entry-1-"));
    assert_eq!(first.records[2].id, "ab-1");
    assert_eq!(first, with_patient(&[nameless, by_url, nameless]));
}

#[test]
fn unknown_types_and_administrative_resources_are_kept() {
    let intake = with_patient(&[
        r#"{"resource":{"resourceType":"Organization","id":"o","name":"Clinic"}}"#,
        r#"{"resource":{"resourceType":"FutureThing","id":"f"}}"#,
        r#"{"resource":{"resourceType":"Claim","id":"c"}}"#,
    ]);
    let seen: Vec<(Category, DataClass, &str)> =
        intake.records.iter().map(|r| (r.category, r.class, r.title.as_str())).collect();
    assert_eq!(
        seen,
        [
            (Category::Administrative, DataClass::Sensitive, "王芳"),
            (Category::Administrative, DataClass::Public, "Clinic"),
            (Category::Other, DataClass::Sensitive, "FutureThing"),
            (Category::Billing, DataClass::Internal, "Claim"),
        ]
    );
}

#[test]
fn a_medicine_known_only_by_reference_has_a_name() {
    let intake = with_patient(&[
        r#"{"resource":{"resourceType":"MedicationRequest","id":"r","medicationReference":{"reference":"Medication/m"}}}"#,
        r#"{"resource":{"resourceType":"Medication","id":"m","code":{"text":"Warfarin"}}}"#,
    ]);
    assert_eq!(intake.records[1].title, "Warfarin");
}

#[test]
fn the_check_line_has_exactly_its_fields() {
    let line = check_line("a.json", bundle(&[PATIENT, "{}"]).as_bytes());
    assert_eq!(
        serde_json::to_string(&line).unwrap(),
        r#"{"file":"a.json","resources_in":2,"records_out":1,"refused":[{"resource":"entry[1]","reason":"the entry holds no resource"}]}"#
    );
    let whole = serde_json::to_value(check_line("b.json", b"nope")).unwrap();
    assert_eq!(whole["resources_in"], 1);
    assert_eq!(whole["refused"][0]["resource"], "b.json");
    assert_eq!(whole["error"]["code"], "file_not_json");
}

#[test]
fn reasons_have_the_same_code_for_people_and_machines() {
    for reason in [
        RefusalReason::NotAnObject,
        RefusalReason::TooLarge { bytes: 9 },
        RefusalReason::RepeatedKey { key: "k".to_owned() },
        RefusalReason::UnknownPatient { reference: "r".to_owned() },
        RefusalReason::ConflictingVersion { kept: "k".to_owned() },
    ] {
        assert_eq!(serde_json::to_value(&reason).unwrap()["code"], reason.code());
    }
}
