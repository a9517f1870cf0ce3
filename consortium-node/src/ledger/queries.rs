//! Answers to light clients, each from one snapshot.

use super::error::LedgerError;
use super::execute::receipts_tree;
use super::range;
use super::state_tree::StateAt;
use super::store::{CERTIFICATES, HEADERS, RECEIPTS, Snapshot, corrupt};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, Epoch, Height, TxId};
use amulet_protocol::light::{
    LightRefusal, LightRequest, LightResponse, UntrustedEpochEnd, UntrustedReceiptProof,
};
use amulet_protocol::limits::{
    HISTORY_ENTRIES_PER_RESPONSE_MAX, LIGHT_RESPONSE_BYTES_MAX, STATE_KEYS_PER_REQUEST_MAX,
    TRANSACTIONS_PER_REQUEST_MAX,
};
use amulet_protocol::state::StateKey;

/// Bytes of an answer that are left for what surrounds the list in it.
const ENVELOPE_BYTES: usize = 1_024;

/// Answers what the ledger alone can answer; other requests are refused as malformed, for they do not belong here.
pub(super) fn answer(snapshot: &Snapshot, request: &LightRequest) -> Result<LightResponse, LedgerError> {
    match request {
        LightRequest::Latest => latest(snapshot),
        LightRequest::HeaderAt(height) => header_at(snapshot, *height),
        LightRequest::RangeProof { older, newer } => range_proof(snapshot, *older, *newer),
        LightRequest::State { height, keys } => state(snapshot, *height, keys),
        LightRequest::History { did, from, height } => history(snapshot, *did, *from, *height),
        LightRequest::Transactions(ids) => transactions(snapshot, ids),
        LightRequest::Receipt(id) => receipt(snapshot, *id),
        LightRequest::EpochEnd(epoch) => epoch_end(snapshot, *epoch),
        LightRequest::Submit(_) | LightRequest::Read(_) | LightRequest::Upload(_) => Ok(malformed()),
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
    if keys.is_empty() || keys.len() > STATE_KEYS_PER_REQUEST_MAX {
        return Ok(malformed());
    }
    if height > snapshot.tip()?.height {
        return Ok(LightResponse::NotFound);
    }
    if height < snapshot.floor()? {
        return Ok(pruned(height));
    }
    let state = StateAt { snapshot, height };
    let mut proofs = Vec::with_capacity(keys.len());
    let mut room = Room::default();
    for key in keys {
        let proof = state.prove(key)?;
        // Every key is answered or none, so that an answer never passes for the absence of the rest.
        if !room.take(codec::encode(&proof).len()) {
            return Ok(malformed());
        }
        proofs.push(proof);
    }
    Ok(LightResponse::State(proofs))
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

fn epoch_end(snapshot: &Snapshot, epoch: Epoch) -> Result<LightResponse, LedgerError> {
    let state = StateAt { snapshot, height: snapshot.tip()?.height };
    let Some(next) = epoch.0.checked_add(1) else { return Ok(malformed()) };
    let Some(next) = amulet_contracts::validators::at(&state, Epoch(next)).map_err(LedgerError::from)? else {
        return Ok(LightResponse::NotFound);
    };
    let last = next.first.previous().ok_or(corrupt(&HEADERS))?;
    let header = signed_header(snapshot, last)?.ok_or(corrupt(&HEADERS))?;
    Ok(LightResponse::EpochEnd(Box::new(UntrustedEpochEnd { header, next: next.validators })))
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
