//! Whom a client asks first, and what it has to report: its own experience before the ledger's score, and order only.

use crate::chain::{Chain, NOW, START};
use crate::network::{Network, Twist, honest, lying, silent};
use crate::test;
use amulet_crypto::entropy::SeededEntropy;
use amulet_light_client::client::{LedgerScore, Measured, Standing};
use amulet_light_client::{Clock, LightClient, NodeIndex};
use amulet_protocol::ids::{Did, Epoch, Timestamp};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::reputation::{LedgerDay, Reputation, SCORE_PRIOR, Score, ServiceLine, Tenths};
use amulet_protocol::state::StateKey;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Questions asked one after another, in a test of the drawn order.
const DRAWS: usize = 400;

fn organisation(chain: &Chain, index: usize) -> Did {
    chain.people.genesis.organisations[index].did()
}

/// What is known of node `rated` when all other hospitals' clients say `tenths` of it for `days`.
fn reputation(chain: &Chain, rated: usize, tenths: u8, days: u32) -> Reputation {
    let today = LedgerDay::of(START);
    let first = LedgerDay(today.0 - days);
    let others = (0..4).filter(|other| *other != rated).map(|other| organisation(chain, other)).collect();
    let mut reputation = Reputation::unknown(first);
    let (answered, all) = (Tenths(tenths), Tenths::ALL);
    let line = ServiceLine { organisation: organisation(chain, rated), answered, fresh: all, sound: all };
    for day in first.0..today.0 {
        reputation.settle(LedgerDay(day), &others);
        for voucher in &others {
            (0..8).for_each(|_| reputation.note(*voucher, &line));
        }
    }
    reputation.settle(today, &others);
    reputation
}

/// A chain of one patient's two events whose state says this of the nodes.
fn rated(reputations: &[(usize, u8)]) -> Chain {
    let mut chain = Chain::new(1);
    for (node, tenths) in reputations {
        let value = reputation(&chain, *node, *tenths, 60);
        chain.write(StateKey::Reputation(organisation(&chain, *node)), &value);
    }
    let transaction = chain.people.transaction(2);
    chain.push(vec![transaction], Timestamp(START.0 + 2_000));
    chain
}

async fn synced(network: Network) -> (Arc<Network>, LightClient) {
    let network = Arc::new(network);
    let client = network.client();
    client.sync(NOW).await.unwrap();
    (network, client)
}

fn is_state(question: &LightRequest) -> bool {
    matches!(question, LightRequest::StateBatch { .. })
}

/// A question that goes to whoever is first.
async fn ask(client: &LightClient) {
    let key = StateKey::Account(client.nodes()[0].organisation);
    client.state::<u64>(&key).await.unwrap();
}

#[test]
async fn scores_are_read_with_proof_and_absence_is_the_prior() {
    let (_, client) = synced(Network::honest(rated(&[(1, 10), (2, 0)]))).await;
    let scores = client.read_scores().await.unwrap();
    let points: Vec<u16> = scores.iter().map(|score| score.score.points()).collect();
    assert_eq!(points, [SCORE_PRIOR.points(), 10_000, 0, SCORE_PRIOR.points()]);
    assert!(scores.iter().all(|score| !score.convicted));
}

#[test]
async fn a_score_without_proof_is_not_taken() {
    let honest = rated(&[(1, 0)]);
    let flattering = Mutex::new(rated(&[(1, 10)]));
    let lie = lying(move |question, _| {
        let flattering = flattering.lock().unwrap();
        is_state(question).then(|| flattering.answer(question, flattering.tip()))
    });
    let (_, client) = synced(Network::honest(honest).with(0, lie)).await;
    let scores = client.read_scores().await.unwrap();
    assert_eq!(scores[1].score, Score::ZERO);
    assert!(matches!(client.standings()[0], Standing::Lied(_)));
}

#[test]
async fn the_best_is_asked_first_when_nothing_is_drawn() {
    let (network, client) = synced(Network::honest(rated(&[(0, 4), (2, 10)]))).await;
    client.read_scores().await.unwrap();
    ask(&client).await;
    assert_eq!(network.asked(is_state), [NodeIndex(0), NodeIndex(2)]);
}

#[test]
async fn the_order_is_drawn_by_weight_and_nobody_is_left_out() {
    let (network, client) = synced(Network::honest(rated(&[(0, 10), (1, 10), (2, 10), (3, 0)]))).await;
    let client = client.with_entropy(Box::new(SeededEntropy::new(3)));
    client.read_scores().await.unwrap();
    for _ in 0..DRAWS {
        ask(&client).await;
    }
    let asked = network.asked(is_state);
    let times = |node| asked.iter().skip(1).filter(|asked| **asked == NodeIndex(node)).count();
    // 10,000 : 10,000 : 10,000 : 500, so about 131 each, and 6 or 7.
    for node in 0..3 {
        assert!((100..=165).contains(&times(node)), "node {node} was asked {} times", times(node));
    }
    assert!((1..=20).contains(&times(3)), "the worst was asked {} times", times(3));
}

#[test]
async fn who_lied_to_this_client_comes_last_whatever_the_ledger_says() {
    let lie = lying(|question, _| is_state(question).then(|| LightResponse::State(vec![])));
    let chain = rated(&[(0, 10), (1, 2), (2, 2), (3, 2)]);
    let (network, client) = synced(Network::honest(chain).with(0, lie)).await;
    let client = client.with_entropy(Box::new(SeededEntropy::new(3)));
    client.read_scores().await.unwrap();
    while !matches!(client.standings()[0], Standing::Lied(_)) {
        ask(&client).await;
    }
    let before = network.asked(is_state).len();
    for _ in 0..DRAWS {
        ask(&client).await;
    }
    assert!(!network.asked(is_state)[before..].contains(&NodeIndex(0)));
}

#[test]
async fn the_convicted_are_asked_when_nobody_else_answers() {
    let mut chain = Chain::new(1);
    let mut convicted = reputation(&chain, 0, 10, 60);
    convicted.convict(Epoch(0));
    chain.write(StateKey::Reputation(organisation(&chain, 0)), &convicted);
    let transaction = chain.people.transaction(2);
    chain.push(vec![transaction], Timestamp(START.0 + 2_000));
    let (network, client) = synced(Network::honest(chain)).await;
    let scores = client.read_scores().await.unwrap();
    assert_eq!(scores[0], LedgerScore { score: Score::ZERO, convicted: true });
    ask(&client).await;
    assert_eq!(network.asked(is_state), [NodeIndex(0), NodeIndex(1)]);
    (1..4).for_each(|node| network.change(node, silent()));
    ask(&client).await;
    assert_eq!(network.asked(is_state).last(), Some(&NodeIndex(0)));
}

#[test]
async fn a_report_has_shares_of_the_others_and_no_counts() {
    let chain = Chain::new(3);
    let organisations: Vec<Did> = (0..4).map(|index| organisation(&chain, index)).collect();
    let (network, client) = synced(Network::honest(chain).behind(2, 2)).await;
    assert_eq!(client.service_lines(organisations[0]), [], "too little was measured");
    for round in 1..20 {
        if round == 10 {
            network.change(3, silent());
        }
        client.sync(NOW).await.unwrap();
    }
    let lines = client.service_lines(organisations[0]);
    assert!(lines.is_sorted_by_key(|line| line.organisation));
    let of = |index: usize| lines.iter().find(|line| line.organisation == organisations[index]).copied();
    let all = Tenths::ALL;
    let line = |index: usize, answered, fresh| {
        Some(ServiceLine { organisation: organisations[index], answered, fresh, sound: all })
    };
    assert_eq!(of(0), None, "its own clients do not count for a hospital");
    assert_eq!(of(1), line(1, all, all));
    assert_eq!(of(2), line(2, all, Tenths(0)));
    assert_eq!(of(3), line(3, Tenths(5), all));
    client.forget_measured();
    assert_eq!(client.service_lines(organisations[0]), []);
}

#[test]
async fn lies_that_this_client_cannot_prove_are_part_of_its_report() {
    let forged =
        lying(|question, _| matches!(question, LightRequest::Latest).then(|| LightResponse::State(vec![])));
    let chain = Chain::new(3);
    let (first, liar) = (organisation(&chain, 0), organisation(&chain, 1));
    let (_, client) = synced(Network::honest(chain).with(1, forged)).await;
    for _ in 0..9 {
        client.sync(NOW).await.unwrap();
    }
    let lines = client.service_lines(first);
    let line = lines.iter().find(|line| line.organisation == liar).unwrap();
    assert_eq!((line.answered, line.sound), (Tenths::ALL, Tenths(0)));
}

#[test]
async fn a_device_without_network_blames_nobody() {
    let network = Arc::new(Network::honest(Chain::new(3)));
    let clock = Arc::new(Moving(AtomicU64::new(NOW.0)));
    let client = network.client().with_clock(clock.clone());
    client.sync(NOW).await.unwrap();
    let before = client.measured();
    (0..4).for_each(|node| network.change(node, silent()));
    for _ in 0..20 {
        client.sync(clock.pass(60_000)).await.unwrap_err();
    }
    assert_eq!(client.measured(), before);
    (1..4).for_each(|node| network.change(node, honest()));
    client.sync(clock.pass(60_000)).await.unwrap();
    let after = client.measured();
    assert_eq!(after[1], Measured { asked: 2, answered: 2, looked: 2, fresh: 2, unsound: 0 });
    assert!(after[0].asked > 1 && after[0].answered == 1, "others answer, so it is the node: {:?}", after[0]);
}

/// A clock that a test moves.
struct Moving(AtomicU64);

impl Moving {
    fn pass(&self, millis: u64) -> Timestamp {
        self.0.fetch_add(millis, Ordering::Relaxed);
        self.now()
    }
}

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[test]
async fn a_busy_node_has_not_answered_and_an_empty_handed_one_has() {
    let (network, client) = synced(Network::honest(Chain::new(1))).await;
    let busy: Twist = Box::new(|_, _| Ok(LightResponse::Refused(LightRefusal::Busy)));
    let empty: Twist = Box::new(|_, _| Ok(LightResponse::NotFound));
    for (twist, answered) in [(busy, 0), (empty, 1)] {
        client.forget_measured();
        network.change(0, twist);
        ask(&client).await;
        assert_eq!(client.measured()[0], Measured { asked: 1, answered, ..Measured::default() });
    }
}
