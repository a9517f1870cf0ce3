//! The patient summary as a file: for a doctor who has none of the records, in the form that programs abroad read.

use amulet_app_api::ApiError;
use amulet_app_api::files::SavedSummaryView;
use amulet_app_api::wallet::Language;
use amulet_fhir::ips::{IpsDocument, IpsOptions, IpsRecord, ips_document};
use amulet_fhir::quality::Language as FhirLanguage;
use amulet_protocol::ids::TxId;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Service;
use super::session::{OpenRecord, Person};
use crate::{convert, dates};

/// What the summary says of a record beside its content, as text.
struct Origin {
    record: String,
    replaces: Option<String>,
    hospital: String,
    hospital_name: String,
    registered_at: i64,
}

/// A summary, and how many records it should have had and has not.
pub(super) struct Summary {
    pub document: IpsDocument,
    pub missing: u64,
}

impl Summary {
    /// Records that its sections list.
    pub fn listed(&self) -> u64 {
        self.document.sections.iter().map(|(_, count)| *count as u64).sum()
    }
}

impl Service {
    /// Makes the summary of all records that can be had, and hands it out.
    pub(super) async fn save_summary(&self, language: Language) -> Result<SavedSummaryView, ApiError> {
        let person = self.patient()?;
        let summary = self.summary(&person, language).await?;
        let day = dates::day_at(seconds(self.now().0)).map(dates::text_of).unwrap_or_default();
        let (listed, missing) = (summary.listed(), summary.missing);
        let IpsDocument { json, left_out, core, .. } = summary.document;
        let file = self.hand_out(format!("amulet-summary-{day}.json"), json).await?;
        Ok(SavedSummaryView { file, listed, left_out: left_out as u64, core: core as u64, missing })
    }

    /// The summary of all records that can be had.
    pub(super) async fn summary(&self, person: &Person, language: Language) -> Result<Summary, ApiError> {
        let loaded = self.load_all(person).await?;
        let made_at = seconds(self.now().0);
        let missing = usize::try_from(loaded.missing).unwrap_or(usize::MAX);
        let language = match language {
            Language::En => FhirLanguage::En,
            Language::Zh => FhirLanguage::Zh,
        };
        let options = IpsOptions { made_at, name: &person.owner.name, language, missing };
        let document = self.summary_document(person, &loaded.records, &options);
        let missing = loaded.missing.saturating_add(document.unreadable as u64);
        Ok(Summary { document, missing })
    }

    fn summary_document(
        &self,
        person: &Person,
        records: &[Arc<OpenRecord>],
        options: &IpsOptions<'_>,
    ) -> IpsDocument {
        let entries = person.sessions().iter().flat_map(|session| session.entries());
        let times: BTreeMap<TxId, i64> =
            entries.map(|entry| (entry.transaction, seconds(entry.time.0))).collect();
        let origins: Vec<Origin> = records
            .iter()
            .map(|record| {
                let hospital = self.hospital_view(&record.meta.provider);
                Origin {
                    record: record.meta.entry.id.to_string(),
                    replaces: record.plain.replaces.map(|id| id.to_string()),
                    hospital: record.meta.provider.to_string(),
                    hospital_name: match options.language {
                        FhirLanguage::En => hospital.name_en,
                        FhirLanguage::Zh => hospital.name_zh,
                    },
                    registered_at: times.get(&record.meta.transaction).copied().unwrap_or_default(),
                }
            })
            .collect();
        let all = records.iter().zip(&origins).map(|(record, origin)| IpsRecord {
            record: &origin.record,
            replaces: origin.replaces.as_deref(),
            resource_type: &record.plain.resource_type,
            resource_id: &record.plain.resource_id,
            hospital: &origin.hospital,
            hospital_name: &origin.hospital_name,
            registered_at: origin.registered_at,
            class: convert::fhir_class(record.meta.entry.class),
            content: &record.plain.content,
        });
        ips_document(all, options)
    }
}

/// Seconds of the ledger's milliseconds.
pub(super) fn seconds(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds / 1_000).unwrap_or(i64::MAX)
}
