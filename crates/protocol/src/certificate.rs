//! The commit certificate: a quorum of SM2 signatures over (chain id, height, view, header hash).

use crate::header::{HEADER_VERSION, Header};
use crate::ids::{ChainId, HeaderHash, Height, ReplicaId, View};
use crate::validators::ValidatorSet;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::{PublicKey, Signature, SigningContext};
use borsh::{BorshDeserialize, BorshSerialize};

/// What a PBFT commit message signs. The chain id is part of every signature's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CommitVote {
    /// Height of the block.
    pub height: Height,
    /// View in which it is committed.
    pub view: View,
    /// Hash of its header.
    pub header_hash: HeaderHash,
}

impl CommitVote {
    /// The bytes under the signature.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        crate::codec::encode(self)
    }
}

/// How a commit vote's signature is checked. A narrow seam: everything that ships uses [`Sm2Votes`]; a simulator that runs
/// hours of a consortium in a second has signatures of its own.
pub trait VoteCheck: Send + Sync {
    /// Whether `signature` is the holder of `key`'s over `message`, as a commit vote on `chain`.
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool;
}

impl<T: VoteCheck + ?Sized> VoteCheck for &T {
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool {
        (**self).is_valid(key, chain, message, signature)
    }
}

/// Commit votes signed with SM2.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sm2Votes;

impl VoteCheck for Sm2Votes {
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool {
        key.verify(SigningContext::Commit, &chain.tag(), message, signature).is_ok()
    }
}

/// A certificate as received: nothing about it has been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedCommitCertificate {
    /// What is said to be certified.
    pub vote: CommitVote,
    /// Signatures, in ascending order of signer.
    pub signatures: Vec<(ReplicaId, Signature)>,
}

/// A header and its certificate as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedSignedHeader {
    /// The header.
    pub header: Header,
    /// The certificate.
    pub certificate: UntrustedCommitCertificate,
}

/// A header that a quorum of a known validator set has signed. Only [`UntrustedSignedHeader::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedHeader {
    signed: UntrustedSignedHeader,
    hash: HeaderHash,
}

/// Why a signed header was refused; each variant carries what was compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The header is of an unknown format.
    #[error("header version {found} is not {HEADER_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// The header belongs to another chain.
    #[error("the header is of chain {found}, not {expected}")]
    Chain {
        /// Found.
        found: ChainId,
        /// Expected.
        expected: ChainId,
    },
    /// Header and certificate are for different heights.
    #[error("the certificate is for height {certificate}, the header has {header}")]
    Height {
        /// In the certificate.
        certificate: Height,
        /// In the header.
        header: Height,
    },
    /// The certificate signs another header.
    #[error("the certificate signs header {certificate}, this header is {header}")]
    HeaderHash {
        /// In the certificate.
        certificate: HeaderHash,
        /// Computed.
        header: HeaderHash,
    },
    /// The header names another validator set than the one known.
    #[error("the header is certified by validator set {found}, known is {known}")]
    ValidatorSet {
        /// In the header.
        found: Digest,
        /// Known.
        known: Digest,
    },
    /// A signer is listed twice or out of order.
    #[error("signer {signer} is repeated or out of order")]
    SignerOrder {
        /// Whose.
        signer: ReplicaId,
    },
    /// A signer is not in the validator set.
    #[error("signer {signer} is not one of {validators} validators")]
    UnknownSigner {
        /// Whose.
        signer: ReplicaId,
        /// Size of the set.
        validators: usize,
    },
    /// Too few signatures.
    #[error("{found} signatures, but a quorum is {needed}")]
    TooFew {
        /// Found.
        found: usize,
        /// Needed.
        needed: usize,
    },
    /// A signature does not verify.
    #[error("the signature of validator {signer} does not verify")]
    Signature {
        /// Whose.
        signer: ReplicaId,
    },
}

impl CertificateError {
    /// The name of the broken rule, as in `docs/spec/proofs.md` after `epoch-` and `anchor-`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::Chain { .. } => "chain",
            Self::Height { .. } => "height",
            Self::HeaderHash { .. } => "header-hash",
            Self::ValidatorSet { .. } => "validator-set",
            Self::SignerOrder { .. } => "signer-order",
            Self::UnknownSigner { .. } => "unknown-signer",
            Self::TooFew { .. } => "too-few",
            Self::Signature { .. } => "signature",
        }
    }
}

impl UntrustedSignedHeader {
    /// Checks the certificate against the validator set that the verifier already trusts, cheap checks first.
    ///
    /// # Errors
    /// [`CertificateError`] by variant, the first that fails.
    pub fn verify(
        self,
        chain: ChainId,
        validators: &ValidatorSet,
    ) -> Result<CertifiedHeader, CertificateError> {
        self.verify_by(&Sm2Votes, chain, validators)
    }

    /// As [`Self::verify`], with votes that are checked by `votes`.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_by(
        self,
        votes: &dyn VoteCheck,
        chain: ChainId,
        validators: &ValidatorSet,
    ) -> Result<CertifiedHeader, CertificateError> {
        let UntrustedSignedHeader { header, certificate } = &self;
        if header.version != HEADER_VERSION {
            return Err(CertificateError::Version { found: header.version });
        }
        if header.chain != chain {
            return Err(CertificateError::Chain { found: header.chain, expected: chain });
        }
        let vote = certificate.vote;
        if vote.height != header.height {
            return Err(CertificateError::Height { certificate: vote.height, header: header.height });
        }
        let hash = header.hash();
        if vote.header_hash != hash {
            return Err(CertificateError::HeaderHash { certificate: vote.header_hash, header: hash });
        }
        let known = validators.hash();
        if header.validators_hash != known {
            return Err(CertificateError::ValidatorSet { found: header.validators_hash, known });
        }
        verify_signatures_by(votes, certificate, chain, validators)?;
        Ok(CertifiedHeader { signed: self, hash })
    }
}

/// Checks that a quorum of `validators` signed the vote. Every signature must verify, so that a certificate has one
/// meaning and junk cannot ride along.
///
/// # Errors
/// [`CertificateError`] by variant.
pub fn verify_signatures(
    certificate: &UntrustedCommitCertificate,
    chain: ChainId,
    validators: &ValidatorSet,
) -> Result<(), CertificateError> {
    verify_signatures_by(&Sm2Votes, certificate, chain, validators)
}

fn verify_signatures_by(
    votes: &dyn VoteCheck,
    certificate: &UntrustedCommitCertificate,
    chain: ChainId,
    validators: &ValidatorSet,
) -> Result<(), CertificateError> {
    check_signers(certificate, validators)?;
    let message = certificate.vote.signed_bytes();
    for (signer, signature) in &certificate.signatures {
        let validator = validators.get(*signer).expect("membership was checked above");
        if !votes.is_valid(&validator.key, chain, &message, signature) {
            return Err(CertificateError::Signature { signer: *signer });
        }
    }
    Ok(())
}

/// Checks that the signers listed are a quorum of `validators`, each once: all that can be said of a certificate without
/// checking a signature.
///
/// # Errors
/// [`CertificateError::TooFew`], [`CertificateError::SignerOrder`], [`CertificateError::UnknownSigner`].
pub fn check_signers(
    certificate: &UntrustedCommitCertificate,
    validators: &ValidatorSet,
) -> Result<(), CertificateError> {
    let needed = validators.quorum().threshold();
    let found = certificate.signatures.len();
    if found < needed {
        return Err(CertificateError::TooFew { found, needed });
    }
    let mut previous: Option<ReplicaId> = None;
    for (signer, _) in &certificate.signatures {
        if previous.is_some_and(|previous| previous >= *signer) {
            return Err(CertificateError::SignerOrder { signer: *signer });
        }
        if validators.get(*signer).is_none() {
            return Err(CertificateError::UnknownSigner {
                signer: *signer,
                validators: validators.quorum().size(),
            });
        }
        previous = Some(*signer);
    }
    Ok(())
}

impl CertifiedHeader {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.signed.header
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        self.hash
    }

    /// Who signed, ascending.
    pub fn signers(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.signed.certificate.signatures.iter().map(|(signer, _)| *signer)
    }

    /// The header and certificate in the form that travels.
    #[must_use]
    pub fn as_signed(&self) -> &UntrustedSignedHeader {
        &self.signed
    }
}
