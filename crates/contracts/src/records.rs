//! records: hospitals register what they hold of a patient. Who registers answers for it.

use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use crate::{checks, consent, history, registry};
use amulet_protocol::calls::{RecordEntry, RegisterRecords};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{RECORDS_PER_TRANSACTION_MAX, SEALED_KEY_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{RecordState, StateKey};
use std::collections::BTreeSet;

/// Registers records, all or none.
pub(crate) fn register<S: StateRead>(step: &mut Step<'_, S>, call: &RegisterRecords) -> Done<S> {
    registry::organisation(step)?;
    checks::patient(step, call.patient)?;
    let counted = (1..=RECORDS_PER_TRANSACTION_MAX).contains(&call.records.len());
    ensure(counted, RefusalCode::BadList)?;
    let mut checked: BTreeSet<&[Did]> = BTreeSet::new();
    for entry in &call.records {
        ensure(entry.holders.first() == Some(&step.sender), RefusalCode::BadList)?;
        // Thousands of records share a few lists of holders; each list is looked up once.
        if !checked.contains(entry.holders.as_slice()) {
            checks::holders(step, &entry.holders)?;
            checked.insert(&entry.holders);
        }
        register_one(step, call.patient, entry)?;
    }
    let records = u32::try_from(call.records.len()).expect("the number of records is bounded above");
    let event = Event::RecordsRegistered { provider: step.sender, records };
    history::append(step, &[call.patient], &event)?;
    consent::standing::open(step, call.patient, &call.records, &call.flows)
}

fn register_one<S: StateRead>(step: &mut Step<'_, S>, patient: Did, entry: &RecordEntry) -> Done<S> {
    let key = StateKey::Record(entry.id);
    ensure(!step.exists(&key)?, RefusalCode::RecordExists)?;
    checks::sealed(&entry.sealed_key, SEALED_KEY_BYTES_MAX)?;
    let record = RecordState {
        patient,
        provider: step.sender,
        category: entry.category,
        class: entry.class,
        blob: entry.blob,
        commitment: entry.commitment,
        holders: entry.holders.clone(),
        registered: step.context.height,
    };
    step.put(key, &record);
    Ok(())
}
