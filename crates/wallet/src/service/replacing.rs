//! Replacing the keys of all identities: after a device was lost, nobody who has the old keys or words speaks for the person.
//!
//! The wallet file comes first: it takes the new words and keeps the seeds before. What is then left to do stands in the
//! histories, which count how often each identity's keys were replaced; an interrupted replacement goes on with the next
//! check, from wherever it stopped.

use amulet_app_api::keys::{KeysView, ReplaceKeys};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::kdf::{Seed, SeedPhrase};
use amulet_crypto::sealed_box::SealedBox;
use amulet_protocol::calls::Call;
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, TxId};
use amulet_protocol::replacement::{self, former_seed_context};
use amulet_protocol::state::{Identity as IdentityState, StateKey};
use amulet_protocol::transaction::SignedTransaction;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::Service;
use super::error::{internal, phrase as phrase_error, storage};
use super::session::{Person, Session};
use crate::identity::{Identity, Relationship, Seeds};
use crate::keyfile;

/// The identities that a wallet's words give, and the seeds that they need.
pub(super) struct Found {
    pub seeds: Seeds,
    /// At least one; that of the hospital which was named first.
    pub relationships: Vec<Relationship>,
}

impl Service {
    /// How it stands with the keys of the open wallet.
    pub(super) async fn keys(&self) -> Result<KeysView, ApiError> {
        let person = self.person()?;
        self.follow_all(&person).await?;
        Ok(self.keys_view(&person))
    }

    fn keys_view(&self, person: &Person) -> KeysView {
        let waits =
            |session: &&Arc<Session>| matches!(standing(session), Standing::Waiting | Standing::Unknown);
        let waiting = person.sessions().iter().filter(waits);
        let replaced = person.sessions().iter().flat_map(|session| replacements(session));
        KeysView {
            replaced: u32::try_from(person.owner.seeds.former().len()).unwrap_or(u32::MAX),
            at: replaced.map(|entry| entry.time.0).max(),
            waiting: waiting.map(|session| self.hospital_view(&session.identity.hospital)).collect(),
            elsewhere: is_replaced_elsewhere(person),
        }
    }

    /// Replaces all keys by those of the words just shown.
    pub(super) async fn replace_keys(&self, call: ReplaceKeys) -> Result<KeysView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let person = self.person()?;
        let words = self.confirmed_words(&call.answers)?;
        let phrase = SeedPhrase::parse(&words).map_err(phrase_error)?;
        // One replacement after another: each is signed by the keys before it.
        self.follow_all(&person).await?;
        if is_replaced_elsewhere(&person) {
            return Err(ErrorCode::KeysReplaced.into());
        }
        self.finish_replacing(&person).await?;
        let name = self.file_of(&person.owner.id.to_string())?;
        let bytes = self.store.read(&name).map_err(storage)?;
        let bytes = bytes.ok_or_else(|| ApiError::new(ErrorCode::NoSuchWallet))?;
        let replace = || keyfile::replace_words(&bytes, &passphrase, &phrase, &mut SystemEntropy);
        let changed = self.try_passphrase(person.owner.id, replace).await?;
        // Whoever locked the wallet meanwhile must not find it open again.
        if !self.state().person.as_ref().is_some_and(|open| Arc::ptr_eq(open, &person)) {
            return Err(ErrorCode::Locked.into());
        }
        self.store.write(&name, &changed).map_err(storage)?;
        let person = self.open_wallet(&changed, &passphrase).await?;
        self.state().pending = None;
        // From here on nothing is an error: the new words are in the file, and whoever were told that nothing was changed might
        // throw them away. What a lost connection leaves undone is done later, and shown as waiting until then.
        self.go_on_replacing().await;
        Ok(self.keys_view(&person))
    }

    /// Does what is left of a replacement, for the open wallet.
    pub(super) async fn go_on_replacing(&self) {
        let Ok(person) = self.person() else { return };
        if person.owner.seeds.former().is_empty() {
            return;
        }
        // What does not succeed now is tried again with the next check, and shown as waiting until then.
        if self.follow_all(&person).await.is_ok() {
            let _ = self.finish_replacing(&person).await;
        }
    }

    async fn finish_replacing(&self, person: &Person) -> Result<(), ApiError> {
        for session in person.sessions() {
            while standing(session) == Standing::Waiting {
                self.replace_once(session).await?;
                self.follow(session).await?;
            }
        }
        Ok(())
    }

    /// Has the keys that come after those in force take their place.
    async fn replace_once(&self, session: &Session) -> Result<(), ApiError> {
        let identity = &session.identity;
        let done = replacements(session).len();
        let Some(in_force) = identity.former.get(done) else { return Ok(()) };
        let (signing, agreement) = match identity.former.get(done + 1) {
            Some(next) => (&next.signing, &next.agreement),
            None => (&identity.signing, &identity.agreement),
        };
        let made_under = usize::try_from(session.relationship.made_under).unwrap_or(usize::MAX);
        let before = session.owner.seeds.after(made_under.saturating_add(done)).expose_secret();
        let agreement = agreement.public_key().clone();
        let context = former_seed_context(identity.did);
        let former = SealedBox::seal(&agreement, &context, &*before, &mut SystemEntropy).map_err(internal)?;
        let chain = self.network.chain();
        let call = replacement::ReplaceKeys::sign(identity.did, signing, agreement, former, chain);
        self.submit_by(session, &in_force.signing, Call::ReplaceKeys(Box::new(call))).await?;
        Ok(())
    }

    /// The identities that recovery words give: those made under their seed, and those whose keys were replaced by its. All
    /// hospitals are looked at: years later a person may well name the one where they are treated now, and not know the others.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::WordsReplaced`] when other words took the place of these.
    pub(super) async fn identities_of(&self, seed: Seed, named: Did) -> Result<Found, ApiError> {
        let hospitals = self.hospitals_with_patients(named);
        let seeds = self.seeds_before(seed, &hospitals).await?;
        let mut relationships: Vec<Relationship> = Vec::new();
        let mut is_replaced = false;
        for made_under in 0..=seeds.former().len() {
            let made: Vec<Identity> = hospitals
                .iter()
                .map(|hospital| Identity::of(&seeds, Relationship::made_under(*hospital, made_under)))
                .collect();
            let keys: Vec<StateKey> = made.iter().map(|identity| StateKey::Identity(identity.did)).collect();
            let states = self.states_of::<IdentityState>(&keys).await?;
            for (identity, state) in made.iter().zip(states) {
                let Some(state) = state else { continue };
                let own = identity.former.iter().map(|keys| &keys.signing).chain([&identity.signing]);
                is_replaced |= !own.into_iter().any(|key| *key.public_key() == state.signing);
                if !relationships.iter().any(|known| known.hospital == identity.hospital) {
                    relationships.push(Relationship::made_under(identity.hospital, made_under));
                }
            }
        }
        if is_replaced {
            return Err(ErrorCode::WordsReplaced.into());
        }
        if relationships.is_empty() {
            return Err(ApiError::new(ErrorCode::NotFound).with("what", "identity"));
        }
        relationships.sort_by_key(|relationship| relationship.hospital != named);
        Ok(Found { seeds, relationships })
    }

    /// The seeds before this one, from the ledger: each replacement carries the seed before it, sealed to the new key. The
    /// identity that was replaced most often has been there longest, and knows them all.
    async fn seeds_before(&self, seed: Seed, hospitals: &[Did]) -> Result<Seeds, ApiError> {
        let derive = |hospital: &Did| Identity::derive(&seed, Relationship::first(*hospital));
        let own: Vec<Identity> = hospitals.iter().map(derive).collect();
        let keys: Vec<StateKey> = own.iter().map(|identity| StateKey::SpeaksFor(identity.did)).collect();
        let mut longest: Vec<Seed> = Vec::new();
        for (identity, did) in own.iter().zip(self.states_of::<Did>(&keys).await?) {
            let Some(did) = did else { continue };
            let former = self.former_seeds(did, identity).await?;
            if former.len() > longest.len() {
                longest = former;
            }
        }
        Ok(Seeds::with_former(longest, seed))
    }

    /// The seeds before that of `newest`, whose keys now speak for `did`; the oldest first.
    async fn former_seeds(&self, did: Did, newest: &Identity) -> Result<Vec<Seed>, ApiError> {
        let history =
            self.client.history(did, HistoryHead::default()).await.map_err(|error| self.light(error))?;
        let replaced: Vec<TxId> = history
            .entries
            .iter()
            .filter(|entry| entry.event == Event::KeysReplaced { identity: did })
            .map(|entry| entry.transaction)
            .collect();
        let found = self.client.transactions(&replaced).await.map_err(|error| self.light(error))?;
        let mut seeds: Vec<Seed> = Vec::new();
        for id in replaced.iter().rev() {
            let transaction = found.iter().find(|transaction| transaction.id() == *id);
            let own = seeds.last().map(|seed| Identity::derive(seed, Relationship::first(newest.hospital)));
            let seed =
                transaction.and_then(|transaction| seed_in(transaction, did, own.as_ref().unwrap_or(newest)));
            // Nobody but this person can have sealed it; what is no seed ends the search, and what it would have given is not found.
            let Some(seed) = seed else { break };
            seeds.push(seed);
        }
        seeds.reverse();
        Ok(seeds)
    }
}

/// The seed that a replacement carries, opened by the keys which it put in force.
fn seed_in(transaction: &SignedTransaction, did: Did, newer: &Identity) -> Option<Seed> {
    let Call::ReplaceKeys(call) = &transaction.transaction().call else { return None };
    let opened = call.former.open(&newer.agreement, &former_seed_context(did)).ok()?;
    opened.as_slice().try_into().ok().map(Seed::from_bytes)
}

/// How an identity's keys stand to those that the ledger has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The newest are in force.
    Settled,
    /// Some are still to be replaced.
    Waiting,
    /// They were replaced by keys that this wallet has not.
    Elsewhere,
    /// There are older ones, and the history that tells which are in force was not loaded yet.
    Unknown,
}

/// As far as the proven history goes.
fn standing(session: &Session) -> Standing {
    if session.cache().checked.is_none() {
        let is_first = session.identity.former.is_empty();
        return if is_first { Standing::Settled } else { Standing::Unknown };
    }
    match replacements(session).len().cmp(&session.identity.former.len()) {
        std::cmp::Ordering::Less => Standing::Waiting,
        std::cmp::Ordering::Equal => Standing::Settled,
        std::cmp::Ordering::Greater => Standing::Elsewhere,
    }
}

/// Whether keys that this wallet has not speak for one of its identities.
pub(super) fn is_replaced_elsewhere(person: &Person) -> bool {
    person.sessions().iter().any(|session| standing(session) == Standing::Elsewhere)
}

/// The entries that tell of replacements of the session's own keys.
fn replacements(session: &Session) -> Vec<HistoryEntry> {
    let event = Event::KeysReplaced { identity: session.did() };
    session.cache().entries.iter().filter(|entry| entry.event == event).cloned().collect()
}
