//! The validator sets of a chain that are known, each by the signatures of one known before.

use crate::header::VerifiedHeader;
use crate::verifier::InvalidHeader;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::UntrustedStep;
use amulet_protocol::validators::ValidatorSet;

/// A validator set and the heights it is known to certify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownEpoch {
    pub(crate) epoch: Epoch,
    /// The lowest height that the set is known to certify: the epoch's first if it was followed there, a later one if the
    /// epochs before were skipped.
    first: Height,
    /// The highest, if a later epoch is known.
    last: Option<Height>,
    pub(crate) validators: Arc<ValidatorSet>,
}

/// Why a step along the validator sets is invalid; each variant carries what was compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStep {
    /// Its header is no good.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// It came with a next set, but its header does not end an epoch: the next block has the same set.
    #[error("the header at {height} does not end an epoch")]
    GoesOn {
        /// Height of the header.
        height: Height,
    },
    /// It skips epochs to one that is not later than the newest known.
    #[error("the header is of epoch {found}, known is {known}")]
    EpochNotLater {
        /// By the view in the header.
        found: Epoch,
        /// Newest known.
        known: Epoch,
    },
    /// The next set is not the one that the header names.
    #[error("the set given has hash {found}, the header names {named}")]
    OtherSet {
        /// Computed.
        found: Digest,
        /// In the header.
        named: Digest,
    },
}

/// What is known of the set that certifies a height.
pub(crate) enum Place<'a> {
    /// It is this one.
    In(&'a KnownEpoch),
    /// The height lies between two known epochs, or below the first: it may be one of these, or another.
    Gap([Option<&'a KnownEpoch>; 2]),
}

/// The known epochs. It grows only by what a quorum signed, of a known set or of one that enough of a known set signed for.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    /// Ascending; never empty; the newest has no last height.
    known: Vec<KnownEpoch>,
    /// What led from each to the next.
    trail: Vec<Arc<UntrustedStep>>,
}

impl KnownEpoch {
    fn has(&self, height: Height) -> bool {
        self.first <= height && self.last.is_none_or(|last| height <= last)
    }
}

impl Epochs {
    /// Starts from a set that is known to certify the blocks from `first` on.
    pub(crate) fn new(epoch: Epoch, first: Height, validators: ValidatorSet) -> Self {
        let validators = Arc::new(validators);
        Self { known: vec![KnownEpoch { epoch, first, last: None, validators }], trail: Vec::new() }
    }

    /// Adds the set that certifies one block just below where all begins.
    pub(crate) fn begin_with(&mut self, epoch: Epoch, height: Height, validators: ValidatorSet) {
        let validators = Arc::new(validators);
        self.known.insert(0, KnownEpoch { epoch, first: height, last: Some(height), validators });
    }

    pub(crate) fn trail(&self) -> &[Arc<UntrustedStep>] {
        &self.trail
    }

    pub(crate) fn newest(&self) -> &KnownEpoch {
        self.known.last().expect("an epoch is always known")
    }

    pub(crate) fn at(&self, height: Height) -> Place<'_> {
        let after = self.known.partition_point(|epoch| epoch.first <= height);
        let below = after.checked_sub(1).map(|below| &self.known[below]);
        match below {
            Some(epoch) if epoch.has(height) => Place::In(epoch),
            _ => Place::Gap([below, self.known.get(after)]),
        }
    }

    /// Takes a step to the set that certified `header`, which is verified, and to the one it names, if that is given. Epochs
    /// were skipped if it was verified without knowing its set.
    ///
    /// # Errors
    /// [`InvalidStep`]; nothing is changed then.
    pub(crate) fn extend(
        &mut self,
        header: &VerifiedHeader,
        mut step: UntrustedStep,
        skipped: bool,
    ) -> Result<(), InvalidStep> {
        let height = header.height();
        let (own, named) = (header.header().validators_hash, header.header().next_validators_hash);
        let newest = self.newest();
        let (known, epoch) = (newest.epoch, header.header().view.epoch());
        if skipped && epoch <= known {
            return Err(InvalidStep::EpochNotLater { found: epoch, known });
        }
        // A header of an epoch that has ended leads nowhere from the newest.
        let of_newest = own == newest.validators.hash() && height >= newest.first;
        if !(skipped || of_newest) || step.next.is_some() && named == own {
            return Err(InvalidStep::GoesOn { height });
        }
        let next = step.next.clone().map(Arc::new);
        if let Some(next) = next.as_ref().filter(|next| next.hash() != named) {
            return Err(InvalidStep::OtherSet { found: next.hash(), named });
        }
        if skipped {
            let newest = self.newest_mut();
            newest.last = Some(newest.first);
            let validators = header.validator_set().clone();
            self.known.push(KnownEpoch { epoch, first: height, last: None, validators });
        } else {
            // Whoever takes this step again knows the set, and a trail should be short.
            step.validators = None;
        }
        if let Some(validators) = next {
            let newest = self.newest_mut();
            newest.last = Some(height);
            let (epoch, first) = (newest.epoch.next(), height.next());
            self.known.push(KnownEpoch { epoch, first, last: None, validators });
        } else if !skipped {
            return Ok(());
        }
        self.trail.push(Arc::new(step));
        Ok(())
    }

    fn newest_mut(&mut self) -> &mut KnownEpoch {
        self.known.last_mut().expect("an epoch is always known")
    }
}
