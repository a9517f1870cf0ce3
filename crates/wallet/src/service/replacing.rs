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
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::Call;
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Height, Timestamp, TxId};
use amulet_protocol::replacement::{self, former_seed_context};
use amulet_protocol::state::{Identity as IdentityState, StateKey};
use amulet_protocol::transaction::SignedTransaction;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::Service;
use super::error::{internal, phrase as phrase_error, storage};
use super::session::{Owner, Person, Session};
use crate::device_state::DeviceState;
use crate::identity::{Identity, Relationship, Seeds};
use crate::keyfile;

/// The identities that a wallet's words give, and the seeds that they need.
pub(super) struct Found {
    pub seeds: Seeds,
    /// At least one; that of the hospital which was named first.
    pub relationships: Vec<Relationship>,
}

/// A seed, those before it, and of each of these a block that replaced it.
struct Before {
    seeds: Seeds,
    until: Vec<Height>,
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
            powerless: is_replaced_everywhere(person),
        }
    }

    /// Replaces all keys by those of the words just shown.
    pub(super) async fn replace_keys(&self, call: ReplaceKeys) -> Result<KeysView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let person = self.person()?;
        let words = self.confirmed_words(&call.answers)?;
        let phrase = SeedPhrase::parse(&words).map_err(phrase_error)?;
        // One replacement after another: each is signed by the keys before it. What is refused of one identity, or was taken by
        // somebody else, must not forbid protecting the others.
        self.follow_all(&person).await?;
        if is_replaced_everywhere(&person) {
            return Err(ErrorCode::KeysReplaced.into());
        }
        match self.finish_replacing(&person).await {
            Err(error) if !is_refusal(&error) => return Err(error),
            _ => {}
        }
        let person = self.take_words(&person.owner, &phrase, &passphrase).await?;
        // From here on nothing is an error: the new words are in the file, and whoever were told that nothing was changed might
        // throw them away. What a lost connection leaves undone is done later, and shown as waiting until then.
        self.go_on_replacing().await;
        Ok(self.keys_view(&person))
    }

    /// Puts new words into the file of the open wallet, and has it open with them: both, or neither.
    async fn take_words(
        &self,
        owner: &Arc<Owner>,
        phrase: &SeedPhrase,
        passphrase: &str,
    ) -> Result<Arc<Person>, ApiError> {
        let _alone = self.files.lock().await;
        let bytes = self.file_bytes(owner)?;
        let replace = || {
            let changed = keyfile::replace_words(&bytes, passphrase, phrase, &mut SystemEntropy)?;
            let opened = keyfile::open(&changed, passphrase)?;
            Ok((changed, Arc::new(Person::new(opened, |_| DeviceState::default()))))
        };
        let (changed, person) = self.try_passphrase(owner.id, replace).await?;
        let device = owner.device();
        let mut state = self.state();
        // Whoever locked the wallet meanwhile must not find it open again.
        state.opened_by(owner)?;
        self.store.write(&owner.id.file_name(), &changed).map_err(storage)?;
        *person.owner.device() = device.clone();
        state.person = Some(Arc::clone(&person));
        // Nobody is to be shown these words as new again.
        state.pending = None;
        Ok(person)
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

    /// What the ledger refuses concerns one identity alone: the others go on, and the first refusal is the error. Anything else,
    /// as a lost connection, ends it: what is left keeps its order.
    async fn finish_replacing(&self, person: &Person) -> Result<(), ApiError> {
        let mut refused = None;
        for session in oldest_first(person) {
            match self.finish_one(session).await {
                Err(error) if is_refusal(&error) => {
                    refused.get_or_insert(error);
                }
                finished => finished?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    async fn finish_one(&self, session: &Session) -> Result<(), ApiError> {
        while standing(session) == Standing::Waiting {
            self.replace_once(session).await?;
            self.follow(session).await?;
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
    /// Whoever has words from before a replacement can still register identities in their name, and replace the keys of those. None
    /// of that may hide what is the person's: a newer seed's identity comes before an older one's, those that are somebody else's
    /// are left out, and what was made after its seed was replaced is nobody's.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::WordsReplaced`] when other words took the place of these at all hospitals.
    pub(super) async fn identities_of(&self, seed: Seed, named: Did) -> Result<Found, ApiError> {
        let hospitals = self.hospitals_with_patients(named);
        let Before { seeds, until } = self.seeds_before(seed, &hospitals).await?;
        let mut relationships: Vec<Relationship> = Vec::new();
        let mut is_replaced = false;
        for made_under in (0..=seeds.former().len()).rev() {
            let made: Vec<Identity> = hospitals
                .iter()
                .filter(|hospital| !relationships.iter().any(|known| known.hospital == **hospital))
                .map(|hospital| Identity::of(&seeds, Relationship::made_under(*hospital, made_under)))
                .collect();
            let keys: Vec<StateKey> = made.iter().map(|identity| StateKey::Identity(identity.did)).collect();
            let states = self.states_of::<IdentityState>(&keys).await?;
            for (identity, state) in made.iter().zip(states) {
                let is_late = |state: &IdentityState| {
                    until.get(made_under).is_some_and(|until| state.registered > *until)
                };
                let Some(state) = state.filter(|state| !is_late(state)) else { continue };
                if identity.signing_keys().any(|key| *key.public_key() == state.signing) {
                    relationships.push(Relationship::made_under(identity.hospital, made_under));
                } else {
                    is_replaced = true;
                }
            }
        }
        if relationships.is_empty() {
            let not_found = ApiError::new(ErrorCode::NotFound).with("what", "identity");
            return Err(if is_replaced { ErrorCode::WordsReplaced.into() } else { not_found });
        }
        relationships.sort_by_key(|known| (known.hospital != named, known.made_under));
        Ok(Found { seeds, relationships })
    }

    /// The seeds before this one, from the ledger: each replacement carries the seed before it, sealed to the new key. The
    /// identity that was replaced most often has been there longest, and knows them all.
    async fn seeds_before(&self, seed: Seed, hospitals: &[Did]) -> Result<Before, ApiError> {
        let derive = |hospital: &Did| Identity::derive(&seed, Relationship::first(*hospital));
        let own: Vec<Identity> = hospitals.iter().map(derive).collect();
        let keys: Vec<StateKey> = own.iter().map(|identity| StateKey::SpeaksFor(identity.did)).collect();
        let mut longest: Vec<(Seed, Height)> = Vec::new();
        for (identity, did) in own.iter().zip(self.states_of::<Did>(&keys).await?) {
            let Some(did) = did else { continue };
            let former = self.former_seeds(did, identity).await?;
            if former.len() > longest.len() {
                longest = former;
            }
        }
        let (former, until) = longest.into_iter().unzip();
        Ok(Before { seeds: Seeds::with_former(former, seed), until })
    }

    /// The seeds before that of `newest`, whose keys now speak for `did`, and the blocks that replaced them; the oldest first.
    async fn former_seeds(&self, did: Did, newest: &Identity) -> Result<Vec<(Seed, Height)>, ApiError> {
        let history =
            self.client.history(did, HistoryHead::default()).await.map_err(|error| self.light(error))?;
        let replaced: Vec<(TxId, Height)> = history
            .entries
            .iter()
            .filter(|entry| entry.event == Event::KeysReplaced { identity: did })
            .map(|entry| (entry.transaction, entry.height))
            .collect();
        let ids: Vec<TxId> = replaced.iter().map(|(id, _)| *id).collect();
        let found = self.client.transactions(&ids).await.map_err(|error| self.light(error))?;
        let mut seeds: Vec<(Seed, Height)> = Vec::new();
        for (id, height) in replaced.iter().rev() {
            let transaction = found.iter().find(|transaction| transaction.id() == *id);
            let own =
                seeds.last().map(|(seed, _)| Identity::derive(seed, Relationship::first(newest.hospital)));
            let seed =
                transaction.and_then(|transaction| seed_in(transaction, did, own.as_ref().unwrap_or(newest)));
            // Nobody but this person can have sealed it; what is no seed ends the search, and what it would have given is not found.
            let Some(seed) = seed else { break };
            seeds.push((seed, *height));
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
    let replaced = replacements(session);
    // The first key was registered; each of the others was put in force by a replacement.
    let own = session.identity.signing_keys().skip(1);
    if replaced.iter().zip(own).any(|(entry, key)| !puts_in_force(session, entry, key)) {
        return Standing::Elsewhere;
    }
    match replaced.len().cmp(&session.identity.former.len()) {
        std::cmp::Ordering::Less => Standing::Waiting,
        std::cmp::Ordering::Equal => Standing::Settled,
        std::cmp::Ordering::Greater => Standing::Elsewhere,
    }
}

/// Whether it is this key that a replacement of the session's keys put in force.
fn puts_in_force(session: &Session, entry: &HistoryEntry, key: &SigningKey) -> bool {
    let transaction = session.transaction(entry.transaction);
    transaction.is_some_and(|transaction| match &transaction.transaction().call {
        Call::ReplaceKeys(call) => call.signing == *key.public_key(),
        _ => false,
    })
}

/// Whether keys that this wallet has not speak for one of its identities.
pub(super) fn is_replaced_elsewhere(person: &Person) -> bool {
    person.sessions().iter().any(|session| standing(session) == Standing::Elsewhere)
}

/// Whether keys that this wallet has not speak for all of its identities.
pub(super) fn is_replaced_everywhere(person: &Person) -> bool {
    person.sessions().iter().all(|session| standing(session) == Standing::Elsewhere)
}

/// When somebody else last replaced the keys of one of the identities.
pub(super) fn replaced_elsewhere_at(person: &Person) -> Option<Timestamp> {
    let taken = person.sessions().iter().filter(|session| standing(session) == Standing::Elsewhere);
    taken.flat_map(|session| replacements(session)).map(|entry| entry.time).max()
}

/// The identities, those made under the oldest seeds first: new words find the seeds before them by what was replaced with them,
/// and only the oldest identity knows them all.
fn oldest_first(person: &Person) -> Vec<&Arc<Session>> {
    let mut sessions: Vec<_> = person.sessions().iter().collect();
    sessions.sort_by_key(|session| session.relationship.made_under);
    sessions
}

/// Whether an error is the ledger's no to a replacement.
fn is_refusal(error: &ApiError) -> bool {
    matches!(error.code, ErrorCode::Refused | ErrorCode::KeysReplaced)
}

/// The entries that tell of replacements of the session's own keys.
fn replacements(session: &Session) -> Vec<HistoryEntry> {
    let event = Event::KeysReplaced { identity: session.did() };
    session.cache().entries.iter().filter(|entry| entry.event == event).cloned().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::passphrase::PassphraseParams;
    use amulet_protocol::ids::ChainId;

    #[test]
    fn the_oldest_identity_is_replaced_first_whichever_the_wallet_names_first() {
        let mut entropy = SeededEntropy::new(1);
        let mut phrase = || SeedPhrase::generate(amulet_crypto::kdf::Language::English, &mut entropy);
        let (newest, former) = (phrase(), [phrase().to_seed(), phrase().to_seed()]);
        let hospital = || Did::of_key(SigningKey::generate(&mut SystemEntropy).public_key());
        let relationships = [2, 0, 1].map(|made_under| Relationship::made_under(hospital(), made_under));
        let new = keyfile::NewWallet {
            name: "王芳",
            role: keyfile::Role::Patient,
            phrase: &newest,
            relationships: &relationships,
            former: &former,
            chain: ChainId(amulet_crypto::digest::sm3(b"chain")),
            created: Timestamp(0),
        };
        let params = PassphraseParams::floor(&mut SystemEntropy);
        let (_, file) = keyfile::seal(&new, "a passphrase", params, &mut SystemEntropy).unwrap();
        let wallet = keyfile::open(&file, "a passphrase").unwrap();
        let person = Person::new(wallet, |_| DeviceState::default());
        let order: Vec<_> =
            oldest_first(&person).into_iter().map(|session| session.relationship.made_under).collect();
        assert_eq!(order, [0, 1, 2]);
    }
}
