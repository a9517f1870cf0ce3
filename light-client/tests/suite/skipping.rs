//! Each rule of skipping verification: one header that just passes, one that just does not, and the exact reason.

use crate::chain::{Chain, NOW, START};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::verifier::{
    InvalidHeader, InvalidStep, Overlap, SkipVerdict, StepVerdict, TrustExpired, Verifier,
};
use amulet_light_client::{TrustParams, TrustThreshold};
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, Epoch, Height, ReplicaId, Timestamp};
use amulet_protocol::light::UntrustedStep;
use std::time::Duration;

const DRIFT_MS: u64 = 5_000;

fn params() -> TrustParams {
    TrustParams::new(Duration::from_secs(60), Duration::from_millis(DRIFT_MS), 2).unwrap()
}

fn verifier(chain: &Chain, params: TrustParams) -> Verifier {
    let genesis = &chain.people.genesis;
    Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), params)
}

/// Blocks 1 to 3 by the genesis set, 4 and 5 by one with these places replaced, from 6 on by one in which all are.
fn chain(replaced: &[usize]) -> Chain {
    Chain::replacing(7, &[(3, replaced.to_vec()), (5, vec![0, 1, 2, 3])])
}

/// Judges block 4 after `change`, signed anew by these of its set, from the genesis set.
fn skipped(chain: &Chain, signers: &[u16], change: impl FnOnce(&mut Header)) -> SkipVerdict {
    let mut header = chain.signed_at(4).header;
    change(&mut header);
    let signed = chain.people.signed_by(chain.keys_at(4), header, signers);
    verifier(chain, params()).verify_skipping(signed, &chain.set_at(4), None, NOW).unwrap()
}

fn refused(cause: impl Into<InvalidHeader>) -> SkipVerdict {
    SkipVerdict::Invalid(cause.into())
}

#[test]
async fn a_header_that_enough_of_the_trusted_set_and_a_quorum_of_its_own_signed_is_verified() {
    // Two of four are more than a third.
    let chain = chain(&[2, 3]);
    let SkipVerdict::Verified(header) = skipped(&chain, &[0, 1, 2], |_| ()) else { panic!() };
    assert_eq!(header.hash(), chain.hash_at(4));
    assert_eq!(**header.validator_set(), chain.set_at(4));
    assert_eq!(header.signers().collect::<Vec<_>>(), [0, 1, 2].map(ReplicaId));
}

#[test]
async fn signers_who_are_strangers_do_not_count_for_the_overlap() {
    let overlap = |signed| {
        let threshold = TrustThreshold::default();
        SkipVerdict::NotEnoughOverlap(Overlap { signed, trusted: 4, threshold })
    };
    assert_eq!(skipped(&chain(&[2, 3]), &[0, 2, 3], |_| ()), overlap(1));
    assert_eq!(skipped(&chain(&[0, 1, 2, 3]), &[0, 1, 2], |_| ()), overlap(0));
}

#[test]
async fn the_threshold_is_the_users() {
    let chain = chain(&[3]);
    let signed =
        |signers: &[u16]| chain.people.signed_by(chain.keys_at(4), chain.signed_at(4).header, signers);
    let judge = |threshold, signers: &[u16]| {
        let verifier = verifier(&chain, params().with_threshold(threshold));
        verifier.verify_skipping(signed(signers), &chain.set_at(4), None, NOW).unwrap()
    };
    let two_thirds = TrustThreshold::new(2, 3).unwrap();
    assert!(matches!(judge(two_thirds, &[0, 1, 2]), SkipVerdict::Verified(_)));
    let overlap = Overlap { signed: 2, trusted: 4, threshold: two_thirds };
    assert_eq!(judge(two_thirds, &[0, 1, 3]), SkipVerdict::NotEnoughOverlap(overlap));
    let never = TrustThreshold::new(1, 1).unwrap();
    let overlap = Overlap { signed: 3, trusted: 4, threshold: never };
    assert_eq!(judge(never, &[0, 1, 2]), SkipVerdict::NotEnoughOverlap(overlap));
}

#[test]
async fn those_known_alone_are_no_quorum_of_the_new_set() {
    let found = skipped(&chain(&[2, 3]), &[0, 1], |_| ());
    assert_eq!(found, refused(CertificateError::TooFew { found: 2, needed: 3 }));
}

#[test]
async fn one_bad_signature_refuses_the_header_even_if_enough_others_are_good() {
    let chain = chain(&[2, 3]);
    let mut signed = chain.people.signed_by(chain.keys_at(4), chain.signed_at(4).header, &[0, 1, 2, 3]);
    signed.certificate.signatures[3].1 = signed.certificate.signatures[2].1;
    let found = verifier(&chain, params()).verify_skipping(signed, &chain.set_at(4), None, NOW).unwrap();
    assert_eq!(found, refused(CertificateError::Signature { signer: ReplicaId(3) }));
}

#[test]
async fn the_set_given_is_the_one_that_the_header_names() {
    let chain = chain(&[3]);
    let given = chain.set_at(6);
    let found = verifier(&chain, params()).verify_skipping(chain.signed_at(4), &given, None, NOW).unwrap();
    let (found_hash, named) = (given.hash(), chain.set_at(4).hash());
    assert_eq!(found, refused(InvalidHeader::OtherSet { found: found_hash, named }));
}

#[test]
async fn format_chain_and_date_are_those_of_every_header() {
    let chain = chain(&[3]);
    let judge = |change: &dyn Fn(&mut Header)| skipped(&chain, &[0, 1, 2], change);
    assert_eq!(judge(&|header| header.version = 9), refused(InvalidHeader::Version { found: 9 }));
    let (found, expected) = (ChainId(sm3(b"another")), chain.people.genesis.chain_id());
    assert_eq!(judge(&|header| header.chain = found), refused(InvalidHeader::Chain { found, expected }));
    let latest = NOW.plus_millis(DRIFT_MS);
    assert!(matches!(judge(&|header| header.time = latest), SkipVerdict::Verified(_)));
    let time = latest.plus_millis(1);
    let cause = InvalidHeader::FromFuture { time, now: NOW, drift_ms: DRIFT_MS };
    assert_eq!(judge(&|header| header.time = time), refused(cause));
}

#[test]
async fn a_header_is_higher_and_later_than_what_the_known_set_rests_on() {
    let chain = chain(&[3]);
    let mut verifier = verifier(&chain, params());
    let taken = verifier.take(chain.epoch_end(0).into(), None, NOW).unwrap();
    assert!(matches!(taken, StepVerdict::Taken(_)));
    let base = chain.signed_at(3).header;
    let judge = |height, time| {
        let mut header = chain.signed_at(6).header;
        (header.height, header.time) = (height, time);
        let signed = chain.people.signed_by(chain.keys_at(6), header, &[0, 1, 2]);
        verifier.verify_skipping(signed, &chain.set_at(6), None, NOW).unwrap()
    };
    let (found, known) = (Height(3), Height(3));
    assert_eq!(judge(found, NOW), refused(InvalidHeader::NotHigher { found, known }));
    let (height, time, earlier) = (Height(4), base.time, base.time);
    assert_eq!(judge(height, time), refused(InvalidHeader::TimeNotLater { height, time, earlier }));
    assert!(matches!(judge(Height(4), time.plus_millis(1)), SkipVerdict::NotEnoughOverlap(_)));
}

#[test]
async fn nothing_is_skipped_after_the_trust_period() {
    let chain = chain(&[3]);
    let verifier = verifier(&chain, params());
    let judge = |now| verifier.verify_skipping(chain.signed_at(4), &chain.set_at(4), Some(START), now);
    let last = START.plus_millis(60_000);
    assert!(matches!(judge(last), Ok(SkipVerdict::Verified(_))));
    let now = last.plus_millis(1);
    assert_eq!(judge(now), Err(TrustExpired { checked_at: START, now, period_ms: 60_000 }));
}

#[test]
async fn a_step_leads_to_the_set_after_the_header_too() {
    let chain = chain(&[3]);
    let mut verifier = verifier(&chain, params());
    let StepVerdict::Taken(header) = verifier.take(chain.step(1), None, NOW).unwrap() else { panic!() };
    assert_eq!((header.height(), verifier.epoch(), verifier.base()), (Height(5), Epoch(2), Height(5)));
    assert_eq!(**verifier.validators(), chain.set_at(6));
    assert_eq!(verifier.validators_at(Height(5)).map(|set| set.hash()), Some(chain.set_at(5).hash()));
    assert_eq!(verifier.validators_at(Height(4)), None, "it was skipped, and may be of any set");
}

/// What taking the step from the genesis set gives; if it is refused, the verifier is as before.
fn taken(chain: &Chain, step: UntrustedStep) -> StepVerdict {
    let mut verifier = verifier(chain, params());
    let verdict = verifier.take(step, None, NOW).unwrap();
    if !matches!(verdict, StepVerdict::Taken(_)) {
        assert_eq!((verifier.epoch(), verifier.base(), verifier.trail().len()), (Epoch(0), Height(0), 0));
    }
    verdict
}

#[test]
async fn a_step_with_a_wrong_next_set_or_epoch_is_refused() {
    let chain = chain(&[3]);
    let mut other = chain.step(1);
    other.next = Some(chain.set_at(1));
    let (found, named) = (chain.set_at(1).hash(), chain.set_at(6).hash());
    assert_eq!(taken(&chain, other), StepVerdict::Invalid(InvalidStep::OtherSet { found, named }));
    let mut goes_on = UntrustedStep { header: chain.signed_at(4), ..chain.step(1) };
    goes_on.next = Some(chain.set_at(4));
    assert_eq!(taken(&chain, goes_on), StepVerdict::Invalid(InvalidStep::GoesOn { height: Height(4) }));
    let mut header = chain.signed_at(5).header;
    header.view = Epoch(0).first_view();
    let header = chain.people.signed_by(chain.keys_at(5), header, &[0, 1, 2]);
    let (found, known) = (Epoch(0), Epoch(0));
    let cause = InvalidStep::EpochNotLater { found, known };
    assert_eq!(taken(&chain, UntrustedStep { header, ..chain.step(1) }), StepVerdict::Invalid(cause));
    let overlap = Overlap { signed: 0, trusted: 4, threshold: TrustThreshold::default() };
    let header = UntrustedStep { header: chain.signed_at(7), validators: Some(chain.set_at(7)), next: None };
    assert_eq!(taken(&chain, header), StepVerdict::NotEnoughOverlap(overlap));
}

/// A set that left, or that a step led past, certifies nothing new by itself: only a header of its own heights, or one that
/// enough of the *newest* set signed.
#[test]
async fn an_old_set_leads_nowhere_once_a_newer_one_is_known() {
    let chain = chain(&[3]);
    let mut verifier = verifier(&chain, params());
    assert!(matches!(verifier.take(chain.step(1), None, NOW), Ok(StepVerdict::Taken(_))));
    let mut header = chain.signed_at(7).header;
    (header.validators_hash, header.view) = (chain.set_at(1).hash(), Epoch(9).first_view());
    header.next_validators_hash = chain.set_at(4).hash();
    let forged = chain.people.signed(header, &[0, 1, 2, 3]);
    let own = Some(chain.set_at(1));
    let step = UntrustedStep { header: forged, validators: own, next: Some(chain.set_at(4)) };
    let overlap = Overlap { signed: 0, trusted: 4, threshold: TrustThreshold::default() };
    assert_eq!(verifier.take(step.clone(), None, NOW), Ok(StepVerdict::NotEnoughOverlap(overlap)));
    // At a height of its own time it certifies, and that leads nowhere either.
    let mut header: Header = chain.signed_at(3).header;
    (header.height, header.time) = (Height(2), Timestamp(START.0 + 2_500));
    header.view = Epoch(9).first_view();
    let old = chain.people.signed(header, &[0, 1, 2]);
    let step = UntrustedStep { header: old, validators: None, next: step.next };
    let refused = verifier.take(step, None, NOW);
    assert_eq!(refused, Ok(StepVerdict::Invalid(InvalidStep::GoesOn { height: Height(2) })));
    assert_eq!(**verifier.validators(), chain.set_at(6));
}

#[test]
async fn a_change_of_any_byte_of_a_step_never_leads_to_another_set() {
    let chain = chain(&[3]);
    let honest = amulet_protocol::codec::encode(&chain.step(1));
    let (mut refused, mut same) = (0, 0);
    for position in 0..honest.len() {
        let mut bytes = honest.clone();
        bytes[position] ^= 1 << (position % 8);
        let Ok(step) = amulet_protocol::codec::decode::<UntrustedStep>(&bytes, bytes.len()) else { continue };
        let mut verifier = verifier(&chain, params());
        match verifier.take(step, None, NOW).unwrap() {
            StepVerdict::Taken(header) => {
                assert_eq!((header.hash(), &**verifier.validators()), (chain.hash_at(5), &chain.set_at(6)));
                same += 1;
            }
            _ => refused += 1,
        }
    }
    assert!(refused > 500, "{refused} refused, {same} to the same");
    assert_eq!(same, 0, "every byte counts");
}

#[test]
async fn a_skipped_header_is_proven_by_its_place_in_the_range_and_its_own_set() {
    let chain = chain(&[3]);
    let mut verifier = verifier(&chain, params());
    assert!(matches!(verifier.take(chain.step(1), None, NOW), Ok(StepVerdict::Taken(_))));
    let newest = match verifier.verify_adjacent(chain.signed_at(7), NOW) {
        amulet_light_client::verifier::Verdict::Verified(header) => *header,
        other => panic!("{other:?}"),
    };
    let (set, proof) = (std::sync::Arc::new(chain.set_at(4)), chain.range_proof(4, 7));
    let judge =
        |older: UntrustedSignedHeader, set, proof| verifier.verify_in_range(&newest, older, set, proof);
    let (header, _) = judge(chain.signed_at(4), &set, &proof).unwrap();
    assert_eq!(header.hash(), chain.hash_at(4));
    // A certified header of another branch is not in the range.
    let fork = Chain::forked_replacing(7, 4, &[(3, vec![3]), (5, vec![0, 1, 2, 3])]);
    let cause = amulet_protocol::range::RangeProofError::Path { height: Height(4) };
    assert_eq!(judge(fork.signed_at(4), &set, &proof).unwrap_err(), InvalidHeader::Range(cause));
    let other = std::sync::Arc::new(chain.set_at(1));
    let (found, named) = (other.hash(), set.hash());
    assert_eq!(
        judge(chain.signed_at(4), &other, &proof).unwrap_err(),
        InvalidHeader::OtherSet { found, named }
    );
    let mut unsigned = chain.signed_at(4);
    unsigned.certificate.signatures.pop();
    let cause = CertificateError::TooFew { found: 2, needed: 3 };
    assert_eq!(judge(unsigned, &set, &proof).unwrap_err(), InvalidHeader::Certificate(cause));
}
