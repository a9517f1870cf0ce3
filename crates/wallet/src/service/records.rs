//! The patient's records: found along the history, fetched, decrypted, checked, shown.

use amulet_app_api::access::ProofCheck;
use amulet_app_api::records::{Category, RecordView, TimelineView};
use amulet_app_api::wallet::{CheckedView, Task};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::content::{CONTENT_KEY_BYTES, ContentKey};
use amulet_protocol::ids::RecordId;
use amulet_protocol::light::ReadGround;
use amulet_protocol::record::{RecordPlain, record_key_context};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Service;
use super::blobs::Wanted;
use super::record_view::{LedgerSide, full, line};
use super::session::{OpenRecord, Person, RecordMeta, Session};

/// Blocks whose header is proven along with the timeline, so that its records open with their proof when no hospital answers.
const HEADERS_AHEAD: usize = 16;

/// Records opened, newest first, and how many could not be had.
pub(super) struct Loaded {
    pub records: Vec<Arc<OpenRecord>>,
    pub missing: u64,
    pub checked: CheckedView,
}

impl Service {
    /// The timeline.
    pub(super) async fn records(&self) -> Result<TimelineView, ApiError> {
        let person = self.patient()?;
        let loaded = self.load_all(&person).await?;
        self.prove_headers(&loaded.records).await;
        Ok(TimelineView {
            categories: counts(loaded.records.iter().map(|record| record.line.category)),
            records: loaded.records.iter().map(|record| record.line.clone()).collect(),
            missing: loaded.missing,
            erased: self.erased_records(&person),
            checked: Some(loaded.checked),
        })
    }

    /// Proves the headers of the newest blocks that hold these records; the light client keeps them.
    async fn prove_headers(&self, records: &[Arc<OpenRecord>]) {
        let heights: BTreeSet<_> = records.iter().map(|record| record.meta.height).collect();
        let newest: Vec<_> = heights.into_iter().rev().take(HEADERS_AHEAD).collect();
        // A header that cannot be had now is asked for again when one of its records is opened.
        drop(Box::pin(self.client.headers_at(&newest)).await);
    }

    /// One record in full, with what was checked about it.
    pub(super) async fn record(&self, id: &str) -> Result<RecordView, ApiError> {
        let person = self.patient()?;
        let id = record_id(id)?;
        if person.session_with(id).is_none() {
            self.follow_all(&person).await?;
        }
        let session = person.session_with(id).ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let meta = session.cache().records.iter().find(|meta| meta.entry.id == id).cloned();
        self.open_records(session, meta.into_iter().collect()).await?;
        let opened = session.cache().opened.get(&id).cloned();
        let record = opened.ok_or_else(|| ApiError::new(ErrorCode::RecordUnavailable))?;
        let meta = &record.meta;
        let header = self.client.header_at(meta.height).await.map_err(|error| self.light(error))?;
        // All of a large record is only known when it was saved.
        let ciphertext = Some(ProofCheck::Ciphertext).filter(|_| record.line.large.is_none());
        let checks: Vec<ProofCheck> = [ProofCheck::History].into_iter().chain(ciphertext).collect();
        let proof = self.proof_view(&header, meta.transaction, &checks);
        Ok(full(record.line.clone(), &record.plain, proof))
    }

    /// Opens every record of every identity that can be had.
    pub(super) async fn load_all(&self, person: &Person) -> Result<Loaded, ApiError> {
        let checked = self.follow_all(person).await?;
        let mut all = Loaded { records: Vec::new(), missing: 0, checked };
        for session in person.sessions() {
            let (records, missing) = self.load_followed(session).await?;
            all.records.extend(records);
            all.missing += missing;
        }
        sort(&mut all.records);
        Ok(all)
    }

    /// Opens every record of one identity that can be had; newest first.
    pub(super) async fn load_records(&self, session: &Session) -> Result<Vec<Arc<OpenRecord>>, ApiError> {
        self.follow(session).await?;
        let (mut records, _) = self.load_followed(session).await?;
        sort(&mut records);
        Ok(records)
    }

    async fn load_followed(&self, session: &Session) -> Result<(Vec<Arc<OpenRecord>>, u64), ApiError> {
        let all = session.cache().records.clone();
        let missing = self.open_records(session, all).await? as u64;
        Ok((session.cache().opened.values().cloned().collect(), missing))
    }

    /// Opens those of `metas` that are not open yet; gives the number that could not be had.
    pub(super) async fn open_records(
        &self,
        session: &Session,
        metas: Vec<Arc<RecordMeta>>,
    ) -> Result<usize, ApiError> {
        let _one_at_a_time = session.loading.lock().await;
        let closed: Vec<Arc<RecordMeta>> = {
            let cache = session.cache();
            let closed = |id: &RecordId| !cache.opened.contains_key(id) && !cache.erased.contains(id);
            metas.into_iter().filter(|meta| closed(&meta.entry.id)).collect()
        };
        if closed.is_empty() {
            return Ok(0);
        }
        let task = self.task(Task::Fetching);
        let wanted: Vec<Wanted> = closed
            .iter()
            .map(|meta| Wanted { blob: meta.entry.blob, holders: meta.entry.holders.clone() })
            .collect();
        let mut unreadable = 0;
        let fetched = self
            .fetch_blobs(session, ReadGround::Own, &wanted, &task, |place, ciphertext| {
                match self.open_record(session, &closed[place], &ciphertext) {
                    Some(record) => {
                        session.cache().opened.insert(record.meta.entry.id, Arc::new(record));
                    }
                    None => unreadable += 1,
                }
            })
            .await;
        if fetched.missing == 0 {
            return Ok(unreadable);
        }
        // Nobody gives a large record whole.
        let missing: Vec<Arc<RecordMeta>> = {
            let cache = session.cache();
            closed.into_iter().filter(|meta| !cache.opened.contains_key(&meta.entry.id)).collect()
        };
        let large = self.open_large(session, &missing).await;
        Ok(fetched.missing + unreadable - large)
    }

    /// Decrypts and checks one record; `None` when the hospital sealed something else than it registered.
    fn open_record(
        &self,
        session: &Session,
        meta: &Arc<RecordMeta>,
        ciphertext: &[u8],
    ) -> Option<OpenRecord> {
        let key = record_key(session, meta)?;
        let entry = &meta.entry;
        let patient = session.did();
        let plain =
            RecordPlain::open(ciphertext, &key, entry.id, patient, entry.blob, entry.commitment).ok()?;
        let hospital = self.hospital_view(&meta.provider);
        let side = LedgerSide { id: entry.id, category: entry.category, class: entry.class, hospital };
        let (line, moment) = line(side, &plain);
        Some(OpenRecord { meta: Arc::clone(meta), key, plain, line, moment })
    }
}

/// Newest first, and always in the same order.
fn sort(records: &mut [Arc<OpenRecord>]) {
    records.sort_by(|a, b| {
        let newest = (b.moment.is_some(), b.moment).cmp(&(a.moment.is_some(), a.moment));
        newest.then_with(|| a.line.title.cmp(&b.line.title)).then_with(|| a.line.id.cmp(&b.line.id))
    });
}

/// Reads a record's identifier of the bridge.
pub(super) fn record_id(text: &str) -> Result<RecordId, ApiError> {
    text.parse().map(RecordId).map_err(|_| ErrorCode::BadRequest.into())
}

/// The key of a record, from the box sealed to the patient.
pub(super) fn record_key(session: &Session, meta: &RecordMeta) -> Option<ContentKey> {
    let context = record_key_context(meta.entry.id);
    let bytes = session.identity.open(|key| meta.entry.sealed_key.open(key, &context)).ok()?;
    let bytes: &[u8; CONTENT_KEY_BYTES] = bytes.as_slice().try_into().ok()?;
    Some(ContentKey::from_bytes(bytes))
}

/// Numbers by category in the order of display, no zeroes.
pub(super) fn counts(categories: impl Iterator<Item = Category>) -> Vec<(Category, u64)> {
    let mut counts: BTreeMap<Category, u64> = BTreeMap::new();
    for category in categories {
        *counts.entry(category).or_default() += 1;
    }
    counts.into_iter().collect()
}
