//! Where a record stands on the wallet's timeline.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::text;

/// The closed list of timeline categories. The numbers are stored on the chain and never change their meaning.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Category {
    /// Allergies and intolerances.
    Allergies = 0,
    /// Diagnoses and problems.
    Conditions = 1,
    /// Prescriptions, medicines taken, given or dispensed.
    Medicines = 2,
    /// Laboratory results and reports.
    Labs = 3,
    /// Blood pressure, weight, temperature and the like.
    VitalSigns = 4,
    /// Vaccinations.
    Immunizations = 5,
    /// Operations and other procedures, and orders for them.
    Procedures = 6,
    /// Imaging studies and their reports.
    Imaging = 7,
    /// Encounters and appointments.
    Visits = 8,
    /// Care plans, goals and teams.
    CarePlans = 9,
    /// Documents and notes.
    Documents = 10,
    /// Implants and other devices.
    Devices = 11,
    /// Social and family history, surveys.
    Social = 12,
    /// Who and where: patient, practitioners, organisations.
    Administrative = 13,
    /// Claims, coverage, accounts.
    Billing = 14,
    /// Everything else.
    Other = 15,
}

impl Category {
    /// Every category, in timeline order.
    pub const ALL: [Category; 16] = [
        Category::Allergies,
        Category::Conditions,
        Category::Medicines,
        Category::Labs,
        Category::VitalSigns,
        Category::Immunizations,
        Category::Procedures,
        Category::Imaging,
        Category::Visits,
        Category::CarePlans,
        Category::Documents,
        Category::Devices,
        Category::Social,
        Category::Administrative,
        Category::Billing,
        Category::Other,
    ];

    /// The stable name, as serde writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Category::Allergies => "allergies",
            Category::Conditions => "conditions",
            Category::Medicines => "medicines",
            Category::Labs => "labs",
            Category::VitalSigns => "vital_signs",
            Category::Immunizations => "immunizations",
            Category::Procedures => "procedures",
            Category::Imaging => "imaging",
            Category::Visits => "visits",
            Category::CarePlans => "care_plans",
            Category::Documents => "documents",
            Category::Devices => "devices",
            Category::Social => "social",
            Category::Administrative => "administrative",
            Category::Billing => "billing",
            Category::Other => "other",
        }
    }
}

/// The category of one resource: by type, and for observations and reports by what they say of themselves.
pub(crate) fn category_of(resource_type: &str, resource: &Json<'_>) -> Category {
    match resource_type {
        "AllergyIntolerance" => Category::Allergies,
        "Condition" | "AdverseEvent" | "RiskAssessment" | "DetectedIssue" | "Flag" | "ClinicalImpression"
        | "BodyStructure" => Category::Conditions,
        "Medication"
        | "MedicationRequest"
        | "MedicationStatement"
        | "MedicationUsage"
        | "MedicationAdministration"
        | "MedicationDispense"
        | "MedicationKnowledge" => Category::Medicines,
        "Observation" => observation(resource),
        "DiagnosticReport" => report(resource),
        "Specimen" | "MolecularSequence" => Category::Labs,
        "Immunization" | "ImmunizationRecommendation" | "ImmunizationEvaluation" => Category::Immunizations,
        "Procedure" | "ServiceRequest" => Category::Procedures,
        "ImagingStudy" | "ImagingSelection" | "Media" => Category::Imaging,
        "Encounter" | "EpisodeOfCare" | "Appointment" | "AppointmentResponse" => Category::Visits,
        "CarePlan"
        | "Goal"
        | "CareTeam"
        | "RequestGroup"
        | "RequestOrchestration"
        | "Task"
        | "NutritionOrder"
        | "Communication"
        | "CommunicationRequest" => Category::CarePlans,
        "Composition" | "DocumentReference" | "DocumentManifest" | "Binary" | "Consent" | "Bundle" => {
            Category::Documents
        }
        "Device" | "DeviceUseStatement" | "DeviceUsage" | "DeviceRequest" | "DeviceMetric"
        | "DeviceDispense" | "DeviceAssociation" | "SupplyDelivery" | "SupplyRequest"
        | "VisionPrescription" => Category::Devices,
        "FamilyMemberHistory" | "QuestionnaireResponse" | "Questionnaire" => Category::Social,
        "Patient"
        | "RelatedPerson"
        | "Person"
        | "Practitioner"
        | "PractitionerRole"
        | "Organization"
        | "OrganizationAffiliation"
        | "Location"
        | "HealthcareService"
        | "Endpoint"
        | "Schedule"
        | "Slot"
        | "Group"
        | "Provenance"
        | "AuditEvent"
        | "List"
        | "OperationOutcome"
        | "MessageHeader"
        | "Parameters" => Category::Administrative,
        "Claim"
        | "ClaimResponse"
        | "ExplanationOfBenefit"
        | "Coverage"
        | "CoverageEligibilityRequest"
        | "CoverageEligibilityResponse"
        | "Invoice"
        | "ChargeItem"
        | "Account"
        | "PaymentNotice"
        | "PaymentReconciliation"
        | "InsurancePlan"
        | "Contract"
        | "EnrollmentRequest"
        | "EnrollmentResponse" => Category::Billing,
        _ => Category::Other,
    }
}

/// LOINC codes of FHIR's vital signs profile (<https://hl7.org/fhir/R4/observation-vitalsigns.html>), for the
/// observations that come without a category.
const VITAL_SIGNS: &[&str] = &[
    "85353-1", "9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "8306-3", "8287-5", "9843-4",
    "29463-7", "3141-9", "39156-5", "59576-9", "85354-9", "55284-4", "8480-6", "8462-4", "8478-0", "8289-1",
];

/// LOINC codes of social history that IPS documents send without a category: tobacco, alcohol, pregnancy, occupation.
const SOCIAL: &[&str] = &["72166-2", "74013-4", "82810-3", "11341-5", "11778-8", "76690-7", "76689-9"];

fn observation(resource: &Json<'_>) -> Category {
    let category = resource.get("category");
    let code = resource.get("code");
    if text::has_code(category, &["vital-signs"]) {
        Category::VitalSigns
    } else if text::has_code(category, &["laboratory", "LAB"]) {
        Category::Labs
    } else if text::has_code(category, &["imaging", "RAD"]) {
        Category::Imaging
    } else if text::has_code(category, &["social-history", "survey", "sdoh", "functional-status"]) {
        Category::Social
    } else if text::has_code(category, &["procedure", "therapy"]) {
        Category::Procedures
    } else if text::has_code(code, VITAL_SIGNS) {
        Category::VitalSigns
    } else if text::has_code(code, SOCIAL) {
        Category::Social
    } else if category.is_null() && !code.is_null() {
        // An observation that says nothing of its kind is nearly always a result (blood groups, IPS results).
        Category::Labs
    } else {
        Category::Other
    }
}

fn report(resource: &Json<'_>) -> Category {
    let category = resource.get("category");
    // HL7 v2 table 0074 diagnostic service sections, and LOINC's radiology and note classes.
    const IMAGING: &[&str] = &[
        "RAD",
        "RX",
        "CT",
        "NMR",
        "NMS",
        "RUS",
        "CUS",
        "VUS",
        "OUS",
        "XRC",
        "CTH",
        "MG",
        "LP29684-5",
        "imaging",
    ];
    const NOTES: &[&str] = &["34117-2", "51847-2", "11488-4", "18842-5", "34133-9", "LP173421-1", "11506-3"];
    if text::has_code(category, IMAGING) {
        Category::Imaging
    } else if text::has_code(category, NOTES) {
        Category::Documents
    } else {
        Category::Labs
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stored_numbers_and_names_are_fixed() {
        for (number, category) in Category::ALL.into_iter().enumerate() {
            assert_eq!(borsh::to_vec(&category).unwrap(), [u8::try_from(number).unwrap()]);
            assert_eq!(serde_json::to_string(&category).unwrap(), format!("\"{}\"", category.code()));
        }
        assert!(borsh::from_slice::<Category>(&[16]).is_err());
    }

    #[test]
    fn observations_go_where_they_say_else_by_code() {
        let of = |text: &str| category_of("Observation", &Json::from_bytes(text.as_bytes()).unwrap());
        assert_eq!(of(r#"{"category":[{"coding":[{"code":"vital-signs"}]}]}"#), Category::VitalSigns);
        assert_eq!(of(r#"{"category":[{"coding":[{"code":"laboratory"}]}]}"#), Category::Labs);
        assert_eq!(of(r#"{"code":{"coding":[{"code":"85354-9"}]}}"#), Category::VitalSigns);
        assert_eq!(of(r#"{"code":{"coding":[{"code":"72166-2"}]}}"#), Category::Social);
        assert_eq!(of(r#"{"code":{"text":"INR"}}"#), Category::Labs);
        assert_eq!(of(r#"{"category":[{"text":"exam"}],"code":{"text":"Skin"}}"#), Category::Other);
        assert_eq!(category_of("Wizardry", &Json::Null), Category::Other);
    }
}
