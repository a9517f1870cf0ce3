//! Passing transactions on, so that whichever validator is the primary has them.

use crate::mempool::Mempool;
use crate::network::{Network, PeerRequest};
use amulet_protocol::ids::{ReplicaId, TxId};
use amulet_protocol::transaction::SignedTransaction;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often what still waits is passed on again. What was lost on the way has to be with the primary before the backups
/// that have it run out of patience with it: two looks fit into the consensus core's progress timeout.
const AGAIN_EVERY: Duration = Duration::from_millis(500);
/// Transactions passed on again at once, the oldest: enough to mend losses, little beside the load that it comes on top of.
const AGAIN_MAX: usize = 32;

/// Hands transactions to all other validators; cheap to clone.
#[derive(Clone)]
pub struct Gossip {
    network: Network,
    peers: Arc<[ReplicaId]>,
}

impl Gossip {
    /// Over this network, to these validators.
    #[must_use]
    pub fn new(network: Network, peers: impl IntoIterator<Item = ReplicaId>) -> Self {
        Self { network, peers: peers.into_iter().collect() }
    }

    /// Sends a transaction to the others and does not wait. It may be lost: [`Gossip::repeat`] sends it again.
    pub fn pass_on(&self, transaction: &SignedTransaction) {
        for peer in self.peers.iter().copied() {
            let (network, transaction) = (self.network.clone(), transaction.as_untrusted().clone());
            tokio::spawn(
                async move { network.ask(peer, PeerRequest::Transactions(vec![transaction])).await },
            );
        }
    }

    /// Passes what waits in the queue for long on again, to each peer by itself, until the node stops: a transaction that
    /// is in this queue alone, because a message was lost or a peer was away or behind, would wait until this node is the
    /// primary.
    pub async fn repeat(self, mempool: Mempool) {
        let peers = self.peers.iter().map(|peer| repeat_to(self.network.clone(), *peer, mempool.clone()));
        futures::future::join_all(peers).await;
    }
}

async fn repeat_to(network: Network, peer: ReplicaId, mempool: Mempool) {
    let mut seen: BTreeSet<TxId> = BTreeSet::new();
    loop {
        tokio::time::sleep(AGAIN_EVERY).await;
        let oldest = mempool.batch().into_iter().take(AGAIN_MAX);
        let (again, new): (Vec<_>, Vec<_>) = oldest.partition(|transaction| seen.contains(&transaction.id()));
        seen = again.iter().chain(&new).map(|transaction| transaction.id()).collect();
        if !again.is_empty() {
            let again = again.iter().map(|transaction| transaction.as_untrusted().clone()).collect();
            network.ask(peer, PeerRequest::Transactions(again)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::World;
    use amulet_contracts::testing::Actor;
    use amulet_protocol::ids::Nonce;

    #[tokio::test]
    async fn what_reached_this_queue_alone_reaches_the_others_in_the_end() {
        let world = World::new();
        let newcomer = Actor::new(50);
        let transaction = newcomer.sign_numbered(world.chain(), Nonce(1), newcomer.registration());
        world.mempool.insert(transaction.clone()).unwrap();
        let gossip = world.gossip(&world.network(&[2]));
        let repeating = tokio::spawn(gossip.repeat(world.mempool.clone()));
        world.others_mempool.subscribe().wait_for(|count| *count == 1).await.unwrap();
        assert_eq!(world.others_mempool.batch(), [std::sync::Arc::new(transaction)]);
        repeating.abort();
    }
}
