//! Signatures of validators whose keys were prepared: each check costs half or less of a stranger's.

use alloc::collections::BTreeMap;
use amulet_crypto::signing::{PreparedKey, PublicKey, Signature, SigningContext};
use amulet_protocol::certificate::{Sm2Votes, VoteCheck};
use amulet_protocol::ids::ChainId;
use amulet_protocol::validators::ValidatorSet;

/// Headers of one set from which on preparing its keys pays: a key takes as long to prepare as some twenty signatures take
/// longer without, and two thirds of the set sign each header.
pub(crate) const HEADERS_THAT_PAY: usize = 32;

/// The prepared keys of a validator set, 86 KiB each.
#[derive(Default)]
pub(crate) struct KnownKeys(BTreeMap<PublicKey, PreparedKey>);

impl KnownKeys {
    /// Those of this set. The ones that are known already, because few validators change at a time, are kept.
    pub(crate) fn renewed(mut self, validators: &ValidatorSet) -> Self {
        let mut prepare = |key: &PublicKey| {
            let known = self.0.remove(key).unwrap_or_else(|| PreparedKey::new(key.clone()));
            (key.clone(), known)
        };
        Self(validators.members().iter().map(|member| prepare(&member.key)).collect())
    }
}

impl VoteCheck for KnownKeys {
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool {
        match self.0.get(key) {
            Some(known) => known.verify(SigningContext::Commit, &chain.tag(), message, signature).is_ok(),
            None => Sm2Votes.is_valid(key, chain, message, signature),
        }
    }
}
