//! governance of the rule book: organisations with a validator decide which rules are in force.

use super::parsed;
use crate::governance::{current, organisations, voices};
use crate::history;
use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use amulet_protocol::governance::{EpochState, OpenProposal, ProposalId, ProposalStage};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{PROPOSAL_TIME_MS, PROPOSALS_PER_ORGANISATION_MAX};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::rules::{ApproveRules, ProposeRules, RuleBookState, RulesProposalState, WithdrawRules};
use amulet_protocol::state::StateKey;

/// Proposes a rule book, which its proposer approves.
pub(crate) fn propose<S: StateRead>(step: &mut Step<'_, S>, call: &ProposeRules) -> Done<S> {
    let epoch = current(step)?;
    let seat = epoch.seat_of(step.sender).ok_or(RefusalCode::NotAValidator)?;
    let mut open = open_rules(step, &epoch)?;
    let own = open.iter().filter(|other| other.proposer == step.sender).count();
    ensure(own < PROPOSALS_PER_ORGANISATION_MAX, RefusalCode::TooManyProposals)?;
    replaces_current(step, call.replaces)?;
    parsed(&call.policies).map_err(|_| RefusalCode::BadRules)?;
    let proposal = ProposalId(step.id);
    let expires = step.now().plus_millis(PROPOSAL_TIME_MS);
    open.push(OpenProposal { proposal, proposer: step.sender, expires });
    step.put(StateKey::OpenRules, &open);
    let state = RulesProposalState {
        proposer: step.sender,
        policies: call.policies.clone(),
        replaces: call.replaces,
        expires,
        approvals: vec![seat],
        stage: ProposalStage::Open,
    };
    tell(step, &epoch, &Event::RulesProposed { proposal, organisation: step.sender })?;
    decide_or_keep(step, &epoch, proposal, state)
}

/// Approves a rule book, which may put it in force.
pub(crate) fn approve<S: StateRead>(step: &mut Step<'_, S>, call: &ApproveRules) -> Done<S> {
    let epoch = current(step)?;
    let seat = epoch.seat_of(step.sender).ok_or(RefusalCode::NotAValidator)?;
    let mut state = open_proposal(step, call.proposal)?;
    ensure(step.now() < state.expires, RefusalCode::ProposalExpired)?;
    replaces_current(step, state.replaces)?;
    ensure(!voices(&epoch, &state.approvals).contains(&step.sender), RefusalCode::AlreadyApproved)?;
    state.approvals.push(seat);
    state.approvals.sort_unstable();
    tell(step, &epoch, &Event::RulesApproved { proposal: call.proposal, organisation: step.sender })?;
    decide_or_keep(step, &epoch, call.proposal, state)
}

/// Withdraws a rule book as its proposer, else the sender's approval of it.
pub(crate) fn withdraw<S: StateRead>(step: &mut Step<'_, S>, call: &WithdrawRules) -> Done<S> {
    let epoch = current(step)?;
    let mut state = open_proposal(step, call.proposal)?;
    let sender = step.sender;
    if state.proposer == sender {
        state.stage = ProposalStage::Withdrawn { at: step.now() };
        close(step, &epoch, call.proposal)?;
    } else {
        let before = state.approvals.len();
        state.approvals.retain(|seat| epoch.validator(*seat).is_none_or(|v| v.organisation != sender));
        ensure(state.approvals.len() < before, RefusalCode::NotYourProposal)?;
    }
    step.put(StateKey::RulesProposal(call.proposal), &state);
    tell(step, &epoch, &Event::RulesWithdrawn { proposal: call.proposal, organisation: sender })
}

/// Stores a proposal, and puts the rule book in force if enough organisations approve of it.
fn decide_or_keep<S: StateRead>(
    step: &mut Step<'_, S>,
    epoch: &EpochState,
    proposal: ProposalId,
    mut state: RulesProposalState,
) -> Done<S> {
    if voices(epoch, &state.approvals).len() < Quorum::approvals(organisations(epoch).len()) {
        step.put(StateKey::RulesProposal(proposal), &state);
        return Ok(());
    }
    let adopted = step.context.height;
    let version = state.replaces.checked_add(1).ok_or(RefusalCode::RulesChanged)?;
    let book = RuleBookState { version, policies: state.policies.clone(), adopted };
    step.put(StateKey::RuleBook, &book);
    state.stage = ProposalStage::Decided { first: adopted };
    step.put(StateKey::RulesProposal(proposal), &state);
    close(step, epoch, proposal)?;
    tell(step, epoch, &Event::RulesAdopted { proposal, version })
}

/// Refuses unless the rule book in force is of this version.
fn replaces_current<S: StateRead>(step: &Step<'_, S>, version: u32) -> Done<S> {
    let book: RuleBookState = step.get_filled(&StateKey::RuleBook)?;
    Ok(ensure(book.version == version, RefusalCode::RulesChanged)?)
}

fn open_proposal<S: StateRead>(step: &Step<'_, S>, proposal: ProposalId) -> Done<S, RulesProposalState> {
    let state: Option<RulesProposalState> = step.get(&StateKey::RulesProposal(proposal))?;
    let state = state.ok_or(RefusalCode::UnknownProposal)?;
    ensure(state.stage == ProposalStage::Open, RefusalCode::ProposalClosed)?;
    Ok(state)
}

/// The proposed rule books without those that have expired or would replace one that is no longer in force, and those of
/// organisations that have left the set.
fn open_rules<S: StateRead>(step: &Step<'_, S>, epoch: &EpochState) -> Done<S, Vec<OpenProposal>> {
    let book: RuleBookState = step.get_filled(&StateKey::RuleBook)?;
    let mut open = Vec::new();
    for other in step.get_filled::<Vec<OpenProposal>>(&StateKey::OpenRules)? {
        let state: RulesProposalState = step.get_filled(&StateKey::RulesProposal(other.proposal))?;
        let runs = step.now() < other.expires && epoch.seat_of(other.proposer).is_some();
        if runs && state.replaces == book.version {
            open.push(other);
        }
    }
    Ok(open)
}

/// Takes a proposal off the list of the open ones.
fn close<S: StateRead>(step: &mut Step<'_, S>, epoch: &EpochState, proposal: ProposalId) -> Done<S> {
    let mut open = open_rules(step, epoch)?;
    open.retain(|other| other.proposal != proposal);
    step.put(StateKey::OpenRules, &open);
    Ok(())
}

/// The rules bind everybody's staff: every organisation that validates is told.
fn tell<S: StateRead>(step: &mut Step<'_, S>, epoch: &EpochState, event: &Event) -> Done<S> {
    let all: Vec<Did> = organisations(epoch).into_iter().collect();
    history::append(step, &all, event)
}
