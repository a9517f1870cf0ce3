//! Current conditions, and the newest vaccination of each kind.

use std::collections::BTreeSet;

use super::absence::{Statements, of_concept};
use super::{ConditionEntry, ImmunizationEntry, Item, Records, Section, Statement, close, newest_first};
use crate::json::Json;
use crate::limits::{MAX_SUMMARY_ENTRIES, MAX_SUMMARY_IMMUNIZATIONS};
use crate::text;
use crate::title::date_of;

/// LOINC section codes for problems and immunizations in documents.
const PROBLEM_SECTIONS: &[&str] = &["11450-4"];
const IMMUNIZATION_SECTIONS: &[&str] = &["11369-6"];

pub(super) fn section(records: &Records<'_>) -> Section<ConditionEntry> {
    let mut statements = Statements::default();
    let mut entries = Vec::new();
    for item in records.of_type("Condition").filter(|item| is_current(&item.json)) {
        match of_concept(item.json.get("code")) {
            Some(absence) => {
                let text = text::concept(item.json.get("code")).unwrap_or_default();
                statements.add(absence, Statement { text, date: date_of(&item.json), source: item.source() });
            }
            None => entries.push(entry(item)),
        }
    }
    statements.add_empty_sections(records, PROBLEM_SECTIONS);
    entries
        .sort_by(|a, b| newest_first(&a.date).cmp(&newest_first(&b.date)).then_with(|| a.name.cmp(&b.name)));
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.name.to_lowercase()));
    close(entries, statements, MAX_SUMMARY_ENTRIES)
}

/// Active, or without a clinical status and not over. An explicit status wins over an end date.
pub(crate) fn is_current(json: &Json<'_>) -> bool {
    if text::has_code(json.get("verificationStatus"), &["entered-in-error", "refuted"]) {
        return false;
    }
    let status = json.get("clinicalStatus");
    match text::codes(status).next() {
        Some(_) => text::has_code(status, &["active", "recurrence", "relapse"]),
        None => {
            let ends =
                ["abatementDateTime", "abatementPeriod", "abatementString", "abatementAge", "abatementRange"];
            ends.iter().all(|key| json.get(key).is_null()) && !json.get("abatementBoolean").is_true()
        }
    }
}

fn entry(item: &Item<'_>) -> ConditionEntry {
    ConditionEntry {
        name: text::concept(item.json.get("code")).unwrap_or_else(|| item.resource_type.to_owned()),
        severity: text::concept(item.json.get("severity")),
        verification: text::codes(item.json.get("verificationStatus")).next().map(text::line),
        date: date_of(&item.json),
        source: item.source(),
    }
}

pub(super) fn immunizations(records: &Records<'_>) -> Section<ImmunizationEntry> {
    let mut statements = Statements::default();
    let mut entries = Vec::new();
    let given =
        records.of_type("Immunization").filter(|item| item.json.text_at("status") == Some("completed"));
    for item in given {
        let vaccine = item.json.get("vaccineCode");
        let name = text::concept(vaccine).unwrap_or_else(|| item.resource_type.to_owned());
        match of_concept(vaccine) {
            Some(absence) => {
                statements
                    .add(absence, Statement { text: name, date: date_of(&item.json), source: item.source() });
            }
            None => {
                entries.push(ImmunizationEntry { name, date: date_of(&item.json), source: item.source() })
            }
        }
    }
    statements.add_empty_sections(records, IMMUNIZATION_SECTIONS);
    entries
        .sort_by(|a, b| newest_first(&a.date).cmp(&newest_first(&b.date)).then_with(|| a.name.cmp(&b.name)));
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.name.to_lowercase()));
    close(entries, statements, MAX_SUMMARY_IMMUNIZATIONS)
}
