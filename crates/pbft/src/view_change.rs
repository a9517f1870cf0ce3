//! Leaving a view whose primary does not deliver, and starting the next (OSDI'99 section 4.4).

use amulet_protocol::ids::View;

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::effect::Effect;
use crate::message::{Message, NewView, PrePrepare, Proposal, Signed, ViewChange};
use crate::new_view::Plan;
use crate::planted::Bug;
use crate::record::LogEntry;
use crate::rejection::Rejection;
use crate::replica::{Mode, Prepared, Replica};
use crate::slot::Progress;
use crate::timer::TimerKind;

impl Replica {
    /// Rule PBFT-VC-1: asks for `target`, with proof of what is final and of what is prepared here above it. From the
    /// moment the record is durable this replica votes in no view below.
    pub(crate) fn start_view_change(&mut self, target: View) {
        self.ask_for_view(target);
        self.follow_view_changes();
    }

    fn ask_for_view(&mut self, target: View) {
        let (base, prepared) = (self.base_certificate(), self.prepared_chain());
        let view_change = self.sign(ViewChange { new_view: target, base, prepared });
        if !self.is_planted(Bug::SkipViewChangeRecord) {
            self.persist(LogEntry::ViewChange(view_change.clone()));
        }
        self.effects.push(Effect::Broadcast(Message::ViewChange(view_change.clone())));
        self.view_changes.insert(view_change.sender, view_change);
        self.mode = Mode::ViewChange { target };
        self.failures = self.failures.saturating_add(1);
        self.carried.clear();
        self.leave_slots();
        // The timer of the view asked for before must not end this one early.
        self.stop_timer(TimerKind::NewView);
    }

    /// Proof of the tip. At the start of an epoch there is none: the epoch before has certified that block, and everybody
    /// has it.
    fn base_certificate(&self) -> Option<CommitCertificate> {
        let is_own = |proof: &&CommitCertificate| proof.vote.view.epoch() == self.config.epoch();
        self.tip.certificate.as_ref().filter(is_own).cloned()
    }

    /// What this replica has prepared above the tip, each block on top of the one below. A certificate whose parent is no
    /// longer the block below it is for a block that was not committed (`docs/spec/consensus.md`, section 5).
    fn prepared_chain(&self) -> Vec<PreparedCertificate> {
        let (mut height, mut parent) = (self.active_height(), self.tip.header_hash);
        let mut chain = Vec::new();
        while let Some(Prepared { certificate, .. }) = self.prepared.get(&height)
            && certificate.proposal().parent == parent
        {
            (height, parent) = (height.next(), certificate.proposal().header_hash);
            chain.push(certificate.clone());
        }
        if self.is_planted(Bug::ForgetPreparedAbove) {
            chain.truncate(1);
        }
        if self.is_planted(Bug::ForgetPrepared) {
            chain.clear();
        }
        chain
    }

    /// Forgets the votes of a view that is over, but not the blocks that it may have prepared.
    fn leave_slots(&mut self) {
        for (height, slot) in std::mem::take(&mut self.slots) {
            match slot.progress {
                Progress::Validating(_, payload)
                | Progress::PrePrepared(_, payload)
                | Progress::Prepared(_, payload) => self.retained.keep(height, payload),
                Progress::Idle | Progress::AwaitingPayload(_) | Progress::Held(..) | Progress::Refused(_) => {
                }
            }
        }
        self.asked = None;
    }

    /// Rule PBFT-VC-2: the newest view-change of each replica counts.
    pub(crate) fn on_view_change(&mut self, new: Signed<ViewChange>) -> Result<(), Rejection> {
        let (sender, message) = (new.sender, new.content.new_view);
        if message <= self.view {
            return Err(Rejection::StaleView { message, current: self.view });
        }
        if let Some(known) = self.view_changes.get(&sender) {
            let current = known.content.new_view;
            if message == current {
                return Err(Rejection::Duplicate { sender });
            }
            if message < current {
                return Err(Rejection::StaleView { message, current });
            }
        }
        self.note_height(sender, new.content.base_height());
        self.view_changes.insert(sender, new);
        self.follow_view_changes();
        Ok(())
    }

    /// Does what the view-changes at hand call for: join, and as the primary of the target, start the view.
    fn follow_view_changes(&mut self) {
        if let Some(target) = self.view_to_join()
            && !self.is_planted(Bug::JoinNobody)
        {
            self.ask_for_view(target);
        }
        self.start_view_if_primary();
    }

    /// Rule PBFT-VC-3: when `f + 1` others ask for later views, one of them is correct, and this replica goes along
    /// without waiting for its timer. The paper joins the smallest of those views, and the rule may apply again; this
    /// is where it ends: the highest view that `f + 1` others ask for or have passed.
    fn view_to_join(&self) -> Option<View> {
        let current = self.target();
        let mut later: Vec<View> = self
            .view_changes
            .values()
            .map(|view_change| view_change.content.new_view)
            .filter(|view| *view > current)
            .collect();
        later.sort_unstable_by(|left, right| right.cmp(left));
        later.get(self.config.quorum().faults()).copied()
    }

    /// Rule PBFT-TM-3: the wait for a new-view begins when a quorum asks for this view or a later one. Earlier, the
    /// others may not have noticed yet, and running ahead of them would leave this replica alone.
    pub(crate) fn is_new_view_due(&self) -> bool {
        let Mode::ViewChange { target } = self.mode else { return false };
        let asking = self.view_changes.values().filter(|view_change| view_change.content.new_view >= target);
        asking.count() >= self.threshold() || self.is_planted(Bug::RunAhead)
    }

    /// Rule PBFT-VC-4: the primary of the target starts it on view-changes from a quorum.
    fn start_view_if_primary(&mut self) {
        let Mode::ViewChange { target } = self.mode else { return };
        if self.config.primary_of(target) != self.config.replica() {
            return;
        }
        let needed = match self.is_planted(Bug::StartViewEarly) {
            true => self.config.quorum().faults() + 1,
            false => self.threshold(),
        };
        let view_changes: Vec<_> = self
            .view_changes
            .values()
            .filter(|view_change| view_change.content.new_view == target)
            .take(needed)
            .cloned()
            .collect();
        if view_changes.len() < needed {
            return;
        }
        let plan = Plan::select(target, &view_changes, &self.config);
        let pre_prepares =
            plan.proposals.iter().map(|proposal| self.sign(PrePrepare { proposal: *proposal }));
        let pre_prepares = pre_prepares.collect();
        let new_view = self.sign(NewView { view: target, view_changes, pre_prepares });
        self.persist_new_view(&new_view);
        self.effects.push(Effect::Broadcast(Message::NewView(new_view.clone())));
        self.enter_view(new_view, &plan);
    }

    /// Rule PBFT-VC-6: a backup enters a view whose proposals are those that it computes from the same certificate.
    pub(crate) fn on_new_view(&mut self, new_view: Signed<NewView>) -> Result<(), Rejection> {
        let (view, sender) = (new_view.content.view, new_view.sender);
        if view < self.target() {
            return Err(Rejection::StaleView { message: view, current: self.target() });
        }
        if view == self.view {
            return Err(Rejection::Duplicate { sender });
        }
        let plan = Plan::select(view, &new_view.content.view_changes, &self.config);
        let proposed = new_view.content.pre_prepares.iter().map(|pre_prepare| pre_prepare.content.proposal);
        if !proposed.eq(plan.proposals.iter().copied()) {
            return Err(Rejection::NewViewMismatch { view });
        }
        self.persist_new_view(&new_view);
        self.enter_view(new_view, &plan);
        Ok(())
    }

    fn persist_new_view(&mut self, new_view: &Signed<NewView>) {
        if !self.is_planted(Bug::SkipNewViewRecord) {
            self.persist(LogEntry::NewView(new_view.clone()));
        }
    }

    /// Rule PBFT-VC-7: in the new view nothing is ordered up to its base, and the carried proposals come first.
    fn enter_view(&mut self, new_view: Signed<NewView>, plan: &Plan) {
        self.leave_slots();
        self.mode = Mode::Normal;
        self.stop_timer(TimerKind::Progress);
        self.install_view(new_view, plan);
        if plan.base > self.tip.height {
            self.catch_up(plan.base, plan.base_holder);
        }
        self.take_up_carried();
        self.request_payloads();
        self.advance();
        self.take_ready();
    }

    /// Fills the slots of carried proposals that nothing else has filled.
    pub(crate) fn take_up_carried(&mut self) {
        if self.mode != Mode::Normal {
            return;
        }
        let above = self.carried.range(self.active_height().max(self.base.next())..);
        let missing: Vec<_> = above
            .filter(|(height, _)| !self.slots.contains_key(height))
            .map(|(_, pre_prepare)| pre_prepare.clone())
            .collect();
        for pre_prepare in missing {
            let Proposal { height, payload_digest, .. } = pre_prepare.content.proposal;
            self.slot_mut(height).progress = match self.find_payload(height, payload_digest) {
                Some(payload) => Progress::Held(pre_prepare, payload),
                None => Progress::AwaitingPayload(pre_prepare),
            };
        }
    }

    /// Sets what the view is bound to; also when it is read back after a restart.
    pub(crate) fn install_view(&mut self, new_view: Signed<NewView>, plan: &Plan) {
        let NewView { view, pre_prepares, .. } = &new_view.content;
        self.view = *view;
        self.base = plan.base;
        let tip = self.tip.height;
        self.carried = pre_prepares
            .iter()
            .filter(|pre_prepare| pre_prepare.content.proposal.height > tip)
            .map(|pre_prepare| (pre_prepare.content.proposal.height, pre_prepare.clone()))
            .collect();
        self.view_changes.retain(|_, view_change| view_change.content.new_view > new_view.content.view);
        self.new_view = Some(new_view);
    }
}
