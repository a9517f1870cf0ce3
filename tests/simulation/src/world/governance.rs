//! Operators change who validates: they propose, approve, and wait until it is in force before they begin the next change.

use super::clients::Sender;
use super::{Happening, World};
use crate::checkers::{Checked, Checker, ensure};
use crate::time::Micros;
use crate::upkeep::{Change, ChangeKind};
use amulet_protocol::calls::Call;
use amulet_protocol::governance::{
    ApproveMembership, EpochState, MembershipChange, MembershipState, ProposalId, ProposalStage,
    ProposalState, ProposeMembership, RotateValidatorKey, Seat,
};
use amulet_protocol::ids::{Did, Height, TxId};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::state::StateKey;
use std::collections::BTreeSet;

/// How often operators look.
const LOOK_EVERY: Micros = Micros::seconds(2);
/// How long a node that ends with its epoch goes on, and is then away, in microseconds.
const ENDS_WITHIN: std::ops::Range<u64> = 0..300_000;
const AWAY: std::ops::Range<u64> = 50_000..2_000_000;

/// Where the operators' work stands.
#[derive(Default)]
pub(crate) struct Governance {
    /// Changes that are done with.
    done: usize,
    under_way: Option<UnderWay>,
}

/// A change that was put to the ledger.
struct UnderWay {
    at: Micros,
    transaction: TxId,
    is_rotation: bool,
    approved: BTreeSet<u16>,
}

/// How far a change has come.
enum Stage {
    /// It waits for blocks or approvals.
    Waits,
    /// The ledger refused it.
    Refused,
    /// It was decided, and takes effect with some block.
    Decided { first: Height },
}

impl World {
    pub(super) fn govern(&mut self) -> Checked {
        let Some(change) = self.plan.upkeep.changes.get(self.governance.done).copied() else { return Ok(()) };
        self.queue.push(self.now + LOOK_EVERY, Happening::Govern);
        let Some(under_way) = &self.governance.under_way else {
            if change.at <= self.now {
                self.begin(change);
            }
            return Ok(());
        };
        let proposal = ProposalId(under_way.transaction);
        match self.stage(under_way) {
            Stage::Waits if !under_way.is_rotation => self.approve(proposal),
            Stage::Waits => {}
            Stage::Refused => self.finish(),
            Stage::Decided { first } if self.chain.height().next() >= first => {
                self.summary.changes += 1;
                self.finish();
            }
            Stage::Decided { .. } => {}
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.governance.done += 1;
        self.governance.under_way = None;
    }

    /// At the end of a calm: what was proposed before it is decided.
    pub(super) fn check_governance(&self, proposed_before: Micros) -> Checked {
        let Some(under_way) = &self.governance.under_way else { return Ok(()) };
        let is_stuck = under_way.at < proposed_before && matches!(self.stage(under_way), Stage::Waits);
        ensure(!is_stuck, Checker::Liveness, || {
            format!("a change of the validators proposed at {} is not decided", under_way.at)
        })
    }

    fn stage(&self, change: &UnderWay) -> Stage {
        let oracle = self.chain.oracle();
        let Ok(Some((height, receipt))) = oracle.receipt(change.transaction) else { return Stage::Waits };
        if !matches!(receipt.outcome, Outcome::Applied { .. }) {
            return Stage::Refused;
        }
        if change.is_rotation {
            // Rotations here are not put off by more than a few blocks.
            return Stage::Decided { first: height.next() };
        }
        match oracle.read::<ProposalState>(&StateKey::Proposal(ProposalId(change.transaction))) {
            Ok(Some(ProposalState { stage: ProposalStage::Decided { first }, .. })) => {
                Stage::Decided { first }
            }
            _ => Stage::Waits,
        }
    }

    pub(super) fn epoch_state(&self) -> Option<EpochState> {
        let oracle = self.chain.oracle();
        let membership: MembershipState = oracle.read(&StateKey::Membership).ok()??;
        oracle.read(&StateKey::Epoch(membership.epoch)).ok()?
    }

    /// The hospitals that validate.
    pub(super) fn members(&self, epoch: &EpochState) -> Vec<u16> {
        let members = epoch.validators.members().iter();
        members.filter_map(|member| self.setting.number_of(&member.organisation)).collect()
    }

    /// Puts a change to the ledger, unless it would leave more liars among the validators than they can bear.
    fn begin(&mut self, change: Change) {
        let Some(epoch) = self.epoch_state() else { return };
        let members = self.members(&epoch);
        let is_member = members.contains(&change.hospital);
        let mut then: BTreeSet<u16> = members.iter().copied().collect();
        match change.kind {
            ChangeKind::Add => then.insert(change.hospital),
            ChangeKind::Remove => then.remove(&change.hospital),
            ChangeKind::Replace | ChangeKind::Rotate => true,
        };
        let liars = then.iter().filter(|member| !self.is_honest(**member)).count();
        let proposer = members.into_iter().find(|member| self.is_honest(*member));
        let makes_sense = (change.kind == ChangeKind::Add) != is_member;
        let (Some(proposer), true) = (proposer, makes_sense && 3 * liars < then.len()) else {
            self.governance.done += 1;
            return;
        };
        let organisation = self.setting.hospitals[usize::from(change.hospital)];
        let seat = epoch.seat_of(organisation);
        let not_before = Height(self.chain.height().0 + change.put_off);
        let Some((sender, call)) = self.call(change, proposer, organisation, seat, not_before) else {
            self.governance.done += 1;
            return;
        };
        let is_rotation = matches!(call, Call::RotateValidatorKey(_));
        let transaction = self.cast.hospitals[usize::from(sender)].sign(self.cast.chain, call);
        let (at, id) = (self.now, transaction.id());
        self.trace.note(at, "change", usize::from(change.hospital), change.put_off);
        self.governance.under_way =
            Some(UnderWay { at, transaction: id, is_rotation, approved: BTreeSet::from([sender]) });
        let submission = self.admit(transaction, Sender::Operator);
        self.submit(submission);
    }

    fn is_honest(&self, hospital: u16) -> bool {
        self.nodes[usize::from(hospital)].is_correct
    }

    /// Who sends what for a change.
    fn call(
        &mut self,
        change: Change,
        proposer: u16,
        organisation: Did,
        seat: Option<Seat>,
        not_before: Height,
    ) -> Option<(u16, Call)> {
        let propose = |change| Call::ProposeMembership(Box::new(ProposeMembership { change, not_before }));
        Some(match (change.kind, seat) {
            (ChangeKind::Add, None) => {
                let candidate = self.cast.new_key(organisation, None);
                let organisation = self.cast.organisation(change.hospital);
                (proposer, propose(MembershipChange::Add { organisation, candidate }))
            }
            (ChangeKind::Remove, Some(seat)) => (proposer, propose(MembershipChange::Remove { seat })),
            (ChangeKind::Replace, Some(seat)) => {
                let candidate = self.cast.new_key(organisation, Some(seat));
                (proposer, propose(MembershipChange::Replace { seat, candidate }))
            }
            (ChangeKind::Rotate, Some(seat)) => {
                let candidate = self.cast.new_key(organisation, Some(seat));
                let rotation = RotateValidatorKey { seat, candidate, not_before };
                (change.hospital, Call::RotateValidatorKey(Box::new(rotation)))
            }
            _ => return None,
        })
    }

    /// Every honest member that has not yet approves, once the ledger shows the proposal.
    fn approve(&mut self, proposal: ProposalId) {
        let is_shown = self.chain.oracle().receipt(proposal.0).is_ok_and(|found| found.is_some());
        let Some(epoch) = self.epoch_state().filter(|_| is_shown) else { return };
        for member in self.members(&epoch) {
            let is_honest = self.is_honest(member);
            let Some(under_way) = &mut self.governance.under_way else { return };
            if !is_honest || !under_way.approved.insert(member) {
                continue;
            }
            let call = Call::ApproveMembership(ApproveMembership { proposal });
            let transaction = self.cast.hospitals[usize::from(member)].sign(self.cast.chain, call);
            let submission = self.admit(transaction, Sender::Operator);
            self.submit(submission);
        }
    }

    /// As the real node, a node ends when its epoch does, and starts again with keys and connections of the new one.
    pub(super) fn plan_restart(&mut self, index: usize) {
        let at = self.now + Micros(self.work_rng.range(ENDS_WITHIN.start, ENDS_WITHIN.end));
        self.queue.push(at, Happening::EndWithEpoch { node: index, life: self.nodes[index].life });
    }

    pub(super) fn end_with_epoch(&mut self, index: usize, life: u64) {
        if !self.is_running(index, life) {
            return;
        }
        if self.nodes[index].busy_until > self.now {
            let at = self.nodes[index].busy_until;
            return self.queue.push(at, Happening::EndWithEpoch { node: index, life });
        }
        self.trace.note(self.now, "ends with its epoch", index, 0);
        self.nodes[index].end();
        self.nodes[index].is_between_epochs = true;
        let at = self.now + Micros(self.work_rng.range(AWAY.start, AWAY.end));
        self.queue.push(at, Happening::Start { node: index });
    }
}
