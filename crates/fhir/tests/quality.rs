//! What the quality rules find, as a sender of a file meets it.
#![allow(clippy::unwrap_used)]

use amulet_fhir::quality::{BloodGroup, Given, Language, Rule, Severity};
use amulet_fhir::{ClassRule, DataClass, FileRefusal, Intake, check_line};
use serde_json::{Value, json};

/// 2026-11-23.
const TODAY: i64 = 1_795_392_000;

fn given() -> Given {
    Given { today: Some(TODAY), ..Given::default() }
}

fn patient(more: &Value) -> Value {
    merged(
        &json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-05-04"}),
        more,
    )
}

fn merged(base: &Value, more: &Value) -> Value {
    let mut merged = base.clone();
    for (key, value) in more.as_object().unwrap() {
        merged[key] = value.clone();
    }
    merged
}

fn observation(more: &Value) -> Value {
    let base = json!({"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2024-03-01"});
    merged(&base, more)
}

fn loinc(code: &str) -> Value {
    json!({"coding": [{"system": "http://loinc.org", "code": code}]})
}

fn take(resources: &[Value], given: &Given) -> Result<Intake, FileRefusal> {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    amulet_fhir::intake(bundle.to_string().as_bytes(), given)
}

/// Codes found in these resources beside a good Patient, notes left out.
fn found(resources: &[Value]) -> Vec<&'static str> {
    let mut all = vec![patient(&json!({}))];
    all.extend_from_slice(resources);
    found_in(&all)
}

fn found_in(resources: &[Value]) -> Vec<&'static str> {
    let findings = match take(resources, &given()) {
        Ok(intake) => intake.records.into_iter().flat_map(|record| record.findings).collect(),
        Err(FileRefusal::Quality { findings, .. }) => findings,
        Err(other) => panic!("{other}"),
    };
    for finding in &findings {
        for language in [Language::En, Language::Zh] {
            assert!(!finding.sentence(language).contains(['{', '}']), "{}", finding.sentence(language));
        }
    }
    let loud = findings.iter().filter(|finding| finding.severity() > Severity::Note);
    loud.map(|finding| finding.rule.code()).collect()
}

#[test]
fn the_patient_is_checked() {
    let with = |more: Value| found_in(&[patient(&more)]);
    assert_eq!(with(json!({})), [""; 0]);
    assert_eq!(with(json!({"birthDate": "2027-01-01"})), ["birth_date_in_future"]);
    assert_eq!(with(json!({"birthDate": "1880"})), ["age_impossible"]);
    assert_eq!(with(json!({"birthDate": "1880", "deceasedDateTime": "1950"})), [""; 0]);
    assert_eq!(with(json!({"birthDate": "04.05.1980"})), ["birth_date_malformed"]);
    assert_eq!(with(json!({"deceasedDateTime": "1979-01-01"})), ["death_before_birth"]);
    assert_eq!(with(json!({"deceasedDateTime": "2030-01-01"})), ["death_in_future"]);
    assert_eq!(with(json!({"gender": "F"})), ["required_code"]);
}

#[test]
fn an_identity_number_is_checked_by_its_digit_its_birth_date_and_its_sex() {
    let with = |number: &str, more: Value| {
        let identifier = json!([{"system": "urn:oid:2.16.156.10011.1.3", "value": number}]);
        found_in(&[patient(&merged(&json!({"identifier": identifier}), &more))])
    };
    // The example of GB 11643-1999, and one made for this patient.
    let example = json!({"birthDate": "1949-12-31"});
    assert_eq!(with("11010519491231002X", example.clone()), [""; 0]);
    assert_eq!(with("110105194912310021", example.clone()), ["identity_number_check_digit"]);
    assert_eq!(with("11010519491231002x", json!({"birthDate": "1949"})), [""; 0]);
    assert_eq!(with("11010519491231002X", json!({})), ["identity_number_birth_date"]);
    assert_eq!(
        with("11010519491231002X", merged(&example, &json!({"gender": "male"}))),
        ["identity_number_sex"]
    );
    assert_eq!(with("1101051949123100", example.clone()), ["identity_number_malformed"]);
    assert_eq!(with("110105491231002", example), [""; 0]);
    // An 18-digit hospital number is nobody's identity number.
    let own = json!([{"system": "urn:hospital:mrn", "value": "110105198005040021"}]);
    assert_eq!(found_in(&[patient(&json!({ "identifier": own }))]), [""; 0]);
}

#[test]
fn dates_in_the_future_in_the_wrong_order_and_before_birth_are_flagged() {
    let with = |more: Value| found(&[observation(&more)]);
    assert_eq!(with(json!({"effectiveDateTime": "2027-01-01"})), ["date_in_future"]);
    assert_eq!(with(json!({"effectiveDateTime": "2026-11-23T20:00:00+08:00"})), [""; 0]);
    assert_eq!(with(json!({"effectiveDateTime": "2024-02-30"})), ["date_malformed"]);
    assert_eq!(with(json!({"effectiveDateTime": "1979-12-31"})), ["before_birth"]);
    assert_eq!(with(json!({"effectiveDateTime": "1980"})), [""; 0]);
    assert_eq!(with(json!({"issued": "2024-02-01T00:00:00Z"})), ["issued_before_effective"]);
    let reversed =
        json!({"effectiveDateTime": null, "effectivePeriod": {"start": "2024-03-02", "end": "2024-03-01"}});
    assert_eq!(with(reversed), ["period_reversed"]);
    let condition = |more: Value| {
        let base = json!({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}});
        found(&[merged(&base, &more)])
    };
    assert_eq!(
        condition(json!({"onsetDateTime": "2020-05-01", "recordedDate": "2019-01-01"})),
        ["recorded_before_onset"]
    );
    assert_eq!(
        condition(json!({"onsetDateTime": "2020-05-01", "abatementDateTime": "2020-04-01"})),
        ["abated_before_onset"]
    );
    let age = |value: i32| json!({"code": loinc("30525-0"), "valueQuantity": {"value": value, "code": "a"}});
    assert_eq!(with(age(43)), [""; 0]);
    assert_eq!(with(age(70)), ["age_differs"]);
    let at_age = json!({"onsetAge": {"value": 60, "code": "a"}, "recordedDate": "2020-01-01"});
    assert_eq!(condition(at_age), ["age_differs"]);
    let planned = json!({"resourceType": "Encounter", "id": "e", "status": "planned", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p"}, "period": {"start": "2027-03-01"}});
    assert_eq!(found(&[planned]), [""; 0]);
}

#[test]
fn blood_pressure_is_checked_as_a_pair() {
    let with = |systolic: f64, diastolic: f64, unit: &str| {
        let part =
            |code, value| json!({"code": loinc(code), "valueQuantity": {"value": value, "code": unit}});
        found(&[observation(&json!({"code": loinc("85354-9"),
            "component": [part("8480-6", systolic), part("8462-4", diastolic)]}))])
    };
    assert_eq!(with(120.0, 80.0, "mm[Hg]"), [""; 0]);
    assert_eq!(with(16.0, 10.7, "kPa"), [""; 0]);
    assert_eq!(with(12.0, 8.0, "mm[Hg]"), ["blood_pressure_scale"]);
    assert_eq!(with(16.0, 10.7, "mm[Hg]"), ["blood_pressure_scale"]);
    assert_eq!(with(1200.0, 800.0, "mm[Hg]"), ["blood_pressure_scale"]);
    assert_eq!(with(80.0, 120.0, "mm[Hg]"), ["blood_pressure_reversed"]);
    assert_eq!(with(600.0, 80.0, "mm[Hg]"), ["value_impossible"]);
}

#[test]
fn a_changed_blood_group_is_flagged_within_a_file_and_against_earlier_ones() {
    let group = |id: &str, text: &str| {
        observation(&json!({"id": id, "code": loinc("882-1"), "valueCodeableConcept": {"text": text}}))
    };
    assert_eq!(found(&[group("a", "A Rh(D) positive"), group("b", "A+")]), [""; 0]);
    assert_eq!(found(&[group("a", "A Rh(D) positive"), group("b", "O型 RhD阳性")]), ["blood_group_changed"]);
    let resources = |text| [patient(&json!({})), group("a", text)];
    let first = take(&resources("AB-"), &given()).unwrap().blood_group;
    let kept = serde_json::to_string(&first).unwrap();
    let earlier: Option<BloodGroup> = serde_json::from_str(&kept).unwrap();
    let later = take(&resources("AB+"), &Given { blood_group: earlier, ..given() }).unwrap();
    assert_eq!(later.records[1].findings[0].rule, Rule::BloodGroupChanged);
    assert!(later.records[1].is_flagged() && !later.is_patient_in_doubt());
}

#[test]
fn missing_elements_codes_and_dangling_references_are_flagged() {
    assert_eq!(found(&[observation(&json!({"status": null}))]), ["required_missing"]);
    assert_eq!(found(&[observation(&json!({"status": "done"}))]), ["required_code"]);
    let absent = json!({"status": null, "_status": {"extension": [{"url": "x", "valueCode": "unknown"}]}});
    assert_eq!(found(&[observation(&absent)]), [""; 0]);
    let request =
        json!({"resourceType": "MedicationRequest", "id": "m", "subject": {"reference": "Patient/p"}});
    assert_eq!(found(&[request]), ["required_missing"; 3]);
    let r5 = json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "medication": {"concept": {"text": "x"}}, "subject": {"reference": "Patient/p"}});
    assert_eq!(found(&[r5]), [""; 0]);
    let stu3 = json!({"resourceType": "AllergyIntolerance", "id": "a", "clinicalStatus": "active",
        "patient": {"reference": "Patient/p"}});
    assert_eq!(found(&[stu3]), ["older_release"]);
    let nowhere = |reference: &str| found(&[observation(&json!({"encounter": {"reference": reference}}))]);
    assert_eq!(nowhere("urn:uuid:0c6b1f3d-edb2-422b-a0af-a262fb90ed07"), ["reference_dangling"]);
    assert_eq!(nowhere("#inside"), ["reference_dangling"]);
    assert_eq!(nowhere("Encounter/elsewhere"), [""; 0]);
    assert_eq!(nowhere("Observation/o"), [""; 0]);
}

#[test]
fn what_cannot_be_refuses_the_file_and_names_every_finding() {
    let hot = |id: &str| {
        observation(
            &json!({"id": id, "code": loinc("8310-5"), "valueQuantity": {"value": 370, "code": "Cel"}}),
        )
    };
    let resources = [patient(&json!({})), hot("a"), hot("b")];
    let Err(FileRefusal::Quality { findings, more: 0 }) = take(&resources, &given()) else { panic!() };
    let places: Vec<_> = findings.iter().map(|finding| finding.resource.as_str()).collect();
    assert_eq!(places, ["Observation/a", "Observation/b"]);
    let sentence = findings[0].sentence(Language::Zh);
    assert!(sentence.contains("370 Cel"), "{sentence}");
    let many: Vec<Value> =
        std::iter::once(patient(&json!({}))).chain((0..150).map(|n| hot(&n.to_string()))).collect();
    let Err(FileRefusal::Quality { findings, more }) = take(&many, &given()) else { panic!() };
    assert_eq!((findings.len(), more), (100, 50));
}

#[test]
fn flagged_records_wait_and_a_doubt_about_the_patient_holds_all() {
    let line = |resources: &[Value]| {
        let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        let line = check_line("f", bundle.to_string().as_bytes(), &given());
        assert_eq!(line.resources_in, line.records_out + line.refused.len());
        line
    };
    let odd = observation(&json!({"id": "odd", "status": null}));
    let one = line(&[patient(&json!({})), observation(&json!({})), odd.clone()]);
    assert_eq!((one.records_out, one.refused[0].resource.as_str()), (2, "Observation/odd"));
    assert!(one.refused[0].reason.contains("required_missing"), "{}", one.refused[0].reason);
    let all = line(&[patient(&json!({"gender": "F"})), observation(&json!({}))]);
    assert_eq!((all.records_out, all.refused.len()), (0, 2));
}

#[test]
fn bulk_exports_are_taken_one_patient_at_a_time() {
    let lines = |resources: &[Value]| {
        let lines: Vec<String> = resources.iter().map(Value::to_string).collect();
        lines.join("\n") + "\n"
    };
    let own = observation(&json!({}));
    let other = observation(&json!({"id": "o2", "subject": {"reference": "Patient/q"}}));
    let place = json!({"resourceType": "Organization", "id": "h", "name": "Clinic"});
    let nameless = observation(&json!({"id": "o3", "subject": null}));
    let file =
        lines(&[patient(&json!({})), patient(&json!({"id": "q"})), own.clone(), other, place, nameless]);
    let both = amulet_fhir::intake(file.as_bytes(), &given());
    assert!(matches!(both, Err(FileRefusal::MoreThanOnePatient { count: 2, .. })));
    let for_p = Given { subject: Some("p".to_owned()), ..given() };
    let taken = amulet_fhir::intake(file.as_bytes(), &for_p).unwrap();
    let labels: Vec<String> = taken.records.iter().map(amulet_fhir::Record::label).collect();
    assert_eq!(labels, ["Patient/p", "Observation/o", "Organization/h"]);
    let reasons: Vec<&str> = taken.refused.iter().map(|refusal| refusal.reason.code()).collect();
    assert_eq!(reasons, ["another_patient", "another_patient", "nameless_patient"]);
    assert!(taken.records.iter().all(|record| file.lines().any(|line| line.as_bytes() == record.content)));
    // One type a file: the sender says whose records these are.
    let file = lines(&[own.clone(), observation(&json!({"id": "o4"}))]);
    assert!(matches!(amulet_fhir::intake(file.as_bytes(), &given()), Err(FileRefusal::NoPatient)));
    assert_eq!(amulet_fhir::intake(file.as_bytes(), &for_p).unwrap().records.len(), 2);
    let nobody = Given { subject: Some("z".to_owned()), ..given() };
    let file = lines(&[patient(&json!({})), own]);
    assert!(matches!(amulet_fhir::intake(file.as_bytes(), &nobody), Err(FileRefusal::NoSuchPatient { .. })));
    // A single resource is a file too.
    let single = patient(&json!({})).to_string();
    assert_eq!(
        amulet_fhir::intake(single.as_bytes(), &given()).unwrap().records[0].content,
        single.as_bytes()
    );
    let cut = file.trim_end().strip_suffix('}').unwrap();
    assert!(matches!(
        amulet_fhir::intake(cut.as_bytes(), &given()),
        Err(FileRefusal::NotJson { line: 2, .. })
    ));
}

#[test]
fn the_hospital_corrects_classes_by_name() {
    let resources = [patient(&json!({})), observation(&json!({}))];
    let core = |label: &str| Given { classes: [(label.to_owned(), DataClass::Core)].into(), ..given() };
    let taken = take(&resources, &core("Observation/o")).unwrap();
    assert_eq!((taken.records[1].class, taken.records[1].class_rule), (DataClass::Core, ClassRule::ByHand));
    let refused = take(&resources, &core("Observation/typo")).unwrap_err();
    assert_eq!(refused.code(), "class_for_nothing");
}

#[test]
fn a_value_with_braces_is_text() {
    let found = take(&[patient(&json!({"birthDate": "{age}"}))], &given()).unwrap();
    let sentence = found.records[0].findings[0].sentence(Language::En);
    assert_eq!(sentence, "the birth date {age} is not a date");
}

#[test]
fn codes_are_unique_and_stable_for_programs() {
    for rule in Rule::ALL {
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.code());
        assert_eq!(Rule::ALL.iter().filter(|other| other.code() == rule.code()).count(), 1);
        let row =
            format!("| `{}` | {} | {} |", rule.code(), rule.severity().code(), rule.template(Language::En));
        assert!(include_str!("../../../docs/intake.md").contains(&row), "docs/intake.md lacks: {row}");
    }
}
