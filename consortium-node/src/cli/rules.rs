//! `rules`: the rule book, changing it, and what it says of a reading.

use super::operator::{Member, NodeLink, OperatorError};
use super::say;
use amulet_contracts::rules::{Access, BadRules, GivenTo, Reader, RecordKind, Rule, RuleBook};
use amulet_protocol::calls::Call;
use amulet_protocol::consent::{Category, DataClass, PractitionerRole, Purpose};
use amulet_protocol::governance::{OpenProposal, ProposalId};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::RULE_BOOK_BYTES_MAX;
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::rules::{ApproveRules, ProposeRules, RuleBookState, RulesProposalState, WithdrawRules};
use amulet_protocol::state::StateKey;
use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use std::io::Read;
use std::path::{Path, PathBuf};

const HOUR_MS: u64 = 3_600_000;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Show the rules in force and those proposed.
    Show {
        /// Base URL of a running node's HTTP interface.
        #[arg(long, default_value = "http://127.0.0.1:8101")]
        node: String,
        /// Print the text of the rules, as `rules check` reads it, and nothing else.
        #[arg(long)]
        text: bool,
    },
    /// Say whether a file is a rule book.
    Check {
        /// The file, Cedar policies.
        file: PathBuf,
    },
    /// Propose a file as the rule book, in place of the one in force.
    Propose {
        /// The folder of the hospital's node, which must run.
        #[arg(long)]
        data: PathBuf,
        /// The file, Cedar policies.
        file: PathBuf,
    },
    /// Approve a proposed rule book.
    Approve(RulesProposalArgs),
    /// Withdraw this hospital's rule book, or its approval of another's.
    Withdraw(RulesProposalArgs),
    /// Say which rules allow or deny a reading, if a live grant opens it.
    Explain(Box<ExplainArgs>),
}

#[derive(Debug, Args)]
pub(super) struct RulesProposalArgs {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// The proposal, as `rules show` shows it.
    #[arg(value_parser = super::validators::proposal_id)]
    proposal: ProposalId,
}

/// A reading that might be.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Base URL of a running node's HTTP interface.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
    /// Go by this file instead of the rules in force.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The reader's role, such as `nurse`; a relative without it.
    #[arg(long, value_parser = word::<PractitionerRole>)]
    role: Option<PractitionerRole>,
    /// The reader's department.
    #[arg(long, default_value = "")]
    department: String,
    /// What for, such as `treatment`.
    #[arg(long, value_parser = word::<Purpose>)]
    purpose: Purpose,
    /// Category of the records, such as `vital_signs`.
    #[arg(long, value_parser = word::<Category>)]
    category: Category,
    /// Class of the records.
    #[arg(long, default_value = "sensitive", value_parser = word::<DataClass>)]
    class: DataClass,
    /// Whom the grant is for.
    #[arg(long, value_enum, default_value_t = Given::Person)]
    granted_to: Given,
    /// The reader's employer.
    #[arg(long, default_value = "did:amulet:11111111111111111111")]
    organisation: Did,
    /// Who registered the records; another hospital than the reader's without it.
    #[arg(long, default_value = "did:amulet:11111111111111111112")]
    provider: Did,
    /// The records came later, by a standing grant.
    #[arg(long)]
    later: bool,
    /// Hour of the day in China.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..24))]
    hour: u8,
}

/// [`GivenTo`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Given {
    Person,
    Department,
    Role,
    Organisation,
}

/// Why a command about rules failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RulesError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("{path} cannot be read: {source}")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("this is no rule book: {0}")]
    Bad(#[from] BadRules),
    #[error("the rules of the ledger cannot be read ({0}); is the node of another version?")]
    InForce(#[source] BadRules),
}

pub(super) async fn run(command: RulesCommand) -> Result<(), RulesError> {
    match command {
        RulesCommand::Show { node, text } => {
            say(show(&NodeLink::new(&node), text).await?.trim_end());
            Ok(())
        }
        RulesCommand::Check { file } => {
            let (_, book) = read(&file)?;
            say(format_args!("A good rule book of {} rules.", book.rules().len()));
            Ok(())
        }
        RulesCommand::Propose { data, file } => {
            let (policies, _) = read(&file)?;
            let member = Member::load(&data)?;
            let replaces = in_force(&member.link).await?.version;
            let receipt = member.send(Call::ProposeRules(ProposeRules { policies, replaces })).await?;
            say(format_args!("Proposed: {}. {}", receipt.transaction, fate(&receipt)));
            Ok(())
        }
        RulesCommand::Approve(RulesProposalArgs { data, proposal }) => {
            let receipt = Member::load(&data)?.send(Call::ApproveRules(ApproveRules { proposal })).await?;
            say(format_args!("Approved. {}", fate(&receipt)));
            Ok(())
        }
        RulesCommand::Withdraw(RulesProposalArgs { data, proposal }) => {
            Member::load(&data)?.send(Call::WithdrawRules(WithdrawRules { proposal })).await?;
            say("Withdrawn.");
            Ok(())
        }
        RulesCommand::Explain(args) => explain(&args).await,
    }
}

async fn in_force(link: &NodeLink) -> Result<RuleBookState, OperatorError> {
    link.filled(StateKey::RuleBook).await
}

/// The text of a file and the rule book that it is.
fn read(path: &Path) -> Result<(String, RuleBook), RulesError> {
    let failed = |source| RulesError::File { path: path.to_owned(), source };
    let (mut text, longest) = (String::new(), RULE_BOOK_BYTES_MAX as u64);
    let file = std::fs::File::open(path).map_err(failed)?;
    // One byte more, so that what is too long is found to be.
    file.take(longest + 1).read_to_string(&mut text).map_err(failed)?;
    let book = RuleBook::parse(&text)?;
    Ok((text, book))
}

async fn show(link: &NodeLink, text: bool) -> Result<String, RulesError> {
    let state = in_force(link).await?;
    if text {
        return Ok(state.policies);
    }
    let book = RuleBook::parse(&state.policies).map_err(RulesError::InForce)?;
    let mut lines = vec![format!("Rule book {}, in force since block {}:", state.version, state.adopted)];
    lines.extend(book.rules().iter().map(line));
    let open: Vec<OpenProposal> = link.filled(StateKey::OpenRules).await?;
    // The ledger's clock decides what has expired.
    let (_, time) = link.newest().await?;
    for open in open.into_iter().filter(|open| time < open.expires) {
        let proposed: RulesProposalState = link.filled(StateKey::RulesProposal(open.proposal)).await?;
        if proposed.replaces == state.version {
            lines.push(format!(
                "proposed: {}: by {}, {} seats approve; {} hours left",
                open.proposal,
                proposed.proposer,
                proposed.approvals.len(),
                proposed.expires.millis_since(time) / HOUR_MS
            ));
            // Who approves has to know of what.
            lines.push(proposed.policies);
        }
    }
    Ok(lines.join("\n"))
}

fn line(rule: &Rule) -> String {
    let effect = if rule.forbids { "forbids" } else { "permits" };
    format!("{} {effect}: {} {}", rule.id, rule.en, rule.zh)
}

/// What became of a proposal by this transaction.
fn fate(receipt: &Receipt) -> String {
    let Outcome::Applied { events } = &receipt.outcome else { return String::new() };
    let adopted = events.iter().find_map(|(_, _, event)| match event {
        Event::RulesAdopted { version, .. } => Some(*version),
        _ => None,
    });
    match adopted {
        Some(version) => format!("It is in force as rule book {version}."),
        None => "It needs more approvals; see `rules show`.".to_owned(),
    }
}

async fn explain(args: &ExplainArgs) -> Result<(), RulesError> {
    let book = match &args.file {
        Some(path) => read(path)?.1,
        None => {
            let state = in_force(&NodeLink::new(&args.node)).await?;
            RuleBook::parse(&state.policies).map_err(RulesError::InForce)?
        }
    };
    for line in explained(&book, &access(args)) {
        say(line);
    }
    Ok(())
}

fn access(args: &ExplainArgs) -> Access {
    let organisation = args.organisation;
    let reader = match args.role {
        Some(role) => Reader::Practitioner { organisation, department: args.department.clone(), role },
        None => Reader::Layperson,
    };
    let kind = RecordKind {
        category: args.category,
        class: args.class,
        provider: args.provider,
        by_name: !args.later,
    };
    let given_to = match args.granted_to {
        Given::Person => GivenTo::Person,
        Given::Department => GivenTo::Department,
        Given::Role => GivenTo::Role,
        Given::Organisation => GivenTo::Organisation,
    };
    Access { reader, kind, purpose: args.purpose, given_to, hour: args.hour }
}

fn explained(book: &RuleBook, access: &Access) -> Vec<String> {
    let explanation = book.explain(access);
    let mut lines = vec![if explanation.allowed { "Allowed." } else { "Denied." }.to_owned()];
    if explanation.permitting.is_empty() {
        lines.push("No rule permits it.".to_owned());
    }
    let failing = explanation.failing.iter().map(|rule| format!("failed, which denies: {}", line(rule)));
    let spoke = explanation.forbidding.iter().chain(&explanation.permitting).map(line);
    lines.extend(failing.chain(spoke));
    lines
}

/// A word of one of the ledger's vocabularies.
/// A term of the protocol, as it is written in JSON.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
