//! governance: organisations with a validator decide who validates.
//!
//! A change is tried when it is proposed and again when it is decided, against the set in force and everything decided
//! before, in the order in which it will be made; so whatever is decided can be carried out, and the set is never
//! smaller or larger than a set may be, not even for a block.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::validators::{self, Plan};
use crate::{history, reputation};
use amulet_protocol::genesis::Organisation;
use amulet_protocol::governance::{
    ApproveMembership, Candidate, EpochState, MembershipChange, MembershipState, OpenProposal, ProposalId,
    ProposalStage, ProposalState, ProposeMembership, RotateValidatorKey, ScheduledChange, Seat,
    ValidatorKeyState, WithdrawMembership,
};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, Height};
use amulet_protocol::limits::{
    CHANGE_AHEAD_BLOCKS_MAX, NAME_BYTES_MAX, PROPOSAL_TIME_MS, PROPOSALS_PER_ORGANISATION_MAX,
    ROTATION_INTERVAL_MS,
};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{OrganisationState, StateKey};
use amulet_protocol::validators::{PEER_ID_BYTES_MAX, Validator};
use std::collections::BTreeSet;

/// Proposes a change, which its proposer approves.
pub(crate) fn propose<S: StateRead>(step: &mut Step<'_, S>, call: &ProposeMembership) -> Done<S> {
    let epoch = current(step)?;
    let seat = epoch.seat_of(step.sender).ok_or(RefusalCode::NotAValidator)?;
    check_height(step, call.not_before)?;
    let mut open = open_proposals(step, &epoch)?;
    let own = open.iter().filter(|other| other.proposer == step.sender).count();
    ensure(own < PROPOSALS_PER_ORGANISATION_MAX, RefusalCode::TooManyProposals)?;
    let proposal = ProposalId(step.id);
    // Refused now rather than when the last hospital approves, if it is hopeless already.
    schedule(step, &epoch, &call.change, call.not_before, Some(proposal))?;
    let expires = step.now().plus_millis(PROPOSAL_TIME_MS);
    open.push(OpenProposal { proposal, proposer: step.sender, expires });
    step.put(StateKey::OpenProposals, &open);
    let state = ProposalState {
        proposer: step.sender,
        change: call.change.clone(),
        not_before: call.not_before,
        expires,
        approvals: vec![seat],
        stage: ProposalStage::Open,
    };
    let event = Event::MembershipProposed { proposal, organisation: step.sender };
    history::append(step, &concerned(step.sender, &epoch, &state), &event)?;
    decide_or_keep(step, &epoch, proposal, state)
}

/// Approves a proposal, which may decide it.
pub(crate) fn approve<S: StateRead>(step: &mut Step<'_, S>, call: &ApproveMembership) -> Done<S> {
    let epoch = current(step)?;
    let seat = epoch.seat_of(step.sender).ok_or(RefusalCode::NotAValidator)?;
    let mut state = open_proposal(step, call.proposal)?;
    ensure(step.now() < state.expires, RefusalCode::ProposalExpired)?;
    ensure(!voices(&epoch, &state.approvals).contains(&step.sender), RefusalCode::AlreadyApproved)?;
    state.approvals.push(seat);
    state.approvals.sort_unstable();
    let event = Event::MembershipApproved { proposal: call.proposal, organisation: step.sender };
    history::append(step, &concerned(step.sender, &epoch, &state), &event)?;
    decide_or_keep(step, &epoch, call.proposal, state)
}

/// Withdraws a proposal as its proposer, else the sender's approval of it.
pub(crate) fn withdraw<S: StateRead>(step: &mut Step<'_, S>, call: &WithdrawMembership) -> Done<S> {
    let epoch = current(step)?;
    let mut state = open_proposal(step, call.proposal)?;
    if state.proposer == step.sender {
        state.stage = ProposalStage::Withdrawn { at: step.now() };
        close(step, &epoch, call.proposal)?;
    } else {
        let before = state.approvals.len();
        let sender = step.sender;
        state.approvals.retain(|seat| epoch.validator(*seat).is_none_or(|v| v.organisation != sender));
        ensure(state.approvals.len() < before, RefusalCode::NotYourProposal)?;
    }
    step.put(StateKey::Proposal(call.proposal), &state);
    let event = Event::MembershipWithdrawn { proposal: call.proposal, organisation: step.sender };
    history::append(step, &concerned(step.sender, &epoch, &state), &event)
}

/// Replaces the key of the sender's own validator.
pub(crate) fn rotate<S: StateRead>(step: &mut Step<'_, S>, call: &RotateValidatorKey) -> Done<S> {
    let epoch = current(step)?;
    let validator = epoch.validator(call.seat).ok_or(RefusalCode::UnknownSeat)?;
    ensure(validator.organisation == step.sender, RefusalCode::NotYourSeat)?;
    check_height(step, call.not_before)?;
    let old: ValidatorKeyState = step.get_filled(&StateKey::ValidatorKey(validator.key.fingerprint()))?;
    let rested = old.rotated_at.is_none_or(|last| step.now().millis_since(last) >= ROTATION_INTERVAL_MS);
    ensure(rested, RefusalCode::RotatedLately)?;
    let change = MembershipChange::Replace { seat: call.seat, candidate: call.candidate.clone() };
    let (membership, scheduled) = schedule(step, &epoch, &change, call.not_before, None)?;
    carry_out(step, &membership, &scheduled);
    let event = Event::ValidatorKeyRotated { seat: call.seat, first: scheduled.first };
    history::append(step, &[step.sender], &event)
}

/// Stores a proposal: decided, if enough organisations approve of it.
fn decide_or_keep<S: StateRead>(
    step: &mut Step<'_, S>,
    epoch: &EpochState,
    proposal: ProposalId,
    mut state: ProposalState,
) -> Done<S> {
    if voices(epoch, &state.approvals).len() < Quorum::approvals(organisations(epoch).len()) {
        step.put(StateKey::Proposal(proposal), &state);
        return Ok(());
    }
    let (membership, scheduled) = schedule(step, epoch, &state.change, state.not_before, Some(proposal))?;
    carry_out(step, &membership, &scheduled);
    if let Some(seated) = &scheduled.becomes {
        reputation::readmit(step, seated.organisation, membership.epoch)?;
    }
    if let MembershipChange::Add { organisation, .. } = &state.change {
        let Organisation { name_en, name_zh, key } = organisation.clone();
        step.put(StateKey::Organisation(organisation.did()), &OrganisationState { name_en, name_zh, key });
    }
    state.stage = ProposalStage::Decided { first: scheduled.first };
    step.put(StateKey::Proposal(proposal), &state);
    close(step, epoch, proposal)?;
    let event = Event::MembershipDecided { proposal, first: scheduled.first };
    history::append(step, &concerned(step.sender, epoch, &state), &event)
}

/// Writes what [`schedule`] found good.
fn carry_out<S: StateRead>(
    step: &mut Step<'_, S>,
    membership: &MembershipState,
    scheduled: &ScheduledChange,
) {
    if let Some(validator) = &scheduled.becomes {
        let state = ValidatorKeyState {
            organisation: validator.organisation,
            seat: scheduled.seat,
            rotated_at: scheduled.proposal.is_none().then_some(step.now()),
        };
        step.put(StateKey::ValidatorKey(validator.key.fingerprint()), &state);
    }
    step.put(StateKey::Membership, membership);
}

/// The membership with `change` planned, and how it is planned; or why it cannot be. Nothing is written.
fn schedule<S: StateRead>(
    step: &Step<'_, S>,
    epoch: &EpochState,
    change: &MembershipChange,
    not_before: Height,
    proposal: Option<ProposalId>,
) -> Done<S, (MembershipState, ScheduledChange)> {
    let mut membership = validators::membership(step).map_err(Stop::Failed)?;
    let first = not_before.max(step.context.height.next());
    let (seat, becomes) = match change {
        MembershipChange::Add { organisation, candidate } => {
            check_organisation(step, organisation)?;
            let seat = membership.next_seat;
            membership.next_seat = Seat(seat.0 + 1);
            (seat, Some(seated(step, epoch, &membership, candidate, organisation.did(), None)?))
        }
        MembershipChange::Remove { seat } => {
            ensure(epoch.position(*seat).is_some(), RefusalCode::UnknownSeat)?;
            (*seat, None)
        }
        MembershipChange::Replace { seat, candidate } => {
            let organisation = epoch.validator(*seat).ok_or(RefusalCode::UnknownSeat)?.organisation;
            (*seat, Some(seated(step, epoch, &membership, candidate, organisation, Some(*seat))?))
        }
    };
    let scheduled = ScheduledChange { first, seat, becomes, proposal };
    plan(epoch, &mut membership, scheduled.clone())?;
    Ok((membership, scheduled))
}

/// Puts a change in its place among those that are decided, if each can then be made in turn.
fn plan(
    epoch: &EpochState,
    membership: &mut MembershipState,
    change: ScheduledChange,
) -> Result<(), RefusalCode> {
    let pending = membership.scheduled.iter().position(|other| other.seat == change.seat);
    if let Some(pending) = pending {
        // Or a member could keep itself from being removed by replacing its key again and again.
        let outranked = membership.scheduled[pending].proposal.is_none() && change.proposal.is_some();
        ensure(outranked, RefusalCode::ChangePending)?;
        membership.scheduled.remove(pending);
    }
    let place = membership.scheduled.partition_point(|other| other.first <= change.first);
    membership.scheduled.insert(place, change);
    let mut plan = Plan::of(epoch);
    for change in &membership.scheduled {
        plan.make(change);
        ensure(plan.has_size(), RefusalCode::SetSize)?;
    }
    Ok(())
}

/// The validator that `candidate` makes, the signature checked last.
fn seated<S: StateRead>(
    step: &Step<'_, S>,
    epoch: &EpochState,
    membership: &MembershipState,
    candidate: &Candidate,
    organisation: Did,
    seat: Option<Seat>,
) -> Done<S, Validator> {
    let Candidate { key, peer_id, .. } = candidate;
    ensure((1..=PEER_ID_BYTES_MAX).contains(&peer_id.len()), RefusalCode::BadPeerId)?;
    let present = epoch.seats.iter().copied().zip(epoch.validators.members());
    let coming =
        membership.scheduled.iter().filter_map(|change| Some((change.seat, change.becomes.as_ref()?)));
    let taken =
        present.chain(coming).any(|(other, validator)| Some(other) != seat && validator.peer_id == *peer_id);
    ensure(!taken, RefusalCode::BadPeerId)?;
    let used = step.exists(&StateKey::ValidatorKey(key.fingerprint()))?;
    ensure(!used, RefusalCode::KeyUsed)?;
    ensure(candidate.accepts(step.context.chain, organisation, seat), RefusalCode::NotAccepted)?;
    Ok(Validator { organisation, key: key.clone(), peer_id: peer_id.clone() })
}

/// Refuses an organisation with bad names, or that the ledger knows otherwise.
fn check_organisation<S: StateRead>(step: &Step<'_, S>, organisation: &Organisation) -> Done<S> {
    for name in [&organisation.name_en, &organisation.name_zh] {
        ensure((1..=NAME_BYTES_MAX).contains(&name.len()), RefusalCode::BadName)?;
    }
    let did = organisation.did();
    let known = step.get::<OrganisationState>(&StateKey::Organisation(did))?;
    let same = match known {
        Some(OrganisationState { name_en, name_zh, key }) => {
            *organisation == Organisation { name_en, name_zh, key }
        }
        None => !step.exists(&StateKey::Identity(did))?,
    };
    Ok(ensure(same, RefusalCode::BadOrganisation)?)
}

fn check_height<S: StateRead>(step: &Step<'_, S>, not_before: Height) -> Result<(), RefusalCode> {
    let ahead = not_before.0.saturating_sub(step.context.height.0);
    ensure(ahead <= CHANGE_AHEAD_BLOCKS_MAX, RefusalCode::BadHeight)
}

pub(crate) fn current<S: StateRead>(step: &Step<'_, S>) -> Done<S, EpochState> {
    validators::current(step).map_err(Stop::Failed)
}

fn open_proposal<S: StateRead>(step: &Step<'_, S>, proposal: ProposalId) -> Done<S, ProposalState> {
    let state: Option<ProposalState> = step.get(&StateKey::Proposal(proposal))?;
    let state = state.ok_or(RefusalCode::UnknownProposal)?;
    ensure(state.stage == ProposalStage::Open, RefusalCode::ProposalClosed)?;
    Ok(state)
}

/// The open proposals without those that have expired and those of organisations that have left the set.
fn open_proposals<S: StateRead>(step: &Step<'_, S>, epoch: &EpochState) -> Done<S, Vec<OpenProposal>> {
    let mut open: Vec<OpenProposal> = step.get_filled(&StateKey::OpenProposals)?;
    open.retain(|other| step.now() < other.expires && epoch.seat_of(other.proposer).is_some());
    Ok(open)
}

/// Takes a proposal off the list of the open ones.
fn close<S: StateRead>(step: &mut Step<'_, S>, epoch: &EpochState, proposal: ProposalId) -> Done<S> {
    let mut open = open_proposals(step, epoch)?;
    open.retain(|other| other.proposal != proposal);
    step.put(StateKey::OpenProposals, &open);
    Ok(())
}

/// Organisations of the set in force.
pub(crate) fn organisations(epoch: &EpochState) -> BTreeSet<Did> {
    epoch.validators.members().iter().map(|validator| validator.organisation).collect()
}

/// Organisations of the set in force among those that approved; each counts once.
pub(crate) fn voices(epoch: &EpochState, approvals: &[Seat]) -> BTreeSet<Did> {
    approvals.iter().filter_map(|seat| Some(epoch.validator(*seat)?.organisation)).collect()
}

/// Whom a proposal concerns, and who acts on it now.
fn concerned(sender: Did, epoch: &EpochState, state: &ProposalState) -> Vec<Did> {
    let subject = match &state.change {
        MembershipChange::Add { organisation, .. } => Some(organisation.did()),
        MembershipChange::Remove { seat } | MembershipChange::Replace { seat, .. } => {
            epoch.validator(*seat).map(|validator| validator.organisation)
        }
    };
    let all: BTreeSet<Did> = [sender, state.proposer].into_iter().chain(subject).collect();
    all.into_iter().collect()
}
