//! Transactions on their way in: dead and censoring hospitals lose none, and receipts are proven.

use crate::chain::{Chain, NOW, People, START};
use crate::network::{Network, Twist, lying, silent};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::{Forgery, LightClient, LightError, NodeIndex, Question};
use amulet_protocol::ids::{Height, Timestamp, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::merkle::ListProofError;
use amulet_protocol::receipt::{Outcome, RefusalCode};
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(8);

/// A network in which the nodes `take` transactions, which are in a block at once, and the others keep them to themselves.
fn network(blocks: u64, take: &[usize]) -> Arc<Network> {
    network_of(Network::honest(Chain::new(blocks)), take)
}

fn network_of(network: Network, take: &[usize]) -> Arc<Network> {
    let network = Arc::new(network);
    for node in take {
        let (network, node) = (network.clone(), *node);
        let weak = Arc::downgrade(&network);
        network.change(node, committing(weak));
    }
    network
}

fn committing(network: std::sync::Weak<Network>) -> Twist {
    Box::new(move |question, answer| {
        if let LightRequest::Submit(transaction) = question {
            // The block is made by the next question, when the chain is not in use.
            network.upgrade().unwrap().pend(transaction.clone());
        }
        Ok(answer)
    })
}

fn submissions(network: &Network) -> Vec<NodeIndex> {
    network.asked(|question| matches!(question, LightRequest::Submit(_)))
}

async fn synced(network: &Arc<Network>) -> LightClient {
    let client = network.client();
    client.sync(NOW).await.unwrap();
    client
}

#[test]
async fn a_transaction_goes_to_one_hospital_more_than_may_be_faulty() {
    let network = network(1, &[]);
    let taken = network.client().submit(&People::new().transaction(2)).await.unwrap();
    assert_eq!(taken, vec![NodeIndex(0), NodeIndex(1)]);
    assert_eq!(submissions(&network), taken);
}

#[test]
async fn dead_hospitals_are_replaced() {
    let network = Arc::new(Network::honest(Chain::new(1)).with(0, silent()).with(2, silent()));
    let taken = network.client().submit(&People::new().transaction(2)).await.unwrap();
    assert_eq!(taken, vec![NodeIndex(1), NodeIndex(3)]);
}

#[test]
async fn a_refusal_counts_when_nobody_takes_it() {
    let refusal = LightRefusal::WouldRefuse(RefusalCode::UnknownSender);
    let refuse = || {
        let answer = LightResponse::Refused(LightRefusal::WouldRefuse(RefusalCode::UnknownSender));
        lying(move |_, _| Some(answer.clone()))
    };
    let network = Arc::new(Network::honest(Chain::new(1)).with(0, refuse()).with(1, refuse()));
    let transaction = People::new().transaction(2);
    assert_eq!(network.client().submit(&transaction).await.unwrap(), vec![NodeIndex(2), NodeIndex(3)]);
    network.change(2, refuse());
    network.change(3, silent());
    let error = network.client().submit(&transaction).await.unwrap_err();
    assert_eq!(error, LightError::Refused { node: NodeIndex(0), refusal });
}

#[test]
async fn a_false_confirmation_is_no_confirmation() {
    let found = TxId(sm3(b"other"));
    let lie = || lying(move |_, _| Some(LightResponse::Submitted(found)));
    let network = (0..4).fold(Network::honest(Chain::new(1)), |network, node| network.with(node, lie()));
    let transaction = People::new().transaction(2);
    let forgery = Forgery::TransactionId { asked: transaction.id(), found };
    let error = Arc::new(network).client().submit(&transaction).await.unwrap_err();
    assert_eq!(error, LightError::Forged { node: NodeIndex(0), forgery });
}

#[test]
async fn a_submitted_transaction_comes_back_with_its_proven_receipt() {
    let network = network(2, &[0]);
    let client = synced(&network).await;
    let transaction = People::new().transaction(3);
    let proven = client.submit_and_wait(&transaction, LIMIT).await.unwrap();
    assert_eq!(proven.receipt.transaction, transaction.id());
    assert!(matches!(proven.receipt.outcome, Outcome::Applied { .. }));
    assert_eq!((proven.header.header.height(), proven.header.header.signed()), (Height(3), 3));
    assert_eq!(client.trusted().unwrap().height(), Height(3), "the head moved along");
}

#[test]
async fn a_wallet_can_submit_before_its_first_sync() {
    let network = network(0, &[1]);
    let transaction = People::new().transaction(1);
    let proven = network.client().submit_and_wait(&transaction, LIMIT).await.unwrap();
    assert_eq!(proven.header.header.height(), Height(1));
}

#[cfg_attr(target_arch = "wasm32", test)]
#[cfg_attr(not(target_arch = "wasm32"), tokio::test(start_paused = true))]
async fn hospitals_that_keep_a_transaction_to_themselves_do_not_stop_it() {
    // The first two take it and do nothing; later it goes to all.
    let network = network(2, &[2]);
    let proven = synced(&network).await.submit_and_wait(&People::new().transaction(3), LIMIT).await.unwrap();
    assert_eq!(proven.header.header.height(), Height(3));
    assert!(submissions(&network).len() > 2);
}

#[test]
async fn a_hospital_killed_after_it_took_the_transaction_does_not_lose_it() {
    let network = network(2, &[1]);
    let client = synced(&network).await;
    network.change(
        0,
        Box::new(|question, answer| match question {
            LightRequest::Submit(_) => Ok(answer),
            _ => Err(amulet_light_client::TransportError::Closed),
        }),
    );
    let proven = client.submit_and_wait(&People::new().transaction(3), LIMIT).await.unwrap();
    assert_eq!(proven.header.header.height(), Height(3));
}

#[cfg_attr(target_arch = "wasm32", test)]
#[cfg_attr(not(target_arch = "wasm32"), tokio::test(start_paused = true))]
async fn a_hospital_that_hangs_costs_seconds_and_not_the_transaction() {
    let network = network_of(Network::honest(Chain::new(2)).hanging(0), &[1, 2]);
    let proven = network.client().submit_and_wait(&People::new().transaction(3), LIMIT).await.unwrap();
    assert_eq!(proven.header.header.height(), Height(3));
    assert!(submissions(&network).contains(&NodeIndex(2)), "the hanging one is replaced");
}

#[test]
async fn handing_in_what_was_executed_before_gives_its_receipt() {
    let refuse = || {
        lying(|question, _| {
            let used = LightResponse::Refused(LightRefusal::WouldRefuse(RefusalCode::NonceUsed));
            matches!(question, LightRequest::Submit(_)).then_some(used)
        })
    };
    let network = (0..4).fold(Network::honest(Chain::new(3)), |network, node| network.with(node, refuse()));
    let client = synced(&Arc::new(network)).await;
    let proven = client.submit_and_wait(&People::new().transaction(2), LIMIT).await.unwrap();
    assert_eq!(proven.header.header.height(), Height(2));
    let error = client.submit_and_wait(&People::new().transaction(9), LIMIT).await.unwrap_err();
    assert!(matches!(error, LightError::Refused { node: NodeIndex(0), .. }), "{error:?}");
}

#[test]
async fn waiting_ends_and_says_that_the_fate_is_open() {
    let network = network(1, &[]);
    let transaction = People::new().transaction(2);
    let limit = Duration::from_millis(400);
    let error = synced(&network).await.submit_and_wait(&transaction, limit).await.unwrap_err();
    assert_eq!(error, LightError::NotCommitted { transaction: transaction.id(), waited_ms: 400 });
}

#[test]
async fn a_receipt_in_an_old_block_is_proven() {
    let network = Arc::new(Network::honest(Chain::new(6)));
    let client = synced(&network).await;
    let proven = client.receipt(People::new().transaction(2).id()).await.unwrap();
    assert_eq!((proven.header.header.height(), proven.header.head), (Height(2), Height(6)));
    let missing = LightError::NotFound { question: Question::Receipt };
    assert_eq!(client.receipt(TxId(sm3(b"unknown"))).await, Err(missing));
}

#[test]
async fn a_false_receipt_is_caught() {
    let refused = || {
        lying(|question, answer| match (question, answer) {
            (LightRequest::Receipt(_), LightResponse::Receipt(proof)) => {
                let mut proof = proof.clone();
                proof.receipt.outcome = Outcome::Refused { code: RefusalCode::GrantRevoked };
                Some(LightResponse::Receipt(proof))
            }
            _ => None,
        })
    };
    let network = (0..4).fold(Network::honest(Chain::new(3)), |network, node| network.with(node, refused()));
    let asked = People::new().transaction(2).id();
    let error = synced(&Arc::new(network)).await.receipt(asked).await.unwrap_err();
    let forgery = Forgery::Receipt(ListProofError::Path { index: 0 });
    assert_eq!(error, LightError::Forged { node: NodeIndex(0), forgery });
}

#[test]
async fn the_receipt_of_another_transaction_is_caught() {
    let chain = Chain::new(3);
    let (asked, found) = (People::new().transaction(2).id(), People::new().transaction(1).id());
    let other = chain.answer(&LightRequest::Receipt(found), Height(3));
    let lie = lying(move |question, _| matches!(question, LightRequest::Receipt(_)).then(|| other.clone()));
    let network = Arc::new(Network::honest(chain).with(0, lie));
    let client = synced(&network).await;
    let proven = client.receipt(asked).await.unwrap();
    assert_eq!(proven.receipt.transaction, asked);
    let forgery = Forgery::ReceiptOf { asked, found };
    assert_eq!(client.standings()[0], amulet_light_client::client::Standing::Lied(forgery));
}

#[test]
async fn a_receipt_newer_than_the_head_moves_the_head_first() {
    let network = network(2, &[]);
    let client = synced(&network).await;
    let transaction = People::new().transaction(3);
    network.chain().lock().unwrap().push(vec![transaction.clone()], Timestamp(START.0 + 3_000));
    let proven = client.receipt(transaction.id()).await.unwrap();
    assert_eq!((proven.header.header.height(), proven.header.head), (Height(3), Height(3)));
}
