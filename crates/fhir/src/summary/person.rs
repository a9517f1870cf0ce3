//! Who the patient is, whom to call, and the blood group.

use super::{BloodGroup, ContactEntry, Item, PersonLine, Records, newest_first};
use crate::blood::{ABO, ABO_AND_RH, RH, letters, sign};
use crate::facts::value_of;
use crate::json::Json;
use crate::limits::MAX_SUMMARY_ENTRIES;
use crate::text;
use crate::title::date_of;

pub(super) fn person(records: &Records<'_>) -> Option<PersonLine> {
    let item = records.of_type("Patient").next()?;
    let json = &item.json;
    Some(PersonLine {
        name: text::human_name(json.get("name")),
        sex: text::of(json.get("gender")),
        birth_date: text::of(json.get("birthDate")),
        deceased: json.get("deceasedBoolean").is_true() || !json.get("deceasedDateTime").is_null(),
        source: item.source(),
    })
}

/// Emergency contacts first, then next of kin, then others, as the Patient record and RelatedPerson records have them.
pub(super) fn contacts(records: &Records<'_>) -> Vec<ContactEntry> {
    let inner = records
        .of_type("Patient")
        .flat_map(|item| item.json.get("contact").items().iter().map(move |c| (item, c)));
    let related = records
        .of_type("RelatedPerson")
        .filter(|item| !matches!(item.json.get("active"), Json::Bool(false)))
        .map(|item| (item, &item.json));
    let mut ranked: Vec<(u8, ContactEntry)> = inner
        .chain(related)
        .filter(|(_, contact)| contact.get("period").get("end").is_null())
        .map(|(item, contact)| (contact_rank(contact), contact_entry(item, contact)))
        .filter(|(_, entry)| entry.name.is_some() || entry.phone.is_some())
        .collect();
    ranked.sort_by_key(|(rank, entry)| (entry.phone.is_none(), *rank));
    ranked.truncate(MAX_SUMMARY_ENTRIES);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// HL7 v2 table 0131: C emergency contact, N next of kin; `ECON` and `NOK` in v3.
fn contact_rank(contact: &Json<'_>) -> u8 {
    let relationship = contact.get("relationship");
    if text::has_code(relationship, &["C", "ECON"]) {
        0
    } else if text::has_code(relationship, &["N", "NOK"]) {
        1
    } else {
        2
    }
}

fn contact_entry(item: &Item<'_>, contact: &Json<'_>) -> ContactEntry {
    ContactEntry {
        name: text::human_name(contact.get("name")),
        relationship: text::concepts(contact.get("relationship")),
        phone: text::phone(contact.get("telecom")),
        source: item.source(),
    }
}

/// The newest final blood group: ABO and Rh together, else put together from the two.
pub(super) fn blood_group(records: &Records<'_>) -> Option<BloodGroup> {
    let whole = results(records, ABO_AND_RH);
    let abo = results(records, ABO);
    let rh = results(records, RH);
    if let Some((item, value)) = whole.first() {
        let is_contradicted = differ(&whole)
            || differ(&abo)
            || differ(&rh)
            || abo.first().is_some_and(|(_, abo)| contradicts(value, abo, letters))
            || rh.first().is_some_and(|(_, rh)| contradicts(value, rh, sign));
        return Some(BloodGroup {
            value: value.clone(),
            date: date_of(&item.json),
            is_contradicted,
            sources: vec![item.source()],
        });
    }
    let (abo_item, abo_value) = abo.first()?;
    let newest_rh = rh.first();
    let value = match newest_rh {
        Some((_, rh_value)) => text::line(&format!("{abo_value}, {rh_value}")),
        None => abo_value.clone(),
    };
    Some(BloodGroup {
        value,
        date: date_of(&abo_item.json),
        is_contradicted: differ(&abo) || differ(&rh),
        sources: [Some(abo_item), newest_rh.map(|(item, _)| item)]
            .into_iter()
            .flatten()
            .map(|i| i.source())
            .collect(),
    })
}

/// Final results with one of these codes, newest first.
fn results<'r, 'a>(records: &'r Records<'a>, codes: &[&str]) -> Vec<(&'r Item<'a>, String)> {
    let mut found: Vec<(&Item<'_>, String)> = records
        .of_type("Observation")
        .filter(|item| text::has_code(item.json.get("code"), codes))
        .filter(|item| matches!(item.json.text_at("status"), Some("final" | "amended" | "corrected")))
        .filter(|item| item.json.get("dataAbsentReason").is_null())
        .filter_map(|item| value_of(&item.json).map(|value| (item, value)))
        .collect();
    found.sort_by_key(|(item, _)| newest_first(&date_of(&item.json)));
    found
}

/// Whether results say different things. What both parse to decides where it can be told, else the text.
fn differ(results: &[(&Item<'_>, String)]) -> bool {
    let meaning = |value: &str| match (letters(value), sign(value)) {
        (None, None) => value.to_lowercase(),
        read => format!("{read:?}"),
    };
    results.windows(2).any(|pair| meaning(&pair[0].1) != meaning(&pair[1].1))
}

fn contradicts<T: PartialEq>(a: &str, b: &str, read: impl Fn(&str) -> Option<T>) -> bool {
    matches!((read(a), read(b)), (Some(a), Some(b)) if a != b)
}
