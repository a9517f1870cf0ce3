//! Statements that there is none: coded, in words, or by an empty section of a document.

use super::{Records, Statement};
use crate::json::Json;
use crate::text;
use crate::title::date_of;

/// Statements of absence, whole ("no known allergies") and partial ("no known food allergies").
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) whole: Vec<Statement>,
    pub(super) part: Vec<Statement>,
}

/// What one code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// There are none known at all.
    Whole,
    /// There are none known of one kind.
    Part,
    /// Nothing is known.
    NoInformation,
}

/// SNOMED CT situation codes, and the code system of IPS
/// (<http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips>).
const CODES: &[(&str, Absence)] = &[
    ("716186003", Absence::Whole),
    ("no-known-allergies", Absence::Whole),
    ("409137002", Absence::Part),
    ("428607008", Absence::Part),
    ("429625007", Absence::Part),
    ("428197003", Absence::Part),
    ("no-known-medication-allergies", Absence::Part),
    ("no-known-environmental-allergies", Absence::Part),
    ("no-known-food-allergies", Absence::Part),
    ("no-allergy-info", Absence::NoInformation),
    ("160245001", Absence::Whole),
    ("no-known-problems", Absence::Whole),
    ("no-problem-info", Absence::NoInformation),
    ("787481004", Absence::Whole),
    ("no-known-medications", Absence::Whole),
    ("no-medication-info", Absence::NoInformation),
    ("no-known-devices", Absence::Whole),
    ("no-device-info", Absence::NoInformation),
    ("no-known-immunizations", Absence::Whole),
    ("no-immunization-info", Absence::NoInformation),
];

/// The same in words, in lower case without punctuation, for records without a code.
const WORDS: &[(&str, Absence)] = &[
    ("no known allergies", Absence::Whole),
    ("no known allergy", Absence::Whole),
    ("nka", Absence::Whole),
    ("无已知过敏", Absence::Whole),
    ("无过敏史", Absence::Whole),
    ("否认过敏史", Absence::Whole),
    ("no known drug allergies", Absence::Part),
    ("no known drug allergy", Absence::Part),
    ("nkda", Absence::Part),
    ("无药物过敏史", Absence::Part),
    ("否认药物过敏史", Absence::Part),
    ("no known food allergies", Absence::Part),
    ("no known problems", Absence::Whole),
    ("no known conditions", Absence::Whole),
    ("no known medications", Absence::Whole),
    ("no current medications", Absence::Whole),
    ("allergy status unknown", Absence::NoInformation),
];

/// What a concept says of absence, or `None` when it names a thing.
pub(crate) fn of_concept(concept: &Json<'_>) -> Option<Absence> {
    let by_code = text::codes(concept).find_map(|code| CODES.iter().find(|(known, _)| *known == code));
    by_code.map(|(_, absence)| *absence).or_else(|| {
        let words = text::concept(concept)?.to_lowercase();
        let words = words.trim_end_matches(['.', '。', ' ']);
        WORDS.iter().find(|(known, _)| *known == words).map(|(_, absence)| *absence)
    })
}

impl Statements {
    pub(super) fn add(&mut self, absence: Absence, statement: Statement) {
        match absence {
            Absence::Whole => self.whole.push(statement),
            Absence::Part => self.part.push(statement),
            Absence::NoInformation => {}
        }
    }

    /// Adds what documents say by a section that is empty because there is nothing to list
    /// (`emptyReason` `nilknown`, <http://terminology.hl7.org/CodeSystem/list-empty-reason>).
    pub(super) fn add_empty_sections(&mut self, records: &Records<'_>, section_codes: &[&str]) {
        for document in records.of_type("Composition") {
            if text::has_code(document.json.get("status"), &["entered-in-error"]) {
                continue;
            }
            for section in document.json.get("section").items() {
                let is_nil = text::has_code(section.get("emptyReason"), &["nilknown"])
                    && section.get("entry").is_null();
                if is_nil && text::has_code(section.get("code"), section_codes) {
                    let text = text::concept(section.get("emptyReason")).unwrap_or_default();
                    self.whole.push(Statement {
                        text,
                        date: date_of(&document.json),
                        source: document.source(),
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn absence_is_told_from_things() {
        let of = |text: &str| of_concept(&Json::from_bytes(text.as_bytes()).unwrap());
        assert_eq!(of(r#"{"coding":[{"code":"716186003"}]}"#), Some(Absence::Whole));
        assert_eq!(of(r#"{"coding":[{"code":"409137002"}]}"#), Some(Absence::Part));
        assert_eq!(of(r#"{"coding":[{"code":"no-allergy-info"}]}"#), Some(Absence::NoInformation));
        assert_eq!(of(r#"{"text":"No Known Allergies."}"#), Some(Absence::Whole));
        assert_eq!(of(r#"{"text":"否认过敏史"}"#), Some(Absence::Whole));
        assert_eq!(of(r#"{"text":"Penicillin"}"#), None);
        assert_eq!(of("{}"), None);
    }
}
