//! How a record and an emergency note are sealed: shared by the hospital that writes, the patient's wallet and the clinician
//! who reads.

use crate::calls::CardLocator;
use crate::codec::{self, DecodeError};
use crate::ids::{BlobId, Did, RecordId};
use crate::limits::RECORD_BYTES_MAX;
use alloc::string::String;
use alloc::vec::Vec;
use amulet_crypto::content::{ContentError, ContentKey, open_content, seal_content};
use amulet_crypto::digest::{Digest, Tag, sm3, tagged};
use amulet_crypto::entropy::Entropy;
use amulet_crypto::sealed_box::SealContext;
use borsh::{BorshDeserialize, BorshSerialize};

pub(crate) const COMMITMENT: Tag = Tag::new("amulet/v1/record-commitment");
const RECORD_KEY: Tag = Tag::new("amulet/v1/record-key");
const NOTE: Tag = Tag::new("amulet/v1/emergency-note");

/// Version of the plaintext format.
pub const RECORD_VERSION: u8 = 2;

/// Plaintext of a record: what the ciphertext in the vault holds.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecordPlain {
    /// [`RECORD_VERSION`].
    pub version: u8,
    /// Salt of the commitment.
    pub salt: [u8; 16],
    /// FHIR resource type.
    pub resource_type: String,
    /// FHIR id.
    pub resource_id: String,
    /// Text for a list, in the record's own words.
    pub title: String,
    /// Clinically relevant date as the record has it.
    pub date: Option<String>,
    /// The FHIR resource, byte for byte as the hospital received it.
    pub content: Vec<u8>,
    /// The record of which this is the next version: the same hospital registered it under the same type and id.
    pub replaces: Option<RecordId>,
}

impl core::fmt::Debug for RecordPlain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "RecordPlain({}, {} bytes)", self.resource_type, self.content.len())
    }
}

/// Why a record could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ciphertext is not the one that was registered.
    #[error("the ciphertext has digest {found}, registered is {registered}")]
    Blob {
        /// Computed.
        found: BlobId,
        /// Registered.
        registered: BlobId,
    },
    /// The key does not open the ciphertext.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The plaintext is of no known format.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The plaintext is not what the hospital committed to.
    #[error("the content commits to {computed}, registered is {registered}")]
    Commitment {
        /// Computed.
        computed: Digest,
        /// Registered.
        registered: Digest,
    },
}

impl RecordPlain {
    /// The salted commitment that the ledger carries.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        tagged(COMMITMENT, &[&self.salt, &self.content])
    }

    /// Encrypts the record for the vault.
    ///
    /// # Errors
    /// The content is larger than a sealed object can be.
    pub fn seal(
        &self,
        key: &ContentKey,
        id: RecordId,
        patient: Did,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, ContentError> {
        seal_content(key, &record_aad(id, patient), &codec::encode(self), entropy)
    }

    /// Opens a ciphertext and checks it against what the ledger registered.
    ///
    /// # Errors
    /// [`RecordError`] by variant.
    pub fn open(
        ciphertext: &[u8],
        key: &ContentKey,
        id: RecordId,
        patient: Did,
        registered: BlobId,
        commitment: Digest,
    ) -> Result<Self, RecordError> {
        let found = blob_id(ciphertext);
        if found != registered {
            return Err(RecordError::Blob { found, registered });
        }
        let bytes = open_content(key, &record_aad(id, patient), ciphertext)?;
        let plain: Self = codec::decode(&bytes, RECORD_BYTES_MAX)?;
        let computed = plain.commitment();
        if computed != commitment {
            return Err(RecordError::Commitment { computed, registered: commitment });
        }
        Ok(plain)
    }
}

/// Address of a ciphertext in the vaults: its SM3 digest.
#[must_use]
pub fn blob_id(ciphertext: &[u8]) -> BlobId {
    BlobId(sm3(ciphertext))
}

/// Context under which a record's key is sealed to the patient.
#[must_use]
pub fn record_key_context(id: RecordId) -> SealContext {
    SealContext::new(RECORD_KEY, &[id.as_bytes()])
}

/// Context under which an emergency note is sealed to the patient.
#[must_use]
pub fn note_context(locator: CardLocator) -> SealContext {
    SealContext::new(NOTE, &[&locator.0])
}

pub(crate) fn record_aad(id: RecordId, patient: Did) -> Vec<u8> {
    codec::encode(&(id, patient))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;

    fn fixture() -> (RecordPlain, ContentKey, RecordId, Did, Vec<u8>) {
        let mut entropy = SeededEntropy::new(1);
        let plain = RecordPlain {
            version: RECORD_VERSION,
            salt: [3; 16],
            resource_type: "Observation".into(),
            resource_id: "1".into(),
            title: "INR".into(),
            date: None,
            content: br#"{"resourceType":"Observation"}"#.to_vec(),
            replaces: Some(RecordId(sm3(b"earlier"))),
        };
        let key = ContentKey::generate(&mut entropy);
        let id = RecordId(sm3(b"id"));
        let patient = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let ciphertext = plain.seal(&key, id, patient, &mut entropy).unwrap();
        (plain, key, id, patient, ciphertext)
    }

    #[test]
    fn a_record_comes_back_byte_for_byte() {
        let (plain, key, id, patient, ciphertext) = fixture();
        let opened =
            RecordPlain::open(&ciphertext, &key, id, patient, blob_id(&ciphertext), plain.commitment())
                .unwrap();
        assert_eq!(opened, plain);
    }

    #[test]
    fn a_changed_byte_another_id_or_another_commitment_is_caught() {
        let (plain, key, id, patient, mut ciphertext) = fixture();
        let blob = blob_id(&ciphertext);
        let other = RecordId(sm3(b"other"));
        let opened = RecordPlain::open(&ciphertext, &key, other, patient, blob, plain.commitment());
        assert!(matches!(opened, Err(RecordError::Content(_))));
        let opened = RecordPlain::open(&ciphertext, &key, id, patient, blob, Digest::ZERO);
        assert!(matches!(opened, Err(RecordError::Commitment { .. })));
        ciphertext[20] ^= 1;
        let opened = RecordPlain::open(&ciphertext, &key, id, patient, blob, plain.commitment());
        assert!(matches!(opened, Err(RecordError::Blob { .. })));
    }
}
