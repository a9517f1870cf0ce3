//! Two certified headers that exclude each other: what a light client proves a fork by, and what can be concluded.

use crate::certificate::{CertificateError, CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use crate::consensus::Signed;
use crate::evidence::Evidence;
use crate::header::Header;
use crate::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId};
use crate::validators::ValidatorSet;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of a fork: two headers with certificates of 100 signatures have about 16,000.
pub const FORK_BYTES_MAX: usize = 64 * 1024;

/// Two headers that are said to be certified and to exclude each other. Nothing about them has been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedFork {
    /// The lower of the two; of two at one height, whichever.
    pub lower: UntrustedSignedHeader,
    /// The other, at the same height or one higher.
    pub upper: UntrustedSignedHeader,
}

/// Why two headers prove no fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// They are of chains that are not this one.
    #[error("a header is of chain {found}, not {expected}")]
    Chain {
        /// Found.
        found: ChainId,
        /// Expected.
        expected: ChainId,
    },
    /// Both can be of one chain, as far as can be seen of them.
    #[error("header {lower} at height {} and header {upper} at height {} can be of one chain", heights.0, heights.1)]
    Compatible {
        /// Hash of the lower.
        lower: HeaderHash,
        /// Hash of the upper.
        upper: HeaderHash,
        /// Their heights.
        heights: (Height, Height),
    },
    /// The epoch of a header never was.
    #[error("there is no epoch {epoch}")]
    Epoch {
        /// Named.
        epoch: Epoch,
    },
    /// A certificate is bad.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl UntrustedFork {
    /// A fork of these two, in the order of their heights, and of their hashes at one height: the same two make the same
    /// fork, whichever came first.
    #[must_use]
    pub fn new(one: UntrustedSignedHeader, other: UntrustedSignedHeader) -> Self {
        let place = |side: &UntrustedSignedHeader| (side.header.height, side.header.hash());
        if place(&one) <= place(&other) {
            Self { lower: one, upper: other }
        } else {
            Self { lower: other, upper: one }
        }
    }

    /// Both headers.
    #[must_use]
    pub fn sides(&self) -> [&UntrustedSignedHeader; 2] {
        [&self.lower, &self.upper]
    }

    /// The hashes of both, by which a fork is told from another.
    #[must_use]
    pub fn hashes(&self) -> [HeaderHash; 2] {
        self.sides().map(|side| side.header.hash())
    }

    /// Checks, without a signature, that two headers of this chain exclude each other: they are at one height and
    /// differ, or the one that is one higher does not follow the other.
    ///
    /// # Errors
    /// [`ForkError::Chain`], [`ForkError::Compatible`].
    pub fn excludes(&self, chain: ChainId) -> Result<(), ForkError> {
        for side in self.sides() {
            let found = side.header.chain;
            if found != chain {
                return Err(ForkError::Chain { found, expected: chain });
            }
        }
        let [lower, upper] = self.hashes();
        let heights = (self.lower.header.height, self.upper.header.height);
        let apart = heights.0 == heights.1 && lower != upper;
        let next = heights.1 == heights.0.next();
        if apart || (next && !follows(&self.upper.header, &self.lower.header, lower)) {
            return Ok(());
        }
        Err(ForkError::Compatible { lower, upper, heights })
    }
}

/// Checks one certificate by the validator set of the epoch that its votes were cast in.
///
/// # Errors
/// [`ForkError::Epoch`], [`ForkError::Certificate`].
pub fn verify_side(
    side: &UntrustedSignedHeader,
    chain: ChainId,
    set_of: impl Fn(Epoch) -> Option<ValidatorSet>,
) -> Result<(), ForkError> {
    let epoch = side.certificate.vote.view.epoch();
    let validators = set_of(epoch).ok_or(ForkError::Epoch { epoch })?;
    side.clone().verify(chain, &validators)?;
    Ok(())
}

/// What two certificates prove against those who signed both: if they are of one view and height and for two blocks, each of
/// them voted to commit both. Two of different views prove nothing against any one of them (amnesia): a validator may
/// honestly vote in a later view for another block than before, if it was shown that the first cannot have been committed.
#[must_use]
pub fn contradictions(one: &UntrustedCommitCertificate, other: &UntrustedCommitCertificate) -> Vec<Evidence> {
    let place = |vote: &CommitVote| (vote.height, vote.view);
    if place(&one.vote) != place(&other.vote) || one.vote == other.vote {
        return Vec::new();
    }
    let signed = |certificate: &UntrustedCommitCertificate, of: ReplicaId| {
        let found = certificate.signatures.iter().find(|(signer, _)| *signer == of);
        found.map(|(sender, signature)| Signed {
            sender: *sender,
            content: certificate.vote,
            signature: *signature,
        })
    };
    let both = one
        .signatures
        .iter()
        .filter_map(|(signer, _)| Some(Evidence::Commits(signed(one, *signer)?, signed(other, *signer)?)));
    both.collect()
}

fn follows(upper: &Header, lower: &Header, lower_hash: HeaderHash) -> bool {
    upper.previous == lower_hash && upper.time > lower.time
}
