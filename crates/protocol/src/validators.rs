//! The membership that signs blocks.

use crate::ids::{Did, ReplicaId, View, digest_of};
use crate::quorum::Quorum;
use alloc::string::ToString;
use alloc::vec::Vec;
use amulet_crypto::digest::{Digest, Tag};
use amulet_crypto::signing::PublicKey;
use borsh::{BorshDeserialize, BorshSerialize};

const TAG: Tag = Tag::new("amulet/v1/validator-set");

/// Bytes of an encoded libp2p peer identity (an Ed25519 key in identity multihash form is 38).
pub const PEER_ID_BYTES_MAX: usize = 64;

/// One member of the consortium's validator set.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Validator {
    /// The organisation that runs it.
    pub organisation: Did,
    /// Key that signs consensus messages.
    pub key: PublicKey,
    /// libp2p identity, bound to the key by the document that holds both.
    pub peer_id: Vec<u8>,
}

/// The validators in force, in the order that gives each its [`ReplicaId`]. It knows its digest, so that a header is
/// compared with it and not hashed against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    members: Vec<Validator>,
    quorum: Quorum,
    hash: Digest,
}

/// Why a list of validators is no validator set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// Too few or too many members.
    #[error("a validator set has 4 to 100 members, not {found}")]
    Size {
        /// Members given.
        found: usize,
    },
    /// Two members share a key, so one party would count twice.
    #[error("validators {first} and {second} have the same key")]
    DuplicateKey {
        /// The first of the two.
        first: ReplicaId,
        /// The second.
        second: ReplicaId,
    },
    /// A peer identity is too long.
    #[error("validator {replica} has a peer identity of {found} bytes")]
    PeerId {
        /// Whose.
        replica: ReplicaId,
        /// Bytes found.
        found: usize,
    },
}

impl ValidatorSet {
    /// A set of these members.
    ///
    /// # Errors
    /// [`ValidatorSetError`] by variant.
    pub fn new(members: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        let quorum =
            Quorum::for_size(members.len()).ok_or(ValidatorSetError::Size { found: members.len() })?;
        for (second, member) in members.iter().enumerate() {
            if member.peer_id.len() > PEER_ID_BYTES_MAX {
                return Err(ValidatorSetError::PeerId { replica: id(second), found: member.peer_id.len() });
            }
            if let Some(first) = members[..second].iter().position(|other| other.key == member.key) {
                return Err(ValidatorSetError::DuplicateKey { first: id(first), second: id(second) });
            }
        }
        let hash = digest_of(TAG, &members);
        Ok(Self { members, quorum, hash })
    }

    /// Members in order of their [`ReplicaId`].
    #[must_use]
    pub fn members(&self) -> &[Validator] {
        &self.members
    }

    /// The member with this id.
    #[must_use]
    pub fn get(&self, replica: ReplicaId) -> Option<&Validator> {
        self.members.get(usize::from(replica.0))
    }

    /// The id of the member with this key.
    #[must_use]
    pub fn find(&self, key: &PublicKey) -> Option<ReplicaId> {
        self.members.iter().position(|member| member.key == *key).map(id)
    }

    /// The quorum rule for this size.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// The primary of `view`: replica `view mod n`.
    #[must_use]
    pub fn primary(&self, view: View) -> ReplicaId {
        let n = self.members.len() as u64;
        id(usize::try_from(view.0 % n).expect("less than the set's size"))
    }

    /// Digest of the set, as headers carry it.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

fn id(index: usize) -> ReplicaId {
    ReplicaId(u16::try_from(index).expect("a validator set has at most 100 members"))
}

impl BorshSerialize for ValidatorSet {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        self.members.serialize(writer)
    }
}

impl BorshDeserialize for ValidatorSet {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let members = Vec::deserialize_reader(reader)?;
        Self::new(members)
            .map_err(|error| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, error.to_string()))
    }
}
