//! Allergies, worst first.

use std::cmp::Reverse;

use super::absence::{Statements, of_concept};
use super::{AllergyEntry, Item, Records, Section, Statement, close, newest_first};
use crate::json::Json;
use crate::limits::MAX_SUMMARY_ENTRIES;
use crate::text;
use crate::title::date_of;

/// LOINC section codes for allergies in documents.
const SECTIONS: &[&str] = &["48765-2", "48766-0"];

pub(super) fn section(records: &Records<'_>) -> Section<AllergyEntry> {
    let mut statements = Statements::default();
    let mut ranked: Vec<(u8, AllergyEntry)> = Vec::new();
    for item in records.of_type("AllergyIntolerance").filter(|item| is_current(&item.json)) {
        match of_concept(item.json.get("code")) {
            Some(absence) => statements.add(absence, statement(item)),
            None => ranked.push((rank(&item.json), entry(item))),
        }
    }
    statements.add_empty_sections(records, SECTIONS);
    ranked.sort_by(|(a_rank, a), (b_rank, b)| {
        let key = |rank: u8, entry: &AllergyEntry| {
            (Reverse(rank), entry.verification.as_deref() != Some("confirmed"))
        };
        key(*a_rank, a)
            .cmp(&key(*b_rank, b))
            .then_with(|| newest_first(&a.date).cmp(&newest_first(&b.date)))
            .then_with(|| a.name.cmp(&b.name))
    });
    close(ranked.into_iter().map(|(_, entry)| entry).collect(), statements, MAX_SUMMARY_ENTRIES)
}

pub(crate) fn is_current(json: &Json<'_>) -> bool {
    let is_void = text::has_code(json.get("verificationStatus"), &["entered-in-error", "refuted"])
        || text::has_code(json.get("status"), &["entered-in-error", "refuted", "resolved", "inactive"]);
    !is_void && !text::has_code(json.get("clinicalStatus"), &["inactive", "resolved"])
}

fn statement(item: &Item<'_>) -> Statement {
    let text = text::concept(item.json.get("code")).unwrap_or_default();
    Statement { text, date: date_of(&item.json), source: item.source() }
}

fn entry(item: &Item<'_>) -> AllergyEntry {
    let json = &item.json;
    let reactions = json.get("reaction").items();
    let substance = || reactions.iter().find_map(|reaction| text::concept(reaction.get("substance")));
    let happened = reactions.iter().filter_map(|reaction| {
        text::concepts(reaction.get("manifestation")).or_else(|| text::of(reaction.get("description")))
    });
    AllergyEntry {
        name: text::concept(json.get("code"))
            .or_else(substance)
            .unwrap_or_else(|| item.resource_type.to_owned()),
        criticality: text::of(json.get("criticality")),
        severity: worst_severity(json).map(str::to_owned),
        reaction: text::join(happened),
        verification: text::codes(json.get("verificationStatus")).next().map(text::line),
        date: date_of(json),
        source: item.source(),
    }
}

fn worst_severity(json: &Json<'_>) -> Option<&'static str> {
    let has = |severity: &str| {
        json.get("reaction").items().iter().any(|reaction| reaction.text_at("severity") == Some(severity))
    };
    ["severe", "moderate", "mild"].into_iter().find(|severity| has(severity))
}

/// How dangerous, by the worse of criticality, severity and reaction. An allergy nobody has judged ranks above one that
/// was judged harmless.
fn rank(json: &Json<'_>) -> u8 {
    if is_anaphylaxis(json) {
        return 5;
    }
    let by_criticality = match json.text_at("criticality") {
        Some("high") => 4,
        Some("low") => 1,
        _ => 2,
    };
    let by_severity = match worst_severity(json) {
        Some("severe") => 4,
        Some("moderate") => 3,
        Some(_) => 1,
        None => 0,
    };
    by_criticality.max(by_severity)
}

/// SNOMED CT anaphylaxis, anaphylactic reaction and shock, angioedema of the larynx; or these words.
fn is_anaphylaxis(json: &Json<'_>) -> bool {
    const CODES: &[&str] = &["39579001", "417516000", "241929008", "21820005", "51599000"];
    const WORDS: &[&str] = &["anaphyla", "过敏性休克", "严重过敏反应"];
    json.get("reaction").items().iter().any(|reaction| {
        let manifestation = reaction.get("manifestation");
        let words = [text::concepts(manifestation), text::of(reaction.get("description"))];
        text::has_code(manifestation, CODES)
            || words
                .into_iter()
                .flatten()
                .any(|said| WORDS.iter().any(|word| said.to_lowercase().contains(word)))
    })
}
