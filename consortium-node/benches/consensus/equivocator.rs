//! Faulty primaries.

use amulet_crypto::signing::SigningKey;
use amulet_node::ledger::{Ledger, ProposalInput};
use amulet_node::mempool::Mempool;
use amulet_node::network::{ConsensusMessage, Network};
use amulet_node::node::now;
use amulet_pbft::{KeySigner, Message, Payload, Signed};
use amulet_protocol::codec;
use amulet_protocol::consensus::{PrePrepare, Proposal};
use amulet_protocol::ids::{Epoch, ReplicaId, View};
use amulet_protocol::transaction::SignedTransaction;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes messages in and does nothing.
pub async fn hear_only(mut inbox: mpsc::Receiver<ConsensusMessage>) {
    while inbox.recv().await.is_some() {}
}

/// As soon as two transactions wait, proposes two blocks at height 1 of view 0, each to half of the others.
pub async fn run(
    key: Arc<SigningKey>,
    ledger: Ledger,
    mempool: Mempool,
    network: Network,
    inbox: mpsc::Receiver<ConsensusMessage>,
) {
    let mut waiting = mempool.subscribe();
    waiting.wait_for(|count| *count >= 2).await.unwrap();
    let signer = KeySigner::new(key, ledger.chain(), Epoch(0));
    let batch = mempool.waiting(|_| true);
    let size = ledger.validators().quorum().size();
    for (index, half) in batch.chunks(batch.len().div_ceil(2)).enumerate() {
        let transactions: Vec<SignedTransaction> =
            half.iter().map(|transaction| SignedTransaction::clone(transaction)).collect();
        let input = ProposalInput { transactions, time: now(), proposer: ReplicaId(0), view: View(0) };
        let block = ledger.execute(&[], input).unwrap();
        let payload = Payload::new(codec::encode(block.block())).unwrap();
        let proposal = Proposal {
            view: View(0),
            height: block.height(),
            parent: block.header().previous,
            header_hash: block.hash(),
            payload_digest: payload.digest(),
        };
        let signed = Signed::new(PrePrepare { proposal }, ReplicaId(0), &signer);
        let bytes = Arc::new(Message::PrePrepare(signed, payload).encode(Epoch(0)));
        for other in (1..size).filter(|other| other % 2 == index) {
            network.send(ReplicaId(u16::try_from(other).unwrap()), bytes.clone());
        }
    }
    hear_only(inbox).await;
}
