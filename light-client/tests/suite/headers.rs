//! Old headers, proven from the trusted one.

use crate::chain::{Chain, NOW, QUORUM};
use crate::network::{Network, lying, silent};
use crate::test;
use amulet_light_client::client::Standing;
use amulet_light_client::verifier::InvalidHeader;
use amulet_light_client::{Forgery, LightError, Link, NodeIndex, Question};
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::range::RangeBatchError;
use std::sync::Arc;

fn header_questions(network: &Network) -> usize {
    network.asked(|question| matches!(question, LightRequest::HeaderAt(_))).len()
}

#[test]
async fn any_block_is_proven_with_its_own_signatures_and_remembered() {
    let network = Arc::new(Network::honest(Chain::new(9)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    for height in 1..=9 {
        let proven = client.header_at(Height(height)).await.unwrap();
        assert_eq!(proven.header.hash(), Chain::new(9).hash_at(height));
        assert_eq!((proven.header.signed(), proven.head), (3, Height(9)));
        match height {
            9 => assert_eq!(proven.link, Link::Same),
            8 => assert_eq!(proven.link, Link::Adjacent),
            _ => assert!(matches!(proven.link, Link::Range { hashes: 1.. })),
        }
    }
    let asked = header_questions(&network);
    client.header_at(Height(4)).await.unwrap();
    assert_eq!(header_questions(&network), asked);
}

#[test]
async fn nothing_is_proven_before_a_sync_above_the_head_or_at_the_genesis() {
    let network = Arc::new(Network::honest(Chain::new(2)));
    let client = network.client();
    assert_eq!(client.header_at(Height(1)).await, Err(LightError::NotSynced));
    client.sync(NOW).await.unwrap();
    let above = LightError::AboveHead { asked: Height(3), head: Height(2) };
    assert_eq!(client.header_at(Height(3)).await, Err(above));
    let uncertified = LightError::NotFound { question: Question::HeaderAt };
    assert_eq!(client.header_at(Height(0)).await, Err(uncertified));
}

#[test]
async fn a_liar_is_passed_over_and_asked_last_from_then_on() {
    let lie = lying(|question, answer| match (question, answer) {
        (LightRequest::HeaderAt(_), LightResponse::Header(signed)) => {
            let mut signed = signed.clone();
            signed.certificate.signatures.truncate(2);
            Some(LightResponse::Header(signed))
        }
        _ => None,
    });
    let network = Arc::new(Network::honest(Chain::new(5)).with(0, lie));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    assert_eq!(client.header_at(Height(2)).await.unwrap().header.height(), Height(2));
    let cause = CertificateError::TooFew { found: 2, needed: 3 };
    let forgery = Forgery::Header(InvalidHeader::Certificate(cause));
    assert_eq!(client.standings()[0], Standing::Lied(forgery));
    client.header_at(Height(3)).await.unwrap();
    let asked = network.asked(|question| matches!(question, LightRequest::HeaderAt(_)));
    assert_eq!(asked, vec![NodeIndex(0), NodeIndex(1), NodeIndex(1)]);
}

#[test]
async fn the_header_of_another_height_is_refused() {
    let chain = Chain::new(5);
    let other = chain.signed_at(2);
    let swap = move || {
        let other = other.clone();
        lying(move |question, _| {
            matches!(question, LightRequest::HeaderAt(_))
                .then(|| LightResponse::Header(Box::new(other.clone())))
        })
    };
    let network = Arc::new((0..4).fold(Network::honest(chain), |network, node| network.with(node, swap())));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let forgery = Forgery::HeaderHeight { asked: Height(3), found: Height(2) };
    assert_eq!(client.header_at(Height(3)).await, Err(LightError::Forged { node: NodeIndex(0), forgery }));
}

#[test]
async fn a_certified_header_of_another_branch_is_a_disagreement() {
    // Node 0 answers `Latest` as everybody does, and shows an equivocated header for an old block.
    let fork = Chain::forked(5, 2).signed_at(3);
    let equivocate = lying(move |question, _| {
        (*question == LightRequest::HeaderAt(Height(3)))
            .then(|| LightResponse::Header(Box::new(fork.clone())))
    });
    let chain = Chain::new(6);
    let ours = chain.signed_at(3);
    assert_eq!(ours.certificate.signatures.len(), QUORUM.len());
    let network = Arc::new(Network::honest(chain).with(0, equivocate));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    match client.header_at(Height(3)).await {
        Err(LightError::Disagreement(found)) => {
            assert_eq!(found.height, Height(3));
            assert_eq!(found.right.header, ours);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
async fn without_any_answer_the_hospitals_are_unreachable() {
    let network = Arc::new(Network::honest(Chain::new(3)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    for node in 0..4 {
        network.change(node, silent());
    }
    assert_eq!(client.header_at(Height(1)).await, Err(LightError::Unreachable { asked: 4 }));
}

fn batch_questions(network: &Network) -> usize {
    network.asked(|question| matches!(question, LightRequest::Headers { .. })).len()
}

#[test]
async fn several_headers_come_with_one_question_and_one_proof() {
    let network = Arc::new(Network::honest(Chain::new(40)));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let heights: Vec<Height> = [40, 3, 17, 3, 39, 1, 25].map(Height).into();
    let proven = client.headers_at(&heights).await.unwrap();
    let hashes: Vec<_> = proven.iter().map(|proven| proven.header.hash()).collect();
    let expected: Vec<_> = heights.iter().map(|height| Chain::new(40).hash_at(height.0)).collect();
    assert_eq!(hashes, expected);
    assert_eq!((batch_questions(&network), header_questions(&network)), (1, 0));
    client.headers_at(&heights[1..4]).await.unwrap();
    assert_eq!(batch_questions(&network), 1, "they are remembered");
    let above = LightError::AboveHead { asked: Height(41), head: Height(40) };
    assert_eq!(client.headers_at(&[Height(2), Height(41)]).await, Err(above));
}

#[test]
async fn a_header_that_is_slipped_in_among_several_is_caught_and_another_hospital_is_asked() {
    let other = Chain::forked(9, 4).signed_at(6);
    let lie = lying(move |question, answer| match (question, answer) {
        (LightRequest::Headers { .. }, LightResponse::Headers(headers)) => {
            let mut headers = headers.clone();
            headers.headers[1] = other.clone();
            Some(LightResponse::Headers(headers))
        }
        _ => None,
    });
    let network = Arc::new(Network::honest(Chain::new(9)).with(0, lie));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    let proven = client.headers_at(&[Height(2), Height(6)]).await.unwrap();
    assert_eq!(proven[1].header.hash(), Chain::new(9).hash_at(6));
    let standing = &client.standings()[0];
    assert!(
        matches!(standing, Standing::Lied(Forgery::Headers(RangeBatchError::Root { .. }))),
        "{standing:?}"
    );
}
