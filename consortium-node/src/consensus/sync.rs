//! Catching up: fetches certified blocks from peers, and hands them to the driver in order.

use crate::network::{Network, PeerRequest, PeerResponse};
use amulet_pbft::ValidatorKeys;
use amulet_pbft::certificate::check_commit_certificate;
use amulet_protocol::block::{UntrustedCertifiedBlock, transactions_tree};
use amulet_protocol::ids::{Height, ReplicaId};

/// A block that a quorum has committed: its certificate holds, and its transactions are those of its header. Only
/// [`fetch`] makes one.
pub(super) struct CommittedBlock(UntrustedCertifiedBlock);

impl CommittedBlock {
    /// The block and its certificate.
    pub(super) fn into_inner(self) -> UntrustedCertifiedBlock {
        self.0
    }
}

/// Asks `hint` first, then the others in turn, for blocks from `from` on; returns what the first honest answer holds. Who
/// sends anything that is not committed is passed over: a peer must not be able to keep this node behind, nor to stop it
/// by a body that cannot be executed under a header that a quorum signed.
pub(super) async fn fetch(
    network: Network,
    keys: ValidatorKeys,
    from: Height,
    hint: ReplicaId,
    others: Vec<ReplicaId>,
) -> Vec<CommittedBlock> {
    for replica in std::iter::once(hint).chain(others.into_iter().filter(|replica| *replica != hint)) {
        let Some(PeerResponse::Blocks(blocks)) = network.ask(replica, PeerRequest::Blocks { from }).await
        else {
            continue;
        };
        let keys = keys.clone();
        let proven = tokio::task::spawn_blocking(move || committed(blocks, from, &keys));
        match proven.await {
            Ok(Some(blocks)) if !blocks.is_empty() => return blocks,
            Ok(None) => tracing::warn!(replica = replica.0, "peer sent blocks that were never committed"),
            Ok(Some(_)) | Err(_) => {}
        }
    }
    Vec::new()
}

/// The blocks if all of them are committed, and follow each other from this height on.
fn committed(
    blocks: Vec<UntrustedCertifiedBlock>,
    from: Height,
    keys: &ValidatorKeys,
) -> Option<Vec<CommittedBlock>> {
    let is_committed = |(certified, height): (&UntrustedCertifiedBlock, u64)| {
        let UntrustedCertifiedBlock { block, certificate } = certified;
        (block.header.height, certificate.vote.height) == (Height(height), Height(height))
            && certificate.vote.header_hash == block.hash()
            && transactions_tree(&block.transactions).root() == block.header.transactions_root
            && check_commit_certificate(certificate, keys).is_ok()
    };
    blocks.iter().zip(from.0..).all(is_committed).then(|| blocks.into_iter().map(CommittedBlock).collect())
}
