//! How measured values went over time: the values of one test in one unit, from all hospitals, each as its record has it.

use amulet_app_api::records::{Standing, TrendPointView, TrendView};
use amulet_app_api::wallet::HospitalView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_fhir::measured::{self, Measured, measured};
use amulet_protocol::ids::RecordId;
use std::cmp::Reverse;

use super::Service;
use super::records::record_id;
use super::session::OpenRecord;
use super::versions::{Version, outdated};

/// Most values of one trend, the newest: a cheap phone has to draw them.
const MAX_TREND_POINTS: usize = 500;

/// A record that may have measured values.
pub(super) struct Source<'a> {
    id: RecordId,
    replaces: Option<RecordId>,
    content: &'a [u8],
    hospital: &'a HospitalView,
}

impl<'a> Source<'a> {
    /// A record as a source of values.
    pub(super) fn of(record: &'a OpenRecord) -> Self {
        Self {
            id: record.meta.entry.id,
            replaces: record.plain.replaces,
            content: &record.plain.content,
            hospital: &record.line.hospital,
        }
    }
}

impl Service {
    /// A trend for each value measured in a record; none where there is nothing to compare it with.
    pub(super) async fn record_trends(&self, id: &str) -> Result<Vec<TrendView>, ApiError> {
        let person = self.patient()?;
        let id = record_id(id)?;
        let loaded = self.load_all(&person).await?;
        let sources: Vec<Source<'_>> = loaded.records.iter().map(|record| Source::of(record)).collect();
        trends(id, &sources).ok_or_else(|| ErrorCode::NotFound.into())
    }
}

/// The trends of the values in record `id`; `None` if it is not among the sources.
fn trends(id: RecordId, sources: &[Source<'_>]) -> Option<Vec<TrendView>> {
    let asked = sources.iter().find(|source| source.id == id)?;
    let wanted = measured(asked.content).unwrap_or_default();
    if wanted.is_empty() {
        return Some(Vec::new());
    }
    let all = values(sources);
    Some(wanted.iter().map(|wanted| trend(wanted, &all)).filter(|trend| trend.points.len() > 1).collect())
}

/// A trend for each test and unit that there is, also of a single value.
pub(super) fn every_test(sources: &[Source<'_>]) -> Vec<TrendView> {
    let all = values(sources);
    let mut wanted: Vec<&Measured> = Vec::new();
    for (_, value) in &all {
        if !wanted.iter().any(|known| (&known.test, &known.unit) == (&value.test, &value.unit)) {
            wanted.push(value);
        }
    }
    wanted.into_iter().map(|wanted| trend(wanted, &all)).collect()
}

/// The values in all records but those that were corrected.
fn values<'a>(sources: &'a [Source<'a>]) -> Vec<(&'a Source<'a>, Measured)> {
    // An earlier version says what a hospital has since corrected.
    let versions: Vec<_> = sources
        .iter()
        .map(|&Source { id, replaces, hospital, .. }| Version { id, hospital: &hospital.did, replaces })
        .collect();
    let outdated = outdated(&versions);
    let current = sources.iter().filter(|source| !outdated.contains(&source.id));
    current
        .flat_map(|source| {
            measured(source.content).unwrap_or_default().into_iter().map(move |value| (source, value))
        })
        .collect()
}

fn trend(wanted: &Measured, all: &[(&Source<'_>, Measured)]) -> TrendView {
    let same_test = all.iter().filter(|(_, value)| value.test == wanted.test);
    let (same, other): (Vec<_>, Vec<_>) = same_test.partition(|(_, value)| value.unit == wanted.unit);
    let mut points: Vec<TrendPointView> =
        same.into_iter().map(|(source, value)| point(source, value)).collect();
    points.sort_by_key(|point| Reverse((point.at.is_some(), point.at)));
    points.truncate(MAX_TREND_POINTS);
    TrendView { name: wanted.name.clone(), points, other_units: other.len() as u64 }
}

fn point(source: &Source<'_>, value: &Measured) -> TrendPointView {
    TrendPointView {
        record: source.id.to_string(),
        date: value.date.as_ref().map(|date| date.text.clone()),
        at: value.date.as_ref().and_then(|date| date.unix_seconds),
        value: value.value.clone(),
        number: value.number,
        range: value.range.clone(),
        low: value.low,
        high: value.high,
        standing: value.standing.map(|standing| match standing {
            measured::Standing::Low => Standing::Low,
            measured::Standing::Within => Standing::Within,
            measured::Standing::High => Standing::High,
        }),
        hospital: source.hospital.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(name: &str) -> RecordId {
        RecordId(amulet_crypto::digest::sm3(name.as_bytes()))
    }

    fn hospital(name: &str) -> HospitalView {
        HospitalView { did: name.to_owned(), name_en: name.to_owned(), name_zh: name.to_owned() }
    }

    fn content(code: &str, date: &str, value: &str, unit: &str) -> String {
        format!(
            r#"{{"resourceType":"Observation","status":"final","effectiveDateTime":"{date}","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}],"text":"Glucose"}},"valueQuantity":{{"value":{value},"unit":"{unit}"}}}}"#
        )
    }

    /// `(name, content, replaces, hospital)` as sources; the trends of the first.
    fn of(records: &[(&str, String, Option<&str>, &str)]) -> Vec<TrendView> {
        let hospitals: Vec<HospitalView> = records.iter().map(|record| hospital(record.3)).collect();
        let sources: Vec<Source<'_>> = records
            .iter()
            .zip(&hospitals)
            .map(|(record, hospital)| Source {
                id: id(record.0),
                replaces: record.2.map(id),
                content: record.1.as_bytes(),
                hospital,
            })
            .collect();
        trends(id(records[0].0), &sources).unwrap()
    }

    #[test]
    fn one_test_in_one_unit_makes_one_line_newest_first() {
        let found = of(&[
            ("a", content("1", "2023", "5.10", "mmol/L"), None, "One"),
            ("b", content("1", "2024-02-01", "6", "mmol/L"), None, "One"),
            ("c", content("1", "2022-02-01", "95", "mg/dL"), None, "One"),
            ("d", content("2", "2022-02-01", "7", "mmol/L"), None, "One"),
        ]);
        let values: Vec<_> = found[0].points.iter().map(|point| point.value.as_str()).collect();
        assert_eq!((found.len(), values), (1, vec!["6 mmol/L", "5.10 mmol/L"]));
        assert_eq!(found[0].other_units, 1, "the value in mg/dL is told of, not joined");
    }

    #[test]
    fn a_corrected_version_stands_in_place_of_the_earlier() {
        let found = of(&[
            ("b", content("1", "2024", "6", "mmol/L"), Some("a"), "One"),
            ("a", content("1", "2024", "60", "mmol/L"), None, "One"),
            ("c", content("1", "2023", "5", "mmol/L"), None, "One"),
        ]);
        let numbers: Vec<_> = found[0].points.iter().map(|point| point.number).collect();
        assert_eq!(numbers, [6.0, 5.0]);
    }

    #[test]
    fn no_hospital_takes_anothers_values_out_and_no_record_itself() {
        let found = of(&[
            ("a", content("1", "2024", "6", "mmol/L"), None, "One"),
            ("b", content("1", "2023", "5", "mmol/L"), Some("a"), "Two"),
            ("c", content("1", "2022", "4", "mmol/L"), Some("c"), "Two"),
        ]);
        let numbers: Vec<_> = found[0].points.iter().map(|point| point.number).collect();
        assert_eq!(numbers, [6.0, 5.0, 4.0]);
    }

    #[test]
    fn the_same_value_from_two_hospitals_stays_two_each_with_its_source() {
        let found = of(&[
            ("a", content("1", "2024", "5", "mmol/L"), None, "One"),
            ("b", content("1", "2024", "5", "mmol/L"), None, "Two"),
        ]);
        let from: Vec<_> = found[0].points.iter().map(|point| point.hospital.name_en.as_str()).collect();
        assert_eq!(from, ["One", "Two"]);
    }

    #[test]
    fn every_test_and_unit_is_listed_once_also_of_a_single_value() {
        let hospital = hospital("One");
        let contents = [
            content("1", "2023", "5.10", "mmol/L"),
            content("1", "2024-02-01", "6", "mmol/L"),
            content("1", "2022-02-01", "95", "mg/dL"),
            content("2", "2022-02-01", "7", "mmol/L"),
        ];
        let source = |(place, content): (usize, &'static str)| Source {
            id: id(&place.to_string()),
            replaces: None,
            content: content.as_bytes(),
            hospital: &hospital,
        };
        let sources: Vec<_> =
            contents.into_iter().map(|content| &*content.leak()).enumerate().map(source).collect();
        let counts: Vec<_> = every_test(&sources).iter().map(|test| test.points.len()).collect();
        assert_eq!(counts, [2, 1, 1]);
    }

    #[test]
    fn a_single_value_has_no_trend_and_an_unknown_record_none_to_give() {
        assert_eq!(of(&[("a", content("1", "2024", "5", "mmol/L"), None, "One")]), []);
        assert_eq!(trends(id("a"), &[]), None);
    }
}
