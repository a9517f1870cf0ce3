//! Studies: which are open, what taking part would open, and taking part.

use amulet_app_api::access::{ShareView, StudyNameView};
use amulet_app_api::giving::GivenView;
use amulet_app_api::research::{
    BoardView, JoinStudy, JoinedStudyView, ResearchView, StudyPreviewView, StudyView,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::{Call, RevokeAccess};
use amulet_protocol::consent::{Category, Purpose};
use amulet_protocol::grant::Term;
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::ids::Timestamp;
use amulet_protocol::limits::ACCESS_TIME_MAX_MS;
use amulet_protocol::state::StateKey;
use amulet_protocol::study::{BoardState, StudyId, StudyState, Wording};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Service;
use super::giving::Gift;
use super::ledger::tx_id;
use super::preferences::Settled;
use super::session::{Person, Session};
use super::shares::is_over;
use super::sharing::unopened;
use crate::{convert, dates};

/// How far this device's clock may run ahead of the hospitals' before a grant of a year would be refused as too long, in
/// milliseconds: what hospitals allow each other.
const CLOCK_MARGIN_MS: u64 = 120_000;

impl Service {
    /// Open studies, and those in which this patient takes part.
    pub(super) async fn research(&self) -> Result<ResearchView, ApiError> {
        let person = self.patient()?;
        let checked = self.follow_all(&person).await?;
        let session = person.first();
        let mut own: BTreeMap<StudyId, Vec<ShareView>> = BTreeMap::new();
        for session in person.sessions() {
            for (id, grant) in self.grants(session).await? {
                if let Some(study) = grant.grantee.study().filter(|_| !is_over(&grant, self.judged_at())) {
                    own.entry(study).or_default().push(self.share_view(session, id, &grant).await?);
                }
            }
        }
        let open: Vec<StudyId> = self.state_of(StateKey::OpenStudies).await?.unwrap_or_default();
        let mut view = ResearchView { open: Vec::new(), joined: Vec::new(), checked: Some(checked) };
        for (id, study) in self.studies(own.keys().copied().collect()).await? {
            let shares = own.get(&id).cloned().unwrap_or_default();
            view.joined.push(JoinedStudyView { study: self.study_view(session, id, &study).await?, shares });
        }
        let others = open.into_iter().rev().filter(|id| !own.contains_key(id)).collect();
        for (id, study) in self.studies(others).await? {
            if study.is_open(self.judged_at()) {
                view.open.push(self.study_view(session, id, &study).await?);
            }
        }
        Ok(view)
    }

    /// What taking part would open.
    pub(super) async fn preview_study(&self, study: &str) -> Result<StudyPreviewView, ApiError> {
        let person = self.patient()?;
        let (id, study) = self.open_study(study).await?;
        let gifts = self.study_gifts(&person, &study, true).await?;
        let categories = &study.terms.categories;
        let settled = Settled::of(&person.owner);
        let records = gifts.iter().flat_map(|gift| gift.records.iter());
        Ok(StudyPreviewView {
            study: self.study_view(person.first(), id, &study).await?,
            records: records.map(|record| record.line.clone()).collect(),
            standing: standing(&person, &study).into_iter().map(convert::category).collect(),
            withheld: settled.withheld(categories.iter()),
            ask: settled.asked_about(categories.iter()),
            until: self.study_term(&study).valid_until.0,
            relationships: self.relationships_of(&gifts),
            missing: person.sessions().iter().map(|session| unopened(session, categories)).sum(),
        })
    }

    /// Signs the grants by which the patient takes part.
    pub(super) async fn join_study(&self, call: &JoinStudy) -> Result<GivenView, ApiError> {
        let person = self.patient()?;
        let (id, study) = self.open_study(&call.study).await?;
        let mut gifts = self.study_gifts(&person, &study, call.new_records).await?;
        for gift in &mut gifts {
            gift.records.retain(|record| call.records.contains(&record.line.id));
        }
        // A record that came after the preview must not make its identity take part either.
        let chosen = gifts.iter().any(|gift| !gift.records.is_empty());
        gifts.retain(|gift| if chosen { !gift.records.is_empty() } else { !gift.standing.is_empty() });
        if gifts.is_empty() {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "records"));
        }
        let grantee = Grantee::Study(Participation { study: id, staff: study.staff() });
        self.give_all(&grantee, Purpose::Research, gifts, || Ok(self.study_term(&study))).await
    }

    /// What each identity would give to a study. One that has no record for it does not take part, unless none has any.
    async fn study_gifts(
        &self,
        person: &Person,
        study: &StudyState,
        new_records: bool,
    ) -> Result<Vec<Gift>, ApiError> {
        let terms = &study.terms;
        let standing = if new_records { standing(person, study) } else { Vec::new() };
        let mut gifts = Vec::new();
        for session in person.sessions() {
            let records = self.open_to(session, &terms.categories, terms.record_dates).await?;
            gifts.push(Gift { session: Arc::clone(session), records, standing: standing.clone() });
        }
        if gifts.iter().any(|gift| !gift.records.is_empty()) {
            gifts.retain(|gift| !gift.records.is_empty());
        } else {
            gifts.truncate(1);
        }
        Ok(gifts)
    }

    /// Takes back every grant for a study that is not over. One that fails leaves the rest to be tried again.
    pub(super) async fn leave_study(&self, study: &str) -> Result<(), ApiError> {
        let person = self.patient()?;
        let study = StudyId(tx_id(study)?);
        self.follow_all(&person).await?;
        let mut left = false;
        for session in person.sessions() {
            for (grant, state) in self.grants(session).await? {
                if state.grantee.study() == Some(study) && !is_over(&state, self.judged_at()) {
                    self.submit(session, Call::RevokeAccess(RevokeAccess { grant })).await?;
                    left = true;
                }
            }
        }
        if left { Ok(()) } else { Err(ErrorCode::NotFound.into()) }
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
fn standing(person: &Person, study: &StudyState) -> Vec<Category> {
    match study.terms.record_dates.to {
        None => Settled::of(&person.owner).standing(study.terms.categories.iter()),
        Some(_) => Vec::new(),
    }
}
