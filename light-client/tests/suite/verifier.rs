//! Each rule of the verifier: one header that just passes, one that just does not, and the exact reason.

use crate::chain::{Chain, NOW, QUORUM, START};
use crate::test;
use amulet_crypto::digest::{Digest, sm3};
use amulet_light_client::verifier::{
    InvalidHeader, TrustExpired, Verdict, Verifier, link_adjacent, link_range,
};
use amulet_light_client::{Link, TrustParams, VerifiedHeader};
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, HeaderHash, Height, ReplicaId, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::range::{RangeProofError, UntrustedRangeProof};
use std::time::Duration;

const DRIFT_MS: u64 = 5_000;

fn verifier(chain: &Chain) -> Verifier {
    let params = TrustParams::new(Duration::from_secs(60), Duration::from_millis(DRIFT_MS), 2).unwrap();
    let genesis = &chain.people.genesis;
    Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), params)
}

/// Verifies the header at `height` after `change`, signed anew by a quorum.
fn changed(chain: &Chain, height: u64, change: impl FnOnce(&mut Header)) -> Verdict {
    let mut header = chain.signed_at(height).header;
    change(&mut header);
    verifier(chain).verify_adjacent(chain.people.signed(header, &QUORUM), NOW)
}

fn verified(verdict: Verdict) -> VerifiedHeader {
    match verdict {
        Verdict::Verified(header) => *header,
        other => panic!("{other:?}"),
    }
}

fn header(chain: &Chain, height: u64) -> VerifiedHeader {
    verified(changed(chain, height, |_| ()))
}

fn range_proof(chain: &Chain, older: u64, newer: u64) -> UntrustedRangeProof {
    let question = LightRequest::RangeProof { older: Height(older), newer: Height(newer) };
    match chain.answer(&question, chain.tip()) {
        LightResponse::RangeProof(proof) => proof,
        other => panic!("{other:?}"),
    }
}

#[test]
async fn an_honest_header_is_verified_and_says_who_signed() {
    let chain = Chain::new(3);
    let header = header(&chain, 3);
    assert_eq!(header.hash(), chain.hash_at(3));
    assert_eq!((header.signed(), header.validators()), (3, 4));
    assert_eq!(header.signers().collect::<Vec<_>>(), QUORUM.map(ReplicaId));
}

#[test]
async fn another_format_is_refused() {
    let verdict = changed(&Chain::new(1), 1, |header| header.version = 2);
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Version { found: 2 }));
}

#[test]
async fn another_chain_is_refused() {
    let chain = Chain::new(1);
    let expected = chain.people.genesis.chain_id();
    let found = ChainId(sm3(b"another"));
    let verdict = changed(&chain, 1, |header| header.chain = found);
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Chain { found, expected }));
}

#[test]
async fn a_header_may_be_ahead_of_this_clock_by_the_drift_and_no_more() {
    let chain = Chain::new(1);
    verified(changed(&chain, 1, |header| header.time = NOW.plus_millis(DRIFT_MS)));
    let time = NOW.plus_millis(DRIFT_MS + 1);
    let verdict = changed(&chain, 1, |header| header.time = time);
    let cause = InvalidHeader::FromFuture { time, now: NOW, drift_ms: DRIFT_MS };
    assert_eq!(verdict, Verdict::Invalid(cause));
}

#[test]
async fn an_unknown_validator_set_is_neither_accepted_nor_called_a_lie() {
    let chain = Chain::new(1);
    let found = sm3(b"another set");
    let known = chain.people.genesis.validate().unwrap().hash();
    let verdict = changed(&chain, 1, |header| header.validators_hash = found);
    assert_eq!(verdict, Verdict::UnknownValidators { found, known });
}

#[test]
async fn fewer_signatures_than_a_quorum_are_refused() {
    let chain = Chain::new(1);
    let signed = chain.people.signed(chain.signed_at(1).header, &[1, 3]);
    let verdict = verifier(&chain).verify_adjacent(signed, NOW);
    let cause = CertificateError::TooFew { found: 2, needed: 3 };
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Certificate(cause)));
}

#[test]
async fn one_signature_twice_does_not_count_twice() {
    let chain = Chain::new(1);
    let signed = chain.people.signed(chain.signed_at(1).header, &[0, 1, 1]);
    let verdict = verifier(&chain).verify_adjacent(signed, NOW);
    let cause = CertificateError::SignerOrder { signer: ReplicaId(1) };
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Certificate(cause)));
}

#[test]
async fn a_signature_under_another_name_is_refused() {
    let chain = Chain::new(1);
    let mut signed = chain.signed_at(1);
    signed.certificate.signatures[2].0 = ReplicaId(3);
    let verdict = verifier(&chain).verify_adjacent(signed, NOW);
    let cause = CertificateError::Signature { signer: ReplicaId(3) };
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Certificate(cause)));
}

#[test]
async fn a_certificate_of_another_header_is_refused() {
    let chain = Chain::new(2);
    let header = chain.signed_at(2).header;
    let certificate = chain.signed_at(1).certificate;
    let verdict = verifier(&chain).verify_adjacent(UntrustedSignedHeader { header, certificate }, NOW);
    let cause = CertificateError::Height { certificate: Height(1), header: Height(2) };
    assert_eq!(verdict, Verdict::Invalid(InvalidHeader::Certificate(cause)));
}

#[test]
async fn a_change_of_any_byte_of_header_or_certificate_is_refused() {
    let chain = Chain::new(1);
    let honest = amulet_protocol::codec::encode(&chain.signed_at(1));
    let verifier = verifier(&chain);
    for position in 0..honest.len() {
        let mut bytes = honest.clone();
        bytes[position] ^= 1;
        let Ok(signed) = amulet_protocol::codec::decode::<UntrustedSignedHeader>(&bytes, bytes.len()) else {
            continue;
        };
        assert!(!matches!(verifier.verify_adjacent(signed, NOW), Verdict::Verified(_)), "byte {position}");
    }
}

#[test]
async fn trust_lasts_for_the_trust_period_and_no_longer() {
    let verifier = verifier(&Chain::new(0));
    let checked_at = Timestamp(START.0 + 5);
    assert_eq!(verifier.within_trust_period(checked_at, checked_at.plus_millis(60_000)), Ok(()));
    assert_eq!(verifier.within_trust_period(checked_at, START), Ok(()), "a clock that was set back");
    let now = checked_at.plus_millis(60_001);
    let expired = TrustExpired { checked_at, now, period_ms: 60_000 };
    assert_eq!(verifier.within_trust_period(checked_at, now), Err(expired));
}

#[test]
async fn the_next_header_is_linked_by_its_predecessor() {
    let chain = Chain::new(2);
    let (one, two) = (header(&chain, 1), header(&chain, 2));
    assert_eq!(link_adjacent(&two, &one), Ok(Link::Adjacent));
    let other = HeaderHash(sm3(b"other"));
    let stranger = verified(changed(&chain, 2, |header| header.previous = other));
    let cause = InvalidHeader::PreviousHash { found: other, expected: one.hash() };
    assert_eq!(link_adjacent(&stranger, &one), Err(cause));
}

#[test]
async fn a_header_that_skips_one_is_not_adjacent_even_if_it_names_the_older() {
    let chain = Chain::new(3);
    let one = header(&chain, 1);
    let three = verified(changed(&chain, 3, |header| header.previous = one.hash()));
    let cause = InvalidHeader::PreviousHash { found: one.hash(), expected: one.hash() };
    assert_eq!(link_adjacent(&three, &one), Err(cause));
}

#[test]
async fn a_newer_header_must_be_higher_and_later() {
    let chain = Chain::new(2);
    let (one, two) = (header(&chain, 1), header(&chain, 2));
    let cause = InvalidHeader::NotHigher { found: Height(1), known: Height(2) };
    assert_eq!(link_adjacent(&one, &two), Err(cause.clone()));
    assert_eq!(link_range(&one, &two, &range_proof(&chain, 1, 2)), Err(cause));
    let cause = InvalidHeader::NotHigher { found: Height(1), known: Height(1) };
    assert_eq!(link_adjacent(&one, &one), Err(cause));
    let same_time = verified(changed(&chain, 2, |header| header.time = one.time()));
    let cause = InvalidHeader::TimeNotLater { height: Height(2), time: one.time(), earlier: one.time() };
    assert_eq!(link_adjacent(&same_time, &one), Err(cause.clone()));
    assert_eq!(link_range(&same_time, &one, &range_proof(&chain, 1, 2)), Err(cause));
}

#[test]
async fn any_older_header_is_linked_by_its_range_proof() {
    let chain = Chain::new(6);
    let newest = header(&chain, 6);
    for older in 1..6 {
        let proof = range_proof(&chain, older, 6);
        let link = Link::Range { hashes: proof.hashes.len() };
        assert_eq!(link_range(&newest, &header(&chain, older), &proof), Ok(link));
    }
}

#[test]
async fn a_range_proof_for_another_height_or_header_proves_nothing() {
    let (chain, fork) = (Chain::new(6), Chain::forked(6, 3));
    let newest = header(&chain, 6);
    let older = header(&chain, 3);
    let cause = InvalidHeader::RangeHeight { found: Height(2), expected: Height(3) };
    assert_eq!(link_range(&newest, &older, &range_proof(&chain, 2, 6)), Err(cause));
    let cause = InvalidHeader::Range(RangeProofError::Path { height: Height(3) });
    let proof = range_proof(&chain, 3, 6);
    assert_eq!(link_range(&newest, &header(&fork, 3), &proof), Err(cause.clone()));
    let mut bad = proof;
    bad.hashes[0] = Digest::ZERO;
    assert_eq!(link_range(&newest, &older, &bad), Err(cause));
}
