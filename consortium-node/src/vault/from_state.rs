//! What the ledger's state says of ciphertexts and of grants for staff: for the blocks that a ledger no longer has.

use super::index::{BlobUse, IndexError};
use crate::ledger::{Ledger, StateChunk, TransferRequest, TransferResponse};
use amulet_crypto::digest::Digest;
use amulet_protocol::calls::GrantId;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::erasure::ErasureState;
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{BlobId, Did, Height, RecordId, Timestamp};
use amulet_protocol::state::{CardState, RecordState, StateKey};
use std::collections::BTreeMap;

/// A ciphertext and what for.
pub(super) struct Named {
    pub blob: BlobId,
    pub owner: Did,
    pub used: BlobUse,
    /// Time of the block that named it.
    pub since: Timestamp,
}

/// What blocks told the index.
#[derive(Default)]
pub(super) struct Told {
    /// Ciphertexts.
    pub named: Vec<Named>,
    /// Grants with their blocks, oldest first, each once.
    pub grants: BTreeMap<(Height, GrantId), Grantee>,
    /// Records whose erasure was ordered.
    pub ordered: Vec<RecordId>,
}

/// What blocks below `floor` told.
pub(super) fn told_below(ledger: &Ledger, floor: Height) -> Result<Told, IndexError> {
    let first_kept = ledger.header(floor)?.map(|header| header.time).unwrap_or_default();
    let (mut found, mut from) = (Told::default(), Digest::ZERO);
    loop {
        let request = TransferRequest::State { height: floor, from };
        let TransferResponse::State(StateChunk { rows, is_last, .. }) = ledger.transfer(&request)? else {
            // The floor has been raised meanwhile: what is there now is asked for next time.
            return Err(IndexError::Moved);
        };
        let last = rows.last().map(|(key, _)| key.hash());
        for (key, value) in &rows {
            found.named.extend(named(ledger, key, value)?.filter(|named| named.since < first_kept));
            if let StateKey::Grant(id) = key {
                let grant: GrantState = codec::decode(value, usize::MAX).map_err(damaged)?;
                if grant.granted < floor {
                    found.grants.insert((grant.granted, *id), grant.grantee);
                }
            }
            if let StateKey::Erasure(id) = key {
                let state: ErasureState = codec::decode(value, usize::MAX).map_err(damaged)?;
                found.ordered.extend(matches!(state, ErasureState::Erased(_)).then_some(*id));
            }
        }
        match last {
            // The last row comes again as the first of the next, which does no harm.
            Some(last) if !is_last && last != from => from = last,
            _ => return Ok(found),
        }
    }
}

fn named(ledger: &Ledger, key: &StateKey, value: &[u8]) -> Result<Option<Named>, IndexError> {
    Ok(match key {
        StateKey::Record(id) => {
            let state: RecordState = codec::decode(value, usize::MAX).map_err(damaged)?;
            let since = ledger.header(state.registered)?.map(|header| header.time).unwrap_or_default();
            Some(Named { blob: state.blob, owner: state.patient, used: BlobUse::Record(*id), since })
        }
        StateKey::Card(locator) => {
            let state: CardState = codec::decode(value, usize::MAX).map_err(damaged)?;
            let used = BlobUse::Card(*locator);
            Some(Named { blob: state.blob, owner: state.patient, used, since: state.published_at })
        }
        _ => None,
    })
}

fn damaged(_: DecodeError) -> IndexError {
    IndexError::Damaged { table: "the ledger's state" }
}
