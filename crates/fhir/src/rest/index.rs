//! What of a resource can be searched for.

use super::table::{ParameterKind, Served};
use crate::date::span;
use crate::json::Json;

/// Most values of one resource that are compared, over all parameters. A panel of laboratory results has some tens.
const VALUES_MAX: usize = 1_000;

/// The values of one resource, by parameter.
#[derive(Debug, Clone, Default)]
pub struct Index {
    pub(super) tokens: Vec<(&'static str, Token)>,
    pub(super) dates: Vec<(&'static str, Span)>,
}

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub system: Option<String>,
    pub code: String,
}

/// First and last second that a date can mean; open ends are the ends of all time.
pub(super) type Span = (i64, i64);

impl Index {
    pub(super) fn of(served: &'static Served, resource: &Json<'_>) -> Self {
        let mut index = Self::default();
        for parameter in served.parameters {
            for path in parameter.paths {
                let mut found = Vec::new();
                elements(resource, path, &mut found);
                for value in found {
                    if index.tokens.len() + index.dates.len() >= VALUES_MAX {
                        return index;
                    }
                    match parameter.kind {
                        ParameterKind::Token => {
                            tokens(value, &mut |token| index.tokens.push((parameter.name, token)))
                        }
                        ParameterKind::Date => {
                            index.dates.extend(time(value).map(|span| (parameter.name, span)))
                        }
                        ParameterKind::Patient => {}
                    }
                }
            }
        }
        index
    }
}

/// The elements at a path. The last name also finds `nameDateTime` and the other types of a choice.
fn elements<'j, 'a>(from: &'j Json<'a>, path: &str, found: &mut Vec<&'j Json<'a>>) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    for holder in from.items() {
        let Json::Object(members) = holder else { continue };
        for (key, value) in members {
            match rest {
                Some(rest) if key == first => elements(value, rest, found),
                None if key == first || is_choice(key, first) => found.extend(value.items()),
                _ => {}
            }
        }
    }
}

/// Whether `key` is `name` with the name of a data type behind it.
fn is_choice(key: &str, name: &str) -> bool {
    const TYPES: [&str; 5] = ["DateTime", "Period", "Instant", "Timing", "Date"];
    key.strip_prefix(name).is_some_and(|rest| TYPES.contains(&rest))
}

/// The codes of a code, a Coding, a CodeableConcept or an Identifier.
fn tokens(value: &Json<'_>, take: &mut impl FnMut(Token)) {
    if let Some(code) = value.text() {
        return take(Token { system: None, code: code.to_owned() });
    }
    let codings = value.get("coding").items();
    for holder in if codings.is_empty() { std::slice::from_ref(value) } else { codings } {
        let code = holder.text_at("code").or_else(|| holder.text_at("value"));
        if let Some(code) = code {
            let system = holder.text_at("system").map(str::to_owned);
            take(Token { system, code: code.to_owned() });
        }
    }
}

/// When a date, a Period or a Timing is.
fn time(value: &Json<'_>) -> Option<Span> {
    if let Some(text) = value.text() {
        return span(text);
    }
    let events: Vec<Span> =
        value.get("event").items().iter().filter_map(|event| span(event.text()?)).collect();
    if let (Some(first), Some(last)) =
        (events.iter().map(|span| span.0).min(), events.iter().map(|span| span.1).max())
    {
        return Some((first, last));
    }
    let bounds = value.get("repeat").get("boundsPeriod");
    let period = if bounds.is_null() { value } else { bounds };
    let start = period.text_at("start").and_then(span).map(|span| span.0);
    let end = period.text_at("end").and_then(span).map(|span| span.1);
    (start.is_some() || end.is_some()).then(|| (start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX)))
}
