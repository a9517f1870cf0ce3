//! Copies at other hospitals: fetched piece by piece from one that has the ciphertext, whether to repair a lost one or because the other
//! asks to have a second copy kept.
//!
//! A hospital gives a ciphertext to another in two cases alone: the ledger, where it named the ciphertext first, names the other among its
//! holders, or it has just asked the
//! other itself to keep a copy. So what is of class core, which has one holder, goes to nobody.

use super::{Found, IndexError, STREAM_BYTES_MAX, Vault, VaultError, VaultIndex};
use crate::ledger::{Ledger, LedgerError};
use crate::network::{Network, PeerRequest, PeerResponse};
use amulet_protocol::ids::{BlobId, Did, ReplicaId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of one piece.
pub const PIECE_BYTES: u64 = 1024 * 1024;
/// How often a piece is asked for before the copy is given up; what came is asked for again the next time.
const TRIES: usize = 5;
/// Between two tries.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Copies fetched for other hospitals at once; more are refused, and their hospital tries another.
const KEEPING_MAX: usize = 16;
/// Stands in the place of a number of bytes for a copy that is kept.
const KEPT: u64 = u64::MAX;
/// Between two looks at how far the other hospital has come with a copy.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long no progress is borne.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// What copies are made with.
#[derive(Clone)]
pub struct CopiesParts {
    /// The ledger.
    pub ledger: Ledger,
    /// This hospital's vault.
    pub vault: Vault,
    /// Its index.
    pub index: VaultIndex,
    /// To the other hospitals.
    pub network: Network,
    /// This hospital.
    pub organisation: Did,
}

/// Copies for one hospital; cheap to clone.
#[derive(Clone)]
pub struct Copies {
    parts: CopiesParts,
    offered: Arc<Mutex<BTreeMap<BlobId, ReplicaId>>>,
    keeping: Arc<Mutex<BTreeMap<BlobId, Arc<AtomicU64>>>>,
}

/// Why a ciphertext could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The other hospital has none, gives none, or cannot be reached.
    #[error("hospital number {} gives no ciphertext {blob}", .from.0)]
    NotGiven {
        /// Which.
        blob: BlobId,
        /// Who was asked.
        from: ReplicaId,
    },
    /// No hospital that may hold it gave it.
    #[error("no other hospital holds ciphertext {blob} and gives it")]
    Nowhere {
        /// Which.
        blob: BlobId,
    },
    /// The ledger says that it is erased.
    #[error("ciphertext {blob} is erased")]
    Erased {
        /// Which.
        blob: BlobId,
    },
    /// The vault failed, or other bytes came.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A task panicked: a bug.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Copies {
    /// Copies with these parts.
    #[must_use]
    pub fn new(parts: CopiesParts) -> Self {
        Self { parts, offered: Arc::default(), keeping: Arc::default() }
    }

    /// Answers another hospital that asks for a piece.
    ///
    /// # Errors
    /// [`CopyError`] by variant.
    pub async fn piece(&self, asker: ReplicaId, blob: BlobId, from: u64) -> Result<PeerResponse, CopyError> {
        if locked(&self.offered).get(&blob) != Some(&asker) {
            let (parts, named) = (self.parts.clone(), self.organisation_of(asker));
            let holders = tokio::task::spawn_blocking(move || {
                parts.index.catch_up(&parts.ledger)?;
                parts.index.holders(&parts.ledger, blob)
            });
            let holders = holders.await??;
            if !named.is_some_and(|named| holders.contains(&named)) {
                return Ok(PeerResponse::Refused);
            }
        }
        let Some(size) = self.parts.vault.size(blob).await? else { return Ok(PeerResponse::NotHere) };
        let piece = self.parts.vault.piece(blob, from, PIECE_BYTES).await?;
        Ok(piece.map_or(PeerResponse::NotHere, |bytes| PeerResponse::Piece { size, bytes }))
    }

    /// Has another hospital keep a copy of a ciphertext of this vault; whether it does, durably.
    pub async fn push(&self, to: ReplicaId, blob: BlobId, bytes: u64) -> bool {
        locked(&self.offered).insert(blob, to);
        let kept = self.have_kept(to, blob, bytes).await;
        locked(&self.offered).remove(&blob);
        kept
    }

    async fn have_kept(&self, to: ReplicaId, blob: BlobId, bytes: u64) -> bool {
        let (mut reached, mut since) = (0, tokio::time::Instant::now());
        while since.elapsed() < STALLED_AFTER {
            match self.parts.network.ask(to, PeerRequest::Keep { blob, bytes }).await {
                Some(PeerResponse::Stored) => return true,
                Some(PeerResponse::Keeping { have }) if have > reached => {
                    (reached, since) = (have, tokio::time::Instant::now());
                }
                Some(PeerResponse::Keeping { .. }) | None => {}
                Some(_) => return false,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        false
    }

    /// Answers another hospital that asks to have a copy kept: starts to fetch it, or says how far that is. Until the ledger names the
    /// ciphertext it is the other's, which may drop it; and it is swept if nothing comes of it.
    ///
    /// # Errors
    /// [`CopyError`] by variant.
    pub async fn keep(&self, asker: ReplicaId, blob: BlobId, bytes: u64) -> Result<PeerResponse, CopyError> {
        if bytes > STREAM_BYTES_MAX {
            return Ok(PeerResponse::Refused);
        }
        let have = Arc::new(AtomicU64::new(0));
        {
            let mut keeping = locked(&self.keeping);
            match keeping.get(&blob).map(|have| have.load(Ordering::Relaxed)) {
                Some(KEPT) => {
                    keeping.remove(&blob);
                    return Ok(PeerResponse::Stored);
                }
                Some(have) => return Ok(PeerResponse::Keeping { have }),
                None if keeping.len() >= KEEPING_MAX => return Ok(PeerResponse::Refused),
                None => keeping.insert(blob, have.clone()),
            };
        }
        let copies = self.clone();
        tokio::spawn(async move {
            match copies.fetch(asker, blob, &have).await {
                Ok(()) => {
                    have.store(KEPT, Ordering::Relaxed);
                    // Long enough for the other to ask again.
                    tokio::time::sleep(STALLED_AFTER).await;
                }
                Err(error) => {
                    tracing::warn!(replica = asker.0, %error, "a copy could not be kept for another hospital");
                }
            }
            locked(&copies.keeping).remove(&blob);
        });
        Ok(PeerResponse::Keeping { have: 0 })
    }

    async fn fetch(&self, asker: ReplicaId, blob: BlobId, have: &AtomicU64) -> Result<(), CopyError> {
        if self.is_erased(blob).await? {
            return Err(CopyError::Erased { blob });
        }
        let index = self.parts.index.clone();
        tokio::task::spawn_blocking(move || index.note_peer_blobs(asker, &[blob])).await??;
        if !matches!(self.parts.vault.check(blob, None).await?, Found::Whole(_)) {
            self.pull(asker, blob, have).await?;
        }
        Ok(())
    }

    /// Fetches a ciphertext from another hospital into this vault; gives its bytes. Nothing else than what the digest names is kept.
    ///
    /// # Errors
    /// [`CopyError::NotGiven`], [`CopyError::Erased`], [`CopyError::Vault`].
    pub async fn pull(&self, from: ReplicaId, blob: BlobId, have: &AtomicU64) -> Result<u64, CopyError> {
        let mut incoming = self.parts.vault.begin().await?;
        loop {
            let Some((size, bytes)) = self.ask_for(from, blob, incoming.bytes()).await else {
                incoming.abort().await;
                return Err(CopyError::NotGiven { blob, from });
            };
            if let Err(error) = incoming.write(&bytes).await {
                incoming.abort().await;
                return Err(error.into());
            }
            have.store(incoming.bytes(), Ordering::Relaxed);
            if incoming.bytes() >= size || bytes.is_empty() {
                let bytes = incoming.bytes();
                incoming.finish_as(blob).await?;
                // Erased while it came: whoever erases here has looked before there was anything.
                if self.is_erased(blob).await? {
                    self.parts.vault.remove(blob).await?;
                    return Err(CopyError::Erased { blob });
                }
                return Ok(bytes);
            }
        }
    }

    async fn is_erased(&self, blob: BlobId) -> Result<bool, CopyError> {
        let parts = self.parts.clone();
        let looked = tokio::task::spawn_blocking(move || {
            parts.index.catch_up(&parts.ledger)?;
            parts.index.is_erased(&parts.ledger, blob)
        });
        Ok(looked.await??)
    }

    async fn ask_for(&self, from: ReplicaId, blob: BlobId, at: u64) -> Option<(u64, Vec<u8>)> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            match self.parts.network.ask(from, PeerRequest::Piece { blob, from: at }).await {
                Some(PeerResponse::Piece { size, bytes }) => return Some((size, bytes)),
                Some(_) => return None,
                None => {}
            }
        }
        None
    }

    /// Fetches a ciphertext that is damaged or missing here from any other of its holders; gives who had it.
    ///
    /// # Errors
    /// [`CopyError::Nowhere`], or why the vault could not keep it.
    pub async fn repair(&self, blob: BlobId, holders: &[Did]) -> Result<ReplicaId, CopyError> {
        let validators = self.parts.ledger.validators();
        for (number, member) in validators.members().iter().enumerate() {
            let organisation = member.organisation;
            if organisation == self.parts.organisation || !holders.contains(&organisation) {
                continue;
            }
            let replica = ReplicaId(u16::try_from(number).expect("a validator set has at most 100 members"));
            match self.pull(replica, blob, &AtomicU64::new(0)).await {
                Ok(_) => return Ok(replica),
                Err(CopyError::NotGiven { .. } | CopyError::Vault(VaultError::OtherContent { .. })) => {
                    tracing::warn!(%blob, replica = replica.0, "the other holder gives no good copy");
                }
                Err(error) => return Err(error),
            }
        }
        Err(CopyError::Nowhere { blob })
    }

    fn organisation_of(&self, replica: ReplicaId) -> Option<Did> {
        self.parts.ledger.validators().members().get(usize::from(replica.0)).map(|member| member.organisation)
    }
}

#[cfg(test)]
mod tests;
