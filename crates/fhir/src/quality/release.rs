//! Forms of other FHIR releases: what R4 changed after STU3 would be misread, what R5 changed is read as well.

use super::finding::{Findings, Value};
use super::rule::Rule;
use crate::json::Json;

/// Type, and the element that has this form only before R4.
const OLDER: &[(&str, &str, Shape)] = &[
    ("Condition", "clinicalStatus", Shape::Text),
    ("AllergyIntolerance", "clinicalStatus", Shape::Text),
    ("AllergyIntolerance", "verificationStatus", Shape::Text),
    ("Encounter", "reason", Shape::List),
    ("MedicationRequest", "requester.agent", Shape::Object),
    ("MedicationOrder", "", Shape::Object),
    ("Immunization", "vaccinationProtocol", Shape::List),
    ("Observation", "related", Shape::List),
    ("DiagnosticReport", "codedDiagnosis", Shape::List),
];

/// Type, and the element that has this form only from R5 on.
const NEWER: &[(&str, &str, Shape)] = &[
    ("Encounter", "class", Shape::List),
    ("Encounter", "actualPeriod", Shape::Object),
    ("MedicationRequest", "medication", Shape::Object),
    ("MedicationStatement", "medication", Shape::Object),
    ("MedicationAdministration", "medication", Shape::Object),
    ("Procedure", "occurrenceDateTime", Shape::Text),
    ("Procedure", "occurrencePeriod", Shape::Object),
    ("Observation", "triggeredBy", Shape::List),
    ("AllergyIntolerance", "type", Shape::Object),
];

#[derive(Clone, Copy)]
enum Shape {
    Text,
    Object,
    List,
}

pub(super) fn check(resource_type: &str, resource: &Json<'_>, findings: &mut Findings) {
    for (table, rule) in [(OLDER, Rule::OlderRelease), (NEWER, Rule::NewerRelease)] {
        for (_, element, shape) in table.iter().filter(|(kind, ..)| *kind == resource_type) {
            let value = element.split('.').filter(|name| !name.is_empty());
            let value = value.fold(resource, |value, name| value.get(name));
            let has_shape = matches!(
                (shape, value),
                (Shape::Text, Json::Text(_))
                    | (Shape::Object, Json::Object(_))
                    | (Shape::List, Json::List(_))
            );
            // STU3's Encounter.reason is a list of concepts, R5's a list of objects with a "use" or "value".
            let is_r5_reason =
                *element == "reason" && value.items().iter().any(|item| item.get("coding").is_null());
            if has_shape && !is_r5_reason {
                findings.add(rule, *element, [("element", Value::text(element))]);
            }
        }
    }
}
