//! Who takes part: hospitals with one validator each, patients, and practitioners who treat them.

use amulet_contracts::testing::{self, Actor};
use amulet_crypto::signing::{PublicKey, SigningKey};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::ChainId;
use amulet_protocol::validators::ValidatorSet;
use std::sync::Arc;

/// Where the numbers of actors' keys begin, by their part.
const HOSPITALS: u64 = 1_000;
const PATIENTS: u64 = 10_000;
const PRACTITIONERS: u64 = 20_000;

/// The consortium and the keys of its hospitals.
pub struct Cast {
    /// The hospitals, in the order of their replicas.
    pub hospitals: Vec<Actor>,
    /// The genesis document.
    pub genesis: Genesis,
    /// Its chain.
    pub chain: ChainId,
    /// The validators at the start.
    pub validators: Arc<ValidatorSet>,
}

impl Cast {
    /// A consortium of so many replicas; always the same for a number.
    ///
    /// # Panics
    /// With fewer than four or more than a hundred.
    #[must_use]
    pub fn new(replicas: u16) -> Self {
        let hospitals: Vec<Actor> = (0..u64::from(replicas)).map(|id| Actor::new(HOSPITALS + id)).collect();
        let genesis = testing::genesis(&hospitals);
        let validators = genesis.validate().expect("4 to 100 hospitals make a validator set");
        Self { chain: genesis.chain_id(), validators: Arc::new(validators), hospitals, genesis }
    }

    /// The SM2 key of a validator.
    #[must_use]
    pub fn signing_key(&self, key: &PublicKey) -> Option<&SigningKey> {
        let mut keys = self.hospitals.iter().map(|hospital| &hospital.signing);
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
