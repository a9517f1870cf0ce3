//! Whatever the bytes are: no panic, and every entry is either kept or refused.
#![allow(clippy::unwrap_used)]

use amulet_fhir::ips::{IpsOptions, IpsRecord, ips_document};
use amulet_fhir::quality::{Given, Language};
use amulet_fhir::summary::{RecordRef, offline_facts, summarize};
use amulet_fhir::view::describe;
use amulet_fhir::{Record, check_line, intake};
use proptest::prelude::*;

const SAMPLE: &[u8] = include_bytes!("../../../samples/james-miller.en.json");

/// Everything a stranger's file meets.
fn survive(bytes: &[u8]) {
    let given = Given { today: Some(1_795_392_000), ..Given::default() };
    let line = check_line("x", bytes, &given);
    assert_eq!(line.resources_in, line.records_out + line.refused.len());
    if let Ok(intake) = intake(bytes, &given) {
        assert_eq!(intake.resources_in, intake.records.len() + intake.refused.len());
        assert_eq!(intake.resources_in, line.resources_in);
        for finding in intake.records.iter().flat_map(|record| &record.findings) {
            for language in [Language::En, Language::Zh] {
                assert!(!finding.sentence(language).is_empty(), "{finding:?}");
            }
        }
        for record in &intake.records {
            describe(&record.content).unwrap();
        }
        let records = intake.records.iter();
        let summary = summarize(records.map(|record| {
            (
                RecordRef { hospital: "h", resource_type: &record.resource_type, id: &record.id },
                record.content.as_slice(),
            )
        }));
        summary.check_bounds().unwrap();
        let _ = offline_facts(&summary);
        summary_document_survives(&intake.records);
    }
    let _ = describe(bytes);
}

/// The document is JSON whose links lead somewhere, whatever the records say.
fn summary_document_survives(records: &[Record]) {
    let options =
        IpsOptions { made_at: 1_795_392_000, name: "\u{202e}<x>", language: Language::Zh, missing: 0 };
    let ids: Vec<String> = (0..records.len()).map(|at| at.to_string()).collect();
    let made = ips_document(
        records.iter().zip(&ids).map(|(record, id)| IpsRecord {
            record: id,
            replaces: None,
            resource_type: &record.resource_type,
            resource_id: &record.id,
            hospital: "did:x",
            hospital_name: "<\u{0}",
            registered_at: i64::MAX,
            class: record.class,
            content: &record.content,
        }),
        &options,
    );
    let document: serde_json::Value = serde_json::from_slice(&made.json).unwrap();
    let entries = document["entry"].as_array().unwrap();
    let urls: Vec<&str> = entries.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect();
    let sections = entries[0]["resource"]["section"].as_array().unwrap();
    assert!(sections.len() >= 3);
    for entry in sections.iter().flat_map(|section| section["entry"].as_array().unwrap()) {
        assert!(urls.contains(&entry["reference"].as_str().unwrap()));
    }
}

/// JSON values with FHIR's keys in all the wrong places.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let words = prop::sample::select(vec![
        "Patient",
        "Observation",
        "AllergyIntolerance",
        "active",
        "#x",
        "Patient/p",
        "urn:uuid:p",
        "2019-13",
        "",
        "<div><p>&#x110000;",
        "青霉素",
        "\u{202e}",
        "716186003",
        "882-1",
        "final",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        words.prop_map(Into::into),
    ];
    let keys = prop::sample::select(vec![
        "resourceType",
        "id",
        "code",
        "coding",
        "text",
        "div",
        "subject",
        "reference",
        "status",
        "clinicalStatus",
        "reaction",
        "manifestation",
        "severity",
        "name",
        "given",
        "contact",
        "telecom",
        "value",
        "valueQuantity",
        "component",
        "dosage",
        "medicationReference",
        "contained",
        "meta",
        "security",
        "period",
        "start",
        "section",
    ]);
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn a_bundle_with_changed_bytes(changes in prop::collection::vec((0..SAMPLE.len(), 0x20_u8..0x7f), 1..4), cut in 0..SAMPLE.len()) {
        let mut bytes = SAMPLE.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        survive(&bytes);
        survive(&bytes[..cut]);
    }

    #[test]
    fn a_bundle_of_wrong_shapes(resources in prop::collection::vec(json(), 0..8), kind in prop::sample::select(vec![
        "Observation", "AllergyIntolerance", "Condition", "MedicationStatement", "Device", "Immunization", "Composition",
        "Encounter", "Patient", "DiagnosticReport", "Claim",
    ])) {
        let mut entries = vec![serde_json::json!({"resource": {"resourceType": "Patient", "id": "p"}})];
        for mut resource in resources {
            if let Some(members) = resource.as_object_mut() {
                members.insert("resourceType".to_owned(), kind.into());
            }
            survive(resource.to_string().as_bytes());
            entries.push(serde_json::json!({"resource": resource}));
        }
        survive(serde_json::json!({"resourceType": "Bundle", "entry": entries}).to_string().as_bytes());
    }
}
