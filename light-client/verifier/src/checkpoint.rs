//! A start besides the genesis: a header that a person pins by comparing its digest with another device's.

use alloc::string::String;
use amulet_crypto::digest::{Digest, Tag};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, digest_of};
use amulet_protocol::validators::ValidatorSet;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::str::FromStr;

const TAG: Tag = Tag::new("amulet/v1/checkpoint");

/// What begins the text form of a pin.
const TEXT_PREFIX: &str = "amulet-checkpoint:1";
/// Longest text read as a pin, in bytes: prefix, two digests, the longest height and what separates them.
const TEXT_BYTES_MAX: usize = 192;

/// Names one header of one chain: what a person compares, by [`Pin::digest`] or by having one device read it off another.
///
/// The header's hash covers the hashes of the sets that certify it and the block after it, so a pin names these too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pin {
    /// The chain.
    pub chain: ChainId,
    /// Height of the header.
    pub height: Height,
    /// Its hash.
    pub header: HeaderHash,
}

/// A pinned header with the set that certifies the block after it: what a [`Verifier`](crate::Verifier) can start from.
/// Only [`Checkpoint::from_pinned`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    header: Header,
    next: ValidatorSet,
    /// The set that certifies the header itself, if that ends an epoch and the set was given.
    own: Option<ValidatorSet>,
}

/// Why a header and a set are not the checkpoint that was pinned; each variant carries what was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The header is of another chain.
    #[error("the checkpoint is of chain {found}, not {expected}")]
    Chain {
        /// Found.
        found: ChainId,
        /// Pinned.
        expected: ChainId,
    },
    /// The header is of another height.
    #[error("the header is that of height {found}, pinned is {expected}")]
    Height {
        /// Found.
        found: Height,
        /// Pinned.
        expected: Height,
    },
    /// The header is another.
    #[error("the header has hash {found}, pinned is {expected}")]
    Header {
        /// Computed.
        found: HeaderHash,
        /// Pinned.
        expected: HeaderHash,
    },
    /// The set is not the one that the header names for itself or for the block after it.
    #[error("the set given has hash {found}, the header names {named}")]
    OtherSet {
        /// Computed.
        found: Digest,
        /// In the header.
        named: Digest,
    },
}

/// Why a text is not that of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not that of a checkpoint")]
pub struct PinTextError;

impl Pin {
    /// The pin of a header.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self { chain: header.chain, height: header.height, header: header.hash() }
    }

    /// Digest of the pin: what words for people are made of.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_of(TAG, self)
    }
}

/// The text that one device shows as a QR code and another reads.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TEXT_PREFIX}:{}:{}:{}", self.chain, self.height, self.header)
    }
}

impl FromStr for Pin {
    type Err = PinTextError;

    fn from_str(text: &str) -> Result<Self, PinTextError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(PinTextError);
        }
        let rest = text.trim().strip_prefix(TEXT_PREFIX).and_then(|rest| rest.strip_prefix(':'));
        let mut parts = rest.ok_or(PinTextError)?.split(':');
        let mut part = || parts.next().ok_or(PinTextError);
        let chain = ChainId(part()?.parse().map_err(|_| PinTextError)?);
        let height = Height(part()?.parse().map_err(|_| PinTextError)?);
        let header = HeaderHash(part()?.parse().map_err(|_| PinTextError)?);
        let pin = Self { chain, height, header };
        // One pin has one text: "+7" and "007" are numbers too.
        let only: String = alloc::format!("{pin}");
        if only == text.trim() { Ok(pin) } else { Err(PinTextError) }
    }
}

impl Checkpoint {
    /// Takes a header and a set that anybody may have given, if they are what a person pinned.
    ///
    /// # Errors
    /// [`CheckpointError`] by variant.
    pub fn from_pinned(pin: &Pin, header: Header, next: ValidatorSet) -> Result<Self, CheckpointError> {
        if header.chain != pin.chain {
            return Err(CheckpointError::Chain { found: header.chain, expected: pin.chain });
        }
        if header.height != pin.height {
            return Err(CheckpointError::Height { found: header.height, expected: pin.height });
        }
        let found = header.hash();
        if found != pin.header {
            return Err(CheckpointError::Header { found, expected: pin.header });
        }
        let (found, named) = (next.hash(), header.next_validators_hash);
        if found != named {
            return Err(CheckpointError::OtherSet { found, named });
        }
        Ok(Self { header, next, own: None })
    }

    /// Adds the set that certifies the header itself, which anybody may have given. Only one that [ends an
    /// epoch](Self::ends_epoch) has use for it: without, nothing can be checked of the header but that it was pinned, and whoever
    /// starts from it while it is the newest has to wait for the next block.
    ///
    /// # Errors
    /// [`CheckpointError::OtherSet`].
    pub fn with_own(self, own: ValidatorSet) -> Result<Self, CheckpointError> {
        let (found, named) = (own.hash(), self.header.validators_hash);
        if found != named {
            return Err(CheckpointError::OtherSet { found, named });
        }
        Ok(Self { own: self.ends_epoch().then_some(own), ..self })
    }

    /// Whether another set certifies the block after it than the header itself.
    #[must_use]
    pub fn ends_epoch(&self) -> bool {
        self.header.next_validators_hash != self.header.validators_hash
    }

    /// The pin.
    #[must_use]
    pub fn pin(&self) -> Pin {
        Pin::of(&self.header)
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The set that certifies the block after it.
    #[must_use]
    pub fn next(&self) -> &ValidatorSet {
        &self.next
    }

    /// The set that certifies the header itself, if that is another and was given.
    #[must_use]
    pub fn own(&self) -> Option<&ValidatorSet> {
        self.own.as_ref()
    }

    /// The epoch of the block after it.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        let own = self.header.view.epoch();
        if self.ends_epoch() { own.next() } else { own }
    }
}
