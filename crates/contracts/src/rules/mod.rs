//! The rule book: what the consortium allows beside what a patient grants.
//!
//! An access needs both. The rules are Cedar policies on the ledger ([`RuleBookState`]), written against a fixed schema
//! ([`SCHEMA`]) and changed by governance alone. A [`RuleBook`] is a pure function of its text, and what it decides of that and
//! of the [`Access`]: no clock, no floating point, no order of anything. A rule that cannot be evaluated denies. Why Cedar, and
//! what is kept from it, is in `docs/decisions/0017-rule-book.md`.

mod access;
mod book;
mod explain;
pub(crate) mod proposals;
mod shape;
#[cfg(test)]
mod tests;
mod words;

pub use access::{Access, GivenTo, Reader, RecordKind, hour_of_day};
pub use book::{BadRules, DEFAULT_RULES, Explanation, Rule, RuleBook, SCHEMA};
pub use explain::explain_reading;

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{ApplyError, state};
use amulet_protocol::calls::GrantAccess;
use amulet_protocol::consent::{Category, DataClass, PractitionerRole, Purpose};
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::ids::RecordId;
use amulet_protocol::limits::RECORD_KINDS_PER_ACCESS_MAX;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::rules::RuleBookState;
use amulet_protocol::state::{Practitioner, RecordState, StateKey};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Rule books kept parsed: the one in force, and that of another chain of the same process, as tests have.
const PARSED_MAX: usize = 4;

/// Parsed rule books, newest last. What is found here is what parsing the same text would give.
static PARSED: Mutex<Vec<Arc<RuleBook>>> = Mutex::new(Vec::new());

/// The rule book in force.
///
/// # Errors
/// [`ApplyError`] when the state cannot be read, or holds no rule book.
pub fn in_force<S: StateRead>(state: &S) -> Result<Arc<RuleBook>, ApplyError<S::Error>> {
    let RuleBookState { policies, .. } = state::get_filled(state, &StateKey::RuleBook)?;
    parsed(&policies).map_err(|_| ApplyError::Corrupt { key: StateKey::RuleBook })
}

/// Parses a text, unless that was done lately.
fn parsed(text: &str) -> Result<Arc<RuleBook>, BadRules> {
    let kept = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(book) = kept().iter().find(|book| book.text() == text) {
        return Ok(Arc::clone(book));
    }
    let book = Arc::new(RuleBook::parse(text)?);
    let mut kept = kept();
    if kept.len() == PARSED_MAX {
        kept.remove(0);
    }
    kept.push(Arc::clone(&book));
    Ok(book)
}

/// Refuses a reading by the sender of which the rule book does not allow all.
pub(crate) fn can_read_all<S: StateRead>(
    step: &Step<'_, S>,
    grant: &GrantState,
    records: &[RecordId],
) -> Done<S> {
    let registration: Option<Practitioner> = step.get(&StateKey::Practitioner(step.sender))?;
    let reader = Reader::under(&grant.grantee, grant.purpose, registration.as_ref());
    let mut kinds = BTreeSet::new();
    for id in records {
        let record: RecordState = step.get_filled(&StateKey::Record(*id))?;
        kinds.insert(kind_of(&record, record.registered <= grant.granted));
    }
    ensure(kinds.len() <= RECORD_KINDS_PER_ACCESS_MAX, RefusalCode::BadList)?;
    let book = in_force(step).map_err(Stop::Failed)?;
    let allowed = kinds.into_iter().all(|kind| {
        let (reader, purpose, given_to) = (reader.clone(), grant.purpose, GivenTo::of(&grant.grantee));
        book.allows(&Access { reader, kind, purpose, given_to, hour: hour_of_day(step.now()) })
    });
    Ok(ensure(allowed, RefusalCode::NotByRules)?)
}

/// Refuses a grant to a person who could never read any of it by the rule book: they would have the keys nevertheless. Of staff, who
/// reads is not known yet.
pub(crate) fn can_read_some<S: StateRead>(step: &Step<'_, S>, call: &GrantAccess) -> Done<S> {
    let Grantee::Person(did) = call.grantee else { return Ok(()) };
    let registration: Option<Practitioner> = step.get(&StateKey::Practitioner(did))?;
    let reader = Reader::under(&call.grantee, call.purpose, registration.as_ref());
    let mut kinds = BTreeSet::new();
    for id in &call.records {
        let record: RecordState = step.get_filled(&StateKey::Record(*id))?;
        kinds.insert(kind_of(&record, true));
    }
    // Who will register the records to come is not known: the reader's own hospital, or another, which is here the reader.
    let providers = [reader.organisation().unwrap_or(did), did];
    for category in &call.standing {
        for class in [DataClass::Public, DataClass::Internal, DataClass::Sensitive] {
            kinds.extend(providers.map(|provider| RecordKind {
                category: *category,
                class,
                provider,
                by_name: false,
            }));
        }
    }
    ensure(kinds.len() <= RECORD_KINDS_PER_ACCESS_MAX, RefusalCode::BadList)?;
    let book = in_force(step).map_err(Stop::Failed)?;
    let hours = if book.tells_time() { 0..24 } else { 0..1 };
    let some = kinds.into_iter().any(|kind| {
        hours.clone().any(|hour| {
            let (reader, purpose) = (reader.clone(), call.purpose);
            book.allows(&Access { reader, kind, purpose, given_to: GivenTo::Person, hour })
        })
    });
    Ok(ensure(some, RefusalCode::NotByRules)?)
}

/// Refuses a study that asks for a category of which its own researchers may not even read what their organisation has registered.
pub(crate) fn can_study<S: StateRead>(step: &Step<'_, S>, staff: &Staff, categories: &[Category]) -> Done<S> {
    let book = in_force(step).map_err(Stop::Failed)?;
    let grantee = Grantee::Staff(staff.clone());
    let hours = if book.tells_time() { 0..24 } else { 0..1 };
    let allows = |category: &Category| {
        hours.clone().any(|hour| {
            let kind = RecordKind {
                category: *category,
                class: DataClass::Sensitive,
                provider: staff.organisation,
                by_name: true,
            };
            let reader = Reader::Practitioner {
                organisation: staff.organisation,
                department: staff.department.clone().unwrap_or_default(),
                role: PractitionerRole::Researcher,
            };
            let given_to = GivenTo::of(&grantee);
            book.allows(&Access { reader, kind, purpose: Purpose::Research, given_to, hour })
        })
    };
    Ok(ensure(categories.iter().all(allows), RefusalCode::NotByRules)?)
}

fn kind_of(record: &RecordState, by_name: bool) -> RecordKind {
    let RecordState { category, class, provider, .. } = *record;
    RecordKind { category, class, provider, by_name }
}
