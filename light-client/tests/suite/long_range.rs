//! Validators who have left certify a chain of their own with their old keys.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::test;
use amulet_light_client::verifier::TrustExpired;
use amulet_light_client::{LightError, MemoryStore, TrustParams};
use amulet_protocol::ids::Height;
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
