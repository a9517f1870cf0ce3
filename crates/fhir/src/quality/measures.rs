//! Values against what the body allows, in whichever usual unit they come.

use super::elements::number;
use super::finding::{Findings, Value};
use super::measure_table::{MEASURES, Measure, Unit};
use super::rule::Rule;
use crate::json::Json;

/// Checks an observation's value and those of its components.
pub(super) fn check(observation: &Json<'_>, findings: &mut Findings) {
    if observation.text_at("status") == Some("entered-in-error") {
        return;
    }
    one(observation, "valueQuantity", findings);
    for (index, component) in observation.get("component").items().iter().enumerate() {
        one(component, &format!("component[{index}].valueQuantity"), findings);
    }
}

/// The measure that a LOINC code of this concept names.
pub(super) fn measure_of(concept: &Json<'_>) -> Option<&'static Measure> {
    let codings = concept.get("coding").items().iter();
    let mut codes = codings
        .filter(|coding| coding.text_at("system").is_some_and(super::codes::is_loinc))
        .filter_map(|coding| coding.text_at("code"));
    codes.find_map(|code| MEASURES.iter().find(|measure| measure.loinc.contains(&code)))
}

/// What a quantity's unit is for a measure.
pub(super) enum UnitFound {
    Known(&'static Unit),
    Missing,
    Unknown { unit: String, of_another_kind: bool },
}

pub(super) fn unit_of(measure: &'static Measure, quantity: &Json<'_>) -> UnitFound {
    let written: Vec<&str> = [quantity.text_at("code"), quantity.text_at("unit")]
        .into_iter()
        .flatten()
        .filter(|text| !text.trim().is_empty())
        .collect();
    for text in &written {
        if let Some(unit) = measure.units.iter().find(|unit| is_written(unit, text)) {
            return UnitFound::Known(unit);
        }
    }
    let Some(first) = written.first() else { return UnitFound::Missing };
    let of_another_kind = MEASURES
        .iter()
        .flat_map(|other| other.units)
        .any(|unit| written.iter().any(|text| is_written(unit, text)));
    UnitFound::Unknown { unit: (*first).to_owned(), of_another_kind }
}

fn is_written(unit: &Unit, text: &str) -> bool {
    if unit.code == text {
        return true;
    }
    let spelling = spelling(text);
    unit.code.eq_ignore_ascii_case(&spelling) || unit.aliases.contains(&spelling.as_str())
}

/// A unit in one spelling: no spaces, small letters, `u` for micro, `*` for powers.
pub(super) fn spelling(text: &str) -> String {
    let mut spelling = String::new();
    for c in text.trim().to_lowercase().chars() {
        match c {
            c if c.is_whitespace() => {}
            'µ' | 'μ' => spelling.push('u'),
            '^' => spelling.push('*'),
            '×' => {}
            '²' | '³' | '⁶' | '⁹' => {
                if spelling.ends_with(|last: char| last.is_ascii_digit()) {
                    spelling.push('*');
                }
                spelling.push(match c {
                    '²' => '2',
                    '³' => '3',
                    '⁶' => '6',
                    _ => '9',
                });
            }
            '／' => spelling.push('/'),
            c => spelling.push(c),
        }
    }
    match spelling.strip_prefix("x10") {
        Some(rest) => format!("10{rest}"),
        None => spelling,
    }
}

pub(super) fn in_first_unit(value: f64, unit: &Unit) -> f64 {
    value * unit.factor + unit.offset
}

pub(super) fn lies_in(value: f64, (low, high): (f64, f64)) -> bool {
    (low..=high).contains(&value)
}

fn one(holder: &Json<'_>, path: &str, findings: &mut Findings) {
    let quantity = holder.get("valueQuantity");
    let Some(value) = number(quantity.get("value")) else { return };
    let Some(measure) = measure_of(holder.get("code")) else { return };
    let written = quantity.get("value").scalar().unwrap_or_default();
    let name = || Value::text(measure.name);
    let unit = match unit_of(measure, quantity) {
        UnitFound::Known(unit) => unit,
        UnitFound::Missing if measure.units.len() == 1 => &measure.units[0],
        UnitFound::Missing => {
            let values = [("measure", name()), ("value", Value::quantity(written, ""))];
            return findings.add(Rule::UnitMissing, path, values);
        }
        UnitFound::Unknown { unit, of_another_kind } => {
            let rule = if of_another_kind { Rule::UnitWrongKind } else { Rule::UnitUnknown };
            return findings.add(rule, path, [("measure", name()), ("unit", Value::text(&unit))]);
        }
    };
    // "Less than" says nothing about how low or high it is.
    if !quantity.get("comparator").is_null() {
        return;
    }
    let converted = in_first_unit(value, unit);
    if lies_in(converted, measure.plausible) {
        return;
    }
    let shown = Value::quantity(written, unit.code);
    let likely = measure
        .units
        .iter()
        .find(|other| other.code != unit.code && lies_in(in_first_unit(value, other), measure.plausible));
    if let Some(likely) = likely {
        let values = [("measure", name()), ("value", shown), ("likely", Value::text(likely.code))];
        return findings.add(Rule::UnitConfused, path, values);
    }
    let (rule, (low, high)) = if lies_in(converted, measure.possible) {
        (Rule::ValueImplausible, measure.plausible)
    } else {
        (Rule::ValueImpossible, measure.possible)
    };
    let first = measure.units[0].code;
    let values = [
        ("measure", name()),
        ("value", shown),
        ("low", Value::quantity(low, first)),
        ("high", Value::quantity(high, first)),
    ];
    findings.add(rule, path, values);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(loinc: &str, value: &str, unit: &str) -> Vec<&'static str> {
        let text = format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{loinc}"}}]}},
                "valueQuantity":{{"value":{value},"unit":"{unit}"}}}}"#
        );
        let mut findings = Findings::of("Observation/o");
        check(&Json::from_bytes(text.as_bytes()).unwrap(), &mut findings);
        findings.into_vec().iter().map(|finding| finding.rule.code()).collect()
    }

    #[test]
    fn usual_values_pass_in_every_usual_unit() {
        for (loinc, value, unit) in [
            ("2345-7", "95", "mg/dL"),
            ("2345-7", "5.3", "mmol/L"),
            ("4548-4", "6.5", "%"),
            ("59261-8", "48", "mmol/mol"),
            ("2160-0", "0.9", "mg/dl"),
            ("14682-9", "80", "μmol/L"),
            ("718-7", "14.1", "g/dL"),
            ("718-7", "141", "g/L"),
            ("777-3", "250", "×10^9/L"),
            ("777-3", "250", "x10³/µL"),
            ("6690-2", "6500", "/uL"),
            ("8310-5", "98.6", "[degF]"),
            ("8310-5", "36.6", "℃"),
            ("8867-4", "72", "beats/minute"),
            ("59408-5", "98", "%"),
            ("8480-6", "16", "kPa"),
            ("29463-7", "3200", "g"),
            ("8302-2", "5.9", "[ft_i]"),
        ] {
            assert_eq!(found(loinc, value, unit), [""; 0], "{loinc} {value} {unit}");
        }
    }

    #[test]
    fn confused_units_impossible_and_unlikely_values_are_told_apart() {
        for (loinc, value, unit, code) in [
            ("2345-7", "95", "mmol/L", "unit_confused"),
            ("2345-7", "5.3", "mg/dL", "unit_confused"),
            ("2160-0", "88", "mg/dL", "unit_confused"),
            ("2160-0", "1.1", "umol/L", "unit_confused"),
            ("4548-4", "48", "%", "unit_confused"),
            ("718-7", "14", "g/L", "unit_confused"),
            ("777-3", "250000", "10*9/L", "unit_confused"),
            ("8310-5", "98.6", "Cel", "unit_confused"),
            ("8302-2", "1.75", "cm", "unit_confused"),
            ("59408-5", "0.98", "%", "unit_confused"),
            ("8310-5", "370", "Cel", "value_impossible"),
            ("59408-5", "150", "%", "value_impossible"),
            ("8867-4", "-5", "/min", "value_impossible"),
            ("2823-3", "45", "mmol/L", "value_impossible"),
            ("2823-3", "11", "mmol/L", "value_implausible"),
            ("8310-5", "26", "Cel", "value_implausible"),
            ("2345-7", "95", "", "unit_missing"),
            ("2823-3", "4.1", "kg", "unit_wrong_kind"),
            ("2823-3", "4.1", "furlong", "unit_unknown"),
        ] {
            assert_eq!(found(loinc, value, unit), [code], "{loinc} {value} {unit}");
        }
    }

    #[test]
    fn the_table_is_consistent() {
        let mut seen = std::collections::BTreeSet::new();
        for measure in MEASURES {
            let ((low, high), (from, to)) = (measure.possible, measure.plausible);
            assert!(low <= from && from < to && to <= high, "{}", measure.name);
            assert!((measure.units[0].factor, measure.units[0].offset) == (1.0, 0.0), "{}", measure.name);
            for code in measure.loinc {
                assert!(seen.insert(code), "{code} twice");
                assert_eq!(super::super::codes::malformed("http://loinc.org", code), None, "{code}");
            }
            for alias in measure.units.iter().flat_map(|unit| unit.aliases) {
                assert_eq!(spelling(alias), *alias);
            }
        }
    }
}
