//! `duties`: what this hospital owes to patients, and doing it: reviews of emergency accesses, and deletion receipts for what its
//! staff read.

use super::operator::{Member, NodeLink, OperatorError};
use super::say;
use crate::http_client::{self, HttpError, Request};
use crate::overdue::{DutyKind, Overdue, OverdueDuty};
use amulet_protocol::calls::{Call, ConfirmDeletion, DeclarationId, GrantId, ReviewEmergency};
use amulet_protocol::consent::ReviewFinding;
use amulet_protocol::grant::{Deletion, GrantState};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Timestamp, TxId};
use amulet_protocol::state::{DeclarationState, Practitioner, StateKey};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

#[derive(Debug, Subcommand)]
pub(super) enum DutiesCommand {
    /// Show the emergency accesses to review and the deletions to confirm, most urgent first.
    List {
        /// The folder of the hospital's node, which must run.
        #[arg(long)]
        data: PathBuf,
    },
    /// Show what is overdue in the whole consortium, whoever owes it, the longest overdue first: for those who watch over it.
    Overdue {
        /// The folder of this hospital's node, which must run.
        #[arg(long)]
        data: PathBuf,
    },
    /// State what the review of an emergency access found. The patient and the clinician are told; it is for good.
    Review {
        #[command(flatten)]
        sure: Sure,
        /// What was found.
        #[arg(long, value_parser = super::rules::word::<ReviewFinding>, value_name = "justified|not_justified")]
        finding: ReviewFinding,
        /// The declaration, as `duties list` shows it.
        #[arg(value_parser = declaration_id)]
        declaration: DeclarationId,
    },
    /// State that everything the staff read under a grant is deleted. The hospital answers for it; it is for good.
    ConfirmDeletion {
        #[command(flatten)]
        sure: Sure,
        /// The grant, as `duties list` shows it.
        #[arg(value_parser = grant_id)]
        grant: GrantId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Sure {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// Sign it. Without this the command only says what it would sign.
    #[arg(long)]
    yes: bool,
}

/// Why a command about duties failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DutiesError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the node's answer cannot be read ({0}); is the node of another version?")]
    Answer(#[from] serde_json::Error),
    #[error("the ledger has no emergency access {0}; see `duties list`")]
    NoDeclaration(DeclarationId),
    #[error("the ledger has no grant {0}; see `duties list`")]
    NoGrant(GrantId),
}

pub(super) async fn run(command: DutiesCommand) -> Result<(), DutiesError> {
    match command {
        DutiesCommand::List { data } => say(list(&Member::load(&data)?).await?.trim_end()),
        DutiesCommand::Overdue { data } => say(everybodys(&data).await?.trim_end()),
        DutiesCommand::Review { sure, finding, declaration } => review(&sure, finding, declaration).await?,
        DutiesCommand::ConfirmDeletion { sure, grant } => confirm_deletion(&sure, grant).await?,
    }
    Ok(())
}

async fn review(sure: &Sure, finding: ReviewFinding, id: DeclarationId) -> Result<(), DutiesError> {
    let member = Member::load(&sure.data)?;
    let state: Option<DeclarationState> = member.link.state(StateKey::Declaration(id)).await?;
    let state = state.ok_or(DutiesError::NoDeclaration(id))?;
    let (_, now) = member.link.newest().await?;
    say(declaration_line(&member.link, id, &state, now).await?.trim_end());
    let words = found(finding);
    if !sure.yes {
        say(format_args!("This would state, for good, that it was {words}. Add --yes to sign it."));
        return Ok(());
    }
    member.send(Call::ReviewEmergency(ReviewEmergency { declaration: id, finding })).await?;
    say(format_args!("On the ledger: reviewed, {words}. The patient and the clinician are told."));
    Ok(())
}

async fn confirm_deletion(sure: &Sure, id: GrantId) -> Result<(), DutiesError> {
    let member = Member::load(&sure.data)?;
    let state: Option<GrantState> = member.link.state(StateKey::Grant(id)).await?;
    let state = counted(&member.link, state.ok_or(DutiesError::NoGrant(id))?).await?;
    let (_, now) = member.link.newest().await?;
    say(grant_line(id, &state, now));
    if !sure.yes {
        say(
            "This would state, for good, that all that was read under it is deleted, copies and notes of it included. \
             Add --yes to sign it.",
        );
        return Ok(());
    }
    member.send(Call::ConfirmDeletion(ConfirmDeletion { grant: id })).await?;
    say("On the ledger: deleted. The patient is told.");
    Ok(())
}

/// What a hospital owes, most urgent first.
async fn list(member: &Member) -> Result<String, OperatorError> {
    let (declarations, grants) = concerning(member).await?;
    let (_, now) = member.link.newest().await?;
    let mut text = String::new();
    let mut reviews = Vec::new();
    let keys: Vec<_> = declarations.iter().map(|id| StateKey::Declaration(*id)).collect();
    for (id, state) in declarations.iter().zip(member.link.states::<DeclarationState>(&keys).await?) {
        reviews.extend(
            state.filter(|state| state.review.is_none()).map(|state| (state.review_by(), *id, state)),
        );
    }
    reviews.sort_by_key(|(by, id, _)| (*by, *id));
    if reviews.is_empty() {
        text += "No emergency access waits for a review.\n";
    } else {
        let _ = writeln!(text, "Emergency accesses to review (`duties review`): {}", reviews.len());
    }
    for (_, id, state) in reviews {
        text += &declaration_line(&member.link, id, &state, now).await?;
    }
    let mut deletions = Vec::new();
    let keys: Vec<_> = grants.iter().map(|id| StateKey::Grant(*id)).collect();
    for (id, state) in grants.iter().zip(member.link.states::<GrantState>(&keys).await?) {
        let Some(state) = state else { continue };
        let state = counted(&member.link, state).await?;
        if let Deletion::Owed { by } | Deletion::Overdue { by } = state.deletion(now) {
            deletions.push((by, *id, state));
        }
    }
    deletions.sort_by_key(|(by, id, _)| (*by, *id));
    if deletions.is_empty() {
        text += "No deletion is owed.\n";
    } else {
        let _ = writeln!(text, "Deletions owed (`duties confirm-deletion`): {}", deletions.len());
    }
    for (_, id, state) in deletions {
        let _ = writeln!(text, "{}", grant_line(id, &state, now));
    }
    Ok(text)
}

/// A grant as it counts: ended with its study, if it is for one that was ended.
async fn counted(link: &NodeLink, grant: GrantState) -> Result<GrantState, OperatorError> {
    let Some(study) = grant.grantee.study() else { return Ok(grant) };
    Ok(grant.ended_with(&link.filled(StateKey::Study(study)).await?))
}

/// What is overdue in the whole consortium, as the hospital's own node finds it.
async fn everybodys(data: &Path) -> Result<String, DutiesError> {
    let member = Member::load(data)?;
    let (_, now) = member.link.newest().await?;
    let url = format!("{}/api/v1/overdue", member.link.base());
    let answer = http_client::send(Request::get(&url).bearer(&member.keys.intake_token)).await?;
    let Overdue { duties, total } = serde_json::from_slice(&answer.body)?;
    let mut text = match total {
        0 => "Nothing is overdue.\n".to_owned(),
        _ => format!(
            "Overdue: {total}; the longest first{}\n",
            if duties.len() as u64 == total { "" } else { ", not all are shown" }
        ),
    };
    for OverdueDuty { kind, id, owed_by, patient, due: by } in duties {
        let kind = match kind {
            DutyKind::Review => "review of emergency access",
            DutyKind::Deletion => "deletion under grant",
            DutyKind::ErasureAnswer => "answer about the erasure of record",
            DutyKind::Erasure => "erasure of record",
        };
        let _ = writeln!(
            text,
            "{kind} {id}: owed by {owed_by} to patient {patient}; {}",
            due(Timestamp(by), now)
        );
    }
    Ok(text)
}

/// The declarations and grants that the hospital's own history names and for which it answers.
async fn concerning(member: &Member) -> Result<(BTreeSet<DeclarationId>, BTreeSet<GrantId>), OperatorError> {
    let (mut declarations, mut grants) = (BTreeSet::new(), BTreeSet::new());
    for entry in member.link.history(member.did()).await? {
        match entry.event {
            Event::EmergencyDeclared { declaration, .. } => {
                declarations.insert(declaration);
            }
            Event::AccessGranted { grant, grantee, .. } if grantee == member.did() => {
                grants.insert(grant);
            }
            _ => {}
        }
    }
    Ok((declarations, grants))
}

async fn declaration_line(
    link: &NodeLink,
    id: DeclarationId,
    state: &DeclarationState,
    now: Timestamp,
) -> Result<String, OperatorError> {
    let by: Option<Practitioner> = link.state(StateKey::Practitioner(state.practitioner)).await?;
    let name = by.map_or_else(String::new, |by| format!("{}, {}, ", by.name, by.department));
    let reported = if state.disputed_at.is_some() { "; the patient reports it as not right" } else { "" };
    let review = match state.review {
        Some((finding, _)) => format!("reviewed: {}", found(finding)),
        None => format!("review {}", due(state.review_by(), now)),
    };
    Ok(format!(
        "{id}: {name}{}, declared {} ago ({:?}), patient {}; {review}{reported}\n",
        state.practitioner,
        span(now.0.saturating_sub(state.declared_at.0)),
        state.reason,
        state.patient,
    ))
}

fn grant_line(id: GrantId, state: &GrantState, now: Timestamp) -> String {
    let deletion = match state.deletion(now) {
        Deletion::NotOwed => "no deletion is owed yet".to_owned(),
        Deletion::Owed { by } | Deletion::Overdue { by } => format!("deletion {}", due(by, now)),
        Deletion::Confirmed { .. } => "deletion confirmed".to_owned(),
    };
    let (records, patient) = (state.records.len(), state.patient);
    format!("{id}: patient {patient}, {records} records, read {} times; {deletion}", state.uses)
}

fn found(finding: ReviewFinding) -> &'static str {
    match finding {
        ReviewFinding::Justified => "justified",
        ReviewFinding::NotJustified => "not justified",
    }
}

/// How long it is until something is due, or for how long it has been overdue.
pub(super) fn due(by: Timestamp, now: Timestamp) -> String {
    if now < by {
        format!("due in {}", span(by.0 - now.0))
    } else {
        format!("OVERDUE for {}", span(now.0 - by.0))
    }
}

/// A length of time, to the day, hour or minute.
fn span(ms: u64) -> String {
    match ms {
        DAY_MS.. => format!("{} d {} h", ms / DAY_MS, ms % DAY_MS / HOUR_MS),
        HOUR_MS.. => format!("{} h", ms / HOUR_MS),
        _ => format!("{} min", ms / MINUTE_MS),
    }
}

fn declaration_id(text: &str) -> Result<DeclarationId, String> {
    text.parse()
        .map(|id| DeclarationId(TxId(id)))
        .map_err(|error| format!("not the id of an emergency access: {error}"))
}

fn grant_id(text: &str) -> Result<GrantId, String> {
    text.parse().map(|id| GrantId(TxId(id))).map_err(|error| format!("not a grant's id: {error}"))
}

#[cfg(test)]
mod tests;
