//! Studies: which are open, what taking part would open, and taking part.

use amulet_app_api::access::{ShareView, StudyNameView};
use amulet_app_api::research::{
    BoardView, JoinStudy, JoinedStudyView, ResearchView, StudyPreviewView, StudyView,
};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::{Call, GrantAccess, GrantId};
use amulet_protocol::consent::{Category, Purpose};
use amulet_protocol::grant::{GrantState, Term};
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::ids::Timestamp;
use amulet_protocol::limits::ACCESS_TIME_MAX_MS;
use amulet_protocol::state::StateKey;
use amulet_protocol::study::{BoardState, StudyId, StudyState, Wording};
use std::collections::BTreeMap;

use super::Service;
use super::error::internal;
use super::ledger::tx_id;
use super::preferences::Settled;
use super::session::Session;
use super::shares::is_over;
use crate::{convert, dates};

/// How far this device's clock may run ahead of the hospitals' before a grant of a year would be refused as too long, in
/// milliseconds: what hospitals allow each other.
const CLOCK_MARGIN_MS: u64 = 120_000;

impl Service {
    /// Open studies, and those in which this patient takes part.
    pub(super) async fn research(&self) -> Result<ResearchView, ApiError> {
        let session = self.patient()?;
        let checked = self.follow(&session).await?;
        let mut own: BTreeMap<StudyId, (GrantId, GrantState)> = BTreeMap::new();
        for (id, grant) in self.grants(&session).await? {
            if let Some(study) = grant.grantee.study().filter(|_| !is_over(&grant, self.judged_at())) {
                own.insert(study, (id, grant));
            }
        }
        let open: Vec<StudyId> = self.state_of(StateKey::OpenStudies).await?.unwrap_or_default();
        let mut view = ResearchView { open: Vec::new(), joined: Vec::new(), checked: Some(checked) };
        for (id, study) in self.studies(own.keys().copied().collect()).await? {
            let Some((grant, state)) = own.get(&id) else { continue };
            view.joined.push(JoinedStudyView {
                study: self.study_view(&session, id, &study).await?,
                share: self.share_view(&session, *grant, state).await?,
            });
        }
        let others = open.into_iter().rev().filter(|id| !own.contains_key(id)).collect();
        for (id, study) in self.studies(others).await? {
            if study.is_open(self.judged_at()) {
                view.open.push(self.study_view(&session, id, &study).await?);
            }
        }
        Ok(view)
    }

    /// What taking part would open.
    pub(super) async fn preview_study(&self, study: &str) -> Result<StudyPreviewView, ApiError> {
        let session = self.patient()?;
        let (id, study) = self.open_study(study).await?;
        let terms = &study.terms;
        let records = self.open_to(&session, &terms.categories, terms.record_dates).await?;
        let settled = Settled::of(&session);
        Ok(StudyPreviewView {
            study: self.study_view(&session, id, &study).await?,
            records: records.iter().map(|record| record.line.clone()).collect(),
            standing: standing(&session, &study).into_iter().map(convert::category).collect(),
            withheld: settled.withheld(terms.categories.iter()),
            ask: settled.asked_about(terms.categories.iter()),
            until: self.study_term(&study).valid_until.0,
        })
    }

    /// Signs the grant by which the patient takes part.
    pub(super) async fn join_study(&self, call: &JoinStudy) -> Result<ShareView, ApiError> {
        let session = self.patient()?;
        let (id, study) = self.open_study(&call.study).await?;
        let terms = &study.terms;
        let mut records = self.open_to(&session, &terms.categories, terms.record_dates).await?;
        records.retain(|record| !call.without.contains(&record.line.id));
        records.sort_by_key(|record| record.meta.entry.id);
        let standing = if call.new_records { standing(&session, &study) } else { Vec::new() };
        if records.is_empty() && standing.is_empty() {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "without"));
        }
        let grantee = Grantee::Study(Participation { study: id, staff: study.staff() });
        let task = self.task(Task::Sealing);
        let keys = self.seal_keys(&session, &grantee, Purpose::Research, None, &records).await?;
        drop(task);
        let grant = GrantAccess {
            request: None,
            grantee,
            purpose: Purpose::Research,
            records: records.iter().map(|record| record.meta.entry.id).collect(),
            standing,
            valid_from: None,
            term: self.study_term(&study),
            keys,
        };
        let (id, _) = self.submit(&session, Call::GrantAccess(grant)).await?;
        self.follow(&session).await?;
        let granted: Option<GrantState> = self.state_of(StateKey::Grant(GrantId(id))).await?;
        let granted = granted.ok_or_else(|| internal("a committed grant is not in the state"))?;
        self.share_view(&session, GrantId(id), &granted).await
    }

    /// A study that can be joined now.
    async fn open_study(&self, study: &str) -> Result<(StudyId, StudyState), ApiError> {
        let id = StudyId(tx_id(study)?);
        self.fresh().await?;
        let state: Option<StudyState> = self.state_of(StateKey::Study(id)).await?;
        let state = state.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        if !state.is_open(self.judged_at()) {
            return Err(ApiError::new(ErrorCode::Refused).with("reason", "study_closed"));
        }
        Ok((id, state))
    }

    /// Until the study ends, or for a year.
    fn study_term(&self, study: &StudyState) -> Term {
        let longest = self.now().plus_millis(ACCESS_TIME_MAX_MS - CLOCK_MARGIN_MS);
        let valid_until: Timestamp = study.terms.ends.min(longest);
        Term { valid_until, uses_max: None, erase_by: None }
    }

    async fn studies(&self, ids: Vec<StudyId>) -> Result<Vec<(StudyId, StudyState)>, ApiError> {
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Study(*id)).collect();
        let states = self.states_of::<StudyState>(&keys).await?;
        Ok(ids.into_iter().zip(states).filter_map(|(id, state)| Some((id, state?))).collect())
    }

    async fn study_view(
        &self,
        session: &Session,
        id: StudyId,
        study: &StudyState,
    ) -> Result<StudyView, ApiError> {
        let terms = &study.terms;
        let board: Option<BoardState> = self.state_of(StateKey::Board(terms.board)).await?;
        let office = board.and_then(|board| board.office).map(|office| office.name);
        let Wording { zh: name_zh, en: name_en } =
            office.unwrap_or(Wording { zh: String::new(), en: String::new() });
        Ok(StudyView {
            name: self.study_name(session, id).await?,
            aim_zh: terms.aim.zh.clone(),
            aim_en: terms.aim.en.clone(),
            department: terms.department.clone(),
            categories: terms.categories.iter().map(|category| convert::category(*category)).collect(),
            records_from: terms.record_dates.from.map(dates::text_of),
            records_to: terms.record_dates.to.map(dates::text_of),
            ends: terms.ends.0,
            board: BoardView { name_zh, name_en },
            approved_at: study.approved_at().unwrap_or(study.registered_at).0,
            participants: study.participants,
            participants_max: terms.participants_max.get(),
        })
    }

    /// A study by its title.
    pub(super) async fn study_name(&self, session: &Session, id: StudyId) -> Result<StudyNameView, ApiError> {
        if let Some(known) = session.cache().studies.get(&id) {
            return Ok(known.clone());
        }
        let study: Option<StudyState> = self.state_of(StateKey::Study(id)).await?;
        let study = study.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        self.learn_names(Some(study.sponsor)).await;
        let Wording { zh, en } = study.terms.title;
        let view = StudyNameView {
            id: id.to_string(),
            title_zh: zh,
            title_en: en,
            sponsor: self.hospital_view(&study.sponsor),
        };
        session.cache().studies.insert(id, view.clone());
        Ok(view)
    }
}

/// Categories of which records to come can be opened to a study, as far as the patient has not settled otherwise.
fn standing(session: &Session, study: &StudyState) -> Vec<Category> {
    match study.terms.record_dates.to {
        None => Settled::of(session).standing(study.terms.categories.iter()),
        Some(_) => Vec::new(),
    }
}
