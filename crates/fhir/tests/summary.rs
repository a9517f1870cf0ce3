//! The emergency summary of the sample histories and of records made to mislead it.
#![allow(clippy::unwrap_used)]

use amulet_fhir::quality::Given;
use amulet_fhir::summary::{
    EmergencySummary, OfflineFactKind, RecordRef, SectionState, offline_facts, summarize,
};
use amulet_fhir::view::{FactLabel, describe};
use amulet_fhir::{Intake, intake};

const WANG_FANG: &[u8] = include_bytes!("../../../samples/wang-fang.zh.json");
const JAMES_MILLER: &[u8] = include_bytes!("../../../samples/james-miller.en.json");

fn sample(bytes: &[u8]) -> (Intake, EmergencySummary) {
    let intake = intake(bytes, &Given::default()).unwrap();
    assert_eq!(intake.refused, []);
    let summary = summarize(intake.records.iter().map(|record| {
        (
            RecordRef { hospital: "h", resource_type: &record.resource_type, id: &record.id },
            record.content.as_slice(),
        )
    }));
    summary.check_bounds().unwrap();
    (intake, summary)
}

fn of(contents: &[&str]) -> EmergencySummary {
    let ids: Vec<String> = (0..contents.len()).map(|n| n.to_string()).collect();
    let types: Vec<String> = contents
        .iter()
        .map(|content| {
            let value: serde_json::Value = serde_json::from_str(content).unwrap();
            value["resourceType"].as_str().unwrap().to_owned()
        })
        .collect();
    summarize((0..contents.len()).map(|n| {
        (RecordRef { hospital: "h", resource_type: &types[n], id: &ids[n] }, contents[n].as_bytes())
    }))
}

#[test]
fn wang_fang_in_an_emergency() {
    let (_, summary) = sample(WANG_FANG);
    let person = summary.person.as_ref().unwrap();
    assert_eq!((person.name.as_deref(), person.sex.as_deref()), (Some("王芳"), Some("female")));
    assert_eq!(summary.blood_group.as_ref().unwrap().value, "A型 RhD阳性");
    let worst = &summary.allergies.entries[0];
    assert_eq!((worst.name.as_str(), worst.reaction.as_deref()), ("青霉素", Some("过敏性休克")));
    let medicines: Vec<&str> = summary.medicines.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(medicines, ["苯磺酸氨氯地平片", "华法林钠片", "盐酸二甲双胍片"]);
    assert!(summary.medicines.entries[1].dose.as_deref().unwrap().contains("3 mg"));
    assert!(summary.conditions.entries.iter().any(|entry| entry.name == "心房颤动"));
    assert!(summary.conditions.entries.iter().all(|entry| entry.name != "社区获得性肺炎"));
    assert_eq!(summary.devices.entries[0].name, "双腔心脏起搏器");
    let facts: Vec<(OfflineFactKind, String)> =
        offline_facts(&summary).into_iter().map(|fact| (fact.kind, fact.text)).collect();
    assert_eq!(facts[0], (OfflineFactKind::BloodGroup, "A型 RhD阳性".to_owned()));
    assert_eq!(facts[1], (OfflineFactKind::Allergy, "青霉素 (过敏性休克)".to_owned()));
    assert_eq!(facts.last().unwrap(), &(OfflineFactKind::Contact, "139-5550-0142 李建国".to_owned()));
}

#[test]
fn james_miller_has_no_refuted_allergy_and_no_stopped_medicine() {
    let (intake, summary) = sample(JAMES_MILLER);
    let allergies: Vec<&str> = summary.allergies.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(allergies, ["Peanuts", "Latex"]);
    assert_eq!(summary.medicines.entries.len(), 4);
    assert!(summary.medicines.entries.iter().all(|entry| !entry.name.contains("Prednisone")));
    let pressure = intake.records.iter().find(|record| record.title == "Blood pressure").unwrap();
    let detail = describe(&pressure.content).unwrap();
    let rows: Vec<(Option<&str>, &str)> = detail
        .facts
        .iter()
        .filter(|fact| fact.label == FactLabel::Component)
        .map(|fact| (fact.name.as_deref(), fact.value.as_str()))
        .collect();
    assert_eq!(
        rows,
        [(Some("Systolic blood pressure"), "122 mmHg"), (Some("Diastolic blood pressure"), "76 mmHg")]
    );
}

#[test]
fn a_summary_survives_storage() {
    let (_, summary) = sample(WANG_FANG);
    let json = serde_json::to_vec(&summary).unwrap();
    assert_eq!(serde_json::from_slice::<EmergencySummary>(&json).unwrap(), summary);
    assert_eq!(borsh::from_slice::<EmergencySummary>(&borsh::to_vec(&summary).unwrap()).unwrap(), summary);
}

#[test]
fn none_known_is_not_the_same_as_nothing_known() {
    assert_eq!(of(&[]).allergies.state, SectionState::NoInformation);
    let none = r#"{"resourceType":"AllergyIntolerance","code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003"}],"text":"No known allergies"}}"#;
    let summary = of(&[none]);
    assert_eq!((summary.allergies.state, summary.allergies.entries.len()), (SectionState::NoneKnown, 0));
    assert_eq!(offline_facts(&summary)[0].kind, OfflineFactKind::NoKnownAllergies);
    let unknown = r#"{"resourceType":"AllergyIntolerance","code":{"coding":[{"code":"no-allergy-info"}]}}"#;
    assert_eq!(of(&[unknown]).allergies.state, SectionState::NoInformation);
    let drugs = r#"{"resourceType":"AllergyIntolerance","code":{"coding":[{"code":"409137002"}]}}"#;
    let summary = of(&[drugs]);
    assert_eq!(summary.allergies.state, SectionState::NoneKnownInPart);
    assert_eq!(offline_facts(&summary), []);
    let refuted = r#"{"resourceType":"AllergyIntolerance","verificationStatus":{"coding":[{"code":"refuted"}]},"code":{"coding":[{"code":"716186003"}]}}"#;
    assert_eq!(of(&[refuted]).allergies.state, SectionState::NoInformation);
    // An allergy beats an old statement that there is none.
    let nuts = r#"{"resourceType":"AllergyIntolerance","code":{"text":"Nuts"}}"#;
    let summary = of(&[none, nuts]);
    assert_eq!(summary.allergies.state, SectionState::Listed);
    assert_eq!(summary.allergies.statements, []);
    let empty = r#"{"resourceType":"Composition","section":[{"code":{"coding":[{"code":"48765-2"}]},"emptyReason":{"coding":[{"code":"nilknown"}]}}]}"#;
    assert_eq!(of(&[empty]).allergies.state, SectionState::NoneKnown);
}

#[test]
fn the_worst_allergy_comes_first() {
    let allergy = |name: &str, rest: &str| {
        format!(r#"{{"resourceType":"AllergyIntolerance","code":{{"text":"{name}"}}{rest}}}"#)
    };
    let all = [
        allergy("low", r#","criticality":"low""#),
        allergy("unjudged", ""),
        allergy(
            "shock",
            r#","criticality":"low","reaction":[{"manifestation":[{"text":"Anaphylactic shock"}]}]"#,
        ),
        allergy("severe", r#","reaction":[{"severity":"mild"},{"severity":"severe"}]"#),
        allergy("moderate", r#","reaction":[{"severity":"moderate"}]"#),
    ];
    let summary = of(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let order: Vec<&str> = summary.allergies.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(order, ["shock", "severe", "moderate", "unjudged", "low"]);
}

#[test]
fn what_is_over_or_wrong_is_not_current() {
    let condition = |rest: &str| {
        of(&[&format!(r#"{{"resourceType":"Condition","code":{{"text":"X"}}{rest}}}"#)])
            .conditions
            .entries
            .len()
    };
    assert_eq!(condition(""), 1);
    assert_eq!(condition(r#","clinicalStatus":{"coding":[{"code":"relapse"}]}"#), 1);
    for over in ["inactive", "remission", "resolved"] {
        assert_eq!(
            condition(&format!(r#","clinicalStatus":{{"coding":[{{"code":"{over}"}}]}}"#)),
            0,
            "{over}"
        );
    }
    for wrong in ["refuted", "entered-in-error"] {
        assert_eq!(
            condition(&format!(r#","verificationStatus":{{"coding":[{{"code":"{wrong}"}}]}}"#)),
            0,
            "{wrong}"
        );
    }
    assert_eq!(condition(r#","abatementDateTime":"2019""#), 0);
    let medicine = |rest: &str| {
        of(&[&format!(
            r#"{{"resourceType":"MedicationRequest","medicationCodeableConcept":{{"text":"M"}}{rest}}}"#
        )])
        .medicines
        .entries
        .len()
    };
    assert_eq!(medicine(r#","status":"active""#), 1);
    for status in ["completed", "stopped", "cancelled", "entered-in-error", "on-hold", "draft"] {
        assert_eq!(medicine(&format!(r#","status":"{status}""#)), 0, "{status}");
    }
    assert_eq!(medicine(r#","status":"active","doNotPerform":true"#), 0);
    // The software that wrote a document is no implant.
    assert_eq!(of(&[r#"{"resourceType":"Device","type":{"text":"EHR"}}"#]).devices.entries.len(), 0);
}

#[test]
fn a_contradicted_blood_group_is_not_suggested() {
    let group = |value: &str, status: &str, day: &str| {
        format!(
            r#"{{"resourceType":"Observation","status":"{status}","effectiveDateTime":"{day}","code":{{"coding":[{{"code":"882-1"}}]}},"valueString":"{value}"}}"#
        )
    };
    let (a, same, b) = (
        group("A positive", "final", "2020"),
        group("A Rh(D) pos", "final", "2021"),
        group("B+", "final", "2022"),
    );
    assert!(!of(&[&a, &same]).blood_group.unwrap().is_contradicted);
    let summary = of(&[&a, &b]);
    assert!(summary.blood_group.as_ref().unwrap().is_contradicted);
    assert_eq!(offline_facts(&summary), []);
    assert_eq!(of(&[&group("B+", "entered-in-error", "2022")]).blood_group, None);
}

#[test]
fn unreadable_records_are_counted() {
    let contents: [(&str, &[u8]); 3] =
        [("Condition", b"{"), ("Condition", br#"{"resourceType":"Patient"}"#), ("Claim", b"x")];
    let summary = summarize(
        contents
            .iter()
            .map(|(kind, bytes)| (RecordRef { hospital: "h", resource_type: kind, id: "1" }, *bytes)),
    );
    assert_eq!(summary.unreadable, 2);
}

#[test]
fn two_hospitals_that_give_the_same_id_to_different_things_lose_none() {
    let allergy = |name: &str| {
        format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"1","code":{{"text":"{name}"}},"criticality":"high"}}"#
        )
    };
    let medication =
        |name: &str| format!(r#"{{"resourceType":"Medication","id":"1","code":{{"text":"{name}"}}}}"#);
    let taken = r#"{"resourceType":"MedicationStatement","id":"1","status":"active","medicationReference":{"reference":"Medication/1"}}"#;
    let records: Vec<(&str, &str, String)> = vec![
        ("east", "AllergyIntolerance", allergy("Penicillin")),
        ("west", "AllergyIntolerance", allergy("Latex")),
        ("east", "Medication", medication("Warfarin")),
        ("west", "Medication", medication("Insulin")),
        ("east", "MedicationStatement", taken.to_owned()),
        ("west", "MedicationStatement", taken.to_owned()),
    ];
    let summary = summarize(records.iter().map(|(hospital, resource_type, content)| {
        (RecordRef { hospital, resource_type, id: "1" }, content.as_bytes())
    }));
    let allergies: Vec<&str> = summary.allergies.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(allergies, ["Latex", "Penicillin"]);
    let medicines: Vec<&str> = summary.medicines.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(medicines, ["Insulin", "Warfarin"], "each hospital's reference leads to its own");
}

#[test]
fn one_allergy_that_two_hospitals_know_takes_one_place_among_the_facts() {
    let allergy = |name: &str, reaction: &str, criticality: &str| {
        format!(
            r#"{{"resourceType":"AllergyIntolerance","code":{{"text":"{name}"}},"criticality":"{criticality}","reaction":[{{"manifestation":[{{"text":"{reaction}"}}]}}]}}"#
        )
    };
    let all = [
        allergy("Peanuts", "Anaphylaxis", "high"),
        allergy("peanuts", "Anaphylaxis, told by the patient", "high"),
        allergy("Latex", "Rash", "low"),
        allergy("Sulfonamides", "Rash", "low"),
    ];
    let summary = of(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(summary.allergies.entries.len(), 4, "the summary itself forgets nothing");
    let facts = offline_facts(&summary);
    assert_eq!(facts.len(), 3, "{facts:?}");
}
