//! Who takes part: hospitals with one validator each, patients, and practitioners who treat them.

use amulet_contracts::testing::{self, Actor};
use amulet_crypto::signing::{PublicKey, SigningKey};
use amulet_protocol::genesis::{Genesis, Organisation};
use amulet_protocol::governance::{Candidate, Seat};
use amulet_protocol::ids::{ChainId, Did};
use amulet_protocol::validators::ValidatorSet;
use std::sync::Arc;

/// Where the numbers of actors' keys begin, by their part.
const HOSPITALS: u64 = 1_000;
const PATIENTS: u64 = 10_000;
const PRACTITIONERS: u64 = 20_000;
const LATER_KEYS: u64 = 30_000;

/// The consortium and the keys of its hospitals.
pub struct Cast {
    /// The hospitals: those of the genesis document in the order of their replicas, then those that may join.
    pub hospitals: Vec<Actor>,
    /// How many are in the genesis document.
    pub founders: usize,
    /// Validator keys made since, each of one seat.
    later_keys: Vec<Actor>,
    /// The genesis document.
    pub genesis: Genesis,
    /// Its chain.
    pub chain: ChainId,
    /// The validators at the start.
    pub validators: Arc<ValidatorSet>,
}

impl Cast {
    /// A consortium of so many replicas, and so many hospitals that may join; always the same for the numbers.
    ///
    /// # Panics
    /// With fewer than four or more than a hundred replicas.
    #[must_use]
    pub fn new(replicas: u16, spares: u16) -> Self {
        let numbers = 0..u64::from(replicas) + u64::from(spares);
        let hospitals: Vec<Actor> = numbers.map(|id| Actor::new(HOSPITALS + id)).collect();
        let founders = usize::from(replicas);
        let genesis = testing::genesis(&hospitals[..founders]);
        let validators = genesis.validate().expect("4 to 100 hospitals make a validator set");
        let (chain, validators) = (genesis.chain_id(), Arc::new(validators));
        Self { chain, validators, hospitals, founders, later_keys: Vec::new(), genesis }
    }

    /// A key that never validated, accepted by its holder for a seat.
    pub fn new_key(&mut self, organisation: Did, seat: Option<Seat>) -> Candidate {
        let key = Actor::new(LATER_KEYS + self.later_keys.len() as u64);
        let candidate = testing::candidate(&key, self.chain, organisation, seat);
        self.later_keys.push(key);
        candidate
    }

    /// A hospital as the ledger knows it, or will know it.
    #[must_use]
    pub fn organisation(&self, hospital: u16) -> Organisation {
        let number = usize::from(hospital);
        let key = self.hospitals[number].signing.public_key().clone();
        let newcomer = || Organisation {
            name_en: format!("Newcomer {number}"),
            name_zh: format!("新医院{number}"),
            key,
        };
        self.genesis.organisations.get(number).cloned().unwrap_or_else(newcomer)
    }

    /// The SM2 key of a validator.
    #[must_use]
    pub fn signing_key(&self, key: &PublicKey) -> Option<&SigningKey> {
        let mut keys = self.hospitals.iter().chain(&self.later_keys).map(|actor| &actor.signing);
        keys.find(|signing| signing.public_key() == key)
    }
}

/// The patient of a client.
#[must_use]
pub fn patient(client: u16) -> Actor {
    Actor::new(PATIENTS + u64::from(client))
}

/// The practitioner of a client.
#[must_use]
pub fn practitioner(client: u16) -> Actor {
    Actor::new(PRACTITIONERS + u64::from(client))
}
