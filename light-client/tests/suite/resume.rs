//! Syncs that are broken off: by a lost line, by a page that is closed, by a process that is killed.

use crate::chain::{Chain, NOW};
use crate::network::{Network, Twist, silent};
use crate::test;
use amulet_light_client::store::{Kept, StoredProgress};
use amulet_light_client::{LightClient, LightError, MemoryStore, NodeIndex, StoreError};
use amulet_light_client::{Transport, TransportError};
use amulet_protocol::codec::encode;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use futures::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Blocks after which the validators change: more than the questions of the first sync, so that there is a way to go.
const TURNS: [u64; 6] = [2, 3, 5, 6, 8, 9];

/// Lets so many questions through; those after that are never answered, as to a process that was killed.
struct Killed {
    network: Arc<Network>,
    left: AtomicUsize,
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Killed {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let take = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            std::future::pending::<()>().await;
        }
        self.network.ask(node, request).await
    }
}

fn ends_asked(network: &Network) -> usize {
    network
        .asked(|question| matches!(question, LightRequest::EpochEnd(_) | LightRequest::EpochEndWithSet(_)))
        .len()
}

/// Only two nodes answer, so that the count of questions is that of one sync.
fn two_of_four() -> Arc<Network> {
    Arc::new(Network::honest(Chain::turning(10, &TURNS)).with(2, silent()).with(3, silent()))
}

#[test]
async fn a_sync_that_is_killed_after_any_question_is_finished_by_the_next_and_asks_for_no_more() {
    let whole = two_of_four();
    whole.client().sync(NOW).await.unwrap();
    let questions = whole.asked(|_| true).len();
    let epochs = ends_asked(&whole);
    for lived in 0..questions {
        let network = two_of_four();
        let store = Arc::new(MemoryStore::default());
        let killed = Arc::new(Killed { network: network.clone(), left: AtomicUsize::new(lived) });
        let first = network.client_over(killed, Box::new(store.clone()));
        assert!(first.sync(NOW).now_or_never().is_none(), "killed after {lived} questions");
        assert_eq!(first.epoch(), Epoch(0), "what was not finished does not count");
        drop(first);
        let followed = Kept::new(Box::new(store.clone())).progress().await.unwrap();
        let followed = followed.map_or(0, |progress| progress.trail.len());
        let before = ends_asked(&network);
        let again = network.client_with(store.clone());
        let report = again.sync(NOW).await.unwrap();
        assert_eq!((report.head.height(), report.store_trouble), (Height(10), None));
        assert_eq!(again.epoch(), Epoch(6));
        // Each end is asked of both nodes at most once in the rest of the way.
        assert!(ends_asked(&network) - before <= epochs - followed, "after {lived}: {followed} were known");
        assert_eq!(Kept::new(Box::new(store)).progress().await, Ok(None), "nothing is left to resume");
    }
}

/// Four nodes that count the bytes of questions and answers, on a chain whose validators are replaced one after the other.
fn counting(changes: u64) -> (Arc<Network>, Arc<AtomicUsize>) {
    let turns: Vec<u64> = (1..=changes).map(|turn| turn * 2).collect();
    let bytes = Arc::new(AtomicUsize::new(0));
    let count = |network: Network, node| {
        let bytes = bytes.clone();
        let counted: Twist = Box::new(move |question, answer| {
            bytes.fetch_add(encode(question).len() + encode(&answer).len(), Ordering::Relaxed);
            Ok(answer)
        });
        network.with(node, counted)
    };
    let network = (0..4).fold(Network::honest(Chain::sliding(changes * 2 + 2, &turns)), count);
    (Arc::new(network), bytes)
}

/// Starts from a store, and is killed after so many answers; whether it got through.
async fn lives_for(network: &Arc<Network>, store: &Arc<MemoryStore>, answers: usize) -> bool {
    let killed = Arc::new(Killed { network: network.clone(), left: AtomicUsize::new(answers) });
    let client = network.client_over(killed, Box::new(store.clone()));
    client.sync(NOW).now_or_never().is_some_and(|synced| synced.is_ok())
}

#[test]
async fn a_first_sync_that_is_killed_after_any_answer_costs_little_more_than_one_that_is_not() {
    let (network, bytes) = counting(40);
    network.client().sync(NOW).await.unwrap();
    let (answers, whole) = (network.asked(|_| true).len(), bytes.swap(0, Ordering::Relaxed));
    // What cannot be kept: four newest headers, a set, and the headers in between that were still too far.
    let again = whole / 3;
    for lived in 0..answers {
        let store = Arc::new(MemoryStore::default());
        assert!(!lives_for(&network, &store, lived).await, "killed after {lived} answers");
        let report = network.client_with(store).sync(NOW).await.unwrap();
        assert_eq!((report.head.height(), report.agreeing), (Height(82), 4));
        let bytes = bytes.swap(0, Ordering::Relaxed);
        assert!(bytes <= whole + again, "killed after {lived} answers: {bytes} bytes, {whole} if not killed");
    }
}

#[test]
async fn a_first_sync_that_is_killed_again_and_again_gets_through() {
    let (network, _) = counting(40);
    let store = Arc::new(MemoryStore::default());
    let mut starts = 1;
    // Enough answers for a step or two each time.
    while !lives_for(&network, &store, 11).await {
        starts += 1;
        assert!(starts < 40, "it begins again each time");
    }
    assert!(starts >= 3, "{starts} starts");
}

#[test]
async fn what_a_sync_reached_before_the_line_broke_is_not_asked_for_again() {
    let network = two_of_four();
    let store = Arc::new(MemoryStore::default());
    let trail = (0..4).map(|epoch| network.chain().lock().unwrap().epoch_end(epoch).into()).collect();
    let kept = Kept::new(Box::new(store.clone()));
    kept.keep_progress(&StoredProgress { from: Height(0), trail }).await.unwrap();
    let client: LightClient = network.client_with(store);
    client.sync(NOW).await.unwrap();
    let known = |question: &LightRequest| matches!(question, LightRequest::EpochEnd(epoch) if epoch.0 < 4);
    assert_eq!(network.asked(known), vec![]);
    assert_eq!(client.epoch(), Epoch(6));
}

#[test]
async fn progress_that_is_false_or_leads_nowhere_is_dropped_and_the_way_is_gone_anew() {
    let chain = Chain::turning(10, &TURNS);
    let fork = Chain::forked_turning(10, 2, &TURNS);
    let mut forged = chain.epoch_end(0);
    forged.next = chain.set_at(9);
    for trail in [vec![forged], vec![chain.epoch_end(1)], vec![fork.epoch_end(0), fork.epoch_end(1)]] {
        let trail = trail.into_iter().map(Into::into).collect();
        let network = two_of_four();
        let store = Arc::new(MemoryStore::default());
        let kept = Kept::new(Box::new(store.clone()));
        kept.keep_progress(&StoredProgress { from: Height(0), trail }).await.unwrap();
        let client = network.client_with(store);
        assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(10));
        assert_eq!(client.epoch(), Epoch(6));
        assert_eq!(kept.progress().await, Ok(None));
    }
}

#[test]
async fn progress_that_is_corrupt_is_said() {
    let network = two_of_four();
    let store = Arc::new(MemoryStore::default());
    store.put(amulet_light_client::store::Slot::Progress, vec![0, 4, 1]);
    let report = network.client_with(store).sync(NOW).await.unwrap();
    assert_eq!(report.store_trouble, Some(StoreError::Corrupt));
}

#[test]
async fn a_line_that_is_lost_on_the_way_leaves_what_was_reached() {
    let network = two_of_four();
    let store = Arc::new(MemoryStore::default());
    let killed = Arc::new(Killed { network: network.clone(), left: AtomicUsize::new(8) });
    let first = network.client_over(killed, Box::new(store.clone()));
    assert!(first.sync(NOW).now_or_never().is_none());
    drop(first);
    let kept = Kept::new(Box::new(store.clone()));
    let reached = kept.progress().await.unwrap().unwrap();
    for node in 0..4 {
        network.change(node, silent());
    }
    let again = network.client_with(store);
    assert_eq!(again.sync(NOW).await, Err(LightError::Unreachable { asked: 4 }));
    assert_eq!(kept.progress().await, Ok(Some(reached)));
}
