//! How well a record has to be guarded.
//!
//! Four classes, after the levels of GB/T 39725-2020 (health data security), by rules a patient can be told:
//!
//! 1. **Core**: the record carries a security label `R` (restricted) or `V` (very restricted), or a sensitivity label
//!    of HL7's ActCode (HIV, psychiatry, substance use, sexuality, violence, genetics), or any of its codes or their
//!    names is about HIV and other sexually transmitted diseases, mental health, substance use, reproduction,
//!    genetics or abuse. A claim or a visit is Core when its diagnosis is, otherwise it would tell what the
//!    diagnosis hides. Topics are matched generously: guarding too much costs the patient one more tap, guarding too
//!    little cannot be undone.
//! 2. **Public**: directories: organisations, locations, services.
//! 3. **Internal**: practitioners, claims and coverage, and other administration that is not about the patient's body.
//! 4. **Sensitive**: everything else: all clinical records, and the patient's own name, address and family.
//!
//! Limits: free text (narratives, notes, attachments) is not searched, and the topic lists are not complete. The class
//! decides what a grant by class covers; it is not a medical judgement.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::json::Json;
use crate::quality::codes::{is_icd10_system, is_icd11_system, is_loinc};

/// The class of a record, from least to most guarded. The numbers are stored on the chain and never change.
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
pub enum DataClass {
    /// Known to everybody: names of organisations and places.
    Public = 0,
    /// For those who work with the record: practitioners, billing.
    Internal = 1,
    /// Clinical records and personal details.
    Sensitive = 2,
    /// What does most harm in the wrong hands; see the module's first rule.
    Core = 3,
}

impl DataClass {
    /// Every class, from least to most guarded.
    pub const ALL: [DataClass; 4] =
        [DataClass::Public, DataClass::Internal, DataClass::Sensitive, DataClass::Core];

    /// The stable name, as serde writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            DataClass::Public => "public",
            DataClass::Internal => "internal",
            DataClass::Sensitive => "sensitive",
            DataClass::Core => "core",
        }
    }
}

/// By which rule a record has its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassRule {
    /// A security label demands it.
    Label,
    /// One of its codes or names is about a special topic.
    Topic,
    /// It is a directory entry.
    Directory,
    /// It is administration.
    Administration,
    /// It is a person's details or a clinical record.
    Personal,
    /// The hospital chose it.
    ByHand,
}

impl ClassRule {
    /// The stable name, as serde writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            ClassRule::Label => "label",
            ClassRule::Topic => "topic",
            ClassRule::Directory => "directory",
            ClassRule::Administration => "administration",
            ClassRule::Personal => "personal",
            ClassRule::ByHand => "by_hand",
        }
    }
}

/// The class of one resource, by the rules of this module, and which of them decided.
pub(crate) fn class_of(
    resource_type: &str,
    category: Category,
    resource: &Json<'_>,
) -> (DataClass, ClassRule) {
    if is_labelled(resource) {
        return (DataClass::Core, ClassRule::Label);
    }
    match resource_type {
        "Organization"
        | "OrganizationAffiliation"
        | "Location"
        | "HealthcareService"
        | "Endpoint"
        | "InsurancePlan" => {
            return (DataClass::Public, ClassRule::Directory);
        }
        "Practitioner" | "PractitionerRole" => return (DataClass::Internal, ClassRule::Directory),
        _ => {}
    }
    if is_about_special_topic(resource) {
        return (DataClass::Core, ClassRule::Topic);
    }
    match (resource_type, category) {
        ("Patient" | "RelatedPerson" | "Person", _) => (DataClass::Sensitive, ClassRule::Personal),
        (_, Category::Administrative | Category::Billing) => (DataClass::Internal, ClassRule::Administration),
        _ => (DataClass::Sensitive, ClassRule::Personal),
    }
}

/// Labels of `http://terminology.hl7.org/CodeSystem/v3-Confidentiality` and the sensitivity part of `v3-ActCode`.
const CORE_LABELS: &[&str] = &[
    "R", "V", "BH", "COGN", "DVD", "EMOTDIS", "ETH", "ETHUD", "GDIS", "HIV", "IDS", "MH", "MST", "OPIOIDUD",
    "PREGNANT", "PSY", "PSYTHPN", "SCA", "SDV", "SEX", "SEXUAL", "SICKLE", "SPI", "STD", "SUD", "SUICIDE",
    "TBOO", "VIO",
];

/// The code systems that define them, by address or OID. A label without a system counts too: who guards too much loses
/// nothing that can't be given back.
const LABEL_SYSTEMS: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/v3/Confidentiality",
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.5.25",
    "urn:oid:2.16.840.1.113883.5.4",
];

fn is_labelled(resource: &Json<'_>) -> bool {
    // A contained resource can have a label of its own: the whole is as guarded as its most guarded part.
    let mut found = resource.get("securityLabel").items().iter().any(is_core_concept);
    resource.walk(&mut |value| {
        found = found || value.get("meta").get("security").items().iter().any(is_core_label);
    });
    found
}

/// `DocumentReference.securityLabel` is a concept, where `meta.security` is a coding.
fn is_core_concept(concept: &Json<'_>) -> bool {
    concept.get("coding").items().iter().any(is_core_label)
}

fn is_core_label(label: &Json<'_>) -> bool {
    let is_ours = label.text_at("system").is_none_or(|system| LABEL_SYSTEMS.contains(&system));
    is_ours && label.text_at("code").is_some_and(|code| CORE_LABELS.contains(&code.trim()))
}

/// ICD-10 blocks (also of ICD-10-CM and -GM): HIV, sexually transmitted, mental and behavioural, pregnancy and abortion,
/// suspected and confirmed abuse, intentional self-harm, genetic carriers, contraception and fertility.
const ICD10: &[&str] = &[
    "A50", "A51", "A52", "A53", "A54", "A55", "A56", "A57", "A58", "A59", "A60", "A63", "A64", "B20", "B21",
    "B22", "B23", "B24", "F", "N97", "N46", "O", "R45.8", "R75", "T74", "T76", "X6", "X7", "X81", "X82",
    "X83", "X84", "Y07", "Z11.4", "Z14", "Z15", "Z20.2", "Z20.6", "Z21", "Z30", "Z31", "Z32", "Z33", "Z34",
    "Z35", "Z36", "Z37", "Z64.0", "Z71.7", "Z72.5", "Z91.5",
];

/// ICD-11 for mortality and morbidity statistics: sexually transmitted infections, HIV, chapter 6 (mental and behavioural),
/// pregnancy and birth, assault and maltreatment, intentional self-harm, contraception and procreation.
const ICD11: &[&str] = &[
    "1A6", "1A7", "1A8", "1A9", "1C6", "6", "JA", "JB", "PB", "PC", "PD", "PE", "PF", "PJ2", "QA2", "QA3",
    "QA4", "QE82",
];

/// LOINC: HIV tests and viral load; PHQ-2, PHQ-9, GAD-7, AUDIT-C, DAST-10 scores and panels; pregnancy status.
const LOINC: &[&str] = &[
    "75622-1", "56888-1", "7918-6", "20447-9", "25836-8", "24467-3", "55758-7", "44249-1", "44261-6",
    "70274-6", "69737-5", "75626-2", "72109-2", "82667-7", "82666-9", "82810-3", "11449-6",
];

/// Parts of names, in lower case, that put a record into the Core class, in English and Chinese.
const TOPICS: &[&str] = &[
    "human immunodeficiency",
    "acquired immun",
    "sexually transmitted",
    "syphilis",
    "gonorrh",
    "chlamydia",
    "genital herpes",
    "schizophren",
    "bipolar",
    "depressive",
    "depression",
    "psychosis",
    "psychotic",
    "suicid",
    "self-harm",
    "self harm",
    "anxiety",
    "traumatic stress",
    "eating disorder",
    "anorexia nervosa",
    "bulimia",
    "psychiatr",
    "psychotherap",
    "mental health",
    "mental disorder",
    "alcohol abuse",
    "alcoholism",
    "alcohol dependence",
    "alcohol use disorder",
    "drug abuse",
    "drug dependence",
    "substance abuse",
    "substance use",
    "misuses drugs",
    "unhealthy alcohol",
    "opioid abuse",
    "opioid dependence",
    "opioid use disorder",
    "overdose",
    "methadone",
    "buprenorphine",
    "pregnan",
    "abortion",
    "miscarriage",
    "contracept",
    "intrauterine",
    "infertil",
    "in vitro fertil",
    "genetic",
    "genotype",
    "brca1",
    "brca2",
    "domestic abuse",
    "domestic violence",
    "partner abuse",
    "sexual assault",
    "sexual abuse",
    "child abuse",
    "reports of violence",
    "艾滋",
    "免疫缺陷病毒",
    "性传播",
    "梅毒",
    "淋病",
    "精神分裂",
    "双相",
    "抑郁",
    "焦虑",
    "自杀",
    "自残",
    "精神科",
    "心理治疗",
    "酒精依赖",
    "酗酒",
    "药物依赖",
    "药物滥用",
    "吸毒",
    "美沙酮",
    "妊娠",
    "怀孕",
    "流产",
    "避孕",
    "宫内节育",
    "不孕",
    "不育",
    "试管婴儿",
    "基因",
    "遗传",
    "家庭暴力",
    "家暴",
    "性侵",
    "虐待",
];

fn is_about_special_topic(resource: &Json<'_>) -> bool {
    let mut found = false;
    resource.walk(&mut |value| {
        if found || !matches!(value, Json::Object(_)) {
            return;
        }
        let named = [value.text_at("display"), value.text_at("text")].into_iter().flatten().any(is_topic);
        found = named || is_special_code(value);
    });
    found
}

fn is_special_code(coding: &Json<'_>) -> bool {
    let (Some(system), Some(code)) = (coding.text_at("system"), coding.text_at("code")) else { return false };
    if is_loinc(system) {
        LOINC.contains(&code)
    } else if is_icd10_system(system) || system.to_ascii_lowercase().contains("icd-10") {
        ICD10.iter().any(|block| code.starts_with(block))
    } else {
        is_icd11_system(system) && ICD11.iter().any(|block| code.starts_with(block))
    }
}

fn is_topic(name: &str) -> bool {
    let name = name.to_lowercase();
    TOPICS.iter().any(|topic| name.contains(topic))
        // A whole word, or "shivering" would be one.
        || name.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "hiv" | "hiv1" | "hiv2" | "hcg"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::category::category_of;

    fn class(resource_type: &str, text: &str) -> DataClass {
        let json = Json::from_bytes(text.as_bytes()).unwrap();
        class_of(resource_type, category_of(resource_type, &json), &json).0
    }

    #[test]
    fn stored_numbers_and_names_are_fixed() {
        for (number, class) in DataClass::ALL.into_iter().enumerate() {
            assert_eq!(borsh::to_vec(&class).unwrap(), [u8::try_from(number).unwrap()]);
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{}\"", class.code()));
        }
    }

    #[test]
    fn ordinary_records_follow_their_kind() {
        assert_eq!(class("Organization", r#"{"name":"Clinic"}"#), DataClass::Public);
        assert_eq!(class("Practitioner", "{}"), DataClass::Internal);
        assert_eq!(class("Claim", "{}"), DataClass::Internal);
        assert_eq!(class("Patient", "{}"), DataClass::Sensitive);
        assert_eq!(class("Observation", r#"{"code":{"text":"Shivering"}}"#), DataClass::Sensitive);
    }

    #[test]
    fn special_topics_are_core_by_label_code_and_name() {
        for (resource_type, text) in [
            ("Observation", r#"{"meta":{"security":[{"code":"R"}]}}"#),
            ("Organization", r#"{"meta":{"security":[{"code":"V"}]}}"#),
            (
                "Condition",
                r#"{"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F32.1"}]}}"#,
            ),
            ("Condition", r#"{"code":{"coding":[{"system":"urn:oid:2.16.840.1.113883.6.3","code":"B20"}]}}"#),
            (
                "Condition",
                r#"{"code":{"coding":[{"system":"http://id.who.int/icd/release/11/mms","code":"6A70.1"}]}}"#,
            ),
            (
                "DocumentReference",
                r#"{"securityLabel":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]}]}"#,
            ),
            ("Observation", r#"{"contained":[{"meta":{"security":[{"code":"V"}]}}]}"#),
            ("Observation", r#"{"code":{"coding":[{"display":"HIV 1 Ab"}]}}"#),
            ("Claim", r#"{"item":[{"productOrService":{"text":"Normal pregnancy"}}]}"#),
            ("Condition", r#"{"code":{"text":"抑郁症"}}"#),
            ("Observation", r#"{"code":{"coding":[{"system":"http://loinc.org","code":"70274-6"}]}}"#),
        ] {
            assert_eq!(class(resource_type, text), DataClass::Core, "{text}");
        }
        assert_eq!(
            class(
                "Condition",
                r#"{"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"I48"}]}}"#
            ),
            DataClass::Sensitive
        );
    }
}
