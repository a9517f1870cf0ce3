//! What the client takes from its store and leaves there.

use super::peers::roster;
use super::{LightClient, Published, SyncStart};
use crate::error::{LightError, NodeFailure};
use crate::header::TrustedHeader;
use crate::store::{StoreError, StoredHeader, StoredProgress};
use crate::verifier::{Checkpoint, CheckpointError, StepVerdict, Verdict, VerifiedHeader, Verifier};
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::UntrustedStep;
use std::sync::Arc;

impl LightClient {
    /// Reads the store, once: the trusted header and the validator sets that lead to it, all verified again. A store that holds
    /// something else than a header of this chain is emptied, and [`LightClient::store_trouble`] says so. The first sync does
    /// this too; call it to ask for what was proven before without a sync.
    pub async fn restore(&self) -> Option<TrustedHeader> {
        let _one_at_a_time = self.syncing.lock().await;
        self.restore_once().await;
        self.trusted()
    }

    /// As [`LightClient::restore`], for whoever holds the lock of syncing.
    pub(crate) async fn restore_once(&self) {
        if self.inner().restored {
            return;
        }
        let trouble = match self.kept.head().await {
            Ok(None) => None,
            Ok(Some(stored)) => match verify_stored(&self.start(), stored) {
                Some((verifier, trusted)) => {
                    let mut state = self.inner();
                    state.verifier = Arc::new(verifier);
                    state.trusted = Some(trusted);
                    None
                }
                None => Some(StoreError::Foreign),
            },
            Err(trouble) => Some(trouble),
        };
        let nodes_trouble = self.restore_nodes().await;
        self.note_members();
        let forks_trouble = self.restore_forks().await;
        if trouble.is_some() {
            // If clearing fails too, saving after the next sync will say so.
            let _ = self.kept.clear().await;
        }
        if trouble.is_some() || forks_trouble.is_some() {
            self.save_forks().await;
        }
        let trouble = trouble.or(nodes_trouble).or(forks_trouble);
        let mut state = self.inner();
        state.restored = true;
        state.store_trouble = trouble;
    }

    /// What was wrong with the store since this was last reported with a sync; the client goes on without it.
    #[must_use]
    pub fn store_trouble(&self) -> Option<StoreError> {
        self.inner().store_trouble.clone()
    }

    /// Forgets the trusted header and all validator sets but the pinned one, here and in the store. The next sync starts
    /// from what was pinned: the way out of [`LightError::TrustExpired`], for a person to decide who has that from a source
    /// they trust now. Forks that were found stay: they are evidence.
    ///
    /// # Errors
    /// [`LightError::Store`].
    pub async fn forget(&self) -> Result<(), LightError> {
        let _one_at_a_time = self.syncing.lock().await;
        self.forget_all().await
    }

    /// Starts over from a checkpoint that a person pinned: what was followed before is forgotten, and what comes from now on
    /// must continue the checkpoint. Whoever made this client has to give it the same checkpoint the next time
    /// ([`LightClient::from_checkpoint`]). Forks that were found stay.
    ///
    /// # Errors
    /// [`LightError::Checkpoint`] for one of another chain, [`LightError::Store`].
    pub async fn restart_from(&self, checkpoint: &Checkpoint) -> Result<(), LightError> {
        let _one_at_a_time = self.syncing.lock().await;
        let (found, expected) = (checkpoint.header().chain, self.chain());
        if found != expected {
            return Err(CheckpointError::Chain { found, expected }.into());
        }
        // So that the forks in the store are known, and kept, before it is emptied.
        self.restore_once().await;
        self.set_start(Verifier::from_checkpoint(checkpoint, *self.params()));
        self.forget_all().await
    }

    async fn forget_all(&self) -> Result<(), LightError> {
        let start = self.start();
        {
            let mut state = self.inner();
            state.syncing_from = SyncStart::of(&start);
            state.verifier = start;
            state.trusted = None;
            state.proven.clear();
            state.looked_for = (roster(&self.founders), Timestamp(0));
            state.skipped_sets.clear();
        }
        // What the ledger said of nodes was as good as the headers that are forgotten.
        self.go_back_to(&Published::new());
        self.kept.clear().await?;
        self.save_forks().await;
        Ok(())
    }

    /// Takes over a header that passed the witness check, and stores it.
    pub(crate) async fn adopt(&self, trusted: &TrustedHeader) -> Option<StoreError> {
        let stored = StoredHeader {
            signed: trusted.as_signed().clone(),
            checked_at: trusted.checked_at(),
            trail: steps(&self.verifier(), 0),
        };
        let trouble = self.kept.keep_head(&stored).await.err();
        let mut state = self.inner();
        state.trusted = Some(trusted.clone());
        // Other trouble is told once, with the first sync after it.
        let before = state.store_trouble.take();
        trouble.or(before)
    }

    /// Keeps how far the sync under way has come, so that the next one need not ask for the same again when this
    /// one is broken off.
    pub(crate) async fn keep_progress(&self) {
        let SyncStart { base: from, steps: known } = self.inner().syncing_from;
        let trail = steps(&self.verifier(), known);
        if let Err(trouble) = self.kept.keep_progress(&StoredProgress { from, trail }).await {
            self.note_trouble(trouble);
        }
    }

    /// Goes on from where a sync was broken off that began with `from`. What it had reached is verified again, and counts
    /// only with the head that this sync ends with. Says whether there was anything.
    pub(crate) async fn resume_progress(&self, from: SyncStart, now: Timestamp) -> bool {
        self.inner().syncing_from = from;
        let progress = match self.kept.progress().await {
            Ok(None) => return false,
            Ok(Some(progress)) => progress,
            Err(trouble) => {
                self.note_trouble(trouble);
                self.drop_progress().await;
                return false;
            }
        };
        let mut verifier = Verifier::clone(&self.verifier());
        let confirmed_at = self.trusted().map(|head| head.checked_at());
        let mut take = |step| matches!(verifier.take(step, confirmed_at, now), Ok(StepVerdict::Taken(_)));
        let followed = progress.from == from.base && progress.trail.into_iter().all(&mut take);
        if followed {
            self.extend_verifier(verifier);
        } else {
            self.drop_progress().await;
        }
        followed
    }

    /// Forgets how far the sync had come: it is finished, or led nowhere.
    pub(crate) async fn drop_progress(&self) {
        if let Err(trouble) = self.kept.drop_progress().await {
            self.note_trouble(trouble);
        }
    }

    /// A header kept before, verified again.
    pub(crate) async fn kept_header(&self, height: Height, now: Timestamp) -> Option<VerifiedHeader> {
        let kept = match self.kept.header(height).await {
            Ok(kept) => kept?,
            Err(trouble) => {
                self.note_trouble(trouble);
                self.drop_header(height).await;
                return None;
            }
        };
        match self.judge(kept, now) {
            Ok(header) => Some(header),
            // Its epoch was skipped: only a node can show that it is in the range, and which set is that of its time.
            Err(NodeFailure::UnknownValidators { .. }) => None,
            Err(_) => {
                self.note_trouble(StoreError::Foreign);
                self.drop_header(height).await;
                None
            }
        }
    }

    /// Keeps a proven header, so that it need not be fetched again.
    pub(crate) async fn keep_header(&self, header: &VerifiedHeader) {
        if let Err(trouble) = self.kept.keep_header(header.as_signed()).await {
            self.note_trouble(trouble);
        }
    }

    async fn drop_header(&self, height: Height) {
        if let Err(trouble) = self.kept.drop_header(height).await {
            self.note_trouble(trouble);
        }
    }

    /// The first trouble is the cause of what follows.
    pub(crate) fn note_trouble(&self, trouble: StoreError) {
        self.inner().store_trouble.get_or_insert(trouble);
    }
}

/// The steps that a verifier has taken after the first `known`.
fn steps(verifier: &Verifier, known: usize) -> Vec<UntrustedStep> {
    verifier.trail().iter().skip(known).map(|step| UntrustedStep::clone(step)).collect()
}

fn verify_stored(start: &Verifier, stored: StoredHeader) -> Option<(Verifier, TrustedHeader)> {
    let StoredHeader { signed, checked_at, trail } = stored;
    let mut verifier = start.clone();
    for step in trail {
        // As on the day it was taken; whether it may still be relied on is for the next sync to say.
        let Ok(StepVerdict::Taken(_)) = verifier.take(step, None, checked_at) else { return None };
    }
    match verifier.verify_adjacent(signed, checked_at) {
        Verdict::Verified(verified) => Some((verifier, TrustedHeader::new(*verified, checked_at))),
        Verdict::UnknownValidators { .. } | Verdict::Invalid(_) => None,
    }
}
