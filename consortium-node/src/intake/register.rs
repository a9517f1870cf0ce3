//! Registering stored records on the ledger.

use super::store::{Stored, StoredRecords, remove};
use super::{IntakeError, IntakeParts, blocking, flows, registered_as};
use crate::org_sender::SendError;
use amulet_crypto::digest::Digest;
use amulet_protocol::calls::{Call, RecordEntry, RegisterRecords};
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, RecordId};
use amulet_protocol::limits::{RECORDS_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;

/// Bytes of a transaction beside its records.
const BESIDE_RECORDS_BYTES: usize = 1_024;
/// How often a registration is tried whose number another transaction took, or whose readers have changed.
const TRIES: usize = 4;

/// Registers all records; gives the number registered, and the labels of those that turned out to be registered already.
pub(super) async fn register(
    parts: &IntakeParts,
    patient: Did,
    stored: StoredRecords,
) -> Result<(usize, Vec<String>), IntakeError> {
    let StoredRecords { mirror, records } = stored;
    let (index, taken) = (parts.index.clone(), notes(&records));
    blocking(move || Ok(index.note_taken(taken)?)).await?;
    let total = records.len();
    let (mut registered, mut known) = (0, Vec::new());
    let (reading, entries) = (parts.ledger.clone(), entries_of(&records));
    let readers = blocking(move || Ok(reading.moment()?.flows_due(patient, &entries)?.len())).await?;
    let mut waiting = chunks(records, readers).into_iter();
    while let Some(chunk) = waiting.next() {
        match register_chunk(parts, patient, chunk).await? {
            Registered::All { records, already } => {
                registered += records;
                known.extend(already);
            }
            Registered::Failed { source, given_up } => {
                // A transaction that may still be committed needs its ciphertexts.
                let kept = if source.may_take_effect() { Vec::new() } else { given_up };
                let unused: Vec<Stored> = kept.into_iter().chain(waiting.flatten()).collect();
                let (index, taken) = (parts.index.clone(), notes(&unused));
                blocking(move || Ok(index.forget_taken(taken)?)).await?;
                remove(parts, mirror, unused.iter().map(|record| record.entry.blob).collect()).await;
                return Err(IntakeError::Unfinished { registered, records: total, source });
            }
        }
    }
    Ok((registered, known))
}

enum Registered {
    All { records: usize, already: Vec<String> },
    Failed { source: SendError, given_up: Vec<Stored> },
}

/// Sends one transaction. When an earlier attempt at the same file took its number, what that one registered is left out
/// of the next try.
async fn register_chunk(
    parts: &IntakeParts,
    patient: Did,
    mut chunk: Vec<Stored>,
) -> Result<Registered, IntakeError> {
    let mut already = Vec::new();
    for attempt in 1..=TRIES {
        let (own, records) = (parts.clone(), entries_of(&chunk));
        let flows;
        (chunk, flows) = blocking(move || {
            let flows = flows::seal(&own, patient, &chunk)?;
            Ok((chunk, flows))
        })
        .await?;
        let call = Call::RegisterRecords(RegisterRecords { patient, records, flows });
        match parts.sender.send(call).await {
            Ok(_) => return Ok(Registered::All { records: chunk.len(), already }),
            // The patient gave or ended a standing grant meanwhile.
            Err(SendError::Refused(RefusalCode::FlowsDiffer)) if attempt < TRIES => {}
            Err(SendError::Overtaken) if attempt < TRIES => {
                let parts = parts.clone();
                let (known, rest) = blocking(move || split(&parts, chunk)).await?;
                already.extend(known);
                chunk = rest;
                if chunk.is_empty() {
                    return Ok(Registered::All { records: 0, already });
                }
            }
            Err(source) => return Ok(Registered::Failed { source, given_up: chunk }),
        }
    }
    unreachable!("the last attempt returns")
}

/// Labels of the records whose content another attempt has registered meanwhile, and the other records.
fn split(parts: &IntakeParts, chunk: Vec<Stored>) -> Result<(Vec<String>, Vec<Stored>), IntakeError> {
    let (mut known, mut rest) = (Vec::new(), Vec::new());
    for record in chunk {
        if registered_as(parts, parts.index.taken_as(record.content)?)?.is_some() {
            known.push(record.label);
        } else {
            rest.push(record);
        }
    }
    Ok((known, rest))
}

fn entries_of(records: &[Stored]) -> Vec<RecordEntry> {
    records.iter().map(|record| record.entry.clone()).collect()
}

fn notes(records: &[Stored]) -> Vec<(Digest, RecordId)> {
    records.iter().map(|record| (record.content, record.entry.id)).collect()
}

/// Splits into what fits into one transaction each, with the keys for so many readers.
fn chunks(records: Vec<Stored>, readers: usize) -> Vec<Vec<Stored>> {
    let room = TRANSACTION_BYTES_MAX - BESIDE_RECORDS_BYTES - readers * flows::BESIDE_KEYS_BYTES;
    let mut chunks: Vec<Vec<Stored>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let size = codec::encode(&record.entry).len() + readers * flows::KEY_BYTES;
        let fits =
            |chunk: &&mut Vec<Stored>| chunk.len() < RECORDS_PER_TRANSACTION_MAX && bytes + size <= room;
        match chunks.last_mut().filter(fits) {
            Some(chunk) => {
                chunk.push(record);
                bytes += size;
            }
            None => {
                chunks.push(vec![record]);
                bytes = size;
            }
        }
    }
    chunks
}
