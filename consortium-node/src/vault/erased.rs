//! Which ciphertexts the ledger says are erased, and whether this hospital has done so.
//!
//! A ciphertext is erased if every record as which it was named first is. What it is named later does not count, as it does not for
//! its holders: else a hospital could have another's ciphertext erased by an order for a record of its own.

use super::held::first_named;
use super::index::{BlobUse, IndexError, VaultIndex};
use crate::ledger::Ledger;
use amulet_crypto::digest::Digest;
use amulet_protocol::erasure::{Erased, ErasureState};
use amulet_protocol::ids::{BlobId, Did, RecordId};
use amulet_protocol::state::{RecordState, StateKey};
use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use std::ops::Bound;

/// Ciphertext of a record whose erasure was ordered, to whether nothing is to be done for it any more.
const ERASED: TableDefinition<&[u8; 32], bool> = TableDefinition::new("erased");
/// Ciphertexts looked at in one step, which bounds its memory.
const PER_STEP: usize = 1_000;

pub(super) fn create(write: &WriteTransaction) -> Result<(), IndexError> {
    write.open_table(ERASED)?;
    Ok(())
}

/// Notes that a record's erasure was ordered.
pub(super) fn note_ordered(write: &WriteTransaction, blob: BlobId) -> Result<(), IndexError> {
    let mut erased = write.open_table(ERASED)?;
    // Of what was done for another record of the same ciphertext nothing is known any more.
    erased.insert(blob.as_bytes(), false)?;
    Ok(())
}

/// Notes the ciphertexts of records whose erasure was ordered.
pub(super) fn note_order(
    write: &WriteTransaction,
    ledger: &Ledger,
    records: &[RecordId],
) -> Result<(), IndexError> {
    for id in records {
        if let Some(record) = ledger.read::<RecordState>(&StateKey::Record(*id))? {
            note_ordered(write, record.blob)?;
        }
    }
    Ok(())
}

/// A receipt that a holder owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiptOwed {
    /// Whose record.
    pub patient: Did,
    /// Who registered it.
    pub provider: Did,
    /// The record.
    pub record: RecordId,
}

/// Erased ciphertexts as the HTTP interface shows them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErasedView {
    /// Ciphertexts, hex.
    pub blobs: Vec<String>,
    /// Where the next step goes on; nothing at the end.
    pub next: Option<String>,
}

impl ErasedView {
    /// Reads one step.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn read(index: &VaultIndex, ledger: &Ledger, after: Option<BlobId>) -> Result<Self, IndexError> {
        index.catch_up(ledger)?;
        let (noted, next) = index.noted_erased(after, false)?;
        let mut blobs = Vec::new();
        for blob in noted {
            if index.is_erased(ledger, blob)? {
                blobs.push(blob.to_string());
            }
        }
        Ok(Self { blobs, next: next.map(|blob| blob.to_string()) })
    }
}

impl VaultIndex {
    /// Whether the ledger says that a ciphertext is erased: nobody is given it, and nobody keeps it.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn is_erased(&self, ledger: &Ledger, blob: BlobId) -> Result<bool, IndexError> {
        if self.db().begin_read()?.open_table(ERASED)?.get(blob.as_bytes())?.is_none() {
            return Ok(false);
        }
        for used in first_named(self, ledger, blob)? {
            match used {
                BlobUse::Record(id) if erasure(ledger, id)?.is_some() => {}
                BlobUse::Record(_) | BlobUse::Card(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Ciphertexts after this one of records whose erasure was ordered, some at a time, and where the next step goes on. `waiting` for
    /// those alone for which this hospital has something to do.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn noted_erased(
        &self,
        after: Option<BlobId>,
        waiting: bool,
    ) -> Result<(Vec<BlobId>, Option<BlobId>), IndexError> {
        let erased = self.db().begin_read()?.open_table(ERASED)?;
        let after = after.map(|blob| *blob.as_bytes());
        let range = (after.as_ref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut found = Vec::new();
        for entry in erased.range::<&[u8; 32]>(range)? {
            let (blob, done) = entry?;
            if waiting && done.value() {
                continue;
            }
            found.push(BlobId(Digest::from_bytes(*blob.value())));
            if found.len() == PER_STEP {
                break;
            }
        }
        let next = found.last().copied().filter(|_| found.len() == PER_STEP);
        Ok((found, next))
    }

    /// Notes that this hospital has nothing to do any more for an erased ciphertext.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn note_erased(&self, blob: BlobId) -> Result<(), IndexError> {
        let write = self.db().begin_write()?;
        {
            let mut erased = write.open_table(ERASED)?;
            let is_noted = erased.get(blob.as_bytes())?.is_some();
            if is_noted {
                erased.insert(blob.as_bytes(), true)?;
            }
        }
        Ok(write.commit()?)
    }

    /// The receipts that `organisation` owes for the records of a ciphertext.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn receipts_owed(
        &self,
        ledger: &Ledger,
        organisation: Did,
        blob: BlobId,
    ) -> Result<Vec<ReceiptOwed>, IndexError> {
        let mut owed = Vec::new();
        for used in self.uses(blob)? {
            let BlobUse::Record(record) = used else { continue };
            let Some(erased) = erasure(ledger, record)? else { continue };
            if !erased.owing().any(|holder| holder == organisation) {
                continue;
            }
            if let Some(state) = ledger.read::<RecordState>(&StateKey::Record(record))? {
                owed.push(ReceiptOwed { patient: state.patient, provider: state.provider, record });
            }
        }
        Ok(owed)
    }
}

fn erasure(ledger: &Ledger, record: RecordId) -> Result<Option<Erased>, IndexError> {
    Ok(match ledger.read(&StateKey::Erasure(record))? {
        Some(ErasureState::Erased(erased)) => Some(erased),
        Some(ErasureState::Asked { .. } | ErasureState::Kept { .. }) | None => None,
    })
}
