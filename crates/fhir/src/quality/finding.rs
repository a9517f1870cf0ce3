//! What a rule found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::{Language, Rule, Severity};
use crate::limits::MAX_FINDINGS_PER_RECORD;
use crate::text;

/// One of the values that a rule compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Value {
    /// A code, a name, a reference; shortened.
    Text {
        /// The text.
        text: String,
    },
    /// A date or time as the record has it.
    Date {
        /// As written, shortened.
        date: String,
    },
    /// A number with its unit.
    Quantity {
        /// The number as written, or as computed.
        value: String,
        /// UCUM code of the unit; empty where there is none.
        unit: String,
    },
    /// A whole number.
    Count {
        /// The number.
        count: i64,
    },
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text { text: text::short_fact(text) }
    }

    pub(super) fn date(date: &str) -> Self {
        Self::Date { date: text::short_fact(date) }
    }

    pub(super) fn quantity(value: impl ToString, unit: &str) -> Self {
        Self::Quantity { value: text::short_fact(&value.to_string()), unit: text::short_fact(unit) }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { text } => f.write_str(text),
            Self::Date { date } => f.write_str(date),
            Self::Quantity { value, unit } if unit.is_empty() => f.write_str(value),
            Self::Quantity { value, unit } => write!(f, "{value} {unit}"),
            Self::Count { count } => write!(f, "{count}"),
        }
    }
}

/// Something that is wrong, or looks wrong, in one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule; serialized as its stable code.
    #[serde(rename = "code")]
    pub rule: Rule,
    /// `Type/id`, or `entry[n]` where there is no identity.
    pub resource: String,
    /// The element, as a FHIRPath such as `Observation.component[1].valueQuantity`, without the type.
    pub path: String,
    /// What was compared, by the names that the rule's sentence uses.
    pub values: BTreeMap<String, Value>,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// The finding as one plain sentence.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        // Once from left to right: a value that holds braces is text, not a place for another value.
        let mut sentence = String::new();
        let mut rest = self.rule.template(language);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            sentence.push_str(before);
            if let Some(value) = self.values.get(name) {
                sentence.push_str(&value.to_string());
            }
            rest = after;
        }
        sentence + rest
    }
}

/// Collects the findings of one record, at most [`MAX_FINDINGS_PER_RECORD`]; the worst are kept.
#[derive(Debug)]
pub struct Findings {
    label: String,
    found: Vec<Finding>,
}

impl Findings {
    pub(super) fn of(label: &str) -> Self {
        Self { label: label.to_owned(), found: Vec::new() }
    }

    pub(super) fn add<const N: usize>(
        &mut self,
        rule: Rule,
        path: impl Into<String>,
        values: [(&str, Value); N],
    ) {
        if self.found.len() >= MAX_FINDINGS_PER_RECORD {
            let mildest = self.found.iter().enumerate().min_by_key(|(_, finding)| finding.severity());
            match mildest {
                Some((at, mildest)) if mildest.severity() < rule.severity() => drop(self.found.remove(at)),
                _ => return,
            }
        }
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.found.push(Finding { rule, resource: self.label.clone(), path: path.into(), values });
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
