//! The Patient: birth, death, age, sex and identity number.

use super::dates::years_between;
use super::finding::{Findings, Value};
use super::identity_number;
use super::rule::Rule;
use crate::date::span;
use crate::json::Json;

/// Nobody is known to have become older than 122; above this it is a mistake.
const AGE_YEARS_MAX: i64 = 130;
/// Zones lie up to 26 hours apart.
const ZONES_SECONDS: i64 = 26 * 3600;

/// What other records are held against.
#[derive(Debug)]
pub(crate) struct Person {
    /// As written, if it is a date.
    pub birth_date: Option<String>,
}

pub(super) fn check(patient: &Json<'_>, today: Option<i64>, findings: &mut Findings) -> Person {
    let stated = patient.text_at("birthDate");
    let born = stated.and_then(|date| Some((date, span(date)?)));
    let died = patient.text_at("deceasedDateTime").and_then(|date| Some((date, span(date)?)));
    match (stated, born) {
        (Some(date), None) => {
            findings.add(Rule::BirthDateMalformed, "birthDate", [("date", Value::date(date))]);
        }
        (Some(date), Some((_, (earliest, _)))) if today.is_some_and(|now| earliest > now + ZONES_SECONDS) => {
            findings.add(Rule::BirthDateInFuture, "birthDate", [("date", Value::date(date))]);
        }
        _ => {}
    }
    if let Some((date, (earliest, _))) = died
        && today.is_some_and(|now| earliest > now + ZONES_SECONDS)
    {
        findings.add(Rule::DeathInFuture, "deceasedDateTime", [("date", Value::date(date))]);
    }
    if let (Some((born, (earliest, _))), Some((died, (_, latest)))) = (born, died)
        && latest + ZONES_SECONDS < earliest
    {
        let values = [("born", Value::date(born)), ("died", Value::date(died))];
        findings.add(Rule::DeathBeforeBirth, "deceasedDateTime", values);
    }
    if let Some((born, (_, latest))) = born {
        age(born, latest, died.map(|(_, (earliest, _))| earliest).or(today), findings);
    }
    identity_number::check(patient, findings);
    Person { birth_date: born.map(|(date, _)| date.to_owned()) }
}

fn age(born: &str, latest: i64, until: Option<i64>, findings: &mut Findings) {
    let Some(until) = until else { return };
    let years = years_between(latest, until).floor();
    if years > AGE_YEARS_MAX as f64 {
        let values = [
            ("born", Value::date(born)),
            ("age", Value::quantity(years, "")),
            ("limit", Value::Count { count: AGE_YEARS_MAX }),
        ];
        findings.add(Rule::AgeImpossible, "birthDate", values);
    }
}
