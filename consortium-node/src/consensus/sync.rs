//! Catching up: what makes blocks from a peer committed ones.

use amulet_pbft::Verifier;
use amulet_pbft::certificate::check_commit_certificate;
use amulet_protocol::block::{UntrustedCertifiedBlock, transactions_tree};
use amulet_protocol::ids::Height;

/// A block that a quorum has committed: its certificate holds, and its transactions are those of its header. Only
/// [`committed`] makes one.
pub(super) struct CommittedBlock(UntrustedCertifiedBlock);

impl CommittedBlock {
    /// The block and its certificate.
    pub(super) fn into_inner(self) -> UntrustedCertifiedBlock {
        self.0
    }

    /// Its height.
    pub(super) fn height(&self) -> Height {
        self.0.block.header.height
    }
}

/// The blocks if all of them are committed, and follow each other from this height on. A peer must not be able to stop
/// this node by a body that cannot be executed under a header that a quorum signed, so the body is compared with the
/// header before anything is executed.
pub(super) fn committed(
    blocks: Vec<UntrustedCertifiedBlock>,
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
    blocks.iter().zip(from.0..).all(is_committed).then(|| blocks.into_iter().map(CommittedBlock).collect())
}
