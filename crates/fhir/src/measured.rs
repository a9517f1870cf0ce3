//! The measured numbers of an observation, so that values of the same test can be set side by side.
//!
//! Source: FHIR R4 Observation (<https://hl7.org/fhir/R4/observation.html>). Values are shown as written; the number beside
//! them only says where to draw them. Nothing is converted: what stands in another unit is another series.

use crate::date::RecordDate;
use crate::json::Json;
use crate::limits::MAX_FACTS;
use crate::text;
use crate::title::date_of;
use crate::view::{ViewError, read};

/// One measured number of an observation, or of one of its components.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Which test it is: `system|code` of its first coding (LOINC before others), else its name.
    pub test: String,
    /// Its name in the record's own words.
    pub name: String,
    /// Which unit it stands in: the code of the unit, else its text; empty for a bare number.
    pub unit: String,
    /// The value as written, with comparator and unit.
    pub value: String,
    /// Where to draw it. Finite. For `< 5` this is 5: the value itself is not known.
    pub number: f64,
    /// The clinically relevant date.
    pub date: Option<RecordDate>,
    /// The reference range as written.
    pub range: Option<String>,
    /// The lower end of the one range in the same unit.
    pub low: Option<f64>,
    /// The upper end of the one range in the same unit.
    pub high: Option<f64>,
    /// How it stands to its range.
    pub standing: Option<Standing>,
}

/// How a value stands to its reference range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Under its lower end.
    Low,
    /// Between its ends; the ends belong to it.
    Within,
    /// Over its upper end.
    High,
}

/// Reads the measured numbers of one record; none for anything but an observation, and none for one that was entered in
/// error or cancelled. At most [`MAX_FACTS`].
///
/// # Errors
/// [`ViewError`] when the bytes are not one readable resource.
pub fn measured(content: &[u8]) -> Result<Vec<Measured>, ViewError> {
    let resource = read(content)?;
    let withdrawn = matches!(resource.text_at("status"), Some("entered-in-error" | "cancelled"));
    if resource.text_at("resourceType") != Some("Observation") || withdrawn {
        return Ok(Vec::new());
    }
    let date = date_of(&resource);
    let whole = std::iter::once(&resource);
    let parts = whole.chain(resource.get("component").items());
    Ok(parts.filter_map(|part| one(part, date.clone())).take(MAX_FACTS).collect())
}

fn one(holder: &Json<'_>, date: Option<RecordDate>) -> Option<Measured> {
    let quantity = holder.get("valueQuantity");
    let number = number(quantity)?;
    let name = text::concept(holder.get("code"))?;
    let unit = unit(quantity);
    let ranges = holder.get("referenceRange").items();
    // Of several ranges (by age, by sex, for a therapy) it is not for us to choose.
    let only = match ranges {
        [only] => only,
        _ => &Json::Null,
    };
    let end = |key: &str| {
        let end = only.get(key);
        let its_unit = self::unit(end);
        self::number(end).filter(|_| its_unit == unit || its_unit.is_empty())
    };
    let (low, high) = (end("low"), end("high"));
    let said = ranges.iter().filter_map(|range| text::of(range.get("text")).or_else(|| text::range(range)));
    let standing = of_the_laboratory(holder.get("interpretation"))
        .or_else(|| standing(number, quantity.text_at("comparator"), low, high));
    Some(Measured {
        test: test(holder.get("code"), &name),
        value: text::quantity(quantity)?,
        range: text::join(said),
        name,
        unit,
        number,
        date,
        low,
        high,
        standing,
    })
}

/// Which test a code means. Codes of LOINC come first, so that two hospitals that add codes of their own still meet.
fn test(code: &Json<'_>, name: &str) -> String {
    let coded = |coding: &Json<'_>| {
        Some(format!("{}|{}", coding.text_at("system").unwrap_or_default(), coding.text_at("code")?))
    };
    let codings = code.get("coding").items();
    let loinc = codings.iter().find(|coding| coding.text_at("system") == Some("http://loinc.org"));
    loinc.into_iter().chain(codings).find_map(coded).unwrap_or_else(|| name.to_lowercase())
}

fn unit(quantity: &Json<'_>) -> String {
    text::of(quantity.get("code")).or_else(|| text::of(quantity.get("unit"))).unwrap_or_default()
}

fn number(quantity: &Json<'_>) -> Option<f64> {
    quantity.get("value").scalar()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The laboratory's own judgement (<https://terminology.hl7.org/CodeSystem-v3-ObservationInterpretation.html>).
fn of_the_laboratory(interpretation: &Json<'_>) -> Option<Standing> {
    let is = |wanted: &[&str]| text::has_code(interpretation, wanted);
    if is(&["H", "HH", "HU", "HX", ">"]) {
        Some(Standing::High)
    } else if is(&["L", "LL", "LU", "LX", "<"]) {
        Some(Standing::Low)
    } else if is(&["N"]) {
        Some(Standing::Within)
    } else {
        None
    }
}

/// How a value stands to its range; `None` without a range, or when `< 5` may be on either side of an end.
fn standing(number: f64, comparator: Option<&str>, low: Option<f64>, high: Option<f64>) -> Option<Standing> {
    if low.is_none() && high.is_none() || low.zip(high).is_some_and(|(low, high)| low > high) {
        return None;
    }
    // What a comparator says of the value: the least and the most that it can be.
    let (least, most) = match comparator {
        None => (number, number),
        Some("<" | "<=") => (f64::NEG_INFINITY, number),
        Some(">" | ">=") => (number, f64::INFINITY),
        Some(_) => return None,
    };
    let strict = matches!(comparator, Some("<" | ">"));
    if low.is_some_and(|low| most < low || strict && most <= low) {
        Some(Standing::Low)
    } else if high.is_some_and(|high| least > high || strict && least >= high) {
        Some(Standing::High)
    } else if low.is_none_or(|low| least >= low) && high.is_none_or(|high| most <= high) {
        Some(Standing::Within)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn of(content: Value) -> Vec<Measured> {
        measured(content.to_string().as_bytes()).unwrap()
    }

    fn sodium(value: Value, range: Value) -> Measured {
        let content = json!({
            "resourceType": "Observation", "status": "final", "effectiveDateTime": "2024-03-01",
            "code": { "coding": [{ "system": "urn:local", "code": "NA" }, { "system": "http://loinc.org", "code": "2951-2" }], "text": "Sodium" },
            "valueQuantity": value, "referenceRange": range,
        });
        of(content).remove(0)
    }

    #[test]
    fn a_value_stands_low_within_or_high_by_the_range_of_its_record() {
        let range = json!([{ "low": { "value": 135, "code": "mmol/L" }, "high": { "value": 145 } }]);
        let at = |number: f64| sodium(json!({ "value": number, "code": "mmol/L" }), range.clone()).standing;
        assert_eq!(at(134.9), Some(Standing::Low));
        assert_eq!((at(135.0), at(145.0)), (Some(Standing::Within), Some(Standing::Within)));
        assert_eq!(at(145.1), Some(Standing::High));
    }

    #[test]
    fn the_value_is_as_written_and_the_test_is_its_loinc_code() {
        let content = br#"{"resourceType":"Observation","code":{"coding":[{"system":"urn:local","code":"NA"},
            {"system":"http://loinc.org","code":"2951-2"}],"text":"Sodium"},"valueQuantity":{"value":140.50,"unit":"mmol/L"}}"#;
        let found = measured(content).unwrap().remove(0);
        assert_eq!((found.value.as_str(), found.number), ("140.50 mmol/L", 140.5));
        assert_eq!(found.test, "http://loinc.org|2951-2");
        assert_eq!((found.range, found.standing), (None, None));
    }

    #[test]
    fn a_range_in_another_unit_or_one_of_several_judges_nothing() {
        let value = json!({ "value": 140, "code": "mmol/L" });
        let other = json!([{ "low": { "value": 3, "code": "g/L" } }]);
        assert_eq!(sodium(value.clone(), other).standing, None);
        let two = json!([{ "high": { "value": 100 } }, { "high": { "value": 200 } }]);
        let found = sodium(value.clone(), two);
        assert_eq!((found.standing, found.range.as_deref()), (None, Some("≤ 100, ≤ 200")));
        let words = sodium(value, json!([{ "text": "see report" }]));
        assert_eq!((words.standing, words.range.as_deref()), (None, Some("see report")));
    }

    #[test]
    fn less_than_five_is_judged_only_where_it_cannot_be_otherwise() {
        let found = |range| sodium(json!({ "value": 5, "comparator": "<", "unit": "U" }), range);
        assert_eq!(found(json!([{ "low": { "value": 5 } }])).standing, Some(Standing::Low));
        assert_eq!(found(json!([{ "high": { "value": 10 } }])).standing, Some(Standing::Within));
        let open = found(json!([{ "low": { "value": 3 }, "high": { "value": 10 } }]));
        assert_eq!((open.standing, open.value.as_str()), (None, "< 5 U"));
    }

    #[test]
    fn the_laboratory_has_the_first_word() {
        let content = json!({
            "resourceType": "Observation", "code": { "text": "K" }, "valueQuantity": { "value": 5 },
            "referenceRange": [{ "high": { "value": 9 } }], "interpretation": [{ "coding": [{ "code": "HH" }] }],
        });
        assert_eq!(of(content)[0].standing, Some(Standing::High));
    }

    #[test]
    fn both_parts_of_a_blood_pressure_are_measured() {
        let part = |name, value| json!({ "code": { "text": name }, "valueQuantity": { "value": value, "code": "mm[Hg]" } });
        let found = of(json!({ "resourceType": "Observation", "code": { "text": "BP" },
            "component": [part("Systolic", 120), part("Diastolic", 80)] }));
        let names: Vec<_> = found.iter().map(|part| (part.name.as_str(), part.number)).collect();
        assert_eq!(names, [("Systolic", 120.0), ("Diastolic", 80.0)]);
    }

    #[test]
    fn what_was_withdrawn_or_is_no_number_is_left_out() {
        let with = |status: &str, value: Value| {
            of(
                json!({ "resourceType": "Observation", "status": status, "code": { "text": "K" }, "valueQuantity": value }),
            )
        };
        assert_eq!(with("final", json!({ "value": 5 })).len(), 1);
        assert_eq!(with("entered-in-error", json!({ "value": 5 })), []);
        assert_eq!(with("cancelled", json!({ "value": 5 })), []);
        assert_eq!(with("final", json!({ "value": "NaN" })), []);
        assert_eq!(with("final", json!({ "unit": "mg" })), []);
        assert_eq!(of(json!({ "resourceType": "Condition", "valueQuantity": { "value": 5 } })), []);
    }
}
