//! Validators who have left certify a chain of their own with their old keys.

use crate::chain::{Chain, NOW};
use crate::network::{Network, lying, silent};
use crate::test;
use amulet_light_client::client::Standing;
use amulet_light_client::verifier::TrustExpired;
use amulet_light_client::{LightError, MemoryStore, TrustParams};
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;

/// All replaced their keys after block 3.
fn true_chain() -> Chain {
    Chain::turning(6, &[3])
}

/// What those who left make: they never leave.
fn their_chain() -> Chain {
    Chain::forked(9, 3)
}

#[test]
async fn a_device_that_knows_of_their_leaving_is_not_misled() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(true_chain()));
    let known = network.client_with(store.clone()).sync(NOW).await.unwrap().head;
    let fork = Arc::new(Network::honest(their_chain()));
    let client = fork.client_with(store);
    // Nobody shows how their set came from the one that is known.
    let (found, known_set) = (Chain::new(1).set_at(1).hash(), true_chain().set_at(6).hash());
    assert_eq!(client.sync(NOW).await, Err(LightError::ValidatorsChanged { found, known: known_set }));
    assert_eq!(client.trusted(), Some(known));
}

#[test]
async fn a_device_that_does_not_know_notices_as_soon_as_one_true_hospital_is_heard() {
    let alone = Arc::new(Network::honest(their_chain()));
    let misled = alone.client().sync(NOW).await.unwrap();
    assert_eq!(misled.head.height(), Height(9), "who hears only them is misled: this is not promised");

    let heard = Network::honest(their_chain()).on_chain(2, true_chain());
    let client = Arc::new(heard).client();
    let error = client.sync(NOW).await.unwrap_err();
    assert!(matches!(error, LightError::Disagreement(_)), "{error:?}");
    assert_eq!((client.trusted(), client.forks().len()), (None, 1));
}

#[test]
async fn after_the_trust_period_nobody_leads_anywhere() {
    let store = Arc::new(MemoryStore::default());
    let early = Arc::new(Network::honest(Chain::new(2)));
    early.client_with(store.clone()).sync(NOW).await.unwrap();
    let period_ms = TrustParams::default().trust_period_ms();
    let late = NOW.plus_millis(period_ms + 1);
    for chain in [their_chain(), true_chain()] {
        let client = Arc::new(Network::honest(chain)).client_with(store.clone());
        let expired = TrustExpired { checked_at: NOW, now: late, period_ms };
        assert_eq!(client.sync(late).await, Err(LightError::TrustExpired(expired)));
    }
}

/// What they make that seem to leave later, for others of their choice.
fn their_turning_chain() -> Chain {
    Chain::forked_turning(12, 3, &[9])
}

#[test]
async fn whoever_leads_first_true_hospitals_that_are_heard_make_it_a_disagreement() {
    // At which block the true chain is: in their epoch, in the one after it, above their head.
    for tip in [6, 10, 14] {
        let network = Network::honest(their_turning_chain());
        let network = (2..4).fold(network, |network, node| network.on_chain(node, Chain::turning(tip, &[3])));
        let client = Arc::new(network).client();
        let error = client.sync(NOW).await.unwrap_err();
        assert!(matches!(error, LightError::Disagreement(_)), "true chain at {tip}: {error:?}");
        assert_eq!((client.trusted(), client.forks().len()), (None, 1));
        for node in 2..4 {
            assert_eq!(client.standings()[node], Standing::Good, "true chain at {tip}: node {node}");
        }
    }
}

/// Two of four keep their keys and two change after block 3. With the two, which are more than a third of those that a new device
/// knows, they certify a chain on which others of their choice joined, and all have left after block 5.
fn their_skipped_chain() -> Chain {
    Chain::forked_replacing(12, 2, &[(5, vec![2, 3]), (7, vec![0, 1, 2, 3])])
}

#[test]
async fn a_branch_that_is_reached_by_skipping_is_a_disagreement_too() {
    for tip in [2, 6, 10, 14] {
        let network = Network::honest(their_skipped_chain());
        let truth = || Chain::replacing(tip, &[(3, vec![0, 1]), (9, vec![2, 3])]);
        let network = (2..4).fold(network, |network, node| network.on_chain(node, truth()));
        let client = Arc::new(network).client();
        let error = client.sync(NOW).await.unwrap_err();
        assert!(matches!(error, LightError::Disagreement(_)), "true chain at {tip}: {error:?}");
        for node in 2..4 {
            let standing = &client.standings()[node];
            assert!(!matches!(standing, Standing::Lied(_)), "true chain at {tip}: {standing:?}");
        }
    }
}

#[test]
async fn who_shows_no_header_of_the_branch_that_others_contradict_is_not_believed() {
    let secretive = || {
        lying(|question, _| matches!(question, LightRequest::HeaderAt(_)).then_some(LightResponse::NotFound))
    };
    let network = Network::honest(their_turning_chain()).with(0, secretive()).with(1, secretive());
    let network = network.on_chain(2, Chain::turning(10, &[3])).with(3, silent());
    let client = Arc::new(network).client();
    let error = client.sync(NOW).await.unwrap_err();
    assert!(matches!(error, LightError::Unlinked { .. }), "{error:?}");
    assert_eq!((client.trusted(), client.epoch(), &client.standings()[2]), (None, Epoch(0), &Standing::Good));
}

#[test]
async fn a_step_above_the_head_that_nobody_confirms_is_not_relied_on() {
    // It shows where the old validators ended their epoch on another chain, and a header that does not follow from that.
    let chains = std::sync::Mutex::new((their_turning_chain(), Chain::forked_turning(12, 3, &[10])));
    let astray = lying(move |question, _| {
        let (end, head) = &*chains.lock().unwrap();
        let chain = if matches!(question, LightRequest::EpochEnd(_)) { end } else { head };
        Some(chain.answer(question, chain.tip()))
    });
    let chain = Chain::turning(12, &[8]);
    let network = (1..4).fold(Network::honest(chain), |network, node| network.behind(node, 6));
    let network = Arc::new(network.with(0, astray));
    let store = Arc::new(MemoryStore::default());
    let client = network.client_with(store.clone());
    assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(6));
    assert_eq!(client.epoch(), Epoch(0));
    (1..4).for_each(|node| network.set_tip(node, 12));
    network.change(0, silent());
    for client in [client, network.client_with(store)] {
        assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(12));
        assert_eq!(client.epoch(), Epoch(1));
        assert_eq!(client.standings()[1], Standing::Good);
    }
}
