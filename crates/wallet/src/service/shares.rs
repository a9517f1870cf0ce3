//! Grants from the patient's side: what they open, and changing them: less, longer, paused, resumed, taken back.

use amulet_app_api::access::{DeletionView, ExtendGrant, NarrowGrant, ShareState, ShareView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::{
    Call, ExtendAccess, GrantId, NarrowAccess, PauseAccess, ResumeAccess, RevokeAccess, UseLimit,
};
use amulet_protocol::grant::{Deletion, GrantState, Standing, Term};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{RecordId, Timestamp};
use amulet_protocol::limits::ACCESS_TIME_MAX_MS;
use amulet_protocol::state::StateKey;
use amulet_protocol::study::StudyState;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::Service;
use super::ledger::tx_id;
use super::records::counts;
use super::session::Session;
use crate::convert;

impl Service {
    /// All grants of this identity with their state, oldest first.
    pub(super) async fn grants(&self, session: &Session) -> Result<Vec<(GrantId, GrantState)>, ApiError> {
        let ids: Vec<GrantId> = session
            .entries()
            .iter()
            .filter_map(|entry| match entry.event {
                Event::AccessGranted { grant, .. } => Some(grant),
                _ => None,
            })
            .collect();
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Grant(*id)).collect();
        let mut grants = Vec::new();
        for (id, state) in ids.into_iter().zip(self.states_of::<GrantState>(&keys).await?) {
            // Who cares for a relative finds the relative's grants in their own history too.
            if let Some(state) = state.filter(|state| state.patient == session.did()) {
                grants.push((id, self.counted(state).await?));
            }
        }
        Ok(grants)
    }

    /// A grant as it counts: ended with its study, if it is for one that was ended.
    pub(super) async fn counted(&self, grant: GrantState) -> Result<GrantState, ApiError> {
        let Some(study) = grant.grantee.study() else { return Ok(grant) };
        let study: Option<StudyState> = self.state_of(StateKey::Study(study)).await?;
        let study = study.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        Ok(grant.ended_with(&study))
    }

    pub(super) async fn share_view(
        &self,
        session: &Session,
        id: GrantId,
        grant: &GrantState,
    ) -> Result<ShareView, ApiError> {
        let to = self.grantee_view(session, &grant.grantee).await?;
        let categories: BTreeMap<RecordId, _> = {
            let cache = session.cache();
            cache.there().map(|meta| (meta.entry.id, meta.entry.category)).collect()
        };
        let until_max = self.judged_at().plus_millis(ACCESS_TIME_MAX_MS).min(self.study_end(grant).await?);
        let opened = grant.records.iter().filter_map(|id| categories.get(id));
        Ok(ShareView {
            id: id.to_string(),
            to,
            relationship: self.hospital_view(&session.identity.hospital),
            counts: counts(opened.map(|category| convert::category(*category))),
            standing: grant.standing.iter().map(|category| convert::category(*category)).collect(),
            purpose: convert::purpose(grant.purpose),
            granted_at: grant.valid_from.0,
            until: grant.closes_at().0,
            state: share_state(grant, self.judged_at()),
            uses: u64::from(grant.uses),
            uses_max: grant.term.uses_max.map(|limit| u64::from(limit.0.get())),
            deletion: deletion_view(grant.deletion(self.judged_at())),
            until_max: until_max.0,
        })
    }

    /// The last end that the study allows which a grant is for, if it is for one.
    async fn study_end(&self, grant: &GrantState) -> Result<Timestamp, ApiError> {
        let Some(study) = grant.grantee.study() else { return Ok(Timestamp(u64::MAX)) };
        let study: Option<StudyState> = self.state_of(StateKey::Study(study)).await?;
        let open = study.filter(|study| study.is_open(self.judged_at()));
        Ok(open.map_or(Timestamp(0), |study| study.terms.ends))
    }

    /// Takes a grant back.
    pub(super) async fn revoke_grant(&self, grant: &str) -> Result<(), ApiError> {
        let (session, grant, _) = self.own_grant(grant).await?;
        self.submit(&session, Call::RevokeAccess(RevokeAccess { grant })).await.map(drop)
    }

    /// Pauses a grant.
    pub(super) async fn pause_grant(&self, grant: &str) -> Result<(), ApiError> {
        let (session, grant, _) = self.own_grant(grant).await?;
        self.submit(&session, Call::PauseAccess(PauseAccess { grant })).await.map(drop)
    }

    /// Lets a paused grant go on.
    pub(super) async fn resume_grant(&self, grant: &str) -> Result<(), ApiError> {
        let (session, grant, _) = self.own_grant(grant).await?;
        self.submit(&session, Call::ResumeAccess(ResumeAccess { grant })).await.map(drop)
    }

    /// Lets a grant last longer. A date by which to delete moves along, so that the reader has as long after the end as before.
    pub(super) async fn extend_grant(&self, call: &ExtendGrant) -> Result<(), ApiError> {
        let (session, grant, state) = self.own_grant(&call.grant).await?;
        let valid_until = Timestamp(call.until);
        let moved = valid_until.0.saturating_sub(state.term.valid_until.0);
        let erase_by = state.term.erase_by.map(|by| by.plus_millis(moved));
        let term = Term { valid_until, erase_by, ..state.term };
        self.submit(&session, Call::ExtendAccess(ExtendAccess { grant, term })).await.map(drop)
    }

    /// Lets a grant open less.
    pub(super) async fn narrow_grant(&self, call: &NarrowGrant) -> Result<(), ApiError> {
        let (session, grant, state) = self.own_grant(&call.grant).await?;
        let mut records = state.records;
        records.retain(|id| !call.without.contains(&id.to_string()));
        if records.is_empty() && state.standing.is_empty() {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "without"));
        }
        let uses_max = use_limit(call.uses_max)?.or(state.term.uses_max);
        let valid_until = call.until.map_or(state.term.valid_until, Timestamp);
        let term = Term { valid_until, uses_max, ..state.term };
        let narrower = NarrowAccess { grant, records, standing: state.standing, term };
        self.submit(&session, Call::NarrowAccess(narrower)).await.map(drop)
    }

    /// A grant of this patient as it stands now, with the session of the identity that gave it.
    pub(super) async fn own_grant(
        &self,
        grant: &str,
    ) -> Result<(Arc<Session>, GrantId, GrantState), ApiError> {
        let person = self.patient()?;
        let id = GrantId(tx_id(grant)?);
        self.fresh().await?;
        let state: Option<GrantState> = self.state_of(StateKey::Grant(id)).await?;
        let own = state.and_then(|state| Some((Arc::clone(person.session_of(state.patient)?), state)));
        let (session, state) = own.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        self.follow(&session).await?;
        Ok((session, id, self.counted(state).await?))
    }
}

/// Where a grant stands at `now`, in the wallet's words. One that has not begun by this device's clock counts as running: a
/// device whose clock is behind the hospitals' must not call a fresh grant something else.
pub(super) fn share_state(grant: &GrantState, now: Timestamp) -> ShareState {
    match grant.standing(now) {
        Standing::NotYet | Standing::Active => ShareState::Active,
        Standing::Paused => ShareState::Paused,
        Standing::UsedUp => ShareState::UsedUp,
        Standing::Expired => ShareState::Expired,
        Standing::Revoked => ShareState::Revoked,
    }
}

/// Whether a grant gives nothing at `now` and will not again.
pub(super) fn is_over(grant: &GrantState, now: Timestamp) -> bool {
    match grant.standing(now) {
        Standing::NotYet | Standing::Active | Standing::Paused => false,
        Standing::UsedUp => !grant.gives(now),
        Standing::Expired | Standing::Revoked => true,
    }
}

/// What a reader owes, for people.
pub(super) fn deletion_view(deletion: Deletion) -> DeletionView {
    match deletion {
        Deletion::NotOwed => DeletionView::NotOwed,
        Deletion::Owed { by } => DeletionView::Owed { by: by.0 },
        Deletion::Overdue { by } => DeletionView::Overdue { by: by.0 },
        Deletion::Confirmed { at } => DeletionView::Confirmed { at: at.0 },
    }
}

/// A limit of uses; 0 is none that anybody means.
pub(super) fn use_limit(uses: Option<u32>) -> Result<Option<UseLimit>, ApiError> {
    let limit = |uses| NonZeroU32::new(uses).map(UseLimit);
    let bad = || ApiError::new(ErrorCode::BadRequest).with("field", "uses_max");
    uses.map(|uses| limit(uses).ok_or_else(bad)).transpose()
}
