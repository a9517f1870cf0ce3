//! research: ethics boards, studies, and who takes part in them.
//!
//! Three parties must agree before anything is read for a study: a board that a quorum of the consortium named, the patient, and the
//! rule book, which is asked at the registration and again at each reading. A study that is ended ends the grants for it.

use crate::governance::{current, organisations, voices};
use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use crate::{ApplyError, checks, history, registry, rules, state};
use amulet_protocol::calls::{GrantAccess, GrantId};
use amulet_protocol::consent::{Purpose, RecordDates};
use amulet_protocol::governance::{EpochState, Seat};
use amulet_protocol::grant::{GrantState, Term};
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::{
    CATEGORIES_MAX, NAME_BYTES_MAX, STUDIES_OPEN_MAX, STUDY_AIM_BYTES_MAX, STUDY_TIME_MAX_MS,
    STUDY_TITLE_BYTES_MAX,
};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::StateKey;
use amulet_protocol::study::{
    BoardOffice, BoardState, BoardVote, EndStudy, RegisterStudy, ReviewStudy, StudyId, StudyStage,
    StudyState, VoteBoard, Wording,
};

/// An organisation says whether somebody shall be an ethics board, and under which name.
pub(crate) fn vote<S: StateRead>(step: &mut Step<'_, S>, call: &VoteBoard) -> Done<S> {
    let epoch = current(step)?;
    let seat = epoch.seat_of(step.sender).ok_or(RefusalCode::NotAValidator)?;
    let named = call.name.as_ref().is_none_or(|name| name.is_plain(NAME_BYTES_MAX));
    ensure(named, RefusalCode::BadName)?;
    let known =
        step.exists(&StateKey::Identity(call.board))? || step.exists(&StateKey::Organisation(call.board))?;
    ensure(known, RefusalCode::UnknownBoard)?;
    let key = StateKey::Board(call.board);
    let mut state: BoardState = step.get(&key)?.unwrap_or_default();
    let vote = BoardVote { seat, name: call.name.clone() };
    ensure(!state.votes.contains(&vote), RefusalCode::AlreadyVoted)?;
    let sender = step.sender;
    state.votes.retain(|old| epoch.validator(old.seat).is_some_and(|by| by.organisation != sender));
    state.votes.push(vote);
    state.votes.sort_by_key(|vote| vote.seat);
    let voted = Event::BoardVoted { board: call.board, organisation: sender };
    history::append(step, &[call.board, sender], &voted)?;
    let decided = decide(&mut state, &epoch, call, step.now());
    step.put(key, &state);
    let Some(event) = decided else { return Ok(()) };
    let all: Vec<Did> = [call.board].into_iter().chain(organisations(&epoch)).collect();
    history::append(step, &all, &event)
}

/// Puts what a quorum wants in force, if it is not yet; gives what is told of it.
fn decide(state: &mut BoardState, epoch: &EpochState, call: &VoteBoard, now: Timestamp) -> Option<Event> {
    let agreeing = state.votes.iter().filter(|vote| vote.name == call.name);
    let seats: Vec<Seat> = agreeing.map(|vote| vote.seat).collect();
    let quorum = Quorum::approvals(organisations(epoch).len());
    let in_force: Option<&Wording> = state.office.as_ref().map(|office| &office.name);
    if voices(epoch, &seats).len() < quorum || in_force == call.name.as_ref() {
        return None;
    }
    state.office = call.name.clone().map(|name| BoardOffice { name, since: now });
    let board = call.board;
    Some(if state.office.is_some() { Event::BoardNamed { board } } else { Event::BoardDismissed { board } })
}

/// An organisation registers a study of its own, for a board to decide on.
pub(crate) fn register<S: StateRead>(step: &mut Step<'_, S>, call: &RegisterStudy) -> Done<S> {
    registry::organisation(step)?;
    let terms = call.terms.as_ref();
    let texts = terms.title.is_plain(STUDY_TITLE_BYTES_MAX) && terms.aim.is_plain(STUDY_AIM_BYTES_MAX);
    ensure(texts, RefusalCode::BadText)?;
    ensure(terms.board != step.sender, RefusalCode::SelfDealing)?;
    in_office(step, terms.board)?;
    checks::ascending(&terms.categories, CATEGORIES_MAX)?;
    let RecordDates { from, to } = terms.record_dates;
    ensure(from.zip(to).is_none_or(|(from, to)| from <= to), RefusalCode::BadValidity)?;
    let latest = step.now().plus_millis(STUDY_TIME_MAX_MS);
    ensure(step.now() < terms.ends && terms.ends <= latest, RefusalCode::BadDuration)?;
    let study = StudyState {
        sponsor: step.sender,
        terms: terms.clone(),
        registered_at: step.now(),
        stage: StudyStage::Waiting,
        participants: 0,
    };
    let staff = study.staff();
    let reachable = step.exists(&StateKey::StaffKey(staff.organisation))?;
    ensure(reachable && staff.is_well_formed(), RefusalCode::BadGrantee)?;
    rules::can_study(step, &staff, &terms.categories)?;
    let (id, sponsor, board) = (StudyId(step.id), step.sender, terms.board);
    step.put(StateKey::Study(id), &study);
    history::append(step, &[sponsor, board], &Event::StudyRegistered { study: id, sponsor, board })
}

/// The board decides.
pub(crate) fn review<S: StateRead>(step: &mut Step<'_, S>, call: &ReviewStudy) -> Done<S> {
    let mut study = read(step, call.study)?;
    let board = study.terms.board;
    ensure(board == step.sender, RefusalCode::NotYourStudy)?;
    in_office(step, board)?;
    let waits = study.stage == StudyStage::Waiting && step.now() < study.terms.ends;
    ensure(waits, RefusalCode::StudyClosed)?;
    if call.approve {
        let mut open = open_studies(step)?;
        ensure(open.len() < STUDIES_OPEN_MAX, RefusalCode::TooManyStudies)?;
        open.push(call.study);
        step.put(StateKey::OpenStudies, &open);
        study.stage = StudyStage::Approved { at: step.now() };
    } else {
        study.stage = StudyStage::Rejected { at: step.now() };
    }
    step.put(StateKey::Study(call.study), &study);
    let event = Event::StudyReviewed { study: call.study, board, approved: call.approve };
    history::append(step, &[study.sponsor, board], &event)
}

/// Sponsor or board ends a study before its time.
pub(crate) fn end<S: StateRead>(step: &mut Step<'_, S>, call: &EndStudy) -> Done<S> {
    let mut study = read(step, call.study)?;
    let (sponsor, board) = (study.sponsor, study.terms.board);
    ensure([sponsor, board].contains(&step.sender), RefusalCode::NotYourStudy)?;
    let runs = matches!(study.stage, StudyStage::Waiting | StudyStage::Approved { .. });
    ensure(runs && step.now() < study.terms.ends, RefusalCode::StudyClosed)?;
    study.stage = StudyStage::Ended { at: step.now(), approved_at: study.approved_at() };
    step.put(StateKey::Study(call.study), &study);
    let open = open_studies(step)?;
    step.put(StateKey::OpenStudies, &open);
    let event = Event::StudyEnded { study: call.study, by: step.sender };
    history::append(step, &[sponsor, board], &event)
}

/// The study that a grant is for, if the patient can join it by this grant; what it opens is judged elsewhere.
pub(crate) fn study_of<S: StateRead>(
    step: &Step<'_, S>,
    call: &GrantAccess,
) -> Done<S, Option<(StudyId, StudyState)>> {
    let Grantee::Study(Participation { study: id, staff }) = &call.grantee else {
        ensure(call.purpose != Purpose::Research, RefusalCode::StudyNeeded)?;
        return Ok(None);
    };
    ensure(call.purpose == Purpose::Research, RefusalCode::StudyNeeded)?;
    let study = read(step, *id)?;
    ensure(study.staff() == *staff, RefusalCode::BadGrantee)?;
    lasts(step, &call.grantee, &call.term)?;
    Ok(Some((*id, study)))
}

/// Notes that the sender takes part by a grant. Who joins again after a grant that ended by itself is not counted twice.
pub(crate) fn enrol<S: StateRead>(
    step: &mut Step<'_, S>,
    id: StudyId,
    study: StudyState,
    by: GrantId,
) -> Done<S> {
    let key = StateKey::Enrolment(id, step.sender);
    let before: Option<GrantId> = step.get(&key)?;
    if let Some(before) = before {
        let grant: Option<GrantState> = step.get(&StateKey::Grant(before))?;
        let ended = grant.is_some_and(|grant| grant.ended_at(step.now()).is_some());
        ensure(ended, RefusalCode::AlreadyEnrolled)?;
    } else {
        ensure(study.participants < study.terms.participants_max.get(), RefusalCode::StudyFull)?;
        let participants = study.participants.saturating_add(1);
        step.put(StateKey::Study(id), &StudyState { participants, ..study });
    }
    step.put(key, &by);
    Ok(())
}

/// Leaves the place of a participant who took the grant back to somebody else.
pub(crate) fn withdraw<S: StateRead>(step: &mut Step<'_, S>, id: GrantId, grant: &GrantState) -> Done<S> {
    let Some(study) = grant.grantee.study() else { return Ok(()) };
    let key = StateKey::Enrolment(study, grant.patient);
    // A grant from before the patient joined again holds no place.
    if step.get::<GrantId>(&key)? == Some(id) {
        step.remove(key);
        let state = read(step, study)?;
        let participants = state.participants.saturating_sub(1);
        step.put(StateKey::Study(study), &StudyState { participants, ..state });
    }
    Ok(())
}

/// A grant as it counts: ended with its study, if it is for one that was ended.
pub(crate) fn counted<S: StateRead>(
    state: &S,
    grant: GrantState,
) -> Result<GrantState, ApplyError<S::Error>> {
    let Some(id) = grant.grantee.study() else { return Ok(grant) };
    let study: StudyState = state::get_filled(state, &StateKey::Study(id))?;
    Ok(grant.ended_with(&study))
}

/// Refuses a grant for a study that is not open, or ends before the grant.
pub(crate) fn lasts<S: StateRead>(step: &Step<'_, S>, grantee: &Grantee, term: &Term) -> Done<S> {
    let Some(id) = grantee.study() else { return Ok(()) };
    let study = read(step, id)?;
    ensure(study.is_open(step.now()), RefusalCode::StudyClosed)?;
    Ok(ensure(term.valid_until <= study.terms.ends, RefusalCode::BeyondStudy)?)
}

fn read<S: StateRead>(step: &Step<'_, S>, id: StudyId) -> Done<S, StudyState> {
    Ok(step.get(&StateKey::Study(id))?.ok_or(RefusalCode::UnknownStudy)?)
}

/// Refuses whoever is no ethics board now.
fn in_office<S: StateRead>(step: &Step<'_, S>, board: Did) -> Done<S> {
    let state: Option<BoardState> = step.get(&StateKey::Board(board))?;
    Ok(ensure(state.is_some_and(|state| state.office.is_some()), RefusalCode::UnknownBoard)?)
}

/// The approved studies without those that have ended.
fn open_studies<S: StateRead>(step: &Step<'_, S>) -> Done<S, Vec<StudyId>> {
    let mut open = Vec::new();
    for id in step.get::<Vec<StudyId>>(&StateKey::OpenStudies)?.unwrap_or_default() {
        if read(step, id)?.is_open(step.now()) {
            open.push(id);
        }
    }
    Ok(open)
}
