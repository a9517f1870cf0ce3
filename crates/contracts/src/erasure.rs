//! records: having them erased. A patient asks, the hospital that registered them decides, whoever holds them confirms.

use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use crate::{checks, history};
use amulet_protocol::erasure::{
    ConfirmErasure, Erased, ErasureGround, ErasureState, OrderErasure, RefuseErasure, RequestErasure,
};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, RecordId};
use amulet_protocol::limits::{ERASURE_KEPT_TIME_MAX_MS, ERASURE_TIME_MS, RECORDS_PER_ERASURE_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{RecordState, StateKey};
use std::collections::BTreeSet;

/// The patient asks the hospital that registered the records.
pub(crate) fn request<S: StateRead>(step: &mut Step<'_, S>, call: &RequestErasure) -> Done<S> {
    let named = named(step, &call.records)?;
    ensure(named.patient == step.sender, RefusalCode::UnknownRecord)?;
    for id in &call.records {
        match erasure(step, *id)? {
            None => {}
            Some(ErasureState::Kept { until, .. }) => {
                ensure(until <= step.now(), RefusalCode::RecordKept)?;
            }
            Some(ErasureState::Asked { .. }) => return Err(RefusalCode::ErasureAsked.into()),
            Some(ErasureState::Erased(_)) => return Err(RefusalCode::RecordErased.into()),
        }
        let asked = ErasureState::Asked { at: step.now(), provider: named.provider, patient: named.patient };
        step.put(StateKey::Erasure(*id), &asked);
    }
    let event = Event::ErasureRequested { provider: named.provider, records: named.count };
    history::append(step, &[named.patient, named.provider], &event)
}

/// The hospital that registered the records has them erased.
pub(crate) fn order<S: StateRead>(step: &mut Step<'_, S>, call: &OrderErasure) -> Done<S> {
    let named = of_sender(step, &call.records)?;
    for (id, holders) in call.records.iter().zip(&named.holders) {
        let asked = match erasure(step, *id)? {
            Some(ErasureState::Erased(_)) => return Err(RefusalCode::RecordErased.into()),
            Some(ErasureState::Asked { .. }) => true,
            Some(ErasureState::Kept { .. }) | None => false,
        };
        ensure(asked || call.ground != ErasureGround::PatientAsked, RefusalCode::NotAsked)?;
        let receipts = holders.iter().map(|holder| (*holder, None)).collect();
        let erased = Erased { patient: named.patient, at: step.now(), ground: call.ground, receipts };
        step.put(StateKey::Erasure(*id), &ErasureState::Erased(erased));
    }
    let confirm_by = step.now().plus_millis(ERASURE_TIME_MS);
    let (provider, ground, records) = (step.sender, call.ground, named.count);
    let event = Event::ErasureOrdered { provider, ground, records, confirm_by };
    let holders: BTreeSet<Did> = named.holders.into_iter().flatten().collect();
    let concerned: Vec<Did> = [named.patient].into_iter().chain(holders).collect();
    history::append(step, &concerned, &event)
}

/// The hospital that registered the records keeps them, against the patient's wish and by law.
pub(crate) fn refuse<S: StateRead>(step: &mut Step<'_, S>, call: &RefuseErasure) -> Done<S> {
    let named = of_sender(step, &call.records)?;
    let now = step.now();
    let ahead = now < call.until && call.until <= now.plus_millis(ERASURE_KEPT_TIME_MAX_MS);
    ensure(ahead, RefusalCode::BadDuration)?;
    for id in &call.records {
        let waits = matches!(erasure(step, *id)?, Some(ErasureState::Asked { .. }));
        ensure(waits, RefusalCode::NotAsked)?;
        let kept = ErasureState::Kept { at: now, reason: call.reason, until: call.until };
        step.put(StateKey::Erasure(*id), &kept);
    }
    let (provider, records) = (step.sender, named.count);
    let event = Event::ErasureRefused { provider, reason: call.reason, records, until: call.until };
    history::append(step, &[named.patient, provider], &event)
}

/// A holder confirms that it holds the records no more. One that is no organisation any more still owes it, and can give it.
pub(crate) fn confirm<S: StateRead>(step: &mut Step<'_, S>, call: &ConfirmErasure) -> Done<S> {
    let named = named(step, &call.records)?;
    let (now, holder) = (step.now(), step.sender);
    for id in &call.records {
        let Some(ErasureState::Erased(mut erased)) = erasure(step, *id)? else {
            return Err(RefusalCode::NotToErase.into());
        };
        let owed = erased.receipts.iter_mut().find(|(did, _)| *did == holder);
        let (_, confirmed) = owed.ok_or(RefusalCode::NotToErase)?;
        ensure(confirmed.is_none(), RefusalCode::ErasureConfirmed)?;
        *confirmed = Some(now);
        step.put(StateKey::Erasure(*id), &ErasureState::Erased(erased));
    }
    let event = Event::ErasureConfirmed { holder, records: named.count };
    history::append(step, &[named.patient, named.provider, holder], &event)
}

/// Refuses a record that is erased.
pub(crate) fn still_there<S: StateRead>(step: &Step<'_, S>, id: RecordId) -> Done<S> {
    let erased = matches!(erasure(step, id)?, Some(ErasureState::Erased(_)));
    Ok(ensure(!erased, RefusalCode::RecordErased)?)
}

fn erasure<S: StateRead>(step: &Step<'_, S>, id: RecordId) -> Done<S, Option<ErasureState>> {
    step.get(&StateKey::Erasure(id))
}

/// Records named by a call: whose they are, who registered them, and who holds each.
struct NamedRecords {
    patient: Did,
    provider: Did,
    holders: Vec<Vec<Did>>,
    count: u32,
}

/// The records, all of one patient and one provider: else the events would go to people whom they do not concern.
fn named<S: StateRead>(step: &Step<'_, S>, records: &[RecordId]) -> Done<S, NamedRecords> {
    checks::ascending(records, RECORDS_PER_ERASURE_MAX)?;
    let mut found: Option<(Did, Did)> = None;
    let mut holders = Vec::with_capacity(records.len());
    for id in records {
        let record: RecordState = step.get(&StateKey::Record(*id))?.ok_or(RefusalCode::UnknownRecord)?;
        let whose = (record.patient, record.provider);
        ensure(*found.get_or_insert(whose) == whose, RefusalCode::BadList)?;
        holders.push(record.holders);
    }
    let (patient, provider) = found.expect("an ascending list has something in it");
    let count = u32::try_from(records.len()).expect("the number of records is bounded above");
    Ok(NamedRecords { patient, provider, holders, count })
}

fn of_sender<S: StateRead>(step: &Step<'_, S>, records: &[RecordId]) -> Done<S, NamedRecords> {
    let named = named(step, records)?;
    ensure(named.provider == step.sender, RefusalCode::NotYourRecord)?;
    Ok(named)
}
