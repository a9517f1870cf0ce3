//! The verifier: pure, and the same natively and in a browser. Each rule is a named predicate; [`Verifier`] composes them,
//! cheap checks first, those whose cost the sender controls last.

mod epochs;
mod predicates;

pub use epochs::{InvalidEpochEnd, KnownEpoch};

use crate::header::{Link, VerifiedHeader};
use crate::params::TrustParams;
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::header::HEADER_VERSION;
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, Timestamp};
use amulet_protocol::light::UntrustedEpochEnd;
use amulet_protocol::range::{RangeProofError, UntrustedRangeProof};
use amulet_protocol::validators::ValidatorSet;
use epochs::Epochs;

/// What the verifier says of one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Verified(Box<VerifiedHeader>),
    /// The header is of our chain, but names a validator set that this client does not know: it can say neither yes nor
    /// no, before it has learnt how the newest epoch it knows ended.
    NotEnoughOverlap {
        /// Digest of the set the header names.
        found: Digest,
        /// Digest of the set this client knows.
        known: Digest,
    },
    /// No honest hospital sends this.
    Invalid(InvalidHeader),
}

/// Why a header is invalid; each variant carries what was compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    /// Unknown format.
    #[error("header version {found} is not {HEADER_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// Another chain.
    #[error("the header is of chain {found}, not {expected}")]
    Chain {
        /// Found.
        found: ChainId,
        /// Expected.
        expected: ChainId,
    },
    /// Dated further ahead than clocks may differ.
    #[error("the header is dated {time}, more than {drift_ms} ms after {now}")]
    FromFuture {
        /// Time of the header.
        time: Timestamp,
        /// This device's clock.
        now: Timestamp,
        /// Difference allowed, in milliseconds.
        drift_ms: u64,
    },
    /// The certificate is bad.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A later block is not dated later.
    #[error("the header at height {height} is dated {time}, not after {earlier}")]
    TimeNotLater {
        /// Height of the newer header.
        height: Height,
        /// Its time.
        time: Timestamp,
        /// Time of the older header.
        earlier: Timestamp,
    },
    /// The header that should be newer is not higher.
    #[error("height {found} is not above {known}")]
    NotHigher {
        /// Height of the header that should be newer.
        found: Height,
        /// Height of the older.
        known: Height,
    },
    /// The header one higher names another predecessor.
    #[error("the header names {found} as its predecessor, which is {expected}")]
    PreviousHash {
        /// Named.
        found: HeaderHash,
        /// Hash of the header one lower.
        expected: HeaderHash,
    },
    /// The range proof is for another height than the older header has.
    #[error("the range proof is for height {found}, the older header has {expected}")]
    RangeHeight {
        /// In the proof.
        found: Height,
        /// Of the older header.
        expected: Height,
    },
    /// The range proof fails.
    #[error(transparent)]
    Range(#[from] RangeProofError),
}

/// The validator set this client knows is too old to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("last checked at {checked_at}, now {now}: more than the trust period of {period_ms} ms ago")]
pub struct TrustExpired {
    /// When hospitals last agreed with this device.
    pub checked_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The trust period in milliseconds.
    pub period_ms: u64,
}

/// Composes the predicates for one chain and the validator sets that it had so far.
#[derive(Clone, Debug)]
pub struct Verifier {
    chain: ChainId,
    epochs: Epochs,
    params: TrustParams,
}

impl Verifier {
    /// A verifier for this chain that relies on this validator set from the genesis on, until
    /// [`follow`](Self::follow)ed to the next.
    #[must_use]
    pub fn new(chain: ChainId, validators: ValidatorSet, params: TrustParams) -> Self {
        Self { chain, epochs: Epochs::new(validators), params }
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The newest epoch known.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epochs.newest()
    }

    /// The validator set that certifies the block at a height, as far as this client knows.
    #[must_use]
    pub fn validators_at(&self, height: Height) -> &ValidatorSet {
        self.epochs.at(height).validators()
    }

    /// The newest validator set known.
    #[must_use]
    pub fn validators(&self) -> &ValidatorSet {
        self.epochs.last().validators()
    }

    /// How each known epoch but the newest ended, in order: what leads from the genesis to the newest.
    #[must_use]
    pub fn trail(&self) -> &[UntrustedEpochEnd] {
        self.epochs.trail()
    }

    /// Learns the next epoch from the end of the newest one known, and gives the header that ended it.
    ///
    /// That header passes every rule of [`verify`](Self::verify), under the set that this client relies on, and the next
    /// set has the hash that the header names.
    ///
    /// # Errors
    /// [`InvalidEpochEnd`]; this verifier is then unchanged.
    pub fn follow(
        &mut self,
        end: UntrustedEpochEnd,
        now: Timestamp,
    ) -> Result<VerifiedHeader, InvalidEpochEnd> {
        let header = match self.verify(end.header.clone(), now) {
            Verdict::Verified(header) => *header,
            Verdict::NotEnoughOverlap { found, known } => {
                return Err(
                    InvalidHeader::Certificate(CertificateError::ValidatorSet { found, known }).into()
                );
            }
            Verdict::Invalid(cause) => return Err(cause.into()),
        };
        self.epochs.extend(&header, end)?;
        Ok(header)
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &TrustParams {
        &self.params
    }

    /// Judges a header by itself: version, chain, date, validator set, certificate, in this order.
    #[must_use]
    pub fn verify(&self, untrusted: UntrustedSignedHeader, now: Timestamp) -> Verdict {
        let header = &untrusted.header;
        let cheap = predicates::version(header)
            .and_then(|()| predicates::chain(header, self.chain))
            .and_then(|()| predicates::not_from_future(header, now, &self.params));
        if let Err(cause) = cheap {
            return Verdict::Invalid(cause);
        }
        let epoch = self.epochs.at(header.height);
        let known = epoch.hash();
        if header.validators_hash != known && !epoch.has_ended() {
            return Verdict::NotEnoughOverlap { found: header.validators_hash, known };
        }
        match untrusted.verify(self.chain, epoch.validators()) {
            Ok(certified) => {
                let size = epoch.validators().quorum().size();
                Verdict::Verified(Box::new(VerifiedHeader::new(certified, size)))
            }
            Err(cause) => Verdict::Invalid(cause.into()),
        }
    }

    /// Whether the validator set may still be relied on, having last been confirmed at `checked_at`.
    ///
    /// # Errors
    /// [`TrustExpired`].
    pub fn within_trust_period(&self, checked_at: Timestamp, now: Timestamp) -> Result<(), TrustExpired> {
        predicates::within_trust_period(checked_at, now, &self.params)
    }
}

/// Checks that `newer` is of the same chain of blocks as `older`, one header higher.
///
/// # Errors
/// [`InvalidHeader::NotHigher`], [`InvalidHeader::TimeNotLater`], [`InvalidHeader::PreviousHash`].
pub fn link_adjacent(newer: &VerifiedHeader, older: &VerifiedHeader) -> Result<Link, InvalidHeader> {
    predicates::higher(newer, older)?;
    predicates::later(newer, older)?;
    predicates::names_as_previous(newer, older)?;
    Ok(Link::Adjacent)
}

/// Checks by a range proof that `older` is in the chain of blocks that `newer` commits to.
///
/// # Errors
/// [`InvalidHeader::NotHigher`], [`InvalidHeader::TimeNotLater`], [`InvalidHeader::RangeHeight`],
/// [`InvalidHeader::Range`].
pub fn link_range(
    newer: &VerifiedHeader,
    older: &VerifiedHeader,
    proof: &UntrustedRangeProof,
) -> Result<Link, InvalidHeader> {
    predicates::higher(newer, older)?;
    predicates::later(newer, older)?;
    predicates::in_range(newer, older, proof)?;
    Ok(Link::Range { hashes: proof.hashes.len() })
}
