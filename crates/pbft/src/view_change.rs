//! Leaving a view whose primary does not deliver, and starting the next (OSDI'99 section 4.4).

use amulet_protocol::ids::View;

use crate::effect::Effect;
use crate::message::{Message, NewView, PrePrepare, Signed, ViewChange};
use crate::new_view::Plan;
use crate::record::LogEntry;
use crate::rejection::Rejection;
use crate::replica::{Mode, Replica};
use crate::slot::Slot;
use crate::timer::TimerKind;

impl Replica {
    /// Rule PBFT-VC-1: asks for `target`, with proof of what is final and of what is prepared here. From the moment
    /// the record is durable this replica votes in no view below.
    pub(crate) fn start_view_change(&mut self, target: View) {
        self.ask_for_view(target);
        self.follow_view_changes();
    }

    fn ask_for_view(&mut self, target: View) {
        let prepared = self.prepared.iter().map(|prepared| prepared.certificate.clone()).collect();
        let view_change =
            self.sign(ViewChange { new_view: target, base: self.tip.certificate.clone(), prepared });
        self.persist(LogEntry::ViewChange(view_change.clone()));
        self.effects.push(Effect::Broadcast(Message::ViewChange(view_change.clone())));
        self.view_changes.insert(view_change.sender, view_change);
        self.mode = Mode::ViewChange { target };
        self.failures = self.failures.saturating_add(1);
        self.carried.clear();
        self.leave_slot();
        // The timer of the view asked for before must not end this one early.
        self.stop_timer(TimerKind::NewView);
    }

    /// Forgets the votes of a view that is over, but not the block.
    fn leave_slot(&mut self) {
        if let Some(payload) = self.slot.progress.payload() {
            self.retained.keep(payload.clone());
        }
        self.slot = Slot::default();
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
        if let Some(target) = self.view_to_join() {
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
        asking.count() >= self.config.quorum().threshold()
    }

    /// Rule PBFT-VC-4: the primary of the target starts it on view-changes from a quorum.
    fn start_view_if_primary(&mut self) {
        let Mode::ViewChange { target } = self.mode else { return };
        if self.config.primary_of(target) != self.config.replica() {
            return;
        }
        let needed = self.config.quorum().threshold();
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
        let plan = Plan::select(target, &view_changes);
        let pre_prepares =
            plan.proposals.iter().map(|proposal| self.sign(PrePrepare { proposal: *proposal }));
        let pre_prepares = pre_prepares.collect();
        let new_view = self.sign(NewView { view: target, view_changes, pre_prepares });
        self.persist(LogEntry::NewView(new_view.clone()));
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
        let plan = Plan::select(view, &new_view.content.view_changes);
        let proposed = new_view.content.pre_prepares.iter().map(|pre_prepare| pre_prepare.content.proposal);
        if !proposed.eq(plan.proposals.iter().copied()) {
            return Err(Rejection::NewViewMismatch { view });
        }
        self.persist(LogEntry::NewView(new_view.clone()));
        self.enter_view(new_view, &plan);
        Ok(())
    }

    /// Rule PBFT-VC-7: in the new view nothing is ordered up to its base, and the carried proposals come first.
    fn enter_view(&mut self, new_view: Signed<NewView>, plan: &Plan) {
        self.leave_slot();
        self.mode = Mode::Normal;
        self.stop_timer(TimerKind::Progress);
        self.install_view(new_view, plan);
        if plan.base > self.tip.height {
            self.effects.push(Effect::CatchUp { to: plan.base, hint: plan.base_holder });
        }
        self.begin_height();
    }

    /// Sets what the view is bound to; also when it is read back after a restart.
    pub(crate) fn install_view(&mut self, new_view: Signed<NewView>, plan: &Plan) {
        let NewView { view, pre_prepares, .. } = &new_view.content;
        self.view = *view;
        self.base = plan.base;
        self.carried = pre_prepares
            .iter()
            .map(|pre_prepare| (pre_prepare.content.proposal.height, pre_prepare.clone()))
            .collect();
        self.view_changes.retain(|_, view_change| view_change.content.new_view > new_view.content.view);
        self.new_view = Some(new_view);
    }
}
