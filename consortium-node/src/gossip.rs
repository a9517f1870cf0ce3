//! Passing transactions on, so that whichever validator is the primary has them.

use crate::network::{Network, PeerRequest};
use amulet_protocol::ids::ReplicaId;
use amulet_protocol::transaction::SignedTransaction;
use std::sync::Arc;

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

    /// Sends a transaction to the others and does not wait. It may be lost: whoever needs it sends it again.
    pub fn pass_on(&self, transaction: &SignedTransaction) {
        for peer in self.peers.iter().copied() {
            let (network, transaction) = (self.network.clone(), transaction.as_untrusted().clone());
            tokio::spawn(
                async move { network.ask(peer, PeerRequest::Transactions(vec![transaction])).await },
            );
        }
    }
}
