//! `validators`: who validates, and changing it.

use super::operator::{Member, NodeLink, OperatorError};
use super::say;
use crate::genesis_file::{self, JOIN_FILE, JoinRequest};
use crate::keys::NodeKeys;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::Call;
use amulet_protocol::genesis::Organisation;
use amulet_protocol::governance::{
    Acceptance, ApproveMembership, Candidate, EpochState, MembershipChange, MembershipState, OpenProposal,
    ProposalId, ProposalState, ProposeMembership, RotateValidatorKey, Seat, WithdrawMembership,
};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{ChainId, Did, Height, TxId};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::state::{OrganisationState, StateKey};
use borsh::{BorshDeserialize, BorshSerialize};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HOUR_MS: u64 = 3_600_000;

#[derive(Debug, Subcommand)]
pub(super) enum ValidatorsCommand {
    /// Show the validators, what is decided, and what is proposed.
    List {
        /// Base URL of a running node's HTTP interface.
        #[arg(long, default_value = "http://127.0.0.1:8101")]
        node: String,
    },
    /// Write the signed request of a new validator, or of another key for a seat, for a member to propose.
    RequestSeat {
        /// The node's folder, with its genesis document.
        #[arg(long)]
        data: PathBuf,
        /// The seat whose key it shall replace; a new seat without it.
        #[arg(long)]
        seat: Option<u32>,
        /// The file to write.
        #[arg(long, default_value = "seat.bin")]
        out: PathBuf,
    },
    /// Propose to add the validator of a request.
    ProposeAdd(ProposeFile),
    /// Propose to put the key and node of a request in the place of a validator.
    ProposeReplace(ProposeFile),
    /// Propose to remove a validator.
    ProposeRemove {
        #[command(flatten)]
        common: Common,
        /// Its seat.
        #[arg(long)]
        seat: u32,
    },
    /// Approve a proposal.
    Approve(ProposalArgs),
    /// Withdraw this hospital's proposal, or its approval of another's.
    Withdraw(ProposalArgs),
    /// Replace the key of this hospital's validator by a new one.
    RotateKey {
        #[command(flatten)]
        common: Common,
        /// The seat; needed if the hospital has several.
        #[arg(long)]
        seat: Option<u32>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// First height that the change may apply to; the block after the decision without it.
    #[arg(long, default_value_t = 0)]
    not_before: u64,
}

#[derive(Debug, Args)]
pub(super) struct ProposeFile {
    #[command(flatten)]
    common: Common,
    /// The request, from `validators request-seat`.
    request: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ProposalArgs {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// The proposal, as `validators list` shows it.
    #[arg(value_parser = proposal_id)]
    proposal: ProposalId,
}

/// What a hospital that wants a seat gives to a member.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct SeatRequest {
    organisation: Organisation,
    seat: Option<Seat>,
    candidate: Candidate,
}

/// Why a request or a seat does not fit the command.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeatError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("{0} asks for a new seat; use `validators propose-add`")]
    NewSeat(PathBuf),
    #[error("{0} asks for seat {1}; use `validators propose-replace`")]
    TakenSeat(PathBuf, Seat),
    #[error("{0} is not signed by its key for this chain")]
    NotAccepted(PathBuf),
    #[error("this hospital has {0} validators; say which with --seat")]
    WhichSeat(usize),
    #[error("the key in keys/validator.next.key is in its seat; move it to keys/validator.key first")]
    MoveFirst,
    #[error("the receipt names no height")]
    Receipt,
}

pub(super) async fn run(command: ValidatorsCommand) -> Result<(), SeatError> {
    match command {
        ValidatorsCommand::List { node } => {
            say(list(&NodeLink::new(&node)).await?.trim_end());
            Ok(())
        }
        ValidatorsCommand::RequestSeat { data, seat, out } => request_seat(&data, seat.map(Seat), &out),
        ValidatorsCommand::ProposeAdd(args) => propose_add(args).await,
        ValidatorsCommand::ProposeReplace(args) => propose_replace(args).await,
        ValidatorsCommand::ProposeRemove { common, seat } => {
            propose(&common, MembershipChange::Remove { seat: Seat(seat) }).await
        }
        ValidatorsCommand::Approve(args) => {
            let member = Member::load(&args.data)?;
            let call = Call::ApproveMembership(ApproveMembership { proposal: args.proposal });
            let receipt = member.send(call).await?;
            say(format_args!("Approved. {}", fate(&receipt)));
            Ok(())
        }
        ValidatorsCommand::Withdraw(args) => {
            let member = Member::load(&args.data)?;
            member.send(Call::WithdrawMembership(WithdrawMembership { proposal: args.proposal })).await?;
            say("Withdrawn.");
            Ok(())
        }
        ValidatorsCommand::RotateKey { common, seat } => rotate_key(&common, seat.map(Seat)).await,
    }
}

fn request_seat(data: &Path, seat: Option<Seat>, out: &Path) -> Result<(), SeatError> {
    let keys = NodeKeys::load(data).map_err(OperatorError::from)?;
    let (genesis, _) = genesis_file::load_genesis(data).map_err(OperatorError::from)?;
    let join: JoinRequest = genesis_file::load(&data.join(JOIN_FILE)).map_err(OperatorError::from)?;
    let organisation = join.organisation;
    let candidate = candidate(&keys, &keys.validator, organisation.did(), seat, genesis.chain_id());
    let request = SeatRequest { organisation, seat, candidate };
    genesis_file::save(out, &request).map_err(OperatorError::from)?;
    say(format_args!("Wrote {}. Give it to a member of the consortium to propose.", out.display()));
    say(format_args!("Key {}", request.candidate.key.fingerprint()));
    say("Tell the members this fingerprint over another channel, so that they can compare.");
    Ok(())
}

fn candidate(
    keys: &NodeKeys,
    validator: &SigningKey,
    organisation: Did,
    seat: Option<Seat>,
    chain: ChainId,
) -> Candidate {
    let (key, peer_id) = (validator.public_key().clone(), keys.network.public().to_peer_id().to_bytes());
    Acceptance { organisation, seat, key, peer_id }.sign(validator, chain)
}

fn read_request(args: &ProposeFile) -> Result<SeatRequest, SeatError> {
    Ok(genesis_file::load(&args.request).map_err(OperatorError::from)?)
}

async fn propose_add(args: ProposeFile) -> Result<(), SeatError> {
    let SeatRequest { organisation, seat, candidate } = read_request(&args)?;
    if let Some(seat) = seat {
        return Err(SeatError::TakenSeat(args.request, seat));
    }
    say(format_args!("{} ({}), {}", organisation.name_en, organisation.name_zh, organisation.did()));
    say(format_args!("Key {}", candidate.key.fingerprint()));
    let chain = Member::load(&args.common.data)?.chain;
    if !candidate.accepts(chain, organisation.did(), None) {
        return Err(SeatError::NotAccepted(args.request));
    }
    propose(&args.common, MembershipChange::Add { organisation, candidate }).await
}

async fn propose_replace(args: ProposeFile) -> Result<(), SeatError> {
    let SeatRequest { seat, candidate, .. } = read_request(&args)?;
    let seat = seat.ok_or(SeatError::NewSeat(args.request))?;
    say(format_args!("Seat {seat}, key {}", candidate.key.fingerprint()));
    propose(&args.common, MembershipChange::Replace { seat, candidate }).await
}

async fn propose(common: &Common, change: MembershipChange) -> Result<(), SeatError> {
    let member = Member::load(&common.data)?;
    let call = ProposeMembership { change, not_before: Height(common.not_before) };
    let receipt = member.send(Call::ProposeMembership(Box::new(call))).await?;
    say(format_args!("Proposed: {}. {}", receipt.transaction, fate(&receipt)));
    Ok(())
}

async fn rotate_key(common: &Common, seat: Option<Seat>) -> Result<(), SeatError> {
    let member = Member::load(&common.data)?;
    let epoch = current(&member.link).await?;
    let own = epoch.validators.members().iter().zip(&epoch.seats);
    let own: Vec<Seat> =
        own.filter(|(validator, _)| validator.organisation == member.did()).map(|(_, seat)| *seat).collect();
    let seat = match (seat, &own[..]) {
        (Some(seat), _) => seat,
        (None, [seat]) => *seat,
        (None, seats) => return Err(SeatError::WhichSeat(seats.len())),
    };
    let seated = |key: &SigningKey| epoch.validators.find(key.public_key()).is_some();
    if member.keys.next_validator.as_ref().is_some_and(seated) {
        return Err(SeatError::MoveFirst);
    }
    let next = NodeKeys::make_next_validator(&common.data).map_err(OperatorError::from)?;
    let candidate = candidate(&member.keys, &next, member.did(), Some(seat), member.chain);
    let fingerprint = candidate.key.fingerprint();
    let call = RotateValidatorKey { seat, candidate, not_before: Height(common.not_before) };
    let receipt = member.send(Call::RotateValidatorKey(Box::new(call))).await?;
    let first = decided(&receipt).ok_or(SeatError::Receipt)?;
    say(format_args!("Seat {seat} has key {fingerprint} from block {first} on."));
    say(
        "The new key is in keys/validator.next.key: back it up now. The node takes it when its time has come.",
    );
    say("When `validators list` shows it in its seat, move it to keys/validator.key.");
    Ok(())
}

/// What became of a proposal by this transaction.
fn fate(receipt: &Receipt) -> String {
    match decided(receipt) {
        Some(first) => format!("It is decided, and in force from block {first} on."),
        None => "It needs more approvals; see `validators list`.".to_owned(),
    }
}

/// The first height of the change that a transaction decided.
fn decided(receipt: &Receipt) -> Option<Height> {
    let Outcome::Applied { events } = &receipt.outcome else { return None };
    events.iter().find_map(|(_, _, event)| match event {
        Event::MembershipDecided { first, .. } | Event::ValidatorKeyRotated { first, .. } => Some(*first),
        _ => None,
    })
}

async fn current(link: &NodeLink) -> Result<EpochState, OperatorError> {
    let membership: MembershipState = link.filled(StateKey::Membership).await?;
    link.filled(StateKey::Epoch(membership.epoch)).await
}

async fn list(link: &NodeLink) -> Result<String, OperatorError> {
    let membership: MembershipState = link.filled(StateKey::Membership).await?;
    let epoch = current(link).await?;
    let quorum = epoch.validators.quorum();
    let mut text = format!(
        "Epoch {}, from block {} on: {} validators, {} commit a block.\n",
        membership.epoch,
        membership.first,
        quorum.size(),
        quorum.threshold()
    );
    for (seat, validator) in epoch.seats.iter().zip(epoch.validators.members()) {
        let name = name(link, validator.organisation).await?;
        push(&mut text, &format!("seat {seat}: {name}, key {}", validator.key.fingerprint()));
    }
    for change in &membership.scheduled {
        let what = match &change.becomes {
            Some(validator) => format!("has key {}", validator.key.fingerprint()),
            None => "is given up".to_owned(),
        };
        push(&mut text, &format!("decided: from block {} on seat {} {what}", change.first, change.seat));
    }
    let open: Vec<OpenProposal> = link.filled(StateKey::OpenProposals).await?;
    // The ledger's clock decides what has expired.
    let (_, time) = link.newest().await?;
    for open in open.into_iter().filter(|open| time < open.expires) {
        let state: ProposalState = link.filled(StateKey::Proposal(open.proposal)).await?;
        let line = describe(link, &epoch, open.proposal, &state).await?;
        push(&mut text, &format!("{line}; {} hours left", state.expires.millis_since(time) / HOUR_MS));
    }
    Ok(text)
}

async fn describe(
    link: &NodeLink,
    epoch: &EpochState,
    proposal: ProposalId,
    state: &ProposalState,
) -> Result<String, OperatorError> {
    let what = match &state.change {
        MembershipChange::Add { organisation, candidate } => {
            let key = candidate.key.fingerprint();
            format!(
                "add {} ({}), {}, key {key}",
                organisation.name_en,
                organisation.name_zh,
                organisation.did()
            )
        }
        MembershipChange::Remove { seat } => format!("remove seat {seat}"),
        MembershipChange::Replace { seat, candidate } => {
            format!("give seat {seat} the key {}", candidate.key.fingerprint())
        }
    };
    let organisations = epoch.validators.members().iter().map(|validator| validator.organisation);
    let organisations: BTreeSet<Did> = organisations.collect();
    let approving = state.approvals.iter().filter_map(|seat| Some(epoch.validator(*seat)?.organisation));
    let approving: BTreeSet<Did> = approving.collect();
    let mut names = Vec::new();
    for did in &approving {
        names.push(name(link, *did).await?);
    }
    let needed = Quorum::approvals(organisations.len());
    Ok(format!(
        "proposed: {proposal}: {what}; {} of {needed} approve ({})",
        approving.len(),
        names.join(", ")
    ))
}

async fn name(link: &NodeLink, organisation: Did) -> Result<String, OperatorError> {
    let state: Option<OrganisationState> = link.state(StateKey::Organisation(organisation)).await?;
    Ok(state.map_or_else(|| organisation.to_string(), |state| state.name_en))
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing into memory does not fail");
}

pub(super) fn proposal_id(text: &str) -> Result<ProposalId, String> {
    text.parse()
        .map(|digest| ProposalId(TxId(digest)))
        .map_err(|error| format!("not a proposal's id: {error}"))
}

#[cfg(test)]
pub(super) mod tests;
