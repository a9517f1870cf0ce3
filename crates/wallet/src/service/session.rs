//! An open wallet: a person, their identities, and what each has proven and decrypted since it was opened.

use amulet_app_api::access::{PractitionerView, StudyNameView};
use amulet_app_api::records::RecordLineView;
use amulet_app_api::wallet::{CheckedView, WalletEntry};
use amulet_crypto::content::ContentKey;
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::history::{HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Height, RecordId, Timestamp, TxId};
use amulet_protocol::record::RecordPlain;
use amulet_protocol::study::StudyId;
use amulet_protocol::transaction::SignedTransaction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::convert;
use crate::device_state::DeviceState;
use crate::identity::{Identity, Relationship, Seeds, device_key};
use crate::keyfile::{KeyFileHeader, KeyFileId, OpenWallet, Role};

/// How long shown words wait to be confirmed, in milliseconds.
const WORDS_WAIT_MS: u64 = 60 * 60_000;

/// The person whose wallet is open: what is theirs everywhere, and a session for each hospital that they deal with. Dropping it
/// wipes the keys.
///
/// On the ledger nothing joins the sessions' identities; they are one person here and nowhere else.
pub(crate) struct Person {
    pub owner: Arc<Owner>,
    /// At least one; the first one first.
    sessions: Vec<Arc<Session>>,
}

/// What is a person's own wherever they are cared for.
pub(crate) struct Owner {
    pub id: KeyFileId,
    pub role: Role,
    pub name: String,
    pub seeds: Seeds,
    pub device_key: ContentKey,
    device: Mutex<DeviceState>,
}

/// One identity of the person, and what was proven and decrypted of it.
pub(crate) struct Session {
    pub owner: Arc<Owner>,
    pub relationship: Relationship,
    pub identity: Identity,
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
    /// Records that are erased: nobody has them any more.
    pub erased: BTreeSet<RecordId>,
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

impl Cache {
    /// The records that are not erased, in the order of registration.
    pub fn there(&self) -> impl Iterator<Item = &Arc<RecordMeta>> {
        self.records.iter().filter(|meta| !self.erased.contains(&meta.entry.id))
    }
}

impl Person {
    /// The person of a wallet; `device` reads what it remembers, by the first of the keys that opens it.
    pub fn new(mut wallet: OpenWallet, device: impl FnOnce(&[ContentKey]) -> DeviceState) -> Self {
        let relationships = std::mem::take(&mut wallet.relationships);
        let KeyFileHeader { id, role, name, .. } = wallet.header.clone();
        let seeds = wallet.into_seeds();
        // What was written before the keys were replaced is under a key of that time.
        let mut keys: Vec<ContentKey> = seeds.all().map(device_key).collect();
        keys.reverse();
        let device = Mutex::new(device(&keys));
        let device_key = device_key(seeds.newest());
        let owner = Arc::new(Owner { id, role, name, seeds, device_key, device });
        let sessions = relationships.into_iter().map(|relationship| Session::new(&owner, relationship));
        Self { sessions: sessions.map(Arc::new).collect(), owner }
    }

    /// The same person, with one more identity.
    pub fn with(&self, relationship: Relationship) -> Self {
        let mut sessions = self.sessions.clone();
        sessions.push(Arc::new(Session::new(&self.owner, relationship)));
        Self { owner: Arc::clone(&self.owner), sessions }
    }

    /// All identities, the first one first.
    pub fn sessions(&self) -> &[Arc<Session>] {
        &self.sessions
    }

    /// The first identity: a clinician's only one.
    pub fn first(&self) -> &Arc<Session> {
        self.sessions.first().expect("a wallet file has at least one relationship")
    }

    /// The session of a DID of this person.
    pub fn session_of(&self, did: Did) -> Option<&Arc<Session>> {
        self.sessions.iter().find(|session| session.did() == did)
    }

    /// The session whose history registered a record.
    pub fn session_with(&self, record: RecordId) -> Option<&Arc<Session>> {
        self.sessions
            .iter()
            .find(|session| session.cache().records.iter().any(|meta| meta.entry.id == record))
    }

    pub fn entry(&self) -> WalletEntry {
        let Owner { id, role, name, .. } = &*self.owner;
        WalletEntry { id: id.to_string(), name: name.clone(), role: convert::role(*role) }
    }
}

impl Owner {
    pub fn device(&self) -> MutexGuard<'_, DeviceState> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new(owner: &Arc<Owner>, relationship: Relationship) -> Self {
        Self {
            owner: Arc::clone(owner),
            relationship,
            identity: Identity::of(&owner.seeds, relationship),
            cache: Mutex::default(),
            next_nonce: Mutex::new(1),
            loading: futures::lock::Mutex::new(()),
            submitting: futures::lock::Mutex::new(()),
        }
    }

    pub fn did(&self) -> Did {
        self.identity.did
    }

    pub fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
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

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.owner.id)
    }
}

/// Words that were shown and wait to be confirmed.
pub(crate) struct PendingWords {
    pub phrase: amulet_crypto::kdf::SeedPhrase,
    pub ask: Vec<usize>,
    pub shown_at: Timestamp,
}

impl PendingWords {
    /// Whether they can be confirmed no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.millis_since(self.shown_at) >= WORDS_WAIT_MS
    }
}
