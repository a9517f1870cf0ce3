//! Pairwise identities: one for each hospital, all from one seed, so that nobody who looks at the ledger can join a
//! person's care across hospitals.
//!
//! The path of an identity's keys depends on the hospital's DID and a number, not on the order in which hospitals were
//! added: recovery words and the hospital's name are enough to find an identity again.
//!
//! When keys are replaced, all of them come from a new seed. The DID stays that of the identity's first key, so a wallet
//! keeps the seeds before: the oldest says who the person is, each opens what was sealed in its time, the newest signs.

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
    /// Under which of the wallet's seeds it was made: the number of seeds before it.
    pub made_under: u32,
}

impl Relationship {
    /// The first identity at a hospital, made under the seed that `former` others came before.
    #[must_use]
    pub fn made_under(hospital: Did, former: usize) -> Self {
        Self { hospital, index: 0, made_under: u32::try_from(former).unwrap_or(u32::MAX) }
    }

    /// The first identity at a hospital, of a wallet whose keys were never replaced.
    #[must_use]
    pub fn first(hospital: Did) -> Self {
        Self::made_under(hospital, 0)
    }
}

/// The seeds of a wallet: the one in force, and those before. Wiped on drop.
pub struct Seeds {
    former: Vec<Seed>,
    newest: Seed,
}

impl Seeds {
    /// The seeds of a wallet whose keys were never replaced.
    #[must_use]
    pub fn one(seed: Seed) -> Self {
        Self { former: Vec::new(), newest: seed }
    }

    /// `newest`, and those before it, the oldest first.
    #[must_use]
    pub fn with_former(former: Vec<Seed>, newest: Seed) -> Self {
        Self { former, newest }
    }

    /// The seed in force.
    #[must_use]
    pub fn newest(&self) -> &Seed {
        &self.newest
    }

    /// The seeds before, the oldest first.
    #[must_use]
    pub fn former(&self) -> &[Seed] {
        &self.former
    }

    /// The seed that `former` others came before, or the newest if there are not as many.
    #[must_use]
    pub fn after(&self, former: usize) -> &Seed {
        self.former.get(former).unwrap_or(&self.newest)
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Seed> {
        self.former.iter().chain([&self.newest])
    }
}

/// Keys that spoke for an identity before those in force.
pub struct FormerKeys {
    /// Signed for the DID.
    pub signing: SigningKey,
    /// Opens what was sealed to the DID then.
    pub agreement: AgreementKey,
}

/// The keys of one identity. Neither `Clone` nor serialisable.
pub struct Identity {
    /// The DID.
    pub did: Did,
    /// The hospital it is used with.
    pub hospital: Did,
    /// Signs for the DID.
    pub signing: SigningKey,
    /// Opens what is sealed to the DID now.
    pub agreement: AgreementKey,
    /// The keys before, the oldest first; the DID is that of the first signing key.
    pub former: Vec<FormerKeys>,
}

impl Identity {
    /// The identity of a relationship whose keys were never replaced.
    #[must_use]
    pub fn derive(seed: &Seed, relationship: Relationship) -> Self {
        let path = path(relationship);
        let signing = seed.derive_signing_key(&path);
        let agreement = seed.derive_agreement_key(&path);
        let did = Did::of_key(signing.public_key());
        Self { did, hospital: relationship.hospital, signing, agreement, former: Vec::new() }
    }

    /// The identity of a relationship, with the keys from all seeds since it was made.
    #[must_use]
    pub fn of(seeds: &Seeds, relationship: Relationship) -> Self {
        let path = path(relationship);
        let since = usize::try_from(relationship.made_under).unwrap_or(usize::MAX);
        let keys = |seed: &Seed| FormerKeys {
            signing: seed.derive_signing_key(&path),
            agreement: seed.derive_agreement_key(&path),
        };
        let former: Vec<FormerKeys> = seeds.former().iter().skip(since).map(keys).collect();
        let now = Self::derive(seeds.newest(), relationship);
        let did = former.first().map_or(now.did, |first| Did::of_key(first.signing.public_key()));
        Self { did, former, ..now }
    }

    /// The keys that sign or signed for it, the oldest first.
    pub fn signing_keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.former.iter().map(|keys| &keys.signing).chain([&self.signing])
    }

    /// Opens something that was sealed to this identity, with the key in force or one before it; the error is that of the key
    /// in force.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn open<T, E>(&self, open: impl Fn(&AgreementKey) -> Result<T, E>) -> Result<T, E> {
        open(&self.agreement).or_else(|error| {
            self.former.iter().rev().find_map(|keys| open(&keys.agreement).ok()).ok_or(error)
        })
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
fn path(Relationship { hospital, index, .. }: Relationship) -> KeyPath {
    let [a, b, c, d, e, f, g, h, ..] = *hospital.as_bytes();
    KeyPath::new("hospital", u32::from_be_bytes([a, b, c, d]))
        .child("hospital", u32::from_be_bytes([e, f, g, h]))
        .child("identity", index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::Tag;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::sealed_box::{SealContext, SealedBox};

    #[test]
    fn identities_at_two_hospitals_share_nothing_and_come_back_from_the_seed() {
        let seed = Seed::from_bytes(&[9; 64]);
        let mut entropy = SeededEntropy::new(3);
        let mut hospital = || Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let (one, two) = (hospital(), hospital());
        let first = Identity::derive(&seed, Relationship::first(one));
        let second = Identity::derive(&seed, Relationship::first(two));
        assert_ne!(first.did, second.did);
        assert_ne!(first.agreement.public_key(), second.agreement.public_key());
        let next = Identity::derive(&seed, Relationship { index: 1, ..Relationship::first(one) });
        assert_ne!(first.did, next.did);
        let again = Identity::derive(&seed, Relationship::first(one));
        assert_eq!(again.did, first.did);
        assert_eq!(again.agreement.public_key(), first.agreement.public_key());
    }

    #[test]
    fn replaced_keys_leave_the_did_and_open_what_was_sealed_before() {
        let mut entropy = SeededEntropy::new(3);
        let hospital = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let seed = |byte| Seed::from_bytes(&[byte; 64]);
        let before = Identity::derive(&seed(9), Relationship::first(hospital));
        let context = SealContext::new(Tag::new("amulet/v1/test"), &[]);
        let sealed = SealedBox::seal(before.agreement.public_key(), &context, b"key", &mut entropy).unwrap();
        let seeds = Seeds::with_former(vec![seed(9)], seed(10));
        let now = Identity::of(&seeds, Relationship::first(hospital));
        assert_eq!(now.did, before.did);
        assert_ne!(now.signing.public_key(), before.signing.public_key());
        assert_eq!(*now.open(|key| sealed.open(key, &context)).unwrap(), b"key");
        let newer = Identity::of(&seeds, Relationship::made_under(hospital, 1));
        assert_eq!(newer.did, Did::of_key(now.signing.public_key()), "made after the replacement");
        assert!(newer.former.is_empty() && newer.open(|key| sealed.open(key, &context)).is_err());
    }

    #[test]
    fn each_card_has_a_secret_of_its_own() {
        let seed = Seed::from_bytes(&[9; 64]);
        let hospital = Did::of_key(SigningKey::generate(&mut SeededEntropy::new(3)).public_key());
        let relationship = Relationship::first(hospital);
        let secret = |locator| *card_secret(&seed, relationship, CardLocator(locator)).expose();
        assert_eq!(secret([1, 2, 3, 4, 5]), secret([1, 2, 3, 4, 5]));
        assert_ne!(secret([1, 2, 3, 4, 5]), secret([1, 2, 3, 4, 6]));
        assert_ne!(secret([1, 2, 3, 4, 5]), secret([0, 2, 3, 4, 5]));
    }
}
