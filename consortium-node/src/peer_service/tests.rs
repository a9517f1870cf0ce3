#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::Actor;
use amulet_protocol::ids::Nonce;
use tokio::sync::oneshot;

const PEER: ReplicaId = ReplicaId(1);

async fn ask(world: &World, request: PeerRequest) -> PeerResponse {
    let (reply, answer) = oneshot::channel();
    world.others.answer(PeerQuestion { from: PEER, request, reply }).await;
    answer.await.unwrap()
}

#[tokio::test]
async fn blocks_come_in_order_and_not_too_many_at_once() {
    let world = World::new();
    for _ in 0..BLOCKS_PER_PEER_RESPONSE_MAX {
        world.commit(Vec::new());
    }
    let PeerResponse::Blocks(blocks) = ask(&world, PeerRequest::Blocks { from: Height(1) }).await else {
        panic!("no blocks")
    };
    let heights: Vec<u64> = blocks.iter().map(|block| block.block.header.height.0).collect();
    assert_eq!(heights, (1..=BLOCKS_PER_PEER_RESPONSE_MAX as u64).collect::<Vec<_>>());
    let PeerResponse::Blocks(none) = ask(&world, PeerRequest::Blocks { from: Height(u64::MAX) }).await else {
        panic!("no blocks")
    };
    assert!(none.is_empty());
}

#[tokio::test]
async fn copies_are_kept_within_limits_and_dropped_by_whom_they_came_from() {
    let world = World::new();
    let blob = b"ciphertext".to_vec();
    let id = blob_id(&blob);
    assert!(matches!(ask(&world, PeerRequest::StoreBlobs(vec![blob.clone()])).await, PeerResponse::Stored));
    assert_eq!(world.others_vault.get(id).await.unwrap(), Some(blob));
    let many = vec![b"x".to_vec(); BLOBS_PER_PEER_REQUEST_MAX + 1];
    assert!(matches!(ask(&world, PeerRequest::StoreBlobs(many)).await, PeerResponse::Refused));
    let large = vec![vec![0; BLOB_BYTES_MAX + 1]];
    assert!(matches!(ask(&world, PeerRequest::StoreBlobs(large)).await, PeerResponse::Refused));
    let (reply, _answer) = oneshot::channel();
    let request = PeerRequest::DropBlobs(vec![id]);
    world.others.answer(PeerQuestion { from: ReplicaId(2), request: request.clone(), reply }).await;
    assert!(world.others_vault.has(id).await.unwrap(), "another peer's copy");
    ask(&world, request).await;
    assert!(!world.others_vault.has(id).await.unwrap());
}

#[tokio::test]
async fn only_transactions_that_can_be_committed_are_taken() {
    let world = World::new();
    let newcomer = Actor::new(50);
    let good = newcomer.sign_numbered(world.chain(), Nonce(1), newcomer.registration());
    let mut changed = good.as_untrusted().clone();
    changed.transaction.nonce = Nonce(2);
    let used = world.patient.sign_numbered(world.chain(), Nonce(1), newcomer.registration());
    let all = vec![changed, used.as_untrusted().clone(), good.as_untrusted().clone()];
    ask(&world, PeerRequest::Transactions(all)).await;
    assert_eq!(world.others_mempool.batch(), [std::sync::Arc::new(good.clone())]);
    world.commit(vec![good.clone()]);
    world.others_mempool.remove([&good.id()]);
    ask(&world, PeerRequest::Transactions(vec![good.as_untrusted().clone()])).await;
    assert!(world.others_mempool.is_empty(), "it is committed already");
}

/// A peer that asks without end has few of its questions answered at a time, so another's come up between them.
#[tokio::test]
async fn a_flood_of_one_peer_does_not_keep_another_waiting() {
    let world = World::new();
    let (questions, inbox) = mpsc::channel(1_000);
    let running = tokio::spawn(world.others.clone().run(inbox));
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut answers = Vec::new();
    for number in 0..200u16 {
        let from = ReplicaId(if number == 199 { 2 } else { 1 });
        let (reply, answer) = oneshot::channel();
        let request = PeerRequest::Blocks { from: Height(1) };
        questions.send(PeerQuestion { from, request, reply }).await.unwrap();
        let order = order.clone();
        answers.push(tokio::spawn(async move {
            answer.await.unwrap();
            order.lock().unwrap().push(from);
        }));
    }
    for answer in answers {
        answer.await.unwrap();
    }
    let place = order.lock().unwrap().iter().position(|from| *from == ReplicaId(2)).unwrap();
    assert!(place <= 4 * AT_ONCE_OF_ONE_PEER, "answered after {place} questions of the other");
    running.abort();
}
