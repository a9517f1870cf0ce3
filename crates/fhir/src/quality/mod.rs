//! Quality rules: what is wrong, or looks wrong, in a file before any of it reaches the ledger.
//!
//! A rule looks at one element, or at two that have to agree, and says what it found as a [`Finding`]: a stable code, a
//! severity, where, and the values it compared. Three severities, by what can be done about it:
//!
//! - **Refuse**: it can't be true of a living person, or it puts in doubt whose records these are. The whole file goes back
//!   to the sender.
//! - **Flag**: it may be true, but rarely is. The record waits for a person; a doubt about the Patient holds the whole file.
//! - **Note**: said, and nothing else.
//!
//! The rules have no clock: what day it is comes in as [`Given::today`], and a rule only speaks when no reading of a partial
//! date could be right.

mod blood_group;
pub(crate) mod codes;
mod dates;
mod elements;
mod finding;
mod identity_number;
mod measure_table;
mod measures;
mod outcome;
mod person;
mod pressure;
mod references;
mod release;
mod required;
mod rule;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

pub use blood_group::BloodGroup;
pub use finding::{Finding, Findings, Value};
pub use outcome::{operation_outcome, operation_outcome_of};
pub use rule::{Language, Rule, Severity};

use crate::class::DataClass;
use crate::json::Json;
use person::Person;

/// What the file itself can't tell.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Now, in seconds since 1970-01-01T00:00:00Z. Without it nothing is in the future.
    pub today: Option<i64>,
    /// The patient's blood group by earlier records, where one is known.
    pub blood_group: Option<BloodGroup>,
    /// The FHIR id of the Patient whose records are wanted, for files with several patients or with none.
    pub subject: Option<String>,
    /// Classes that the hospital sets by hand, by `Type/id`.
    pub classes: BTreeMap<String, DataClass>,
}

/// What the rules need of one entry once all entries were read.
#[derive(Debug, Default)]
pub(crate) struct Clues {
    person: Option<Person>,
    happened: Vec<dates::Dated>,
    stated_ages: Vec<dates::StatedAge>,
    references: Vec<references::Link>,
    blood_group: Option<BloodGroup>,
}

/// One entry for the second pass.
pub(crate) struct Examined<'a> {
    /// `Type/id`.
    pub label: &'a str,
    /// What the first pass noted.
    pub clues: &'a Clues,
}

/// First pass: everything that one resource alone can show.
pub(crate) fn examine(
    label: &str,
    resource_type: &str,
    json: &Json<'_>,
    given: &Given,
) -> (Clues, Vec<Finding>) {
    let mut findings = Findings::of(label);
    let mut clues = Clues::default();
    required::check(resource_type, json, &mut findings);
    release::check(resource_type, json, &mut findings);
    clues.happened = dates::check(resource_type, json, given.today, &mut findings);
    if resource_type == "Observation" {
        if !pressure::check(json, &mut findings) {
            measures::check(json, &mut findings);
        }
        clues.stated_ages.extend(dates::stated_age(json));
        clues.blood_group = blood_group::of(json);
    }
    if resource_type == "Condition" {
        clues.stated_ages.extend(dates::age_at_onset(json));
    }
    if resource_type == "Patient" {
        clues.person = Some(person::check(json, given.today, &mut findings));
    }
    clues.references = visit::check(json, &mut findings);
    (clues, findings.into_vec())
}

/// Second pass: what only shows when entries are compared. `names` are all names under which entries can be referred to. Gives
/// each entry's findings, in order.
pub(crate) fn compare(
    entries: &[Examined<'_>],
    names: &BTreeSet<String>,
    is_document: bool,
    given: &Given,
) -> Vec<Vec<Finding>> {
    let mut found = Vec::new();
    let person = entries.iter().find_map(|entry| entry.clues.person.as_ref());
    let mut known_group = given.blood_group.map(|group| (group, "earlier records"));
    for entry in entries {
        let mut findings = Findings::of(entry.label);
        if let Some(person) = person {
            dates::against_birth(&entry.clues.happened, person, &mut findings);
            dates::against_age(&entry.clues.stated_ages, person, &mut findings);
        }
        references::check(&entry.clues.references, names, is_document, &mut findings);
        if let Some(group) = entry.clues.blood_group {
            match known_group {
                Some((known, source)) if known.contradicts(group) => {
                    blood_group::changed(known, source, group, &mut findings);
                }
                Some((known, source)) => known_group = Some((known.joined(group), source)),
                None => known_group = Some((group, entry.label)),
            }
        }
        found.push(findings.into_vec());
    }
    found
}

/// The blood group that the entries agree on, for [`Given::blood_group`] of the next file.
pub(crate) fn agreed_blood_group(entries: &[Examined<'_>]) -> Option<BloodGroup> {
    let mut groups = entries.iter().filter_map(|entry| entry.clues.blood_group);
    let first = groups.next()?;
    groups.try_fold(
        first,
        |known, group| if known.contradicts(group) { None } else { Some(known.joined(group)) },
    )
}
