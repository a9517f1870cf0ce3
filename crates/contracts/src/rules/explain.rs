//! Explaining to a reader what the rules let them read under a grant, by the very questions that decide a reading.

use super::access::{Access, GivenTo, Reader, hour_of_day};
use super::book::Rule;
use super::{in_force, kind_of};
use crate::ApplyError;
use crate::state::{StateRead, get};
use amulet_protocol::calls::GrantId;
use amulet_protocol::grant::GrantState;
use amulet_protocol::ids::{Did, RecordId, Timestamp};
use amulet_protocol::limits::RULED_KINDS_MAX;
use amulet_protocol::rules::{ExplainedReading, RuleText, RuledKind};
use amulet_protocol::state::{Practitioner, RecordState, StateKey};
use std::collections::BTreeMap;

/// What the rule book in force says if `reader` reads all that a grant opens at `now`, kind by kind; `None` if there is no such grant.
///
/// It says nothing of the grant itself, which may have ended, or be somebody else's.
///
/// # Errors
/// [`ApplyError`], as for applying a transaction.
pub fn explain_reading<S: StateRead>(
    state: &S,
    id: GrantId,
    reader: Did,
    now: Timestamp,
) -> Result<Option<ExplainedReading>, ApplyError<S::Error>> {
    let grant: Option<GrantState> = get(state, &StateKey::Grant(id))?;
    let Some(grant) = grant else { return Ok(None) };
    let registration: Option<Practitioner> = get(state, &StateKey::Practitioner(reader))?;
    let reader = Reader::under(&grant.grantee, grant.purpose, registration.as_ref());
    let mut kinds: BTreeMap<_, Vec<RecordId>> = BTreeMap::new();
    for id in &grant.records {
        let record: Option<RecordState> = get(state, &StateKey::Record(*id))?;
        let Some(record) = record else { continue };
        kinds.entry(kind_of(&record, record.registered <= grant.granted)).or_default().push(*id);
    }
    let book = in_force(state)?;
    let (mut rules, mut explained) = (BTreeMap::<RuleText, u16>::new(), Vec::new());
    for (kind, records) in kinds.into_iter().take(RULED_KINDS_MAX) {
        let (purpose, given_to) = (grant.purpose, GivenTo::of(&grant.grantee));
        let access = Access { reader: reader.clone(), kind, purpose, given_to, hour: hour_of_day(now) };
        let explanation = book.explain(&access);
        let spoke = explanation.failing.iter().chain(&explanation.forbidding).chain(&explanation.permitting);
        let spoke = spoke
            .map(|rule| {
                let next = u16::try_from(rules.len()).expect("the number of rules is bounded by their text");
                *rules.entry(text(rule)).or_insert(next)
            })
            .collect();
        let allowed = explanation.allowed;
        explained.push(RuledKind { category: kind.category, class: kind.class, records, allowed, spoke });
    }
    let mut ordered: Vec<_> = rules.into_iter().collect();
    ordered.sort_by_key(|(_, place)| *place);
    let rules = ordered.into_iter().map(|(rule, _)| rule).collect();
    Ok(Some(ExplainedReading { rules, kinds: explained }))
}

fn text(rule: &Rule) -> RuleText {
    let Rule { id, forbids, zh, en } = rule.clone();
    RuleText { id, forbids, zh, en }
}
