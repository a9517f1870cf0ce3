//! The commands as an operator types them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::validators::tests::Operators;
use amulet_contracts::testing::{card, emergency, reading, records, staff, staff_key, unasked};
use amulet_protocol::calls::{DisputeEmergency, RevokeAccess};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::receipt::{Outcome, RefusalCode};
use clap::Parser;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: DutiesCommand,
}

async fn type_in(line: &[&str]) -> Result<(), DutiesError> {
    run(Typed::try_parse_from([&["duties"], line].concat()).unwrap().command).await
}

/// A grant to the staff of hospital 0 that was read under and taken back, and an emergency that its patient reports.
fn owed(operators: &mut Operators) -> (DeclarationId, GrantId) {
    let world = operators.world();
    let (chain, hospital) = (world.chain(), world.hospitals[0].did);
    let first = records(0..2, hospital, &world.patient);
    let key = staff_key(&world.hospitals[0]);
    let calls = [Call::RegisterRecords(first), key].map(|call| world.hospitals[0].sign(chain, call));
    world.commit(calls.into());
    let until = world.ledger.tip().time.plus_millis(DAY_MS);
    let give = unasked(Grantee::Staff(staff(hospital)), 0..2, until);
    let give = world.patient.sign(chain, Call::GrantAccess(give));
    let publish = world.patient.sign(chain, Call::PublishCard(card(1, hospital)));
    let grant = GrantId(give.id());
    world.commit(vec![give, publish]);
    let read = world.doctor.sign(chain, Call::UseAccess(reading(grant, 0..1)));
    let declare = world.doctor.sign(chain, Call::DeclareEmergency(emergency(1)));
    let declaration = DeclarationId(declare.id());
    world.commit(vec![read, declare]);
    let back = world.patient.sign(chain, Call::RevokeAccess(RevokeAccess { grant }));
    let report = world.patient.sign(chain, Call::DisputeEmergency(DisputeEmergency { declaration }));
    let receipts = world.commit(vec![back, report]);
    assert!(
        receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })),
        "{receipts:?}"
    );
    (declaration, grant)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_sees_what_it_owes_and_does_it() {
    let mut operators = Operators::new().await;
    let data = [1, 2].map(|hospital| operators.data(hospital).to_str().unwrap().to_owned());
    let members = data.clone().map(|data| Member::load(data.as_ref()).unwrap());
    let nothing = "No emergency access waits for a review.\nNo deletion is owed.\n";
    assert_eq!(list(&members[0]).await.unwrap(), nothing);
    let (declaration, grant) = owed(&mut operators);
    let shown = list(&members[0]).await.unwrap();
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[1].starts_with(&declaration.to_string()) && lines[1].contains("review due in 6 d 23 h"),
        "{shown}"
    );
    assert!(lines[1].ends_with("; the patient reports it as not right"), "{shown}");
    assert!(
        lines[3].starts_with(&grant.to_string()) && lines[3].contains("2 records, read 1 times"),
        "{shown}"
    );
    assert!(lines[3].contains("; deletion due in "), "{shown}");
    assert_eq!(list(&members[1]).await.unwrap(), nothing, "another hospital owes nothing");

    let (declaration, grant) = (declaration.to_string(), grant.to_string());
    let review = ["review", "--data", &data[0], "--finding", "not_justified", &declaration];
    let confirm = ["confirm-deletion", "--data", &data[0], &grant];
    type_in(&review).await.unwrap();
    type_in(&confirm).await.unwrap();
    assert_eq!(list(&members[0]).await.unwrap(), shown, "nothing is signed without --yes");
    let refused = |answer| match answer {
        Err(DutiesError::Operator(OperatorError::Ledger(code))) => code,
        other => panic!("{other:?}"),
    };
    let others = ["confirm-deletion", "--yes", "--data", &data[1], &grant];
    assert_eq!(refused(type_in(&others).await), RefusalCode::NotYourGrant);
    let (review, confirm) = ([&review[..], &["--yes"]].concat(), [&confirm[..], &["--yes"]].concat());
    type_in(&review).await.unwrap();
    type_in(&confirm).await.unwrap();
    assert_eq!(list(&members[0]).await.unwrap(), nothing);
    assert_eq!(refused(type_in(&review).await), RefusalCode::AlreadyReviewed);
    assert_eq!(refused(type_in(&confirm).await), RefusalCode::DeletionConfirmed);
    let state: DeclarationState =
        members[0].link.filled(StateKey::Declaration(declaration_id(&declaration).unwrap())).await.unwrap();
    assert_eq!(state.review.unwrap().0, ReviewFinding::NotJustified);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_does_not_know_is_said() {
    let operators = Operators::new().await;
    let data = operators.data(1).to_str().unwrap().to_owned();
    let unknown = "00".repeat(32);
    let answer = type_in(&["confirm-deletion", "--yes", "--data", &data, &unknown]).await;
    assert!(matches!(answer, Err(DutiesError::NoGrant(_))), "{answer:?}");
    let answer = type_in(&["review", "--data", &data, "--finding", "justified", &unknown]).await;
    assert!(matches!(answer, Err(DutiesError::NoDeclaration(_))), "{answer:?}");
}

#[test]
fn overdue_is_said_loudly_and_times_are_short() {
    let at = |ms| Timestamp(ms);
    assert_eq!(due(at(3 * DAY_MS + HOUR_MS), at(0)), "due in 3 d 1 h");
    assert_eq!(due(at(0), at(0)), "OVERDUE for 0 min");
    assert_eq!(due(at(0), at(5 * HOUR_MS)), "OVERDUE for 5 h");
}
