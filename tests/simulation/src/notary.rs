//! Evidence with signatures that the contracts can check.
//!
//! The contracts know SM2 only, and a run's consensus signatures are checksums. Where a checksum holds, the holder of the
//! key would have made an SM2 signature of the same content, and this is put in its place; where it does not hold it is left
//! as it is, and the contracts refuse it.

use crate::cast::Cast;
use crate::signatures::{Domain, sign};
use amulet_protocol::consensus::{Content, Signed, signing_domain};
use amulet_protocol::evidence::Evidence;
use amulet_protocol::ids::Epoch;
use amulet_protocol::validators::ValidatorSet;

/// The same evidence against a member of `set`, which was in force in `epoch`, with SM2 signatures.
#[must_use]
pub fn with_real_signatures(evidence: &Evidence, epoch: Epoch, set: &ValidatorSet, cast: &Cast) -> Evidence {
    let notary = Notary { epoch, set, cast };
    match evidence {
        Evidence::PrePrepares(first, second) => {
            Evidence::PrePrepares(notary.signed(first), notary.signed(second))
        }
        Evidence::Prepares(first, second) => Evidence::Prepares(notary.signed(first), notary.signed(second)),
        Evidence::Commits(first, second) => Evidence::Commits(notary.signed(first), notary.signed(second)),
        Evidence::Checkpoints(first, second) => {
            Evidence::Checkpoints(notary.signed(first), notary.signed(second))
        }
    }
}

struct Notary<'a> {
    epoch: Epoch,
    set: &'a ValidatorSet,
    cast: &'a Cast,
}

impl Notary<'_> {
    fn signed<T: Content + Clone>(&self, quick: &Signed<T>) -> Signed<T> {
        let (chain, bytes) = (self.cast.chain, quick.content.signing_bytes());
        let key = self.set.get(quick.sender).map(|member| &member.key);
        let real = key.and_then(|key| {
            let domain = Domain { chain, epoch: self.epoch };
            let holds = sign(key, domain, T::CONTEXT, &bytes) == quick.signature;
            self.cast.signing_key(key).filter(|_| holds)
        });
        let signature = real.map_or(quick.signature, |real| {
            real.sign(T::CONTEXT, &signing_domain(T::CONTEXT, chain, self.epoch), &bytes)
        });
        Signed { signature, ..quick.clone() }
    }
}
