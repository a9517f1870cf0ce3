//! An open wallet: its keys, and what it has proven and decrypted since it was opened.

use amulet_app_api::access::{PractitionerView, StudyNameView};
use amulet_app_api::records::RecordLineView;
use amulet_app_api::wallet::{CheckedView, WalletEntry};
use amulet_crypto::content::ContentKey;
use amulet_crypto::kdf::Seed;
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::history::{HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Height, RecordId, Timestamp, TxId};
use amulet_protocol::record::RecordPlain;
use amulet_protocol::study::StudyId;
use amulet_protocol::transaction::SignedTransaction;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::convert;
use crate::device_state::DeviceState;
use crate::identity::{Identity, Relationship, device_key};
use crate::keyfile::{KeyFileHeader, KeyFileId, OpenWallet, Role};

/// An open wallet. Dropping it wipes the keys.
pub(crate) struct Session {
    pub id: KeyFileId,
    pub role: Role,
    pub name: String,
    pub seed: Seed,
    pub relationship: Relationship,
    pub identity: Identity,
    pub device_key: ContentKey,
    device: Mutex<DeviceState>,
    cache: Mutex<Cache>,
    next_nonce: Mutex<u64>,
    /// Held while history or records are loaded, so that two pages do not fetch the same twice.
    pub loading: futures::lock::Mutex<()>,
    /// Held while a transaction is on its way, so that its number is settled before the next is chosen.
    pub submitting: futures::lock::Mutex<()>,
}

/// What this session has proven and decrypted.
#[derive(Default)]
pub(crate) struct Cache {
    pub head: HistoryHead,
    /// The check with which the entries were last known to be complete.
    pub checked: Option<CheckedView>,
    pub entries: Vec<HistoryEntry>,
    pub transactions: BTreeMap<TxId, Arc<SignedTransaction>>,
    pub practitioners: BTreeMap<Did, PractitionerView>,
    /// Studies asked for so far; a title never changes.
    pub studies: BTreeMap<StudyId, StudyNameView>,
    /// In the order of registration.
    pub records: Vec<Arc<RecordMeta>>,
    pub opened: BTreeMap<RecordId, Arc<OpenRecord>>,
}

/// A record as the ledger has it.
pub(crate) struct RecordMeta {
    pub entry: RecordEntry,
    pub provider: Did,
    pub height: Height,
    pub transaction: TxId,
}

/// A record fetched, decrypted and checked.
pub(crate) struct OpenRecord {
    pub meta: Arc<RecordMeta>,
    pub key: ContentKey,
    pub plain: RecordPlain,
    pub line: RecordLineView,
    /// Seconds since 1970 of its date, for sorting.
    pub moment: Option<i64>,
}

impl Session {
    pub fn new(wallet: &OpenWallet, device: impl FnOnce(&ContentKey) -> DeviceState) -> Self {
        let KeyFileHeader { id, role, name, .. } = &wallet.header;
        let relationship =
            *wallet.relationships.first().expect("a wallet file has at least one relationship");
        Self::start(*id, *role, name.clone(), wallet.phrase.to_seed(), relationship, device)
    }

    pub fn start(
        id: KeyFileId,
        role: Role,
        name: String,
        seed: Seed,
        relationship: Relationship,
        device: impl FnOnce(&ContentKey) -> DeviceState,
    ) -> Self {
        let identity = Identity::derive(&seed, relationship);
        let device_key = device_key(&seed);
        let device = Mutex::new(device(&device_key));
        Self {
            id,
            role,
            name,
            seed,
            relationship,
            identity,
            device_key,
            device,
            cache: Mutex::default(),
            next_nonce: Mutex::new(1),
            loading: futures::lock::Mutex::new(()),
            submitting: futures::lock::Mutex::new(()),
        }
    }

    pub fn did(&self) -> Did {
        self.identity.did
    }

    pub fn entry(&self) -> WalletEntry {
        WalletEntry { id: self.id.to_string(), name: self.name.clone(), role: convert::role(self.role) }
    }

    pub fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn device(&self) -> MutexGuard<'_, DeviceState> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next unused number, at least one above `highest`, which the ledger has.
    pub fn take_nonce(&self, highest: u64) -> u64 {
        let mut next = self.next_nonce.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = (*next).max(highest.saturating_add(1));
        *next = nonce + 1;
        nonce
    }

    /// All entries of the proven history.
    pub fn entries(&self) -> Vec<HistoryEntry> {
        self.cache().entries.clone()
    }

    /// A transaction fetched before.
    pub fn transaction(&self, id: TxId) -> Option<Arc<SignedTransaction>> {
        self.cache().transactions.get(&id).cloned()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.id)
    }
}

/// Words that were shown and wait to be confirmed.
pub(crate) struct PendingWords {
    pub phrase: amulet_crypto::kdf::SeedPhrase,
    pub ask: Vec<usize>,
    pub shown_at: Timestamp,
}
