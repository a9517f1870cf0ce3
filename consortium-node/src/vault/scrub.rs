//! Scrubbing: every ciphertext that this hospital has to have is read and held against its digest, and one that is damaged or missing is
//! fetched again from the other holder.

use super::{Copies, CopyError, Found, Held, IndexError, Vault, VaultIndex};
use crate::ledger::Ledger;
use amulet_protocol::ids::{BlobId, Did, Timestamp};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bytes a second that the scrub in the background reads: a terabyte in three days, and a fraction of what any disk gives.
pub const SCRUB_BYTES_PER_SECOND: NonZeroU64 = NonZeroU64::new(4 * 1024 * 1024).expect("it is not zero");
/// From the end of one scrub in the background to the beginning of the next.
const SCRUB_EVERY: Duration = Duration::from_secs(7 * 24 * 3_600);
/// From the start of the node to the first: others have to be connected to repair from.
const FIRST_AFTER: Duration = Duration::from_secs(600);
/// Lost ciphertexts that a report names; all are counted, and all are in the log.
const LOST_NAMED_MAX: usize = 100;

/// How a scrub goes, or went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScrubReport {
    /// Whether one runs.
    pub running: bool,
    /// When it began, in milliseconds since 1970; 0 if none has since the node started.
    pub began: u64,
    /// When it ended; 0 if it has not.
    pub ended: u64,
    /// Ciphertexts of the ledger looked at, other hospitals' included.
    pub seen: u64,
    /// Of so many.
    pub named: u64,
    /// Ciphertexts of this hospital that were read.
    pub checked: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Found with other bytes than were put there.
    pub damaged: u64,
    /// Not found.
    pub missing: u64,
    /// Damaged or missing ones that were fetched again.
    pub repaired: u64,
    /// Damaged or missing ones that no other hospital gives.
    pub lost: u64,
    /// The first of these, hex.
    pub lost_blobs: Vec<String>,
    /// Why it stopped before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// Counts since the node started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubTotals {
    /// Ciphertexts read.
    pub checked: u64,
    /// Damaged ones.
    pub damaged: u64,
    /// Missing ones.
    pub missing: u64,
    /// Fetched again.
    pub repaired: u64,
}

/// Why a scrub does not begin, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    /// One runs.
    #[error("a scrub is running; see how it goes, or wait for its end")]
    Running,
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The vault or the ledger failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A task panicked: a bug.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// What is scrubbed with.
#[derive(Clone)]
pub struct ScrubParts {
    /// The ledger.
    pub ledger: Ledger,
    /// What is scrubbed.
    pub vault: Vault,
    /// Its index.
    pub index: VaultIndex,
    /// Repairs.
    pub copies: Copies,
    /// This hospital.
    pub organisation: Did,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Scrubs one vault; cheap to clone.
#[derive(Clone)]
pub struct Scrubber {
    parts: ScrubParts,
    state: Arc<Mutex<(ScrubReport, ScrubTotals)>>,
    one: Arc<Semaphore>,
}

impl Scrubber {
    /// A scrubber with these parts.
    #[must_use]
    pub fn new(parts: ScrubParts) -> Self {
        Self { parts, state: Arc::default(), one: Arc::new(Semaphore::new(1)) }
    }

    /// How the scrub that runs, or the last one, goes.
    #[must_use]
    pub fn report(&self) -> ScrubReport {
        self.state().0.clone()
    }

    /// Counts since the node started.
    #[must_use]
    pub fn totals(&self) -> ScrubTotals {
        self.state().1
    }

    fn state(&self) -> MutexGuard<'_, (ScrubReport, ScrubTotals)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scrubs again and again, slowly, as long as the node runs.
    pub async fn run(self) {
        tokio::time::sleep(FIRST_AFTER).await;
        loop {
            match self.scrub(Some(SCRUB_BYTES_PER_SECOND)).await {
                Ok(_) | Err(ScrubError::Running) => {}
                Err(error) => tracing::warn!(%error, "the vault could not be scrubbed"),
            }
            tokio::time::sleep(SCRUB_EVERY).await;
        }
    }

    /// Begins a scrub that goes on by itself; gives its report at the beginning.
    ///
    /// # Errors
    /// [`ScrubError::Running`].
    pub fn begin(&self, bytes_per_second: Option<NonZeroU64>) -> Result<ScrubReport, ScrubError> {
        let alone = self.one.clone().try_acquire_owned().map_err(|_| ScrubError::Running)?;
        let (scrubber, report) = (self.clone(), self.note_beginning());
        tokio::spawn(async move {
            if let Err(error) = scrubber.to_the_end(bytes_per_second).await {
                tracing::warn!(%error, "the vault could not be scrubbed");
            }
            drop(alone);
        });
        Ok(report)
    }

    /// Reads everything that this hospital has to have, at this many bytes a second or as fast as it goes, and repairs what it can.
    ///
    /// # Errors
    /// [`ScrubError`] by variant.
    pub async fn scrub(&self, bytes_per_second: Option<NonZeroU64>) -> Result<ScrubReport, ScrubError> {
        let _alone = self.one.try_acquire().map_err(|_| ScrubError::Running)?;
        self.note_beginning();
        self.to_the_end(bytes_per_second).await
    }

    fn note_beginning(&self) -> ScrubReport {
        let began = (self.parts.now)().0;
        let report = ScrubReport { running: true, began, ..ScrubReport::default() };
        self.state().0 = report.clone();
        report
    }

    async fn to_the_end(&self, bytes_per_second: Option<NonZeroU64>) -> Result<ScrubReport, ScrubError> {
        let done = self.walk(bytes_per_second).await;
        let ended = (self.parts.now)().0;
        let report = {
            let mut state = self.state();
            state.0.running = false;
            state.0.ended = ended;
            state.0.stopped = done.as_ref().err().map(ToString::to_string);
            state.0.clone()
        };
        done?;
        let ScrubReport { checked, bytes, damaged, missing, repaired, lost, .. } = report;
        if lost > 0 {
            tracing::error!(checked, bytes, damaged, missing, repaired, lost, "the vault lacks ciphertexts");
        } else {
            tracing::info!(checked, bytes, damaged, missing, repaired, "vault scrubbed");
        }
        Ok(report)
    }

    async fn walk(&self, bytes_per_second: Option<NonZeroU64>) -> Result<(), ScrubError> {
        let mut after = None;
        loop {
            let parts = self.parts.clone();
            let step = tokio::task::spawn_blocking(move || {
                let named = parts.index.used_count(&parts.ledger)?;
                Ok::<_, IndexError>((named, parts.index.held(&parts.ledger, parts.organisation, after)?))
            });
            let (named, step) = step.await??;
            let before = {
                let mut state = self.state();
                state.0.named = named;
                state.0.seen
            };
            for held in step.held {
                self.one_ciphertext(held, bytes_per_second).await?;
                self.state().0.seen += 1;
            }
            self.state().0.seen = before + step.seen;
            after = step.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn one_ciphertext(
        &self,
        held: Held,
        bytes_per_second: Option<NonZeroU64>,
    ) -> Result<(), ScrubError> {
        let Held { blob, holders } = held;
        let found = self.parts.vault.check(blob, bytes_per_second).await.map_err(CopyError::from)?;
        {
            let (report, totals) = &mut *self.state();
            report.checked += 1;
            totals.checked += 1;
            match found {
                Found::Whole(bytes) => {
                    report.bytes += bytes;
                    return Ok(());
                }
                Found::Missing => (report.missing, totals.missing) = (report.missing + 1, totals.missing + 1),
                Found::Damaged => (report.damaged, totals.damaged) = (report.damaged + 1, totals.damaged + 1),
            }
        }
        tracing::warn!(%blob, ?found, "ciphertext is not as it should be; it is fetched from another holder");
        match self.parts.copies.repair(blob, &holders).await {
            Ok(replica) => {
                tracing::info!(%blob, replica = replica.0, "ciphertext repaired");
                let (report, totals) = &mut *self.state();
                report.repaired += 1;
                totals.repaired += 1;
            }
            Err(CopyError::Nowhere { .. }) => self.note_lost(blob),
            // Ordered while it was read: it is to be missing.
            Err(CopyError::Erased { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn note_lost(&self, blob: BlobId) {
        tracing::error!(%blob, "no other hospital gives this ciphertext; restore it from a backup");
        let mut state = self.state();
        state.0.lost += 1;
        if state.0.lost_blobs.len() < LOST_NAMED_MAX {
            state.0.lost_blobs.push(blob.to_string());
        }
    }
}

#[cfg(test)]
mod tests;
