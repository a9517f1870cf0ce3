//! A certificate beside the bare signatures in it.

use crate::clock;
use crate::consortium::{Change, LongChain};
use amulet_crypto::signing::{PreparedKey, PublicKey, Signature, SigningContext};
use amulet_protocol::certificate::{UntrustedSignedHeader, VoteCheck};
use amulet_protocol::ids::ChainId;
use amulet_protocol::validators::ValidatorSet;
use std::collections::BTreeMap;
use std::hint::black_box;

/// Validators of which 67 are a quorum.
const VALIDATORS: usize = 100;

/// Seconds for one certificate of 67 signatures, and for as many bare checks; medians of rounds that took turns.
pub struct Certificate {
    /// Of any keys.
    pub checked: f64,
    pub bare: f64,
    /// Of prepared keys.
    pub checked_known: f64,
    pub bare_known: f64,
    /// To prepare one key.
    pub prepare: f64,
}

/// Checks votes by keys that were prepared before.
struct Known(BTreeMap<PublicKey, PreparedKey>);

impl VoteCheck for Known {
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool {
        self.0[key].verify(SigningContext::Commit, &chain.tag(), message, signature).is_ok()
    }
}

impl Certificate {
    pub fn measure() -> Self {
        let chain = LongChain::new(1, VALIDATORS, Change::InTurn);
        let (signed, set, id) = (chain.signed(1, 0), chain.set_at(1), chain.genesis.chain_id());
        let signatures = signatures(&signed, set);
        let (tag, message) = (id.tag(), signed.certificate.vote.signed_bytes());
        let known: Vec<_> = signatures.iter().map(|(key, _)| PreparedKey::new(key.clone())).collect();
        let by_key = known
            .iter()
            .map(|known| (known.public_key().clone(), PreparedKey::new(known.public_key().clone())));
        let votes = Known(by_key.collect());
        let context = SigningContext::Commit;
        let [checked, bare, checked_known, bare_known, prepare] = clock::seconds([
            &mut || drop(black_box(&signed).clone().verify(id, set).unwrap()),
            &mut || {
                for (key, signature) in &signatures {
                    key.verify(context, &tag, black_box(&message), signature).unwrap();
                }
            },
            &mut || drop(black_box(&signed).clone().verify_by(&votes, id, set).unwrap()),
            &mut || {
                for (key, (_, signature)) in known.iter().zip(&signatures) {
                    key.verify(context, &tag, black_box(&message), signature).unwrap();
                }
            },
            &mut || drop(black_box(PreparedKey::new(black_box(&signatures[0].0).clone()))),
        ]);
        Self { checked, bare, checked_known, bare_known, prepare }
    }

    pub fn ratio(&self) -> f64 {
        self.checked / self.bare
    }

    pub fn ratio_known(&self) -> f64 {
        self.checked_known / self.bare_known
    }
}

fn signatures(signed: &UntrustedSignedHeader, set: &ValidatorSet) -> Vec<(PublicKey, Signature)> {
    let signature =
        |(signer, signature): &(_, Signature)| (set.get(*signer).unwrap().key.clone(), *signature);
    signed.certificate.signatures.iter().map(signature).collect()
}
