//! What somebody searches for, and whether a resource is it (<https://hl7.org/fhir/R4/search.html>).

use thiserror::Error;

use super::index::{Span, Token};
use super::shelf::Item;
use super::table::{ParameterKind, Served};
use crate::date::span;

/// Most alternatives (`code=a,b,c`) of one term.
pub const ALTERNATIVES_MAX: usize = 100;

/// Terms that must all hold.
#[derive(Debug, Clone, Default)]
pub struct Query {
    terms: Vec<Term>,
}

/// One term: a parameter and alternatives, of which one must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    name: &'static str,
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Ids(Vec<String>),
    Tokens(Vec<WantedToken>),
    Dates(Vec<(Prefix, Span)>),
}

/// `code`, `system|code`, `|code` or `system|`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WantedToken {
    /// `None`: any system. An empty one: none.
    system: Option<String>,
    /// `None`: any code.
    code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
}

/// Why a term is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The type has no such parameter.
    #[error("{resource_type} is not searched by {name}")]
    Unknown {
        /// The type.
        resource_type: &'static str,
        /// The parameter.
        name: String,
    },
    /// A modifier (`code:text`); none is supported.
    #[error("the modifier {modifier} of {name} is not supported")]
    Modifier {
        /// The parameter.
        name: String,
        /// The modifier.
        modifier: String,
    },
    /// A value that is no date, or has a prefix that is not supported (`ap`).
    #[error("{value} is no date that {name} can be compared with")]
    Date {
        /// The parameter.
        name: &'static str,
        /// The value.
        value: String,
    },
    /// More alternatives than [`ALTERNATIVES_MAX`].
    #[error("{name} has {found} alternatives, at most {ALTERNATIVES_MAX} are compared")]
    TooMany {
        /// The parameter.
        name: String,
        /// How many.
        found: usize,
    },
    /// No value.
    #[error("{name} has no value")]
    Empty {
        /// The parameter.
        name: String,
    },
}

impl Query {
    /// One more term: `name=value` of a search, decoded. `patient` is no term; who asks has settled it.
    ///
    /// # Errors
    /// [`QueryError`] by variant.
    pub fn add(&mut self, served: &'static Served, name: &str, value: &str) -> Result<(), QueryError> {
        self.terms.push(term(served, name, value)?);
        Ok(())
    }

    /// Whether a resource is what is searched for.
    #[must_use]
    pub fn matches(&self, item: &Item) -> bool {
        self.terms.iter().all(|term| term.matches(item))
    }
}

fn term(served: &'static Served, name: &str, value: &str) -> Result<Term, QueryError> {
    if let Some((name, modifier)) = name.split_once(':') {
        return Err(QueryError::Modifier { name: name.to_owned(), modifier: modifier.to_owned() });
    }
    let values = alternatives(value);
    if values.is_empty() {
        return Err(QueryError::Empty { name: name.to_owned() });
    }
    if values.len() > ALTERNATIVES_MAX {
        return Err(QueryError::TooMany { name: name.to_owned(), found: values.len() });
    }
    if name == "_id" {
        return Ok(Term { name: "_id", wanted: Wanted::Ids(values) });
    }
    let (name, kind) = match (name, served.parameter(name)) {
        ("_lastUpdated", _) => ("_lastUpdated", ParameterKind::Date),
        (_, Some(parameter)) if parameter.kind != ParameterKind::Patient => (parameter.name, parameter.kind),
        _ => return Err(QueryError::Unknown { resource_type: served.name, name: name.to_owned() }),
    };
    let wanted = match kind {
        ParameterKind::Date => {
            let dates = values.into_iter().map(|value| date(name, value));
            Wanted::Dates(dates.collect::<Result<_, _>>()?)
        }
        _ => Wanted::Tokens(values.iter().map(|value| token(value)).collect()),
    };
    Ok(Term { name, wanted })
}

/// The parts between commas; `\,` is no comma.
fn alternatives(value: &str) -> Vec<String> {
    split(value, ',').into_iter().filter(|part| !part.is_empty()).collect()
}

/// Splits at a character that no backslash stands before; the backslashes stay.
fn split(text: &str, at: char) -> Vec<String> {
    let (mut parts, mut escaped) = (vec![String::new()], false);
    for c in text.chars() {
        if c == at && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        parts.last_mut().expect("there is always a last part").push(c);
    }
    parts
}

/// Without the backslashes that stand before `,`, `|`, `$` and `\`.
fn unescaped(text: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && !",|$\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
        escaped = false;
    }
    out
}

fn token(value: &str) -> WantedToken {
    let parts = split(value, '|');
    match parts.split_first() {
        Some((system, rest)) if !rest.is_empty() => {
            let code = unescaped(&rest.join("|"));
            WantedToken { system: Some(unescaped(system)), code: Some(code).filter(|code| !code.is_empty()) }
        }
        _ => WantedToken { system: None, code: Some(unescaped(value)) },
    }
}

fn date(name: &'static str, value: String) -> Result<(Prefix, Span), QueryError> {
    let (prefix, text) = match value.get(..2) {
        Some("eq") => (Prefix::Equal, &value[2..]),
        Some("ne") => (Prefix::NotEqual, &value[2..]),
        Some("gt") => (Prefix::Greater, &value[2..]),
        Some("lt") => (Prefix::Less, &value[2..]),
        Some("ge") => (Prefix::GreaterOrEqual, &value[2..]),
        Some("le") => (Prefix::LessOrEqual, &value[2..]),
        Some("sa") => (Prefix::StartsAfter, &value[2..]),
        Some("eb") => (Prefix::EndsBefore, &value[2..]),
        _ => (Prefix::Equal, value.as_str()),
    };
    match span(text) {
        Some(found) => Ok((prefix, found)),
        None => Err(QueryError::Date { name, value }),
    }
}

impl Term {
    fn matches(&self, item: &Item) -> bool {
        match &self.wanted {
            Wanted::Ids(ids) => ids.contains(&item.id),
            Wanted::Tokens(wanted) => {
                let mut found = of(&item.index.tokens, self.name);
                found.any(|token| wanted.iter().any(|wanted| wanted.is(token)))
            }
            Wanted::Dates(wanted) if self.name == "_lastUpdated" => {
                let updated = (item.updated, item.updated);
                wanted.iter().any(|(prefix, wanted)| prefix.holds(updated, *wanted))
            }
            Wanted::Dates(wanted) => {
                let mut found = of(&item.index.dates, self.name);
                found.any(|span| wanted.iter().any(|(prefix, wanted)| prefix.holds(*span, *wanted)))
            }
        }
    }
}

fn of<'i, T>(all: &'i [(&'static str, T)], name: &'static str) -> impl Iterator<Item = &'i T> {
    all.iter().filter(move |(of, _)| *of == name).map(|(_, value)| value)
}

impl WantedToken {
    fn is(&self, token: &Token) -> bool {
        let system = match &self.system {
            None => true,
            Some(none) if none.is_empty() => token.system.is_none(),
            Some(system) => token.system.as_ref() == Some(system),
        };
        system && self.code.as_ref().is_none_or(|code| *code == token.code)
    }
}

impl Prefix {
    /// As R4 compares the time of a resource with that of a search (section 3.1.1.4.7).
    fn holds(self, found: Span, wanted: Span) -> bool {
        let within = wanted.0 <= found.0 && found.1 <= wanted.1;
        match self {
            Self::Equal => within,
            Self::NotEqual => !within,
            Self::Greater => found.1 > wanted.1,
            Self::Less => found.0 < wanted.0,
            Self::GreaterOrEqual => found.1 > wanted.1 || within,
            Self::LessOrEqual => found.0 < wanted.0 || within,
            Self::StartsAfter => found.0 > wanted.1,
            Self::EndsBefore => found.1 < wanted.0,
        }
    }
}
