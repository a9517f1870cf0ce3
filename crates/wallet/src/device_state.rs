//! What a wallet remembers on its device beside its keys: how far the log was read, the card in force, running emergency
//! declarations, whether it may report, what its owner has settled beforehand, links that were handed out, what of the
//! inbox was read or noted, who the guardians are. Each thing is a part with a number, so that a version which knows one more forgets
//! nothing of the others. Sealed under a key of the wallet's own; losing it loses comfort, never access.

use amulet_crypto::content::{ContentKey, open_content, seal_content};
use amulet_crypto::entropy::Entropy;
use amulet_protocol::calls::{CardLocator, DeclarationId};
use amulet_protocol::codec;
use amulet_protocol::consent::Category;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::links::LINK_ID_BYTES;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroize;

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

/// The guardians' sheets made last.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredSheets {
    /// The set's number.
    pub set: u16,
    /// Sheets needed.
    pub threshold: u8,
    /// Who has one, in the order of their numbers.
    pub names: Vec<String>,
    /// When they were made.
    pub made: Timestamp,
    /// When they last gave the wallet's words back.
    pub tried: Option<Timestamp>,
    /// Which of the wallet's seeds they give: the number of seeds before it.
    pub seed: u32,
}

/// All of it.
#[derive(Clone, Default, PartialEq, Eq)]
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
    /// The guardians' sheets made last.
    pub sheets: Option<StoredSheets>,
    /// What of the inbox was new once before; no more than the inbox holds.
    pub inbox_noted: BTreeSet<[u8; 32]>,
}

/// The parts as they are written. A part that cannot be read, or is not known, is as if it had never been.
type Parts = BTreeMap<u8, Vec<u8>>;

macro_rules! parts {
    ($($number:literal: $field:ident,)*) => {
        impl DeviceState {
            fn to_parts(&self) -> Parts {
                BTreeMap::from([$(($number, codec::encode(&self.$field)),)*])
            }

            fn from_parts(parts: &Parts) -> Self {
                Self { $($field: part(parts, $number),)* }
            }
        }
    };
}

// A number is never used again for something else.
parts! {
    0: seen,
    1: card,
    2: emergencies,
    3: reports,
    4: never,
    5: ask,
    6: links,
    7: inbox_read,
    8: sheets,
    9: inbox_noted,
}

fn part<T: BorshDeserialize + Default>(parts: &Parts, number: u8) -> T {
    let bytes = parts.get(&number).map(Vec::as_slice).unwrap_or_default();
    codec::decode(bytes, STORED_FILE_BYTES_MAX).unwrap_or_default()
}

impl DeviceState {
    /// The last entry of an identity's history that the person has looked at; 0 before the first.
    #[must_use]
    pub fn seen(&self, identity: Did) -> u64 {
        self.seen.get(&identity).copied().unwrap_or(0)
    }

    /// Reads the state of a wallet, by the first of `keys` that opens it. What is missing, cannot be read or cannot be opened is as
    /// if it had never been.
    ///
    /// # Errors
    /// [`StoreError::Name`], [`StoreError::System`].
    pub fn load(store: &dyn DeviceStore, id: KeyFileId, keys: &[ContentKey]) -> Result<Self, StoreError> {
        let sealed = match store.read(&file_name(id)) {
            Err(error) if error.is_unreadable() => None,
            read => read?,
        };
        let Some(sealed) = sealed else { return Ok(Self::default()) };
        let opened = keys.iter().find_map(|key| open_content(key, AAD, &sealed).ok());
        let parts = opened.and_then(|plain| codec::decode::<Parts>(&plain, STORED_FILE_BYTES_MAX).ok());
        Ok(parts.map(|parts| Self::from_parts(&parts)).unwrap_or_default())
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
        let mut parts = self.to_parts();
        let plain = zeroize::Zeroizing::new(codec::encode(&parts));
        parts.values_mut().for_each(Zeroize::zeroize);
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
    use crate::store::{MemoryStore, UnreadableStore};
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
            sheets: None,
            inbox_noted: BTreeSet::new(),
        };
        state.save(&store, id, &key, Timestamp(100), &mut entropy).unwrap();
        let read = DeviceState::load(&store, id, std::slice::from_ref(&key)).unwrap();
        assert_eq!((read.seen(did()), read.emergencies.len(), read.links.len()), (7, 1, 1));
        let stored = store.read(&file_name(id)).unwrap().unwrap();
        assert!(!stored.windows(12).any(|window| window == [0xA5; 12]), "a card's secret is readable");
    }

    #[test]
    fn a_part_of_another_version_leaves_the_others_alone() {
        let state = DeviceState { reports: true, never: vec![Category::Social], ..DeviceState::default() };
        let mut parts = state.to_parts();
        parts.insert(200, b"of a later version".to_vec());
        parts.remove(&8);
        parts.insert(4, b"of an earlier version".to_vec());
        let read = DeviceState::from_parts(&parts);
        assert_eq!((read.reports, read.never.len(), read.sheets), (true, 0, None));
    }

    #[test]
    fn a_damaged_state_is_forgotten() {
        let mut entropy = SeededEntropy::new(1);
        let (store, id) = (MemoryStore::default(), KeyFileId::generate(&mut entropy));
        let key = ContentKey::generate(&mut entropy);
        store.write(&file_name(id), b"not sealed by anybody").unwrap();
        assert_eq!(DeviceState::load(&store, id, std::slice::from_ref(&key)).unwrap().seen(did()), 0);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_as_if_it_had_never_been() {
        let id = KeyFileId::generate(&mut SeededEntropy::new(1));
        assert!(DeviceState::load(&UnreadableStore, id, &[]).unwrap() == DeviceState::default());
    }
}
