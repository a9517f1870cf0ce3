//! How the core signs. A signature is a pure function of key and message (SM2 with RFC 6979 nonces), so signing keeps
//! `step` deterministic, and a replica's own messages need no round trip through the driver before they count.

use std::sync::Arc;

use amulet_crypto::signing::{Signature, SigningContext, SigningKey};
use amulet_protocol::ids::ChainId;

/// Signs as this replica. Must be deterministic: the same input gives the same signature, also after a restart.
pub trait Signer: Send {
    /// Signs `message` in `context`.
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature;
}

/// Signs with an SM2 key on one chain.
pub struct KeySigner {
    key: Arc<SigningKey>,
    chain: ChainId,
}

impl KeySigner {
    /// A signer for `key` on `chain`.
    #[must_use]
    pub fn new(key: Arc<SigningKey>, chain: ChainId) -> Self {
        Self { key, chain }
    }
}

impl Signer for KeySigner {
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
        self.key.sign(context, &self.chain.tag(), message)
    }
}
