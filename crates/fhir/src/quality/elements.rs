//! Reading elements of which FHIR allows several spellings.

use crate::json::Json;

/// Whether an element is there in any spelling: itself, by a reason for its absence (`_status`), or as `name[x]`.
pub(super) fn has(resource: &Json<'_>, name: &str) -> bool {
    if !is_empty(resource.get(name)) || !resource.get(&format!("_{name}")).is_null() {
        return true;
    }
    let Json::Object(members) = resource else { return false };
    members.iter().any(|(key, value)| {
        let key = key.strip_prefix('_').unwrap_or(key);
        key.strip_prefix(name).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
            && !is_empty(value)
    })
}

fn is_empty(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::Text(text) => text.trim().is_empty(),
        Json::List(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A number of any spelling that JSON allows; text that is a number counts too.
pub(super) fn number(value: &Json<'_>) -> Option<f64> {
    value.scalar()?.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}
