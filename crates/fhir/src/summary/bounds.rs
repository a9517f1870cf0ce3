//! Bounds of a summary that came from outside, such as one decrypted from a vault.

use thiserror::Error;

use super::{EmergencySummary, Section};
use crate::limits::{MAX_SUMMARY_ENTRIES, MAX_SUMMARY_IMMUNIZATIONS};

/// A list of the summary is longer than any that [`super::summarize`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the summary's {list} has {found} entries, more than {limit}")]
pub struct SummaryOutOfBounds {
    /// Which list.
    pub list: &'static str,
    /// Its length.
    pub found: usize,
    /// Its bound.
    pub limit: usize,
}

impl EmergencySummary {
    /// Checks a summary that was decoded from outside.
    ///
    /// # Errors
    /// [`SummaryOutOfBounds`] names the first list that is too long.
    pub fn check_bounds(&self) -> Result<(), SummaryOutOfBounds> {
        within("blood group sources", self.blood_group.as_ref().map_or(0, |group| group.sources.len()), 2)?;
        within("contacts", self.contacts.len(), MAX_SUMMARY_ENTRIES)?;
        section("allergies", &self.allergies, MAX_SUMMARY_ENTRIES)?;
        section("medicines", &self.medicines, MAX_SUMMARY_ENTRIES)?;
        section("conditions", &self.conditions, MAX_SUMMARY_ENTRIES)?;
        section("devices", &self.devices, MAX_SUMMARY_ENTRIES)?;
        section("immunizations", &self.immunizations, MAX_SUMMARY_IMMUNIZATIONS)
    }
}

fn section<T>(list: &'static str, section: &Section<T>, limit: usize) -> Result<(), SummaryOutOfBounds> {
    within(list, section.entries.len(), limit)?;
    within(list, section.statements.len(), MAX_SUMMARY_ENTRIES)
}

fn within(list: &'static str, found: usize, limit: usize) -> Result<(), SummaryOutOfBounds> {
    if found > limit { Err(SummaryOutOfBounds { list, found, limit }) } else { Ok(()) }
}
