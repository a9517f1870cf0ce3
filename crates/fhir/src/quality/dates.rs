//! Dates: none, in the future, in the wrong order, before the patient's birth.

use super::elements::number;
use super::finding::{Findings, Value};
use super::person::Person;
use super::rule::Rule;
use crate::date::{has_zone, span};
use crate::json::Json;

/// Between two dates of which one has no zone, or is a whole day: the earth's zones are 26 hours apart.
const ZONES_SECONDS: i64 = 26 * 3600;
/// Between two moments: clocks differ, and some senders round.
const CLOCKS_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 86_400;
/// Mean length of a year.
const YEAR_SECONDS: i64 = 31_556_952;

/// LOINC: age, as stated, estimated or computed.
const AGE: &[&str] = &["30525-0", "21612-7", "21611-9", "29553-5"];

/// Type, and the elements that say when something happened that is over or has begun.
const HAPPENED: &[(&str, &[&str])] = &[
    ("Observation", &["effectiveDateTime", "effectiveInstant", "effectivePeriod.start", "issued"]),
    ("DiagnosticReport", &["effectiveDateTime", "effectivePeriod.start", "issued"]),
    ("Condition", &["onsetDateTime", "onsetPeriod.start", "recordedDate", "assertedDate"]),
    ("AllergyIntolerance", &["onsetDateTime", "onsetPeriod.start", "recordedDate", "lastOccurrence"]),
    (
        "Procedure",
        &["performedDateTime", "performedPeriod.start", "occurrenceDateTime", "occurrencePeriod.start"],
    ),
    ("Immunization", &["occurrenceDateTime", "recorded"]),
    (
        "MedicationAdministration",
        &["effectiveDateTime", "effectivePeriod.start", "occurenceDateTime", "occurencePeriod.start"],
    ),
    ("MedicationStatement", &["effectiveDateTime", "dateAsserted"]),
    ("MedicationRequest", &["authoredOn"]),
    ("MedicationDispense", &["whenPrepared", "whenHandedOver"]),
    ("ServiceRequest", &["authoredOn"]),
    ("Encounter", &["period.start", "actualPeriod.start"]),
    ("ImagingStudy", &["started"]),
    ("DocumentReference", &["date"]),
    ("Composition", &["date"]),
    ("Specimen", &["receivedTime", "collection.collectedDateTime"]),
];

/// States in which a date may lie ahead.
const AHEAD: &[&str] = &["planned", "preparation", "not-done", "draft", "intended", "registered"];

/// A date of a record, to be held against its patient's birth.
#[derive(Debug)]
pub(crate) struct Dated {
    path: &'static str,
    date: String,
}

/// An age that a record states, with the date at which it does.
#[derive(Debug)]
pub(crate) struct StatedAge {
    path: &'static str,
    years: f64,
    at: String,
    tolerance_years: f64,
}

/// Whether `a` lies before `b` however both are read.
pub(super) fn is_certainly_before(a: &str, b: &str) -> bool {
    let (Some((_, a_latest)), Some((b_earliest, _))) = (span(a), span(b)) else { return false };
    let is_day = |text: &str| text.trim().len() <= 10;
    // Two days are compared as days: who writes days means one calendar.
    let tolerance = match (is_day(a), is_day(b)) {
        (true, true) => 0,
        (false, false) if has_zone(a) && has_zone(b) => CLOCKS_SECONDS,
        (false, false) if has_zone(a) == has_zone(b) => 0,
        _ => ZONES_SECONDS,
    };
    a_latest + tolerance < b_earliest
}

fn at<'j, 'a>(resource: &'j Json<'a>, path: &str) -> &'j Json<'a> {
    path.split('.').fold(resource, |value, name| value.get(name))
}

/// Checks one record's dates and gives those that have to come after its patient's birth.
pub(super) fn check(
    resource_type: &str,
    resource: &Json<'_>,
    today: Option<i64>,
    findings: &mut Findings,
) -> Vec<Dated> {
    let paths = HAPPENED.iter().find(|(kind, _)| *kind == resource_type).map_or(&[][..], |(_, paths)| paths);
    let may_be_ahead = resource.text_at("status").is_some_and(|status| AHEAD.contains(&status));
    let mut happened = Vec::new();
    for path in paths {
        let Some(date) = at(resource, path).text() else { continue };
        let Some((earliest, _)) = span(date) else {
            findings.add(Rule::DateMalformed, *path, [("date", Value::date(date))]);
            continue;
        };
        let is_ahead = today.is_some_and(|today| earliest > today + ZONES_SECONDS);
        if is_ahead && !may_be_ahead {
            findings.add(Rule::DateInFuture, *path, [("date", Value::date(date))]);
        }
        happened.push(Dated { path, date: date.to_owned() });
    }
    order(resource, findings);
    happened
}

/// Pairs within one record that have an order.
fn order(resource: &Json<'_>, findings: &mut Findings) {
    let text = |path: &str| at(resource, path).text();
    let effective = text("effectiveDateTime").or_else(|| text("effectivePeriod.start"));
    if let (Some(issued), Some(effective)) = (text("issued"), effective)
        && is_certainly_before(issued, effective)
    {
        let values = [("issued", Value::date(issued)), ("effective", Value::date(effective))];
        findings.add(Rule::IssuedBeforeEffective, "issued", values);
    }
    let Some(onset) = text("onsetDateTime").or_else(|| text("onsetPeriod.start")) else { return };
    for path in ["recordedDate", "assertedDate"] {
        if let Some(recorded) = text(path)
            && is_certainly_before(recorded, onset)
        {
            let values = [("recorded", Value::date(recorded)), ("onset", Value::date(onset))];
            findings.add(Rule::RecordedBeforeOnset, path, values);
        }
    }
    if let Some(abated) = text("abatementDateTime")
        && is_certainly_before(abated, onset)
    {
        let values = [("abated", Value::date(abated)), ("onset", Value::date(onset))];
        findings.add(Rule::AbatedBeforeOnset, "abatementDateTime", values);
    }
}

/// Holds a record's dates against its patient's birth.
pub(super) fn against_birth(happened: &[Dated], person: &Person, findings: &mut Findings) {
    let Some(born) = &person.birth_date else { return };
    let Some((born_earliest, _)) = span(born) else { return };
    for Dated { path, date } in happened {
        let is_before = span(date).is_some_and(|(_, latest)| latest + DAY_SECONDS < born_earliest);
        if is_before {
            findings.add(
                Rule::BeforeBirth,
                *path,
                [("date", Value::date(date)), ("born", Value::date(born))],
            );
        }
    }
}

/// An observation of the patient's age.
pub(super) fn stated_age(observation: &Json<'_>) -> Option<StatedAge> {
    if !crate::text::has_code(observation.get("code"), AGE) {
        return None;
    }
    let at = observation.text_at("effectiveDateTime")?;
    let years =
        years(observation.get("valueQuantity")).or_else(|| number(observation.get("valueInteger")))?;
    Some(StatedAge { path: "value", years, at: at.to_owned(), tolerance_years: 1.0 })
}

/// A condition's onset as an age, held against the day on which it was recorded: nobody falls ill at an age not reached.
pub(super) fn age_at_onset(condition: &Json<'_>) -> Option<StatedAge> {
    let at = condition.text_at("onsetDateTime").or_else(|| condition.text_at("recordedDate"))?;
    let years = years(condition.get("onsetAge"))?;
    Some(StatedAge { path: "onsetAge", years, at: at.to_owned(), tolerance_years: f64::INFINITY })
}

fn years(age: &Json<'_>) -> Option<f64> {
    let value = number(age.get("value"))?;
    match age.text_at("code").or_else(|| age.text_at("unit"))? {
        "a" | "years" | "year" | "yr" | "岁" => Some(value),
        "mo" | "months" | "月" => Some(value / 12.0),
        "wk" => Some(value * 7.0 / 365.25),
        "d" => Some(value / 365.25),
        _ => None,
    }
}

/// Holds stated ages against the birth date.
pub(super) fn against_age(ages: &[StatedAge], person: &Person, findings: &mut Findings) {
    let Some((born_earliest, born_latest)) = person.birth_date.as_deref().and_then(span) else { return };
    for age in ages {
        let Some((earliest, latest)) = span(&age.at) else { continue };
        let oldest = years_between(born_earliest, latest);
        let youngest = years_between(born_latest, earliest);
        if age.years > oldest + 1.0 || age.years < youngest - 1.0 - age.tolerance_years {
            let values = [
                ("stated", Value::quantity(age.years, "a")),
                ("computed", Value::quantity(oldest.floor(), "a")),
            ];
            findings.add(Rule::AgeDiffers, age.path, values);
        }
    }
}

/// Years from one moment to another. Moments in files are at most four digits of years apart, which a float holds.
pub(super) fn years_between(from: i64, to: i64) -> f64 {
    let days = (to - from).div_euclid(DAY_SECONDS);
    f64::from(i32::try_from(days).unwrap_or(i32::MAX)) * (DAY_SECONDS as f64 / YEAR_SECONDS as f64)
}
