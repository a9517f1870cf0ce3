//! Wallets on this device: the first start, words, creating, restoring, opening, closing, removing.

use amulet_app_api::wallet::{
    AddDemoPerson, CheckWords, CreateWallet, DemoPersonView, Language, NewWords, RelationshipView,
    RemoveWallet, RestoreWallet, SessionView, StatusView, Task, Unlock, WalletEntry, WordsCheckView,
    WordsView,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_crypto::kdf::{Language as PhraseLanguage, PHRASE_WORDS, Seed, SeedPhrase};
use amulet_light_client::platform;
use amulet_protocol::ids::Did;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Practitioner, StateKey};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

use super::Service;
use super::error::{internal, keyfile as keyfile_error, phrase as phrase_error, refusal, storage};
use super::replacing::Found;
use super::session::{PendingWords, Person, Session};
use crate::device_state::{self, DeviceState};
use crate::identity::{Identity, Relationship};
use crate::keyfile::{self, KEY_FILE_SUFFIX, KeyFileHeader, NewWallet, Role};
use crate::{convert, guard, strength};

/// Name of the list of the demonstration's people.
pub const DEMO_PEOPLE_FILE: &str = "people.json";
/// Bytes of a file of the demonstration.
pub const DEMO_FILE_BYTES_MAX: usize = 64 * 1024;
/// People of a demonstration that are shown.
const DEMO_PEOPLE_MAX: usize = 50;
/// Words a person types to show that they wrote them down.
const WORDS_ASKED: usize = 3;
/// File that holds the language of the interface.
const LANGUAGE_FILE: &str = "language";
/// A moment for the page to show that something is being done, before a computation that blocks it.
pub(super) const BREATH: Duration = Duration::from_millis(30);

#[derive(Deserialize)]
struct DemoEntry {
    id: String,
    name: String,
    role: amulet_app_api::wallet::Role,
    about_en: String,
    about_zh: String,
    file: String,
}

impl Service {
    /// What the app shows before anything is unlocked.
    pub(super) async fn status(&self) -> Result<StatusView, ApiError> {
        let person = self.state().person.clone();
        let session = match person {
            Some(person) => Some(self.session_view(&person).await?),
            None => None,
        };
        Ok(StatusView {
            language: self.language()?,
            wallets: self.wallets()?.into_iter().map(|(_, entry)| entry).collect(),
            session,
            hospitals: self.network.hospitals(),
            demo_people: self.demo_people().await.into_iter().map(|(person, _)| person).collect(),
        })
    }

    /// The language chosen earlier.
    ///
    /// # Errors
    /// Those of the store.
    pub fn language(&self) -> Result<Option<Language>, ApiError> {
        let stored = self.store.read(LANGUAGE_FILE).map_err(storage)?;
        Ok(match stored.as_deref() {
            Some(b"en") => Some(Language::En),
            Some(b"zh") => Some(Language::Zh),
            _ => None,
        })
    }

    /// Remembers the language of the interface.
    pub(super) fn set_language(&self, language: Language) -> Result<(), ApiError> {
        let text = match language {
            Language::En => "en",
            Language::Zh => "zh",
        };
        self.store.write(LANGUAGE_FILE, text.as_bytes()).map_err(storage)
    }

    /// Wallets of this network on this device, oldest first, with the names of their files.
    fn wallets(&self) -> Result<Vec<(String, WalletEntry)>, ApiError> {
        let mut found = Vec::new();
        for name in self.store.list().map_err(storage)? {
            if !name.ends_with(KEY_FILE_SUFFIX) {
                continue;
            }
            // A file that is no wallet, or of another network, is left alone and not shown.
            let bytes = match self.store.read(&name) {
                Err(error) if error.is_unreadable() => continue,
                read => read.map_err(storage)?,
            };
            let Some(bytes) = bytes else { continue };
            let Ok(header) = KeyFileHeader::read(&bytes) else { continue };
            if header.chain == self.network.chain() && header.id.file_name() == name {
                let id = header.id.to_string();
                let entry = WalletEntry { id, name: header.name, role: convert::role(header.role) };
                found.push((header.created, name, entry));
            }
        }
        found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(found.into_iter().map(|(_, name, entry)| (name, entry)).collect())
    }

    pub(super) async fn session_view(&self, person: &Person) -> Result<SessionView, ApiError> {
        let first = person.first();
        // Without a network the department is simply not shown.
        let department = match person.owner.role {
            Role::Patient => None,
            Role::Clinician => self.department(first).await.ok().flatten(),
        };
        let relationship = |session: &Arc<Session>| RelationshipView {
            hospital: self.hospital_view(&session.identity.hospital),
            did: session.did().to_string(),
        };
        Ok(SessionView {
            wallet: person.entry(),
            hospital: self.hospital_view(&first.identity.hospital),
            relationships: person.sessions().iter().map(relationship).collect(),
            department,
        })
    }

    async fn department(&self, session: &Session) -> Result<Option<String>, ApiError> {
        if self.client.trusted().is_none() {
            self.sync(false).await?;
        }
        let view = self.practitioner(session, session.did()).await?;
        Ok(Some(view.department).filter(|department| !department.is_empty()))
    }

    /// Makes new words and keeps them until they are confirmed.
    pub(super) fn new_words(&self, call: &NewWords) -> Result<WordsView, ApiError> {
        let language = match call.language {
            Language::En => PhraseLanguage::English,
            Language::Zh => PhraseLanguage::SimplifiedChinese,
        };
        let phrase = SeedPhrase::generate(language, &mut SystemEntropy);
        let words = phrase.words().into_iter().map(str::to_owned).collect();
        let ask = positions_to_ask(&mut SystemEntropy);
        self.state().pending = Some(PendingWords { phrase, ask: ask.clone(), shown_at: self.now() });
        Ok(WordsView { words, ask })
    }

    /// Checks typed words.
    pub(super) fn check_words(&self, call: &CheckWords) -> Result<WordsCheckView, ApiError> {
        let phrase = SeedPhrase::parse(&call.text).map_err(phrase_error)?;
        let language = match phrase.language() {
            PhraseLanguage::English => Language::En,
            PhraseLanguage::SimplifiedChinese => Language::Zh,
        };
        Ok(WordsCheckView { language })
    }

    /// Creates a wallet from the words just shown and registers its identity. The file is written only once the ledger has
    /// the identity; until then the words stay pending, so the person can simply try again.
    pub(super) async fn create_wallet(&self, call: CreateWallet) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        check_passphrase(&passphrase)?;
        let hospital = self.hospital_of(&call.hospital)?;
        let words = self.confirmed_words(&call.answers)?;
        let phrase = SeedPhrase::parse(&words).map_err(phrase_error)?;
        let relationship = Relationship::first(hospital);
        let sealed =
            self.seal_wallet(&call.name, Role::Patient, &phrase, &[relationship], &[], &passphrase).await?;
        let identity = Identity::derive(&phrase.to_seed(), relationship);
        self.register(&identity).await?;
        let person = self.keep_wallet(&sealed, &passphrase).await?;
        self.state().pending = None;
        self.session_view(&person).await
    }

    /// The pending words as text, if the answers are right.
    pub(super) fn confirmed_words(&self, answers: &[String]) -> Result<Zeroizing<String>, ApiError> {
        let state = self.state();
        let now = self.now();
        let pending = state.pending.as_ref().filter(|pending| !pending.is_over(now));
        let pending = pending.ok_or_else(|| ApiError::new(ErrorCode::NoPendingWords))?;
        let words = pending.phrase.words();
        for (place, position) in pending.ask.iter().enumerate() {
            let typed = answers.get(place).map(|answer| answer.trim().to_lowercase()).unwrap_or_default();
            if typed != words[position - 1] {
                return Err(ApiError::new(ErrorCode::WordsDiffer).with("index", position));
            }
        }
        Ok(Zeroizing::new(words.join(" ")))
    }

    /// Registers an identity; one that is registered already is fine, because its DID is that of its key.
    pub(super) async fn register(&self, identity: &Identity) -> Result<(), ApiError> {
        let _task = self.task(Task::WaitingForHospitals);
        let transaction = keyfile::registration(identity, self.network.chain());
        match self.commit(&transaction).await? {
            Ok(_) | Err(RefusalCode::IdentityExists | RefusalCode::NonceUsed) => Ok(()),
            Err(code) => Err(refusal(code)),
        }
    }

    /// Restores a wallet from its words, with every identity that is registered for them.
    pub(super) async fn restore_wallet(&self, call: RestoreWallet) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let words = Zeroizing::new(call.words);
        check_passphrase(&passphrase)?;
        let hospital = self.hospital_of(&call.hospital)?;
        let phrase = SeedPhrase::parse(&words).map_err(phrase_error)?;
        self.sync(false).await?;
        let found = self.identities_of(phrase.to_seed(), hospital).await?;
        self.restore_found(&call.name, &phrase, found, &passphrase).await
    }

    /// Keeps a wallet for words whose identities were found.
    pub(super) async fn restore_found(
        &self,
        name: &str,
        phrase: &SeedPhrase,
        found: Found,
        passphrase: &str,
    ) -> Result<SessionView, ApiError> {
        let first = Identity::of(&found.seeds, found.relationships[0]);
        let practitioner: Option<Practitioner> = self.state_of(StateKey::Practitioner(first.did)).await?;
        let role = if practitioner.is_some() { Role::Clinician } else { Role::Patient };
        let Found { seeds, relationships } = &found;
        let sealed = self.seal_wallet(name, role, phrase, relationships, seeds.former(), passphrase).await?;
        let person = self.keep_wallet(&sealed, passphrase).await?;
        self.session_view(&person).await
    }

    /// The hospitals at which somebody can be registered, the first given one first.
    pub(super) fn hospitals_with_patients(&self, first: Did) -> Vec<Did> {
        let founders = self.network.genesis().organisations.iter().map(|organisation| organisation.did());
        let joined = self.client.nodes().into_iter().map(|node| node.organisation);
        let others: BTreeSet<Did> = founders.chain(joined).filter(|did| *did != first).collect();
        std::iter::once(first).chain(others).take(keyfile::RELATIONSHIPS_MAX).collect()
    }

    async fn seal_wallet(
        &self,
        name: &str,
        role: Role,
        phrase: &SeedPhrase,
        relationships: &[Relationship],
        former: &[Seed],
        passphrase: &str,
    ) -> Result<Vec<u8>, ApiError> {
        let _task = self.task(Task::Unlocking);
        platform::sleep(BREATH).await;
        let chain = self.network.chain();
        let new = NewWallet { name, role, phrase, relationships, former, chain, created: self.now() };
        let params = self.passphrase_params();
        let sealed = keyfile::seal(&new, passphrase, params, &mut SystemEntropy);
        sealed.map(|(_, bytes)| bytes).map_err(keyfile_error)
    }

    /// Writes a new wallet file and opens it from its bytes: what cannot be opened must be known now.
    async fn keep_wallet(&self, sealed: &[u8], passphrase: &str) -> Result<Arc<Person>, ApiError> {
        let header = KeyFileHeader::read(sealed).map_err(keyfile_error)?;
        let _alone = self.files.lock().await;
        self.store.write(&header.id.file_name(), sealed).map_err(storage)?;
        self.open_wallet(sealed, passphrase).await
    }

    /// Opens a wallet's file for whoever asked to have it open; `files` is held.
    pub(super) async fn open_wallet(&self, bytes: &[u8], passphrase: &str) -> Result<Arc<Person>, ApiError> {
        let id = KeyFileHeader::read(bytes).map_err(keyfile_error)?.id;
        let mut failed = None;
        let open = || {
            let wallet = keyfile::open(bytes, passphrase)?;
            Ok(Arc::new(Person::new(wallet, |keys| {
                DeviceState::load(self.store.as_ref(), id, keys).unwrap_or_else(|error| {
                    failed = Some(error);
                    DeviceState::default()
                })
            })))
        };
        let person = self.try_passphrase(id, open).await?;
        if let Some(error) = failed {
            return Err(storage(error));
        }
        self.touch();
        self.state().person = Some(Arc::clone(&person));
        Ok(person)
    }

    pub(super) fn hospital_of(&self, text: &str) -> Result<Did, ApiError> {
        let is_hospital = |did: &Did| self.network.knows(did) || self.client.node_of(*did).is_some();
        let hospital = text.parse().ok().filter(is_hospital);
        hospital.ok_or_else(|| ApiError::new(ErrorCode::BadRequest).with("field", "hospital"))
    }

    /// Opens a wallet.
    pub(super) async fn unlock(&self, call: Unlock) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let person = {
            let _alone = self.files.lock().await;
            let name = self.file_of(&call.id)?;
            let bytes = self.store.read(&name).map_err(storage)?;
            let bytes = bytes.ok_or_else(|| ApiError::new(ErrorCode::NoSuchWallet))?;
            self.open_wallet(&bytes, &passphrase).await?
        };
        self.session_view(&person).await
    }

    pub(super) fn file_of(&self, id: &str) -> Result<String, ApiError> {
        let found = self.wallets()?.into_iter().find(|(_, entry)| entry.id == id);
        found.map(|(name, _)| name).ok_or_else(|| ErrorCode::NoSuchWallet.into())
    }

    /// Forgets the keys.
    pub(super) fn lock(&self) {
        self.state().close();
    }

    /// Removes a wallet from this device.
    pub(super) async fn remove_wallet(&self, call: &RemoveWallet) -> Result<(), ApiError> {
        let _alone = self.files.lock().await;
        let name = self.file_of(&call.id)?;
        // Held until nothing is left, so that no call which is still under way writes to what is beside the file.
        let mut state = self.state();
        if state.person.as_ref().is_some_and(|person| person.owner.id.to_string() == call.id) {
            state.close();
        }
        let bytes = self.store.read(&name).map_err(storage)?.unwrap_or_default();
        if let Ok(header) = KeyFileHeader::read(&bytes) {
            for file in [device_state::file_name(header.id), guard::file_name(header.id)] {
                self.store.remove(&file).map_err(storage)?;
            }
        }
        self.store.remove(&name).map_err(storage)
    }

    /// People of the demonstration, with their files; none outside one, or while they cannot be reached.
    async fn demo_people(&self) -> Vec<(DemoPersonView, String)> {
        if !self.network.is_demo() {
            return Vec::new();
        }
        if let Some(known) = self.state().demo_people.clone() {
            return known;
        }
        let Ok(bytes) = self.demo.fetch(DEMO_PEOPLE_FILE).await else { return Vec::new() };
        let Ok(entries) = serde_json::from_slice::<Vec<DemoEntry>>(&bytes) else { return Vec::new() };
        let people: Vec<_> = entries.into_iter().take(DEMO_PEOPLE_MAX).map(person).collect();
        self.state().demo_people = Some(people.clone());
        people
    }

    /// Copies a demonstration person's encrypted wallet onto this device.
    pub(super) async fn add_demo_person(&self, call: &AddDemoPerson) -> Result<WalletEntry, ApiError> {
        let found = self.demo_people().await.into_iter().find(|(person, _)| person.id == call.id);
        let (_, file) = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let bytes = self.demo.fetch(&file).await?;
        let header = KeyFileHeader::read(&bytes).map_err(keyfile_error)?;
        if header.chain != self.network.chain() {
            return Err(internal("the demonstration's wallet is of another network"));
        }
        self.store.write(&header.id.file_name(), &bytes).map_err(storage)?;
        let role = convert::role(header.role);
        Ok(WalletEntry { id: header.id.to_string(), name: header.name, role })
    }
}

fn person(entry: DemoEntry) -> (DemoPersonView, String) {
    let DemoEntry { id, name, role, about_en, about_zh, file } = entry;
    (DemoPersonView { id, name, role, about_en, about_zh }, file)
}

pub(super) fn check_passphrase(passphrase: &str) -> Result<(), ApiError> {
    if strength::judge(passphrase).accepted { Ok(()) } else { Err(ErrorCode::WeakPassphrase.into()) }
}

/// Different positions from 1, ascending, evenly drawn.
fn positions_to_ask(entropy: &mut impl Entropy) -> Vec<usize> {
    let mut positions: Vec<usize> = (1..=PHRASE_WORDS).collect();
    while positions.len() > WORDS_ASKED {
        let mut byte = [0];
        entropy.fill(&mut byte);
        // Draws beyond the last whole multiple are thrown away, so that every position is as likely.
        let count = positions.len();
        let drawn = usize::from(byte[0]);
        if drawn < 256 / count * count {
            positions.remove(drawn % count);
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;

    #[test]
    fn three_different_words_are_asked_for_in_order_and_each_at_times() {
        let mut entropy = SeededEntropy::new(1);
        let mut seen = [false; PHRASE_WORDS];
        for _ in 0..200 {
            let asked = positions_to_ask(&mut entropy);
            assert!(
                asked.len() == WORDS_ASKED && asked.windows(2).all(|pair| pair[0] < pair[1]),
                "{asked:?}"
            );
            asked.iter().for_each(|position| seen[position - 1] = true);
        }
        assert_eq!(seen, [true; PHRASE_WORDS]);
    }
}
