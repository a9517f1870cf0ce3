//! The one line by which a person recognises a record, its main code and its date.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::date::{RecordDate, unix_seconds};
use crate::json::Json;
use crate::text;

/// The main code of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Code {
    /// The code system's address, as written, where it has one.
    pub system: Option<String>,
    /// The code.
    pub code: String,
    /// What the record says the code means.
    pub display: Option<String>,
}

/// The best title the resource itself gives, or `None`.
pub(crate) fn title_of(resource_type: &str, resource: &Json<'_>) -> Option<String> {
    let concept = |key: &str| text::concept(resource.get(key));
    let plain = |key: &str| text::of(resource.get(key));
    match resource_type {
        "Patient" | "Practitioner" | "RelatedPerson" | "Person" => text::human_name(resource.get("name")),
        "PractitionerRole" => concept("code").or_else(|| text::reference(resource.get("practitioner"))),
        "Composition" | "Consent" | "Questionnaire" => plain("title").or_else(|| concept("type")),
        "DocumentReference" | "DocumentManifest" => plain("description")
            .or_else(|| concept("type"))
            .or_else(|| text::of(resource.get("content").first().get("attachment").get("title"))),
        "Immunization" => concept("vaccineCode"),
        "MedicationRequest"
        | "MedicationStatement"
        | "MedicationUsage"
        | "MedicationAdministration"
        | "MedicationDispense" => medicine(resource),
        "Medication" => concept("code").or_else(|| ingredients(resource)),
        "Encounter" => concept("type")
            .or_else(|| concept("reasonCode"))
            .or_else(|| concept("serviceType"))
            .or_else(|| concept("class")),
        "CarePlan" => plain("title").or_else(|| last_category(resource)).or_else(|| plain("description")),
        "Goal" => concept("description"),
        "Claim" | "ExplanationOfBenefit" => {
            text::concept(resource.get("item").first().get("productOrService")).or_else(|| concept("type"))
        }
        "Device" => text::of(resource.get("deviceName").first().get("name"))
            .or_else(|| text::of(resource.get("name").first().get("value")))
            .or_else(|| concept("type"))
            .or_else(|| plain("modelNumber")),
        "DeviceUseStatement" | "DeviceUsage" | "DeviceRequest" => text::reference(resource.get("device"))
            .or_else(|| concept("codeCodeableConcept"))
            .or_else(|| concept("device")),
        "ImagingStudy" => {
            plain("description").or_else(|| concept("procedureCode")).or_else(|| imaging(resource))
        }
        "FamilyMemberHistory" => concept("relationship"),
        _ => None,
    }
    .or_else(|| concept("code"))
    .or_else(|| concept("type"))
    .or_else(|| match resource.get("name") {
        Json::Text(_) => plain("name"),
        _ => None,
    })
    .or_else(|| plain("title"))
    .or_else(|| plain("description"))
    .or_else(|| concept("category"))
}

/// What a medication resource names directly: its own concept, a contained Medication, or the reference's display.
pub(crate) fn medicine(resource: &Json<'_>) -> Option<String> {
    text::concept(resource.get("medicationCodeableConcept"))
        .or_else(|| text::concept(resource.get("medication").get("concept")))
        .or_else(|| contained_medicine(resource))
        .or_else(|| text::reference(medicine_reference(resource)))
}

/// The reference to a Medication, in R4 (`medicationReference`) or R5 (`medication.reference`).
pub(crate) fn medicine_reference<'j, 'a>(resource: &'j Json<'a>) -> &'j Json<'a> {
    match resource.get("medicationReference") {
        Json::Null => resource.get("medication").get("reference"),
        found => found,
    }
}

fn contained_medicine(resource: &Json<'_>) -> Option<String> {
    let wanted = medicine_reference(resource).text_at("reference")?.strip_prefix('#')?;
    let contained = resource.get("contained").items().iter();
    contained
        .filter(|inner| inner.text_at("id") == Some(wanted))
        .find_map(|inner| title_of("Medication", inner))
}

/// A Medication without a code of its own is named by what is in it.
fn ingredients(medication: &Json<'_>) -> Option<String> {
    text::join(medication.get("ingredient").items().iter().filter_map(|ingredient| {
        text::concept(ingredient.get("itemCodeableConcept")).or_else(|| text::concept(ingredient.get("item")))
    }))
}

/// Synthea and US Core put "assess-plan" first and what it really is last.
fn last_category(resource: &Json<'_>) -> Option<String> {
    resource.get("category").items().iter().rev().find_map(text::concept)
}

fn imaging(resource: &Json<'_>) -> Option<String> {
    let series = resource.get("series").first();
    text::join([series.get("modality"), series.get("bodySite")].into_iter().filter_map(text::concept))
}

/// The main code: of `code` or what stands in its place.
pub(crate) fn code_of(resource: &Json<'_>) -> Option<Code> {
    let keys = ["code", "vaccineCode", "medicationCodeableConcept", "type", "procedureCode"];
    let places =
        keys.map(|key| resource.get(key)).into_iter().chain([resource.get("medication").get("concept")]);
    places.flat_map(|concept| concept.items().iter().flat_map(|item| item.get("coding").items())).find_map(
        |coding| {
            Some(Code {
                system: text::of(coding.get("system")),
                code: text::of(coding.get("code"))?,
                display: text::of(coding.get("display")),
            })
        },
    )
}

/// Where a resource says when it happened, best first: when it was true or done, then when it was ordered or planned,
/// then when it was written down.
const DATE_PLACES: &[&[&str]] = &[
    &["effectiveDateTime"],
    &["effectiveInstant"],
    &["effectivePeriod", "start"],
    &["occurrenceDateTime"],
    &["occurrencePeriod", "start"],
    &["performedDateTime"],
    &["performedPeriod", "start"],
    &["onsetDateTime"],
    &["onsetPeriod", "start"],
    &["actualPeriod", "start"],
    &["identifiedDateTime"],
    &["started"],
    &["authoredOn"],
    &["period", "start"],
    &["billablePeriod", "start"],
    &["servicedPeriod", "start"],
    &["servicedDate"],
    &["start"],
    &["startDate"],
    &["createdDateTime"],
    &["createdPeriod", "start"],
    &["collection", "collectedDateTime"],
    &["context", "period", "start"],
    &["whenHandedOver"],
    &["whenPrepared"],
    &["timingDateTime"],
    &["dateTime"],
    &["date"],
    &["authored"],
    &["sent"],
    &["recordedDate"],
    &["recordedOn"],
    &["assertedDate"],
    &["dateAsserted"],
    &["recorded"],
    &["issued"],
    &["receivedTime"],
    &["created"],
    &["effectivePeriod", "end"],
    &["period", "end"],
];

/// The clinically relevant date: the first well-formed one, else the first text in such a place.
pub(crate) fn date_of(resource: &Json<'_>) -> Option<RecordDate> {
    let found = DATE_PLACES.iter().filter_map(|path| {
        let mut at = resource;
        for key in *path {
            at = at.get(key);
        }
        at.text()
    });
    let mut fallback = None;
    for text in found {
        if unix_seconds(text).is_some() {
            return Some(RecordDate::new(text));
        }
        fallback = fallback.or_else(|| Some(RecordDate::new(text)));
    }
    fallback
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn title(resource_type: &str, text: &str) -> Option<String> {
        title_of(resource_type, &Json::from_bytes(text.as_bytes()).unwrap())
    }

    #[test]
    fn titles_are_what_a_person_would_call_it() {
        assert_eq!(title("Patient", r#"{"name":[{"text":"王芳"}]}"#).unwrap(), "王芳");
        assert_eq!(
            title("MedicationStatement", r##"{"medicationReference":{"reference":"#m"},"contained":[{"id":"m","code":{"text":"Warfarin"}}]}"##).unwrap(),
            "Warfarin"
        );
        assert_eq!(
            title("MedicationRequest", r#"{"medication":{"concept":{"text":"R5 drug"}}}"#).unwrap(),
            "R5 drug"
        );
        assert_eq!(title("Encounter", r#"{"class":{"code":"AMB"}}"#).unwrap(), "AMB");
        assert_eq!(title("Wizardry", "{}"), None);
    }

    #[test]
    fn the_first_well_formed_date_wins() {
        let json = Json::from_bytes(br#"{"effectiveDateTime":"summer","issued":"2019-07"}"#).unwrap();
        assert_eq!(date_of(&json).unwrap().text, "2019-07");
        let json = Json::from_bytes(br#"{"onsetDateTime":"summer"}"#).unwrap();
        assert_eq!(date_of(&json).unwrap(), RecordDate { text: "summer".to_owned(), unix_seconds: None });
    }
}
