//! Catching up: fetches certified blocks from peers, and hands them to the driver in order.

use crate::network::{Network, PeerRequest, PeerResponse};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Height, ReplicaId};

/// Asks `hint` first, then the others in turn, for blocks from `from` on; the first non-empty answer whose heights are
/// consecutive is returned. Nothing in it is checked but that: the driver checks certificates and executes.
pub(super) async fn fetch(
    network: Network,
    from: Height,
    hint: ReplicaId,
    others: Vec<ReplicaId>,
) -> Vec<UntrustedCertifiedBlock> {
    for replica in std::iter::once(hint).chain(others.into_iter().filter(|replica| *replica != hint)) {
        if let Some(PeerResponse::Blocks(blocks)) = network.ask(replica, PeerRequest::Blocks { from }).await {
            let consecutive =
                blocks.iter().zip(from.0..).all(|(block, height)| block.block.header.height == Height(height));
            if consecutive && !blocks.is_empty() {
                return blocks;
            }
        }
    }
    Vec::new()
}
