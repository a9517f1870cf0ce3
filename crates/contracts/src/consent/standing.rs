//! Standing grants: which of a patient's new records reach whom with no action of the patient.
//!
//! The hospital that registers records knows their keys, for it has just made them; it seals those that a live standing grant
//! opens to that grant's reader, in the same transaction. Nobody else has to be trusted with a key, and after the end of a grant
//! no new key is sealed to its reader (`docs/decisions/0016-standing-grants.md`).

use crate::ApplyError;
use crate::checks;
use crate::history;
use crate::research;
use crate::state::{self, StateRead};
use crate::step::{Done, Step, Stop, ensure};
use amulet_crypto::sealed_box::AgreementPublicKey;
use amulet_protocol::calls::{GrantId, KeyFlow, RecordEntry};
use amulet_protocol::consent::DataClass;
use amulet_protocol::grant::{GrantState, Standing};
use amulet_protocol::grantee::{Grantee, Participation};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, RecordId, Timestamp};
use amulet_protocol::limits::{RECORDS_PER_GRANT_MAX, STANDING_GRANTS_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Identity, Practitioner, StateKey};

/// A grant that new records are to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub grant: GrantId,
    /// The key that its reader opens, to seal to.
    pub to: AgreementPublicKey,
    /// The records, ascending; at least one.
    pub records: Vec<RecordId>,
}

/// Which standing grants of `patient` open which of these new records at `now`, ascending by grant.
///
/// A grant that is paused, that has ended, whose reader no longer practises, or that would open more records than a grant can,
/// is due nothing. Records of class core reach nobody.
///
/// # Errors
/// [`ApplyError`] when the state cannot be read.
pub fn flows_due<S: StateRead>(
    state: &S,
    patient: Did,
    records: &[RecordEntry],
    now: Timestamp,
) -> Result<Vec<Due>, ApplyError<S::Error>> {
    let mut due = Vec::new();
    for grant in noted(state, patient)? {
        let Some(standing) = state::get::<GrantState, S>(state, &StateKey::Grant(grant))? else { continue };
        let standing = research::counted(state, standing)?;
        let opened = records
            .iter()
            .filter(|record| record.class != DataClass::Core && standing.standing.contains(&record.category));
        let mut opened: Vec<RecordId> = opened.map(|record| record.id).collect();
        let runs = matches!(standing.standing(now), Standing::NotYet | Standing::Active);
        let fits = standing.records.len() + opened.len() <= RECORDS_PER_GRANT_MAX;
        if !runs || !fits || opened.is_empty() {
            continue;
        }
        opened.sort_unstable();
        if let Some(to) = key_of(state, &standing, now)? {
            due.push(Due { grant, to, records: opened });
        }
    }
    Ok(due)
}

/// Opens new records to the readers of standing grants; refuses flows that are not for exactly those that are due.
pub(crate) fn open<S: StateRead>(
    step: &mut Step<'_, S>,
    patient: Did,
    records: &[RecordEntry],
    flows: &[KeyFlow],
) -> Done<S> {
    let due = flows_due(step, patient, records, step.now()).map_err(Stop::Failed)?;
    let exact = due.iter().map(|due| due.grant).eq(flows.iter().map(|flow| flow.grant));
    ensure(exact, RefusalCode::FlowsDiffer)?;
    for flow in flows {
        checks::keys(&flow.keys)?;
    }
    for Due { grant: id, records, .. } in due {
        let key = StateKey::Grant(id);
        let mut grant: GrantState = step.get_filled(&key)?;
        let count = u32::try_from(records.len()).expect("the number of records is bounded");
        grant.records.extend(records);
        grant.records.sort_unstable();
        step.put(key, &grant);
        let (grantee, provider) = (grant.grantee.did(), step.sender);
        let event = Event::RecordsOpened { grant: id, grantee, provider, records: count };
        history::append(step, &[patient, grantee], &event)?;
    }
    Ok(())
}

/// Notes a new standing grant of the sender, and forgets those that open no more records: they have ended, or were narrowed.
pub(crate) fn note<S: StateRead>(step: &mut Step<'_, S>, id: GrantId) -> Done<S> {
    let mut running = vec![id];
    for other in noted(step, step.sender).map_err(Stop::Failed)? {
        let grant: Option<GrantState> = step.get(&StateKey::Grant(other))?;
        let Some(grant) = grant else { continue };
        let grant = research::counted(step, grant).map_err(Stop::Failed)?;
        if !grant.standing.is_empty() && grant.ended_at(step.now()).is_none() {
            running.push(other);
        }
    }
    ensure(running.len() <= STANDING_GRANTS_MAX, RefusalCode::TooManyStanding)?;
    running.sort_unstable();
    step.put(StateKey::StandingGrants(step.sender), &running);
    Ok(())
}

fn noted<S: StateRead>(state: &S, patient: Did) -> Result<Vec<GrantId>, ApplyError<S::Error>> {
    Ok(state::get(state, &StateKey::StandingGrants(patient))?.unwrap_or_default())
}

/// The key to seal to for the reader of a grant; none if there is nobody who could read now.
fn key_of<S: StateRead>(
    state: &S,
    grant: &GrantState,
    now: Timestamp,
) -> Result<Option<AgreementPublicKey>, ApplyError<S::Error>> {
    match &grant.grantee {
        Grantee::Person(did) => {
            let registration: Option<Practitioner> = state::get(state, &StateKey::Practitioner(*did))?;
            if !grant.grantee.includes(*did, registration.as_ref(), grant.purpose, now) {
                return Ok(None);
            }
            let identity: Option<Identity> = state::get(state, &StateKey::Identity(*did))?;
            Ok(identity.map(|identity| identity.agreement))
        }
        Grantee::Staff(staff) | Grantee::Study(Participation { staff, .. }) => {
            state::get(state, &StateKey::StaffKey(staff.organisation))
        }
    }
}
