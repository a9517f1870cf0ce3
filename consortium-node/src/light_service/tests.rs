#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::{Actor, request};
use amulet_protocol::calls::Call;
use amulet_protocol::ids::{ChainId, Height, Nonce};
use amulet_protocol::light::{ReadGround, ReadRequest};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::transaction::SignedTransaction;

fn registration(actor: &Actor, chain: ChainId, nonce: u64) -> SignedTransaction {
    actor.sign_numbered(chain, Nonce(nonce), actor.registration())
}

async fn submit(service: &LightService, transaction: &SignedTransaction) -> LightResponse {
    service.answer(LightRequest::Submit(transaction.as_untrusted().clone())).await
}

#[tokio::test]
async fn a_submitted_transaction_waits_once_here_and_reaches_the_others() {
    let world = World::new();
    let network = world.network(&[1, 2, 3]);
    let service = world.light(&network);
    let newcomer = Actor::new(50);
    let transaction = registration(&newcomer, world.chain(), 1);
    for _ in 0..2 {
        assert_eq!(submit(&service, &transaction).await, LightResponse::Submitted(transaction.id()));
    }
    assert_eq!(world.mempool.len(), 1);
    world.others_mempool.subscribe().wait_for(|count| *count == 1).await.unwrap();
}

#[tokio::test]
async fn a_committed_transaction_submitted_again_is_taken_for_done() {
    let world = World::new();
    let network = world.network(&[]);
    let transaction = registration(&Actor::new(50), world.chain(), 1);
    world.commit(vec![transaction.clone()]);
    let answer = submit(&world.light(&network), &transaction).await;
    assert_eq!(answer, LightResponse::Submitted(transaction.id()));
    assert!(world.mempool.is_empty());
}

#[tokio::test]
async fn what_no_block_may_hold_is_refused_at_once_and_takes_no_place_in_the_queue() {
    let world = World::new();
    let network = world.network(&[]);
    let service = world.light(&network);
    let ask = |nonce| {
        let call = Call::RequestAccess(request(world.patient.did, crate::testing::NOW));
        world.doctor.sign_numbered(world.chain(), Nonce(nonce), call)
    };
    let refused = |code| LightResponse::Refused(LightRefusal::WouldRefuse(code));
    assert_eq!(submit(&service, &ask(1)).await, refused(RefusalCode::NonceUsed));
    assert_eq!(submit(&service, &ask(0)).await, refused(RefusalCode::NonceOutOfWindow));
    assert_eq!(submit(&service, &ask(1_000)).await, refused(RefusalCode::NonceOutOfWindow));
    let call = Call::RequestAccess(request(world.patient.did, crate::testing::NOW));
    let nobody = Actor::new(50).sign_numbered(world.chain(), Nonce(1), call);
    assert_eq!(submit(&service, &nobody).await, refused(RefusalCode::UnknownSender));
    let mut forged = ask(2).as_untrusted().clone();
    forged.transaction.sender = world.patient.did;
    let forged = forged.transaction.sign(&world.doctor.signing);
    assert_eq!(submit(&service, &forged).await, refused(RefusalCode::WrongKey));
    assert!(world.mempool.is_empty());
    assert_eq!(submit(&service, &ask(2)).await, LightResponse::Submitted(ask(2).id()));
}

#[tokio::test]
async fn a_changed_byte_or_another_chain_makes_a_bad_transaction() {
    let world = World::new();
    let network = world.network(&[]);
    let service = world.light(&network);
    let bad = LightResponse::Refused(LightRefusal::BadTransaction);
    let mut changed = registration(&Actor::new(50), world.chain(), 1).as_untrusted().clone();
    changed.transaction.nonce = Nonce(2);
    assert_eq!(service.answer(LightRequest::Submit(changed)).await, bad);
    let other = ChainId(amulet_crypto::digest::Digest::ZERO);
    assert_eq!(submit(&service, &registration(&Actor::new(50), other, 1)).await, bad);
}

#[tokio::test]
async fn ledger_questions_and_reads_are_answered() {
    let world = World::new();
    let network = world.network(&[]);
    let service = world.light(&network);
    let LightResponse::Header(latest) = service.answer(LightRequest::Latest).await else {
        panic!("no header")
    };
    assert_eq!(latest.header.height, Height(1));
    assert_eq!(service.answer(LightRequest::HeaderAt(Height(9))).await, LightResponse::NotFound);
    let request = ReadRequest {
        chain: world.chain(),
        reader: world.patient.did,
        holder: world.hospitals[0].did,
        ground: ReadGround::Own,
        blobs: Vec::new(),
        time: crate::testing::NOW,
    };
    let signed = LightRequest::Read(request.sign(&world.patient.signing));
    assert_eq!(service.answer(signed).await, LightResponse::Blobs(Vec::new()));
}
