//! `staff`: who practises at this hospital.

use super::operator::{Member, OperatorError};
use super::say;
use amulet_protocol::calls::{Call, RegisterPractitioner};
use amulet_protocol::consent::PractitionerRole;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::state::{Practitioner, StateKey};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const DAY_MS: u64 = 86_400_000;
/// How long a registration still counts after it is ended: longer than a block takes, since one that has ended already is refused.
const ENDING_MS: u64 = 60_000;

#[derive(Debug, Subcommand)]
pub(super) enum StaffCommand {
    /// Register somebody as practising here, or renew or change what is registered. They make a wallet first, whose settings
    /// show its DID; compare it with them in person.
    Register(RegisterArgs),
    /// End a registration of this hospital, within a minute. They can be registered again.
    End(OneArgs),
    /// Show what the ledger says of a practitioner.
    Show(OneArgs),
}

#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Name, as its owner writes it; everybody can read it on the ledger.
    #[arg(long)]
    name: String,
    /// Department, as the hospital's other registrations write it.
    #[arg(long)]
    department: String,
    /// Role, such as `nurse`.
    #[arg(long, value_parser = super::rules::word::<PractitionerRole>)]
    role: PractitionerRole,
    /// For how many days from now it counts.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

#[derive(Debug, Args)]
pub(super) struct OneArgs {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// The practitioner.
    #[arg(long)]
    did: Did,
}

/// Why a command about staff failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StaffError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("{0} is not registered as practising at this hospital")]
    NotOurs(Did),
}

pub(super) async fn run(command: StaffCommand) -> Result<(), StaffError> {
    match command {
        StaffCommand::Register(args) => register(args).await,
        StaffCommand::End(args) => end(args).await,
        StaffCommand::Show(OneArgs { data, did }) => {
            let member = Member::load(&data)?;
            let (_, now) = member.link.newest().await?;
            match registered(&member, did).await? {
                Some(found) => say(words(&member, did, &found, now)),
                None => say(format_args!("{did} is not registered as a practitioner.")),
            }
            Ok(())
        }
    }
}

async fn register(args: RegisterArgs) -> Result<(), StaffError> {
    let RegisterArgs { one: OneArgs { data, did }, name, department, role, days } = args;
    let member = Member::load(&data)?;
    let (_, now) = member.link.newest().await?;
    let valid_until = now.plus_millis(u64::from(days) * DAY_MS);
    let (practitioner, valid_from) = (did, now);
    let call = RegisterPractitioner { practitioner, name, department, role, valid_from, valid_until };
    send(&member, call, now).await
}

async fn end(OneArgs { data, did }: OneArgs) -> Result<(), StaffError> {
    let member = Member::load(&data)?;
    let (_, now) = member.link.newest().await?;
    let found = registered(&member, did).await?;
    let ours = found.filter(|found| found.organisation == member.did() && found.counts_at(now));
    let Practitioner { name, department, role, valid_from, .. } = ours.ok_or(StaffError::NotOurs(did))?;
    let valid_until = now.plus_millis(ENDING_MS);
    let call = RegisterPractitioner { practitioner: did, name, department, role, valid_from, valid_until };
    send(&member, call, now).await
}

async fn send(member: &Member, call: RegisterPractitioner, now: Timestamp) -> Result<(), StaffError> {
    let did = call.practitioner;
    member.send(Call::RegisterPractitioner(call)).await?;
    let found = registered(member, did).await?.ok_or(StaffError::NotOurs(did))?;
    say(format_args!("On the ledger: {}", words(member, did, &found, now)));
    Ok(())
}

async fn registered(member: &Member, did: Did) -> Result<Option<Practitioner>, OperatorError> {
    member.link.state(StateKey::Practitioner(did)).await
}

fn words(member: &Member, did: Did, found: &Practitioner, now: Timestamp) -> String {
    let Practitioner { name, department, role, organisation, valid_from, valid_until } = found;
    let place =
        if *organisation == member.did() { "this hospital".to_owned() } else { organisation.to_string() };
    let validity = if found.counts_at(now) {
        let left = (valid_until.0 - now.0).div_ceil(DAY_MS);
        format!("counts for {left} d more, at most")
    } else if now < *valid_from {
        "does not count yet".to_owned()
    } else {
        "no longer counts".to_owned()
    };
    format!("{did}: {name}, {role:?}, {department}, at {place}; {validity}.")
}

#[cfg(test)]
mod tests;
