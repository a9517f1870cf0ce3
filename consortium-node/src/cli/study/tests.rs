//! The commands as operators type them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::validators::tests::Operators;
use amulet_protocol::study::StudyStage;
use clap::Parser;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: StudyCommand,
}

async fn type_in(line: &[&str]) -> Result<(), StudyError> {
    run(Typed::try_parse_from([&["study"], line].concat()).unwrap().command).await
}

fn write_terms(folder: &std::path::Path, board: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut terms = serde_json::json!({
        "board": board,
        "title_zh": "血糖研究", "title_en": "Blood sugar",
        "aim_zh": "血糖在冬天是否更高？", "aim_en": "Is blood sugar higher in winter?",
        "categories": ["vital_signs", "labs"], "records_from": "2020-01-01",
        "days": 90, "participants_max": 100
    });
    change(&mut terms);
    let path = folder.join("study.json");
    std::fs::write(&path, terms.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hospitals_name_a_board_which_approves_and_ends_a_study_with_its_own_key() {
    let operators = Operators::new().await;
    let data: Vec<String> =
        (1..=4).map(|hospital| operators.data(hospital).to_str().unwrap().to_owned()).collect();
    let (node, folder) = (operators.node(), tempfile::tempdir().unwrap());
    let key = folder.path().join("board.key").to_str().unwrap().to_owned();
    type_in(&["make-board", "--node", &node, "--key", &key]).await.unwrap();
    let board = Did::of_key(keys::load_signing_key(key.as_ref()).unwrap().public_key()).to_string();
    let again = type_in(&["make-board", "--node", &node, "--key", &key]).await;
    assert!(matches!(again, Err(StudyError::Key(KeyError::File { .. }))), "a key is never overwritten");
    let link = NodeLink::new(&node);
    let office = async || {
        let state: Option<BoardState> = link.state(StateKey::Board(board.parse().unwrap())).await.unwrap();
        state.and_then(|state| state.office).is_some()
    };
    let name = ["--name-en", "Regional ethics board", "--name-zh", "区域伦理委员会"];
    for member in &data[..3] {
        assert!(!office().await);
        let line = [&["name-board", "--data", member, "--board", &board], &name[..]].concat();
        type_in(&line).await.unwrap();
        type_in(&[&line[..], &["--yes"]].concat()).await.unwrap();
    }
    assert!(office().await);

    let member = Member::load(data[0].as_ref()).unwrap();
    let agreement = member.keys.staff.public_key().clone();
    let publish = amulet_protocol::calls::PublishStaffKey { agreement };
    member.send(Call::PublishStaffKey(publish)).await.unwrap();
    let file = write_terms(folder.path(), &board, |_| {});
    type_in(&["register", "--data", &data[0], &file]).await.unwrap();
    let of = Some(member.did());
    assert_eq!(list(&link, of).await.unwrap(), "No studies.", "nothing is signed without --yes");
    type_in(&["register", "--data", &data[0], &file, "--yes"]).await.unwrap();
    let listed = list(&link, of).await.unwrap();
    assert!(listed.contains("waits for its board") && listed.contains("Labs, VitalSigns of 2020-01-01 to …"));
    assert_eq!(list(&link, None).await.unwrap(), "No studies.");
    let id = listed.lines().next().unwrap();

    let sponsor = type_in(&["approve", "--data", &data[0], id, "--yes"]).await;
    assert!(matches!(
        sponsor,
        Err(StudyError::Operator(OperatorError::Ledger(amulet_protocol::receipt::RefusalCode::NotYourStudy)))
    ));
    type_in(&["approve", "--key", &key, "--node", &node, id, "--yes"]).await.unwrap();
    assert!(list(&link, None).await.unwrap().contains("open for 90 d more, at most"));
    type_in(&["end", "--key", &key, "--node", &node, id]).await.unwrap();
    type_in(&["end", "--key", &key, "--node", &node, id, "--yes"]).await.unwrap();
    let state: StudyState = link.state(StateKey::Study(study_id(id).unwrap())).await.unwrap().unwrap();
    assert!(matches!(state.stage, StudyStage::Ended { approved_at: Some(_), .. }));
    assert_eq!(list(&link, None).await.unwrap(), "No studies.");
}

#[test]
fn a_file_that_is_no_study_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let board = Did::of_key(amulet_contracts::testing::Actor::new(1).signing.public_key()).to_string();
    let now = amulet_protocol::ids::Timestamp(1_790_000_000_000);
    let load = |change: &dyn Fn(&mut serde_json::Value)| {
        let path = write_terms(folder.path(), &board, change);
        file::load(path.as_ref()).and_then(|file| file.terms(now))
    };
    assert!(load(&|_| {}).is_ok());
    let wrong = load(&|terms| terms["records_from"] = "2020-13-01".into());
    assert!(matches!(wrong, Err(file::FileError::Value { field: "records_from" })));
    let unknown = load(&|terms| terms["genomes"] = true.into());
    assert!(matches!(unknown, Err(file::FileError::Json { .. })));
    let none = load(&|terms| terms["participants_max"] = 0.into());
    assert!(matches!(none, Err(file::FileError::Json { .. })));
    let long = load(&|terms| terms["aim_en"] = "x".repeat(70_000).into());
    assert!(matches!(long, Err(file::FileError::TooLong { .. })));
}
