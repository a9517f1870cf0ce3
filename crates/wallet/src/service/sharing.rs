//! Requests from the patient's side: who asks, what exactly it would open, yes and no.

use amulet_app_api::access::{ExposureView, GrantRequest, RequestView, ShareView, SharingView};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::content::ContentKey;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::AgreementPublicKey;
use amulet_protocol::calls::{Call, DeclineAccess, GrantAccess, GrantId, RequestId};
use amulet_protocol::consent::{Category, DataClass, Purpose, RecordDates};
use amulet_protocol::grant::{GrantState, Term};
use amulet_protocol::grant_keys::{GrantKeys, KeyBinding, SealedKeys};
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::state::{Answer, Identity, RequestState, StateKey};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::error::internal;
use super::ledger::tx_id;
use super::preferences::Settled;
use super::records::counts;
use super::session::{OpenRecord, Session};
use super::shares::{is_over, use_limit};
use crate::{convert, dates};

/// How far this device's clock may run ahead of the hospitals' before a grant would be refused as longer than asked for,
/// in milliseconds: what hospitals allow each other.
const CLOCK_MARGIN_MS: u64 = 120_000;

impl Service {
    /// Requests and shares.
    pub(super) async fn sharing(&self) -> Result<SharingView, ApiError> {
        let person = self.patient()?;
        let checked = self.follow_all(&person).await?;
        let (mut waiting, mut active, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for session in person.sessions() {
            waiting.extend(self.waiting(session).await?);
            for (id, grant) in self.grants(session).await? {
                let view = self.share_view(session, id, &grant).await?;
                if is_over(&grant, self.judged_at()) { ended.push(view) } else { active.push(view) }
            }
        }
        waiting.sort_by_key(|request| request.asked_at);
        active.sort_by_key(|share| Reverse(share.granted_at));
        ended.sort_by_key(|share| Reverse(share.granted_at));
        Ok(SharingView { waiting, active, ended, checked: Some(checked) })
    }

    /// Requests to one identity that wait for an answer, oldest first.
    pub(super) async fn waiting(&self, session: &Session) -> Result<Vec<RequestView>, ApiError> {
        let mut answered = BTreeSet::new();
        let mut asked = Vec::new();
        for entry in session.entries() {
            match entry.event {
                Event::AccessRequested { request, patient, .. } if patient == session.did() => {
                    asked.push(request)
                }
                Event::AccessGranted { request: Some(request), .. }
                | Event::AccessDeclined { request, .. } => {
                    answered.insert(request);
                }
                _ => {}
            }
        }
        asked.retain(|request| !answered.contains(request));
        let keys: Vec<StateKey> = asked.iter().map(|id| StateKey::Request(*id)).collect();
        let states = self.states_of::<RequestState>(&keys).await?;
        let now = self.judged_at();
        let mut waiting = Vec::new();
        for (id, state) in asked.into_iter().zip(states) {
            let Some(state) = state else { continue };
            if state.answer == Answer::Waiting && state.answer_by >= now {
                waiting.push(self.request_view(session, id, &state).await?);
            }
        }
        Ok(waiting)
    }

    async fn request_view(
        &self,
        session: &Session,
        id: RequestId,
        state: &RequestState,
    ) -> Result<RequestView, ApiError> {
        Ok(RequestView {
            id: id.to_string(),
            from: self.practitioner(session, state.practitioner).await?,
            relationship: self.hospital_view(&session.identity.hospital),
            staff: state.grantee.staff().map(|staff| self.staff_view(staff)),
            categories: state.categories.iter().map(|category| convert::category(*category)).collect(),
            records_from: state.record_dates.from.map(dates::text_of),
            records_to: state.record_dates.to.map(dates::text_of),
            purpose: convert::purpose(state.purpose),
            access_until: self.now().plus_millis(state.access_ms).0,
            answer_by: state.answer_by.0,
            asked_at: state.asked_at.0,
        })
    }

    /// What a request would expose.
    pub(super) async fn exposure(&self, request: &str) -> Result<ExposureView, ApiError> {
        let (session, id, state) = self.open_request(request).await?;
        let records = self.exposed(&session, &state).await?;
        let settled = Settled::of(&session.owner);
        Ok(ExposureView {
            withheld: settled.withheld(state.categories.iter()),
            ask: settled.asked_about(state.categories.iter()),
            missing: unopened(&session, &state.categories),
            request: self.request_view(&session, id, &state).await?,
            counts: counts(records.iter().map(|record| record.line.category)),
            records: records.iter().map(|record| record.line.clone()).collect(),
        })
    }

    /// A request to this patient that can still be answered, with the session of the identity that was asked.
    async fn open_request(&self, request: &str) -> Result<(Arc<Session>, RequestId, RequestState), ApiError> {
        let person = self.patient()?;
        let id = RequestId(tx_id(request)?);
        self.fresh().await?;
        let state: Option<RequestState> = self.state_of(StateKey::Request(id)).await?;
        let own = state.and_then(|state| Some((Arc::clone(person.session_of(state.patient)?), state)));
        let (session, state) = own.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        self.follow(&session).await?;
        match state.answer {
            Answer::Waiting => Ok((session, id, state)),
            Answer::Granted(_) | Answer::Declined(_) => {
                Err(ApiError::new(ErrorCode::Refused).with("reason", "already_answered"))
            }
        }
    }

    /// The records that a request covers: of its categories and dates, readable now, and allowed to leave their hospital.
    async fn exposed(
        &self,
        session: &Session,
        state: &RequestState,
    ) -> Result<Vec<Arc<OpenRecord>>, ApiError> {
        self.open_to(session, &state.categories, state.record_dates).await
    }

    /// The records of these categories and dates that can be given: readable now, allowed to leave their hospital, and of no
    /// category that the patient gives to nobody.
    pub(super) async fn open_to(
        &self,
        session: &Session,
        categories: &[Category],
        dates: RecordDates,
    ) -> Result<Vec<Arc<OpenRecord>>, ApiError> {
        let settled = Settled::of(&session.owner);
        let covered = self.load_records(session).await?.into_iter().filter(|record| {
            let entry = &record.meta.entry;
            categories.contains(&entry.category)
                && settled.gives(entry.category)
                && entry.class != DataClass::Core
                && covers(dates, record.moment)
        });
        Ok(covered.collect())
    }

    /// Signs the grant that answers a request.
    pub(super) async fn grant_request(&self, call: &GrantRequest) -> Result<ShareView, ApiError> {
        let (session, request, state) = self.open_request(&call.request).await?;
        let mut records = self.exposed(&session, &state).await?;
        records.retain(|record| call.records.contains(&record.line.id));
        let standing = match call.new_records && state.record_dates.to.is_none() {
            true => Settled::of(&session.owner).standing(state.categories.iter()),
            false => Vec::new(),
        };
        if records.is_empty() && standing.is_empty() {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "records"));
        }
        records.sort_by_key(|record| record.meta.entry.id);
        let grantee =
            if call.only_asker { Grantee::Person(state.practitioner) } else { state.grantee.clone() };
        let task = self.task(Task::Sealing);
        let keys = self.seal_keys(&session, &grantee, state.purpose, Some(request), &records).await?;
        let mut grant = GrantAccess {
            request: Some(request),
            grantee,
            purpose: state.purpose,
            records: records.iter().map(|record| record.meta.entry.id).collect(),
            standing,
            valid_from: None,
            term: Term { valid_until: Timestamp(0), uses_max: None, erase_by: None },
            keys,
        };
        drop(task);
        grant.term.valid_until = self.now().plus_millis(state.access_ms);
        grant.term.uses_max = use_limit(call.uses_max)?;
        let outcome = self.submit(&session, Call::GrantAccess(grant.clone())).await;
        let (id, _) = match outcome {
            Err(error) if is_too_long(&error) && state.access_ms > CLOCK_MARGIN_MS => {
                grant.term.valid_until = self.now().plus_millis(state.access_ms - CLOCK_MARGIN_MS);
                self.submit(&session, Call::GrantAccess(grant)).await?
            }
            outcome => outcome?,
        };
        self.follow(&session).await?;
        let granted: Option<GrantState> = self.state_of(StateKey::Grant(GrantId(id))).await?;
        let granted = granted.ok_or_else(|| internal("a committed grant is not in the state"))?;
        self.share_view(&session, GrantId(id), &granted).await
    }

    /// The records' keys, sealed to whom a grant is for.
    pub(super) async fn seal_keys(
        &self,
        session: &Session,
        grantee: &Grantee,
        purpose: Purpose,
        request: Option<RequestId>,
        records: &[Arc<OpenRecord>],
    ) -> Result<SealedKeys, ApiError> {
        let to: Option<AgreementPublicKey> = match grantee {
            Grantee::Person(did) => {
                let identity: Option<Identity> = self.state_of(StateKey::Identity(*did)).await?;
                identity.map(|identity| identity.agreement)
            }
            Grantee::Staff(staff) | Grantee::Study(Participation { staff, .. }) => {
                self.state_of(StateKey::StaffKey(staff.organisation)).await?
            }
        };
        let to = to.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let key = |record: &Arc<OpenRecord>| {
            (record.meta.entry.id, ContentKey::from_bytes(&record.key.expose_secret()))
        };
        let binding =
            KeyBinding::Grant { patient: session.did(), grantee: grantee.clone(), purpose, request };
        GrantKeys::new(records.iter().map(key).collect())
            .seal(&to, &binding, &mut SystemEntropy)
            .map_err(internal)
    }

    /// Turns a request down.
    pub(super) async fn decline_request(&self, request: &str) -> Result<(), ApiError> {
        let (session, request, _) = self.open_request(request).await?;
        self.submit(&session, Call::DeclineAccess(DeclineAccess { request })).await?;
        Ok(())
    }
}

/// Records of these categories that could be given if they could be had; of what date they are is not known before.
pub(super) fn unopened<'a>(session: &Session, categories: impl IntoIterator<Item = &'a Category>) -> u64 {
    let categories: BTreeSet<&Category> = categories.into_iter().collect();
    let settled = Settled::of(&session.owner);
    let cache = session.cache();
    let closed = cache.records.iter().filter(|meta| {
        let entry = &meta.entry;
        categories.contains(&entry.category)
            && settled.gives(entry.category)
            && entry.class != DataClass::Core
            && !cache.opened.contains_key(&entry.id)
            && !cache.erased.contains(&entry.id)
    });
    closed.count() as u64
}

/// Whether a record of this date is asked for. One without a date is not, where dates are limited: when in doubt, the
/// patient shows less.
pub(super) fn covers(dates: RecordDates, moment: Option<i64>) -> bool {
    if dates == RecordDates::default() {
        return true;
    }
    let Some(day) = moment.and_then(dates::day_at) else { return false };
    dates.from.is_none_or(|from| from <= day) && dates.to.is_none_or(|to| day <= to)
}

fn is_too_long(error: &ApiError) -> bool {
    error.details.get("reason").is_some_and(|reason| reason == "bad_duration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_protocol::consent::Day;

    #[test]
    fn limited_dates_cover_both_ends_and_nothing_undated() {
        let dates = RecordDates { from: Some(Day(10)), to: Some(Day(12)) };
        let at = |day: i64| Some(day * 86_400 + 3_600);
        assert!(covers(dates, at(10)) && covers(dates, at(12)));
        assert!(!covers(dates, at(9)) && !covers(dates, at(13)) && !covers(dates, None));
        assert!(covers(RecordDates::default(), None));
    }
}
