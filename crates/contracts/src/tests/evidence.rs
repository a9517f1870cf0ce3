use super::*;
use crate::testing::contradiction;
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::evidence::{Evidence, EvidenceKind, EvidenceRecord};
use amulet_protocol::governance::{RotateValidatorKey, Seat};
use amulet_protocol::ids::{Epoch, ReplicaId};
use amulet_protocol::limits::EVIDENCE_PER_VALIDATOR_MAX;

const EPOCH: Epoch = Epoch(0);
const OFFENDER: ReplicaId = ReplicaId(2);

fn report(evidence: Evidence) -> Call {
    Call::ReportEvidence(Box::new(ReportEvidence { epoch: EPOCH, evidence }))
}

impl World {
    /// Two commit votes of `h2` at a height.
    fn contradiction(&self, height: u64) -> Evidence {
        contradiction(&self.actors["h2"], self.chain, EPOCH, OFFENDER, Height(height))
    }

    fn records(&self) -> Vec<EvidenceRecord> {
        self.read(&StateKey::Evidence { epoch: EPOCH, offender: OFFENDER }).unwrap_or_default()
    }
}

#[test]
fn a_contradiction_is_recorded_once_under_its_author_who_learns_of_it() {
    let mut world = World::new();
    let evidence = world.contradiction(7);
    assert_eq!(world.call("li", report(evidence.clone())), Err(RefusalCode::NotAnOrganisation));
    let recorded = world.height;
    world.call("h1", report(evidence.clone())).unwrap();
    let (reporter, height) = (world.did("h1"), Height(7));
    assert_eq!(world.records(), [EvidenceRecord { reporter, recorded, evidence: evidence.clone() }]);
    let kind = EvidenceKind::Commit;
    let event = Event::EvidenceRecorded { epoch: EPOCH, offender: OFFENDER, kind, height, reporter };
    assert_eq!([world.last_event("h2"), world.last_event("h1")], [event.clone(), event]);
    assert_eq!(world.call("h3", report(evidence.clone())), Err(RefusalCode::EvidenceKnown));
    let Evidence::Commits(one, other) = evidence else { panic!("commits") };
    let turned = Evidence::Commits(other, one);
    assert_eq!(
        world.call("h3", report(turned)),
        Err(RefusalCode::EvidenceKnown),
        "the same the other way round"
    );
    world.call("h3", report(world.contradiction(8))).unwrap();
    assert_eq!(world.records().len(), 2);
}

#[test]
fn nobody_is_convicted_by_what_they_did_not_sign() {
    let mut world = World::new();
    let Evidence::Commits(one, other) = world.contradiction(7) else { panic!("commits") };
    let framed = |sender| {
        let (mut one, mut other) = (one.clone(), other.clone());
        (one.sender, other.sender) = (sender, sender);
        Evidence::Commits(one, other)
    };
    assert_eq!(world.call("h1", report(framed(ReplicaId(3)))), Err(RefusalCode::BadEvidence));
    assert_eq!(world.call("h1", report(framed(ReplicaId(4)))), Err(RefusalCode::BadEvidence));
    let twice = Evidence::Commits(one.clone(), one.clone());
    assert_eq!(world.call("h1", report(twice)), Err(RefusalCode::BadEvidence));
    let elsewhere = ChainId(amulet_crypto::digest::sm3(b"another"));
    let elsewhere = contradiction(&world.actors["h2"], elsewhere, EPOCH, OFFENDER, Height(7));
    assert_eq!(world.call("h1", report(elsewhere)), Err(RefusalCode::BadEvidence));
    let future = ReportEvidence { epoch: Epoch(1), evidence: world.contradiction(7) };
    let future = Call::ReportEvidence(Box::new(future));
    assert_eq!(world.call("h1", future), Err(RefusalCode::UnknownEpoch));
    assert!(world.records().is_empty());
}

#[test]
fn a_new_key_does_not_wash_off_what_the_old_one_signed() {
    let mut world = World::new();
    let (new, h2) = (Actor::new(50), world.did("h2"));
    let candidate = crate::testing::candidate(&new, world.chain, h2, Some(Seat(2)));
    let call = RotateValidatorKey { seat: Seat(2), candidate, not_before: Height(0) };
    world.call("h2", Call::RotateValidatorKey(Box::new(call))).unwrap();
    let old = world.contradiction(1);
    let other_epoch = ReportEvidence { epoch: Epoch(1), evidence: old.clone() };
    let other_epoch = Call::ReportEvidence(Box::new(other_epoch));
    assert_eq!(world.call("h0", other_epoch), Err(RefusalCode::BadEvidence));
    world.call("h0", report(old)).unwrap();
    assert_eq!(world.records().len(), 1);
}

#[test]
fn a_validator_that_contradicts_itself_without_end_fills_no_ledger() {
    let mut world = World::new();
    for height in 0..EVIDENCE_PER_VALIDATOR_MAX as u64 {
        world.call("h1", report(world.contradiction(height))).unwrap();
    }
    let more = world.contradiction(1_000);
    assert_eq!(world.call("h1", report(more)), Err(RefusalCode::EvidenceKnown));
}
