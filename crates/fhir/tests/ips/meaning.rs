//! What the document says, against what the records say.

use amulet_fhir::DataClass;
use amulet_fhir::ips::{IpsOptions, IpsRecord, SectionKind, ips_document};
use serde_json::{Value, json};

use crate::making::{SAMPLES, one, options, records, registered};

const EAST: &str = "did:amulet:east";
const WEST: &str = "did:amulet:west";

fn document(records: &[IpsRecord<'_>]) -> Value {
    serde_json::from_slice(&ips_document(records.iter().copied(), &options()).json).unwrap()
}

fn made_of(resources: &[(&str, &str, Value)]) -> Value {
    let texts: Vec<String> = resources.iter().map(|(_, _, json)| json.to_string()).collect();
    let all: Vec<IpsRecord<'_>> = resources
        .iter()
        .zip(&texts)
        .map(|((record, hospital, json), content)| one(record, hospital, content, json))
        .collect();
    document(&all)
}

fn of_type<'d>(document: &'d Value, resource_type: &str) -> Vec<&'d Value> {
    let entries = document["entry"].as_array().unwrap().iter();
    entries
        .map(|entry| &entry["resource"])
        .filter(|resource| resource["resourceType"] == resource_type)
        .collect()
}

fn section(document: &Value, kind: SectionKind) -> Option<&Value> {
    let sections = document["entry"][0]["resource"]["section"].as_array().unwrap();
    sections.iter().find(|section| section["code"]["coding"][0]["code"] == kind.loinc())
}

fn resolved<'d>(document: &'d Value, reference: &Value) -> &'d Value {
    let entries = document["entry"].as_array().unwrap();
    &entries.iter().find(|entry| entry["fullUrl"] == reference["reference"]).unwrap()["resource"]
}

fn penicillin(id: &str) -> Value {
    json!({ "resourceType": "AllergyIntolerance", "id": id, "patient": { "reference": "Patient/p" },
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active" }] },
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "91936005" }], "text": "Penicillin <b>&</b>" } })
}

fn patient() -> Value {
    json!({ "resourceType": "Patient", "id": "p", "name": [{ "text": "王芳" }], "birthDate": "1968" })
}

#[test]
fn what_two_hospitals_say_alike_is_said_once_and_names_both() {
    let document = made_of(&[
        ("r1", EAST, patient()),
        ("r2", EAST, penicillin("a")),
        ("r3", WEST, patient()),
        ("r4", WEST, penicillin("x")),
    ]);
    let allergies = section(&document, SectionKind::Allergies).unwrap();
    assert_eq!(allergies["entry"].as_array().unwrap().len(), 1);
    let entry = &allergies["entry"][0];
    assert_eq!(resolved(&document, &resolved(&document, entry)["patient"])["resourceType"], "Patient");
    assert_eq!(of_type(&document, "Patient").len(), 1);
    for (hospital, record) in [(EAST, "did:amulet:east#r2"), (WEST, "did:amulet:west#r4")] {
        let provenance = of_type(&document, "Provenance")
            .into_iter()
            .find(|provenance| provenance["agent"][0]["who"]["identifier"]["value"] == hospital)
            .unwrap();
        let targets = provenance["target"].as_array().unwrap();
        let target = targets.iter().find(|target| target["identifier"]["value"] == record).unwrap();
        assert_eq!(target["reference"], entry["reference"]);
        assert_eq!(provenance["recorded"], "2023-11-14T22:13:20Z");
    }
    let words = allergies["text"]["div"].as_str().unwrap();
    assert!(
        words.contains("Penicillin &lt;b&gt;&amp;&lt;/b&gt;")
            && words.contains("did:amulet:east, did:amulet:west"),
        "{words}"
    );
}

#[test]
fn one_hospital_saying_it_twice_means_two_things() {
    let vaccine = |id: &str| {
        json!({ "resourceType": "Immunization", "id": id, "status": "completed", "occurrenceDateTime": "2024",
            "patient": { "reference": "Patient/p" }, "vaccineCode": { "text": "Hepatitis B" } })
    };
    let document =
        made_of(&[("r1", EAST, vaccine("a")), ("r2", EAST, vaccine("b")), ("r3", WEST, vaccine("c"))]);
    assert_eq!(section(&document, SectionKind::Immunizations).unwrap()["entry"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_known_and_none_known_are_told_apart() {
    let code = |document: &Value, kind: SectionKind| {
        let entry = &section(document, kind).unwrap()["entry"][0];
        let resource = resolved(document, entry);
        let concept = if resource["code"].is_null() {
            &resource["medicationCodeableConcept"]
        } else {
            &resource["code"]
        };
        concept["coding"][0]["code"].clone()
    };
    let empty = made_of(&[]);
    assert_eq!(code(&empty, SectionKind::Problems), "no-problem-info");
    assert_eq!(code(&empty, SectionKind::Allergies), "no-allergy-info");
    assert_eq!(code(&empty, SectionKind::Medications), "no-medication-info");
    assert!(section(&empty, SectionKind::Immunizations).is_none());

    let mut none = penicillin("a");
    none["code"] = json!({ "coding": [{ "system": "http://snomed.info/sct", "code": "716186003" }] });
    let asked = made_of(&[("r1", EAST, none.clone())]);
    assert_eq!(code(&asked, SectionKind::Allergies), "no-known-allergies");
    let both = made_of(&[("r1", EAST, none), ("r2", WEST, penicillin("b"))]);
    assert_eq!(code(&both, SectionKind::Allergies), "91936005");
    assert_eq!(section(&both, SectionKind::Allergies).unwrap()["entry"].as_array().unwrap().len(), 1);
}

#[test]
fn none_known_is_not_said_when_a_record_that_may_know_more_is_kept_back_or_missing() {
    let mut none = penicillin("a");
    none["code"] = json!({ "coding": [{ "system": "http://snomed.info/sct", "code": "716186003" }] });
    let (none_text, other) = (none.to_string(), penicillin("b"));
    let other_text = other.to_string();
    let nobody = one("r1", EAST, &none_text, &none);
    let core = IpsRecord { class: DataClass::Core, ..one("r2", WEST, &other_text, &other) };
    let hidden = document(&[nobody, core]).to_string();
    assert!(hidden.contains("no-allergy-info") && !hidden.contains("no-known-allergies"));
    let part = ips_document([nobody], &IpsOptions { missing: 1, ..options() });
    let part: Value = serde_json::from_slice(&part.json).unwrap();
    assert!(part.to_string().contains("no-allergy-info"));
    let composition = &part["entry"][0]["resource"];
    assert_eq!(composition["status"], "preliminary");
    assert!(composition["text"]["div"].as_str().unwrap().contains("Incomplete"));
}

#[test]
fn of_what_is_core_nothing_is_left_not_even_the_name_of_a_link() {
    let condition = json!({ "resourceType": "Condition", "id": "c", "subject": { "reference": "Patient/p" }, "code": { "text": "Secret" } });
    let medicine = json!({ "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": { "reference": "Patient/p" }, "medicationCodeableConcept": { "text": "Something" },
        "reasonReference": [{ "reference": "Condition/c", "display": "Secret" }] });
    let (condition_text, medicine_text) = (condition.to_string(), medicine.to_string());
    let core = IpsRecord { class: DataClass::Core, ..one("r1", EAST, &condition_text, &condition) };
    let made = ips_document([core, one("r2", EAST, &medicine_text, &medicine)], &options());
    let text = String::from_utf8(made.json).unwrap();
    assert!(!text.contains("Secret") && text.contains("Something") && text.contains("masked"));
    assert_eq!(made.core, 1);
}

#[test]
fn what_was_replaced_stays_out_even_when_its_successor_is_core() {
    let texts = ["first", "second"]
        .map(|word| json!({ "resourceType": "Condition", "id": "c", "code": { "text": word } }));
    let contents = texts.each_ref().map(Value::to_string);
    let [old, new] = [0, 1].map(|at| one(["r1", "r2"][at], EAST, &contents[at], &texts[at]));
    let new = IpsRecord { replaces: Some("r1"), registered_at: 1_700_000_001, ..new };
    let text = document(&[old, new]).to_string();
    assert!(text.contains("second") && !text.contains("first"));
    let hidden = document(&[old, IpsRecord { class: DataClass::Core, ..new }]).to_string();
    assert!(!hidden.contains("second") && !hidden.contains("first"));
}

#[test]
fn entered_in_error_and_refuted_stay_out() {
    let mut refuted = penicillin("a");
    refuted["verificationStatus"] = json!({ "coding": [{ "code": "refuted" }] });
    let wrong = json!({ "resourceType": "Observation", "id": "o", "status": "entered-in-error", "code": { "text": "Wrong" } });
    let text = made_of(&[("r1", EAST, refuted), ("r2", EAST, wrong)]).to_string();
    assert!(!text.contains("Penicillin") && !text.contains("Wrong"));
}

#[test]
fn of_many_measurements_the_newest_are_listed_and_the_others_counted() {
    let resources: Vec<Value> = (1..=9)
        .map(|day| {
            json!({ "resourceType": "Observation", "id": format!("o{day}"), "status": "final",
                "category": [{ "coding": [{ "code": "laboratory" }] }], "effectiveDateTime": format!("2024-01-0{day}"),
                "code": { "coding": [{ "system": "http://loinc.org", "code": "15074-8" }] } })
        })
        .collect();
    let texts: Vec<String> = resources.iter().map(Value::to_string).collect();
    let ids: Vec<String> = (0..9).map(|at| format!("r{at}")).collect();
    let all = resources.iter().zip(&texts).zip(&ids).map(|((json, text), id)| one(id, EAST, text, json));
    let made = ips_document(all, &options());
    assert_eq!((made.sections.as_slice(), made.left_out), ([(SectionKind::Results, 3)].as_slice(), 6));
    let text = String::from_utf8(made.json).unwrap();
    assert!(text.contains("2024-01-09") && text.contains("2024-01-07") && !text.contains("2024-01-06"));
}

#[test]
fn a_record_is_carried_as_it_is_but_for_its_links() {
    let content = r##"{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/p","display":"W"},
        "encounter":{"reference":"Encounter/e","display":"Visit"},"specimen":{"reference":"#s"},"code":{"text":"INR"},
        "contained":[{"resourceType":"Specimen","id":"s"}],"valueQuantity":{"value":2.50},"derivedFrom":[{"reference":"https://other.example/Observation/1"}]}"##;
    let json: Value = serde_json::from_str(content).unwrap();
    let person = patient();
    let person_text = person.to_string();
    let made =
        ips_document([one("r1", EAST, content, &json), one("r2", EAST, &person_text, &person)], &options());
    assert!(std::str::from_utf8(&made.json).unwrap().contains("\"value\":2.50"), "precision is kept");
    let document: Value = serde_json::from_slice(&made.json).unwrap();
    let found = of_type(&document, "Observation")[0];
    let mut wanted = json;
    wanted["subject"]["reference"] = found["subject"]["reference"].clone();
    wanted["encounter"] =
        json!({ "identifier": { "value": "Encounter/e" }, "type": "Encounter", "display": "Visit" });
    assert_eq!(*found, wanted);
    assert_eq!(resolved(&document, &found["subject"])["resourceType"], "Patient");
}

#[test]
fn one_name_at_two_hospitals_is_two_things() {
    let medicine = |name: &str| json!({ "resourceType": "Medication", "id": "m", "code": { "text": name } });
    let order = |id: &str| {
        json!({ "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
            "subject": { "reference": "Patient/p" }, "medicationReference": { "reference": "Medication/m" } })
    };
    let document = made_of(&[
        ("r1", EAST, medicine("Warfarin")),
        ("r2", EAST, order("e")),
        ("r3", WEST, medicine("Metformin")),
        ("r4", WEST, order("w")),
    ]);
    for (id, name) in [("e", "Warfarin"), ("w", "Metformin")] {
        let order =
            of_type(&document, "MedicationRequest").into_iter().find(|order| order["id"] == id).unwrap();
        assert_eq!(resolved(&document, &order["medicationReference"])["code"]["text"], name);
    }
}

#[test]
fn the_same_records_in_any_order_give_the_same_bytes() {
    let east = registered(EAST, "East", 1_700_000_000, SAMPLES[0]).unwrap();
    let west = registered(WEST, "西区医院", 1_710_000_000, SAMPLES[0]).unwrap();
    let mut all: Vec<IpsRecord<'_>> = records(&east).chain(records(&west)).collect();
    let first = ips_document(all.clone(), &options());
    all.reverse();
    assert_eq!(ips_document(all, &options()), first);
    // The second hospital sent the same file: nothing new, and every entry names both.
    let alone = ips_document(records(&east), &options());
    assert_eq!(first.sections, alone.sections);
    let document: Value = serde_json::from_slice(&first.json).unwrap();
    assert_eq!(of_type(&document, "Provenance").len(), 2);
}

/// Of two hospitals' records of one thing, the one that says more stays, whichever was registered later.
#[test]
fn what_only_one_hospital_says_is_never_lost() {
    let mut severe = penicillin("a");
    severe["criticality"] = json!("high");
    severe["reaction"] = json!([{ "manifestation": [{ "text": "Anaphylactic shock" }] }]);
    let condition = |id: &str| {
        json!({ "resourceType": "Condition", "id": id, "subject": { "reference": "Patient/p" },
            "clinicalStatus": { "coding": [{ "code": "active" }] },
            "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "195967001" }] } })
    };
    let mut grave = condition("c");
    grave["severity"] = json!({ "text": "Life-threatening" });
    for [first, second] in [[EAST, WEST], [WEST, EAST]] {
        let document = made_of(&[
            ("r1", first, severe.clone()),
            ("r2", second, penicillin("b")),
            ("r3", first, grave.clone()),
            ("r4", second, condition("d")),
        ]);
        for (kind, words) in
            [(SectionKind::Allergies, "Anaphylactic shock"), (SectionKind::Problems, "Life-threatening")]
        {
            let listed = section(&document, kind).unwrap()["entry"].as_array().unwrap();
            assert_eq!(listed.len(), 1, "the poorer one says nothing else");
            assert!(resolved(&document, &listed[0]).to_string().contains(words), "{words} by {first}");
        }
    }
    // Each says something that the other does not: both stay.
    let mut other = penicillin("b");
    other["reaction"] = json!([{ "manifestation": [{ "text": "Rash" }] }]);
    let document = made_of(&[("r1", EAST, severe), ("r2", WEST, other)]);
    assert_eq!(section(&document, SectionKind::Allergies).unwrap()["entry"].as_array().unwrap().len(), 2);
}

#[test]
fn three_hospitals_that_say_more_and_more_are_one_entry_that_names_all() {
    const SOUTH: &str = "did:amulet:south";
    let with = |members: &[(&str, &str)]| {
        let mut allergy = penicillin("a");
        for (name, value) in members {
            allergy[*name] = json!(value);
        }
        allergy
    };
    let document = made_of(&[
        ("r3", EAST, with(&[])),
        ("r2", WEST, with(&[("criticality", "high")])),
        ("r1", SOUTH, with(&[("criticality", "high"), ("type", "allergy")])),
    ]);
    let listed = section(&document, SectionKind::Allergies).unwrap()["entry"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    let all = of_type(&document, "Provenance");
    assert_eq!(all.len(), 3);
    for provenance in all {
        assert_eq!(provenance["target"][0]["reference"], listed[0]["reference"]);
    }
}

#[test]
fn an_older_version_is_not_shown_when_the_newest_cannot_be_read() {
    let old = json!({ "resourceType": "Condition", "id": "c", "code": { "text": "As it was" } });
    let text = old.to_string();
    let older = one("r1", EAST, &text, &old);
    let newer =
        IpsRecord { record: "r2", registered_at: older.registered_at + 1, content: b"{broken", ..older };
    let made = ips_document([older, newer], &options());
    assert!(!String::from_utf8(made.json).unwrap().contains("As it was"));
    assert_eq!(made.unreadable, 1);
}

#[test]
fn alerts_are_listed_while_they_are_active() {
    let flag = |status: &str| {
        json!({ "resourceType": "Flag", "id": "f", "status": status, "code": { "text": "Carries MRSA" },
            "subject": { "reference": "Patient/p" } })
    };
    let document = made_of(&[("r1", EAST, flag("active"))]);
    let listed = section(&document, SectionKind::Alerts).unwrap()["entry"].as_array().unwrap();
    assert_eq!(resolved(&document, &listed[0])["code"]["text"], "Carries MRSA");
    assert!(section(&made_of(&[("r1", EAST, flag("inactive"))]), SectionKind::Alerts).is_none());
}
