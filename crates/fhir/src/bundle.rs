//! Opens a file: a Bundle, one resource a line (NDJSON, as bulk exports are), or a single resource. Decides whether there is
//! anything to judge, without reading the resources yet.

use serde_json::value::RawValue;

use crate::json::{JsonError, check_syntax, list_items, nesting, pick};
use crate::limits::{MAX_BUNDLE_BYTES, MAX_ENTRIES, MAX_FILE_NESTING};
use crate::refusal::FileRefusal;
use crate::text;

/// One thing to judge, as untouched text.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    /// An entry of a Bundle, with the resource inside.
    Wrapped(&'a RawValue),
    /// A resource that stands by itself.
    Bare(&'a RawValue),
}

impl Entry<'_> {
    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Entry::Bare(_))
    }

    /// The label of the entry, without reading more than it needs.
    pub(crate) fn label(self, index: usize) -> String {
        let resource = match self {
            Entry::Bare(resource) => Some(resource),
            Entry::Wrapped(entry) => pick(entry.get(), ["resource"]).ok().and_then(|[resource]| resource),
        };
        label(index, resource.map(RawValue::get)).0
    }
}

/// A file that holds something to judge.
pub(crate) struct Opened<'a> {
    pub entries: Vec<Entry<'a>>,
    /// A document Bundle, which holds all that it refers to.
    pub is_document: bool,
}

impl<'a> Opened<'a> {
    fn bare(entries: Vec<&'a RawValue>) -> Self {
        Self { entries: entries.into_iter().map(Entry::Bare).collect(), is_document: false }
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// How far into an XML file the name of its kind is looked for.
const XML_HEAD_BYTES: usize = 4096;

/// Finds the entries of a file, cheapest checks first.
pub(crate) fn open(bytes: &[u8]) -> Result<Opened<'_>, FileRefusal> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(FileRefusal::TooLarge { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| FileRefusal::NotUtf8 { offset: e.valid_up_to() })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    match text.trim_start_matches([' ', '\t', '\r', '\n', BYTE_ORDER_MARK]).chars().next() {
        None => return Err(FileRefusal::Empty),
        Some('<') => return Err(xml(text)),
        Some('M') if text.trim_start().starts_with("MSH|") => return Err(FileRefusal::Hl7V2),
        Some(_) => {}
    }
    if let Some(lines) = lines_of(text) {
        return lines.map(Opened::bare);
    }
    let whole = checked(text, 0)?;
    let depth = nesting(whole.get());
    if depth > MAX_FILE_NESTING {
        return Err(FileRefusal::TooDeep { depth });
    }
    entries_of(whole)
}

fn xml(text: &str) -> FileRefusal {
    let head = text.char_indices().nth(XML_HEAD_BYTES).map_or(text, |(end, _)| &text[..end]);
    if head.contains("ClinicalDocument") { FileRefusal::Cda } else { FileRefusal::Xml }
}

/// Checks the syntax of a text that begins after so many lines of its file.
fn checked(text: &str, lines_before: usize) -> Result<&RawValue, FileRefusal> {
    check_syntax(text).map_err(|error| match error {
        JsonError::Syntax { line, column, cut_off } => {
            FileRefusal::NotJson { line: lines_before + line, column, cut_off }
        }
        _ => FileRefusal::NotJson { line: lines_before + 1, column: 1, cut_off: false },
    })
}

/// The lines of an NDJSON file, or `None` if the file is not one: its first line is a whole object, and more follows.
fn lines_of(text: &str) -> Option<Result<Vec<&RawValue>, FileRefusal>> {
    let mut lines = text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next()?;
    let is_object = first.trim_start().starts_with('{') && first.trim_end().ends_with('}');
    let mut others = lines.clone().peekable();
    if !is_object || others.peek().is_none() || check_syntax(first).is_err() {
        return None;
    }
    let lines = || text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    let count = lines().count();
    if count > MAX_ENTRIES {
        return Some(Err(FileRefusal::TooManyEntries { entries: count }));
    }
    Some(
        lines()
            .map(|(number, line)| {
                let resource = checked(line, number)?;
                match nesting(resource.get()) {
                    depth if depth > MAX_FILE_NESTING => Err(FileRefusal::TooDeep { depth }),
                    _ => Ok(resource),
                }
            })
            .collect(),
    )
}

fn entries_of(raw: &RawValue) -> Result<Opened<'_>, FileRefusal> {
    let whole = raw.get();
    if !whole.starts_with('{') {
        let found = if whole.starts_with('[') { "a list" } else { "a single value" };
        return Err(FileRefusal::NotABundle { found: found.to_owned() });
    }
    let [resource_type, kind, entry] =
        pick(whole, ["resourceType", "type", "entry"]).map_err(|key| match key {
            Some(key) => FileRefusal::RepeatedKey { key: key.to_owned() },
            None => FileRefusal::NotABundle { found: "an object that cannot be read".to_owned() },
        })?;
    match resource_type.and_then(plain_string).as_deref() {
        Some("Bundle") => {}
        Some(other) if is_type_name(other) => return Ok(Opened::bare(vec![raw])),
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
        _ => Ok(Opened {
            entries: entries.into_iter().map(Entry::Wrapped).collect(),
            is_document: kind.and_then(plain_string).as_deref() == Some("document"),
        }),
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
