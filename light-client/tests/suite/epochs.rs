//! Validator sets that change while a device looks away.

use crate::chain::{Chain, NOW, QUORUM};
use crate::network::{Network, lying, silent};
use crate::test;
use amulet_light_client::store::{Kept, StoredHeader};
use amulet_light_client::verifier::{InvalidHeader, InvalidStep, StepVerdict, Verdict, Verifier};
use amulet_light_client::{Forgery, LightError, Link, MemoryStore, NodeVerdict, StoreError, TrustParams};
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedEpochEnd};
use std::sync::Arc;

/// Three epochs: blocks 1 to 3, 4 and 5, and from 6 on.
const TURNS: [u64; 2] = [3, 5];

fn verifier(chain: &Chain) -> Verifier {
    let genesis = &chain.people.genesis;
    Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default())
}

/// What following `end` from the genesis set gives.
fn followed(chain: &Chain, end: UntrustedEpochEnd) -> Result<Height, InvalidStep> {
    match verifier(chain).take(end.into(), None, NOW).unwrap() {
        StepVerdict::Taken(header) => Ok(header.height()),
        StepVerdict::Invalid(cause) => Err(cause),
        StepVerdict::NotEnoughOverlap(overlap) => panic!("{overlap:?}"),
    }
}

/// A node that changes how epochs are said to have ended.
fn twisting(change: impl Fn(&mut UntrustedEpochEnd) + Send + Sync + 'static) -> crate::network::Twist {
    lying(move |_, answer| match answer.clone() {
        LightResponse::EpochEnd(mut end) => {
            change(&mut end);
            Some(LightResponse::EpochEnd(end))
        }
        _ => None,
    })
}

#[test]
async fn a_new_device_follows_every_set_from_the_pinned_one_to_the_newest() {
    let network = Arc::new(Network::honest(Chain::turning(8, &TURNS)));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(8), 4));
    let chain = network.chain();
    let chain = chain.lock().unwrap();
    assert_eq!(client.epoch(), Epoch(2));
    assert_eq!(*client.validators(), chain.set_at(8));
    for height in 1..=8 {
        let known = client.validators_at(Height(height)).unwrap();
        assert_eq!(*known, chain.set_at(height), "at {height}");
    }
}

#[test]
async fn a_device_goes_on_across_a_change_and_proves_old_blocks_by_the_sets_of_their_time() {
    let network = Arc::new(
        Network::honest(Chain::turning(8, &TURNS)).behind(0, 2).behind(1, 2).behind(2, 2).behind(3, 2),
    );
    let client = network.client();
    assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(2));
    for tip in [4, 8] {
        for node in 0..4 {
            network.set_tip(node, tip);
        }
        let report = client.sync(NOW).await.unwrap();
        assert_eq!(report.head.height(), Height(tip));
        assert!(matches!(report.link, Some(Link::Range { .. })));
    }
    for height in 1..=8 {
        assert_eq!(client.header_at(Height(height)).await.unwrap().header.height(), Height(height));
    }
}

#[test]
async fn a_receipt_from_after_a_change_is_proven_without_a_sync_before() {
    let network = Network::honest(Chain::turning(8, &TURNS));
    let network = Arc::new((0..4).fold(network, |network, node| network.behind(node, 2)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    (0..4).for_each(|node| network.set_tip(node, 8));
    let committed = network.chain().lock().unwrap().people.transaction(7);
    let receipt = client.receipt(committed.id()).await.unwrap();
    assert_eq!((receipt.header.header.height(), client.epoch()), (Height(7), Epoch(2)));
}

#[test]
async fn a_transaction_is_waited_for_across_a_change() {
    let network = Network::honest(Chain::turning(4, &[3]));
    let network = Arc::new((0..4).fold(network, |network, node| network.behind(node, 2)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let committed = network.chain().lock().unwrap().people.transaction(4);
    (0..4).for_each(|node| network.set_tip(node, 4));
    let limit = std::time::Duration::from_secs(60);
    let receipt = client.submit_and_wait(&committed, limit).await.unwrap();
    assert_eq!((receipt.header.header.height(), client.epoch()), (Height(4), Epoch(1)));
}

#[test]
async fn hospitals_on_both_sides_of_a_change_agree() {
    let network = Arc::new(Network::honest(Chain::turning(6, &TURNS)).behind(1, 3).behind(2, 4));
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(6), 4));
}

#[test]
async fn the_sets_survive_a_restart_and_are_checked_again() {
    let store = Arc::new(MemoryStore::default());
    let network = Arc::new(Network::honest(Chain::turning(8, &TURNS)));
    network.client_with(store.clone()).sync(NOW).await.unwrap();
    let again = network.client_with(store.clone());
    again.restore().await;
    assert_eq!((again.epoch(), again.trusted().unwrap().height()), (Epoch(2), Height(8)));
    let steps = |question: &LightRequest| {
        matches!(question, LightRequest::EpochEnd(_) | LightRequest::EpochEndWithSet(_))
    };
    assert_eq!(network.asked(steps).len(), 2, "once each, from whoever leads, and none after the restart");
    // Who can write to the store cannot seat validators of their own.
    let kept = Kept::new(Box::new(store.clone()));
    let mut stored: StoredHeader = kept.head().await.unwrap().unwrap();
    let other = Chain::turning(8, &[3, 4]);
    stored.trail[1] = other.epoch_end(1).into();
    stored.trail[1].header = stored.trail[0].header.clone();
    kept.keep_head(&stored).await.unwrap();
    let reset = network.client_with(store);
    reset.restore().await;
    assert_eq!(reset.store_trouble(), Some(StoreError::Foreign));
    assert_eq!((reset.epoch(), reset.trusted()), (Epoch(0), None));
    assert_eq!(reset.sync(NOW).await.unwrap().head.height(), Height(8));
}

#[test]
async fn forgetting_goes_back_to_the_pinned_set() {
    let network = Arc::new(Network::honest(Chain::turning(4, &TURNS)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    client.forget().await.unwrap();
    assert_eq!(client.epoch(), Epoch(0));
    assert_eq!(client.sync(NOW).await.unwrap().head.height(), Height(4));
}

#[test]
async fn the_end_of_an_epoch_is_believed_only_by_the_set_before_and_the_hash_it_names() {
    let chain = Chain::turning(8, &TURNS);
    assert_eq!(followed(&chain, chain.epoch_end(0)), Ok(Height(3)));
    let mut other_set = chain.epoch_end(0);
    other_set.next = chain.set_at(6);
    let (found, named) = (chain.set_at(6).hash(), chain.set_at(4).hash());
    assert_eq!(followed(&chain, other_set), Err(InvalidStep::OtherSet { found, named }));
    let mut goes_on = chain.epoch_end(0);
    goes_on.header = chain.signed_at(2);
    goes_on.next = chain.set_at(1);
    assert_eq!(followed(&chain, goes_on), Err(InvalidStep::GoesOn { height: Height(2) }));
    // Signed by those who would come, not by those who are.
    let usurped = UntrustedEpochEnd {
        header: chain.people.signed_by(chain.keys_at(4), chain.signed_at(3).header, &QUORUM),
        next: chain.set_at(4),
    };
    let cause = CertificateError::Signature { signer: amulet_protocol::ids::ReplicaId(0) };
    let cause = InvalidHeader::Certificate(cause);
    assert_eq!(followed(&chain, usurped), Err(cause.into()));
    // The second end follows on the first only.
    let (found, known) = (chain.set_at(4).hash(), chain.set_at(1).hash());
    let cause = InvalidHeader::Certificate(CertificateError::ValidatorSet { found, known });
    assert_eq!(followed(&chain, chain.epoch_end(1)), Err(cause.into()));
}

#[test]
async fn those_who_left_certify_nothing_after_they_left() {
    let chain = Chain::turning(8, &TURNS);
    let mut verifier = verifier(&chain);
    for epoch in 0..2 {
        let taken = verifier.take(chain.epoch_end(epoch).into(), None, NOW);
        assert!(matches!(taken, Ok(StepVerdict::Taken(_))));
    }
    let mut header = chain.signed_at(4).header;
    header.validators_hash = chain.set_at(1).hash();
    let (found, known) = (chain.set_at(1).hash(), chain.set_at(4).hash());
    let cause = InvalidHeader::Certificate(CertificateError::ValidatorSet { found, known });
    assert_eq!(verifier.verify_adjacent(chain.people.signed(header, &QUORUM), NOW), Verdict::Invalid(cause));
    let header = chain.signed_at(8).header;
    let by_the_old = chain.people.signed(header, &QUORUM);
    assert!(matches!(
        verifier.verify_adjacent(by_the_old, NOW),
        Verdict::Invalid(InvalidHeader::Certificate(_))
    ));
    assert!(matches!(verifier.verify_adjacent(chain.signed_at(8), NOW), Verdict::Verified(_)));
    assert!(matches!(verifier.verify_adjacent(chain.signed_at(5), NOW), Verdict::Verified(_)));
}

#[test]
async fn a_hospital_that_lies_about_a_change_is_named_and_the_others_are_followed() {
    let chain = Chain::turning(8, &TURNS);
    let wrong = chain.set_at(8);
    let network = Network::honest(chain).with(2, twisting(move |end| end.next = wrong.clone()));
    let network = Arc::new(network);
    let report = network.client().sync(NOW).await.unwrap();
    assert_eq!(report.head.height(), Height(8));
    match &report.nodes[2].1 {
        // The others may have shown the way before its lie was needed.
        NodeVerdict::Agrees { .. } => {}
        NodeVerdict::Forged(Forgery::Step(InvalidStep::OtherSet { .. })) => {}
        other => panic!("{other:?}"),
    }
    // Alone with a silent majority it leads nowhere, and nothing of its way is kept.
    let chain = Chain::turning(8, &TURNS);
    let wrong = chain.set_at(8);
    let twist = || {
        let wrong = wrong.clone();
        twisting(move |end| end.next = wrong.clone())
    };
    let network =
        Network::honest(chain).with(0, twist()).with(1, twist()).with(2, silent()).with(3, silent());
    let client = Arc::new(network).client();
    assert!(matches!(client.sync(NOW).await, Err(LightError::TooFewWitnesses { agreeing: 0, .. })));
    assert_eq!(client.epoch(), Epoch(0));
}

#[test]
async fn a_set_that_nobody_can_account_for_is_not_believed() {
    let mute = || {
        lying(|question, _| matches!(question, LightRequest::EpochEnd(_)).then_some(LightResponse::NotFound))
    };
    let chain = Chain::turning(8, &TURNS);
    let (found, known) = (chain.set_at(8).hash(), chain.set_at(1).hash());
    let network = (0..4).fold(Network::honest(chain), |network, node| network.with(node, mute()));
    let error = Arc::new(network).client().sync(NOW).await.unwrap_err();
    assert_eq!(error, LightError::ValidatorsChanged { found, known });
}

#[test]
async fn a_change_on_a_branch_that_the_head_is_not_on_is_a_disagreement() {
    // Node 3 shows the end of an epoch at another block than the others', both certified.
    let (chain, other) = (Chain::turning(8, &TURNS), Chain::forked_turning(8, 3, &TURNS));
    let stray = other.epoch_end(0);
    let network = Network::honest(chain).with(
        0,
        twisting(move |end| {
            if end.header.header.height == Height(3) {
                *end = stray.clone();
            }
        }),
    );
    let network = (1..4).fold(network, |network, node| {
        network.with(
            node,
            lying(|question, _| {
                matches!(question, LightRequest::EpochEnd(Epoch(0))).then_some(LightResponse::NotFound)
            }),
        )
    });
    let client = Arc::new(network).client();
    assert!(matches!(client.sync(NOW).await, Err(LightError::Disagreement(_))));
    assert_eq!(client.epoch(), Epoch(0), "nothing of it is kept");
}
