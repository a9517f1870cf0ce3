//! Transactions whose signatures this node has checked, so that it checks each once: when it comes in, not again when it
//! comes from another hospital too, nor when it stands in a block.

use crate::ledger::VerifiedTransactions;
use amulet_protocol::ids::ChainId;
use amulet_protocol::transaction::{HashedTransaction, SealedId, SignedTransaction, TransactionError};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Transactions remembered, of 32 bytes each: several times what the queue and the blocks in flight hold.
pub const VERIFIED_MAX: usize = 65_536;

/// What is known; cheap to clone. Beyond [`VERIFIED_MAX`] the oldest are forgotten, which costs a check.
#[derive(Clone, Default)]
pub struct Verified(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    verified: BTreeSet<SealedId>,
    /// The same, the oldest first.
    order: VecDeque<SealedId>,
    /// Under verification in some thread; as many as there are threads.
    under_way: BTreeSet<SealedId>,
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Checked {
    /// Its signature is right.
    Right(Box<SignedTransaction>),
    /// It is not to be believed.
    Wrong(TransactionError),
    /// Another thread is checking the same one right now.
    Elsewhere,
}

impl Verified {
    /// Checks a transaction's signature, unless that was done before or is being done.
    #[must_use]
    pub fn check(&self, hashed: HashedTransaction, chain: ChainId) -> Checked {
        let id = hashed.sealed_id();
        let checked = {
            let mut known = self.lock();
            if known.verified.contains(&id) {
                drop(known);
                hashed.verified_before(chain)
            } else if !known.under_way.insert(id) {
                return Checked::Elsewhere;
            } else {
                drop(known);
                let checked = hashed.verify(chain);
                let mut known = self.lock();
                known.under_way.remove(&id);
                if checked.is_ok() {
                    known.remember(id);
                }
                checked
            }
        };
        match checked {
            Ok(transaction) => Checked::Right(Box::new(transaction)),
            Err(error) => Checked::Wrong(error),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, id: SealedId) {
        if self.order.len() == VERIFIED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.verified.remove(&oldest);
        }
        if self.verified.insert(id) {
            self.order.push_back(id);
        }
    }
}

impl VerifiedTransactions for Verified {
    fn contains(&self, id: SealedId) -> bool {
        self.lock().verified.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_contracts::testing::Actor;
    use amulet_crypto::digest::Digest;
    use amulet_protocol::ids::Nonce;

    #[test]
    fn a_known_transaction_with_another_signature_is_checked_by_itself() {
        let chain = ChainId(Digest::ZERO);
        let (actor, other) = (Actor::new(1), Actor::new(2));
        let good = actor.sign_numbered(chain, Nonce(1), actor.registration());
        let verified = Verified::default();
        assert!(matches!(verified.check(good.as_untrusted().clone().hashed(), chain), Checked::Right(_)));
        assert!(verified.contains(good.sealed_id()));
        let mut forged = good.as_untrusted().clone();
        forged.signature =
            other.sign_numbered(chain, Nonce(1), other.registration()).as_untrusted().signature;
        assert!(!verified.contains(forged.clone().hashed().sealed_id()));
        assert!(matches!(
            verified.check(forged.hashed(), chain),
            Checked::Wrong(TransactionError::Signature)
        ));
    }

    #[test]
    fn what_is_known_on_one_chain_is_refused_on_another() {
        let (chain, other) = (ChainId(Digest::ZERO), ChainId(Digest::from_bytes([1; 32])));
        let actor = Actor::new(1);
        let good = actor.sign_numbered(chain, Nonce(1), actor.registration()).as_untrusted().clone().hashed();
        let verified = Verified::default();
        assert!(matches!(verified.check(good.clone(), chain), Checked::Right(_)));
        assert!(matches!(verified.check(good, other), Checked::Wrong(TransactionError::Chain { .. })));
    }
}
