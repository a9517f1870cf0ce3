#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::Value;
use zeroize::Zeroizing;

const PATIENT: &str = "3yZe7dPatient";
const DID: &str = "did:amulet:3yZe7dPatient";

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    // Good enough to tell the names of these tests apart.
    let all = parts.concat();
    let sum = |start: u64| {
        all.iter().fold(start, |sum, byte| sum.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte))
    };
    [sum(1).to_be_bytes(), sum(2).to_be_bytes()].concat()
}

fn record(number: u32, hospital: &str, content: &str) -> ShelfRecord {
    let json: Value = serde_json::from_str(content).unwrap();
    ShelfRecord {
        record: format!("{number:064x}"),
        replaces: None,
        hospital: format!("did:amulet:{hospital}"),
        resource_type: json["resourceType"].as_str().unwrap().to_owned(),
        resource_id: json["id"].as_str().unwrap().to_owned(),
        registered_at: 1_700_000_000 + i64::from(number),
        content: Zeroizing::new(content.as_bytes().to_vec()),
    }
}

fn shelf(records: &[ShelfRecord]) -> Shelf {
    Shelf::new(PATIENT, DID, records, digest)
}

fn ward() -> Vec<ShelfRecord> {
    vec![
        record(
            1,
            "east",
            r#"{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"7"}]}"#,
        ),
        record(
            2,
            "east",
            r##"{"resourceType":"Observation","id":"o1","meta":{"profile":["http://example.org/p"],"versionId":"9"},
                "status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2160-0"},{"code":"crea"}]},
                "category":[{"coding":[{"system":"urn:c","code":"laboratory"}]}],"subject":{"reference":"Patient/p1"},
                "encounter":{"reference":"Encounter/e1"},"performer":[{"reference":"Practitioner/d1"},{"reference":"#c"}],
                "effectiveDateTime":"2024-03-05T09:30:00Z","valueQuantity":{"value":1.50,"unit":"mg/dL"}}"##,
        ),
        record(
            3,
            "east",
            r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"urn:uuid:P9"},
                "period":{"start":"2024-03-05","end":"2024-03-07"}}"#,
        ),
        record(
            4,
            "west",
            r#"{"resourceType":"Observation","id":"o1","status":"preliminary","code":{"text":"no code"},
                "encounter":{"reference":"Encounter/e1"},"effectivePeriod":{"start":"2024-04"}}"#,
        ),
    ]
}

fn found(shelf: &Shelf, kind: &str, terms: &[(&str, &str)]) -> Vec<String> {
    let mut query = Query::default();
    for (name, value) in terms {
        query.add(served(kind).unwrap(), name, value).unwrap();
    }
    let items = shelf.items().iter().filter(|item| item.resource_type == kind && query.matches(item));
    items.map(|item| item.version.clone().unwrap_or_default().trim_start_matches('0').to_owned()).collect()
}

fn json_of(shelf: &Shelf, version: u32) -> Value {
    let version = format!("{version:064x}");
    let item = shelf.items().iter().find(|item| item.version.as_deref() == Some(version.as_str())).unwrap();
    serde_json::from_slice(&item.json).unwrap()
}

#[test]
fn a_resource_says_what_it_said_under_an_id_of_its_own() {
    let shelf = shelf(&ward());
    let text = shelf.items().iter().find(|item| item.version.as_ref().unwrap().ends_with('2')).unwrap();
    assert!(std::str::from_utf8(&text.json).unwrap().contains(r#""value":1.50"#), "every digit stays");
    let json = json_of(&shelf, 2);
    assert_ne!(json["id"], "o1");
    assert!(
        json["id"].as_str().unwrap().starts_with("3yZe7dPatient.")
            && json["id"].as_str().unwrap().len() <= 64
    );
    assert_eq!(json["meta"]["versionId"], format!("{:064x}", 2));
    assert_eq!(json["meta"]["profile"][0], "http://example.org/p");
    assert_eq!(json["meta"]["extension"][0]["valueString"], "o1");
    assert_eq!(json["meta"]["lastUpdated"], "2023-11-14T22:13:22Z");
    assert_ne!(json_of(&shelf, 2)["id"], json_of(&shelf, 4)["id"], "two hospitals' o1 are two things");
}

#[test]
fn references_lead_to_what_is_served_and_to_nothing_else() {
    let shelf = shelf(&ward());
    let observation = json_of(&shelf, 2);
    assert_eq!(observation["subject"]["reference"], format!("Patient/{PATIENT}"));
    let encounter = json_of(&shelf, 3);
    assert_eq!(
        observation["encounter"]["reference"],
        format!("Encounter/{}", encounter["id"].as_str().unwrap())
    );
    assert_eq!(
        encounter["subject"]["reference"],
        format!("Patient/{PATIENT}"),
        "the subject is the patient, whatever its address"
    );
    assert!(observation["performer"][0]["reference"].is_null());
    assert_eq!(observation["performer"][0]["identifier"]["value"], "Practitioner/d1");
    assert_eq!(observation["performer"][1]["reference"], "#c");
    assert!(
        json_of(&shelf, 4)["encounter"]["reference"].is_null(),
        "the same address at another hospital is something else"
    );
}

#[test]
fn the_patient_is_one_and_is_found_by_the_did() {
    let of_two = {
        let mut records = ward();
        records.push(record(9, "west", r#"{"resourceType":"Patient","id":"q"}"#));
        shelf(&records)
    };
    let newest: Vec<_> =
        of_two.items().iter().filter(|item| item.resource_type == "Patient" && item.is_newest).collect();
    assert_eq!((newest.len(), newest[0].id.as_str()), (1, PATIENT));
    assert_eq!(json_of(&of_two, 9)["identifier"][0]["value"], DID);
    let nobody = shelf(&[]);
    assert_eq!(nobody.items().len(), 1);
    assert_eq!(found(&nobody, "Patient", &[("identifier", DID)]).len(), 1);
    assert_eq!(found(&of_two, "Patient", &[("identifier", "urn:mrn|7")]), ["1"]);
}

#[test]
fn codes_are_found_with_their_system_or_without() {
    let shelf = shelf(&ward());
    for (value, expected) in [
        ("2160-0", vec!["2"]),
        ("http://loinc.org|2160-0", vec!["2"]),
        ("http://loinc.org|", vec!["2"]),
        ("|crea", vec!["2"]),
        ("|2160-0", vec![]),
        ("http://snomed.info/sct|2160-0", vec![]),
        ("x,crea", vec!["2"]),
        (r"x\,crea", vec![]),
    ] {
        assert_eq!(found(&shelf, "Observation", &[("code", value)]), expected, "{value}");
    }
    assert_eq!(found(&shelf, "Observation", &[("status", "final,preliminary")]), ["4", "2"]);
    assert!(found(&shelf, "Observation", &[("status", "final"), ("code", "x")]).is_empty(), "all terms hold");
    assert_eq!(found(&shelf, "Encounter", &[("class", "AMB")]), ["3"]);
}

#[test]
fn times_are_compared_as_r4_compares_them() {
    let shelf = shelf(&ward());
    for (value, expected) in [
        ("2024", vec!["2"]),
        ("2024-03-05", vec!["2"]),
        ("eq2024-03-05T09:30:00Z", vec!["2"]),
        ("2024-03-05T17:30:00+08:00", vec!["2"]),
        ("ne2024-03-05", vec!["4"]),
        ("gt2024-03-05", vec!["4"]),
        ("ge2024-03-05", vec!["4", "2"]),
        ("lt2024-03-05", vec![]),
        ("le2024-03-05", vec!["2"]),
        ("sa2024-03-31", vec!["4"]),
        ("sa2024-04-01", vec![]),
        ("eb2024-03-06", vec!["2"]),
    ] {
        assert_eq!(found(&shelf, "Observation", &[("date", value)]), expected, "{value}");
    }
    assert_eq!(found(&shelf, "Encounter", &[("date", "ge2024-03-06"), ("date", "le2024-03-31")]), ["3"]);
    assert_eq!(found(&shelf, "Observation", &[("_lastUpdated", "ge2023-11-14T22:13:24Z")]), ["4"]);
}

#[test]
fn what_is_no_search_is_refused_by_name() {
    let observation = served("Observation").unwrap();
    let refused = |name: &str, value: &str| Query::default().add(observation, name, value).unwrap_err();
    assert!(matches!(refused("colour", "red"), QueryError::Unknown { name, .. } if name == "colour"));
    assert!(matches!(refused("code:text", "x"), QueryError::Modifier { modifier, .. } if modifier == "text"));
    for value in ["yesterday", "ap2024", "2024-13", "é2024", "gt"] {
        assert!(matches!(refused("date", value), QueryError::Date { .. }), "{value}");
    }
    assert!(matches!(refused("code", &"a,".repeat(101)), QueryError::TooMany { found: 101, .. }));
    assert!(matches!(refused("code", ",,"), QueryError::Empty { .. }));
}

#[test]
fn a_newer_version_takes_the_place_of_the_older_under_the_same_id() {
    let old = record(5, "east", r#"{"resourceType":"Condition","id":"c1","code":{"coding":[{"code":"A"}]}}"#);
    let mut new =
        record(6, "east", r#"{"resourceType":"Condition","id":"c1","code":{"coding":[{"code":"B"}]}}"#);
    new.replaces = Some(old.record.clone());
    let mut newer = record(9, "east", r#"{"resourceType":"Condition","id":"c1"}"#);
    newer.replaces = Some(format!("{:064x}", 8));
    let shelf = shelf(&[old, newer, new]);
    let versions: Vec<_> = shelf.items().iter().filter(|item| item.resource_type == "Condition").collect();
    assert_eq!(versions[0].id, versions[1].id);
    let newest: Vec<_> = versions.iter().map(|item| item.is_newest).collect();
    assert_eq!(newest, [true, false, false], "also with a version between them that was not read");
}

#[test]
fn what_is_no_resource_is_counted_and_what_is_not_served_left_out() {
    let mut broken = record(7, "east", r#"{"resourceType":"Observation","id":"x"}"#);
    broken.content = Zeroizing::new(b"{".to_vec());
    let claim = record(8, "east", r#"{"resourceType":"Claim","id":"x"}"#);
    let shelf = shelf(&[broken, claim]);
    assert_eq!((shelf.unservable(), shelf.items().len()), (1, 1), "the named patient is left");
}

#[test]
fn what_the_ledger_says_has_a_link_to_the_patient() {
    let line = r#"{"resourceType":"Consent","id":"ab","status":"active","dateTime":"2024-01-01T00:00:00Z",
        "patient":{"type":"Patient","identifier":{"value":"did:amulet:3yZe7dPatient"}}}"#;
    let item = Item::of_ledger(line.as_bytes(), "p.ab", (PATIENT, DID), 1_704_067_200).unwrap();
    let json: Value = serde_json::from_slice(&item.json).unwrap();
    assert_eq!(json["patient"]["reference"], format!("Patient/{PATIENT}"));
    assert_eq!((json["id"].as_str(), item.id.as_str()), (Some("p.ab"), "p.ab"));
    let mut query = Query::default();
    query.add(served("Consent").unwrap(), "date", "2024-01-01").unwrap();
    query.add(served("Consent").unwrap(), "status", "active").unwrap();
    assert!(query.matches(&item));
}
