//! consent: asking, granting, declining; [`life`] has what becomes of a grant.
//!
//! Clocks that are never mixed: `answer_by` ends the time to answer, the term's `valid_until` ends the access, its `erase_by`
//! the time to delete, and the record dates say which records are meant; the last is the wallet's to apply.

mod life;

pub(crate) use life::{confirm_deletion, extend, narrow, pause, resume, revoke, use_access};

use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use crate::{checks, history, registry};
use amulet_protocol::calls::{DeclineAccess, GrantAccess, GrantId, RequestAccess, RequestId};
use amulet_protocol::consent::{DataClass, RecordDates};
use amulet_protocol::grant::{GrantState, Hold, Term};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::limits::{
    ACCESS_TIME_MAX_MS, ANSWER_TIME_MAX_MS, CATEGORIES_MAX, GRANT_ENVELOPE_BYTES_MAX, RECORDS_PER_GRANT_MAX,
    SEALED_KEY_BYTES_MAX,
};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Answer, RecordState, RequestState, StateKey};

/// A practitioner asks a patient.
pub(crate) fn request<S: StateRead>(step: &mut Step<'_, S>, call: &RequestAccess) -> Done<S> {
    registry::practitioner(step)?;
    ensure(call.patient != step.sender, RefusalCode::SelfDealing)?;
    checks::patient(step, call.patient)?;
    checks::ascending(&call.categories, CATEGORIES_MAX)?;
    ensure(in_order(call.record_dates), RefusalCode::BadValidity)?;
    let now = step.now();
    ensure((1..=ACCESS_TIME_MAX_MS).contains(&call.access_ms), RefusalCode::BadDuration)?;
    let answerable = now < call.answer_by && call.answer_by <= now.plus_millis(ANSWER_TIME_MAX_MS);
    ensure(answerable, RefusalCode::BadDuration)?;
    let id = RequestId(step.id);
    let request = RequestState {
        patient: call.patient,
        practitioner: step.sender,
        categories: call.categories.clone(),
        record_dates: call.record_dates,
        purpose: call.purpose,
        answer_by: call.answer_by,
        access_ms: call.access_ms,
        asked_at: now,
        answer: Answer::Waiting,
    };
    step.put(StateKey::Request(id), &request);
    let event = Event::AccessRequested { request: id, practitioner: step.sender, patient: call.patient };
    history::append(step, &[call.patient, step.sender], &event)
}

/// The patient opens exactly these records, for at most the time asked.
pub(crate) fn grant<S: StateRead>(step: &mut Step<'_, S>, call: &GrantAccess) -> Done<S> {
    let mut request = answerable(step, call.request)?;
    // Whoever is no practitioner any more could not use the grant, yet would have the keys.
    let practises = registry::practises(step, request.practitioner)?;
    ensure(practises, RefusalCode::UnknownPractitioner)?;
    checks::sealed(&call.sealed_key, SEALED_KEY_BYTES_MAX)?;
    let enveloped = (1..=GRANT_ENVELOPE_BYTES_MAX).contains(&call.envelope.len());
    ensure(enveloped, RefusalCode::BadSealed)?;
    let now = step.now();
    let valid_from = call.valid_from.map_or(now, |from| from.max(now));
    ensure(valid_from <= now.plus_millis(ANSWER_TIME_MAX_MS), RefusalCode::BadDuration)?;
    lasts(&call.term, valid_from, request.access_ms)?;
    checks::ascending(&call.records, RECORDS_PER_GRANT_MAX)?;
    for id in &call.records {
        let record: Option<RecordState> = step.get(&StateKey::Record(*id))?;
        let own = record.filter(|record| record.patient == step.sender);
        let record = own.ok_or(RefusalCode::UnknownRecord)?;
        ensure(record.class != DataClass::Core, RefusalCode::CoreRecord)?;
        ensure(request.categories.contains(&record.category), RefusalCode::BeyondRequest)?;
    }
    let id = GrantId(step.id);
    let grant = GrantState {
        patient: step.sender,
        practitioner: request.practitioner,
        request: call.request,
        purpose: request.purpose,
        records: call.records.clone(),
        term: call.term,
        valid_from,
        hold: Hold::Open,
        uses: 0,
        used_last: None,
        deleted_at: None,
        changes: 0,
    };
    step.put(StateKey::Grant(id), &grant);
    request.answer = Answer::Granted(id);
    step.put(StateKey::Request(call.request), &request);
    let event = Event::AccessGranted { grant: id, request: call.request, practitioner: request.practitioner };
    history::append(step, &[step.sender, request.practitioner], &event)
}

/// The patient says no.
pub(crate) fn decline<S: StateRead>(step: &mut Step<'_, S>, call: &DeclineAccess) -> Done<S> {
    let mut request = answerable(step, call.request)?;
    request.answer = Answer::Declined(step.now());
    step.put(StateKey::Request(call.request), &request);
    let event = Event::AccessDeclined { request: call.request, practitioner: request.practitioner };
    history::append(step, &[step.sender, request.practitioner], &event)
}

/// The request, if it is the sender's to answer and still can be.
fn answerable<S: StateRead>(step: &Step<'_, S>, id: RequestId) -> Done<S, RequestState> {
    let request: RequestState = step.get(&StateKey::Request(id))?.ok_or(RefusalCode::UnknownRequest)?;
    ensure(request.patient == step.sender, RefusalCode::NotAddressed)?;
    ensure(request.answer == Answer::Waiting, RefusalCode::AlreadyAnswered)?;
    ensure(step.now() <= request.answer_by, RefusalCode::AnswerTooLate)?;
    Ok(request)
}

/// Refuses a term that ends before it begins at `from`, or more than `longest` milliseconds later, or has what was read deleted too
/// soon after its end or too late.
fn lasts(term: &Term, from: Timestamp, longest: u64) -> Result<(), RefusalCode> {
    let limited = from < term.valid_until && term.valid_until <= from.plus_millis(longest);
    ensure(limited, RefusalCode::BadDuration)?;
    ensure(term.erases_in_time(), RefusalCode::BadEraseBy)
}

fn in_order(dates: RecordDates) -> bool {
    !matches!(dates, RecordDates { from: Some(from), to: Some(to) } if from > to)
}
