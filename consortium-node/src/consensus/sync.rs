//! Catching up: what makes blocks from a peer committed ones.

use amulet_pbft::Verifier;
use amulet_pbft::certificate::check_commit_certificate;
use amulet_protocol::block::{UntrustedCertifiedBlock, transactions_tree};
use amulet_protocol::ids::Height;

/// A block that a quorum has committed: its certificate holds, and its transactions are those of its header. Only
/// [`committed`] makes one, but for a planted bug.
pub(super) struct CommittedBlock(UntrustedCertifiedBlock);

impl CommittedBlock {
    /// The block and its certificate.
    pub(super) fn into_inner(self) -> UntrustedCertifiedBlock {
        self.0
    }

    /// Blocks that nobody has checked: a planted bug, and dead code in a build without them.
    pub(super) fn unproven(blocks: Vec<UntrustedCertifiedBlock>) -> Vec<Self> {
        blocks.into_iter().map(Self).collect()
    }

    /// Its height.
    pub(super) fn height(&self) -> Height {
        self.0.block.header.height
    }
}

/// The blocks if all of them are committed, and follow each other from this height on. A peer must not be able to stop
/// this node by a body that cannot be executed under a header that a quorum signed, so the body is compared with the
/// header before anything is executed.
///
/// Blocks after the one that ends the verifier's epoch are left out: who certifies them is known when it is adopted.
pub(super) fn committed(
    mut blocks: Vec<UntrustedCertifiedBlock>,
    from: Height,
    verifier: &dyn Verifier,
) -> Option<Vec<CommittedBlock>> {
    let is_committed = |(certified, height): (&UntrustedCertifiedBlock, u64)| {
        let UntrustedCertifiedBlock { block, certificate } = certified;
        (block.header.height, certificate.vote.height) == (Height(height), Height(height))
            && certificate.vote.header_hash == block.hash()
            && transactions_tree(&block.transactions).root() == block.header.transactions_root
            && check_commit_certificate(certificate, verifier).is_ok()
    };
    let ends_epoch = |certified: &UntrustedCertifiedBlock| {
        let header = &certified.block.header;
        header.next_validators_hash != header.validators_hash
    };
    if let Some(last) = blocks.iter().position(ends_epoch) {
        blocks.truncate(last + 1);
    }
    blocks.iter().zip(from.0..).all(is_committed).then(|| blocks.into_iter().map(CommittedBlock).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::consensus::{Credentials, ValidatorKey};
    use crate::ledger::{Ledger, ProposalInput};
    use amulet_contracts::testing::{Actor, candidate, certificate, genesis};
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::calls::Call;
    use amulet_protocol::governance::{RotateValidatorKey, Seat};
    use amulet_protocol::ids::{Epoch, Timestamp};
    use amulet_protocol::transaction::SignedTransaction;
    use std::sync::Arc;

    fn commit(ledger: &Ledger, hospitals: &[Actor], transactions: Vec<SignedTransaction>) {
        let view = ledger.epoch().epoch.first_view();
        let proposer = ledger.validators().primary(view);
        let input = ProposalInput { transactions, time: Timestamp(0), proposer, view };
        let block = ledger.execute(&[], input).unwrap();
        ledger.commit(&block, certificate(hospitals, block.header())).unwrap();
    }

    /// A node that was away over a change once found no peer whose answer it took.
    #[test]
    fn blocks_of_several_epochs_are_taken_up_to_the_end_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut hospitals: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let ledger = Ledger::open(&folder.path().join("ledger.redb"), &genesis(&hospitals)).unwrap();
        let (chain, seat, new) = (ledger.chain(), Seat(1), Actor::new(30));
        let candidate = candidate(&new, chain, hospitals[1].did, Some(seat));
        let rotation = RotateValidatorKey { seat, candidate, not_before: Height(0) };
        let rotation = hospitals[1].sign(chain, Call::RotateValidatorKey(Box::new(rotation)));
        commit(&ledger, &hospitals, vec![]);
        commit(&ledger, &hospitals, vec![rotation]);
        hospitals[1] = new;
        commit(&ledger, &hospitals, vec![]);
        let key = SigningKey::from_bytes(&hospitals[0].signing.expose_secret()).unwrap();
        let credentials = ValidatorKey::new(Arc::new(key));
        let taken = |from: u64, epoch: u64| {
            let set = ledger.validators_at(Height(from)).unwrap().unwrap();
            let blocks = (from..=3).map(|height| ledger.block(Height(height)).unwrap().unwrap()).collect();
            let verifier = credentials.verifier(chain, Epoch(epoch), &set);
            committed(blocks, Height(from), &*verifier).map(|blocks| blocks.len())
        };
        assert_eq!((taken(1, 0), taken(3, 1)), (Some(2), Some(1)));
    }
}
