//! Having a record erased: asking for it, how it stands, and what is left of what was.

use amulet_app_api::erasure::{
    ErasedRecordView, ErasureGround, ErasureStanding, HolderReceiptView, KeepReason, RecordErasureView,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::Call;
use amulet_protocol::erasure::{self, ErasureState, RequestErasure};
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::ids::{RecordId, Timestamp};
use amulet_protocol::state::StateKey;
use std::cmp::Reverse;
use std::sync::Arc;

use super::Service;
use super::provenance::Transactions;
use super::records::record_id;
use super::session::{Person, RecordMeta, Session};
use crate::convert;

/// The records that entries say are erased.
pub(super) fn erased_in(entries: &[HistoryEntry], transactions: &Transactions) -> Vec<RecordId> {
    let ordered = entries.iter().filter(|entry| matches!(entry.event, Event::ErasureOrdered { .. }));
    let records =
        ordered.filter_map(|entry| match &transactions.get(&entry.transaction)?.transaction().call {
            Call::OrderErasure(call) => Some(call.records.clone()),
            _ => None,
        });
    records.flatten().collect()
}

impl Service {
    /// How it stands with the erasure of a record of this person, by the ledger's state.
    pub(super) async fn record_erasure(&self, id: &str) -> Result<RecordErasureView, ApiError> {
        let person = self.patient()?;
        self.follow_all(&person).await?;
        let (_, meta) = meta_of(&person, id)?;
        let state: Option<ErasureState> = self.state_of(StateKey::Erasure(meta.entry.id)).await?;
        let standing = self.erasure_standing(state);
        Ok(RecordErasureView { hospital: self.hospital_view(&meta.provider), standing })
    }

    /// Asks the hospital that registered a record to have it erased.
    pub(super) async fn request_erasure(&self, id: &str) -> Result<(), ApiError> {
        let person = self.patient()?;
        self.follow_all(&person).await?;
        let (session, meta) = meta_of(&person, id)?;
        let records = vec![meta.entry.id];
        self.submit(session, Call::RequestErasure(RequestErasure { records })).await?;
        self.follow(session).await?;
        Ok(())
    }

    /// What is left of the records that are erased, newest first.
    pub(super) fn erased_records(&self, person: &Person) -> Vec<ErasedRecordView> {
        let erased = |session: &Arc<Session>| {
            let cache = session.cache();
            let erased = cache.records.iter().filter(|meta| cache.erased.contains(&meta.entry.id));
            erased.cloned().collect::<Vec<_>>()
        };
        let mut metas: Vec<Arc<RecordMeta>> = person.sessions().iter().flat_map(erased).collect();
        metas.sort_by_key(|meta| Reverse(meta.height));
        let view = |meta: Arc<RecordMeta>| ErasedRecordView {
            id: meta.entry.id.to_string(),
            category: convert::category(meta.entry.category),
            hospital: self.hospital_view(&meta.provider),
        };
        metas.into_iter().map(view).collect()
    }

    /// How many records a hospital should have erased, or answered about, and has not in time.
    pub(super) async fn erasures_overdue(&self, session: &Session) -> Result<u64, ApiError> {
        Ok(self.erasures_overdue_since(session).await?.len() as u64)
    }

    /// Those records, each with the moment by which it was due.
    pub(super) async fn erasures_overdue_since(
        &self,
        session: &Session,
    ) -> Result<Vec<(RecordId, Timestamp)>, ApiError> {
        let begun = session.entries().into_iter().filter(|entry| {
            matches!(entry.event, Event::ErasureRequested { .. } | Event::ErasureOrdered { .. })
        });
        let begun: Vec<HistoryEntry> = begun.collect();
        if begun.is_empty() {
            return Ok(Vec::new());
        }
        self.take_these(session, &begun).await?;
        let mut records: Vec<RecordId> = Vec::new();
        for entry in begun {
            match session.transaction(entry.transaction).as_deref().map(|found| &found.transaction().call) {
                Some(Call::RequestErasure(call)) => records.extend(&call.records),
                Some(Call::OrderErasure(call)) => records.extend(&call.records),
                _ => {}
            }
        }
        records.sort_unstable();
        records.dedup();
        let keys: Vec<StateKey> = records.iter().copied().map(StateKey::Erasure).collect();
        let now = self.judged_at();
        let states = self.states_of::<ErasureState>(&keys).await?;
        let found = records.into_iter().zip(states);
        Ok(found.filter_map(|(record, state)| Some((record, overdue_since(&state?, now)?))).collect())
    }

    fn erasure_standing(&self, state: Option<ErasureState>) -> ErasureStanding {
        let now = self.judged_at();
        let overdue = state.as_ref().is_some_and(|state| overdue_since(state, now).is_some());
        match state {
            None => ErasureStanding::None,
            Some(state @ ErasureState::Asked { at, .. }) => {
                let answer_by = state.answer_by().unwrap_or(at).0;
                ErasureStanding::Asked { at: at.0, answer_by, overdue }
            }
            Some(ErasureState::Kept { reason, until, .. }) => {
                ErasureStanding::Kept { reason: keep_reason(reason), until: until.0, over: until <= now }
            }
            Some(ErasureState::Erased(erased)) => ErasureStanding::Erased {
                at: erased.at.0,
                ground: ground(erased.ground),
                confirm_by: erased.confirm_by().0,
                holders: erased
                    .receipts
                    .iter()
                    .map(|(holder, confirmed)| HolderReceiptView {
                        hospital: self.hospital_view(holder),
                        confirmed_at: confirmed.map(|at| at.0),
                    })
                    .collect(),
                overdue,
            },
        }
    }
}

/// A record of the person, with the identity that it was registered for.
fn meta_of<'a>(person: &'a Person, id: &str) -> Result<(&'a Arc<Session>, Arc<RecordMeta>), ApiError> {
    let id = record_id(id)?;
    let not_found = || ApiError::new(ErrorCode::NotFound);
    let session = person.session_with(id).ok_or_else(not_found)?;
    let meta = session.cache().records.iter().find(|meta| meta.entry.id == id).cloned();
    Ok((session, meta.ok_or_else(not_found)?))
}

/// Since when a hospital's answer or the proof of erasure is overdue, if it is at `now`.
fn overdue_since(state: &ErasureState, now: Timestamp) -> Option<Timestamp> {
    let due = match state {
        ErasureState::Asked { .. } => state.answer_by(),
        ErasureState::Kept { .. } => None,
        ErasureState::Erased(erased) => (!erased.is_proven()).then(|| erased.confirm_by()),
    };
    due.filter(|by| *by <= now)
}

pub(super) fn ground(ground: erasure::ErasureGround) -> ErasureGround {
    match ground {
        erasure::ErasureGround::PatientAsked => ErasureGround::PatientAsked,
        erasure::ErasureGround::RetentionOver => ErasureGround::RetentionOver,
        erasure::ErasureGround::RegisteredInError => ErasureGround::RegisteredInError,
        erasure::ErasureGround::Ordered => ErasureGround::Ordered,
    }
}

pub(super) fn keep_reason(reason: erasure::KeepReason) -> KeepReason {
    match reason {
        erasure::KeepReason::Retention => KeepReason::Retention,
        erasure::KeepReason::Dispute => KeepReason::Dispute,
        erasure::KeepReason::PublicHealth => KeepReason::PublicHealth,
    }
}
