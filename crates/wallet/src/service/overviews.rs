//! Two views across all records: what was measured, test by test, and which medicines the records tell of.

use amulet_app_api::records::{MedicineStanding, MedicineView, TrendView};
use amulet_app_api::{ApiError, records::LabsView, records::MedicinesView};
use amulet_fhir::view::{FactLabel, RecordDetail, describe};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::session::OpenRecord;
use super::trends::{self, Source};
use super::versions::{Version, outdated};

/// Resources by which a medicine is ordered or said to be taken. What was handed out or given once is in the list of records.
const MEDICINES: [&str; 2] = ["MedicationRequest", "MedicationStatement"];

impl Service {
    /// Every test that was measured, the one measured last first.
    pub(super) async fn labs(&self) -> Result<LabsView, ApiError> {
        let person = self.patient()?;
        let loaded = self.load_all(&person).await?;
        let sources: Vec<Source<'_>> = loaded.records.iter().map(|record| Source::of(record)).collect();
        let mut tests: Vec<TrendView> = trends::every_test(&sources);
        tests.sort_by_key(|test| std::cmp::Reverse(test.points.first().and_then(|point| point.at)));
        Ok(LabsView { tests, missing: loaded.missing })
    }

    /// Every medicine that a record orders or tells of, as the record has it.
    pub(super) async fn medicines(&self) -> Result<MedicinesView, ApiError> {
        let person = self.patient()?;
        let loaded = self.load_all(&person).await?;
        let outdated = replaced(&loaded.records);
        let current = loaded.records.iter().filter(|record| !outdated.contains(&record.meta.entry.id));
        let mut found: Vec<(Option<i64>, MedicineView)> =
            current.filter_map(|record| Some((record.moment, medicine(record)?))).collect();
        found.sort_by_key(|(moment, medicine)| (medicine.standing, std::cmp::Reverse(*moment)));
        let medicines = found.into_iter().map(|(_, medicine)| medicine).collect();
        Ok(MedicinesView { medicines, missing: loaded.missing })
    }
}

fn replaced(records: &[Arc<OpenRecord>]) -> BTreeSet<amulet_protocol::ids::RecordId> {
    let version = |record: &Arc<OpenRecord>| Version {
        id: record.meta.entry.id,
        hospital: record.meta.provider,
        replaces: record.plain.replaces,
    };
    outdated(&records.iter().map(version).collect::<Vec<_>>())
}

/// `None` for other records, and for what was entered in error.
fn medicine(record: &OpenRecord) -> Option<MedicineView> {
    if !MEDICINES.contains(&record.plain.resource_type.as_str()) {
        return None;
    }
    let detail = describe(&record.plain.content).ok()?;
    let standing = standing(detail.status.as_deref())?;
    Some(MedicineView {
        record: record.meta.entry.id.to_string(),
        name: record.line.title.clone(),
        dose: fact(&detail, FactLabel::Dose),
        standing,
        since: record.line.date.clone(),
        by: fact(&detail, FactLabel::Requester),
        hospital: record.line.hospital.clone(),
    })
}

fn fact(detail: &RecordDetail, label: FactLabel) -> Option<String> {
    detail.facts.iter().find(|fact| fact.label == label).map(|fact| fact.value.clone())
}

/// FHIR R4, value sets `medicationrequest-status` and `medication-statement-status`.
fn standing(status: Option<&str>) -> Option<MedicineStanding> {
    Some(match status {
        Some("active" | "intended") => MedicineStanding::Current,
        Some("on-hold") => MedicineStanding::OnHold,
        Some("completed" | "stopped" | "cancelled" | "not-taken") => MedicineStanding::Past,
        Some("entered-in-error") => return None,
        // What the record does not say nobody guesses.
        _ => MedicineStanding::NotSaid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_record_says_counts_as_current() {
        assert_eq!(standing(Some("active")), Some(MedicineStanding::Current));
        assert_eq!(standing(Some("stopped")), Some(MedicineStanding::Past));
        assert_eq!(standing(Some("entered-in-error")), None);
        for unclear in [None, Some("unknown"), Some("draft"), Some("whatever")] {
            assert_eq!(standing(unclear), Some(MedicineStanding::NotSaid));
        }
    }
}
