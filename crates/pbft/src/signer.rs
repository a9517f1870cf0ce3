//! How the core signs. A signature is a pure function of key and message (SM2 with RFC 6979 nonces), so signing keeps
//! `step` deterministic, and a replica's own messages need no round trip through the driver before they count.

use std::sync::Arc;

use amulet_crypto::signing::{Signature, SigningContext, SigningKey};
pub use amulet_protocol::consensus::Signer;
use amulet_protocol::consensus::signing_domain;
use amulet_protocol::ids::{ChainId, Epoch};

/// Signs with an SM2 key in one epoch of a chain.
pub struct KeySigner {
    key: Arc<SigningKey>,
    chain: ChainId,
    epoch: Epoch,
}

impl KeySigner {
    /// A signer for `key` in an epoch of `chain`.
    #[must_use]
    pub fn new(key: Arc<SigningKey>, chain: ChainId, epoch: Epoch) -> Self {
        Self { key, chain, epoch }
    }
}

impl Signer for KeySigner {
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
        self.key.sign(context, &signing_domain(context, self.chain, self.epoch), message)
    }
}
