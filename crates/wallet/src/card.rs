//! The emergency card: the secret in its code, the signed facts that anyone can read, and the encrypted summary.

use amulet_crypto::content::{CONTENT_KEY_BYTES, ContentError, ContentKey, open_content, seal_content};
use amulet_crypto::entropy::Entropy;
use amulet_crypto::kdf::hkdf_sm3;
use amulet_crypto::signing::{PublicKey, Signature, SigningContext, SigningKey};
use amulet_fhir::summary::{EmergencySummary, SummaryOutOfBounds};
use amulet_protocol::calls::CardLocator;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::ids::{BlobId, ChainId, Timestamp};
use amulet_protocol::limits::UPLOAD_BYTES_MAX;
use amulet_protocol::record::blob_id;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of the secret in a card's code: 96 bits.
pub const CARD_SECRET_BYTES: usize = 12;
/// Bytes of text of one fact.
pub const FACT_BYTES_MAX: usize = 60;
/// Bytes of text of all facts: with keys and signature they make a QR code of version 18, which a phone reads from paper.
pub const FACTS_BYTES_MAX: usize = 300;
/// Facts on one card.
pub const FACTS_MAX: usize = 16;
/// Version of the summary's plaintext.
pub const SUMMARY_VERSION: u8 = 1;

const SUMMARY_INFO: &[u8] = b"amulet/v1/card-summary";

/// The secret K of a card. Whoever has it and the ciphertext can read the summary. Wiped on drop, redacted.
pub struct CardSecret(Zeroizing<[u8; CARD_SECRET_BYTES]>);

impl CardSecret {
    /// Takes these bytes as a secret.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; CARD_SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes: only for the card's code, which is meant to hold them.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; CARD_SECRET_BYTES]> {
        self.0.clone()
    }

    /// Key of the summary of the card at `locator` on `chain`.
    #[must_use]
    pub fn summary_key(&self, locator: CardLocator, chain: ChainId) -> ContentKey {
        let salt = [&locator.0[..], chain.as_bytes()].concat();
        let mut key = Zeroizing::new([0; CONTENT_KEY_BYTES]);
        hkdf_sm3(&*self.0, &salt, SUMMARY_INFO, &mut *key);
        ContentKey::from_bytes(&key)
    }
}

impl fmt::Debug for CardSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardSecret(…)")
    }
}

/// Kinds of facts on a card. Encoded by position: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum FactKind {
    /// Name.
    Name,
    /// Year of birth.
    BirthYear,
    /// Blood group.
    BloodGroup,
    /// An allergy, or the statement that none are known.
    Allergy,
    /// A medicine.
    Medicine,
    /// A condition.
    Condition,
    /// A device.
    Device,
    /// Somebody to call.
    Contact,
}

/// A fact on a card.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Fact {
    /// Kind.
    pub kind: FactKind,
    /// Text, at most [`FACT_BYTES_MAX`] bytes.
    pub text: String,
}

/// Why facts do not go on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Too many.
    #[error("{found} facts, a card takes {FACTS_MAX}")]
    TooMany {
        /// Facts given.
        found: usize,
    },
    /// One has no text.
    #[error("fact {index} is empty")]
    Empty {
        /// Which, from 0.
        index: usize,
    },
    /// One is too long.
    #[error("fact {index} has {found} bytes, at most {FACT_BYTES_MAX} fit")]
    TooLong {
        /// Which, from 0.
        index: usize,
        /// Bytes found.
        found: usize,
    },
    /// All together are too long.
    #[error("the facts have {found} bytes, at most {FACTS_BYTES_MAX} fit into the code")]
    TooLongTogether {
        /// Bytes found.
        found: usize,
    },
}

/// Checks facts against the bounds of a card.
///
/// # Errors
/// [`FactsError`] by variant.
pub fn check_facts(facts: &[Fact]) -> Result<(), FactsError> {
    if facts.len() > FACTS_MAX {
        return Err(FactsError::TooMany { found: facts.len() });
    }
    for (index, fact) in facts.iter().enumerate() {
        if fact.text.trim().is_empty() {
            return Err(FactsError::Empty { index });
        }
        if fact.text.len() > FACT_BYTES_MAX {
            return Err(FactsError::TooLong { index, found: fact.text.len() });
        }
    }
    let found = facts.iter().map(|fact| fact.text.len()).sum();
    if found > FACTS_BYTES_MAX { Err(FactsError::TooLongTogether { found }) } else { Ok(()) }
}

/// Signs the facts of a card with its owner's key.
#[must_use]
pub fn sign_facts(key: &SigningKey, locator: CardLocator, facts: &[Fact], chain: ChainId) -> Signature {
    key.sign(SigningContext::OfflineFacts, &chain.tag(), &codec::encode(&(locator, facts)))
}

/// Whether the facts bear the signature of the key on the card.
#[must_use]
pub fn facts_are_signed(
    owner: &PublicKey,
    locator: CardLocator,
    facts: &[Fact],
    chain: ChainId,
    signature: &Signature,
) -> bool {
    let message = codec::encode(&(locator, facts));
    owner.verify(SigningContext::OfflineFacts, &chain.tag(), &message, signature).is_ok()
}

/// Sections that a patient can leave out of the summary. Encoded by position: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[allow(missing_docs, reason = "the names are what they mean")]
pub enum SummaryPart {
    Allergies,
    BloodGroup,
    Medicines,
    Conditions,
    Devices,
    Immunizations,
    Contacts,
}

/// Plaintext of the summary behind a card.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CardSummary {
    /// [`SUMMARY_VERSION`].
    pub version: u8,
    /// When the wallet made it.
    pub made_at: Timestamp,
    /// The owner's name, as they wrote it.
    pub name: String,
    /// The facts on the card, so that a restored wallet can show it again.
    pub facts: Vec<Fact>,
    /// Parts the patient left out, ascending.
    pub left_out: Vec<SummaryPart>,
    /// The summary; parts left out are empty in it.
    pub summary: EmergencySummary,
}

/// Why a summary could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The ciphertext is not the one on the ledger.
    #[error("the summary has digest {found}, registered is {registered}")]
    Blob {
        /// Computed.
        found: BlobId,
        /// On the ledger.
        registered: BlobId,
    },
    /// The card's secret does not open it.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The plaintext is no summary.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A format this version does not know.
    #[error("summary version {found} is not {SUMMARY_VERSION}")]
    Version {
        /// Found.
        found: u8,
    },
    /// A list in it is longer than any that a wallet makes.
    #[error(transparent)]
    Bounds(#[from] SummaryOutOfBounds),
}

impl CardSummary {
    /// Encrypts the summary for the vault.
    ///
    /// # Errors
    /// [`ContentError::TooLong`] when it does not fit into an upload.
    pub fn seal(
        &self,
        key: &ContentKey,
        locator: CardLocator,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, ContentError> {
        let plain = Zeroizing::new(codec::encode(self));
        let sealed = seal_content(key, &locator.0, &plain, entropy)?;
        if sealed.len() > UPLOAD_BYTES_MAX {
            return Err(ContentError::TooLong { found: sealed.len() as u64, max: UPLOAD_BYTES_MAX as u64 });
        }
        Ok(sealed)
    }

    /// Opens a ciphertext and checks that it is the one on the ledger, and its bounds.
    ///
    /// # Errors
    /// [`SummaryError`] by variant.
    pub fn open(
        ciphertext: &[u8],
        key: &ContentKey,
        locator: CardLocator,
        registered: BlobId,
    ) -> Result<Self, SummaryError> {
        let found = blob_id(ciphertext);
        if found != registered {
            return Err(SummaryError::Blob { found, registered });
        }
        let plain = open_content(key, &locator.0, ciphertext)?;
        if let Some(found) = plain.first().copied().filter(|version| *version != SUMMARY_VERSION) {
            return Err(SummaryError::Version { found });
        }
        let summary: Self = codec::decode(&plain, UPLOAD_BYTES_MAX)?;
        summary.summary.check_bounds()?;
        Ok(summary)
    }

    /// Empties the parts that the patient leaves out.
    pub fn leave_out(&mut self, mut parts: Vec<SummaryPart>) {
        parts.sort_unstable();
        parts.dedup();
        for part in &parts {
            let summary = &mut self.summary;
            match part {
                SummaryPart::Allergies => summary.allergies = Default::default(),
                SummaryPart::BloodGroup => summary.blood_group = None,
                SummaryPart::Medicines => summary.medicines = Default::default(),
                SummaryPart::Conditions => summary.conditions = Default::default(),
                SummaryPart::Devices => summary.devices = Default::default(),
                SummaryPart::Immunizations => summary.immunizations = Default::default(),
                SummaryPart::Contacts => summary.contacts = Vec::new(),
            }
        }
        self.left_out = parts;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_fhir::summary::{RecordRef, summarize};

    const LOCATOR: CardLocator = CardLocator([1, 2, 3, 4, 5]);

    fn summary() -> CardSummary {
        let allergy = br#"{"resourceType":"AllergyIntolerance","id":"a","criticality":"high",
            "code":{"text":"Penicillin"},"patient":{"reference":"Patient/p"}}"#;
        let record = RecordRef { hospital: "h", resource_type: "AllergyIntolerance", id: "a" };
        CardSummary {
            version: SUMMARY_VERSION,
            made_at: Timestamp(9),
            name: "王芳".to_owned(),
            facts: vec![Fact { kind: FactKind::Allergy, text: "Penicillin".to_owned() }],
            left_out: vec![],
            summary: summarize([(record, &allergy[..])]),
        }
    }

    #[test]
    fn a_summary_opens_with_the_secret_on_its_own_card_and_chain_only() {
        let chain = ChainId(sm3(b"chain"));
        let secret = CardSecret::from_bytes(&[7; 12]);
        let key = secret.summary_key(LOCATOR, chain);
        let sealed = summary().seal(&key, LOCATOR, &mut SeededEntropy::new(1)).unwrap();
        let registered = blob_id(&sealed);
        let opened = CardSummary::open(&sealed, &key, LOCATOR, registered).unwrap();
        assert_eq!(opened, summary());
        let other_chain = secret.summary_key(LOCATOR, ChainId(sm3(b"other")));
        let refused = CardSummary::open(&sealed, &other_chain, LOCATOR, registered).unwrap_err();
        assert!(matches!(refused, SummaryError::Content(ContentError::NotAuthentic)));
        let other_card = CardSecret::from_bytes(&[8; 12]).summary_key(LOCATOR, chain);
        assert!(CardSummary::open(&sealed, &other_card, LOCATOR, registered).is_err());
        let mut changed = sealed;
        changed[30] ^= 1;
        let refused = CardSummary::open(&changed, &key, LOCATOR, registered).unwrap_err();
        assert!(matches!(refused, SummaryError::Blob { .. }));
    }

    #[test]
    fn what_the_patient_leaves_out_is_not_in_the_ciphertext() {
        let mut summary = summary();
        assert_eq!(summary.summary.allergies.entries.len(), 1);
        summary.leave_out(vec![SummaryPart::Contacts, SummaryPart::Allergies, SummaryPart::Allergies]);
        assert!(summary.summary.allergies.entries.is_empty());
        assert_eq!(summary.left_out, [SummaryPart::Allergies, SummaryPart::Contacts]);
    }

    #[test]
    fn facts_beyond_the_code_are_refused() {
        let fact = |bytes: usize| Fact { kind: FactKind::Allergy, text: "x".repeat(bytes) };
        assert_eq!(check_facts(&vec![fact(60); 5]), Ok(()));
        assert_eq!(check_facts(&[fact(61)]), Err(FactsError::TooLong { index: 0, found: 61 }));
        assert_eq!(check_facts(&[fact(1), fact(0)]), Err(FactsError::Empty { index: 1 }));
        assert_eq!(check_facts(&vec![fact(60); 6]), Err(FactsError::TooLongTogether { found: 360 }));
        assert_eq!(check_facts(&vec![fact(1); 17]), Err(FactsError::TooMany { found: 17 }));
    }
}
