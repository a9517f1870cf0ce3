//! The commands as an operator types them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::validators::tests::Operators;
use amulet_contracts::testing::{record_id as id_of, records};
use amulet_protocol::erasure::RequestErasure;
use amulet_protocol::receipt::{Outcome, RefusalCode};
use clap::Parser;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: ErasureCommand,
}

async fn type_in(line: &[&str]) -> Result<(), ErasureError> {
    run(Typed::try_parse_from([&["erasure"], line].concat()).unwrap().command).await
}

fn refused(answer: Result<(), ErasureError>) -> RefusalCode {
    match answer {
        Err(ErasureError::Operator(OperatorError::Ledger(code))) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_answers_its_patients_and_sees_who_owes_a_receipt() {
    let mut operators = Operators::new().await;
    let data = [1, 2].map(|hospital| operators.data(hospital).to_str().unwrap().to_owned());
    let members = data.clone().map(|data| Member::load(data.as_ref()).unwrap());
    let nothing = "No patient waits for an answer, and no receipt is owed.\n";
    assert_eq!(list(&members[0]).await.unwrap(), nothing);
    let world = operators.world();
    let (chain, holders) = (world.chain(), [world.hospitals[0].did, world.hospitals[1].did]);
    let mut first = records(0..2, holders[0], &world.patient);
    first.records[0].holders.push(holders[1]);
    let mut asked: Vec<RecordId> = first.records.iter().map(|record| record.id).collect();
    asked.sort_unstable();
    let first = world.hospitals[0].sign(chain, Call::RegisterRecords(first));
    world.commit(vec![first]);
    let ask = Call::RequestErasure(RequestErasure { records: asked });
    let ask = world.patient.sign(chain, ask);
    let receipts = world.commit(vec![ask]);
    assert!(matches!(receipts[0].outcome, Outcome::Applied { .. }), "{receipts:?}");

    let shown = list(&members[0]).await.unwrap();
    assert!(
        shown.starts_with("Patients ask to have erased (`erasure order`, `erasure refuse`): 2\n"),
        "{shown}"
    );
    assert!(shown.contains("held by 2 hospitals; answer due in 30 d 0 h"), "{shown}");
    assert_eq!(list(&members[1]).await.unwrap(), nothing, "another hospital has nothing to answer");

    let (erased, kept) = (id_of(0).to_string(), id_of(1).to_string());
    let order = ["order", "--data", &data[0], "--ground", "patient_asked", &erased];
    let refuse = ["refuse", "--data", &data[0], "--reason", "retention", "--until", "2050-01-01", &kept];
    type_in(&order).await.unwrap();
    type_in(&refuse).await.unwrap();
    assert_eq!(list(&members[0]).await.unwrap(), shown, "nothing is signed without --yes");
    let others = ["order", "--data", &data[1], "--ground", "ordered", &erased, "--yes"];
    assert_eq!(refused(type_in(&others).await), RefusalCode::NotYourRecord);
    type_in(&[&order[..], &["--yes"]].concat()).await.unwrap();
    type_in(&[&refuse[..], &["--yes"]].concat()).await.unwrap();
    let link = &members[0].link;
    let state: Option<ErasureState> = link.state(StateKey::Erasure(id_of(1))).await.unwrap();
    let Some(ErasureState::Kept { reason: KeepReason::Retention, until, .. }) = state else {
        panic!("{state:?}")
    };
    assert_eq!(until, date("2050-01-01").unwrap());
    for member in &members {
        let shown = list(member).await.unwrap();
        assert!(shown.starts_with("Erased, and not confirmed by every holder: 1\n"), "{shown}");
        assert!(shown.contains(&format!("{}, {} due in 6 d 23 h", holders[0], holders[1])), "{shown}");
    }
    let unknown = ["order", "--data", &data[0], "--ground", "ordered", &"00".repeat(32)];
    assert!(matches!(type_in(&unknown).await, Err(ErasureError::NoRecord(_))));
    assert!(date("soon").is_err());
}
