//! The commands as an operator types them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::validators::tests::Operators;
use amulet_protocol::receipt::RefusalCode;
use clap::Parser;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: StaffCommand,
}

async fn type_in(line: &[&str]) -> Result<(), StaffError> {
    run(Typed::try_parse_from([&["staff"], line].concat()).unwrap().command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_registers_changes_and_ends_its_staff_and_no_other_does() {
    let mut operators = Operators::new().await;
    let data = [1, 2].map(|hospital| operators.data(hospital).to_str().unwrap().to_owned());
    let nurse = operators.world().stranger.did;
    let did = nurse.to_string();
    let member = Member::load(data[0].as_ref()).unwrap();
    let register = |data: &str, department: &str| {
        let words = [
            "register",
            "--data",
            data,
            "--did",
            &did,
            "--name",
            "Zhou Min",
            "--role",
            "nurse",
            "--department",
        ];
        words.map(str::to_owned).into_iter().chain([department.to_owned()]).collect::<Vec<_>>()
    };
    let type_all =
        async |line: Vec<String>| type_in(&line.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let end = |data: &str| ["end", "--data", data, "--did", &did].map(str::to_owned).to_vec();

    assert!(matches!(type_all(end(&data[0])).await, Err(StaffError::NotOurs(who)) if who == nurse));
    type_all(register(&data[0], "Emergency")).await.unwrap();
    type_all(register(&data[0], "Cardiology")).await.unwrap();
    let found = registered(&member, nurse).await.unwrap().unwrap();
    assert_eq!((found.department.as_str(), found.role), ("Cardiology", PractitionerRole::Nurse));
    assert_eq!(found.valid_until.0 - found.valid_from.0, 365 * DAY_MS);
    let other = type_all(register(&data[1], "Emergency")).await;
    let code = RefusalCode::EmployedElsewhere;
    assert!(matches!(other, Err(StaffError::Operator(OperatorError::Ledger(refused))) if refused == code));
    assert!(matches!(type_all(end(&data[1])).await, Err(StaffError::NotOurs(_))));
    type_all(end(&data[0])).await.unwrap();
    let (_, now) = member.link.newest().await.unwrap();
    let found = registered(&member, nurse).await.unwrap().unwrap();
    assert!(!found.counts_at(now.plus_millis(ENDING_MS)), "{found:?}");
    assert!(words(&member, nurse, &found, now.plus_millis(ENDING_MS)).ends_with("no longer counts."));
    type_all(vec!["show".into(), "--data".into(), data[0].clone(), "--did".into(), did.clone()])
        .await
        .unwrap();
}

#[test]
fn a_role_nobody_has_is_refused_at_once() {
    let did = Did::of_key(amulet_contracts::testing::Actor::new(1).signing.public_key()).to_string();
    let line = [
        "staff",
        "register",
        "--data",
        "x",
        "--did",
        &did,
        "--name",
        "a",
        "--department",
        "b",
        "--role",
        "wizard",
    ];
    assert!(Typed::try_parse_from(line).is_err());
}
