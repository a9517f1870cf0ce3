//! Erasing: what the ledger says is erased leaves this hospital's vault, and the hospital's signed receipt goes on the ledger.
//!
//! It comes back by no way: a copy that arrives late, or that a restore brought from a backup made before, is removed again.

use super::{IndexError, ReceiptOwed, Vault, VaultError, VaultIndex};
use crate::ledger::Ledger;
use crate::org_sender::{OrgSender, SendError};
use amulet_protocol::calls::Call;
use amulet_protocol::erasure::ConfirmErasure;
use amulet_protocol::ids::{BlobId, Did, RecordId};
use amulet_protocol::limits::RECORDS_PER_ERASURE_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How often the vault is searched for all that was ever erased, in case something came back.
const ALL_EVERY: Duration = Duration::from_secs(3_600);
/// Shortest time between two looks whether something is to be erased, however fast blocks come.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest time until what failed is tried again, if no block comes before.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Why something could not be erased now; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The index or the ledger failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The receipt did not get onto the ledger.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A task panicked: a bug.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Erases for one hospital.
pub struct Eraser {
    ledger: Ledger,
    vault: Vault,
    index: VaultIndex,
    sender: OrgSender,
}

/// Which erased ciphertexts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Those for which something is to be done.
    Waiting,
    /// All, in case one came back.
    All,
}

impl Eraser {
    /// An eraser of this vault, whose receipts `sender` signs.
    #[must_use]
    pub fn new(ledger: Ledger, vault: Vault, index: VaultIndex, sender: OrgSender) -> Self {
        Self { ledger, vault, index, sender }
    }

    /// Erases as long as the node runs.
    pub async fn run(self) {
        let (mut tips, mut all_at) = (self.ledger.subscribe(), Instant::now());
        loop {
            let all = Instant::now() >= all_at;
            let look = if all { Look::All } else { Look::Waiting };
            match self.erase(look).await {
                Ok(()) if all => all_at = Instant::now() + ALL_EVERY,
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, "what is erased on the ledger could not be erased here yet")
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
            if let Ok(Err(_)) = tokio::time::timeout(AGAIN_AFTER, tips.changed()).await {
                return;
            }
        }
    }

    /// Removes what is erased from the vault, and gives the receipts that are owed for it.
    ///
    /// # Errors
    /// [`EraseError`] by variant; what is left over is found by the next look.
    pub async fn erase(&self, look: Look) -> Result<(), EraseError> {
        let mut after = None;
        loop {
            let (index, ledger, organisation) =
                (self.index.clone(), self.ledger.clone(), self.sender.organisation());
            let step = tokio::task::spawn_blocking(move || {
                index.catch_up(&ledger)?;
                to_erase(&index, &ledger, organisation, after, look)
            });
            let (found, next) = step.await??;
            self.one_step(found).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn one_step(&self, found: Vec<(BlobId, Vec<ReceiptOwed>)>) -> Result<(), EraseError> {
        let mut owed: BTreeMap<(Did, Did), BTreeSet<RecordId>> = BTreeMap::new();
        for (blob, receipts) in &found {
            if self.vault.has(*blob).await? {
                self.vault.remove(*blob).await?;
                tracing::info!(%blob, "ciphertext erased");
            }
            for ReceiptOwed { patient, provider, record } in receipts {
                owed.entry((*patient, *provider)).or_default().insert(*record);
            }
        }
        for records in owed.into_values() {
            let records: Vec<RecordId> = records.into_iter().collect();
            for records in records.chunks(RECORDS_PER_ERASURE_MAX) {
                let call = ConfirmErasure { records: records.to_vec() };
                self.sender.send(Call::ConfirmErasure(call)).await?;
            }
        }
        let index = self.index.clone();
        let noted = tokio::task::spawn_blocking(move || {
            found.iter().try_for_each(|(blob, _)| index.note_erased(*blob))
        });
        Ok(noted.await??)
    }
}

type Step = (Vec<(BlobId, Vec<ReceiptOwed>)>, Option<BlobId>);

fn to_erase(
    index: &VaultIndex,
    ledger: &Ledger,
    organisation: Did,
    after: Option<BlobId>,
    look: Look,
) -> Result<Step, IndexError> {
    let (noted, next) = index.noted_erased(after, look == Look::Waiting)?;
    let mut found = Vec::new();
    for blob in noted {
        if index.is_erased(ledger, blob)? {
            found.push((blob, index.receipts_owed(ledger, organisation, blob)?));
        }
    }
    Ok((found, next))
}

#[cfg(test)]
mod tests;
