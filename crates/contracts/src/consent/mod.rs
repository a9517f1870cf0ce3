//! consent: asking, granting, declining; [`life`] has what becomes of a grant.
//!
//! Clocks that are never mixed: `answer_by` ends the time to answer, the term's `valid_until` ends the access, its `erase_by`
//! the time to delete, and the record dates say which records are meant; the last is the wallet's to apply.

mod life;
pub(crate) mod standing;

pub(crate) use life::{confirm_deletion, extend, narrow, pause, resume, revoke, use_access};

use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use crate::{checks, erasure, history, registry, research, rules};
use amulet_protocol::calls::{DeclineAccess, GrantAccess, GrantId, RequestAccess, RequestId};
use amulet_protocol::consent::{Category, DataClass, Purpose, RecordDates};
use amulet_protocol::grant::{GrantState, Hold, Term};
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{RecordId, Timestamp};
use amulet_protocol::limits::{
    ACCESS_TIME_MAX_MS, ANSWER_TIME_MAX_MS, CATEGORIES_MAX, RECORDS_PER_GRANT_MAX,
};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Answer, Practitioner, RecordState, RequestState, StateKey};
use amulet_protocol::study::StudyTerms;

/// A practitioner asks a patient.
pub(crate) fn request<S: StateRead>(step: &mut Step<'_, S>, call: &RequestAccess) -> Done<S> {
    let registration = registry::practitioner(step)?;
    let grantee = match &call.staff {
        None => Grantee::Person(step.sender),
        Some(staff) => {
            ensure(staff.includes(&registration), RefusalCode::BadGrantee)?;
            Grantee::Staff(staff.clone())
        }
    };
    can_read(step, &grantee, call.purpose)?;
    // Patients join a study; nobody asks them one by one.
    ensure(call.purpose != Purpose::Research, RefusalCode::StudyNeeded)?;
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
        grantee,
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

/// The patient opens these records, and those of some categories that are yet to come: as was asked, or unasked.
pub(crate) fn grant<S: StateRead>(step: &mut Step<'_, S>, call: &GrantAccess) -> Done<S> {
    let asked = call.request.map(|id| as_requested(step, id, call)).transpose()?;
    let longest = asked.as_ref().map_or(ACCESS_TIME_MAX_MS, |request| request.access_ms);
    let patient = step.sender;
    checks::patient(step, patient)?;
    ensure(call.grantee.did() != patient, RefusalCode::SelfDealing)?;
    // Whoever could not use the grant would have the keys nevertheless.
    can_read(step, &call.grantee, call.purpose)?;
    checks::keys(&call.keys)?;
    let now = step.now();
    let valid_from = call.valid_from.map_or(now, |from| from.max(now));
    ensure(valid_from <= now.plus_millis(ANSWER_TIME_MAX_MS), RefusalCode::BadDuration)?;
    lasts(&call.term, valid_from, longest)?;
    let study = research::study_of(step, call)?;
    let bounds = match (&asked, &study) {
        (Some(request), _) => {
            Some(Bounds::new(&request.categories, request.record_dates, RefusalCode::BeyondRequest))
        }
        (None, Some((_, study))) => {
            let StudyTerms { categories, record_dates, .. } = &study.terms;
            Some(Bounds::new(categories, *record_dates, RefusalCode::BeyondStudy))
        }
        (None, None) => None,
    };
    may_open(step, call, bounds)?;
    rules::can_read_some(step, call)?;
    let (id, grantee) = (GrantId(step.id), call.grantee.did());
    let grant = GrantState {
        patient,
        grantee: call.grantee.clone(),
        request: call.request,
        purpose: call.purpose,
        records: call.records.clone(),
        standing: call.standing.clone(),
        term: call.term,
        valid_from,
        hold: Hold::Open,
        uses: 0,
        used_last: None,
        deleted_at: None,
        changes: 0,
        granted: step.context.height,
    };
    step.put(StateKey::Grant(id), &grant);
    if !call.standing.is_empty() {
        standing::note(step, id)?;
    }
    if let Some((study, state)) = study {
        research::enrol(step, study, state, id)?;
    }
    if let (Some(request), Some(state)) = (call.request, asked) {
        step.put(StateKey::Request(request), &RequestState { answer: Answer::Granted(id), ..state });
    }
    let event = Event::AccessGranted { grant: id, request: call.request, grantee };
    history::append(step, &[patient, grantee], &event)
}

/// The request that a grant answers, if the grant is for whom and for what was asked: or for the asker alone, if they asked for
/// their colleagues too.
fn as_requested<S: StateRead>(
    step: &Step<'_, S>,
    id: RequestId,
    call: &GrantAccess,
) -> Done<S, RequestState> {
    let request = answerable(step, id)?;
    let for_asker = call.grantee == Grantee::Person(request.practitioner);
    let same = (call.grantee == request.grantee || for_asker) && call.purpose == request.purpose;
    ensure(same, RefusalCode::NotAsRequested)?;
    Ok(request)
}

/// What a grant may open at most: what was asked for, by a practitioner or a study.
struct Bounds<'a> {
    categories: &'a [Category],
    /// Who asks for the records of a time that ends does not ask for those to come.
    open_ended: bool,
    /// Why more is refused.
    code: RefusalCode,
}

impl<'a> Bounds<'a> {
    fn new(categories: &'a [Category], dates: RecordDates, code: RefusalCode) -> Self {
        Self { categories, open_ended: dates.to.is_none(), code }
    }
}

/// Refuses records that are not the sender's to open, and more than the bounds, if there are some.
fn may_open<S: StateRead>(step: &Step<'_, S>, call: &GrantAccess, bounds: Option<Bounds<'_>>) -> Done<S> {
    let keeps = |category: Option<&Category>| {
        let refused = bounds.as_ref().filter(|bounds| match category {
            Some(category) => !bounds.categories.contains(category),
            None => !bounds.open_ended,
        });
        refused.map_or(Ok(()), |bounds| Err(bounds.code))
    };
    opens(&call.records, &call.standing)?;
    if !call.standing.is_empty() {
        keeps(None)?;
        call.standing.iter().try_for_each(|category| keeps(Some(category)))?;
    }
    for id in &call.records {
        let record: Option<RecordState> = step.get(&StateKey::Record(*id))?;
        let own = record.filter(|record| record.patient == step.sender);
        let record = own.ok_or(RefusalCode::UnknownRecord)?;
        ensure(record.class != DataClass::Core, RefusalCode::CoreRecord)?;
        erasure::still_there(step, *id)?;
        keeps(Some(&record.category))?;
    }
    Ok(())
}

/// Refuses records and categories of records to come that are not in order, or are none at all.
fn opens(records: &[RecordId], standing: &[Category]) -> Result<(), RefusalCode> {
    if !standing.is_empty() {
        checks::ascending(standing, CATEGORIES_MAX)?;
    }
    if records.is_empty() && !standing.is_empty() {
        return Ok(());
    }
    checks::ascending(records, RECORDS_PER_GRANT_MAX)
}

/// Refuses a grantee who could read nothing now: a person who does not practise where that is needed, or an organisation that is
/// unknown or has published no key for its staff.
fn can_read<S: StateRead>(step: &Step<'_, S>, grantee: &Grantee, purpose: Purpose) -> Done<S> {
    match grantee {
        Grantee::Person(did) => {
            let registration: Option<Practitioner> = step.get(&StateKey::Practitioner(*did))?;
            let known = step.exists(&StateKey::Identity(*did))?;
            let reads = grantee.includes(*did, registration.as_ref(), purpose, step.now());
            Ok(ensure(known && reads, RefusalCode::UnknownPractitioner)?)
        }
        Grantee::Staff(staff) | Grantee::Study(Participation { staff, .. }) => {
            let reachable = step.exists(&StateKey::StaffKey(staff.organisation))?;
            Ok(ensure(reachable && staff.is_well_formed(), RefusalCode::BadGrantee)?)
        }
    }
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
