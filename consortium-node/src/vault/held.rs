//! Which ciphertexts this hospital has to have: those whose holders, as the ledger names them, include it.

use super::index::{BlobUse, IndexError, OWNERS, VaultIndex};
use crate::ledger::Ledger;
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{BlobId, Did, Timestamp};
use amulet_protocol::state::{CardState, RecordState, StateKey};
use redb::ReadableDatabase;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Bound;

/// Ciphertexts looked at in one step, which bounds its memory.
const PER_STEP: usize = 1_000;

/// A ciphertext that a hospital holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub blob: BlobId,
    /// Everybody who holds it.
    pub holders: Vec<Did>,
}

/// One step through the index.
pub struct HeldStep {
    /// Ciphertexts that the hospital holds.
    pub held: Vec<Held>,
    /// Ciphertexts looked at, of all hospitals.
    pub seen: u64,
    /// Where the next step goes on; `None` at the end.
    pub next: Option<BlobId>,
}

/// One step as the HTTP interface shows it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HeldView {
    /// Height of the ledger by which it is said.
    pub height: u64,
    /// Ciphertexts, hex.
    pub blobs: Vec<String>,
    /// Where the next step goes on; nothing at the end.
    pub next: Option<String>,
}

impl HeldView {
    /// Reads one step.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn read(
        index: &VaultIndex,
        ledger: &Ledger,
        organisation: Did,
        after: Option<BlobId>,
    ) -> Result<Self, IndexError> {
        index.catch_up(ledger)?;
        let step = index.held(ledger, organisation, after)?;
        Ok(Self {
            height: index.height()?.0,
            blobs: step.held.iter().map(|held| held.blob.to_string()).collect(),
            next: step.next.map(|blob| blob.to_string()),
        })
    }
}

impl VaultIndex {
    /// Who holds a ciphertext, as the ledger said when it named it first; of two namings in one block only what both say. What is said
    /// later does not count: else a hospital could name another's ciphertext under a record of its own, itself as holder, and have it
    /// handed over. Nobody holds one that is erased.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn holders(&self, ledger: &Ledger, blob: BlobId) -> Result<BTreeSet<Did>, IndexError> {
        if self.is_erased(ledger, blob)? {
            return Ok(BTreeSet::new());
        }
        let mut first: Option<(Timestamp, BTreeSet<Did>)> = None;
        for used in self.uses(blob)? {
            let Some((since, holders)) = named_by(ledger, used)? else { continue };
            first = Some(match first {
                Some((earlier, holders)) if earlier < since => (earlier, holders),
                Some((same, others)) if same == since => (same, &others & &holders),
                _ => (since, holders),
            });
        }
        Ok(first.map(|(_, holders)| holders).unwrap_or_default())
    }

    /// The ciphertexts after this one that `organisation` holds, in the order of their digests, some at a time.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn held(
        &self,
        ledger: &Ledger,
        organisation: Did,
        after: Option<BlobId>,
    ) -> Result<HeldStep, IndexError> {
        let owners = self.db().begin_read()?.open_table(OWNERS)?;
        let after = after.map(|blob| *blob.as_bytes());
        let range = (after.as_ref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let blobs = owners.range::<&[u8; 32]>(range)?.take(PER_STEP);
        let blobs: Vec<BlobId> = blobs
            .map(|entry| Ok(BlobId(Digest::from_bytes(*entry?.0.value()))))
            .collect::<Result<_, IndexError>>()?;
        let next = blobs.last().copied().filter(|_| blobs.len() == PER_STEP);
        let (seen, mut held) = (blobs.len() as u64, Vec::new());
        for blob in blobs {
            let holders = self.holders(ledger, blob)?;
            if holders.contains(&organisation) {
                held.push(Held { blob, holders: holders.into_iter().collect() });
            }
        }
        Ok(HeldStep { held, seen, next })
    }
}

/// What a ciphertext was named as first: more than one thing only if in one block.
pub(super) fn first_named(
    index: &VaultIndex,
    ledger: &Ledger,
    blob: BlobId,
) -> Result<Vec<BlobUse>, IndexError> {
    let mut first: Option<(Timestamp, Vec<BlobUse>)> = None;
    for used in index.uses(blob)? {
        let Some((since, _)) = named_by(ledger, used)? else { continue };
        match &mut first {
            Some((earlier, _)) if *earlier < since => {}
            Some((same, uses)) if *same == since => uses.push(used),
            _ => first = Some((since, vec![used])),
        }
    }
    Ok(first.map(|(_, uses)| uses).unwrap_or_default())
}

/// When a use was put on the ledger, and whom it names as holders.
fn named_by(ledger: &Ledger, used: BlobUse) -> Result<Option<(Timestamp, BTreeSet<Did>)>, IndexError> {
    Ok(match used {
        BlobUse::Record(id) => match ledger.read::<RecordState>(&StateKey::Record(id))? {
            Some(record) => {
                let since = ledger.header(record.registered)?.map(|header| header.time).unwrap_or_default();
                Some((since, record.holders.into_iter().collect()))
            }
            None => None,
        },
        BlobUse::Card(locator) => {
            let card: Option<CardState> = ledger.read(&StateKey::Card(locator))?;
            card.map(|card| (card.published_at, card.holders.into_iter().collect()))
        }
    })
}
