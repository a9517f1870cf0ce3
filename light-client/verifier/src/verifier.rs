//! The verifier of one chain: composes the predicates.

use crate::checkpoint::Checkpoint;
use crate::epochs::{Epochs, InvalidStep, KnownEpoch, Place};
use crate::header::{Link, VerifiedHeader};
use crate::params::{TrustParams, TrustThreshold};
use crate::predicates;
use alloc::boxed::Box;
use alloc::sync::Arc;
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::{
    CertificateError, Sm2Votes, UntrustedSignedHeader, VoteCheck, check_signers,
};
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, Timestamp};
use amulet_protocol::light::UntrustedStep;
use amulet_protocol::range::{RangeProofError, UntrustedRangeProof};
use amulet_protocol::validators::ValidatorSet;

/// What the verifier says of one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Verified(Box<VerifiedHeader>),
    /// The header is of our chain, but names a validator set that this client does not know: it can say neither yes nor
    /// no, before a step led it to that set.
    UnknownValidators {
        /// Digest of the set the header names.
        found: Digest,
        /// Digest of the set this client knows.
        known: Digest,
    },
    /// No honest hospital sends this.
    Invalid(InvalidHeader),
}

/// What the verifier says of a header of a set that it does not know, given that set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipVerdict {
    /// Every check passed.
    Verified(Box<VerifiedHeader>),
    /// Nothing is wrong with it, but too few signers are known: a header in between is needed first.
    NotEnoughOverlap(Overlap),
    /// No honest hospital sends this.
    Invalid(InvalidHeader),
}

/// What the verifier says of a step along the validator sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepVerdict {
    /// The verifier has taken it, and gives the header that it rests on.
    Taken(Box<VerifiedHeader>),
    /// Nothing is wrong with it, but it is too far: one in between is needed first. The verifier is as before.
    NotEnoughOverlap(Overlap),
    /// No honest hospital sends this. The verifier is as before.
    Invalid(InvalidStep),
}

/// How many of the trusted set signed a header of another set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{signed} of {trusted} trusted validators signed, which is not more than {threshold}")]
pub struct Overlap {
    /// Signers whose keys are in the trusted set.
    pub signed: usize,
    /// Size of the trusted set.
    pub trusted: usize,
    /// What they must exceed.
    pub threshold: TrustThreshold,
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
    /// The set given with the header is not the one it names.
    #[error("the set given has hash {found}, the header is certified by {named}")]
    OtherSet {
        /// Computed.
        found: Digest,
        /// In the header.
        named: Digest,
    },
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

impl InvalidHeader {
    /// A name of the broken rule, for programs; of a certificate's as in `docs/spec/proofs.md`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::Chain { .. } => "chain",
            Self::FromFuture { .. } => "from-future",
            Self::Certificate(error) => error.rule(),
            Self::OtherSet { .. } => "validator-set",
            Self::TimeNotLater { .. } => "time-not-later",
            Self::NotHigher { .. } => "not-higher",
            Self::PreviousHash { .. } => "previous-hash",
            Self::RangeHeight { .. } | Self::Range(_) => "range",
        }
    }
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

/// Composes the predicates for one chain and the validator sets that are known of it.
#[derive(Clone, Debug)]
pub struct Verifier {
    chain: ChainId,
    epochs: Epochs,
    /// Height and time of the newest header that the known sets rest on.
    base: (Height, Timestamp),
    params: TrustParams,
}

impl Verifier {
    /// A verifier for this chain that relies on this validator set from the genesis on, until a
    /// [`step`](Self::take) leads to another.
    #[must_use]
    pub fn new(chain: ChainId, validators: ValidatorSet, params: TrustParams) -> Self {
        let epochs = Epochs::new(Epoch(0), Height(0), validators);
        Self { chain, epochs, base: (Height(0), Timestamp(0)), params }
    }

    /// A verifier that starts from a checkpoint instead of the genesis.
    #[must_use]
    pub fn from_checkpoint(checkpoint: &Checkpoint, params: TrustParams) -> Self {
        let header = checkpoint.header();
        // Unless the header ends an epoch, the set is also the one that certifies the header itself. A device that starts from
        // the newest block must be able to check that block again: on a quiet chain none comes for days.
        let first = if checkpoint.ends_epoch() { header.height.next() } else { header.height };
        let mut epochs = Epochs::new(checkpoint.epoch(), first, checkpoint.next().clone());
        if let Some(own) = checkpoint.own() {
            epochs.begin_with(header.view.epoch(), header.height, own.clone());
        }
        Self { chain: header.chain, epochs, base: (header.height, header.time), params }
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The newest epoch known.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epochs.newest().epoch
    }

    /// The validator set that certifies the block at a height; `None` where the epochs were skipped.
    #[must_use]
    pub fn validators_at(&self, height: Height) -> Option<&Arc<ValidatorSet>> {
        match self.epochs.at(height) {
            Place::In(epoch) => Some(&epoch.validators),
            Place::Gap(_) => None,
        }
    }

    /// The newest validator set known.
    #[must_use]
    pub fn validators(&self) -> &Arc<ValidatorSet> {
        &self.epochs.newest().validators
    }

    /// The steps taken, in order: what leads from the start to the newest set.
    #[must_use]
    pub fn trail(&self) -> &[Arc<UntrustedStep>] {
        self.epochs.trail()
    }

    /// Height of the newest header that the known sets rest on.
    #[must_use]
    pub fn base(&self) -> Height {
        self.base.0
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &TrustParams {
        &self.params
    }

    /// Learns the set that certified a header, and the one that the header names as the next, if the step has it.
    ///
    /// The header passes every rule of [`verify_adjacent`](Self::verify_adjacent) if its set is known, and of
    /// [`verify_skipping`](Self::verify_skipping) if not. `confirmed_at` is as there.
    ///
    /// # Errors
    /// [`TrustExpired`].
    pub fn take(
        &mut self,
        step: UntrustedStep,
        confirmed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<StepVerdict, TrustExpired> {
        self.take_by(&Sm2Votes, step, confirmed_at, now)
    }

    pub(crate) fn take_by(
        &mut self,
        votes: &dyn VoteCheck,
        step: UntrustedStep,
        confirmed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<StepVerdict, TrustExpired> {
        let (header, skipped) = match &step.validators {
            Some(own) if step.header.header.validators_hash != self.validators().hash() => {
                match self.verify_skipping(step.header.clone(), own, confirmed_at, now)? {
                    SkipVerdict::Verified(header) => (header, true),
                    SkipVerdict::NotEnoughOverlap(overlap) => {
                        return Ok(StepVerdict::NotEnoughOverlap(overlap));
                    }
                    SkipVerdict::Invalid(cause) => return Ok(StepVerdict::Invalid(cause.into())),
                }
            }
            _ => match self.verify_adjacent_by(votes, step.header.clone(), now) {
                Verdict::Verified(header) => (header, false),
                Verdict::UnknownValidators { found, known } => {
                    let cause = InvalidHeader::Certificate(CertificateError::ValidatorSet { found, known });
                    return Ok(StepVerdict::Invalid(cause.into()));
                }
                Verdict::Invalid(cause) => return Ok(StepVerdict::Invalid(cause.into())),
            },
        };
        Ok(match self.epochs.extend(&header, step, skipped) {
            Ok(()) => {
                self.base = self.base.max((header.height(), header.time()));
                StepVerdict::Taken(header)
            }
            Err(cause) => StepVerdict::Invalid(cause),
        })
    }

    /// Judges a header whose set is known: version, chain, date, validator set, certificate, in this order.
    #[must_use]
    pub fn verify_adjacent(&self, untrusted: UntrustedSignedHeader, now: Timestamp) -> Verdict {
        self.verify_adjacent_by(&Sm2Votes, untrusted, now)
    }

    pub(crate) fn verify_adjacent_by(
        &self,
        votes: &dyn VoteCheck,
        untrusted: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Verdict {
        if let Err(cause) = self.of_this_chain_and_time(&untrusted.header, now) {
            return Verdict::Invalid(cause);
        }
        let named = untrusted.header.validators_hash;
        let unknown = |known| Verdict::UnknownValidators { found: named, known };
        let epoch = match self.epochs.at(untrusted.header.height) {
            // Above what is known, another set may have come.
            Place::In(epoch) if named != epoch.validators.hash() && self.is_newest(epoch) => {
                return unknown(epoch.validators.hash());
            }
            Place::In(epoch) => epoch,
            Place::Gap(around) => {
                let mut around = around.into_iter().flatten();
                match around.find(|epoch| epoch.validators.hash() == named) {
                    Some(epoch) => epoch,
                    None => return unknown(self.validators().hash()),
                }
            }
        };
        match certified(votes, self.chain, untrusted, &epoch.validators) {
            Ok(header) => Verdict::Verified(header),
            Err(cause) => Verdict::Invalid(cause),
        }
    }

    /// Judges a header of a set that is not known, given that set: version, chain and date; higher and later than what the
    /// known sets rest on; the set is the one it names; its signers are a quorum of that set; and more than the threshold
    /// of the newest known set is among them. Signatures are checked last, all of them.
    ///
    /// `confirmed_at` says when hospitals last confirmed what this verifier relies on; `None` when a person has just done so,
    /// by pinning what it starts from.
    ///
    /// # Errors
    /// [`TrustExpired`] if that is longer ago than the trust period: those who validated then may have left, and nothing keeps
    /// them from signing another chain.
    pub fn verify_skipping(
        &self,
        untrusted: UntrustedSignedHeader,
        own: &ValidatorSet,
        confirmed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SkipVerdict, TrustExpired> {
        if let Some(confirmed_at) = confirmed_at {
            self.within_trust_period(confirmed_at, now)?;
        }
        let header = &untrusted.header;
        let cheap = self
            .of_this_chain_and_time(header, now)
            .and_then(|()| predicates::higher(header, self.base.0))
            .and_then(|()| predicates::later(header, self.base.1))
            .and_then(|()| predicates::names_its_set(header, own))
            .and_then(|()| check_signers(&untrusted.certificate, own).map_err(InvalidHeader::from));
        if let Err(cause) = cheap {
            return Ok(SkipVerdict::Invalid(cause));
        }
        let trusted = self.validators();
        if let Err(overlap) = predicates::enough_overlap(&untrusted.certificate, own, trusted, &self.params) {
            return Ok(SkipVerdict::NotEnoughOverlap(overlap));
        }
        Ok(match certified(&Sm2Votes, self.chain, untrusted, &Arc::new(own.clone())) {
            Ok(header) => SkipVerdict::Verified(header),
            Err(cause) => SkipVerdict::Invalid(cause),
        })
    }

    /// Judges an older header of a set that is not known by its place in the range of a newer one: what the newer commits to
    /// is of its chain, so the set that the older names is that of its time.
    ///
    /// # Errors
    /// [`InvalidHeader`].
    pub fn verify_in_range(
        &self,
        newer: &VerifiedHeader,
        older: UntrustedSignedHeader,
        own: &Arc<ValidatorSet>,
        proof: &UntrustedRangeProof,
    ) -> Result<(Box<VerifiedHeader>, Link), InvalidHeader> {
        let link = range_contains(newer, &older.header, proof)?;
        predicates::names_its_set(&older.header, own)?;
        Ok((certified(&Sm2Votes, self.chain, older, own)?, link))
    }

    /// Whether the validator set may still be relied on, having last been confirmed at `checked_at`.
    ///
    /// # Errors
    /// [`TrustExpired`].
    pub fn within_trust_period(&self, checked_at: Timestamp, now: Timestamp) -> Result<(), TrustExpired> {
        predicates::within_trust_period(checked_at, now, &self.params)
    }

    fn of_this_chain_and_time(&self, header: &Header, now: Timestamp) -> Result<(), InvalidHeader> {
        predicates::version(header)?;
        predicates::chain(header, self.chain)?;
        predicates::not_from_future(header, now, &self.params)
    }

    fn is_newest(&self, epoch: &KnownEpoch) -> bool {
        epoch.epoch == self.epoch()
    }
}

/// Checks the certificate by a set.
fn certified(
    votes: &dyn VoteCheck,
    chain: ChainId,
    untrusted: UntrustedSignedHeader,
    validators: &Arc<ValidatorSet>,
) -> Result<Box<VerifiedHeader>, InvalidHeader> {
    let certified = untrusted.verify_by(votes, chain, validators)?;
    Ok(Box::new(VerifiedHeader::new(certified, validators.clone())))
}

/// Checks that `newer` is of the same chain of blocks as `older`, one header higher.
///
/// # Errors
/// [`InvalidHeader::NotHigher`], [`InvalidHeader::TimeNotLater`], [`InvalidHeader::PreviousHash`].
pub fn link_adjacent(newer: &VerifiedHeader, older: &VerifiedHeader) -> Result<Link, InvalidHeader> {
    predicates::higher(newer.header(), older.height())?;
    predicates::later(newer.header(), older.time())?;
    predicates::names_as_previous(newer, older)?;
    Ok(Link::Adjacent)
}

/// Checks by a range proof that `older` is in the chain of blocks that `newer` commits to.
///
/// # Errors
/// As [`range_contains`].
pub fn link_range(
    newer: &VerifiedHeader,
    older: &VerifiedHeader,
    proof: &UntrustedRangeProof,
) -> Result<Link, InvalidHeader> {
    range_contains(newer, older.header(), proof)
}

/// The same for an older header that needs no certificate, because the newer one commits to it.
///
/// # Errors
/// [`InvalidHeader::NotHigher`], [`InvalidHeader::TimeNotLater`], [`InvalidHeader::RangeHeight`],
/// [`InvalidHeader::Range`].
pub fn range_contains(
    newer: &VerifiedHeader,
    older: &Header,
    proof: &UntrustedRangeProof,
) -> Result<Link, InvalidHeader> {
    predicates::higher(newer.header(), older.height)?;
    predicates::later(newer.header(), older.time)?;
    predicates::in_range(newer, older, proof)?;
    Ok(Link::Range { hashes: proof.hashes.len() })
}
