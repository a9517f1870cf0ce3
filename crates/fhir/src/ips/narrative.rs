//! What a section says to people: a table of what it lists, as XHTML with nothing active in it.

use std::collections::BTreeSet;

use super::choose::Choice;
use super::references::{Target, target_of};
use super::{Item, Pool, SectionKind};
use crate::facts::{dosages, dose_text, value_of};
use crate::quality::Language;
use crate::text;
use crate::title::{date_of, medicine_reference, title_of};

/// The narrative of a section that lists something.
pub(super) fn of_section(pool: &Pool<'_>, choice: &Choice, listed: &[usize], language: Language) -> String {
    let heads = match language {
        Language::En => ["What", "Details", "Date", "Hospital"],
        Language::Zh => ["内容", "详情", "日期", "医院"],
    };
    let mut rows = row("th", &heads.map(str::to_owned));
    for place in listed {
        let item = &pool.items[*place];
        let date = date_of(&item.json).map(|date| date.text).unwrap_or_default();
        rows.push_str(&row("td", &[what(pool, item), details(item), date, hospitals(pool, choice, *place)]));
    }
    div(&format!("<table><tbody>{rows}</tbody></table>"))
}

/// The narrative of the whole.
pub(super) fn of_document(title: &str, is_incomplete: bool, language: Language) -> String {
    let warning = match (is_incomplete, language) {
        (false, _) => "",
        (true, Language::En) => "Incomplete: some of the patient's records could not be fetched or read.",
        (true, Language::Zh) => "不完整：患者的部分病历未能取得或读出。",
    };
    let lines = [title, warning].into_iter().filter(|line| !line.is_empty());
    div(&lines.map(|line| format!("<p>{}</p>", escaped(line))).collect::<String>())
}

/// The narrative of a section that lists nothing.
pub(super) fn of_nothing(kind: SectionKind, none_known: bool, language: Language) -> String {
    let words = match (language, none_known) {
        (Language::En, true) => "None known.",
        (Language::En, false) => {
            "No information: no record says that there is something, and none that there is nothing."
        }
        (Language::Zh, true) => "没有已知的情况。",
        (Language::Zh, false) => "没有信息：没有记录说有，也没有记录说没有。",
    };
    div(&format!("<p>{}: {}</p>", escaped(kind.title(language)), escaped(words)))
}

fn what(pool: &Pool<'_>, item: &Item<'_>) -> String {
    let referred = || {
        let reference = medicine_reference(&item.json).text_at("reference")?;
        let Target::Record(place) = target_of(pool, item.from.hospital, reference) else { return None };
        title_of("Medication", &pool.items[place].json)
    };
    let named = title_of(item.from.resource_type, &item.json);
    let named = if item.from.resource_type.starts_with("Medication") { referred().or(named) } else { named };
    named.unwrap_or_else(|| item.from.resource_type.to_owned())
}

fn details(item: &Item<'_>) -> String {
    let json = &item.json;
    let components = || {
        text::join(json.get("component").items().iter().filter_map(|component| {
            Some(format!("{}: {}", text::concept(component.get("code"))?, value_of(component)?))
        }))
    };
    value_of(json)
        .or_else(components)
        .or_else(|| text::join(dosages(json).iter().filter_map(dose_text)))
        .or_else(|| text::of(json.get("criticality")))
        .or_else(|| text::concept(json.get("severity")))
        .or_else(|| text::of(json.get("conclusion")))
        .unwrap_or_default()
}

/// The hospital that registered it, and those that registered the same.
fn hospitals(pool: &Pool<'_>, choice: &Choice, place: usize) -> String {
    let alike = choice.same_as.iter().filter(|(_, kept)| **kept == place).map(|(other, _)| *other);
    let places = std::iter::once(place).chain(alike);
    let names: BTreeSet<String> =
        places.map(|place| text::line(pool.items[place].from.hospital_name)).collect();
    text::join(names.into_iter()).unwrap_or_default()
}

/// The one element that a narrative is.
pub(super) fn div(inner: &str) -> String {
    format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>")
}

fn row(cell: &str, texts: &[String; 4]) -> String {
    let cells: String = texts.iter().map(|text| format!("<{cell}>{}</{cell}>", escaped(text))).collect();
    format!("<tr>{cells}</tr>")
}

/// Text as XHTML shows it. What XML 1.0 forbids is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text::line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_a_record_is_shown_as_text() {
        assert_eq!(
            escaped("<b onclick='x'>\"A & B\"\u{202e}\u{ffff}"),
            "&lt;b onclick=&#39;x&#39;&gt;&quot;A &amp; B&quot;"
        );
    }
}
