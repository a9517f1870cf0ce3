//! The bytes of what is kept: version, digest over the slot's name and the content, content.

use super::{Slot, StoreError};
use amulet_crypto::digest::{DIGEST_BYTES, Digest, Tag, tagged};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec;
use amulet_protocol::fork::{FORK_BYTES_MAX, UntrustedFork};
use amulet_protocol::ids::{Did, Height, Timestamp};
use amulet_protocol::light::{ForkFinding, UntrustedStep};
use amulet_protocol::limits::{ADDRESS_BYTES_MAX, ADDRESSES_PER_ORGANISATION_MAX};
use amulet_protocol::quorum::VALIDATORS_MAX;
use amulet_protocol::validators::PEER_ID_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

const TAG: Tag = Tag::new("amulet/v1/light-store");
/// The format that this program writes and reads.
pub const VERSION: u16 = 4;
const VERSION_BYTES: usize = 2;

/// Bytes of a stored header with the trail of steps that leads to it. A header with a certificate of 4 signatures and a set
/// of 4 have about 1,000 bytes, of 100 about 20,000: room for 1,000 epochs of the ones, or 50 of the others. A longer
/// trail is not kept, and is followed anew after a restart.
pub const STORED_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of what an unfinished sync has reached: as many epochs as the finished one may keep.
pub const PROGRESS_BYTES_MAX: usize = STORED_BYTES_MAX;
/// Bytes of one proven header: with a certificate of 100 signatures it has about 8,000.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Forks kept. One says all there is to say about a consortium, and a few more show whether it went on.
pub const FORKS_KEPT_MAX: usize = 4;
/// Bytes of all forks, each with an answer of every hospital, which has 25.
pub const FORKS_BYTES_MAX: usize = FORKS_KEPT_MAX * (FORK_BYTES_MAX + 8 * 1024);

/// Bytes of where the nodes are: 100 validators' identities and as many addresses of each organisation as it may publish.
pub const NODES_BYTES_MAX: usize =
    VALIDATORS_MAX * (128 + PEER_ID_BYTES_MAX + ADDRESSES_PER_ORGANISATION_MAX * (ADDRESS_BYTES_MAX + 4));

/// A header as the store gave it back: nothing about it is believed before it is verified again.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredHeader {
    /// The header with its certificate.
    pub signed: UntrustedSignedHeader,
    /// When hospitals last agreed that it was the newest.
    pub checked_at: Timestamp,
    /// The steps along the validator sets, from what the client starts from to the header's.
    pub trail: Vec<UntrustedStep>,
}

/// How far an unfinished sync had come: nothing about it is believed before it is verified again, and even then it counts
/// only with the head that it leads to.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredProgress {
    /// Height of the header that the validator sets known when the sync began rest on.
    pub from: Height,
    /// The steps taken since.
    pub trail: Vec<UntrustedStep>,
}

/// Where the ledger said that the validators' nodes are. It is taken for no more than that: an organisation that does not
/// validate by the headers that are verified again, or an identity that is not one of its own, is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredNodes {
    /// The validators' organisations and peer identities when this was read.
    pub roster: BTreeSet<(Did, Vec<u8>)>,
    /// When that was.
    pub looked_at: Timestamp,
    /// What the organisations had published.
    pub published: BTreeMap<Did, StoredAddresses>,
}

/// What an organisation had published.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredAddresses {
    /// The addresses.
    pub addresses: Vec<String>,
    /// First moment at which they no longer count: what is there later may be somebody else's.
    pub valid_until: Timestamp,
}

/// Two certified headers that exclude each other, as this client found them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredFork {
    /// The headers.
    pub fork: UntrustedFork,
    /// When, by this device's clock.
    pub found_at: Timestamp,
    /// The organisations that answered to it, each once.
    pub told: Vec<(Did, Told)>,
}

/// What a hospital said to a fork that it was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Told {
    /// It checked it and found it to be one.
    Found(ForkFinding),
    /// It says that it is none.
    Denied,
}

/// Version, digest, content.
pub(super) fn seal(slot: Slot, content: &impl BorshSerialize) -> Vec<u8> {
    let content = codec::encode(content);
    let mut bytes = VERSION.to_be_bytes().to_vec();
    bytes.extend_from_slice(digest(slot, &content).as_bytes());
    bytes.extend_from_slice(&content);
    bytes
}

/// Reads what [`seal`] wrote for the same slot, if its content has at most `limit` bytes.
pub(super) fn open<T: BorshDeserialize>(slot: Slot, bytes: &[u8], limit: usize) -> Result<T, StoreError> {
    let (version, rest) = bytes.split_first_chunk::<VERSION_BYTES>().ok_or(StoreError::Corrupt)?;
    let found = u16::from_be_bytes(*version);
    if found != VERSION {
        return Err(StoreError::Version { found, expected: VERSION });
    }
    let (stored, content) = rest.split_first_chunk::<DIGEST_BYTES>().ok_or(StoreError::Corrupt)?;
    if content.len() > limit || digest(slot, content).as_bytes() != stored {
        return Err(StoreError::Corrupt);
    }
    codec::decode(content, limit).map_err(|_| StoreError::Corrupt)
}

fn digest(slot: Slot, content: &[u8]) -> Digest {
    tagged(TAG, &[slot.name().as_bytes(), content])
}
