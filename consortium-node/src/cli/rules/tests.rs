//! The commands as an operator types them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::validators::tests::Operators;
use amulet_contracts::rules::DEFAULT_RULES;
use amulet_protocol::receipt::RefusalCode;
use clap::Parser;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: RulesCommand,
}

fn typed(line: &[&str]) -> Result<RulesCommand, clap::Error> {
    Ok(Typed::try_parse_from([&["rules"], line].concat())?.command)
}

async fn type_in(line: &[&str]) -> Result<(), RulesError> {
    run(typed(line).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hospitals_change_the_rules_together() {
    let operators = Operators::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.cedar");
    let text = r#"@id("own") @zh("仅本院") @en("Own records only.")
permit (principal, action, resource) when { context.sameOrganisation };"#;
    std::fs::write(&file, text).unwrap();
    let (file, node) = (file.to_str().unwrap(), operators.node());
    let data: Vec<_> =
        (1..=4).map(|hospital| operators.data(hospital).to_str().unwrap().to_owned()).collect();
    let link = NodeLink::new(&node);
    assert_eq!(show(&link, true).await.unwrap(), DEFAULT_RULES);
    type_in(&["check", file]).await.unwrap();
    type_in(&["propose", "--data", &data[0], file]).await.unwrap();
    let shown = show(&link, false).await.unwrap();
    assert!(shown.starts_with("Rule book 1,") && shown.contains("attending-cares permits: "), "{shown}");
    assert!(shown.contains("1 seats approve") && shown.contains(text), "{shown}");
    let line = shown.lines().find_map(|line| line.strip_prefix("proposed: ")).unwrap();
    let proposal = line.split(':').next().unwrap();
    type_in(&["approve", "--data", &data[1], proposal]).await.unwrap();
    type_in(&["withdraw", "--data", &data[1], proposal]).await.unwrap();
    type_in(&["approve", "--data", &data[2], proposal]).await.unwrap();
    let again = type_in(&["approve", "--data", &data[2], proposal]).await;
    assert!(matches!(again, Err(RulesError::Operator(OperatorError::Ledger(RefusalCode::AlreadyApproved)))));
    type_in(&["approve", "--data", &data[3], proposal]).await.unwrap();
    assert_eq!(show(&link, true).await.unwrap(), text);
    let reading = ["--role", "nurse", "--purpose", "treatment", "--category", "labs"];
    type_in(&[&["explain", "--node", &node], &reading[..]].concat()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_rule_book_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.cedar");
    std::fs::write(&file, "permit (principal, action, resource);").unwrap();
    let file = file.to_str().unwrap();
    for line in [&["check", file][..], &["propose", "--data", "nowhere", file]] {
        assert!(matches!(type_in(line).await, Err(RulesError::Bad(BadRules::Unnamed(_)))));
    }
    assert!(matches!(type_in(&["check", "nowhere"]).await, Err(RulesError::File { .. })));
}

#[test]
fn an_explanation_names_the_rules_and_what_they_say() {
    let explain = |line: &[&str]| {
        let RulesCommand::Explain(args) = typed(&[&["explain"], line].concat()).unwrap() else {
            panic!("another command")
        };
        explained(&RuleBook::parse(DEFAULT_RULES).unwrap(), &access(&args)).join("\n")
    };
    let names = explain(&["--role", "researcher", "--purpose", "research", "--category", "documents"]);
    assert!(names.starts_with("Denied.\nresearch-no-identifiers forbids: Research never sees"), "{names}");
    assert!(
        names.contains("科研永不接触直接标识") && names.contains("researcher-studies permits"),
        "{names}"
    );
    let care = ["--role", "intern", "--purpose", "treatment", "--category", "labs"];
    assert!(explain(&care).starts_with("Denied.\nNo rule permits it."));
    let department = [&care[..], &["--granted-to", "department"]].concat();
    assert!(explain(&department).starts_with("Allowed.\nintern-in-department permits: "));
    assert!(typed(&["explain", "--role", "king", "--purpose", "treatment", "--category", "labs"]).is_err());
}
