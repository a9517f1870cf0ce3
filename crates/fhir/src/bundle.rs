//! Opens a file as a Bundle: decides whether there is anything to judge, without reading the resources yet.

use serde_json::value::RawValue;

use crate::json::{JsonError, check_syntax, list_items, nesting, pick};
use crate::limits::{MAX_BUNDLE_BYTES, MAX_ENTRIES, MAX_FILE_NESTING};
use crate::refusal::FileRefusal;
use crate::text;

/// The entries of a bundle as untouched text.
pub(crate) type Entries<'a> = Vec<&'a RawValue>;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Finds the entries of a bundle, cheapest checks first.
pub(crate) fn open(bytes: &[u8]) -> Result<Entries<'_>, FileRefusal> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(FileRefusal::TooLarge { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| FileRefusal::NotUtf8 { offset: e.valid_up_to() })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    match text.trim_start_matches([' ', '\t', '\r', '\n', BYTE_ORDER_MARK]).chars().next() {
        None => return Err(FileRefusal::Empty),
        Some('<') => return Err(FileRefusal::Xml),
        Some(_) => {}
    }
    let whole = match check_syntax(text) {
        Ok(raw) => raw.get(),
        Err(JsonError::Syntax { line, column, cut_off }) => {
            return Err(FileRefusal::NotJson { line, column, cut_off });
        }
        Err(_) => return Err(FileRefusal::NotJson { line: 1, column: 1, cut_off: false }),
    };
    let depth = nesting(whole);
    if depth > MAX_FILE_NESTING {
        return Err(FileRefusal::TooDeep { depth });
    }
    entries_of(whole)
}

fn entries_of(whole: &str) -> Result<Entries<'_>, FileRefusal> {
    if !whole.starts_with('{') {
        let found = if whole.starts_with('[') { "a list" } else { "a single value" };
        return Err(FileRefusal::NotABundle { found: found.to_owned() });
    }
    let [resource_type, entry] = pick(whole, ["resourceType", "entry"]).map_err(|key| match key {
        Some(key) => FileRefusal::RepeatedKey { key: key.to_owned() },
        None => FileRefusal::NotABundle { found: "an object that cannot be read".to_owned() },
    })?;
    match resource_type.and_then(plain_string).as_deref() {
        Some("Bundle") => {}
        Some(other) => {
            return Err(FileRefusal::NotABundle { found: format!("a single {}", text::line(other)) });
        }
        None => return Err(FileRefusal::NotABundle { found: "an object without resourceType".to_owned() }),
    }
    let Some(entry) = entry.filter(|entry| entry.get() != "null") else { return Err(FileRefusal::NoEntries) };
    let (entries, count) = list_items(entry.get(), MAX_ENTRIES).ok_or(FileRefusal::EntriesNotAList)?;
    match count {
        0 => Err(FileRefusal::NoEntries),
        entries if entries > MAX_ENTRIES => Err(FileRefusal::TooManyEntries { entries }),
        _ => Ok(entries),
    }
}

/// The text of a JSON string.
pub(crate) fn plain_string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// The label of an entry, without reading more than it needs: `Type/id`, else `entry[n]`.
pub(crate) fn label(index: usize, resource: Option<&str>) -> (String, Option<String>) {
    // One by one: a resource that repeats its id still says its type.
    let member = |key| pick(resource?, [key]).ok().and_then(|[raw]| plain_string(raw?));
    let (resource_type, id) = (member("resourceType"), member("id"));
    let label = match (&resource_type, &id) {
        (Some(kind), Some(id)) if is_type_name(kind) && !id.is_empty() => {
            format!("{kind}/{}", text::line(id))
        }
        _ => format!("entry[{index}]"),
    };
    (label, resource_type)
}

/// Whether a text can be the name of a FHIR resource type. New types appear, so this is a shape, not a list.
pub(crate) fn is_type_name(text: &str) -> bool {
    text.len() <= crate::limits::MAX_RESOURCE_TYPE_BYTES
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
