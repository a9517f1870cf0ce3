//! The small numbers and names that every party shares. Each is its own type, so that a height cannot be passed where
//! a view is meant.

use alloc::string::String;
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_crypto::signing::{ChainTag, PublicKey};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

macro_rules! digest_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Digest);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl $name {
            /// The 32 bytes of the identifier.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }
        }
    };
}

number!(
    /// Height of a block; the genesis block has height 0. Equals the PBFT sequence number of the block.
    Height(u64)
);
number!(
    /// Number of a validator set in the order in which the sets were in force; the genesis set is that of epoch 0.
    Epoch(u64)
);
number!(
    /// PBFT view number; the primary of view `v` is replica `v mod n`. Views of different epochs never have the same
    /// number: see [`Epoch::first_view`].
    View(u64)
);
number!(
    /// Position of a validator in the validator set in force, counted from 0.
    ReplicaId(u16)
);
number!(
    /// Milliseconds since 1970-01-01T00:00:00 UTC.
    Timestamp(u64)
);
number!(
    /// Number of a transaction of one sender; each is executed at most once. The first is 1.
    Nonce(u64)
);

digest_id!(
    /// Digest of the genesis document; it names the chain, and every signature covers it.
    ChainId
);
digest_id!(
    /// Digest of a transaction, its signature left out, so that a re-signed copy keeps its identity.
    TxId
);
digest_id!(
    /// Digest of a block header.
    HeaderHash
);
digest_id!(
    /// Identity of a record: chosen by the provider at random, unlinkable to the content.
    RecordId
);
digest_id!(
    /// SM3 of a ciphertext in the vault, which is also its address there.
    BlobId
);

impl Height {
    /// The height after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The height before this one; `None` at the genesis.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// Bits of a view number that count views within an epoch; the bits above are the epoch. At a view change a second they
/// last for 136 years.
const VIEW_BITS_IN_EPOCH: u32 = 32;

impl Epoch {
    /// The view that an epoch starts in. Each epoch has a range of view numbers of its own, so that a commit vote, which
    /// names no epoch, never seems to contradict a vote of another epoch in which the same height was tried.
    #[must_use]
    pub fn first_view(self) -> View {
        View(self.0 << VIEW_BITS_IN_EPOCH)
    }

    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl View {
    /// The view after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The epoch that this view belongs to.
    #[must_use]
    pub fn epoch(self) -> Epoch {
        Epoch(self.0 >> VIEW_BITS_IN_EPOCH)
    }

    /// The view's number within its epoch, counted from 0: for people.
    #[must_use]
    pub fn number_in_epoch(self) -> u64 {
        self.0 & ((1 << VIEW_BITS_IN_EPOCH) - 1)
    }
}

impl Timestamp {
    /// This time plus `millis` milliseconds, saturating at the end of time.
    #[must_use]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Whole milliseconds from `earlier` to this time; zero if `earlier` is later.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl ChainId {
    /// The form in which signatures cover the chain.
    #[must_use]
    pub fn tag(&self) -> ChainTag {
        self.0.into()
    }
}

/// Number of key-digest bytes in a DID.
pub const DID_BYTES: usize = 20;
/// What every Amulet DID starts with.
pub const DID_PREFIX: &str = "did:amulet:";

/// `did:amulet:<base58 of the first 20 bytes of SM3(signing key)>`: a W3C DID that certifies its own first key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Did([u8; DID_BYTES]);

impl Did {
    /// The DID whose first signing key is `key`.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Self {
        let mut bytes = [0; DID_BYTES];
        bytes.copy_from_slice(&key.fingerprint().as_bytes()[..DID_BYTES]);
        Self(bytes)
    }

    /// The 20 bytes of the method-specific part.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; DID_BYTES] {
        &self.0
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DID_PREFIX}{}", bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not an Amulet DID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// The text does not start with `did:amulet:`.
    #[error("an Amulet identity starts with {DID_PREFIX}")]
    Prefix,
    /// The part after the prefix is not base58.
    #[error("the identity holds a character that does not belong there")]
    Base58,
    /// The decoded part has the wrong length.
    #[error("the identity has {found} bytes instead of {DID_BYTES}")]
    Length {
        /// Bytes found after decoding.
        found: usize,
    },
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let encoded = text.trim().strip_prefix(DID_PREFIX).ok_or(DidError::Prefix)?;
        let mut bytes = [0; DID_BYTES];
        match bs58::decode(encoded).onto(&mut bytes[..]) {
            Ok(DID_BYTES) => Ok(Self(bytes)),
            Ok(found) => Err(DidError::Length { found }),
            Err(bs58::decode::Error::BufferTooSmall) => {
                Err(DidError::Length { found: encoded.len() * 3 / 4 })
            }
            Err(_) => Err(DidError::Base58),
        }
    }
}

impl Serialize for Did {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Did {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Digest of a borsh-encoded value under a domain tag: how everything on the ledger is hashed.
#[must_use]
pub fn digest_of<T: BorshSerialize>(tag: Tag, value: &T) -> Digest {
    let bytes = borsh::to_vec(value).expect("encoding into memory does not fail");
    tagged(tag, &[&bytes])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_did_survives_its_text_form() {
        let did = Did([7; DID_BYTES]);
        assert_eq!(did.to_string().parse::<Did>().unwrap(), did);
    }

    #[test]
    fn texts_that_are_no_did_are_told_apart() {
        assert_eq!("did:web:x".parse::<Did>(), Err(DidError::Prefix));
        assert_eq!("did:amulet:0OIl".parse::<Did>(), Err(DidError::Base58));
        assert_eq!("did:amulet:3yZe7d".parse::<Did>(), Err(DidError::Length { found: 4 }));
    }
}
