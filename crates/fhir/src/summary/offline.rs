//! The few facts that a card may show without any check, because a rescuer may have no network.
//!
//! These are suggestions: the patient chooses what the card shows.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{EmergencySummary, SectionState, Source};
use crate::limits::MAX_OFFLINE_ALLERGIES;
use crate::text::short_fact;

/// What an offline fact is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OfflineFactKind {
    /// The blood group.
    BloodGroup = 0,
    /// One of the worst allergies, with its reaction.
    Allergy = 1,
    /// A record says that no allergies are known; the text is the record's.
    NoKnownAllergies = 2,
    /// Whom to call.
    Contact = 3,
}

/// One short fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct OfflineFact {
    /// What it is.
    pub kind: OfflineFactKind,
    /// The fact, at most [`crate::limits::MAX_OFFLINE_FACT_CHARS`] characters.
    pub text: String,
    /// The record it comes from.
    pub source: Source,
}

/// The facts to suggest: blood group, the worst allergies, one contact with a phone number. A contradicted blood group is
/// left out, and "no known allergies" is suggested only where a record says exactly that.
#[must_use]
pub fn offline_facts(summary: &EmergencySummary) -> Vec<OfflineFact> {
    let mut facts = Vec::new();
    let mut add = |kind, text: &str, source: &Source| {
        facts.push(OfflineFact { kind, text: short_fact(text), source: source.clone() });
    };
    if let Some(group) = summary.blood_group.as_ref().filter(|group| !group.is_contradicted)
        && let Some(source) = group.sources.first()
    {
        add(OfflineFactKind::BloodGroup, &group.value, source);
    }
    // What several hospitals know takes one place: the first is the gravest.
    let mut named = BTreeSet::new();
    let different =
        summary.allergies.entries.iter().filter(|allergy| named.insert(allergy.name.to_lowercase()));
    for allergy in different.take(MAX_OFFLINE_ALLERGIES) {
        let reaction = allergy.reaction.as_ref().map(|reaction| format!(" ({reaction})")).unwrap_or_default();
        add(OfflineFactKind::Allergy, &format!("{}{reaction}", allergy.name), &allergy.source);
    }
    if summary.allergies.state == SectionState::NoneKnown
        && let Some(statement) = summary.allergies.statements.first()
    {
        add(OfflineFactKind::NoKnownAllergies, &statement.text, &statement.source);
    }
    let reachable = summary.contacts.iter().find_map(|contact| Some((contact, contact.phone.as_ref()?)));
    if let Some((contact, phone)) = reachable {
        // The number first: it must survive shortening.
        let name = contact.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        add(OfflineFactKind::Contact, &format!("{phone}{name}"), &contact.source);
    }
    facts
}
