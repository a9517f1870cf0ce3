//! What becomes of a grant: used, narrowed, extended, paused, resumed, taken back, and deleted at the reader's.

use super::{can_read, lasts, opens};
use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{checks, erasure, history, research, rules};
use amulet_protocol::calls::{
    ConfirmDeletion, ExtendAccess, GrantId, NarrowAccess, PauseAccess, ResumeAccess, RevokeAccess, UseAccess,
};
use amulet_protocol::grant::{Deletion, GrantState, Hold, Standing};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{ACCESS_TIME_MAX_MS, CHANGES_PER_GRANT_MAX, RECORDS_PER_GRANT_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Practitioner, StateKey};

/// The patient opens fewer records, for less time, for fewer uses, or has them deleted earlier.
pub(crate) fn narrow<S: StateRead>(step: &mut Step<'_, S>, call: &NarrowAccess) -> Done<S> {
    let mut grant = own(step, call.grant)?;
    goes_on(step, &grant)?;
    count_change(&mut grant)?;
    opens(&call.records, &call.standing)?;
    lasts(&call.term, step.now().max(grant.valid_from), ACCESS_TIME_MAX_MS)?;
    let within = call.term.is_within(&grant.term)
        && is_part(&call.records, &grant.records)
        && is_part(&call.standing, &grant.standing);
    let as_much =
        grant.term.is_within(&call.term) && call.records == grant.records && call.standing == grant.standing;
    // One that is used up by being narrowed has ended: that is what taking back is for.
    let leaves = call.term.uses_max.is_none_or(|limit| grant.uses < limit.0.get());
    ensure(within && !as_much && leaves, RefusalCode::NotNarrower)?;
    grant.records.clone_from(&call.records);
    grant.standing.clone_from(&call.standing);
    grant.term = call.term;
    let event = Event::AccessNarrowed { grant: call.grant, grantee: grant.grantee.did() };
    keep(step, call.grant, &grant, &event)
}

/// The patient lets a grant go on for longer or for more uses, which takes a new signature of theirs each time.
pub(crate) fn extend<S: StateRead>(step: &mut Step<'_, S>, call: &ExtendAccess) -> Done<S> {
    let mut grant = own(step, call.grant)?;
    goes_on(step, &grant)?;
    count_change(&mut grant)?;
    can_read(step, &grant.grantee, grant.purpose)?;
    lasts(&call.term, step.now().max(grant.valid_from), ACCESS_TIME_MAX_MS)?;
    let more = grant.term.is_within(&call.term) && !call.term.is_within(&grant.term);
    ensure(more, RefusalCode::NotLonger)?;
    research::lasts(step, &grant.grantee, &call.term)?;
    grant.term = call.term;
    let until = call.term.valid_until;
    let event = Event::AccessExtended { grant: call.grant, grantee: grant.grantee.did(), until };
    keep(step, call.grant, &grant, &event)
}

/// The patient holds a grant.
pub(crate) fn pause<S: StateRead>(step: &mut Step<'_, S>, call: &PauseAccess) -> Done<S> {
    let mut grant = own(step, call.grant)?;
    goes_on(step, &grant)?;
    count_change(&mut grant)?;
    ensure(grant.hold == Hold::Open, RefusalCode::GrantPaused)?;
    grant.hold = Hold::Paused { at: step.now() };
    let event = Event::AccessPaused { grant: call.grant, grantee: grant.grantee.did() };
    keep(step, call.grant, &grant, &event)
}

/// The patient lets a paused grant go on.
pub(crate) fn resume<S: StateRead>(step: &mut Step<'_, S>, call: &ResumeAccess) -> Done<S> {
    let mut grant = own(step, call.grant)?;
    goes_on(step, &grant)?;
    count_change(&mut grant)?;
    ensure(matches!(grant.hold, Hold::Paused { .. }), RefusalCode::NotPaused)?;
    grant.hold = Hold::Open;
    let event = Event::AccessResumed { grant: call.grant, grantee: grant.grantee.did() };
    keep(step, call.grant, &grant, &event)
}

/// The patient takes a grant back before it ends. Its reader is told by when to delete what was read.
pub(crate) fn revoke<S: StateRead>(step: &mut Step<'_, S>, call: &RevokeAccess) -> Done<S> {
    let mut grant = own(step, call.grant)?;
    // What the last use of a used-up grant named can still be fetched for a while, unless it is taken back.
    goes_on(step, &grant).or_else(|code| ensure(code == RefusalCode::GrantUsedUp, code))?;
    grant.hold = Hold::Revoked { at: step.now() };
    research::withdraw(step, call.grant, &grant)?;
    let erase_by = match grant.deletion(step.now()) {
        Deletion::Owed { by } | Deletion::Overdue { by } => Some(by),
        Deletion::NotOwed | Deletion::Confirmed { .. } => None,
    };
    let event = Event::AccessRevoked { grant: call.grant, grantee: grant.grantee.did(), erase_by };
    keep(step, call.grant, &grant, &event)
}

/// The grantee, or one of the staff it is for, states which records they read now; the vault releases nothing before this is
/// committed.
pub(crate) fn use_access<S: StateRead>(step: &mut Step<'_, S>, call: &UseAccess) -> Done<S> {
    let mut grant = read(step, call.grant)?;
    reads(step, &grant)?;
    match grant.standing(step.now()) {
        Standing::NotYet => Err(RefusalCode::GrantNotBegun),
        Standing::Paused => Err(RefusalCode::GrantPaused),
        _ => goes_on(step, &grant),
    }?;
    checks::ascending(&call.records, RECORDS_PER_GRANT_MAX)?;
    ensure(is_part(&call.records, &grant.records), RefusalCode::NotGranted)?;
    call.records.iter().try_for_each(|id| erasure::still_there(step, *id))?;
    rules::can_read_all(step, &grant, &call.records)?;
    grant.uses = grant.uses.saturating_add(1);
    grant.used_last = Some(step.now());
    let records = u32::try_from(call.records.len()).expect("the number of records is bounded above");
    let event = Event::RecordsRead { grant: call.grant, practitioner: step.sender, records };
    step.put(StateKey::Grant(call.grant), &grant);
    let organisation = Some(grant.grantee.did()).filter(|answerable| *answerable != step.sender);
    let concerned: Vec<Did> = [grant.patient, step.sender].into_iter().chain(organisation).collect();
    history::append(step, &concerned, &event)
}

/// The deletion receipt of the reader, or of the organisation whose staff read. Whoever has left the hospital meanwhile still owes
/// it, and can give it.
pub(crate) fn confirm_deletion<S: StateRead>(step: &mut Step<'_, S>, call: &ConfirmDeletion) -> Done<S> {
    let mut grant = read(step, call.grant)?;
    ensure(grant.grantee.did() == step.sender, RefusalCode::NotYourGrant)?;
    ensure(grant.ended_at(step.now()).is_some(), RefusalCode::NotEnded)?;
    match grant.deletion(step.now()) {
        Deletion::Owed { .. } | Deletion::Overdue { .. } => {}
        Deletion::NotOwed => return Err(RefusalCode::NothingRead.into()),
        Deletion::Confirmed { .. } => return Err(RefusalCode::DeletionConfirmed.into()),
    }
    grant.deleted_at = Some(step.now());
    let event = Event::DeletionConfirmed { grant: call.grant, grantee: step.sender };
    keep(step, call.grant, &grant, &event)
}

/// Refuses a sender whom the grant is not for, or who is no practitioner now where one is needed.
fn reads<S: StateRead>(step: &Step<'_, S>, grant: &GrantState) -> Done<S> {
    let registration: Option<Practitioner> = step.get(&StateKey::Practitioner(step.sender))?;
    let included = grant.grantee.includes(step.sender, registration.as_ref(), grant.purpose, step.now());
    if included {
        return Ok(());
    }
    let named = grant.grantee == Grantee::Person(step.sender);
    Err(if named { RefusalCode::NotAPractitioner } else { RefusalCode::NotYourGrant }.into())
}

fn read<S: StateRead>(step: &Step<'_, S>, id: GrantId) -> Done<S, GrantState> {
    let grant = step.get(&StateKey::Grant(id))?.ok_or(RefusalCode::UnknownGrant)?;
    research::counted(step, grant).map_err(Stop::Failed)
}

/// The grant, if it is the sender's to change.
fn own<S: StateRead>(step: &Step<'_, S>, id: GrantId) -> Done<S, GrantState> {
    let grant = read(step, id)?;
    ensure(grant.patient == step.sender, RefusalCode::NotYourGrant)?;
    Ok(grant)
}

/// Refuses a grant that has ended, and says how it did.
fn goes_on<S: StateRead>(step: &Step<'_, S>, grant: &GrantState) -> Result<(), RefusalCode> {
    match grant.standing(step.now()) {
        Standing::Revoked => Err(RefusalCode::GrantRevoked),
        Standing::Expired => Err(RefusalCode::GrantExpired),
        Standing::UsedUp => Err(RefusalCode::GrantUsedUp),
        Standing::NotYet | Standing::Active | Standing::Paused => Ok(()),
    }
}

/// Counts a change of the grant; refuses one too many.
fn count_change(grant: &mut GrantState) -> Result<(), RefusalCode> {
    ensure(grant.changes < CHANGES_PER_GRANT_MAX, RefusalCode::TooManyChanges)?;
    grant.changes += 1;
    Ok(())
}

/// Whether each of `part` is in `whole`; both ascend.
fn is_part<T: Ord>(part: &[T], whole: &[T]) -> bool {
    part.iter().all(|id| whole.binary_search(id).is_ok())
}

/// Writes the grant and tells both sides.
fn keep<S: StateRead>(step: &mut Step<'_, S>, id: GrantId, grant: &GrantState, event: &Event) -> Done<S> {
    step.put(StateKey::Grant(id), grant);
    history::append(step, &[grant.patient, grant.grantee.did()], event)
}
