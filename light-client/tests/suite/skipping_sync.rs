//! Synchronising across many changes of the validators: few steps, few bytes, and nothing believed that was not signed for.

use crate::chain::{Chain, NOW};
use crate::network::{Network, lying};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::store::Kept;
use amulet_light_client::{Forgery, Link, MemoryStore, NodeIndex, NodeVerdict, StoreError};
use amulet_protocol::codec::encode;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A hundred changes, one each second block.
fn hundred() -> Vec<u64> {
    (1..=100).map(|turn| turn * 2).collect()
}

fn is_step(question: &LightRequest) -> bool {
    matches!(question, LightRequest::EpochEnd(_) | LightRequest::EpochEndWithSet(_))
}

/// Four honest nodes that count the bytes that go to and fro.
fn counting(chain: Chain) -> (Arc<Network>, Arc<AtomicUsize>) {
    let bytes = Arc::new(AtomicUsize::new(0));
    let network = (0..4).fold(Network::honest(chain), |network, node| {
        let bytes = bytes.clone();
        network.with(
            node,
            Box::new(move |question, answer| {
                bytes.fetch_add(encode(question).len() + encode(&answer).len(), Ordering::Relaxed);
                Ok(answer)
            }),
        )
    });
    (Arc::new(network), bytes)
}

#[test]
async fn a_set_that_shares_enough_validators_is_reached_in_one_step() {
    // One of four replaces its key a hundred times.
    let turns: Vec<_> = hundred().into_iter().map(|last| (last, vec![0])).collect();
    let (network, bytes) = counting(Chain::replacing(202, &turns));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(202), 4));
    assert_eq!(network.asked(is_step), []);
    let bytes = bytes.load(Ordering::Relaxed);
    assert!(bytes < 10_000, "{bytes} bytes");
}

#[test]
async fn a_hundred_changes_after_which_nobody_is_left_take_far_less_than_200_kilobytes() {
    let (network, bytes) = counting(Chain::sliding(202, &hundred()));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing, client.epoch()), (Height(202), 4, Epoch(100)));
    let steps = network.asked(is_step);
    assert!(steps.len() < 100, "{} steps", steps.len());
    assert!(
        steps.iter().all(|node| *node == steps[0]),
        "one node leads, the others need not send it all again"
    );
    let bytes = bytes.load(Ordering::Relaxed);
    assert!(bytes < 110_000, "{bytes} bytes in {} steps", steps.len());
    let batches = network.asked(|question| matches!(question, LightRequest::RangeBatch { .. }));
    let again = network.asked(|question| matches!(question, LightRequest::Headers { .. }));
    assert_eq!((batches.len(), again.len()), (1, 0), "no step's header is sent twice");
    // From now on it costs nothing.
    client.sync(NOW).await.unwrap();
    assert_eq!(network.asked(is_step).len(), steps.len());
}

#[test]
async fn sets_that_share_nobody_are_followed_one_by_one() {
    let turns: Vec<u64> = (1..=20).map(|turn| turn * 2).collect();
    let (network, _) = counting(Chain::turning(42, &turns));
    let client = network.client();
    assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(42));
    assert_eq!(client.epoch(), Epoch(20));
    assert_eq!(network.asked(is_step).len(), 20, "each end is fetched once");
}

#[test]
async fn a_device_from_a_drawer_goes_on_from_what_it_knew() {
    let store = Arc::new(MemoryStore::default());
    let network = Network::honest(Chain::sliding(202, &hundred()));
    let network = Arc::new((0..4).fold(network, |network, node| network.behind(node, 101)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let before = network.asked(is_step).len();
    (0..4).for_each(|node| network.set_tip(node, 202));
    let client = network.client_with(store.clone());
    client.restore().await;
    assert_eq!((client.epoch(), client.trusted().unwrap().height()), (Epoch(50), Height(101)));
    let report = client.sync(NOW).await.unwrap();
    assert!(matches!(report.link, Some(Link::Range { .. })));
    assert!(network.asked(is_step).len() - before < 50);
    // What it learnt survives, and is checked from the pinned set on.
    let again = network.client_with(store.clone());
    again.restore().await;
    assert_eq!((again.epoch(), again.trusted(), again.store_trouble()), (Epoch(100), client.trusted(), None));
    let kept = Kept::new(Box::new(store.clone()));
    let mut stored = kept.head().await.unwrap().unwrap();
    stored.trail.truncate(stored.trail.len() / 2);
    kept.keep_head(&stored).await.unwrap();
    let cut = network.client_with(store);
    cut.restore().await;
    assert_eq!(cut.store_trouble(), Some(StoreError::Foreign), "half a trail leads only half-way");
}

#[test]
async fn old_headers_and_histories_of_skipped_epochs_are_proven_with_their_signers() {
    let network =
        Arc::new(Network::honest(Chain::sliding(42, &(1..=20).map(|turn| turn * 2).collect::<Vec<_>>())));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let chain = network.chain();
    let mut skipped = 0;
    for height in 1..=42 {
        let proven = client.header_at(Height(height)).await.unwrap();
        let (hash, set) = {
            let chain = chain.lock().unwrap();
            (chain.hash_at(height), chain.set_at(height))
        };
        assert_eq!((proven.header.hash(), &**proven.header.validator_set()), (hash, &set), "at {height}");
        skipped += usize::from(client.validators_at(Height(height)).is_none());
    }
    assert!(skipped > 10, "{skipped} heights were skipped");
    let (did, transaction) = {
        let chain = chain.lock().unwrap();
        (chain.people.patient_did(), chain.people.transaction(5))
    };
    assert_eq!(client.history(did, HistoryHead::default()).await.unwrap().entries.len(), 42);
    assert_eq!(client.receipt(transaction.id()).await.unwrap().header.header.height(), Height(5));
}

#[test]
async fn a_hospital_that_is_behind_in_a_skipped_epoch_is_a_witness_all_the_same() {
    let network =
        Network::honest(Chain::replacing(42, &(1..=20).map(|turn| (turn * 2, vec![0])).collect::<Vec<_>>()));
    let network = Arc::new(network.behind(3, 21));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(42), 4));
    assert_eq!(report.nodes[3], (NodeIndex(3), NodeVerdict::Agrees { height: Height(21) }));
}

#[test]
async fn a_hospital_that_leads_astray_is_named_and_another_leads() {
    let turns = hundred();
    let chain = Chain::sliding(202, &turns);
    let wrong = chain.step(3);
    // It sends the end of another epoch than was asked for, to lead in circles.
    let circles = lying(move |question, _| match question {
        LightRequest::EpochEndWithSet(_) => Some(LightResponse::EpochEndWithSet(Box::new(wrong.clone()))),
        _ => None,
    });
    let network = Arc::new(Network::honest(chain).with(0, circles));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(202), 3));
    let forgery = Forgery::EpochNumber { asked: Epoch(50), found: Epoch(3) };
    assert_eq!(report.nodes[0].1, NodeVerdict::Forged(forgery));
    assert_eq!(network.asked(is_step).iter().filter(|node| node.0 == 0).count(), 1);
}

#[test]
async fn steps_are_placed_by_whoever_proves_it_and_one_by_one_if_nobody_proves_all() {
    let forged = || {
        lying(|question, answer| match (question, answer.clone()) {
            (LightRequest::RangeBatch { .. }, LightResponse::RangeBatch(mut proof)) => {
                proof.hashes[0] = sm3(b"lie");
                Some(LightResponse::RangeBatch(proof))
            }
            _ => None,
        })
    };
    let turns: Vec<u64> = (1..=20).map(|turn| turn * 2).collect();
    for liars in [1, 4] {
        let network = Network::honest(Chain::sliding(45, &turns));
        let network = Arc::new((0..liars).fold(network, |network, node| network.with(node, forged())));
        let client = network.client();
        assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(45));
        assert_eq!(client.epoch(), Epoch(20));
        let alone = network.asked(|question| matches!(question, LightRequest::RangeProof { .. }));
        assert_eq!(alone.is_empty(), liars == 1, "{liars} forge the proof for all");
    }
}

#[test]
async fn a_step_on_another_branch_than_the_head_is_a_disagreement() {
    let turns: Vec<_> = (1..=8).map(|turn| (turn * 2, vec![turn as usize % 4])).collect();
    let chain = Chain::replacing(18, &turns);
    let other = Chain::forked_replacing(18, 3, &turns);
    // Whoever leads shows certified headers of a branch on which the same validators came and went.
    let other = std::sync::Mutex::new(other);
    let astray = |other: std::sync::Mutex<Chain>| {
        lying(move |question, _| {
            let other = other.lock().unwrap();
            is_step(question).then(|| other.answer(question, other.tip()))
        })
    };
    let network = Network::honest(chain).with(0, astray(other));
    let mute = || lying(|question, _| is_step(question).then_some(LightResponse::NotFound));
    let network = (1..4).fold(network, |network, node| network.with(node, mute()));
    let client = Arc::new(network).client();
    let error = client.sync(NOW).await.unwrap_err();
    assert!(matches!(error, amulet_light_client::LightError::Disagreement(_)), "{error:?}");
    assert_eq!(client.epoch(), Epoch(0), "nothing of it is kept");
}
