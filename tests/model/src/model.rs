//! The rules of `docs/spec/consensus.md` as actions on the state. Each action cites the rules it stands for.

use stateright::{Model, Property};

use crate::block::{Block, HEIGHTS_MAX, VIEWS_MAX};
use crate::config::{CORRECT, Config, DEPTH, Interleaving, Mutation};
use crate::properties;
use crate::selection::{Plan, justified_plans, view_change_of};
use crate::state::{Prepared, Replica, State, Stray, Votes};

/// One step of a correct replica. What the Byzantine replica does shows in what the correct ones are led to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// PBFT-NC-1 to PBFT-NC-4, PBFT-NC-11: the primary proposes `block`, or a backup takes it, finds it right and prepares.
    Accept {
        /// Who.
        replica: usize,
        /// The block.
        block: Block,
    },
    /// PBFT-NC-6, PBFT-NC-7: the block accepted at `height` is prepared, and the commit vote leaves.
    Prepare {
        /// Who.
        replica: usize,
        /// The height.
        height: usize,
    },
    /// PBFT-NC-8, PBFT-NC-9, PBFT-RT-4: a block with a commit certificate becomes the tip, whether this replica counted the
    /// votes or was given the certificate.
    Adopt {
        /// Who.
        replica: usize,
        /// The block.
        block: Block,
    },
    /// PBFT-VC-1 to PBFT-VC-3: the replica leaves its view and asks for the next. Timers may fire at any time.
    LeaveView {
        /// Who.
        replica: usize,
    },
    /// PBFT-VC-4: the correct primary of the view it asks for starts that view.
    StartView {
        /// The primary.
        replica: usize,
        /// What its certificate obliges it to.
        plan: Plan,
    },
    /// PBFT-VC-6, PBFT-VC-7: a backup enters the view it asks for. A faulty primary may show each backup another
    /// certificate.
    EnterView {
        /// Who.
        replica: usize,
        /// What the certificate that it was shown demands.
        plan: Plan,
    },
    /// PBFT-RC-2, PBFT-RC-3: the replica stops, and starts again from its log.
    Restart {
        /// Who.
        replica: usize,
    },
}

impl Model for Config {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let commits = state.commit_certificates(self.correct_votes_needed());
        for replica in 0..CORRECT {
            if self.may_vote(state, replica) {
                self.acceptable(state, replica, actions);
                self.preparable(state, replica, actions);
            }
            let own = &state.replicas[replica];
            for certificate in &commits {
                let block = certificate.block;
                if block.parent() == own.tip && block.height() == own.tip.height() + 1 {
                    actions.push(Action::Adopt { replica, block });
                }
            }
            if usize::from(own.target) + 1 < self.views {
                actions.push(Action::LeaveView { replica });
            }
            self.enterable(state, replica, actions);
            actions.push(Action::Restart { replica });
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Accept { replica, block } => self.accept(&mut next, replica, block),
            Action::Prepare { replica, height } => prepare(self, &mut next, replica, height),
            Action::Adopt { replica, block } => adopt(self, &mut next.replicas[replica], block),
            Action::LeaveView { replica } => self.leave_view(&mut next, replica),
            Action::StartView { replica, plan } => {
                let view = usize::from(next.replicas[replica].target);
                next.new_views[view] = Some(plan);
                next.votes[view][replica].prepares = plan.carried;
                enter(&mut next.replicas[replica], plan);
            }
            Action::EnterView { replica, plan } => enter(&mut next.replicas[replica], plan),
            Action::Restart { replica } => self.restart(&mut next, replica),
        }
        self.normalise(&mut next);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Config {
    /// Whether the replica takes part in its view, and the interleaving lets it.
    fn may_vote(&self, state: &State, replica: usize) -> bool {
        let own = &state.replicas[replica];
        own.is_normal() && !self.is_over(state, usize::from(own.view))
    }

    /// Whether no correct replica will vote in `view`, or enter it, any more.
    #[must_use]
    pub fn is_over(&self, state: &State, view: usize) -> bool {
        let is_left = |replica: &Replica| {
            let can_return = self.has(Mutation::RestartForgetsViewChange);
            usize::from(if can_return { replica.view } else { replica.target }) > view
        };
        let is_passed = self.interleaving == Interleaving::ByView
            && state.replicas.iter().any(|replica| usize::from(replica.view) > view);
        is_passed || state.replicas.iter().all(is_left)
    }

    /// PBFT-NC-1 to PBFT-NC-4, PBFT-NC-11. A carried proposal is the only one at its height; elsewhere a correct primary proposes one
    /// block, and a faulty one what it likes, as long as it names the parent that this replica has.
    fn acceptable(&self, state: &State, replica: usize, actions: &mut Vec<Action>) {
        let own = &state.replicas[replica];
        let lowest = own.tip.height() + 1;
        for height in lowest..=self.heights.min(own.tip.height() + DEPTH) {
            let is_final = height <= own.plan.base.height() && !self.has(Mutation::BaseGuardRemoved);
            let accepted = own.accepted[height - 1];
            if is_final || (accepted.is_some() && !self.has(Mutation::VoteTwice)) {
                continue;
            }
            let Some(parent) = own.parent_at(height) else { continue };
            for block in self.proposals(state, replica, height, parent) {
                let is_linked = block.parent() == parent || self.has(Mutation::ParentUnchecked);
                if is_linked && block != accepted {
                    actions.push(Action::Accept { replica, block });
                }
            }
        }
    }

    /// The blocks that the primary of the replica's view has proposed to it, or may propose, at `height`.
    fn proposals(&self, state: &State, replica: usize, height: usize, parent: Block) -> Vec<Block> {
        let own = &state.replicas[replica];
        let view = usize::from(own.view);
        let carried = own.plan.carried[height - 1];
        if carried.is_some() {
            return vec![carried];
        }
        match self.correct_primary(view) {
            Some(primary) if primary == replica => vec![parent.child(own.view, 0)],
            Some(primary) => {
                let proposed = state.votes[view][primary].prepares[height - 1];
                if proposed.is_some() { vec![proposed] } else { Vec::new() }
            }
            None => {
                let mut parents = vec![parent];
                if self.has(Mutation::ParentUnchecked) && height > 1 {
                    parents.extend(state.votes[view].iter().map(|votes| votes.prepares[height - 2]));
                    parents.retain(|parent| parent.height() == height - 1);
                }
                parents.iter().flat_map(|parent| forgeable(state, *parent, own.view)).collect()
            }
        }
    }

    /// PBFT-NC-6, PBFT-NC-7: prepared, and the height below prepared in this view, or committed.
    fn preparable(&self, state: &State, replica: usize, actions: &mut Vec<Action>) {
        let own = &state.replicas[replica];
        for height in own.tip.height() + 1..=self.heights {
            let block = own.accepted[height - 1];
            if !block.is_some() || own.is_committing(height) {
                continue;
            }
            let is_gate_open = if height == own.tip.height() + 1 {
                block.parent() == own.tip
            } else if self.has(Mutation::GateAnyView) {
                own.prepared[height - 2].block == block.parent()
            } else {
                own.is_committing(height - 1) && own.accepted[height - 2] == block.parent()
            };
            let is_open =
                is_gate_open || self.has(Mutation::CommitVotesUngated) || self.has(Mutation::ParentUnchecked);
            if is_open && state.prepares(own.view, block) >= self.correct_votes_needed() {
                actions.push(Action::Prepare { replica, height });
            }
        }
    }

    /// PBFT-VC-4 and PBFT-VC-6, for the view that the replica asks for.
    fn enterable(&self, state: &State, replica: usize, actions: &mut Vec<Action>) {
        let own = &state.replicas[replica];
        let view = usize::from(own.target);
        if own.is_normal() || self.is_over(state, view) {
            return;
        }
        match self.correct_primary(view) {
            Some(primary) if primary == replica => {
                let plans = justified_plans(self, state, view, Some(replica));
                actions.extend(plans.into_iter().map(|plan| Action::StartView { replica, plan }));
            }
            Some(_) => {
                actions.extend(state.new_views[view].map(|plan| Action::EnterView { replica, plan }));
            }
            None => {
                let plans = justified_plans(self, state, view, None);
                actions.extend(plans.into_iter().map(|plan| Action::EnterView { replica, plan }));
            }
        }
    }

    fn accept(&self, state: &mut State, replica: usize, block: Block) {
        let own = &mut state.replicas[replica];
        let index = block.height() - 1;
        let votes = &mut state.votes[usize::from(own.view)][replica];
        let view = own.view;
        if votes.prepares[index].is_some() && votes.prepares[index] != block {
            let replica = replica as u8;
            state.strays.push(Stray::Prepare { view, replica, block: votes.prepares[index] });
            if votes.commits[index].is_some() {
                state.strays.push(Stray::Commit { view, replica, block: votes.commits[index] });
                votes.commits[index] = Block::GENESIS;
                own.committing &= !(1 << block.height());
            }
        }
        own.accepted[index] = block;
        votes.prepares[index] = block;
    }

    fn leave_view(&self, state: &mut State, replica: usize) {
        let own = &mut state.replicas[replica];
        own.target += 1;
        state.view_changes[usize::from(own.target)][replica] = Some(view_change_of(self, own));
        if !self.has(Mutation::RestartForgetsViewChange) {
            forget_view(own);
        }
    }

    /// PBFT-RC-2, PBFT-RC-3: everything but the certificates dropped as unlinked is as it was, because it was durable before
    /// it was said.
    fn restart(&self, state: &mut State, replica: usize) {
        let own = &mut state.replicas[replica];
        if self.has(Mutation::RestartForgetsPrepared) {
            own.logged = Default::default();
        }
        own.prepared = own.logged;
        own.keep_linked();
        if self.has(Mutation::RestartForgetsViewChange) {
            own.target = own.view;
        }
        if self.has(Mutation::RestartForgetsAccepted) {
            own.accepted = Default::default();
            own.committing = 0;
        }
    }

    /// Brings states that cannot be told apart from now on to one form.
    fn normalise(&self, state: &mut State) {
        let needed = self.correct_votes_needed();
        for view in 0..self.views {
            if self.is_over(state, view) {
                self.close(state, view, needed);
            }
        }
        for view in 1..self.views {
            let is_done =
                |replica: &Replica| usize::from(replica.view) >= view || usize::from(replica.target) > view;
            let is_started = self.correct_primary(view).is_some() && state.new_views[view].is_some();
            if is_started || state.replicas.iter().all(is_done) {
                state.view_changes[view] = Default::default();
            }
        }
        for replica in 0..CORRECT {
            if self.is_over(state, usize::from(state.replicas[replica].view))
                && !self.has(Mutation::RestartForgetsViewChange)
            {
                forget_view(&mut state.replicas[replica]);
            }
        }
        merge_certificates(state);
        state.strays.sort_unstable();
        state.strays.dedup();
        self.sort_replicas(state);
    }

    /// Keeps of a view in which nobody votes any more the certificates that its votes make.
    fn close(&self, state: &mut State, view: usize, needed: usize) {
        let mut prepared = std::mem::take(&mut state.prepared);
        state.prepared_in(view, needed, &mut prepared);
        state.prepared = prepared;
        let mut committed = std::mem::take(&mut state.committed);
        state.committed_in(view, needed, &mut committed);
        state.committed = committed;
        state.votes[view] = Default::default();
        state.view_changes[view] = Default::default();
        state.new_views[view] = None;
        state.strays.retain(|stray| {
            let (Stray::Prepare { view: at, .. } | Stray::Commit { view: at, .. }) = *stray;
            usize::from(at) != view
        });
    }

    /// Correct replicas that are no longer to be a primary differ in nothing but their number.
    fn sort_replicas(&self, state: &mut State) {
        if !state.strays.is_empty() {
            return;
        }
        let is_primary = |replica: usize| {
            let mut views = 0..self.views;
            views.any(|view| self.correct_primary(view) == Some(replica) && !self.is_over(state, view))
        };
        let alike: Vec<usize> = (0..CORRECT).filter(|replica| !is_primary(*replica)).collect();
        for last in (1..alike.len()).rev() {
            for pair in alike[..=last].windows(2) {
                if order_key(state, pair[1]) < order_key(state, pair[0]) {
                    swap(state, pair[0], pair[1]);
                }
            }
        }
    }
}

/// The blocks that a faulty primary of `view` can build on `parent`. The second is new only beside the first.
fn forgeable(state: &State, parent: Block, view: u8) -> Vec<Block> {
    let (first, second) = (parent.child(view, 0), parent.child(view, 1));
    if state.prepares(view, first) > 0 { vec![first, second] } else { vec![first] }
}

fn prepare(config: &Config, state: &mut State, replica: usize, height: usize) {
    let own = &mut state.replicas[replica];
    let block = own.accepted[height - 1];
    own.committing |= 1 << height;
    own.prepared[height - 1] = Prepared { view: own.view, block };
    own.logged[height - 1] = own.prepared[height - 1];
    if !config.has(Mutation::KeepUnlinked) {
        own.keep_linked();
    }
    state.votes[usize::from(own.view)][replica].commits[height - 1] = block;
}

fn adopt(config: &Config, own: &mut Replica, block: Block) {
    own.tip = block;
    if config.has(Mutation::KeepUnlinked) {
        own.prepared[..block.height()].fill(Prepared::default());
    } else {
        own.keep_linked();
    }
    for index in 0..block.height() {
        own.accepted[index] = Block::GENESIS;
        own.logged[index] = Prepared::default();
        own.committing &= !(1 << (index + 1));
    }
}

fn enter(own: &mut Replica, plan: Plan) {
    forget_view(own);
    own.view = own.target;
    own.plan = plan;
}

fn forget_view(own: &mut Replica) {
    own.plan = Plan::default();
    own.accepted = Default::default();
    own.committing = 0;
}

/// Of equal blocks the certificate that counts for most is kept: prepared in the highest view, committed in the lowest. A
/// prepared certificate at or below every base that can still be shown is never selected.
fn merge_certificates(state: &mut State) {
    let tips = state.replicas.iter().map(|replica| replica.tip.height());
    let shown = state.view_changes.iter().flatten().flatten().map(|shown| shown.base.height());
    let lowest = tips.chain(shown).min().unwrap_or(0);
    state.prepared.retain(|certificate| certificate.block.height() > lowest);
    state.prepared.sort_unstable_by_key(|certificate| (certificate.block, u8::MAX - certificate.view));
    state.prepared.dedup_by_key(|certificate| certificate.block);
    state.committed.sort_unstable_by_key(|certificate| (certificate.block, certificate.view));
    state.committed.dedup_by_key(|certificate| certificate.block);
}

type OrderKey = (Replica, [Votes; VIEWS_MAX], [Option<crate::selection::ViewChange>; VIEWS_MAX]);

fn order_key(state: &State, replica: usize) -> OrderKey {
    (
        state.replicas[replica],
        state.votes.map(|votes| votes[replica]),
        state.view_changes.map(|view_changes| view_changes[replica]),
    )
}

fn swap(state: &mut State, left: usize, right: usize) {
    state.replicas.swap(left, right);
    state.votes.iter_mut().for_each(|votes| votes.swap(left, right));
    state.view_changes.iter_mut().for_each(|view_changes| view_changes.swap(left, right));
}

const _: () = assert!(HEIGHTS_MAX < u8::BITS as usize, "a bit for each height");
