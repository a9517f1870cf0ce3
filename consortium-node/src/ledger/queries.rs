//! Answers to light clients, each from one snapshot.

use super::epoch;
use super::error::LedgerError;
use super::execute::receipts_tree;
use super::range;
use super::state_tree::StateAt;
use super::store::{CERTIFICATES, HEADERS, RECEIPTS, STATE_NODES, STATE_VALUES, Snapshot, corrupt};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, Epoch, HeaderHash, Height, TxId};
use amulet_protocol::light::{
    LightRefusal, LightRequest, LightResponse, UntrustedEpochEnd, UntrustedHeaderRun, UntrustedHeaders,
    UntrustedReceiptProof, UntrustedReceipts, UntrustedStep,
};
use amulet_protocol::limits::{
    HEADER_RUN_MAX, HEADERS_PER_REQUEST_MAX, HISTORY_ENTRIES_PER_RESPONSE_MAX, LIGHT_RESPONSE_BYTES_MAX,
    LIST_BATCH_MAX, STATE_KEYS_PER_REQUEST_MAX, TRANSACTIONS_PER_REQUEST_MAX,
};
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::UntrustedStateBatch;
use amulet_protocol::state_tree::UntrustedStateProof;
use std::collections::BTreeSet;

/// Bytes of an answer that are left for what surrounds the list in it.
const ENVELOPE_BYTES: usize = 1_024;

/// Answers what the ledger alone can answer; other requests are refused as malformed, for they do not belong here.
pub(super) fn answer(snapshot: &Snapshot, request: &LightRequest) -> Result<LightResponse, LedgerError> {
    match request {
        LightRequest::Latest => latest(snapshot),
        LightRequest::LatestUnless(known) => latest_unless(snapshot, *known),
        LightRequest::HeaderAt(height) => header_at(snapshot, *height),
        LightRequest::RangeProof { older, newer } => range_proof(snapshot, *older, *newer),
        LightRequest::State { height, keys } => state(snapshot, *height, keys),
        LightRequest::History { did, from, height } => history(snapshot, *did, *from, *height),
        LightRequest::Transactions(ids) => transactions(snapshot, ids),
        LightRequest::Receipt(id) => receipt(snapshot, *id),
        LightRequest::EpochEnd(epoch) => epoch_end(snapshot, *epoch),
        LightRequest::StateBatch { height, keys } => state_batch(snapshot, *height, keys),
        LightRequest::Headers { heights, newer } => headers(snapshot, heights, *newer),
        LightRequest::RangeBatch { heights, newer } => range_batch(snapshot, heights, *newer),
        LightRequest::Receipts { height, transactions } => receipts(snapshot, *height, transactions),
        LightRequest::EpochEndWithSet(epoch) => epoch_end_with_set(snapshot, *epoch),
        LightRequest::Validators(height) => validators(snapshot, *height),
        LightRequest::HeaderRun { from, count } => header_run(snapshot, *from, *count),
        LightRequest::Submit(_)
        | LightRequest::Read(_)
        | LightRequest::Upload(_)
        | LightRequest::ReportFork(_)
        | LightRequest::StaffGrants(_)
        | LightRequest::StaffKeys(_)
        | LightRequest::ExplainReading { .. }
        | LightRequest::ReadPiece { .. }
        | LightRequest::Links(_) => Ok(malformed()),
    }
}

/// The newest certified header; none before the first block, as block 0 has no certificate.
fn latest(snapshot: &Snapshot) -> Result<LightResponse, LedgerError> {
    let tip = snapshot.tip()?;
    if tip.height == Height(0) {
        return Ok(LightResponse::NotFound);
    }
    header_at(snapshot, tip.height)
}

/// The same, unless it is the one that the asker has.
fn latest_unless(snapshot: &Snapshot, known: HeaderHash) -> Result<LightResponse, LedgerError> {
    let tip = snapshot.tip()?;
    if tip.height > Height(0) && tip.hash() == known {
        return Ok(LightResponse::Unchanged);
    }
    latest(snapshot)
}

fn header_at(snapshot: &Snapshot, height: Height) -> Result<LightResponse, LedgerError> {
    if let Some(header) = signed_header(snapshot, height)? {
        return Ok(LightResponse::Header(Box::new(header)));
    }
    Ok(if height <= snapshot.tip_height()? { pruned(height) } else { LightResponse::NotFound })
}

/// A header with its certificate; `None` where the certificate was removed. That of block 0 is without signatures: it is proven by its place in the range.
pub(super) fn signed_header(
    snapshot: &Snapshot,
    height: Height,
) -> Result<Option<UntrustedSignedHeader>, LedgerError> {
    let Some(header) = snapshot.header(height)? else {
        return Ok(None);
    };
    let certificate = match snapshot.certificate(height)? {
        Some(certificate) => certificate,
        None if height == Height(0) => UntrustedCommitCertificate {
            vote: CommitVote { height, view: header.view, header_hash: header.hash() },
            signatures: Vec::new(),
        },
        None if height < snapshot.floor()? => return Ok(None),
        None => return Err(corrupt(&CERTIFICATES)),
    };
    Ok(Some(UntrustedSignedHeader { header, certificate }))
}

fn range_proof(snapshot: &Snapshot, older: Height, newer: Height) -> Result<LightResponse, LedgerError> {
    if older >= newer {
        return Ok(malformed());
    }
    if newer > snapshot.tip()?.height {
        return Ok(LightResponse::NotFound);
    }
    range::prove(snapshot, older, newer).map(LightResponse::RangeProof)
}

fn state(snapshot: &Snapshot, height: Height, keys: &[StateKey]) -> Result<LightResponse, LedgerError> {
    if let Some(refusal) = refused_state(snapshot, height, keys)? {
        return Ok(refusal);
    }
    Ok(match proofs(snapshot, height, keys)? {
        Some(proofs) => LightResponse::State(proofs),
        None => malformed(),
    })
}

fn state_batch(snapshot: &Snapshot, height: Height, keys: &[StateKey]) -> Result<LightResponse, LedgerError> {
    let different: BTreeSet<&StateKey> = keys.iter().collect();
    if different.len() < keys.len() {
        return Ok(malformed());
    }
    if let Some(refusal) = refused_state(snapshot, height, keys)? {
        return Ok(refusal);
    }
    let Some(proofs) = proofs(snapshot, height, keys)? else { return Ok(malformed()) };
    let proofs = keys.iter().cloned().zip(proofs).collect();
    let batch = UntrustedStateBatch::join(proofs).ok_or(corrupt(&STATE_NODES))?;
    Ok(LightResponse::StateBatch(batch))
}

/// The proofs of all keys, or `None` if an answer has no room for them: it never passes for the absence of the rest.
fn proofs(
    snapshot: &Snapshot,
    height: Height,
    keys: &[StateKey],
) -> Result<Option<Vec<UntrustedStateProof>>, LedgerError> {
    let state = StateAt { snapshot, height };
    let mut proofs = Vec::with_capacity(keys.len());
    let mut room = Room::default();
    for key in keys {
        let proof = state.prove(key)?;
        if !room.take(codec::encode(&proof).len()) {
            return Ok(None);
        }
        proofs.push(proof);
    }
    Ok(Some(proofs))
}

/// Why keys of the state at a height are not answered; `None` if they can be.
fn refused_state(
    snapshot: &Snapshot,
    height: Height,
    keys: &[StateKey],
) -> Result<Option<LightResponse>, LedgerError> {
    if keys.is_empty() || keys.len() > STATE_KEYS_PER_REQUEST_MAX {
        return Ok(Some(malformed()));
    }
    if height > snapshot.tip()?.height {
        return Ok(Some(LightResponse::NotFound));
    }
    Ok((height < snapshot.floor()?).then(|| pruned(height)))
}

/// Why several headers cannot be placed in the range of another one.
fn refused_batch(
    snapshot: &Snapshot,
    heights: &[Height],
    newer: Height,
) -> Result<Option<LightResponse>, LedgerError> {
    let ascending = heights.windows(2).all(|pair| pair[0] < pair[1]);
    let within = matches!((heights.first(), heights.last()), (Some(first), Some(last)) if first.0 > 0 && *last < newer);
    if !ascending || !within || heights.len() > HEADERS_PER_REQUEST_MAX {
        return Ok(Some(malformed()));
    }
    Ok((newer > snapshot.tip_height()?).then_some(LightResponse::NotFound))
}

fn range_batch(snapshot: &Snapshot, heights: &[Height], newer: Height) -> Result<LightResponse, LedgerError> {
    if let Some(refusal) = refused_batch(snapshot, heights, newer)? {
        return Ok(refusal);
    }
    range::prove_many(snapshot, heights.to_vec(), newer).map(LightResponse::RangeBatch)
}

fn headers(snapshot: &Snapshot, heights: &[Height], newer: Height) -> Result<LightResponse, LedgerError> {
    if let Some(refusal) = refused_batch(snapshot, heights, newer)? {
        return Ok(refusal);
    }
    let mut headers = Vec::with_capacity(heights.len());
    for height in heights {
        let Some(header) = signed_header(snapshot, *height)? else { return Ok(pruned(*height)) };
        headers.push(header);
    }
    let proof = range::prove_many(snapshot, heights.to_vec(), newer)?;
    Ok(LightResponse::Headers(Box::new(UntrustedHeaders { headers, proof })))
}

fn history(snapshot: &Snapshot, did: Did, from: u64, height: Height) -> Result<LightResponse, LedgerError> {
    if from == 0 {
        return Ok(malformed());
    }
    if height > snapshot.tip()?.height {
        return Ok(LightResponse::NotFound);
    }
    let mut entries = Vec::new();
    for entry in snapshot.history(did, from)?.take(HISTORY_ENTRIES_PER_RESPONSE_MAX) {
        let entry = entry?;
        if entry.height > height {
            break;
        }
        entries.push(entry);
    }
    Ok(LightResponse::History(entries))
}

fn transactions(snapshot: &Snapshot, ids: &[TxId]) -> Result<LightResponse, LedgerError> {
    if ids.is_empty() || ids.len() > TRANSACTIONS_PER_REQUEST_MAX {
        return Ok(malformed());
    }
    let mut found = Vec::new();
    let mut room = Room::default();
    for id in ids {
        let Some(place) = snapshot.place(*id)? else { break };
        if Height(place.0) < snapshot.floor()? {
            // The others are asked for again, and answered.
            return Ok(if found.is_empty() {
                pruned(Height(place.0))
            } else {
                LightResponse::Transactions(found)
            });
        }
        let transaction = snapshot.transaction(place)?;
        if !room.take(codec::encode(&transaction).len()) {
            break;
        }
        found.push(transaction);
    }
    Ok(if found.is_empty() { LightResponse::NotFound } else { LightResponse::Transactions(found) })
}

fn receipt(snapshot: &Snapshot, id: TxId) -> Result<LightResponse, LedgerError> {
    let Some((height, index)) = snapshot.place(id)? else {
        return Ok(LightResponse::NotFound);
    };
    if Height(height) < snapshot.floor()? {
        return Ok(pruned(Height(height)));
    }
    let header = signed_header(snapshot, Height(height))?.ok_or(corrupt(&HEADERS))?;
    let mut receipts = snapshot.receipts(Height(height))?;
    let index = index as usize;
    let proof = receipts_tree(&receipts).prove(index).ok_or(corrupt(&RECEIPTS))?;
    let receipt = receipts.swap_remove(index);
    Ok(LightResponse::Receipt(Box::new(UntrustedReceiptProof { header, receipt, proof })))
}

fn receipts(snapshot: &Snapshot, height: Height, asked: &[TxId]) -> Result<LightResponse, LedgerError> {
    let different: BTreeSet<&TxId> = asked.iter().collect();
    if asked.is_empty() || asked.len() > LIST_BATCH_MAX || different.len() < asked.len() {
        return Ok(malformed());
    }
    let mut indices = Vec::with_capacity(asked.len());
    for id in asked {
        match snapshot.place(*id)? {
            Some((at, index)) if at == height.0 => indices.push(index),
            _ => return Ok(LightResponse::NotFound),
        }
    }
    if height < snapshot.floor()? {
        return Ok(pruned(height));
    }
    indices.sort_unstable();
    let header = signed_header(snapshot, height)?.ok_or(corrupt(&HEADERS))?;
    let all = snapshot.receipts(height)?;
    let proof = receipts_tree(&all).prove_many(indices.clone()).ok_or(corrupt(&RECEIPTS))?;
    let mut room = Room::default();
    let receipts: Vec<_> = indices.iter().map(|index| all[*index as usize].clone()).collect();
    if !room.take(codec::encode(&receipts).len()) {
        return Ok(malformed());
    }
    Ok(LightResponse::Receipts(Box::new(UntrustedReceipts { header, receipts, proof })))
}

fn epoch_end(snapshot: &Snapshot, epoch: Epoch) -> Result<LightResponse, LedgerError> {
    Ok(match end_of(snapshot, epoch)? {
        Some(end) => LightResponse::EpochEnd(Box::new(end)),
        None => LightResponse::NotFound,
    })
}

fn epoch_end_with_set(snapshot: &Snapshot, epoch: Epoch) -> Result<LightResponse, LedgerError> {
    let Some(end) = end_of(snapshot, epoch)? else { return Ok(LightResponse::NotFound) };
    let state = StateAt { snapshot, height: snapshot.tip()?.height };
    let own = amulet_contracts::validators::at(&state, epoch).map_err(LedgerError::from)?;
    let validators = Some(own.ok_or(corrupt(&STATE_VALUES))?.validators);
    let step = UntrustedStep { validators, ..end.into() };
    Ok(LightResponse::EpochEndWithSet(Box::new(step)))
}

/// The last header of an epoch and the set that follows; `None` while the epoch is in force. Never pruned.
fn end_of(snapshot: &Snapshot, epoch: Epoch) -> Result<Option<UntrustedEpochEnd>, LedgerError> {
    let state = StateAt { snapshot, height: snapshot.tip()?.height };
    let Some(next) = epoch.0.checked_add(1) else { return Ok(None) };
    let Some(next) = amulet_contracts::validators::at(&state, Epoch(next)).map_err(LedgerError::from)? else {
        return Ok(None);
    };
    let last = next.first.previous().ok_or(corrupt(&HEADERS))?;
    let header = signed_header(snapshot, last)?.ok_or(corrupt(&HEADERS))?;
    Ok(Some(UntrustedEpochEnd { header, next: next.validators }))
}

/// The set that certifies a block, also the one to come: its set is named by the newest.
fn validators(snapshot: &Snapshot, height: Height) -> Result<LightResponse, LedgerError> {
    Ok(match epoch::at(snapshot, height)? {
        Some(found) => LightResponse::Validators(Box::new(found.validators)),
        None => LightResponse::NotFound,
    })
}

fn header_run(snapshot: &Snapshot, from: Height, count: u16) -> Result<LightResponse, LedgerError> {
    let count = usize::from(count);
    if from == Height(0) || count == 0 || count > HEADER_RUN_MAX {
        return Ok(malformed());
    }
    let tip = snapshot.tip_height()?;
    let mut run = UntrustedHeaderRun { headers: Vec::new(), next: Vec::new() };
    let mut room = Room::default();
    for height in (from.0..=tip.0).take(count).map(Height) {
        let Some(signed) = signed_header(snapshot, height)? else { return Ok(pruned(height)) };
        let ends = signed.header.next_validators_hash != signed.header.validators_hash;
        let next = if ends { epoch::at(snapshot, height.next())? } else { None }.map(|next| next.validators);
        if !room
            .take(codec::encode(&signed).len() + next.as_ref().map_or(0, |next| codec::encode(next).len()))
        {
            break;
        }
        run.headers.push(signed);
        run.next.extend(next);
    }
    Ok(if run.headers.is_empty() { LightResponse::NotFound } else { LightResponse::HeaderRun(Box::new(run)) })
}

fn pruned(height: Height) -> LightResponse {
    LightResponse::Refused(LightRefusal::Pruned { height })
}

fn malformed() -> LightResponse {
    LightResponse::Refused(LightRefusal::Malformed)
}

/// What still fits into an answer.
struct Room {
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: LIGHT_RESPONSE_BYTES_MAX - ENVELOPE_BYTES }
    }
}

impl Room {
    /// Whether `bytes` more fit, which then are taken.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(self.bytes);
        left.is_some()
    }
}
