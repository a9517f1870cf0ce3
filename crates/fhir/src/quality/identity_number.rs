//! The Chinese resident identity number, GB 11643-1999: region (6), birth date (8), serial (3, odd for men), check character
//! by ISO 7064 MOD 11-2.

use super::finding::{Findings, Value};
use super::rule::Rule;
use crate::date::unix_seconds;
use crate::json::Json;
use crate::text;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";
/// First two digits: the provinces, Taiwan (71, and 83 for residence permits), Hong Kong, Macao (81, 82), and foreigners'
/// permanent residence (91).
const PROVINCES: &[u8] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83, 91,
];

/// How an identifier says that it is one: the OID of electronic medical records, HL7 v2 table 0203 for China, and words.
const SYSTEMS: &[&str] =
    &["2.16.156.10011.1.3", "身份证", "gb11643", "gb-11643", "gb/t11643", "resident-identity"];
const TYPES: &[&str] = &["NNCHN"];

struct Number<'t> {
    text: &'t str,
    birth_date: String,
    is_male: bool,
    expected: char,
}

pub(super) fn check(patient: &Json<'_>, findings: &mut Findings) {
    for (index, identifier) in patient.get("identifier").items().iter().enumerate() {
        let Some(value) = identifier.text_at("value") else { continue };
        let path = format!("identifier[{index}].value");
        match (read(value), is_declared(identifier)) {
            (None, true) if !is_old(value) => findings.add(Rule::IdentityNumberMalformed, path, []),
            (None, _) => {}
            (Some(number), declared) => {
                let found = number.text.chars().last().unwrap_or_default().to_ascii_uppercase();
                if found == number.expected {
                    inside(&number, patient, path, findings);
                } else if declared {
                    let values = [
                        ("found", Value::text(&found.to_string())),
                        ("expected", Value::text(&number.expected.to_string())),
                    ];
                    findings.add(Rule::IdentityNumberCheckDigit, path, values);
                } else {
                    findings.add(Rule::IdentityNumberDoubtful, path, []);
                }
            }
        }
    }
}

fn is_declared(identifier: &Json<'_>) -> bool {
    let kind = identifier.get("type");
    let said = [identifier.text_at("system"), kind.text_at("text")];
    let displays = kind.get("coding").items().iter().map(|coding| coding.text_at("display"));
    let names_it = |text: &str| {
        let text = text.to_lowercase();
        SYSTEMS.iter().any(|system| text.contains(system)) || text.contains("resident identity")
    };
    text::has_code(kind, TYPES) || said.into_iter().chain(displays).flatten().any(names_it)
}

/// The form before 1999: 15 digits without a check character.
fn is_old(value: &str) -> bool {
    let value = value.trim();
    value.len() == 15 && value.bytes().all(|b| b.is_ascii_digit())
}

/// Reads what has the form of a number: digits, a province and a day that exist.
fn read(value: &str) -> Option<Number<'_>> {
    let text = value.trim();
    let bytes = text.as_bytes();
    let digits = bytes.get(..17)?;
    let last = bytes.get(17)?;
    let is_form = bytes.len() == 18
        && digits.iter().all(u8::is_ascii_digit)
        && (last.is_ascii_digit() || matches!(last, b'x' | b'X'));
    if !is_form || !PROVINCES.contains(&((digits[0] - b'0') * 10 + (digits[1] - b'0'))) {
        return None;
    }
    let birth_date = format!("{}-{}-{}", text.get(6..10)?, text.get(10..12)?, text.get(12..14)?);
    unix_seconds(&birth_date)?;
    let year: u32 = text.get(6..10)?.parse().ok()?;
    if !(1850..2200).contains(&year) {
        return None;
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let expected = char::from(CHECK_CHARACTERS[(sum % 11) as usize]);
    Some(Number { text, birth_date, is_male: (digits[16] - b'0') % 2 == 1, expected })
}

/// Holds the birth date and the sex inside a good number against the Patient's.
fn inside(number: &Number<'_>, patient: &Json<'_>, path: String, findings: &mut Findings) {
    if let Some(stated) = patient.text_at("birthDate")
        && unix_seconds(stated).is_some()
        && !number.birth_date.starts_with(stated.trim())
    {
        let values = [("stated", Value::date(stated)), ("in_number", Value::date(&number.birth_date))];
        findings.add(Rule::IdentityNumberBirthDate, path.clone(), values);
    }
    let in_number = if number.is_male { "male" } else { "female" };
    if let Some(stated @ ("male" | "female")) = patient.text_at("gender")
        && stated != in_number
    {
        let values = [("stated", Value::text(stated)), ("in_number", Value::text(in_number))];
        findings.add(Rule::IdentityNumberSex, path, values);
    }
}
