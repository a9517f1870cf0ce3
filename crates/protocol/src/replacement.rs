//! Replacing the keys that speak for a DID: after a device was lost, or because keys have grown old.
//!
//! The DID stays, and with it the history, the records and every grant. From the block on that holds it the keys before
//! speak for nobody; what was sealed to the agreement key before opens with it still, so its holder carries it on.

use crate::ids::{ChainId, Did};
use alloc::vec::Vec;
use amulet_crypto::digest::Tag;
use amulet_crypto::sealed_box::{AgreementPublicKey, SealContext, SealedBox};
use amulet_crypto::signing::{PublicKey, Signature, SigningContext, SigningKey};
use borsh::{BorshDeserialize, BorshSerialize};

const FORMER_SEED: Tag = Tag::new("amulet/v1/former-seed");

/// Replace the keys that speak for the sender; signed by the key before.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReplaceKeys {
    /// Key that signs for the DID from now on; speaks and spoke for no DID.
    pub signing: PublicKey,
    /// Key that data keys are sealed to from now on.
    pub agreement: AgreementPublicKey,
    /// The new signing key's signature that its holder speaks for the sender.
    pub possession: Signature,
    /// What opens the keys before, sealed to the new agreement key, at most
    /// [`FORMER_SEED_BOX_BYTES_MAX`](crate::limits::FORMER_SEED_BOX_BYTES_MAX): whoever has the new recovery words needs
    /// it for what was sealed before.
    pub former: SealedBox,
}

/// What the new key signs.
#[derive(BorshSerialize)]
struct Possession<'a> {
    identity: Did,
    signing: &'a PublicKey,
    agreement: &'a AgreementPublicKey,
}

impl ReplaceKeys {
    /// A replacement of `identity`'s keys, signed by the new signing key.
    #[must_use]
    pub fn sign(
        identity: Did,
        signing: &SigningKey,
        agreement: AgreementPublicKey,
        former: SealedBox,
        chain: ChainId,
    ) -> Self {
        let message = possession(identity, signing.public_key(), &agreement);
        let possession = signing.sign(SigningContext::KeyPossession, &chain.tag(), &message);
        Self { signing: signing.public_key().clone(), agreement, possession, former }
    }

    /// Whether the holder of the new key signed that they speak for `identity` on this chain.
    #[must_use]
    pub fn is_possessed(&self, identity: Did, chain: ChainId) -> bool {
        let message = possession(identity, &self.signing, &self.agreement);
        let context = SigningContext::KeyPossession;
        self.signing.verify(context, &chain.tag(), &message, &self.possession).is_ok()
    }
}

fn possession(identity: Did, signing: &PublicKey, agreement: &AgreementPublicKey) -> Vec<u8> {
    crate::codec::encode(&Possession { identity, signing, agreement })
}

/// What the box of a [`ReplaceKeys`] is bound to.
#[must_use]
pub fn former_seed_context(identity: Did) -> SealContext {
    SealContext::new(FORMER_SEED, &[identity.as_bytes()])
}
