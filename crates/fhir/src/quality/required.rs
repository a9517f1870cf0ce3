//! What the base definitions of FHIR R4 demand, for the types that hospitals send most
//! (<https://hl7.org/fhir/R4/resourcelist.html>); names that R5 changed count as well.

use super::elements::has;
use super::finding::{Findings, Value};
use super::rule::Rule;
use crate::json::Json;
use crate::text;

/// Type, and the elements it can't be without. `a|b` is one of the two: R4's name and R5's.
const REQUIRED: &[(&str, &[&str])] = &[
    ("Observation", &["status", "code"]),
    ("Condition", &["subject"]),
    ("MedicationRequest", &["status", "intent", "medication", "subject"]),
    ("MedicationStatement", &["status", "medication", "subject"]),
    ("MedicationAdministration", &["status", "medication", "subject"]),
    ("MedicationDispense", &["status", "medication"]),
    ("AllergyIntolerance", &["patient"]),
    ("DiagnosticReport", &["status", "code"]),
    ("Procedure", &["status", "subject"]),
    ("Immunization", &["status", "vaccineCode", "patient", "occurrence"]),
    ("Encounter", &["status", "class"]),
    ("CarePlan", &["status", "intent", "subject"]),
    ("ServiceRequest", &["status", "intent", "subject"]),
    ("DocumentReference", &["status", "content"]),
    ("Composition", &["status", "type", "date", "author", "title"]),
    ("FamilyMemberHistory", &["status", "patient", "relationship"]),
    ("ImagingStudy", &["status", "subject"]),
    ("Goal", &["lifecycleStatus", "description", "subject"]),
    ("Claim", &["status", "type", "use", "patient", "created"]),
];

const EVENT: &[&str] = &[
    "preparation",
    "in-progress",
    "not-done",
    "on-hold",
    "stopped",
    "completed",
    "entered-in-error",
    "unknown",
];
const REQUEST: &[&str] =
    &["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"];

/// Type, element, and the codes it may have in R4, R4B or R5.
const CODES: &[(&str, &str, &[&str])] = &[
    (
        "Observation",
        "status",
        &[
            "registered",
            "preliminary",
            "final",
            "amended",
            "corrected",
            "cancelled",
            "entered-in-error",
            "unknown",
            "specimen-in-process",
            "appended",
        ],
    ),
    (
        "DiagnosticReport",
        "status",
        &[
            "registered",
            "partial",
            "preliminary",
            "modified",
            "final",
            "amended",
            "corrected",
            "appended",
            "cancelled",
            "entered-in-error",
            "unknown",
        ],
    ),
    (
        "MedicationRequest",
        "status",
        &[
            "active",
            "on-hold",
            "ended",
            "cancelled",
            "completed",
            "entered-in-error",
            "stopped",
            "draft",
            "unknown",
        ],
    ),
    (
        "MedicationRequest",
        "intent",
        &[
            "proposal",
            "plan",
            "order",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        ],
    ),
    (
        "MedicationStatement",
        "status",
        &[
            "active",
            "completed",
            "entered-in-error",
            "intended",
            "stopped",
            "on-hold",
            "unknown",
            "not-taken",
            "recorded",
            "draft",
        ],
    ),
    ("Procedure", "status", EVENT),
    ("ServiceRequest", "status", REQUEST),
    ("CarePlan", "status", REQUEST),
    ("Immunization", "status", &["completed", "entered-in-error", "not-done"]),
    (
        "Encounter",
        "status",
        &[
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "on-hold",
            "onleave",
            "discharged",
            "completed",
            "finished",
            "cancelled",
            "discontinued",
            "entered-in-error",
            "unknown",
        ],
    ),
    ("Patient", "gender", &["male", "female", "other", "unknown"]),
    ("AllergyIntolerance", "criticality", &["low", "high", "unable-to-assess"]),
];

pub(super) fn check(resource_type: &str, resource: &Json<'_>, findings: &mut Findings) {
    let demanded = REQUIRED.iter().find(|(kind, _)| *kind == resource_type).map_or(&[][..], |(_, all)| all);
    for element in demanded.iter().filter(|element| !has(resource, element)) {
        findings.add(Rule::RequiredMissing, *element, [("element", Value::text(element))]);
    }
    for (_, element, codes) in CODES.iter().filter(|(kind, ..)| *kind == resource_type) {
        let Some(found) = text::of(resource.get(element)) else { continue };
        if !codes.contains(&found.as_str()) {
            let values = [("element", Value::text(element)), ("found", Value::text(&found))];
            findings.add(Rule::RequiredCode, *element, values);
        }
    }
    if resource_type == "Observation"
        && let Some(code) = resource.get("code").get("coding").items().iter().find_map(systemless_code)
    {
        findings.add(Rule::CodeWithoutSystem, "code.coding", [("found", Value::text(code))]);
    }
}

/// A code that no system explains.
fn systemless_code<'j>(coding: &'j Json<'_>) -> Option<&'j str> {
    if coding.text_at("system").is_none() && !has(coding, "system") { coding.text_at("code") } else { None }
}
