#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::{DAY_MS, card, emergency, reading, records, unasked};
use amulet_protocol::calls::{Call, ConfirmDeletion, GrantId, ReviewEmergency};
use amulet_protocol::consent::ReviewFinding;
use amulet_protocol::erasure::{ConfirmErasure, ErasureGround, OrderErasure, RequestErasure};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::limits::{
    DELETION_TIME_MS, EMERGENCY_REVIEW_TIME_MS, ERASURE_ANSWER_TIME_MS, ERASURE_TIME_MS,
};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::transaction::SignedTransaction;

fn apply(world: &World, transactions: Vec<SignedTransaction>) {
    let receipts = world.commit(transactions);
    assert!(
        receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })),
        "{receipts:?}"
    );
}

#[test]
fn what_was_not_done_in_time_is_listed_until_it_is_done() {
    let mut world = World::new();
    let (chain, hospital, doctor) = (world.chain(), world.hospitals[0].did, world.doctor.did);
    let call = Call::RegisterRecords(records(0..1, hospital, &world.patient));
    let signed = world.hospitals[0].sign(chain, call);
    apply(&world, vec![signed]);
    let start = world.ledger.tip().time;
    let give = unasked(Grantee::Person(doctor), 0..1, start.plus_millis(DAY_MS));
    let give = world.patient.sign(chain, Call::GrantAccess(give));
    let publish = world.patient.sign(chain, Call::PublishCard(card(1, hospital)));
    let grant = GrantId(give.id());
    apply(&world, vec![give, publish]);
    let read = world.doctor.sign(chain, Call::UseAccess(reading(grant, 0..1)));
    let declare = world.doctor.sign(chain, Call::DeclareEmergency(emergency(1)));
    let declaration = amulet_protocol::calls::DeclarationId(declare.id());
    apply(&world, vec![read, declare]);
    let after = |millis| start.plus_millis(millis);
    let listed = |world: &World, at| {
        let found = overdue(&world.ledger, at).unwrap();
        assert_eq!(found.total, found.duties.len() as u64);
        found
            .duties
            .into_iter()
            .map(|duty| (duty.kind, duty.owed_by, duty.patient, duty.id))
            .collect::<Vec<_>>()
    };
    let patient = world.patient.did;
    let review = (DutyKind::Review, hospital, patient, declaration.to_string());
    let deletion = (DutyKind::Deletion, doctor, patient, grant.to_string());
    assert_eq!(listed(&world, after(EMERGENCY_REVIEW_TIME_MS - 1)), []);
    assert_eq!(listed(&world, after(EMERGENCY_REVIEW_TIME_MS + DAY_MS)), std::slice::from_ref(&review));
    let late = after(DAY_MS + DELETION_TIME_MS + DAY_MS);
    assert_eq!(listed(&world, late), [review, deletion.clone()], "the longest overdue first");
    let finding = ReviewFinding::Justified;
    let call = Call::ReviewEmergency(ReviewEmergency { declaration, finding });
    let signed = world.hospitals[0].sign(chain, call);
    apply(&world, vec![signed]);
    assert_eq!(listed(&world, late), [deletion]);
    let call = Call::ConfirmDeletion(ConfirmDeletion { grant });
    let confirm = world.doctor.sign(chain, call);
    let receipts = world.commit_at(late, vec![confirm]);
    assert!(matches!(receipts[0].outcome, Outcome::Applied { .. }), "{receipts:?}");
    assert_eq!(listed(&world, late), []);
}

#[test]
fn an_erasure_that_is_not_answered_or_not_confirmed_in_time_is_listed_by_who_owes_it() {
    let mut world = World::new();
    let (chain, patient) = (world.chain(), world.patient.did);
    let holders = [world.hospitals[0].did, world.hospitals[1].did];
    let mut call = records(0..1, holders[0], &world.patient);
    call.records[0].holders.push(holders[1]);
    let record = call.records[0].id;
    let signed = world.hospitals[0].sign(chain, Call::RegisterRecords(call));
    apply(&world, vec![signed]);
    let listed = |world: &World, at| {
        let found = overdue(&world.ledger, at).unwrap();
        let mut duties: Vec<_> =
            found.duties.into_iter().map(|duty| (duty.kind, duty.owed_by, duty.patient, duty.id)).collect();
        duties.sort();
        duties
    };
    let ask = Call::RequestErasure(RequestErasure { records: vec![record] });
    let signed = world.patient.sign(chain, ask);
    apply(&world, vec![signed]);
    let asked = world.ledger.tip().time;
    assert_eq!(listed(&world, asked.plus_millis(ERASURE_ANSWER_TIME_MS - 1)), []);
    let answer = (DutyKind::ErasureAnswer, holders[0], patient, record.to_string());
    assert_eq!(listed(&world, asked.plus_millis(ERASURE_ANSWER_TIME_MS)), [answer]);
    let order = OrderErasure { records: vec![record], ground: ErasureGround::PatientAsked };
    let signed = world.hospitals[0].sign(chain, Call::OrderErasure(order));
    apply(&world, vec![signed]);
    let ordered = world.ledger.tip().time;
    let late = ordered.plus_millis(ERASURE_TIME_MS);
    assert_eq!(listed(&world, ordered.plus_millis(ERASURE_TIME_MS - 1)), []);
    let mut both = holders.map(|holder| (DutyKind::Erasure, holder, patient, record.to_string()));
    both.sort();
    assert_eq!(listed(&world, late), both);
    let confirm = Call::ConfirmErasure(ConfirmErasure { records: vec![record] });
    let signed = world.hospitals[0].sign(chain, confirm);
    apply(&world, vec![signed]);
    assert_eq!(listed(&world, late), [(DutyKind::Erasure, holders[1], patient, record.to_string())]);
}
