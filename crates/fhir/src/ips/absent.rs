//! What a section that must be there says when it lists nothing.

use serde_json::{Value, json};

use super::SectionKind;

/// The code system of IPS for these statements. Its address has "CodeSystem" in it by the standard's own choice.
const SYSTEM: &str = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips";

/// The entry of a section without entries: that there are none known, or that nothing is known. `None` for sections that may be
/// left out.
pub(super) fn entry(kind: SectionKind, none_known: bool, id: &str, patient: &str) -> Option<Value> {
    let coding = |code: &str, display: &str| json!({ "coding": [{ "system": SYSTEM, "code": code, "display": display }] });
    let patient = json!({ "reference": patient });
    let active = |system: &str| json!({ "coding": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": "active" }] });
    Some(match kind {
        SectionKind::Problems => json!({
            "resourceType": "Condition", "id": id, "subject": patient,
            "clinicalStatus": active("condition-clinical"),
            "code": if none_known { coding("no-known-problems", "No known problems") }
                else { coding("no-problem-info", "No information about problems") },
        }),
        SectionKind::Allergies => json!({
            "resourceType": "AllergyIntolerance", "id": id, "patient": patient,
            "clinicalStatus": active("allergyintolerance-clinical"),
            "code": if none_known { coding("no-known-allergies", "No known allergies") }
                else { coding("no-allergy-info", "No information about allergies") },
        }),
        SectionKind::Medications => json!({
            "resourceType": "MedicationStatement", "id": id, "subject": patient, "status": "unknown",
            "medicationCodeableConcept": if none_known { coding("no-known-medications", "No known medications") }
                else { coding("no-medication-info", "No information about medications") },
            "_effectiveDateTime": { "extension": [{
                "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "not-applicable" }] },
        }),
        _ => return None,
    })
}
