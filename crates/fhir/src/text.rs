//! Text for people out of FHIR's data types: concepts, names, quantities, periods.
//!
//! Everything that comes from a record and is shown goes through [`line`], which bounds it and takes out what could
//! make a screen lie: control characters and the marks that reverse the direction of text.

use crate::json::Json;
use crate::limits::{MAX_LINE_CHARS, MAX_OFFLINE_FACT_CHARS};

/// One line of safe text: space collapsed, control and direction-override characters gone, bounded length.
pub(crate) fn line(text: &str) -> String {
    shorten(text, MAX_LINE_CHARS)
}

/// As [`line`], short enough for the facts in a QR code.
pub(crate) fn short_fact(text: &str) -> String {
    shorten(text, MAX_OFFLINE_FACT_CHARS)
}

fn shorten(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let separator = usize::from(length > 0);
        for c in std::iter::repeat_n(' ', separator).chain(word.chars().filter(|c| is_safe(*c))) {
            if length == max_chars - 1 {
                out.push('…');
                return out;
            }
            out.push(c);
            length += 1;
        }
    }
    out
}

/// Whether a character may be shown: not a control, not a mark that overrides the direction of the text around it.
pub(crate) fn is_safe(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Safe text of a scalar, or nothing when it is empty.
pub(crate) fn of(value: &Json<'_>) -> Option<String> {
    value.scalar().map(line).filter(|text| !text.is_empty())
}

/// What a CodeableConcept, Coding or plain code says: its text, else a display (the one the user chose first), else
/// the code. R5's CodeableReference is read through its `concept`.
pub(crate) fn concept(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(_) => of(value),
        Json::List(items) => items.iter().find_map(concept),
        _ => {
            let codings = value.get("coding").items();
            let chosen = codings.iter().find(|coding| coding.get("userSelected").is_true());
            of(value.get("text"))
                .or_else(|| of(value.get("display")))
                .or_else(|| chosen.into_iter().chain(codings).find_map(|coding| of(coding.get("display"))))
                .or_else(|| match value.get("concept") {
                    Json::Null => None,
                    inner => concept(inner),
                })
                .or_else(|| of(value.get("code")))
                .or_else(|| codings.iter().find_map(|coding| of(coding.get("code"))))
        }
    }
}

/// All concepts of a list, joined.
pub(crate) fn concepts(value: &Json<'_>) -> Option<String> {
    join(value.items().iter().filter_map(concept))
}

/// Joins distinct texts with commas; nothing when there are none.
pub(crate) fn join(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    (!seen.is_empty()).then(|| line(&seen.join(", ")))
}

/// The codes of a CodeableConcept, or of a plain code string as older versions had it.
pub(crate) fn codes<'j>(value: &'j Json<'_>) -> impl Iterator<Item = &'j str> {
    value.text().into_iter().chain(
        value
            .items()
            .iter()
            .flat_map(|item| item.get("coding").items())
            .filter_map(|coding| coding.text_at("code")),
    )
}

/// Whether a concept has one of these codes, in whatever system.
pub(crate) fn has_code(value: &Json<'_>, wanted: &[&str]) -> bool {
    codes(value).any(|code| wanted.contains(&code))
}

/// A person's name: the usual or official one, as text or put together. Chinese, Japanese and Korean names are written
/// family first, without space.
pub(crate) fn human_name(names: &Json<'_>) -> Option<String> {
    let rank = |name: &Json<'_>| match name.text_at("use") {
        Some("official") => 0,
        Some("usual") => 1,
        None => 2,
        Some("old" | "maiden") => 4,
        Some(_) => 3,
    };
    names
        .items()
        .iter()
        .filter_map(|name| one_name(name).map(|text| (rank(name), text)))
        .min_by_key(|(r, _)| *r)
        .map(|(_, text)| text)
}

fn one_name(name: &Json<'_>) -> Option<String> {
    if let Some(text) = of(name).or_else(|| of(name.get("text"))) {
        return Some(text);
    }
    let given = name.get("given").items().iter().filter_map(of).collect::<Vec<_>>();
    let family = name.get("family").items().iter().filter_map(of).collect::<Vec<_>>();
    let is_east_asian =
        |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{2ffff}');
    let whole = if family.iter().chain(&given).all(|part| part.chars().all(is_east_asian)) {
        [family.concat(), given.concat()].concat()
    } else {
        let affixes = |key| name.get(key).items().iter().filter_map(of).collect::<Vec<_>>();
        [affixes("prefix"), given, family, affixes("suffix")].concat().join(" ")
    };
    Some(line(&whole)).filter(|text| !text.is_empty())
}

/// `5.6 mmol/L`, with the comparator; numbers exactly as written.
pub(crate) fn quantity(value: &Json<'_>) -> Option<String> {
    let number = of(value.get("value"));
    let unit = of(value.get("unit")).or_else(|| of(value.get("code")).filter(|code| code != "1"));
    // A UCUM annotation such as `{INR}` is a unit's name in braces that mean nothing to a reader.
    let unit = unit.map(|unit| match unit.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if !name.contains(['{', '}']) => name.to_owned(),
        _ => unit,
    });
    let comparator = of(value.get("comparator")).map(|c| format!("{c} ")).unwrap_or_default();
    match (number, unit) {
        (Some(number), Some(unit)) if unit == "%" => Some(format!("{comparator}{number}%")),
        (Some(number), Some(unit)) => Some(format!("{comparator}{number} {unit}")),
        (Some(number), None) => Some(format!("{comparator}{number}")),
        _ => None,
    }
}

/// `low – high unit`, or one side of it.
pub(crate) fn range(value: &Json<'_>) -> Option<String> {
    match (quantity(value.get("low")), quantity(value.get("high"))) {
        (Some(low), Some(high)) => Some(format!("{low} – {high}")),
        (Some(low), None) => Some(format!("≥ {low}")),
        (None, Some(high)) => Some(format!("≤ {high}")),
        (None, None) => None,
    }
}

/// `start – end`, or the side that is known.
pub(crate) fn period(value: &Json<'_>) -> Option<String> {
    match (of(value.get("start")), of(value.get("end"))) {
        (Some(start), Some(end)) if start == end => Some(start),
        (Some(start), Some(end)) => Some(format!("{start} – {end}")),
        (Some(start), None) => Some(format!("{start} –")),
        (None, Some(end)) => Some(format!("– {end}")),
        (None, None) => None,
    }
}

/// The name a reference carries for people. The bare address says nothing to a patient and is left out.
pub(crate) fn reference(value: &Json<'_>) -> Option<String> {
    of(value.get("display")).or_else(|| match value.get("reference") {
        Json::Object(_) => reference(value.get("reference")),
        _ => value.get("concept").get("text").text().map(line),
    })
}

/// Phone numbers first (mobile before others), else any other way to reach.
pub(crate) fn phone(telecom: &Json<'_>) -> Option<String> {
    let rank = |point: &Json<'_>| match (point.text_at("system"), point.text_at("use")) {
        (_, Some("old")) => 9,
        (Some("phone"), Some("mobile")) => 0,
        (Some("phone"), Some("home")) => 1,
        (Some("phone"), _) => 2,
        (Some("sms"), _) => 3,
        _ => 4,
    };
    telecom
        .items()
        .iter()
        .filter(|point| rank(point) < 9)
        .filter_map(|point| of(point.get("value")).map(|value| (rank(point), value)))
        .min_by_key(|(r, _)| *r)
        .map(|(_, value)| value)
}

/// A postal address on one line.
pub(crate) fn address(value: &Json<'_>) -> Option<String> {
    let first = value.first();
    of(first.get("text")).or_else(|| {
        let lines = first.get("line").items().iter();
        join(
            lines
                .chain([first.get("city"), first.get("district"), first.get("state")])
                .chain([first.get("postalCode"), first.get("country")])
                .filter_map(of),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn json(text: &str) -> Json<'_> {
        Json::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_read_as_people_write_them() {
        assert_eq!(human_name(&json(r#"[{"family":"王","given":["芳"]}]"#)).unwrap(), "王芳");
        assert_eq!(
            human_name(&json(
                r#"[{"use":"maiden","family":"Old"},{"family":"Miller","given":["James","T"]}]"#
            ))
            .unwrap(),
            "James T Miller"
        );
        assert_eq!(human_name(&json("[{}]")), None);
    }

    #[test]
    fn quantities_are_shown_as_written() {
        assert_eq!(quantity(&json(r#"{"value":2.50,"unit":"mg"}"#)).unwrap(), "2.50 mg");
        assert_eq!(quantity(&json(r#"{"comparator":"<","value":5,"code":"%"}"#)).unwrap(), "< 5%");
        assert_eq!(quantity(&json(r#"{"value":2.6,"unit":"{INR}"}"#)).unwrap(), "2.6 INR");
        assert_eq!(quantity(&json(r#"{"unit":"mg"}"#)), None);
    }

    #[test]
    fn shown_text_cannot_reverse_or_flood_the_screen() {
        assert_eq!(line("a\u{202e}b\u{0007}\n\n c"), "ab c");
        assert_eq!(line(&"x".repeat(10_000)).chars().count(), MAX_LINE_CHARS);
        assert_eq!(short_fact(&"字".repeat(500)).chars().count(), MAX_OFFLINE_FACT_CHARS);
    }
}
