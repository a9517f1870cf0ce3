//! `erasure`: what patients ask this hospital to have erased, and having records erased that it registered.

use super::duties::due;
use super::operator::{Member, OperatorError};
use super::{rules, say};
use amulet_protocol::calls::Call;
use amulet_protocol::erasure::{ErasureGround, ErasureState, KeepReason, OrderErasure, RefuseErasure};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{RecordId, Timestamp, TxId};
use amulet_protocol::state::{RecordState, StateKey};
use amulet_wallet::dates;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

const DAY_MS: u64 = 86_400_000;

#[derive(Debug, Subcommand)]
pub(super) enum ErasureCommand {
    /// Show the records that patients ask to have erased and that wait for this hospital's answer, and those that are erased and for
    /// which a hospital owes its receipt.
    List {
        /// The folder of the hospital's node, which must run.
        #[arg(long)]
        data: PathBuf,
    },
    /// Have records erased that this hospital registered: every hospital that holds them deletes them and signs that it has. For good.
    Order {
        #[command(flatten)]
        named: Named,
        /// Why.
        #[arg(long, value_parser = rules::word::<ErasureGround>,
            value_name = "patient_asked|retention_over|registered_in_error|ordered")]
        ground: ErasureGround,
    },
    /// Keep records that their patient asked to have erased.
    Refuse {
        #[command(flatten)]
        named: Named,
        /// Why.
        #[arg(long, value_parser = rules::word::<KeepReason>, value_name = "retention|dispute|public_health")]
        reason: KeepReason,
        /// Until when, as 2040-12-31; from then on the patient can ask again.
        #[arg(long, value_parser = date)]
        until: Timestamp,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// Sign it. Without this the command only says what it would sign.
    #[arg(long)]
    yes: bool,
    /// The records, all of one patient, as `erasure list` or the report of the intake shows them.
    #[arg(required = true, value_parser = record_id)]
    records: Vec<RecordId>,
}

/// Why a command about erasures failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ErasureError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("the ledger has no record {0}")]
    NoRecord(RecordId),
}

pub(super) async fn run(command: ErasureCommand) -> Result<(), ErasureError> {
    match command {
        ErasureCommand::List { data } => say(list(&Member::load(&data)?).await?.trim_end()),
        ErasureCommand::Order { named, ground } => order(named, ground).await?,
        ErasureCommand::Refuse { named, reason, until } => refuse(named, reason, until).await?,
    }
    Ok(())
}

async fn order(named: Named, ground: ErasureGround) -> Result<(), ErasureError> {
    let Some((member, records)) = shown(named, "be erased everywhere, for good").await? else {
        return Ok(());
    };
    member.send(Call::OrderErasure(OrderErasure { records, ground })).await?;
    say(
        "On the ledger: erased. Nobody is given them any more; every holder's node deletes its copy and signs \
         that it has. Destroy backups made before, or keep them no longer than your rules for backups say.",
    );
    Ok(())
}

async fn refuse(named: Named, reason: KeepReason, until: Timestamp) -> Result<(), ErasureError> {
    let Some((member, records)) = shown(named, "be kept against the patient's wish").await? else {
        return Ok(());
    };
    member.send(Call::RefuseErasure(RefuseErasure { records, reason, until })).await?;
    say("On the ledger: kept. The patient is told why and until when.");
    Ok(())
}

/// Says what would become of the records; gives them if it is to be signed.
async fn shown(named: Named, what: &str) -> Result<Option<(Member, Vec<RecordId>)>, ErasureError> {
    let member = Member::load(&named.data)?;
    let records: Vec<RecordId> = named.records.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    for id in &records {
        let state: Option<RecordState> = member.link.state(StateKey::Record(*id)).await?;
        say(record_line(*id, &state.ok_or(ErasureError::NoRecord(*id))?));
    }
    if !named.yes {
        say(format_args!("These would {what}. Add --yes to sign it."));
        return Ok(None);
    }
    Ok(Some((member, records)))
}

/// What waits for the hospital's answer, and what others owe it.
async fn list(member: &Member) -> Result<String, OperatorError> {
    let (_, now) = member.link.newest().await?;
    let ids: Vec<RecordId> = named_in_history(member).await?.into_iter().collect();
    let keys: Vec<_> = ids.iter().map(|id| StateKey::Erasure(*id)).collect();
    let erasures = member.link.states::<ErasureState>(&keys).await?;
    let keys: Vec<_> = ids.iter().map(|id| StateKey::Record(*id)).collect();
    let records = member.link.states::<RecordState>(&keys).await?;
    let (mut asked, mut owed) = (Vec::new(), Vec::new());
    for ((id, erasure), record) in ids.into_iter().zip(erasures).zip(records) {
        let (Some(erasure), Some(record)) = (erasure, record) else { continue };
        match &erasure {
            ErasureState::Asked { .. } if record.provider == member.did() => {
                let by = erasure.answer_by().unwrap_or(now);
                asked.push((by, format!("{}; answer {}", record_line(id, &record), due(by, now))));
            }
            ErasureState::Erased(erased) if !erased.is_proven() => {
                let owing: Vec<String> = erased.owing().map(|holder| holder.to_string()).collect();
                let by = erased.confirm_by();
                owed.push((
                    by,
                    format!("{}; receipt of {} {}", record_line(id, &record), owing.join(", "), due(by, now)),
                ));
            }
            _ => {}
        }
    }
    let mut text = section("Patients ask to have erased (`erasure order`, `erasure refuse`)", asked);
    text += &section("Erased, and not confirmed by every holder", owed);
    if text.is_empty() {
        text += "No patient waits for an answer, and no receipt is owed.\n";
    }
    Ok(text)
}

fn section(title: &str, mut lines: Vec<(Timestamp, String)>) -> String {
    let mut text = String::new();
    if lines.is_empty() {
        return text;
    }
    lines.sort();
    let _ = writeln!(text, "{title}: {}", lines.len());
    for (_, line) in lines {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The records of which the hospital's own history says that their erasure was asked for or ordered.
async fn named_in_history(member: &Member) -> Result<BTreeSet<RecordId>, OperatorError> {
    let history = member.link.history(member.did()).await?;
    let about =
        |event: &Event| matches!(event, Event::ErasureRequested { .. } | Event::ErasureOrdered { .. });
    let entries = history.iter().filter(|entry| about(&entry.event));
    let transactions: Vec<TxId> = entries.map(|entry| entry.transaction).collect();
    let mut named = BTreeSet::new();
    for call in member.link.calls(&transactions).await? {
        match call {
            Call::RequestErasure(call) => named.extend(call.records),
            Call::OrderErasure(call) => named.extend(call.records),
            _ => {}
        }
    }
    Ok(named)
}

fn record_line(id: RecordId, record: &RecordState) -> String {
    let RecordState { patient, category, class, registered, holders, .. } = record;
    format!(
        "{id}: patient {patient}, {category:?}, {class:?}, registered in block {}, held by {} hospitals",
        registered.0,
        holders.len()
    )
}

fn record_id(text: &str) -> Result<RecordId, String> {
    text.parse().map(RecordId).map_err(|error| format!("not a record's id: {error}"))
}

/// The beginning of a day.
fn date(text: &str) -> Result<Timestamp, String> {
    let day = dates::day_of(text).ok_or_else(|| format!("{text:?} is no date; write it as 2040-12-31"))?;
    let days = u64::try_from(day.0).map_err(|_| "the date is long past".to_owned())?;
    Ok(Timestamp(days * DAY_MS))
}

#[cfg(test)]
mod tests;
