//! Blood pressure: two values that have to agree, and the ways in which they are mistyped.

use super::elements::number;
use super::finding::{Findings, Value};
use super::measures::{UnitFound, lies_in, measure_of, unit_of};
use super::rule::Rule;
use crate::json::Json;

/// Below these, in mm Hg, both values together are no pressure of somebody whose pressure is taken with a cuff.
const SYSTOLIC_TYPED_MIN: f64 = 40.0;
const DIASTOLIC_TYPED_MIN: f64 = 20.0;
/// One kPa in mm Hg.
const KPA: f64 = 7.500_62;
const SYSTOLIC: (f64, f64) = (40.0, 320.0);
const DIASTOLIC: (f64, f64) = (10.0, 220.0);

struct Reading {
    value: f64,
    written: String,
    is_kpa: bool,
}

impl Reading {
    fn mm_hg(&self) -> f64 {
        if self.is_kpa { self.value * KPA } else { self.value }
    }

    fn shown(&self) -> Value {
        Value::quantity(&self.written, if self.is_kpa { "kPa" } else { "mm[Hg]" })
    }
}

/// Whether it found a wrong scale, which explains values that the ranges would call impossible.
pub(super) fn check(observation: &Json<'_>, findings: &mut Findings) -> bool {
    if observation.text_at("status") == Some("entered-in-error") {
        return false;
    }
    let (Some(systolic), Some(diastolic)) =
        (reading(observation, "systolic blood pressure"), reading(observation, "diastolic blood pressure"))
    else {
        return false;
    };
    let values = || [("systolic", systolic.shown()), ("diastolic", diastolic.shown())];
    let (high, low) = (systolic.mm_hg(), diastolic.mm_hg());
    let is_low = high > 0.0 && high < SYSTOLIC_TYPED_MIN && low < DIASTOLIC_TYPED_MIN && high > low;
    let is_high =
        !lies_in(high, (0.0, 450.0)) && lies_in(high / 10.0, SYSTOLIC) && lies_in(low / 10.0, DIASTOLIC);
    if is_low || is_high {
        let ten = if is_low { 10.0 } else { 0.1 };
        let scaled = |factor: f64| {
            let (high, low) = (systolic.value * factor, diastolic.value * factor);
            if lies_in(high, SYSTOLIC) && lies_in(low, DIASTOLIC) {
                format!("{high:.0}/{low:.0}")
            } else {
                "—".to_owned()
            }
        };
        let [systolic_value, diastolic_value] = values();
        let values = [
            systolic_value,
            diastolic_value,
            ("times_ten", Value::text(&scaled(ten))),
            ("as_kpa", Value::text(&scaled(KPA))),
        ];
        findings.add(Rule::BloodPressureScale, "component", values);
        return true;
    }
    if high <= low && high > 0.0 {
        findings.add(Rule::BloodPressureReversed, "component", values());
    }
    false
}

fn reading(observation: &Json<'_>, measure: &str) -> Option<Reading> {
    let holders = observation.get("component").items().iter();
    let holder =
        holders.filter(|part| measure_of(part.get("code")).is_some_and(|found| found.name == measure));
    let quantity = holder.map(|part| part.get("valueQuantity")).find(|quantity| !quantity.is_null())?;
    let known = super::measure_table::MEASURES.iter().find(|known| known.name == measure)?;
    let is_kpa = match unit_of(known, quantity) {
        UnitFound::Known(unit) => unit.code == "kPa",
        UnitFound::Missing => false,
        UnitFound::Unknown { .. } => return None,
    };
    let value = number(quantity.get("value"))?;
    let written = quantity.get("value").scalar()?.to_owned();
    Some(Reading { value, written, is_kpa })
}
