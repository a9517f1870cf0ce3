//! Trust as types: `UntrustedSignedHeader` → [`VerifiedHeader`] → [`TrustedHeader`], and no public way up but the checks.

use amulet_protocol::certificate::{CertifiedHeader, UntrustedSignedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, Timestamp};

/// A header that passed every check that can be made of one header by itself: format, chain, date, validator set,
/// certificate. Only [`Verifier::verify`](crate::verifier::Verifier::verify) makes one.
///
/// It is not yet known that hospitals agree on it, nor that it belongs to the chain this device followed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    certified: CertifiedHeader,
    validators: usize,
}

/// A verified header that enough hospitals agree on and that continues the chain this device followed. Only
/// [`LightClient::sync`](crate::client::LightClient::sync) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedHeader {
    verified: VerifiedHeader,
    checked_at: Timestamp,
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
    pub(crate) fn new(certified: CertifiedHeader, validators: usize) -> Self {
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
        self.validators
    }

    /// The header and certificate in the form that travels: evidence that anybody can check.
    #[must_use]
    pub fn as_signed(&self) -> &UntrustedSignedHeader {
        self.certified.as_signed()
    }
}

impl TrustedHeader {
    pub(crate) fn new(verified: VerifiedHeader, checked_at: Timestamp) -> Self {
        Self { verified, checked_at }
    }

    /// The verified header.
    #[must_use]
    pub fn verified(&self) -> &VerifiedHeader {
        &self.verified
    }

    /// When hospitals last agreed that this was the newest header, by this device's clock.
    #[must_use]
    pub fn checked_at(&self) -> Timestamp {
        self.checked_at
    }
}

impl std::ops::Deref for TrustedHeader {
    type Target = VerifiedHeader;

    fn deref(&self) -> &VerifiedHeader {
        &self.verified
    }
}
