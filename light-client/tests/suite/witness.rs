//! What becomes of two certified headers that exclude each other: kept, shown to every hospital, and not forgotten.

use crate::chain::{Chain, NOW};
use crate::network::{Network, Twist, lying, silent};
use crate::test;
use amulet_light_client::store::{FORKS_KEPT_MAX, Kept, Slot, StoredFork, Told};
use amulet_light_client::{LightError, MemoryStore, NodeIndex, StoreError};
use amulet_protocol::fork::UntrustedFork;
use amulet_protocol::ids::Height;
use amulet_protocol::light::{ForkFinding, LightRefusal, LightRequest, LightResponse};
use std::sync::Arc;

const CONVICTS: ForkFinding = ForkFinding::Convicts { validators: 3 };

fn is_report(question: &LightRequest) -> bool {
    matches!(question, LightRequest::ReportFork(_))
}

/// A node that answers reports of forks like this, and is honest otherwise.
fn answering(answer: LightResponse) -> Twist {
    lying(move |question, _| is_report(question).then(|| answer.clone()))
}

/// The same two headers, once found the other way round, were kept and shown as two forks.
#[test]
async fn one_fork_is_kept_once_whichever_side_was_heard_first() {
    let store = Arc::new(MemoryStore::default());
    let (ours, theirs) = (|| Chain::new(5), || Chain::forked(5, 3));
    for network in [
        Network::honest(ours()).on_chain(2, theirs()).on_chain(3, theirs()),
        Network::honest(theirs()).on_chain(2, ours()).on_chain(3, ours()),
    ] {
        let client = Arc::new(network).client_with(store.clone());
        client.restore().await;
        assert!(matches!(client.sync(NOW).await, Err(LightError::Disagreement(_))));
        assert_eq!(client.forks().len(), 1);
    }
}

/// The fork between two chains at a height.
fn fork_at(height: u64) -> UntrustedFork {
    UntrustedFork::new(Chain::new(5).signed_at(height), Chain::forked(5, 3).signed_at(height))
}

#[test]
async fn a_fork_is_kept_and_shown_to_every_hospital_once_it_answers() {
    let found = || answering(LightResponse::ForkFound(CONVICTS));
    let busy = answering(LightResponse::Refused(LightRefusal::Busy));
    let denies = answering(LightResponse::Refused(LightRefusal::NoFork));
    let network = Network::honest(Chain::new(5)).on_chain(2, Chain::forked(5, 3));
    let network = Arc::new(network.with(0, found()).with(1, busy).with(2, denies).with(3, silent()));
    let store = Arc::new(MemoryStore::default());
    let client = network.client_with(store.clone());
    assert!(matches!(client.sync(NOW).await, Err(LightError::Disagreement(_))));
    let organisation = |node: usize| client.nodes()[node].organisation;
    let kept = client.forks();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].found_at, NOW);
    assert_eq!(kept[0].fork.hashes(), fork_at(5).hashes());
    let mut told = kept[0].told.clone();
    told.sort_by_key(|(who, _)| (0..4).position(|node| organisation(node) == *who));
    assert_eq!(told, [(organisation(0), Told::Found(CONVICTS)), (organisation(2), Told::Denied)]);

    // After a restart those who were busy or silent are told, and nobody else again.
    network.change(1, found());
    network.change(3, found());
    let before = network.asked(is_report).len();
    let client = network.client_with(store.clone());
    client.restore().await;
    assert_eq!(client.forks(), kept);
    assert!(client.sync(NOW).await.is_err());
    let mut asked = network.asked(is_report)[before..].to_vec();
    asked.sort();
    assert_eq!(asked, [NodeIndex(1), NodeIndex(3)]);
    assert_eq!(client.forks()[0].told.len(), 4);
    assert_eq!(client.forks().len(), 1, "the same fork is kept once");
}

#[test]
async fn a_fork_that_is_found_behind_the_head_is_kept_too() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(Chain::new(4)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let network = Arc::new(Network::honest(Chain::forked(7, 3)));
    let client = network.client_with(store);
    assert!(matches!(client.sync(NOW).await, Err(LightError::Disagreement(_))));
    let kept = client.forks();
    assert_eq!(kept[0].fork.lower.header.height, Height(4));
    assert_eq!(kept[0].fork.excludes(client.chain()), Ok(()));
}

#[test]
async fn forgetting_and_a_store_in_which_all_else_is_broken_leave_the_evidence() {
    let network = Arc::new(Network::honest(Chain::new(5)).on_chain(2, Chain::forked(5, 3)));
    let store = Arc::new(MemoryStore::default());
    let client = network.client_with(store.clone());
    assert!(client.sync(NOW).await.is_err());
    client.forget().await.unwrap();
    store.put(Slot::Head, vec![0, 4, 1]);
    let client = network.client_with(store);
    assert_eq!(client.restore().await, None);
    assert_eq!(client.store_trouble(), Some(StoreError::Corrupt));
    assert_eq!(client.forks().len(), 1);
}

#[test]
async fn what_a_store_holds_is_no_evidence_unless_it_is_one() {
    let store = Arc::new(MemoryStore::default());
    let mut unsigned = fork_at(4);
    unsigned.upper.certificate.signatures.truncate(1);
    let same = UntrustedFork::new(Chain::new(5).signed_at(4), Chain::new(5).signed_at(4));
    let kept = |fork| StoredFork { fork, found_at: NOW, told: Vec::new() };
    let forks = vec![kept(unsigned), kept(same), kept(fork_at(5))];
    Kept::new(Box::new(store.clone())).keep_forks(&forks).await.unwrap();
    let client = Arc::new(Network::honest(Chain::new(5))).client_with(store);
    client.restore().await;
    assert_eq!(client.forks(), [kept(fork_at(5))]);
    assert_eq!(client.store_trouble(), Some(StoreError::Foreign));
}

/// Who can make one fork can make many; the first stay.
#[test]
async fn many_forks_do_not_push_the_first_out() {
    let store = Arc::new(MemoryStore::default());
    let honest = Arc::new(Network::honest(Chain::new(9)));
    honest.client_with(store.clone()).sync(NOW).await.unwrap();
    let mut first = None;
    for fork in 1..8 {
        let network = Arc::new(Network::honest(Chain::forked(9 + fork, fork)));
        let client = network.client_with(store.clone());
        assert!(matches!(client.sync(NOW).await, Err(LightError::Disagreement(_))));
        let kept = client.forks();
        assert_eq!(kept[0].fork, *first.get_or_insert_with(|| kept[0].fork.clone()));
        assert!(kept.len() <= FORKS_KEPT_MAX);
    }
}
