//! The validator sets of a chain, each known by the certificate of the one before.

use super::InvalidHeader;
use crate::header::VerifiedHeader;
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::UntrustedEpochEnd;
use amulet_protocol::validators::ValidatorSet;

/// A validator set and the heights it certifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEpoch {
    first: Height,
    /// The last height, if the epoch is known to have ended.
    last: Option<Height>,
    validators: ValidatorSet,
    hash: Digest,
}

/// Why an epoch's end is invalid; each variant carries what was compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEpochEnd {
    /// Its header is no good, or of another epoch.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// Its header does not end the epoch: the next block has the same set.
    #[error("the header at {height} does not end an epoch")]
    GoesOn {
        /// Height of the header.
        height: Height,
    },
    /// The set is not the one that the header names.
    #[error("the set given has hash {found}, the header names {named}")]
    OtherSet {
        /// Computed.
        found: Digest,
        /// In the header.
        named: Digest,
    },
}

impl KnownEpoch {
    fn new(first: Height, validators: ValidatorSet) -> Self {
        Self { first, last: None, hash: validators.hash(), validators }
    }

    pub(super) fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    pub(super) fn hash(&self) -> Digest {
        self.hash
    }

    pub(super) fn has_ended(&self) -> bool {
        self.last.is_some()
    }
}

/// All known epochs, without a gap from the genesis on. It grows only by what a quorum of a known set signed.
#[derive(Clone, Debug)]
pub(super) struct Epochs {
    /// Ascending; never empty.
    known: Vec<KnownEpoch>,
    /// The end of each but the newest.
    trail: Vec<UntrustedEpochEnd>,
}

impl Epochs {
    pub(super) fn new(genesis: ValidatorSet) -> Self {
        Self { known: vec![KnownEpoch::new(Height(0), genesis)], trail: Vec::new() }
    }

    pub(super) fn newest(&self) -> Epoch {
        Epoch(self.trail.len() as u64)
    }

    pub(super) fn trail(&self) -> &[UntrustedEpochEnd] {
        &self.trail
    }

    pub(super) fn last(&self) -> &KnownEpoch {
        self.known.last().expect("the genesis set is always known")
    }

    /// The epoch of a height; the newest for all that is above.
    pub(super) fn at(&self, height: Height) -> &KnownEpoch {
        let after = self.known.partition_point(|epoch| epoch.first <= height);
        &self.known[after.saturating_sub(1)]
    }

    /// Adds the epoch that follows on `header`, which is that of `end`, verified.
    pub(super) fn extend(
        &mut self,
        header: &VerifiedHeader,
        end: UntrustedEpochEnd,
    ) -> Result<(), InvalidEpochEnd> {
        let height = header.height();
        let newest = self.known.last_mut().expect("the genesis set is always known");
        let named = header.header().next_validators_hash;
        // A header of an epoch that has ended is not the end of the newest.
        if height < newest.first || named == newest.hash {
            return Err(InvalidEpochEnd::GoesOn { height });
        }
        let next = KnownEpoch::new(height.next(), end.next.clone());
        if next.hash != named {
            return Err(InvalidEpochEnd::OtherSet { found: next.hash, named });
        }
        newest.last = Some(height);
        self.known.push(next);
        self.trail.push(end);
        Ok(())
    }
}
