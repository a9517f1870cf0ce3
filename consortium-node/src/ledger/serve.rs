//! Answers to replicas that are new or far behind, each from one snapshot of the store.

use super::error::LedgerError;
use super::queries::signed_header;
use super::state_tree::{StateAt, StateRows};
use super::store::{HISTORY, STATE_VALUES, Snapshot, corrupt, key_of_row, value_of_row};
use super::transfer::{
    BLOCKS_PER_SNAPSHOT, ChunkSizes, EPOCH_ENDS_PER_CHUNK_MAX, EpochEnd, HISTORIES_PER_CHUNK_MAX,
    HistoryChunk, Standing, StateChunk, TransferRequest, TransferResponse,
};
use amulet_contracts::validators;
use amulet_crypto::digest::Digest;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{Did, Epoch, Height};
use std::sync::Arc;

/// Answers one question.
pub(super) fn answer(
    snapshot: Snapshot,
    request: &TransferRequest,
    sizes: &ChunkSizes,
) -> Result<TransferResponse, LedgerError> {
    match request {
        TransferRequest::Standing => standing(&snapshot),
        TransferRequest::EpochEnds { from } => epoch_ends(&snapshot, *from),
        TransferRequest::Headers { below } => headers(&snapshot, *below, sizes),
        TransferRequest::State { height, from } => state(snapshot, *height, *from, sizes),
        TransferRequest::Histories(wanted) => histories(&snapshot, wanted, sizes),
    }
}

fn standing(snapshot: &Snapshot) -> Result<TransferResponse, LedgerError> {
    let (tip, floor) = (snapshot.tip_height()?, snapshot.floor()?);
    let newest = Height(tip.0 - tip.0 % BLOCKS_PER_SNAPSHOT);
    let offered = if newest.0 == 0 || newest < floor { None } else { signed_header(snapshot, newest)? };
    Ok(TransferResponse::Standing(Box::new(Standing { tip, floor, snapshot: offered })))
}

fn epoch_ends(snapshot: &Snapshot, from: Epoch) -> Result<TransferResponse, LedgerError> {
    let state = StateAt { snapshot, height: snapshot.tip_height()? };
    let newest = validators::membership(&state)?.epoch;
    let mut ends = Vec::new();
    for next in (from.0.saturating_add(1)..=newest.0).take(EPOCH_ENDS_PER_CHUNK_MAX).map(Epoch) {
        let next = validators::at(&state, next)?.ok_or(corrupt(&STATE_VALUES))?;
        let last = Height(next.first.0 - 1);
        let signed = signed_header(snapshot, last)?.ok_or(corrupt(&STATE_VALUES))?;
        ends.push(EpochEnd { signed, validators: next.validators });
    }
    Ok(TransferResponse::EpochEnds(ends))
}

fn headers(snapshot: &Snapshot, below: Height, sizes: &ChunkSizes) -> Result<TransferResponse, LedgerError> {
    let lowest = below.0.saturating_sub(sizes.headers as u64);
    let mut found = Vec::new();
    for height in (lowest..below.0).rev().map(Height) {
        let Some(header) = snapshot.header(height)? else { return Ok(TransferResponse::NotHere) };
        found.push(header);
    }
    Ok(TransferResponse::Headers(found))
}

fn state(
    snapshot: Snapshot,
    height: Height,
    from: Digest,
    sizes: &ChunkSizes,
) -> Result<TransferResponse, LedgerError> {
    if height > snapshot.tip_height()? || height < snapshot.floor()? {
        return Ok(TransferResponse::NotHere);
    }
    let reader = Arc::new(StateRows(snapshot));
    let (mut rows, mut bytes, mut is_last, mut last_key) = (Vec::new(), 0, true, None);
    for row in StateRows::iterate(&reader, height, from)? {
        let (hash, row) = row?;
        bytes += row.len();
        // The first row may be known already: see `Restore`. The second is progress.
        if bytes > sizes.state_bytes && rows.len() > 1 {
            is_last = false;
            break;
        }
        let value = value_of_row(&row)?.ok_or(corrupt(&STATE_VALUES))?;
        rows.push((key_of_row(&row)?, value.to_vec()));
        last_key = Some(hash);
    }
    let proof = match last_key {
        Some(key) => reader.range_proof(key, height)?,
        None => Vec::new(),
    };
    Ok(TransferResponse::State(StateChunk { rows, proof, is_last }))
}

fn histories(
    snapshot: &Snapshot,
    wanted: &[(Did, u64)],
    sizes: &ChunkSizes,
) -> Result<TransferResponse, LedgerError> {
    if wanted.len() > HISTORIES_PER_CHUNK_MAX {
        return Ok(TransferResponse::Malformed);
    }
    let (mut chunks, mut room) = (Vec::new(), sizes.history_entries as u64);
    for (did, up_to) in wanted {
        if room == 0 {
            break;
        }
        let Some(chunk) = history(snapshot, *did, *up_to, room)? else {
            return Ok(TransferResponse::NotHere);
        };
        room -= chunk.entries.len() as u64;
        chunks.push(chunk);
    }
    Ok(TransferResponse::Histories(chunks))
}

/// The last entries of a history up to number `up_to`, at most `room`; `None` if it has fewer than that number.
fn history(
    snapshot: &Snapshot,
    did: Did,
    up_to: u64,
    room: u64,
) -> Result<Option<HistoryChunk>, LedgerError> {
    let first = up_to.saturating_sub(room) + 1;
    let mut below = HistoryHead::default();
    let mut entries = Vec::new();
    for entry in snapshot.history(did, 1)? {
        let entry = entry?;
        if entry.number > up_to {
            break;
        }
        if entry.number < first {
            below = below.push(&entry).map_err(|_| corrupt(&HISTORY))?;
        } else {
            entries.push(entry);
        }
    }
    let found = below.count + entries.len() as u64;
    Ok((found == up_to).then_some(HistoryChunk { below, entries }))
}
