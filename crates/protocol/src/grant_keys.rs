//! How the keys of records travel to a reader: with a grant, with new records under a standing grant, and from an organisation
//! to one of its staff.

use crate::calls::{GrantId, RegisterRecords, RequestId};
use crate::codec::{self, DecodeError};
use crate::consent::Purpose;
use crate::grantee::Grantee;
use crate::ids::{Did, RecordId, TxId};
use crate::limits::GRANT_ENVELOPE_BYTES_MAX;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use amulet_crypto::content::{CONTENT_KEY_BYTES, ContentError, ContentKey, open_content, seal_content};
use amulet_crypto::digest::Tag;
use amulet_crypto::entropy::Entropy;
use amulet_crypto::sealed_box::{AgreementKey, AgreementPublicKey, SealContext, SealError, SealedBox};
use borsh::{BorshDeserialize, BorshSerialize};

const GRANT_KEY: Tag = Tag::new("amulet/v1/grant-key");

/// Record keys on their way to one reader: encrypted under a key of their own, which is sealed to the reader.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SealedKeys {
    /// The SM4 key, sealed to the reader's agreement key.
    pub sealed_key: SealedBox,
    /// The records' keys, encrypted under it.
    pub envelope: Vec<u8>,
}

/// What sealed keys are for: they open for nothing else, so they cannot be moved to another grant or reader.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum KeyBinding {
    /// A patient's grant.
    Grant {
        /// Who grants.
        patient: Did,
        /// Who may read.
        grantee: Grantee,
        /// What for.
        purpose: Purpose,
        /// The request that is answered.
        request: Option<RequestId>,
    },
    /// New records under a standing grant.
    Flow {
        /// The grant.
        grant: GrantId,
        /// Who registers them.
        provider: Did,
    },
    /// What an organisation passes on to one of its staff, for one committed use.
    Handover {
        /// The grant.
        grant: GrantId,
        /// The use.
        used_by: TxId,
        /// Who reads.
        reader: Did,
    },
}

/// Why keys could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealKeysError {
    /// Too many.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The reader's key cannot be sealed to.
    #[error(transparent)]
    Box(#[from] SealError),
}

/// Why sealed keys do not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeysError {
    /// They are not sealed to this key, or not for this.
    #[error(transparent)]
    Box(#[from] SealError),
    /// What is in the box is no SM4 key.
    #[error("the box holds {found} bytes, a key has {CONTENT_KEY_BYTES}")]
    KeyLength {
        /// Found.
        found: usize,
    },
    /// The envelope does not open.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// What is in the envelope is no list of keys.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The record keys that a grant hands over; lives only between opening and use.
pub struct GrantKeys(BTreeMap<RecordId, ContentKey>);

impl GrantKeys {
    /// Keys of these records.
    #[must_use]
    pub fn new(keys: Vec<(RecordId, ContentKey)>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The key of a record.
    #[must_use]
    pub fn get(&self, id: RecordId) -> Option<&ContentKey> {
        self.0.get(&id)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the keys of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Only the keys of these records, which ascend.
    #[must_use]
    pub fn only(mut self, records: &[RecordId]) -> Self {
        self.0.retain(|id, _| records.binary_search(id).is_ok());
        self
    }

    /// Encrypts the keys under a fresh key, and that one to a reader.
    ///
    /// # Errors
    /// More keys than an envelope can hold.
    pub fn seal(
        &self,
        to: &AgreementPublicKey,
        binding: &KeyBinding,
        entropy: &mut impl Entropy,
    ) -> Result<SealedKeys, SealKeysError> {
        let list: Vec<(RecordId, [u8; CONTENT_KEY_BYTES])> =
            self.0.iter().map(|(id, key)| (*id, *key.expose_secret())).collect();
        let plain = zeroize::Zeroizing::new(codec::encode(&list));
        let key = ContentKey::generate(entropy);
        let envelope = seal_content(&key, &codec::encode(binding), &plain, entropy)?;
        let sealed_key = SealedBox::seal(to, &binding.context(), &*key.expose_secret(), entropy)?;
        Ok(SealedKeys { sealed_key, envelope })
    }
}

impl SealedKeys {
    /// Opens them as their reader.
    ///
    /// # Errors
    /// [`OpenKeysError`] by variant.
    pub fn open(&self, key: &AgreementKey, binding: &KeyBinding) -> Result<GrantKeys, OpenKeysError> {
        let secret = self.sealed_key.open(key, &binding.context())?;
        let bytes = <[u8; CONTENT_KEY_BYTES]>::try_from(&secret[..]);
        let key =
            ContentKey::from_bytes(&bytes.map_err(|_| OpenKeysError::KeyLength { found: secret.len() })?);
        let plain = open_content(&key, &codec::encode(binding), &self.envelope)?;
        let list: Vec<(RecordId, [u8; CONTENT_KEY_BYTES])> = codec::decode(&plain, GRANT_ENVELOPE_BYTES_MAX)?;
        Ok(GrantKeys(list.into_iter().map(|(id, key)| (id, ContentKey::from_bytes(&key))).collect()))
    }
}

impl RegisterRecords {
    /// Opens what `provider` sealed to the reader of a grant when it registered these records; `None` if that is nothing. Keys of
    /// any other records are left out: they would take the place of what another hospital or the patient sealed.
    #[must_use]
    pub fn open_flow(
        &self,
        grant: GrantId,
        provider: Did,
        key: &AgreementKey,
    ) -> Option<Result<GrantKeys, OpenKeysError>> {
        let flow = self.flows.iter().find(|flow| flow.grant == grant)?;
        let mut registered: Vec<RecordId> = self.records.iter().map(|entry| entry.id).collect();
        registered.sort_unstable();
        let opened = flow.keys.open(key, &KeyBinding::Flow { grant, provider });
        Some(opened.map(|keys| keys.only(&registered)))
    }
}

impl KeyBinding {
    fn context(&self) -> SealContext {
        SealContext::new(GRANT_KEY, &[&codec::encode(self)])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;

    #[test]
    fn keys_open_only_for_their_reader_and_what_they_were_sealed_for() {
        let mut entropy = SeededEntropy::new(2);
        let reader = AgreementKey::generate(&mut entropy);
        let did = |seed| Did::of_key(SigningKey::generate(&mut SeededEntropy::new(seed)).public_key());
        let grant = |grantee: u64, purpose, request: Option<&[u8]>| KeyBinding::Grant {
            patient: did(1),
            grantee: Grantee::Person(did(grantee)),
            purpose,
            request: request.map(|request| RequestId(TxId(sm3(request)))),
        };
        let binding = grant(2, Purpose::Treatment, None);
        let [id, other] = [RecordId(sm3(b"a")), RecordId(sm3(b"b"))];
        let key = || ContentKey::from_bytes(&[7; CONTENT_KEY_BYTES]);
        let keys = GrantKeys::new(vec![(id, key()), (other, key())]);
        let sealed = keys.seal(reader.public_key(), &binding, &mut entropy).unwrap();
        let opened = sealed.open(&reader, &binding).unwrap();
        assert_eq!(opened.get(id).unwrap().expose_secret(), key().expose_secret());
        let part = opened.only(&[other]);
        assert!(part.get(id).is_none() && part.get(other).is_some());
        for wrong in [
            grant(3, Purpose::Treatment, None),
            grant(2, Purpose::Research, None),
            grant(2, Purpose::Treatment, Some(b"request")),
            KeyBinding::Flow { grant: GrantId(TxId(sm3(b"grant"))), provider: did(2) },
        ] {
            assert!(matches!(sealed.open(&reader, &wrong), Err(OpenKeysError::Box(_))), "{wrong:?}");
        }
        let stranger = AgreementKey::generate(&mut entropy);
        assert!(matches!(sealed.open(&stranger, &binding), Err(OpenKeysError::Box(_))));
        let mut damaged = sealed.clone();
        damaged.envelope[20] ^= 1;
        assert!(matches!(damaged.open(&reader, &binding), Err(OpenKeysError::Content(_))));
    }
}
