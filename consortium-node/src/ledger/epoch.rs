//! Which validators certify which block, from the state.

use super::base::Base;
use super::error::LedgerError;
use super::state_tree::StateAt;
use super::store::{STATE_VALUES, Snapshot, corrupt};
use amulet_contracts::{ApplyError, StateRead, validators};
use amulet_crypto::digest::Digest;
use amulet_protocol::governance::EpochState;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::validators::ValidatorSet;
use std::sync::{Arc, Mutex, PoisonError};

/// An epoch: its validators certify the blocks from its first height to the last before the next epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSet {
    /// Its number; 0 is the genesis document's.
    pub epoch: Epoch,
    /// First block that the set certifies.
    pub first: Height,
    /// The set.
    pub validators: ValidatorSet,
    /// The set's digest, as headers carry it.
    pub hash: Digest,
}

impl EpochSet {
    fn new(epoch: Epoch, state: EpochState) -> Self {
        let hash = state.validators.hash();
        Self { epoch, first: state.first, validators: state.validators, hash }
    }
}

/// The epoch in force for the block after `state`.
pub(super) fn current<S>(state: &S) -> Result<EpochSet, LedgerError>
where
    S: StateRead<Error = LedgerError>,
{
    let epoch = validators::membership(state)?.epoch;
    Ok(EpochSet::new(epoch, validators::current(state)?))
}

/// The epoch in which block `height` is certified; `None` above the block after the tip.
pub(super) fn at(snapshot: &Snapshot, height: Height) -> Result<Option<EpochSet>, LedgerError> {
    let tip = snapshot.tip_height()?;
    if height > tip.next() {
        return Ok(None);
    }
    let state = StateAt { snapshot, height: tip };
    let newest = validators::membership(&state)?.epoch;
    // Sets change a few times a year: from the newest down, nearly every question is answered at once.
    for epoch in (0..=newest.0).rev().map(Epoch) {
        let found = validators::at(&state, epoch)?.ok_or(corrupt(&STATE_VALUES))?;
        if found.first <= height {
            return Ok(Some(EpochSet::new(epoch, found)));
        }
    }
    Err(corrupt(&STATE_VALUES))
}

/// The newest epoch read, so that its keys are not decoded for every block.
pub(super) struct EpochCache(Mutex<Arc<EpochSet>>);

impl EpochCache {
    pub(super) fn new(epoch: EpochSet) -> Self {
        Self(Mutex::new(Arc::new(epoch)))
    }

    /// The epoch in force for the block on top of `base`.
    pub(super) fn on(&self, base: &Base<'_>) -> Result<Arc<EpochSet>, LedgerError> {
        if let Some(next) = base.next_epoch() {
            return Ok(next);
        }
        let epoch = validators::membership(base)?.epoch;
        let kept = self.newest();
        if kept.epoch == epoch {
            return Ok(kept);
        }
        let found = Arc::new(EpochSet::new(epoch, validators::current(base)?));
        self.keep(&found);
        Ok(found)
    }

    /// The newest epoch seen in force for a block on a committed tip.
    pub(super) fn newest(&self) -> Arc<EpochSet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the epoch if it is newer.
    pub(super) fn keep(&self, epoch: &Arc<EpochSet>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch.epoch > kept.epoch {
            *kept = epoch.clone();
        }
    }
}

/// What the contracts report when they read the ledger's own state.
impl From<ApplyError<LedgerError>> for LedgerError {
    fn from(error: ApplyError<LedgerError>) -> Self {
        match error {
            ApplyError::State(error) => error,
            ApplyError::Corrupt { .. } => corrupt(&STATE_VALUES),
        }
    }
}
