//! The emergency summary on a clinician's screen, allergies first. Every section is there: "nobody wrote anything", "known
//! to be none" and "the patient left it out" are three different things.

use amulet_app_api::card::SummarySection;
use amulet_app_api::clinician::{EntryView, SectionContent, SectionView};
use amulet_fhir::RecordDate;
use amulet_fhir::summary::{AllergyEntry, EmergencySummary, Section, SectionState, Source, Statement};

use crate::card::{CardSummary, SummaryPart};
use crate::convert;

/// Said of a blood group that records contradict, in both languages of the interface.
const CONTRADICTED: &str = "records disagree, do not rely on it / 记录互相矛盾，请勿依赖";

/// All sections, in the order to show.
pub(super) fn sections(card: &CardSummary) -> Vec<SectionView> {
    let summary = &card.summary;
    let contents = [
        (SummaryPart::Allergies, listed(&summary.allergies, allergy)),
        (SummaryPart::BloodGroup, blood_group(summary)),
        (
            SummaryPart::Medicines,
            listed(&summary.medicines, |entry| {
                let until = entry.until.as_ref().map(|until| format!("→ {until}"));
                plain(&entry.name, join([entry.dose.clone(), until]), &entry.source, entry.date.as_ref())
            }),
        ),
        (
            SummaryPart::Conditions,
            listed(&summary.conditions, |entry| {
                let unsure = entry.verification.clone().filter(|code| code != "confirmed");
                let detail = join([entry.severity.clone(), unsure]);
                plain(&entry.name, detail, &entry.source, entry.date.as_ref())
            }),
        ),
        (
            SummaryPart::Devices,
            listed(&summary.devices, |entry| {
                plain(&entry.name, entry.model.clone(), &entry.source, entry.date.as_ref())
            }),
        ),
        (
            SummaryPart::Immunizations,
            listed(&summary.immunizations, |entry| {
                plain(&entry.name, None, &entry.source, entry.date.as_ref())
            }),
        ),
        (SummaryPart::Contacts, contacts(summary)),
    ];
    contents
        .into_iter()
        .map(|(part, content)| {
            let content = if card.left_out.contains(&part) { SectionContent::LeftOut } else { content };
            SectionView { section: section(part), content }
        })
        .collect()
}

fn section(part: SummaryPart) -> SummarySection {
    convert::section(part)
}

fn listed<T>(section: &Section<T>, view: impl Fn(&T) -> EntryView) -> SectionContent {
    match section.state {
        SectionState::NoInformation => SectionContent::NoInformation,
        SectionState::NoneKnown => SectionContent::KnownNone,
        SectionState::NoneKnownInPart | SectionState::Listed => {
            let mut entries: Vec<EntryView> = section.entries.iter().map(view).collect();
            if section.left_out > 0 {
                entries.push(bare(format!("+ {}", section.left_out)));
            }
            entries.extend(section.statements.iter().map(statement));
            SectionContent::Entries { entries }
        }
    }
}

fn statement(statement: &Statement) -> EntryView {
    plain(&statement.text, None, &statement.source, statement.date.as_ref())
}

fn allergy(entry: &AllergyEntry) -> EntryView {
    let severe = entry.severity.as_deref() == Some("severe");
    let high = entry.criticality.as_deref() == Some("high");
    let unsure = entry.verification.clone().filter(|code| code != "confirmed");
    let detail = join([entry.reaction.clone(), entry.severity.clone(), unsure]);
    EntryView { critical: severe || high, ..plain(&entry.name, detail, &entry.source, entry.date.as_ref()) }
}

fn blood_group(summary: &EmergencySummary) -> SectionContent {
    let Some(group) = &summary.blood_group else { return SectionContent::NoInformation };
    let detail = group.is_contradicted.then(|| CONTRADICTED.to_owned());
    let source = group.sources.first().map(|source| source_text(source, group.date.as_ref()));
    let entry = EntryView { text: group.value.clone(), detail, critical: group.is_contradicted, source };
    SectionContent::Entries { entries: vec![entry] }
}

fn contacts(summary: &EmergencySummary) -> SectionContent {
    if summary.contacts.is_empty() {
        return SectionContent::NoInformation;
    }
    let entries = summary
        .contacts
        .iter()
        .map(|contact| {
            let name = join([contact.name.clone(), contact.relationship.clone()]);
            let text = name.or_else(|| contact.phone.clone()).unwrap_or_default();
            plain(&text, contact.phone.clone().filter(|phone| *phone != text), &contact.source, None)
        })
        .collect();
    SectionContent::Entries { entries }
}

fn plain(text: &str, detail: Option<String>, source: &Source, date: Option<&RecordDate>) -> EntryView {
    EntryView { text: text.to_owned(), detail, critical: false, source: Some(source_text(source, date)) }
}

fn bare(text: String) -> EntryView {
    EntryView { text, detail: None, critical: false, source: None }
}

fn source_text(source: &Source, date: Option<&RecordDate>) -> String {
    match date {
        Some(date) => format!("{}, {}", source.resource_type, date.text.get(..10).unwrap_or(&date.text)),
        None => source.resource_type.clone(),
    }
}

fn join<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_fhir::summary::{RecordRef, summarize};
    use amulet_protocol::ids::Timestamp;

    fn card(records: &[(&'static str, &'static str, &'static str)]) -> CardSummary {
        let records = records
            .iter()
            .map(|(kind, id, json)| (RecordRef { hospital: "h", resource_type: kind, id }, json.as_bytes()));
        CardSummary {
            version: 1,
            made_at: Timestamp(0),
            name: "王芳".to_owned(),
            facts: vec![],
            left_out: vec![],
            summary: summarize(records),
        }
    }

    #[test]
    fn allergies_come_first_and_the_deadly_ones_are_marked() {
        let severe = r#"{"resourceType":"AllergyIntolerance","id":"1","code":{"text":"Penicillin"},"criticality":"high",
            "reaction":[{"manifestation":[{"text":"shock"}],"severity":"severe"}],"recordedDate":"2019-05-01"}"#;
        let mild =
            r#"{"resourceType":"AllergyIntolerance","id":"2","code":{"text":"Pollen"},"criticality":"low"}"#;
        let card = card(&[("AllergyIntolerance", "2", mild), ("AllergyIntolerance", "1", severe)]);
        let sections = sections(&card);
        assert_eq!(sections[0].section, SummarySection::Allergies);
        let SectionContent::Entries { entries } = &sections[0].content else { panic!("no entries") };
        assert_eq!((entries[0].text.as_str(), entries[0].critical), ("Penicillin", true));
        assert_eq!(entries[0].detail.as_deref(), Some("shock, severe"));
        assert_eq!(entries[0].source.as_deref(), Some("AllergyIntolerance, 2019-05-01"));
        assert!(!entries[1].critical);
    }

    #[test]
    fn silence_none_and_left_out_are_told_apart() {
        let none = r#"{"resourceType":"AllergyIntolerance","id":"1","code":{"coding":[{"system":
            "http://snomed.info/sct","code":"716186003","display":"No known allergy"}]}}"#;
        let mut card = card(&[("AllergyIntolerance", "1", none)]);
        card.leave_out(vec![SummaryPart::Medicines]);
        let content = |part: SummarySection| {
            sections(&card).into_iter().find(|view| view.section == part).unwrap().content
        };
        assert_eq!(content(SummarySection::Allergies), SectionContent::KnownNone);
        assert_eq!(content(SummarySection::Conditions), SectionContent::NoInformation);
        assert_eq!(content(SummarySection::Medicines), SectionContent::LeftOut);
    }
}
