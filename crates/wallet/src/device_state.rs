//! What a wallet remembers on its device beside its keys: how far the log was read, the card in force, running emergency
//! declarations, whether it may report, what its owner has settled beforehand, links that were handed out, what of the
//! inbox was read. Sealed under a key of the wallet's own; losing it loses comfort, never access.

use amulet_crypto::content::{ContentKey, open_content, seal_content};
use amulet_crypto::entropy::Entropy;
use amulet_protocol::calls::{CardLocator, DeclarationId};
use amulet_protocol::codec;
use amulet_protocol::consent::Category;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::links::LINK_ID_BYTES;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::card::{CARD_SECRET_BYTES, Fact};
use crate::keyfile::KeyFileId;
use crate::store::{DeviceStore, STORED_FILE_BYTES_MAX, StoreError};

const AAD: &[u8] = b"amulet/v1/device-state";
/// Declarations remembered; a clinician has few at once, and each ends within three days.
const EMERGENCIES_MAX: usize = 200;
/// Links remembered; a hospital serves twenty of a patient.
const LINKS_MAX: usize = 100;

/// The card whose code this device can show without a network.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredCard {
    /// The identity whose card it is.
    pub owner: Did,
    /// Where it is on the ledger.
    pub locator: CardLocator,
    /// Which of the wallet's seeds its secret comes from: the number of seeds before it.
    pub seed: u32,
    /// Facts on it.
    pub facts: Vec<Fact>,
    /// When it was committed.
    pub made_at: Timestamp,
    /// How long an access lasts, in milliseconds.
    pub access_ms: u64,
}

/// A declaration whose summary this device can open again.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredEmergency {
    /// The declaration.
    pub declaration: DeclarationId,
    /// The card.
    pub locator: CardLocator,
    /// Its secret.
    pub secret: [u8; CARD_SECRET_BYTES],
    /// When the access ends.
    pub until: Timestamp,
}

/// A link whose text this device can show again.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredLink {
    /// The identity whose hospital serves it.
    pub identity: Did,
    /// Its identifier.
    pub id: [u8; LINK_ID_BYTES],
    /// First moment at which it is over.
    pub ends: Timestamp,
    /// What the person called it.
    pub label: String,
    /// The link, with its key.
    pub text: String,
}

/// All of it.
#[derive(Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeviceState {
    /// Of each identity, the number of the last history entry that the person has looked at in the log.
    pub seen: BTreeMap<Did, u64>,
    /// The card in force, as far as this device knows.
    pub card: Option<StoredCard>,
    /// Running declarations, oldest first.
    pub emergencies: Vec<StoredEmergency>,
    /// Whether the person lets this wallet report how the hospitals' nodes served.
    pub reports: bool,
    /// Categories that the person gives to nobody, ascending.
    pub never: Vec<Category>,
    /// Categories that the person wants to be asked about each time, ascending.
    pub ask: Vec<Category>,
    /// Links that are not over, oldest first.
    pub links: Vec<StoredLink>,
    /// What of the inbox was read; no more than the inbox holds.
    pub inbox_read: BTreeSet<[u8; 32]>,
}

impl DeviceState {
    /// The last entry of an identity's history that the person has looked at; 0 before the first.
    #[must_use]
    pub fn seen(&self, identity: Did) -> u64 {
        self.seen.get(&identity).copied().unwrap_or(0)
    }

    /// Reads the state of a wallet, by the first of `keys` that opens it. What is missing or cannot be opened is as if it had
    /// never been.
    ///
    /// # Errors
    /// Those of the store.
    pub fn load(store: &dyn DeviceStore, id: KeyFileId, keys: &[ContentKey]) -> Result<Self, StoreError> {
        let Some(sealed) = store.read(&file_name(id))? else { return Ok(Self::default()) };
        let opened = keys.iter().find_map(|key| open_content(key, AAD, &sealed).ok());
        Ok(opened.and_then(|plain| codec::decode(&plain, STORED_FILE_BYTES_MAX).ok()).unwrap_or_default())
    }

    /// Seals and writes the state, forgetting declarations that have ended.
    ///
    /// # Errors
    /// Those of the store.
    pub fn save(
        &mut self,
        store: &dyn DeviceStore,
        id: KeyFileId,
        key: &ContentKey,
        now: Timestamp,
        entropy: &mut impl Entropy,
    ) -> Result<(), StoreError> {
        self.emergencies.retain(|emergency| emergency.until > now);
        self.links.retain(|link| link.ends > now);
        let surplus = self.links.len().saturating_sub(LINKS_MAX);
        self.links.drain(..surplus);
        let surplus = self.emergencies.len().saturating_sub(EMERGENCIES_MAX);
        self.emergencies.drain(..surplus);
        let plain = zeroize::Zeroizing::new(codec::encode(self));
        let sealed = seal_content(key, AAD, &plain, entropy)
            .map_err(|_| StoreError::TooLarge { name: file_name(id), found: plain.len() as u64 })?;
        store.write(&file_name(id), &sealed)
    }
}

/// Name of the file beside the wallet's own.
#[must_use]
pub fn file_name(id: KeyFileId) -> String {
    format!("{id}.state")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::MemoryStore;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::ids::TxId;

    fn did() -> Did {
        Did::of_key(SigningKey::generate(&mut SeededEntropy::new(2)).public_key())
    }

    fn emergency(until: u64) -> StoredEmergency {
        StoredEmergency {
            declaration: DeclarationId(TxId(sm3(b"d"))),
            locator: CardLocator([1; 5]),
            secret: [0xA5; 12],
            until: Timestamp(until),
        }
    }

    fn link(ends: u64) -> StoredLink {
        let (label, text) = ("Lisbon".to_owned(), "shlink:/secret".to_owned());
        StoredLink { identity: did(), id: [3; LINK_ID_BYTES], ends: Timestamp(ends), label, text }
    }

    #[test]
    fn the_state_survives_sealed_and_ended_declarations_do_not() {
        let mut entropy = SeededEntropy::new(1);
        let (store, id) = (MemoryStore::default(), KeyFileId::generate(&mut entropy));
        let key = ContentKey::generate(&mut entropy);
        let mut state = DeviceState {
            never: vec![Category::Social],
            ask: vec![Category::Labs],
            seen: BTreeMap::from([(did(), 7)]),
            card: None,
            emergencies: vec![emergency(50), emergency(150)],
            reports: true,
            links: vec![link(50), link(150)],
            inbox_read: BTreeSet::from([[4; 32]]),
        };
        state.save(&store, id, &key, Timestamp(100), &mut entropy).unwrap();
        let read = DeviceState::load(&store, id, std::slice::from_ref(&key)).unwrap();
        assert_eq!((read.seen(did()), read.emergencies.len(), read.links.len()), (7, 1, 1));
        let stored = store.read(&file_name(id)).unwrap().unwrap();
        assert!(!stored.windows(12).any(|window| window == [0xA5; 12]), "a card's secret is readable");
    }

    #[test]
    fn a_damaged_state_is_forgotten() {
        let mut entropy = SeededEntropy::new(1);
        let (store, id) = (MemoryStore::default(), KeyFileId::generate(&mut entropy));
        let key = ContentKey::generate(&mut entropy);
        store.write(&file_name(id), b"not sealed by anybody").unwrap();
        assert_eq!(DeviceState::load(&store, id, std::slice::from_ref(&key)).unwrap().seen(did()), 0);
    }
}
