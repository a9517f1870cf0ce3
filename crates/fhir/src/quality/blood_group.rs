//! The blood group, which does not change: what records of one patient say of it has to agree.

use serde::{Deserialize, Serialize};

use super::finding::{Findings, Value};
use super::rule::Rule;
use crate::blood::{ABO, ABO_AND_RH, RH, letters, sign};
use crate::facts::value_of;
use crate::json::Json;
use crate::text;

/// What is known of a blood group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BloodGroup {
    abo: Option<Abo>,
    rh_positive: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Abo {
    A,
    B,
    AB,
    O,
}

impl BloodGroup {
    /// Whether both can't be true of one person.
    #[must_use]
    pub fn contradicts(self, other: Self) -> bool {
        let abo = matches!((self.abo, other.abo), (Some(a), Some(b)) if a != b);
        abo || matches!((self.rh_positive, other.rh_positive), (Some(a), Some(b)) if a != b)
    }

    /// What both together say.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { abo: self.abo.or(other.abo), rh_positive: self.rh_positive.or(other.rh_positive) }
    }
}

impl std::fmt::Display for BloodGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(abo) = self.abo {
            write!(f, "{abo:?}")?;
        }
        match self.rh_positive {
            Some(true) => f.write_str(" Rh+"),
            Some(false) => f.write_str(" Rh-"),
            None => Ok(()),
        }
    }
}

/// The blood group that an observation states as its result.
pub(super) fn of(observation: &Json<'_>) -> Option<BloodGroup> {
    let code = observation.get("code");
    let (has_abo, has_rh) = if text::has_code(code, ABO_AND_RH) {
        (true, true)
    } else {
        (text::has_code(code, ABO), text::has_code(code, RH))
    };
    let is_result = matches!(observation.text_at("status"), Some("final" | "amended" | "corrected"));
    if !(has_abo || has_rh) || !is_result || !observation.get("dataAbsentReason").is_null() {
        return None;
    }
    let value = value_of(observation)?;
    let abo = letters(&value).filter(|_| has_abo).map(|letters| match letters {
        "A" => Abo::A,
        "B" => Abo::B,
        "AB" => Abo::AB,
        _ => Abo::O,
    });
    let group = BloodGroup { abo, rh_positive: sign(&value).filter(|_| has_rh) };
    (group.abo.is_some() || group.rh_positive.is_some()).then_some(group)
}

pub(super) fn changed(known: BloodGroup, source: &str, found: BloodGroup, findings: &mut Findings) {
    let values = [
        ("found", Value::text(&found.to_string())),
        ("known", Value::text(&known.to_string())),
        ("source", Value::text(source)),
    ];
    findings.add(Rule::BloodGroupChanged, "value", values);
}
