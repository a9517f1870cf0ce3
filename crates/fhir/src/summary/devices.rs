//! Implants and other devices in use.

use std::collections::BTreeSet;

use super::absence::{Statements, of_concept};
use super::{DeviceEntry, Item, Place, Records, Section, Statement, close, newest_first};
use crate::date::RecordDate;
use crate::limits::MAX_SUMMARY_ENTRIES;
use crate::text;
use crate::title::{date_of, title_of};

/// LOINC section code for medical devices in documents.
const SECTIONS: &[&str] = &["46264-8"];

pub(super) fn section(records: &Records<'_>) -> Section<DeviceEntry> {
    let mut statements = Statements::default();
    let mut entries = Vec::new();
    let mut ended = BTreeSet::new();
    let mut shown = BTreeSet::new();
    let uses = || records.of_type("DeviceUseStatement").chain(records.of_type("DeviceUsage"));
    for usage in uses() {
        let device = records.resolve(usage, "Device", usage.json.get("device"));
        if !matches!(usage.json.text_at("status"), None | Some("active")) {
            ended.extend(device.map(place));
            continue;
        }
        if device.is_some_and(|device| !is_in_use(device)) {
            continue;
        }
        let name = device.and_then(|device| title_of("Device", &device.json));
        let name = name.or_else(|| title_of(usage.resource_type, &usage.json));
        shown.extend(device.map(place));
        entries.push(entry(name, device.unwrap_or(usage), usage));
    }
    // A device that belongs to no patient is the software or the apparatus that made the records.
    let own =
        records.of_type("Device").filter(|device| !device.json.get("patient").is_null() && is_in_use(device));
    for device in own.filter(|device| !shown.contains(&place(device)) && !ended.contains(&place(device))) {
        match of_concept(device.json.get("type")) {
            Some(absence) => {
                let text = text::concept(device.json.get("type")).unwrap_or_default();
                statements.add(absence, Statement { text, date: None, source: device.source() });
            }
            None => entries.push(entry(title_of("Device", &device.json), device, device)),
        }
    }
    statements.add_empty_sections(records, SECTIONS);
    entries
        .sort_by(|a, b| newest_first(&a.date).cmp(&newest_first(&b.date)).then_with(|| a.name.cmp(&b.name)));
    close(entries, statements, MAX_SUMMARY_ENTRIES)
}

fn place<'a>(item: &Item<'a>) -> Place<'a> {
    (item.hospital, item.id)
}

fn is_in_use(device: &Item<'_>) -> bool {
    matches!(device.json.text_at("status"), None | Some("active" | "unknown"))
}

fn entry(name: Option<String>, device: &Item<'_>, dated: &Item<'_>) -> DeviceEntry {
    let maker =
        [device.json.get("manufacturer"), device.json.get("modelNumber")].into_iter().filter_map(text::of);
    let made = || device.json.text_at("manufactureDate").map(RecordDate::new);
    DeviceEntry {
        name: name.unwrap_or_else(|| device.resource_type.to_owned()),
        model: text::join(maker),
        date: date_of(&dated.json).or_else(made),
        source: device.source(),
    }
}
