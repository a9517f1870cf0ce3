//! Current medicines, from prescriptions and from what the patient is said to take.

use super::absence::{Statements, of_concept};
use super::{Item, MedicineEntry, Records, Section, Statement, close, newest_first};
use crate::facts::{dosages, dose_text};
use crate::json::Json;
use crate::limits::MAX_SUMMARY_ENTRIES;
use crate::text;
use crate::title::{date_of, medicine, medicine_reference, title_of};

/// LOINC section codes for medication in documents.
const SECTIONS: &[&str] = &["10160-0", "29549-3"];

pub(super) fn section(records: &Records<'_>) -> Section<MedicineEntry> {
    let mut statements = Statements::default();
    let mut entries: Vec<MedicineEntry> = Vec::new();
    let kinds = ["MedicationStatement", "MedicationUsage", "MedicationRequest"];
    for item in kinds.into_iter().flat_map(|kind| records.of_type(kind)) {
        let Some(status) = current_status(&item.json) else { continue };
        let concept = match item.json.get("medicationCodeableConcept") {
            Json::Null => item.json.get("medication").get("concept"),
            found => found,
        };
        match of_concept(concept) {
            Some(absence) => {
                let text = text::concept(concept).unwrap_or_default();
                statements.add(absence, Statement { text, date: date_of(&item.json), source: item.source() });
            }
            None => entries.push(entry(records, item, status)),
        }
    }
    statements.add_empty_sections(records, SECTIONS);
    entries
        .sort_by(|a, b| newest_first(&a.date).cmp(&newest_first(&b.date)).then_with(|| a.name.cmp(&b.name)));
    let mut seen = std::collections::BTreeSet::new();
    // A prescription and the statement that it is taken are one line; a different dose is another.
    entries.retain(|entry| seen.insert((entry.name.to_lowercase(), entry.dose.clone())));
    close(entries, statements, MAX_SUMMARY_ENTRIES)
}

/// The status of a medicine that may be taken now. R5 says `recorded` for what R4 called `active`; a plain `unknown` stays
/// visible as such, because leaving out a medicine that is taken is worse than showing one with a question mark.
pub(crate) fn current_status(json: &Json<'_>) -> Option<String> {
    let is_not_taken = json.get("doNotPerform").is_true()
        || text::has_code(json.get("intent"), &["proposal"])
        || text::has_code(json.get("adherence").get("code"), &["not-taking", "stopped", "on-hold"]);
    let status = json.text_at("status").unwrap_or("unknown");
    (!is_not_taken && matches!(status, "active" | "recorded" | "unknown")).then(|| status.to_owned())
}

fn entry(records: &Records<'_>, item: &Item<'_>, status: String) -> MedicineEntry {
    let json = &item.json;
    let resolved = || {
        records
            .resolve(item, "Medication", medicine_reference(json))
            .and_then(|m| title_of("Medication", &m.json))
    };
    let doses = text::join(dosages(json).iter().filter_map(dose_text));
    let end = text::of(json.get("effectivePeriod").get("end"))
        .or_else(|| text::of(json.get("dispenseRequest").get("validityPeriod").get("end")));
    MedicineEntry {
        name: named_directly(json)
            .or_else(resolved)
            .or_else(|| medicine(json))
            .unwrap_or_else(|| item.resource_type.to_owned()),
        dose: doses,
        status,
        date: date_of(json),
        until: end,
        source: item.source(),
    }
}

/// The medicine's own concept, before any reference: a reference's display may be shorter than the Medication it names.
fn named_directly(json: &Json<'_>) -> Option<String> {
    text::concept(json.get("medicationCodeableConcept"))
        .or_else(|| text::concept(json.get("medication").get("concept")))
}
