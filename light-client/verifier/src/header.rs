//! A header that was verified by itself, and how headers are linked.

use alloc::sync::Arc;
use amulet_protocol::certificate::{CertifiedHeader, UntrustedSignedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, Timestamp};
use amulet_protocol::validators::ValidatorSet;

/// A header that passed every check that can be made of one header by itself: format, chain, date, validator set,
/// certificate. Only a [`Verifier`](crate::Verifier) makes one.
///
/// It is not yet known that hospitals agree on it, nor that it belongs to the chain this device followed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    certified: CertifiedHeader,
    validators: Arc<ValidatorSet>,
}

/// How an older header was shown to belong to the chain of a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// They are the same header.
    Same,
    /// The newer header names the older as its predecessor.
    Adjacent,
    /// A range proof of this many hashes.
    Range {
        /// Hashes in the proof.
        hashes: usize,
    },
}

impl VerifiedHeader {
    pub(crate) fn new(certified: CertifiedHeader, validators: Arc<ValidatorSet>) -> Self {
        Self { certified, validators }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.certified.header()
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        self.certified.hash()
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> Height {
        self.header().height
    }

    /// When the block was proposed, by the clocks of a quorum of hospitals.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.header().time
    }

    /// Who signed, ascending.
    pub fn signers(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.certified.signers()
    }

    /// How many signed.
    #[must_use]
    pub fn signed(&self) -> usize {
        self.signers().count()
    }

    /// How many validators there were.
    #[must_use]
    pub fn validators(&self) -> usize {
        self.validators.quorum().size()
    }

    /// The validators that could sign; signers are positions in this set.
    #[must_use]
    pub fn validator_set(&self) -> &Arc<ValidatorSet> {
        &self.validators
    }

    /// The header and certificate in the form that travels: evidence that anybody can check.
    #[must_use]
    pub fn as_signed(&self) -> &UntrustedSignedHeader {
        self.certified.as_signed()
    }
}
