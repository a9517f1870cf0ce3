//! Sequential verification: header by header.

use crate::chain::{Chain, NOW, QUORUM};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::verifier::{InvalidHeader, InvalidRun, InvalidStep, Verifier};
use amulet_light_client::{TrustParams, VerifiedHeader};
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId};
use amulet_protocol::light::UntrustedHeaderRun;

const TURNS: [u64; 2] = [3, 5];

fn verifier(chain: &Chain) -> Verifier {
    let genesis = &chain.people.genesis;
    Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default())
}

fn verified(chain: &Chain, run: UntrustedHeaderRun) -> Result<Vec<VerifiedHeader>, InvalidRun> {
    let mut verifier = verifier(chain);
    let found = verifier.verify_run(None, run, NOW);
    if found.is_err() {
        assert_eq!((verifier.epoch(), verifier.base()), (Epoch(0), Height(0)), "as before");
    }
    found
}

#[test]
async fn all_headers_of_a_chain_are_verified_in_runs_across_changes_of_the_validators() {
    let chain = Chain::turning(8, &TURNS);
    let mut verifier = verifier(&chain);
    let first = verifier.verify_run(None, chain.run(1, 4), NOW).unwrap();
    let second = verifier.verify_run(first.last(), chain.run(5, 4), NOW).unwrap();
    let hashes: Vec<HeaderHash> = first.iter().chain(&second).map(VerifiedHeader::hash).collect();
    assert_eq!(hashes, (1..=8).map(|height| chain.hash_at(height)).collect::<Vec<_>>());
    assert_eq!(verifier.epoch(), Epoch(2));
    assert_eq!(verifier.verify_run(second.last(), chain.run(9, 4), NOW), Ok(vec![]));
}

#[test]
async fn a_run_with_a_gap_a_stranger_or_a_wrong_order_is_refused() {
    let chain = Chain::new(6);
    let previous = |height: u64, on: u64| InvalidRun::Header {
        height: Height(height),
        cause: InvalidHeader::PreviousHash {
            found: chain.signed_at(height).header.previous,
            expected: chain.hash_at(on),
        },
    };
    let mut gap = chain.run(1, 6);
    gap.headers.remove(2);
    assert_eq!(verified(&chain, gap), Err(previous(4, 2)));
    let mut swapped = chain.run(1, 6);
    swapped.headers.swap(2, 3);
    assert_eq!(verified(&chain, swapped), Err(previous(4, 2)));
    let mut stranger = chain.run(1, 6);
    let mut header = stranger.headers[2].header.clone();
    header.previous = HeaderHash(sm3(b"other"));
    stranger.headers[2] = chain.people.signed(header, &QUORUM);
    let cause = InvalidHeader::PreviousHash { found: HeaderHash(sm3(b"other")), expected: chain.hash_at(2) };
    assert_eq!(verified(&chain, stranger), Err(InvalidRun::Header { height: Height(3), cause }));
    let mut unsigned = chain.run(1, 6);
    unsigned.headers[5].certificate.signatures[1].1 = unsigned.headers[4].certificate.signatures[1].1;
    let cause = CertificateError::Signature { signer: ReplicaId(1) }.into();
    assert_eq!(verified(&chain, unsigned), Err(InvalidRun::Header { height: Height(6), cause }));
    // It goes on from where the caller is, not from where the node likes.
    let mut verifier = verifier(&chain);
    let first = verifier.verify_run(None, chain.run(1, 2), NOW).unwrap();
    assert_eq!(verifier.verify_run(first.last(), chain.run(4, 2), NOW), Err(previous(4, 2)));
}

#[test]
async fn the_sets_of_a_run_are_exactly_those_that_its_headers_name() {
    let chain = Chain::turning(8, &TURNS);
    let mut missing = chain.run(1, 8);
    missing.next.pop();
    assert_eq!(verified(&chain, missing), Err(InvalidRun::SetMissing { height: Height(5) }));
    let mut left = chain.run(1, 8);
    left.next.push(chain.set_at(1));
    assert_eq!(verified(&chain, left), Err(InvalidRun::SetsLeft { found: 3, ends: 2 }));
    let mut swapped = chain.run(1, 8);
    swapped.next.swap(0, 1);
    let (found, named) = (chain.set_at(6).hash(), chain.set_at(4).hash());
    let cause = InvalidStep::OtherSet { found, named };
    assert_eq!(verified(&chain, swapped), Err(InvalidRun::Step { height: Height(3), cause }));
    // A run that begins in an epoch whose set is not known.
    let (found, known) = (chain.set_at(6).hash(), chain.set_at(1).hash());
    let cause = CertificateError::ValidatorSet { found, known }.into();
    assert_eq!(verified(&chain, chain.run(6, 2)), Err(InvalidRun::Header { height: Height(6), cause }));
}

#[test]
async fn a_long_run_is_judged_as_a_short_one() {
    let chain = Chain::turning(80, &[40]);
    let headers = verified(&chain, chain.run(1, 80)).unwrap();
    assert_eq!(headers.last().map(VerifiedHeader::hash), Some(chain.hash_at(80)));
    for height in [1, 39, 40, 41, 80] {
        let mut forged = chain.run(1, 80);
        let signatures = &mut forged.headers[height - 1].certificate.signatures;
        signatures[1].1 = signatures[0].1;
        let height = Height(height as u64);
        let cause: InvalidHeader = CertificateError::Signature { signer: ReplicaId(1) }.into();
        let expected = if height == Height(40) {
            InvalidRun::Step { height, cause: cause.into() }
        } else {
            InvalidRun::Header { height, cause }
        };
        assert_eq!(verified(&chain, forged), Err(expected));
    }
}
