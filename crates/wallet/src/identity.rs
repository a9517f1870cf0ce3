//! Pairwise identities: one for each hospital, all from one seed, so that nobody who looks at the ledger can join a
//! person's care across hospitals.
//!
//! The path of an identity's keys depends on the hospital's DID and a number, not on the order in which hospitals were
//! added: recovery words and the hospital's name are enough to find an identity again.

use amulet_crypto::content::ContentKey;
use amulet_crypto::kdf::{KeyPath, Seed};
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::CardLocator;
use amulet_protocol::ids::Did;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use zeroize::Zeroizing;

use crate::card::{CARD_SECRET_BYTES, CardSecret};

/// One hospital that a wallet has an identity for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Relationship {
    /// The hospital.
    pub hospital: Did,
    /// Which identity at that hospital, from 0.
    pub index: u32,
}

impl Relationship {
    /// The first identity at a hospital.
    #[must_use]
    pub fn first(hospital: Did) -> Self {
        Self { hospital, index: 0 }
    }
}

/// The keys of one identity. Neither `Clone` nor serialisable.
pub struct Identity {
    /// The DID.
    pub did: Did,
    /// The hospital it is used with.
    pub hospital: Did,
    /// Signs for the DID.
    pub signing: SigningKey,
    /// Opens what is sealed to the DID.
    pub agreement: AgreementKey,
}

impl Identity {
    /// The identity of a relationship.
    #[must_use]
    pub fn derive(seed: &Seed, relationship: Relationship) -> Self {
        let path = path(relationship);
        let signing = seed.derive_signing_key(&path);
        let agreement = seed.derive_agreement_key(&path);
        let did = Did::of_key(signing.public_key());
        Self { did, hospital: relationship.hospital, signing, agreement }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.did)
    }
}

/// The secret of the card at `locator`: derived, so that a wallet restored from its words can show its card again.
#[must_use]
pub fn card_secret(seed: &Seed, relationship: Relationship, locator: CardLocator) -> CardSecret {
    let [a, b, c, d, last] = locator.0;
    let path =
        path(relationship).child("card", u32::from_be_bytes([a, b, c, d])).child("card", u32::from(last));
    let key = seed.derive_content_key(&path).expose_secret();
    let mut secret = Zeroizing::new([0; CARD_SECRET_BYTES]);
    secret.copy_from_slice(&key[..CARD_SECRET_BYTES]);
    CardSecret::from_bytes(&secret)
}

/// The key for what a wallet keeps on its device beside the wallet file.
#[must_use]
pub fn device_key(seed: &Seed) -> ContentKey {
    seed.derive_content_key(&KeyPath::new("device", 0))
}

/// Eight bytes of the hospital's DID in two steps: two hospitals of one consortium never share them by accident.
fn path(Relationship { hospital, index }: Relationship) -> KeyPath {
    let [a, b, c, d, e, f, g, h, ..] = *hospital.as_bytes();
    KeyPath::new("hospital", u32::from_be_bytes([a, b, c, d]))
        .child("hospital", u32::from_be_bytes([e, f, g, h]))
        .child("identity", index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;

    #[test]
    fn identities_at_two_hospitals_share_nothing_and_come_back_from_the_seed() {
        let seed = Seed::from_bytes(&[9; 64]);
        let mut entropy = SeededEntropy::new(3);
        let mut hospital = || Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let (one, two) = (hospital(), hospital());
        let first = Identity::derive(&seed, Relationship { hospital: one, index: 0 });
        let second = Identity::derive(&seed, Relationship { hospital: two, index: 0 });
        assert_ne!(first.did, second.did);
        assert_ne!(first.agreement.public_key(), second.agreement.public_key());
        let next = Identity::derive(&seed, Relationship { hospital: one, index: 1 });
        assert_ne!(first.did, next.did);
        let again = Identity::derive(&seed, Relationship { hospital: one, index: 0 });
        assert_eq!(again.did, first.did);
        assert_eq!(again.agreement.public_key(), first.agreement.public_key());
    }

    #[test]
    fn each_card_has_a_secret_of_its_own() {
        let seed = Seed::from_bytes(&[9; 64]);
        let hospital = Did::of_key(SigningKey::generate(&mut SeededEntropy::new(3)).public_key());
        let relationship = Relationship { hospital, index: 0 };
        let secret = |locator| *card_secret(&seed, relationship, CardLocator(locator)).expose();
        assert_eq!(secret([1, 2, 3, 4, 5]), secret([1, 2, 3, 4, 5]));
        assert_ne!(secret([1, 2, 3, 4, 5]), secret([1, 2, 3, 4, 6]));
        assert_ne!(secret([1, 2, 3, 4, 5]), secret([0, 2, 3, 4, 5]));
    }
}
