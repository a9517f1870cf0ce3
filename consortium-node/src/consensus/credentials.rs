//! Which of the validators a node is, how it signs, and how others' signatures are checked.

use amulet_crypto::signing::SigningKey;
use amulet_pbft::{KeySigner, Signer, ValidatorKeys, Verifier};
use amulet_protocol::ids::{ChainId, Epoch, ReplicaId};
use amulet_protocol::validators::ValidatorSet;
use std::sync::Arc;

/// A verifier that may be used from several threads.
pub type SharedVerifier = Arc<dyn Verifier + Send + Sync>;

/// A node's key as a validator. A seam: everything that ships uses [`ValidatorKey`]; a simulator that runs hours of a
/// consortium in seconds has cheap signatures.
pub trait Credentials: Send + Sync {
    /// The node's number in this set; `None` if it is no member.
    fn replica(&self, validators: &ValidatorSet) -> Option<ReplicaId>;

    /// Signs for the node in this epoch of a chain.
    fn signer(&self, chain: ChainId, epoch: Epoch) -> Box<dyn Signer>;

    /// Checks the signatures of these validators, whose epoch it is.
    fn verifier(&self, chain: ChainId, epoch: Epoch, validators: &ValidatorSet) -> SharedVerifier;
}

/// An SM2 key.
pub struct ValidatorKey(Arc<SigningKey>);

impl ValidatorKey {
    /// The credentials that this key gives.
    #[must_use]
    pub fn new(key: Arc<SigningKey>) -> Self {
        Self(key)
    }
}

impl Credentials for ValidatorKey {
    fn replica(&self, validators: &ValidatorSet) -> Option<ReplicaId> {
        validators.find(self.0.public_key())
    }

    fn signer(&self, chain: ChainId, epoch: Epoch) -> Box<dyn Signer> {
        Box::new(KeySigner::new(self.0.clone(), chain, epoch))
    }

    fn verifier(&self, chain: ChainId, epoch: Epoch, validators: &ValidatorSet) -> SharedVerifier {
        Arc::new(ValidatorKeys::new(chain, epoch, validators.clone()))
    }
}
