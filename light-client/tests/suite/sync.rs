//! Synchronisation: unreachable, behind, forged and disagreeing hospitals are told apart.

use crate::chain::{Chain, NOW, QUORUM, START};
use crate::network::{Network, honest, lying, silent};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::client::Standing;
use amulet_light_client::store::{Kept, Slot, StoredHeader};
use amulet_light_client::verifier::{InvalidHeader, TrustExpired};
use amulet_light_client::{
    Forgery, Interception, LightClient, LightError, Link, MemoryStore, NodeIndex, NodeInfo, NodeVerdict,
    StoreError, TransportError, TrustParams,
};
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::range::RangeProofError;
use std::sync::Arc;

fn agrees(height: u64) -> NodeVerdict {
    NodeVerdict::Agrees { height: Height(height) }
}

fn unreachable() -> NodeVerdict {
    NodeVerdict::Unreachable(TransportError::Connect)
}

fn verdicts(nodes: Vec<(NodeIndex, NodeVerdict)>) -> Vec<NodeVerdict> {
    nodes.into_iter().map(|(_, verdict)| verdict).collect()
}

/// A node that changes the header in its answers to `Latest`.
fn forging(change: impl Fn(&mut UntrustedSignedHeader) + Send + Sync + 'static) -> crate::network::Twist {
    lying(move |question, answer| match (question, answer) {
        (LightRequest::Latest, LightResponse::Header(signed)) => {
            let mut signed = signed.clone();
            change(&mut signed);
            Some(LightResponse::Header(signed))
        }
        _ => None,
    })
}

fn range_path(height: u64) -> Forgery {
    Forgery::RangeProof(InvalidHeader::Range(RangeProofError::Path { height: Height(height) }))
}

#[test]
async fn four_honest_hospitals_agree() {
    let network = Arc::new(Network::honest(Chain::new(5)));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(5));
    assert_eq!((report.signed, report.validators, report.agreeing, report.total), (3, 4, 4, 4));
    assert_eq!(report.link, None);
    assert_eq!(client.trusted(), Some(report.head.clone()));
    assert_eq!(verdicts(report.nodes), vec![agrees(5), agrees(5), agrees(5), agrees(5)]);
}

#[test]
async fn the_next_sync_links_the_new_head_to_the_old_one() {
    let network =
        Arc::new(Network::honest(Chain::new(5)).behind(0, 2).behind(1, 2).behind(2, 2).behind(3, 2));
    let store = Arc::new(MemoryStore::default());
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let grown = Arc::new(Network::honest(Chain::new(5)));
    let report = grown.client_with(store).sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(5));
    assert!(matches!(report.link, Some(Link::Range { .. })));
    assert_eq!(report.store_trouble, None);
}

#[test]
async fn a_hospital_that_is_behind_is_a_witness_if_its_header_is_in_the_range() {
    let network = Arc::new(Network::honest(Chain::new(6)).behind(1, 2).behind(2, 5).with(3, silent()));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(6));
    assert_eq!(report.agreeing, 3);
    assert_eq!(verdicts(report.nodes), vec![agrees(6), agrees(2), agrees(5), unreachable()]);
    let expected = vec![Standing::Good, Standing::Behind, Standing::Behind, Standing::Unreachable];
    assert_eq!(client.standings(), expected);
}

#[test]
async fn no_answer_at_all_is_unreachable_and_leaves_the_trusted_header() {
    let network = Arc::new(Network::honest(Chain::new(2)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    for node in 0..4 {
        network.change(node, silent());
    }
    assert_eq!(client.sync(NOW).await, Err(LightError::Unreachable { asked: 4 }));
    assert_eq!(client.trusted().unwrap().height(), Height(2));
}

#[test]
async fn a_sign_in_page_in_the_place_of_every_hospital_is_told_from_silence() {
    let network = Arc::new(Network::honest(Chain::new(2)));
    let client = network.client();
    let page = TransportError::Intercepted { by: Interception::Page };
    for node in 0..4 {
        let page = page.clone();
        network.change(node, Box::new(move |_, _| Err(page.clone())));
    }
    let error = client.sync(NOW).await.unwrap_err();
    assert!(error.is_passing(), "nothing that was reached is given up for it");
    let LightError::TooFewWitnesses { agreeing: 0, nodes, .. } = error else { panic!("{error:?}") };
    assert!(nodes.iter().all(|(_, verdict)| *verdict == NodeVerdict::Unreachable(page.clone())), "{nodes:?}");
}

#[cfg_attr(target_arch = "wasm32", test)]
#[cfg_attr(not(target_arch = "wasm32"), tokio::test(start_paused = true))]
async fn a_hospital_that_hangs_does_not_hold_up_the_others() {
    let network = Arc::new(Network::honest(Chain::new(3)).hanging(0));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(3), 3));
    let silent = NodeVerdict::Unreachable(TransportError::Timeout { millis: 2_000 });
    assert_eq!(report.nodes[0], (NodeIndex(0), silent));
    assert_eq!(client.standings()[0], Standing::Unreachable);
}

/// By a clock that stands still while nobody waits.
#[cfg(not(target_arch = "wasm32"))]
#[tokio::test(start_paused = true)]
async fn a_silent_hospital_is_waited_for_once_then_a_moment_with_each_sync_and_never_by_other_questions() {
    use crate::chain::block_key;
    use amulet_protocol::history::HistoryHead;
    use std::time::Duration;
    let network = Arc::new(Network::honest(Chain::new(3)).hanging(0));
    let client = network.client();
    let mut started = tokio::time::Instant::now();
    let mut waited = || std::mem::replace(&mut started, tokio::time::Instant::now()).elapsed();
    client.sync(NOW).await.unwrap();
    assert!(waited() <= Duration::from_secs(2));
    let patient = network.chain().lock().unwrap().people.patient_did();
    for height in 1..=3 {
        client.state::<Height>(&block_key(height)).await.unwrap();
        client.history(patient, HistoryHead::default()).await.unwrap();
        client.header_at(Height(height)).await.unwrap();
    }
    assert_eq!(waited(), Duration::ZERO);
    for _ in 0..4 {
        client.sync(NOW).await.unwrap();
    }
    assert!(waited() <= 4 * Duration::from_millis(250));
}

#[test]
async fn one_hospital_alone_is_not_believed() {
    let network = Network::honest(Chain::new(2)).with(1, silent()).with(2, silent()).with(3, silent());
    let client = Arc::new(network).client();
    let nodes = vec![agrees(2), unreachable(), unreachable(), unreachable()];
    match client.sync(NOW).await {
        Err(LightError::TooFewWitnesses { agreeing: 1, needed: 2, nodes: found }) => {
            assert_eq!(verdicts(found), nodes);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.trusted(), None);
}

#[test]
async fn two_nodes_of_one_organisation_are_one_witness() {
    let network = Arc::new(Network::honest(Chain::new(2)).with(2, silent()).with(3, silent()));
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let organisation = |index: usize| NodeInfo { organisation: genesis.organisations[index].did() };
    let nodes = vec![organisation(0), organisation(0), organisation(1), organisation(2)];
    let (store, params) = (Box::new(MemoryStore::default()), TrustParams::default());
    let client = LightClient::new(&genesis, nodes, network.clone(), store, params).unwrap();
    let error = client.sync(NOW).await.unwrap_err();
    assert!(matches!(error, LightError::TooFewWitnesses { agreeing: 1, needed: 2, .. }), "{error:?}");
}

#[test]
async fn a_changed_byte_in_a_header_is_reported_and_the_others_are_used() {
    let network =
        Network::honest(Chain::new(4)).with(0, forging(|signed| signed.header.state_root = sm3(b"lie")));
    let network = Arc::new(network);
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.agreeing, 3);
    let NodeVerdict::Forged(forgery) = &report.nodes[0].1 else { panic!("{:?}", report.nodes) };
    let cause = |error: &Forgery| {
        matches!(error, Forgery::Header(InvalidHeader::Certificate(CertificateError::HeaderHash { .. })))
    };
    assert!(cause(forgery), "{forgery:?}");
    assert_eq!(client.standings()[0], Standing::Lied(forgery.clone()));
}

#[test]
async fn a_higher_header_without_a_quorum_wins_nothing() {
    let forger = forging(|signed| {
        signed.header.height = Height(99);
        let people = crate::chain::People::new();
        *signed = people.signed(signed.header.clone(), &[0, 1]);
    });
    let network = Arc::new(Network::honest(Chain::new(4)).with(2, forger));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(4));
    let cause = CertificateError::TooFew { found: 2, needed: 3 };
    let forged = NodeVerdict::Forged(Forgery::Header(InvalidHeader::Certificate(cause)));
    assert_eq!(report.nodes[2].1, forged);
}

#[test]
async fn forgers_leave_too_few_witnesses() {
    let forge = || forging(|signed| signed.certificate.signatures.truncate(1));
    let network = Network::honest(Chain::new(4)).with(0, forge()).with(1, forge()).with(2, forge());
    let error = Arc::new(network).client().sync(NOW).await.unwrap_err();
    assert!(matches!(error, LightError::TooFewWitnesses { agreeing: 1, needed: 2, .. }), "{error:?}");
}

#[test]
async fn two_certified_headers_at_one_height_are_a_disagreement_with_evidence() {
    let (chain, fork) = (Chain::new(5), Chain::forked(5, 3));
    let (ours, theirs) = (chain.signed_at(5), fork.signed_at(5));
    let network = Arc::new(Network::honest(chain).on_chain(2, fork));
    let client = network.client();
    match client.sync(NOW).await {
        Err(LightError::Disagreement(found)) => {
            assert_eq!(found.height, Height(5));
            let sides = [&found.left, &found.right];
            let side =
                |header: &UntrustedSignedHeader| sides.iter().find(|side| side.header == *header).unwrap();
            assert_eq!(side(&ours).nodes, vec![NodeIndex(0), NodeIndex(1), NodeIndex(3)]);
            assert_eq!(side(&theirs).nodes, vec![NodeIndex(2)]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.trusted(), None);
}

#[test]
async fn a_fork_further_back_is_found_though_the_heights_differ() {
    // Node 2 is two blocks behind, on another branch: both the adjacent and the distant case.
    for behind in [5, 4] {
        let fork = Chain::forked(6, 3);
        let theirs = fork.signed_at(behind);
        let network = Arc::new(Network::honest(Chain::new(6)).on_chain(2, fork).behind(2, behind));
        let error = network.client().sync(NOW).await.unwrap_err();
        let LightError::Disagreement(found) = error else { panic!("{error:?}") };
        assert_eq!(found.height, Height(behind));
        assert_eq!((&found.left.header, &found.left.nodes[..]), (&theirs, &[NodeIndex(2)][..]));
        assert!(!found.right.nodes.is_empty());
        let others = found.others.iter().map(|(node, _)| *node);
        let mut all: Vec<_> =
            found.left.nodes.iter().chain(&found.right.nodes).copied().chain(others).collect();
        all.sort_unstable();
        assert_eq!(all, (0..4).map(NodeIndex).collect::<Vec<_>>(), "nobody who was asked is left out");
        assert!(found.others.iter().all(|(_, did)| *did == NodeVerdict::Unproven { height: Height(6) }));
    }
}

#[test]
async fn hospitals_that_agree_on_another_chain_than_this_device_followed_are_a_disagreement() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(Chain::new(4)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let trusted = Chain::new(4).signed_at(4);
    for height in [4, 5, 7] {
        let network = Arc::new(Network::honest(Chain::forked(height, 3)));
        let client = network.client_with(store.clone());
        let error = client.sync(NOW).await.unwrap_err();
        let LightError::Disagreement(found) = error else { panic!("{error:?}") };
        assert_eq!((found.left.header, found.left.nodes), (trusted.clone(), vec![]));
        assert_eq!(client.trusted().unwrap().as_signed(), &trusted, "trust does not move");
    }
}

#[test]
async fn a_forged_range_proof_is_the_liars_fault_not_the_witnesss() {
    let forge = lying(|question, answer| match (question, answer) {
        (LightRequest::RangeProof { .. }, LightResponse::RangeProof(proof)) => {
            let mut proof = proof.clone();
            proof.hashes[0] = sm3(b"lie");
            Some(LightResponse::RangeProof(proof))
        }
        _ => None,
    });
    let network = Arc::new(Network::honest(Chain::new(7)).behind(1, 3).with(0, forge));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(verdicts(report.nodes), vec![agrees(7), agrees(3), agrees(7), agrees(7)]);
    assert_eq!(client.standings()[0], Standing::Lied(range_path(3)));
}

#[test]
async fn a_witness_that_nobody_can_place_does_not_count() {
    let mute = || {
        lying(|question, _| {
            matches!(question, LightRequest::RangeProof { .. }).then_some(LightResponse::NotFound)
        })
    };
    let network =
        Network::honest(Chain::new(7)).behind(1, 3).with(0, mute()).with(2, mute()).with(3, silent());
    let network = Arc::new(network);
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!(report.agreeing, 2);
    assert_eq!(report.nodes[1].1, NodeVerdict::Unproven { height: Height(3) });
}

#[test]
async fn an_answer_to_another_question_is_a_forgery() {
    let confused =
        lying(|question, _| (*question == LightRequest::Latest).then(|| LightResponse::State(vec![])));
    let network = Arc::new(Network::honest(Chain::new(1)).with(3, confused));
    let report = network.client().sync(NOW).await.unwrap();
    let question = amulet_light_client::Question::Latest;
    assert_eq!(report.nodes[3].1, NodeVerdict::Forged(Forgery::OtherAnswer { question }));
}

#[test]
async fn an_oversized_answer_counts_as_no_answer() {
    let oversized: crate::network::Twist = Box::new(|_, _| Err(TransportError::TooLarge { limit: 8 }));
    let network = Arc::new(Network::honest(Chain::new(1)).with(3, oversized));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!(report.nodes[3].1, NodeVerdict::Unreachable(TransportError::TooLarge { limit: 8 }));
}

#[test]
async fn a_chain_without_blocks_is_said_to_have_none() {
    let network = Arc::new(Network::honest(Chain::new(0)).with(2, silent()));
    assert_eq!(network.client().sync(NOW).await, Err(LightError::NothingYet));
}

#[test]
async fn other_validators_are_told_apart_from_lies() {
    let found = sm3(b"another set");
    let change = move |shows_a_set: bool| {
        let forge = forging(move |signed| {
            signed.header.validators_hash = found;
            *signed = crate::chain::People::new().signed(signed.header.clone(), &QUORUM);
        });
        let twist: crate::network::Twist = Box::new(move |question, answer| match question {
            LightRequest::Validators(_) if !shows_a_set => Ok(LightResponse::NotFound),
            _ => forge(question, answer),
        });
        twist
    };
    let network = Network::honest(Chain::new(1));
    let network = (0..4).fold(network, |network, node| network.with(node, change(false)));
    let known = network.chain().lock().unwrap().people.genesis.validate().unwrap().hash();
    assert_eq!(
        Arc::new(network).client().sync(NOW).await,
        Err(LightError::ValidatorsChanged { found, known })
    );
    // Who shows another set than its header names has lied.
    let network = Arc::new(Network::honest(Chain::new(1)).with(3, change(true)));
    let report = network.client().sync(NOW).await.unwrap();
    let cause = InvalidHeader::OtherSet { found: known, named: found };
    assert_eq!(report.nodes[3].1, NodeVerdict::Forged(Forgery::Step(cause.into())));
}

#[test]
async fn trust_that_ran_out_is_not_renewed_by_hospitals_but_by_a_person() {
    let network = Arc::new(Network::honest(Chain::new(2)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let period_ms = TrustParams::default().trust_period_ms();
    let late = NOW.plus_millis(period_ms + 1);
    let expired = TrustExpired { checked_at: NOW, now: late, period_ms };
    assert_eq!(client.sync(late).await, Err(LightError::TrustExpired(expired)));
    client.forget().await.unwrap();
    assert_eq!(client.sync(late).await.unwrap().head.height(), Height(2));
}

#[test]
async fn a_trusted_header_survives_a_restart_and_hospitals_that_are_behind() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(Chain::new(5)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let behind = Arc::new(Network::honest(Chain::new(5)).behind(0, 4).behind(1, 4).behind(2, 4).behind(3, 4));
    let client = behind.client_with(store);
    assert_eq!(client.restore().await.unwrap().height(), Height(5));
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.link), (Height(5), Some(Link::Same)));
    assert_eq!(report.agreeing, 4);
}

#[test]
async fn a_corrupt_or_foreign_store_is_reset_and_said_so() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(Chain::new(3)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let mut bytes = store.bytes(Slot::Head).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let corrupt = Arc::new(MemoryStore::default());
    corrupt.put(Slot::Head, bytes);
    let client = network.client_with(corrupt.clone());
    assert_eq!((client.restore().await, corrupt.bytes(Slot::Head)), (None, None));
    assert_eq!(client.store_trouble(), Some(StoreError::Corrupt));
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.store_trouble, Some(StoreError::Corrupt));
    assert_eq!(client.sync(NOW).await.unwrap().store_trouble, None, "told once");
    assert_eq!(corrupt.bytes(Slot::Head), store.bytes(Slot::Head), "rebuilt");
}

#[test]
async fn a_stored_header_that_was_forged_with_a_fitting_digest_is_not_believed() {
    let store = Arc::new(MemoryStore::default());
    let chain = Chain::new(3);
    let mut signed = chain.signed_at(3);
    signed.header.state_root = sm3(b"lie");
    let forged = StoredHeader { signed, checked_at: NOW, trail: Vec::new() };
    Kept::new(Box::new(store.clone())).keep_head(&forged).await.unwrap();
    let client = Arc::new(Network::honest(chain)).client_with(store);
    assert_eq!((client.restore().await, client.store_trouble()), (None, Some(StoreError::Foreign)));
}

#[test]
async fn a_client_of_one_organisation_or_of_strangers_is_not_made() {
    let network = Arc::new(Network::honest(Chain::new(0)));
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let make = |nodes: Vec<NodeInfo>| {
        let (store, params) = (Box::new(MemoryStore::default()), TrustParams::default());
        LightClient::new(&genesis, nodes, network.clone(), store, params).map(|_| ())
    };
    let own = NodeInfo { organisation: genesis.organisations[0].did() };
    assert_eq!(make(vec![own.clone(), own.clone()]), Err(LightError::TooFewNodes { found: 1, needed: 2 }));
    let organisation = crate::chain::People::new().patient_did();
    let stranger = NodeInfo { organisation };
    let refused = LightError::UnknownOrganisation { node: NodeIndex(1), organisation };
    assert_eq!(make(vec![own, stranger]), Err(refused));
}

#[test]
async fn a_hospital_that_stops_lying_is_asked_last_but_counts_as_a_witness() {
    let network = Arc::new(
        Network::honest(Chain::new(3)).with(0, forging(|signed| signed.certificate.signatures.clear())),
    );
    let client = network.client();
    client.sync(NOW).await.unwrap();
    network.change(0, honest());
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.agreeing, 4);
    assert!(matches!(client.standings()[0], Standing::Lied(_)));
    client.header_at(Height(1)).await.unwrap();
    assert_eq!(network.asked(|question| matches!(question, LightRequest::HeaderAt(_))), vec![NodeIndex(1)]);
}

#[test]
async fn a_clock_that_is_behind_is_to_blame_and_no_hospital() {
    let network = Arc::new(Network::honest(Chain::new(5)));
    let client = network.client();
    let day = 24 * 60 * 60 * 1_000;
    let (now, newest) = (Timestamp(START.0 - day), Timestamp(START.0 + 5_000));
    assert_eq!(client.sync(now).await, Err(LightError::ClockBehind { now, newest }));
    assert!(client.standings().iter().all(|standing| *standing == Standing::Good), "nobody has lied");
    assert_eq!(client.sync(NOW).await.unwrap().agreeing, 4, "as soon as the clock is right");
}

/// One hospital whose clock is ahead says nothing about this device's.
#[test]
async fn one_hospital_that_is_ahead_of_the_clock_is_left_out_and_not_accused() {
    let time = NOW.plus_millis(24 * 60 * 60 * 1_000);
    let ahead = forging(move |signed| signed.header.time = time);
    let network = Arc::new(Network::honest(Chain::new(5)).with(1, ahead));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.nodes[1].1, NodeVerdict::AheadOfClock { time });
    assert_eq!((report.agreeing, &client.standings()[1]), (3, &Standing::Good));
}
