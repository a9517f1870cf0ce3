//! A clinician's requests: finding a patient, asking, and what became of it.

use amulet_app_api::access::DeletionView;
use amulet_app_api::clinician::{
    AskAccess, AskFor, MyAccessState, MyAccessView, MyAccessesView, PatientFoundView,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::{Call, ConfirmDeletion, DeclarationId, GrantId, RequestAccess, RequestId};
use amulet_protocol::consent::{Category, Day, RecordDates};
use amulet_protocol::grant::{Deletion, GrantState, Standing};
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::history::{Event, HistoryHead};
use amulet_protocol::ids::{Did, DidError, Timestamp};
use amulet_protocol::limits::{ACCESS_TIME_MAX_MS, ANSWER_TIME_MAX_MS};
use amulet_protocol::state::{
    Answer, DeclarationState, Identity, Practitioner, RecordState, RequestState, StateKey,
};
use std::collections::{BTreeMap, BTreeSet};

use super::Service;
use super::error::internal;
use super::ledger::tx_id;
use super::session::Session;
use super::shares::deletion_view;
use crate::keyfile::Role;
use crate::{convert, dates};

/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;

impl Service {
    /// Finds a person by their code.
    pub(super) async fn find_patient(&self, code: &str) -> Result<PatientFoundView, ApiError> {
        self.clinician()?;
        let did = parse_did(code)?;
        self.fresh().await?;
        let identity: Option<Identity> = self.state_of(StateKey::Identity(did)).await?;
        identity.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let history = self.client.history(did, HistoryHead::default()).await;
        let history = history.map_err(|error| self.light(error))?;
        let records = history.entries.iter().map(|entry| match entry.event {
            Event::RecordsRegistered { records, .. } => u64::from(records),
            _ => 0,
        });
        Ok(PatientFoundView { did: did.to_string(), records: records.sum() })
    }

    /// Asks a patient for access.
    pub(super) async fn ask_access(&self, call: &AskAccess) -> Result<MyAccessView, ApiError> {
        let session = self.clinician()?;
        self.fresh().await?;
        let request = self.request_of(&session, call).await?;
        let (id, _) = self.submit(&session, Call::RequestAccess(request)).await?;
        let id = RequestId(id);
        let state: Option<RequestState> = self.state_of(StateKey::Request(id)).await?;
        let state = state.ok_or_else(|| internal("a committed request is not in the state"))?;
        Ok(self.request_line(id, &state, None))
    }

    async fn request_of(&self, session: &Session, call: &AskAccess) -> Result<RequestAccess, ApiError> {
        let bad = |field: &str| ApiError::new(ErrorCode::BadRequest).with("field", field);
        let mut categories: Vec<Category> =
            call.categories.iter().map(|category| convert::ledger_category(*category)).collect();
        categories.sort_unstable();
        categories.dedup();
        if categories.is_empty() {
            return Err(bad("categories"));
        }
        let within =
            |hours: u64, limit: u64| hours.checked_mul(HOUR_MS).filter(|ms| (1..=limit).contains(ms));
        let access_ms = within(call.access_hours, ACCESS_TIME_MAX_MS).ok_or_else(|| bad("access_hours"))?;
        let answer_ms = within(call.answer_hours, ANSWER_TIME_MAX_MS).ok_or_else(|| bad("answer_hours"))?;
        let day = |text: &Option<String>, field: &str| -> Result<Option<Day>, ApiError> {
            text.as_ref().map(|text| dates::day_of(text).ok_or_else(|| bad(field))).transpose()
        };
        let record_dates = RecordDates {
            from: day(&call.records_from, "records_from")?,
            to: day(&call.records_to, "records_to")?,
        };
        Ok(RequestAccess {
            patient: parse_did(&call.patient)?,
            staff: self.colleagues(session, call.reader).await?,
            categories,
            record_dates,
            purpose: convert::ledger_purpose(call.purpose),
            answer_by: self.now().plus_millis(answer_ms),
            access_ms,
        })
    }

    /// What this person asked for, may read, and declared; newest first. A patient reads what relatives opened to them.
    pub(super) async fn my_accesses(&self) -> Result<MyAccessesView, ApiError> {
        let person = self.person()?;
        self.follow_all(&person).await?;
        if person.owner.role == Role::Patient {
            let mut accesses = Vec::new();
            for session in person.sessions() {
                accesses.extend(self.given(session).await?);
            }
            accesses.sort_by_key(|access| std::cmp::Reverse(access.at));
            return Ok(MyAccessesView { me: None, accesses });
        }
        let session = person.first();
        let mut accesses = self.my_requests(session).await?;
        accesses.extend(self.given(session).await?);
        accesses.extend(self.my_emergencies(session).await?);
        accesses.sort_by_key(|access| std::cmp::Reverse(access.at));
        let me = Some(self.practitioner(session, session.did()).await?);
        Ok(MyAccessesView { me, accesses })
    }

    async fn my_requests(&self, session: &Session) -> Result<Vec<MyAccessView>, ApiError> {
        let own = session.did();
        let ids: Vec<RequestId> = session
            .entries()
            .iter()
            .filter_map(|entry| match entry.event {
                Event::AccessRequested { request, practitioner, .. } if practitioner == own => Some(request),
                _ => None,
            })
            .collect();
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Request(*id)).collect();
        let states = self.states_of::<RequestState>(&keys).await?;
        let requests: Vec<(RequestId, RequestState)> =
            ids.into_iter().zip(states).filter_map(|(id, state)| Some((id, state?))).collect();
        let granted: Vec<GrantId> = requests
            .iter()
            .filter_map(|(_, state)| match state.answer {
                Answer::Granted(grant) => Some(grant),
                Answer::Waiting | Answer::Declined(_) => None,
            })
            .collect();
        let keys: Vec<StateKey> = granted.iter().map(|id| StateKey::Grant(*id)).collect();
        let grants = self.states_of::<GrantState>(&keys).await?;
        let grants: BTreeMap<GrantId, GrantState> =
            granted.into_iter().zip(grants).filter_map(|(id, grant)| Some((id, grant?))).collect();
        let line = |(id, state): &(RequestId, RequestState)| {
            let grant = match state.answer {
                Answer::Granted(grant) => grants.get(&grant),
                Answer::Waiting | Answer::Declined(_) => None,
            };
            self.request_line(*id, state, grant)
        };
        Ok(requests.iter().map(line).collect())
    }

    /// Signs that everything read under a grant is deleted; it is named by the request that it answers, or by itself.
    pub(super) async fn confirm_deletion(&self, request: &str) -> Result<(), ApiError> {
        let person = self.person()?;
        self.fresh().await?;
        let id = tx_id(request)?;
        let state: Option<RequestState> = self.state_of(StateKey::Request(RequestId(id))).await?;
        let grant = match state.filter(|state| person.session_of(state.practitioner).is_some()) {
            Some(RequestState { answer: Answer::Granted(grant), .. }) => grant,
            Some(_) => return Err(ErrorCode::NotFound.into()),
            // Given unasked, perhaps.
            None => GrantId(id),
        };
        let state: Option<GrantState> = self.state_of(StateKey::Grant(grant)).await?;
        let reader = state.and_then(|state| match state.grantee {
            Grantee::Person(did) => person.session_of(did),
            Grantee::Staff(_) | Grantee::Study(_) => None,
        });
        let session = reader.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        self.submit(session, Call::ConfirmDeletion(ConfirmDeletion { grant })).await?;
        Ok(())
    }

    fn request_line(&self, id: RequestId, state: &RequestState, grant: Option<&GrantState>) -> MyAccessView {
        let now = self.judged_at();
        let found = match (&state.answer, grant) {
            (Answer::Waiting, _) if now <= state.answer_by => {
                MyAccessState::Waiting { answer_by: state.answer_by.0 }
            }
            (Answer::Waiting, _) => MyAccessState::Unanswered,
            (Answer::Declined(_), _) => MyAccessState::Declined,
            (Answer::Granted(id), Some(grant)) => grant_state(*id, grant, now),
            (Answer::Granted(_), None) => MyAccessState::Expired,
        };
        let owed = grant.filter(|grant| matches!(grant.grantee, Grantee::Person(_)));
        let deletion = owed.map_or(Deletion::NotOwed, |grant| grant.deletion(now));
        let staff = grant.map_or(&state.grantee, |grant| &grant.grantee).staff();
        let staff = staff.map(|staff| self.staff_view(staff));
        MyAccessView {
            id: id.to_string(),
            staff,
            patient: state.patient.to_string(),
            state: found,
            purpose: convert::purpose(state.purpose),
            categories: state.categories.iter().map(|category| convert::category(*category)).collect(),
            at: state.asked_at.0,
            deletion: deletion_view(deletion),
        }
    }

    /// The staff for whom a clinician asks.
    async fn colleagues(&self, session: &Session, reader: AskFor) -> Result<Option<Staff>, ApiError> {
        if reader == AskFor::Myself {
            return Ok(None);
        }
        let own: Option<Practitioner> = self.state_of(StateKey::Practitioner(session.did())).await?;
        let own = own.ok_or_else(|| ApiError::new(ErrorCode::NotAClinician))?;
        let department = (reader == AskFor::MyDepartment).then_some(own.department);
        Ok(Some(Staff { organisation: own.organisation, department, role: None }))
    }

    /// Grants that this person was given unasked, or that are for staff of whom they are one; newest first.
    async fn given(&self, session: &Session) -> Result<Vec<MyAccessView>, ApiError> {
        let own = session.did();
        let mut ids: Vec<GrantId> = self.staff_grants(session).await;
        ids.extend(session.entries().iter().filter_map(|entry| match entry.event {
            Event::AccessGranted { grant, request: None, grantee } if grantee == own => Some(grant),
            _ => None,
        }));
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Grant(*id)).collect();
        let states = self.states_of::<GrantState>(&keys).await?;
        let asked = |grant: &GrantState| {
            let entries = session.entries();
            grant.request.is_some_and(|request| {
                entries.iter().any(|entry| match entry.event {
                    Event::AccessRequested { request: other, practitioner, .. } => {
                        other == request && practitioner == own
                    }
                    _ => false,
                })
            })
        };
        let found = ids.into_iter().zip(states).filter_map(|(id, grant)| Some((id, grant?)));
        let mut lines = Vec::new();
        for (id, grant) in found.filter(|(_, grant)| !asked(grant)) {
            lines.push(self.grant_line(id, &self.counted(grant).await?).await?);
        }
        Ok(lines)
    }

    async fn grant_line(&self, id: GrantId, grant: &GrantState) -> Result<MyAccessView, ApiError> {
        let now = self.judged_at();
        let keys: Vec<StateKey> = grant.records.iter().map(|record| StateKey::Record(*record)).collect();
        let records = self.states_of::<RecordState>(&keys).await?;
        let opened = records.into_iter().flatten().map(|record| record.category);
        let categories: BTreeSet<Category> = opened.chain(grant.standing.iter().copied()).collect();
        let staff = grant.grantee.staff().map(|staff| self.staff_view(staff));
        // For staff the organisation owes it.
        let deletion = if staff.is_some() { Deletion::NotOwed } else { grant.deletion(now) };
        Ok(MyAccessView {
            id: id.to_string(),
            staff,
            patient: grant.patient.to_string(),
            state: grant_state(id, grant, now),
            purpose: convert::purpose(grant.purpose),
            categories: categories.into_iter().map(convert::category).collect(),
            at: grant.valid_from.0,
            deletion: deletion_view(deletion),
        })
    }

    async fn my_emergencies(&self, session: &Session) -> Result<Vec<MyAccessView>, ApiError> {
        let ids: Vec<DeclarationId> = session
            .entries()
            .iter()
            .filter_map(|entry| match entry.event {
                Event::EmergencyDeclared { declaration, .. } => Some(declaration),
                _ => None,
            })
            .collect();
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Declaration(*id)).collect();
        let states = self.states_of::<DeclarationState>(&keys).await?;
        let now = self.judged_at();
        let line = |(id, state): (DeclarationId, Option<DeclarationState>)| {
            let state = state?;
            let running = now < state.until;
            Some(MyAccessView {
                id: id.to_string(),
                staff: None,
                patient: state.patient.to_string(),
                state: if running {
                    MyAccessState::Emergency { until: state.until.0 }
                } else {
                    MyAccessState::EmergencyEnded
                },
                purpose: amulet_app_api::access::Purpose::Emergency,
                categories: Vec::new(),
                at: state.declared_at.0,
                deletion: DeletionView::NotOwed,
            })
        };
        Ok(ids.into_iter().zip(states).filter_map(line).collect())
    }
}

/// Where a grant stands, for its reader.
fn grant_state(id: GrantId, grant: &GrantState, now: Timestamp) -> MyAccessState {
    match grant.standing(now) {
        Standing::NotYet | Standing::Active => active(id, grant),
        Standing::UsedUp if grant.gives(now) => active(id, grant),
        Standing::Paused => MyAccessState::Paused { until: grant.term.valid_until.0 },
        Standing::UsedUp => MyAccessState::UsedUp,
        Standing::Expired => MyAccessState::Expired,
        Standing::Revoked => MyAccessState::Revoked,
    }
}

/// A grant under which something can be fetched.
fn active(id: GrantId, grant: &GrantState) -> MyAccessState {
    let (until, records) = (grant.closes_at().0, grant.records.len() as u64);
    MyAccessState::Active { grant: id.to_string(), until, records }
}

/// Reads a person's code.
pub(super) fn parse_did(code: &str) -> Result<Did, ApiError> {
    code.trim().parse().map_err(|error| match error {
        DidError::Prefix => ErrorCode::CodeNotOurs.into(),
        DidError::Base58 | DidError::Length { .. } => ErrorCode::CodeDamaged.into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_persons_code_that_is_another_code_or_cut_off_is_told_apart() {
        assert_eq!(parse_did("https://example.org").unwrap_err().code, ErrorCode::CodeNotOurs);
        assert_eq!(parse_did("did:amulet:3yZe7d").unwrap_err().code, ErrorCode::CodeDamaged);
    }
}
