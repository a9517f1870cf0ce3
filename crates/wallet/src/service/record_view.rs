//! One record for people.

use amulet_app_api::access::ProofView;
use amulet_app_api::records::{FactView, RecordLineView, RecordView};
use amulet_app_api::wallet::HospitalView;
use amulet_fhir::view::{Fact, FactLabel, RecordDetail, describe};
use amulet_protocol::consent::{Category, DataClass};
use amulet_protocol::ids::RecordId;
use amulet_protocol::record::RecordPlain;

use crate::convert;

/// What the ledger says of a record.
pub(super) struct LedgerSide {
    pub id: RecordId,
    pub category: Category,
    pub class: DataClass,
    pub hospital: HospitalView,
}

/// The line of a record, and the moment to sort it by.
pub(super) fn line(ledger: LedgerSide, plain: &RecordPlain) -> (RecordLineView, Option<i64>) {
    let detail = describe(&plain.content).ok();
    let date = detail.as_ref().and_then(|detail| detail.date.clone());
    let view = RecordLineView {
        id: ledger.id.to_string(),
        title: plain.title.clone(),
        date: date.as_ref().map(|date| date.text.clone()).or_else(|| plain.date.clone()),
        highlight: detail.as_ref().and_then(highlight).map(|text| measured(&text)),
        category: convert::category(ledger.category),
        class: convert::class(ledger.class),
        resource_type: plain.resource_type.clone(),
        hospital: ledger.hospital,
        large: None,
    };
    (view, date.and_then(|date| date.unix_seconds))
}

/// The most telling fact: a measured value, a dose, else nothing.
fn highlight(detail: &RecordDetail) -> Option<String> {
    let of = |label: FactLabel| detail.facts.iter().find(|fact| fact.label == label);
    if let Some(value) = of(FactLabel::Value) {
        return Some(value.value.clone()).filter(|value| *value != detail.title);
    }
    let components: Vec<&str> = detail
        .facts
        .iter()
        .filter(|fact| fact.label == FactLabel::Component)
        .map(|fact| fact.value.as_str())
        .collect();
    match components.len() {
        0 => of(FactLabel::Dose).map(|fact| fact.value.clone()),
        1..=2 => Some(components.join(" / ")),
        _ => None,
    }
}

/// The record in full.
pub(super) fn full(line: RecordLineView, plain: &RecordPlain, proof: ProofView) -> RecordView {
    let detail = describe(&plain.content).ok();
    let facts = detail.as_ref().map(|detail| detail.facts.iter().map(fact).collect()).unwrap_or_default();
    RecordView {
        line,
        facts,
        narrative: detail.and_then(|detail| detail.narrative),
        source_json: pretty(&plain.content),
        proof,
    }
}

/// A measured value without the curly brackets by which UCUM (section 2.4.5) marks a unit that is only a word: `2.6 {INR}`
/// says no more than `2.6 INR`.
fn measured(value: &str) -> String {
    let begins_like_a_number =
        value.starts_with(|first: char| first.is_ascii_digit() || "-<>≤≥".contains(first));
    if begins_like_a_number { value.replace(['{', '}'], "") } else { value.to_owned() }
}

fn fact(fact: &Fact) -> FactView {
    let label = match serde_json::to_value(fact.label) {
        Ok(serde_json::Value::String(label)) => label,
        _ => String::new(),
    };
    let value = measured(&fact.value);
    match (&fact.name, fact.label) {
        // The parts of a measurement are known by their own names.
        (Some(name), FactLabel::Component) => FactView { label: name.clone(), value },
        (Some(name), _) => FactView { label, value: format!("{name}: {value}") },
        (None, _) => FactView { label, value },
    }
}

/// The resource indented, each value exactly as written: only white space between them is changed.
fn pretty(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            white if white.is_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    // Deeper nesting than any record has is not indented further, so that the text stays in proportion.
    out.extend(std::iter::repeat_n("  ", depth.min(64)));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn indenting_changes_no_value() {
        let content = r#"{"a":[1.50, {} ,[ ]],"b":"x,{\"y\":[1]}\\","c":{"d":-1e-3,"e":null}}"#;
        let shown = pretty(content.as_bytes());
        assert!(shown.contains("\n  \"a\": [\n    1.50,\n    {},\n    []\n  ]"), "{shown}");
        assert!(shown.contains(r#""b": "x,{\"y\":[1]}\\""#), "{shown}");
        assert!(shown.contains("-1e-3"));
        let same: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(same, serde_json::from_str::<serde_json::Value>(content).unwrap());
    }

    #[test]
    fn a_unit_that_is_a_word_is_shown_as_a_word() {
        assert_eq!(measured("2.0 {INR} – 3.0 {INR}"), "2.0 INR – 3.0 INR");
        assert_eq!(measured("< 5 {copies}/mL"), "< 5 copies/mL");
        assert_eq!(measured("see {attachment}"), "see {attachment}");
    }

    #[test]
    fn a_record_that_cannot_be_described_still_has_its_line() {
        let plain = RecordPlain {
            version: 1,
            salt: [0; 16],
            resource_type: "Observation".to_owned(),
            resource_id: "1".to_owned(),
            title: "INR".to_owned(),
            date: Some("2024".to_owned()),
            content: b"not json".to_vec(),
            replaces: None,
        };
        let hospital = HospitalView { did: String::new(), name_en: "H".to_owned(), name_zh: "H".to_owned() };
        let id = RecordId(amulet_crypto::digest::sm3(b"id"));
        let side = LedgerSide { id, category: Category::Labs, class: DataClass::Sensitive, hospital };
        let (line, moment) = line(side, &plain);
        assert_eq!((line.title.as_str(), line.date.as_deref(), moment), ("INR", Some("2024"), None));
    }
}
