//! The sections of the summary, and which record belongs into which.

use crate::category::{Category, category_of};
use crate::json::Json;
use crate::quality::Language;
use crate::summary::{allergies, conditions, medicines};
use crate::text;

/// A section of the International Patient Summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum SectionKind {
    Problems,
    Allergies,
    Medications,
    Immunizations,
    Procedures,
    Results,
    VitalSigns,
    Devices,
    PastIllness,
    SocialHistory,
    Pregnancy,
    FunctionalStatus,
    PlanOfCare,
    AdvanceDirectives,
    Alerts,
}

use SectionKind::*;

impl SectionKind {
    /// All, in the document's order.
    pub const ALL: [Self; 15] = [
        Alerts,
        Problems,
        Allergies,
        Medications,
        Immunizations,
        Procedures,
        Results,
        VitalSigns,
        Devices,
        PastIllness,
        SocialHistory,
        Pregnancy,
        FunctionalStatus,
        PlanOfCare,
        AdvanceDirectives,
    ];

    /// Whether a summary without it is none.
    #[must_use]
    pub fn is_mandatory(self) -> bool {
        matches!(self, Problems | Allergies | Medications)
    }

    /// Its LOINC code.
    #[must_use]
    pub fn loinc(self) -> &'static str {
        self.names().0
    }

    /// Its LOINC display name.
    pub(super) fn display(self) -> &'static str {
        self.names().1
    }

    /// Its title for people.
    pub(super) fn title(self, language: Language) -> &'static str {
        let (_, _, en, zh) = self.names();
        match language {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    /// The types of records by which a section that must be there is filled.
    pub(super) fn types(self) -> &'static [&'static str] {
        match self {
            Problems => &["Condition"],
            Allergies => &["AllergyIntolerance"],
            Medications => &["MedicationStatement", "MedicationRequest"],
            _ => &[],
        }
    }

    fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Problems => ("11450-4", "Problem list - Reported", "Active problems", "现有疾病"),
            Allergies => ("48765-2", "Allergies and adverse reactions Document", "Allergies", "过敏"),
            Medications => ("10160-0", "History of Medication use Narrative", "Medicines", "用药"),
            Immunizations => ("11369-6", "History of Immunization note", "Immunizations", "疫苗接种"),
            Procedures => ("47519-4", "History of Procedures Document", "Procedures", "手术与操作"),
            Results => {
                ("30954-2", "Relevant diagnostic tests/laboratory data note", "Results", "检验检查结果")
            }
            VitalSigns => ("8716-3", "Vital signs note", "Vital signs", "生命体征"),
            Devices => ("46264-8", "History of medical device use", "Medical devices", "医疗器械"),
            PastIllness => ("11348-0", "History of Past illness note", "Past illnesses", "既往疾病"),
            SocialHistory => ("29762-2", "Social history note", "Social history", "社会史"),
            Pregnancy => ("10162-6", "History of pregnancies note", "Pregnancies", "妊娠史"),
            FunctionalStatus => {
                ("47420-5", "Functional status assessment note", "Functional status", "功能状态")
            }
            PlanOfCare => ("18776-5", "Plan of care note", "Plan of care", "诊疗计划"),
            AdvanceDirectives => {
                ("42348-3", "Advance healthcare directives", "Advance directives", "预先指示")
            }
            Alerts => ("104605-1", "Alert", "Alerts", "警示"),
        }
    }
}

/// What an entry may refer to and then comes with it: enough to read the entry, not the whole history.
const SUPPORTING: &[&str] = &[
    "Medication",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Device",
    "Specimen",
    "Substance",
    "RelatedPerson",
    "Observation",
];

/// Whether a record that an entry refers to comes with it.
pub(super) fn is_supporting(resource_type: &str) -> bool {
    SUPPORTING.contains(&resource_type)
}

/// Whether records of this type are read at all.
pub(super) fn is_relevant(resource_type: &str) -> bool {
    const OTHERS: &[&str] = &[
        "Patient",
        "Composition",
        "Condition",
        "AllergyIntolerance",
        "MedicationStatement",
        "MedicationRequest",
        "Immunization",
        "Procedure",
        "DiagnosticReport",
        "DeviceUseStatement",
        "CarePlan",
        "ClinicalImpression",
        "Consent",
        "Flag",
    ];
    is_supporting(resource_type) || OTHERS.contains(&resource_type)
}

/// LOINC codes about pregnancies: status, expected date by each method, and the history of outcomes, as the IPS value sets list them.
const PREGNANCY: &[&str] = &[
    "82810-3", "11778-8", "11779-6", "11780-4", "11636-8", "11637-6", "11638-4", "11639-2", "11640-0",
    "11612-9", "11613-7", "11614-5", "33065-4", "69043-8",
];

/// The section a record belongs into, or `None` when it is not for a summary.
pub(super) fn section_of(resource_type: &str, json: &Json<'_>) -> Option<SectionKind> {
    let status = |wanted: &[&str]| json.text_at("status").is_some_and(|found| wanted.contains(&found));
    match resource_type {
        "Condition" if text::has_code(json.get("verificationStatus"), &["entered-in-error", "refuted"]) => {
            None
        }
        "Condition" if conditions::is_current(json) => Some(Problems),
        "Condition" => Some(PastIllness),
        "AllergyIntolerance" => allergies::is_current(json).then_some(Allergies),
        "MedicationStatement" | "MedicationRequest" => {
            medicines::current_status(json).is_some().then_some(Medications)
        }
        "Immunization" => status(&["completed"]).then_some(Immunizations),
        "Procedure" => status(&["completed", "in-progress"]).then_some(Procedures),
        "DiagnosticReport" => {
            let is_result = matches!(category_of(resource_type, json), Category::Labs | Category::Imaging);
            (is_result && status(FINAL)).then_some(Results)
        }
        "Observation" => status(FINAL).then(|| observation(json)).flatten(),
        "DeviceUseStatement" => status(&["active"]).then_some(Devices),
        "Device" => {
            let is_own = !json.get("patient").is_null();
            let is_used = json.get("status").is_null() || status(&["active", "unknown"]);
            (is_own && is_used).then_some(Devices)
        }
        "CarePlan" => status(&["active", "on-hold"]).then_some(PlanOfCare),
        "ClinicalImpression" => status(&["completed", "in-progress"]).then_some(FunctionalStatus),
        "Flag" => status(&["active"]).then_some(Alerts),
        "Consent" => (status(&["active"]) && is_directive(json)).then_some(AdvanceDirectives),
        _ => None,
    }
}

/// Statuses of observations and reports that stand.
const FINAL: &[&str] = &["final", "amended", "corrected", "preliminary", "registered", "partial", "appended"];

fn observation(json: &Json<'_>) -> Option<SectionKind> {
    if text::has_code(json.get("code"), PREGNANCY) {
        return Some(Pregnancy);
    }
    if text::has_code(json.get("category"), &["functional-status", "disability-status", "cognitive-status"]) {
        return Some(FunctionalStatus);
    }
    match category_of("Observation", json) {
        Category::VitalSigns => Some(VitalSigns),
        Category::Social => Some(SocialHistory),
        Category::Labs | Category::Imaging => Some(Results),
        _ => None,
    }
}

/// By scope `adr`, or a category of advance directives (<http://terminology.hl7.org/CodeSystem/consentcategorycodes> and LOINC).
fn is_directive(json: &Json<'_>) -> bool {
    const CATEGORIES: &[&str] = &["acd", "dnr", "hcd", "polst", "emrgonly", "42348-3", "75320-2"];
    text::has_code(json.get("scope"), &["adr"]) || text::has_code(json.get("category"), CATEGORIES)
}

/// How many of one code a section lists, newest first: a summary shows where things stand, not every measurement.
pub(super) fn most_of_one_code(kind: SectionKind) -> usize {
    match kind {
        Results | VitalSigns | SocialHistory | FunctionalStatus => crate::limits::MAX_IPS_OF_ONE_CODE,
        _ => usize::MAX,
    }
}
