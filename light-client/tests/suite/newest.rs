//! The newest header is sent once: who has no other says so, and that is worth what sending it was.

use crate::chain::{Chain, NOW, START};
use crate::network::{Network, Twist, for_newest, lying, silent};
use crate::test;
use amulet_light_client::client::Standing;
use amulet_light_client::{
    Forgery, LightError, MemoryStore, NodeIndex, NodeVerdict, Question, SyncReport, TransportError,
};
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRefusal, LightResponse};
use std::sync::Arc;

fn agrees(height: u64) -> NodeVerdict {
    NodeVerdict::Agrees { height: Height(height) }
}

/// Says that the newest header is whichever the asker has.
fn nothing_new() -> Twist {
    lying(|question, _| for_newest(question).then_some(LightResponse::Unchanged))
}

/// What each node sent in a sync.
fn received(report: &SyncReport) -> Vec<u64> {
    report.traffic.iter().map(|node| node.received).collect()
}

/// A store that has followed a chain up to a height.
async fn followed(height: u64) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    Arc::new(Network::honest(Chain::new(height))).client_with(store.clone()).sync(NOW).await.unwrap();
    store
}

#[test]
async fn one_hospital_sends_the_header_and_the_others_that_it_is_theirs() {
    let chain = Chain::new(5);
    let whole = LightResponse::Header(Box::new(chain.signed_at(5)));
    let same = codec::encode(&LightResponse::Unchanged).len() as u64;
    let client = Arc::new(Network::honest(chain)).client();
    let first = client.sync(NOW).await.unwrap();
    assert_eq!(received(&first), [codec::encode(&whole).len() as u64, same, same, same]);
    assert!(first.nodes.iter().all(|(_, verdict)| *verdict == agrees(5)), "{:?}", first.nodes);
    let again = client.sync(NOW).await.unwrap();
    assert_eq!(received(&again), [same; 4], "and nobody sends what this device has");
    assert_eq!((again.agreeing, again.head.hash()), (4, first.head.hash()));
}

#[test]
async fn who_has_another_sends_it() {
    let network = Arc::new(Network::honest(Chain::new(6)).behind(0, 4).behind(2, 5));
    let client = network.client_with(followed(4).await);
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(6), "the first is behind");
    let verdicts: Vec<_> = report.nodes.into_iter().map(|(_, verdict)| verdict).collect();
    assert_eq!(verdicts, [agrees(4), agrees(6), agrees(5), agrees(6)]);
}

/// It is as one that shows an old header: not a lie, and of no use where anybody shows a newer one.
#[test]
async fn who_always_says_that_nothing_is_new_hides_nothing_that_another_shows() {
    for liars in [&[0][..], &[1], &[3], &[0, 1], &[0, 1, 2]] {
        let store = followed(3).await;
        let network = Network::honest(Chain::new(6));
        let network =
            Arc::new(liars.iter().fold(network, |network, node| network.with(*node, nothing_new())));
        let client = network.client_with(store);
        let report = client.sync(NOW).await.unwrap();
        assert_eq!((report.head.height(), report.agreeing), (Height(6), 4), "{liars:?}");
        if liars.contains(&0) {
            // Asked first, it could only name what this device had.
            assert_eq!(report.nodes[0].1, agrees(3), "{liars:?}");
            assert_eq!(client.standings()[0], Standing::Behind, "{liars:?}");
        }
    }
}

/// As by showing an old header: nothing new is seen, and nothing is lost.
#[test]
async fn when_all_say_so_the_device_stays_where_it_is() {
    let store = followed(3).await;
    let network =
        (0..4).fold(Network::honest(Chain::new(6)), |network, node| network.with(node, nothing_new()));
    let report = Arc::new(network).client_with(store).sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(3), 4));
}

#[test]
async fn who_says_so_to_a_device_that_has_nothing_answers_another_question() {
    let client = Arc::new(Network::honest(Chain::new(2)).with(0, nothing_new())).client();
    let report = client.sync(NOW).await.unwrap();
    let forgery = Forgery::OtherAnswer { question: Question::Latest };
    assert_eq!(report.nodes[0].1, NodeVerdict::Forged(forgery.clone()));
    assert_eq!((report.agreeing, &client.standings()[0]), (3, &Standing::Lied(forgery)));
}

#[test]
async fn one_alone_is_no_witness_to_what_this_device_had() {
    let network = Network::honest(Chain::new(3)).with(1, silent()).with(2, silent()).with(3, silent());
    let client = Arc::new(network).client_with(followed(3).await);
    let failed = client.sync(NOW).await.unwrap_err();
    assert!(matches!(failed, LightError::TooFewWitnesses { agreeing: 1, needed: 2, .. }), "{failed:?}");
}

/// Whoever stands by a branch without having it stands on its side, and one of the other is enough.
#[test]
async fn who_agrees_to_a_branch_by_saying_so_is_on_its_side() {
    let network = Network::honest(Chain::new(5)).on_chain(0, Chain::forked(5, 3)).with(1, nothing_new());
    let failed = Arc::new(network).client().sync(NOW).await;
    let Err(LightError::Disagreement(found)) = failed else { panic!("{failed:?}") };
    let mut sides = [found.left.nodes, found.right.nodes];
    sides.sort();
    assert_eq!(sides, [[0, 1].map(NodeIndex), [2, 3].map(NodeIndex)]);
}

#[test]
async fn a_clock_set_back_is_noticed_though_nothing_is_new() {
    let client = Arc::new(Network::honest(Chain::new(5))).client();
    client.sync(NOW).await.unwrap();
    let (now, newest) = (Timestamp(START.0 - 24 * 60 * 60 * 1_000), Timestamp(START.0 + 5_000));
    assert_eq!(client.sync(now).await, Err(LightError::ClockBehind { now, newest }));
}

#[test]
async fn who_does_not_understand_the_question_has_not_lied() {
    let undecodable = || TransportError::Decode(DecodeError::TooLarge { found: 9, limit: 8 });
    let refusing =
        lying(|question, _| for_newest(question).then_some(LightResponse::Refused(LightRefusal::Malformed)));
    let unreadable: Twist = Box::new(move |_, _| Err(undecodable()));
    let network = Network::honest(Chain::new(2)).with(2, refusing).with(3, unreadable);
    let client = Arc::new(network).client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.agreeing, 2);
    assert_eq!(report.nodes[2].1, NodeVerdict::Refused(LightRefusal::Malformed));
    assert_eq!(report.nodes[3].1, NodeVerdict::Unreachable(undecodable()));
    assert_eq!(client.standings()[2..], [Standing::Good, Standing::Unreachable]);
}

/// By a clock that stands still while nobody waits.
#[cfg(not(target_arch = "wasm32"))]
#[tokio::test(start_paused = true)]
async fn the_first_is_waited_for_a_second_before_the_others_are_asked_and_two_in_all() {
    use amulet_protocol::light::LightRequest;
    use std::time::Duration;
    let network = Arc::new(Network::honest(Chain::new(3)).hanging(0));
    let client = network.client();
    let started = tokio::time::Instant::now();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.agreeing, started.elapsed()), (3, Duration::from_secs(2)));
    let asked = network.asked(|question| *question == LightRequest::Latest);
    assert_eq!(asked, [1, 2, 3].map(NodeIndex), "who was asked meanwhile knows of no header to spare");
}
