//! References between records, and how they are written into the document.

use uuid::Uuid;

use super::Pool;
use crate::bundle::is_type_name;
use crate::identity::normal;
use crate::json::Json;

/// What UUIDs are made under (RFC 9562 version 5): itself the version 5 UUID of `https://amulet.example/ips` under the namespace of
/// addresses. It never changes, so that one record has the same address in every summary.
const NAMESPACE: Uuid = Uuid::from_u128(0x20e6_252b_cce3_52d8_a1bb_0382_a8ac_22c7);

/// The bare UUID of something that has a name.
pub(super) fn uuid_of(name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

/// The address of an entry of the document.
pub(super) fn url_of(name: &str) -> String {
    format!("urn:uuid:{}", uuid_of(name))
}

/// What a reference leads to.
pub(super) enum Target {
    /// A record of the patient.
    Record(usize),
    /// A record of class core.
    Core,
    /// Something inside the same resource.
    Contained,
    /// An address elsewhere.
    Elsewhere,
    /// Nothing that can be found with this document alone.
    Unknown,
}

/// What a reference in a record of `hospital` leads to. The same `Type/id` at two hospitals are two things.
pub(super) fn target_of(pool: &Pool<'_>, hospital: &str, reference: &str) -> Target {
    if reference.starts_with('#') {
        return Target::Contained;
    }
    let address = normal(reference);
    let found = match address.rsplit_once('/') {
        Some((before, id)) => {
            let kind = before.rsplit('/').next().unwrap_or_default();
            pool.names.get(&(hospital, kind, id)).copied()
        }
        None => by_urn(pool, hospital, &address),
    };
    match found {
        Some(Some(place)) => Target::Record(place),
        Some(None) => Target::Core,
        None if address.starts_with("http://") || address.starts_with("https://") => Target::Elsewhere,
        None => Target::Unknown,
    }
}

/// `urn:uuid:…` does not say the type. Ids in upper case are compared as well, since UUIDs have no case.
fn by_urn(pool: &Pool<'_>, hospital: &str, address: &str) -> Option<Option<usize>> {
    let id = address.strip_prefix("urn:uuid:").or_else(|| address.strip_prefix("urn:oid:"))?;
    let upper = id.to_ascii_uppercase();
    pool.kinds.iter().find_map(|kind| {
        let by = |id: &str| pool.names.get(&(hospital, *kind, id)).copied();
        by(id).or_else(|| by(&upper))
    })
}

/// Calls `visit` with every reference in a record.
pub(super) fn each_reference(json: &Json<'_>, visit: &mut impl FnMut(&str)) {
    json.walk(&mut |value| {
        if let Some(reference) = value.text_at("reference") {
            visit(reference);
        }
    });
}

/// The JSON of a value, as it was, without space.
pub(crate) fn json_text(json: &Json<'_>) -> String {
    let mut out = String::new();
    write(json, &mut out, &mut |_| Rewrite::Keep);
    out
}

/// How a reference is written.
pub(crate) enum Rewrite {
    /// As it was.
    Keep,
    /// To this address.
    To(String),
    /// By an identifier, since there is nothing to link to.
    Name,
    /// Not at all: not even what it was called.
    Mask,
}

/// Writes a value as it was, but for its references.
pub(crate) fn write(json: &Json<'_>, out: &mut String, rewrite: &mut impl FnMut(&str) -> Rewrite) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(number),
        Json::Text(text) => push_text(text, out),
        Json::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                comma(at, out);
                write(item, out, rewrite);
            }
            out.push(']');
        }
        Json::Object(members) => {
            match json.text_at("reference").map(|reference| (rewrite(reference), reference)) {
                None | Some((Rewrite::Keep, _)) => object(members.iter(), out, rewrite),
                Some((Rewrite::To(url), _)) => {
                    let rest = members.iter().filter(|(key, _)| key != "reference");
                    out.push_str("{\"reference\":");
                    push_text(&url, out);
                    push_members(rest, 1, out, rewrite);
                    out.push('}');
                }
                Some((Rewrite::Name, reference)) => named(json, members, reference, out, rewrite),
                Some((Rewrite::Mask, _)) => out.push_str(MASKED),
            }
        }
    }
}

/// FHIR's way of saying that something is there that is not told.
const MASKED: &str = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;

type Member<'a> = (std::borrow::Cow<'a, str>, Json<'a>);

fn object<'m, 'a: 'm>(
    members: impl Iterator<Item = &'m Member<'a>>,
    out: &mut String,
    rewrite: &mut impl FnMut(&str) -> Rewrite,
) {
    out.push('{');
    push_members(members, 0, out, rewrite);
    out.push('}');
}

fn push_members<'m, 'a: 'm>(
    members: impl Iterator<Item = &'m Member<'a>>,
    before: usize,
    out: &mut String,
    rewrite: &mut impl FnMut(&str) -> Rewrite,
) {
    for (at, (key, value)) in members.enumerate() {
        comma(at + before, out);
        push_text(key, out);
        out.push(':');
        write(value, out, rewrite);
    }
}

/// A reference without a link: its words and identifier, and what the link was, as an identifier.
fn named(
    json: &Json<'_>,
    members: &[Member<'_>],
    reference: &str,
    out: &mut String,
    rewrite: &mut impl FnMut(&str) -> Rewrite,
) {
    let reference = reference.trim();
    let has_identifier = !json.get("identifier").is_null();
    let rest = || members.iter().filter(|(key, _)| key != "reference");
    if has_identifier || (reference.is_empty() && rest().next().is_some()) {
        return object(rest(), out, rewrite);
    }
    if reference.is_empty() {
        return out.push_str(MASKED);
    }
    out.push_str("{\"identifier\":{");
    if reference.starts_with("urn:") {
        out.push_str("\"system\":\"urn:ietf:rfc:3986\",");
    }
    out.push_str("\"value\":");
    push_text(reference, out);
    out.push('}');
    let kind = reference.split('/').next().filter(|kind| reference.contains('/') && is_type_name(kind));
    if let Some(kind) = kind.filter(|_| json.get("type").is_null()) {
        out.push_str(",\"type\":");
        push_text(kind, out);
    }
    push_members(rest(), 1, out, rewrite);
    out.push('}');
}

fn comma(at: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
}

/// A text as JSON.
pub(crate) fn push_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
