//! What must hold in every state, and what must be possible.

use stateright::Property;

use crate::config::{Config, Mutation};
use crate::selection::{Plan, ViewChange, view_change_of};
use crate::state::State;

/// No two commit certificates contradict each other: of any two, one block is built on the other. They need not be in
/// anybody's hands, it is enough that the votes for them exist.
pub const AGREEMENT: &str = "agreement at each height";
/// A view that somebody entered cannot contradict a block that was committed in a lower view.
pub const NOTHING_LOST: &str = "no committed block is lost by a view change";
/// No two prepared certificates for different blocks exist in one view at one height.
pub const PREPARED_ONCE: &str = "prepared once in each view at each height";
/// What a view carries over is a chain on its base, so that it can be executed.
pub const CARRIED_CHAIN: &str = "carried proposals are a chain";
/// From here correct replicas alone can go on: they exchange certificates, change views once more, and nothing stands
/// in the way of the blocks above.
pub const CAN_GO_ON: &str = "correct replicas can always go on";
/// All heights are committed at every correct replica.
pub const ALL_COMMITTED: &str = "all heights are committed";
/// The same, with a block of a later view than 0.
pub const COMMITTED_LATER: &str = "a view after the first commits";

/// All properties.
#[must_use]
pub fn all() -> Vec<Property<Config>> {
    vec![
        Property::always(AGREEMENT, agreement),
        Property::always(NOTHING_LOST, nothing_lost),
        Property::always(PREPARED_ONCE, prepared_once),
        Property::always(CARRIED_CHAIN, carried_chain),
        Property::always(CAN_GO_ON, can_go_on),
        Property::sometimes(ALL_COMMITTED, all_committed),
        Property::sometimes(COMMITTED_LATER, committed_later),
    ]
}

fn agreement(config: &Config, state: &State) -> bool {
    let certificates = state.commit_certificates(config.correct_votes_needed());
    certificates.iter().enumerate().all(|(index, left)| {
        certificates[..index]
            .iter()
            .all(|right| left.block.extends(right.block) || right.block.extends(left.block))
    })
}

fn nothing_lost(config: &Config, state: &State) -> bool {
    let certificates = state.commit_certificates(config.correct_votes_needed());
    plans(config, state).all(|(view, plan)| {
        let earlier = certificates.iter().filter(|certificate| usize::from(certificate.view) < view);
        earlier.into_iter().all(|certificate| plan.keeps(certificate.block))
    })
}

fn carried_chain(config: &Config, state: &State) -> bool {
    plans(config, state).all(|(_, plan)| plan.is_chain())
}

/// The plans of the views that replicas are in.
fn plans<'a>(config: &'a Config, state: &'a State) -> impl Iterator<Item = (usize, &'a Plan)> {
    state
        .replicas
        .iter()
        .map(|replica| (usize::from(replica.view), replica))
        .filter(|(view, replica)| replica.is_normal() && !config.is_over(state, *view))
        .map(|(view, replica)| (view, &replica.plan))
}

fn prepared_once(config: &Config, state: &State) -> bool {
    let mut certificates = Vec::new();
    for view in 0..config.views {
        state.prepared_in(view, config.correct_votes_needed(), &mut certificates);
    }
    certificates.iter().enumerate().all(|(index, left)| {
        certificates[..index].iter().all(|right| {
            left.view != right.view || left.block.height() != right.block.height() || left == right
        })
    })
}

fn can_go_on(config: &Config, state: &State) -> bool {
    let certificates = state.commit_certificates(config.correct_votes_needed());
    let mut replicas = state.replicas;
    for replica in &mut replicas {
        while let Some(next) = certificates
            .iter()
            .map(|certificate| certificate.block)
            .find(|block| block.height() == replica.tip.height() + 1 && block.parent() == replica.tip)
        {
            replica.tip = next;
        }
        if !config.has(Mutation::KeepUnlinked) {
            replica.keep_linked();
        }
    }
    let tip = replicas[0].tip;
    let shown = replicas.map(|replica| view_change_of(config, &replica));
    let plan = Plan::select(config, &shown);
    replicas.iter().all(|replica| replica.tip == tip)
        && shown.iter().all(ViewChange::is_linked)
        && plan.base == tip
        && plan.is_chain()
}

fn all_committed(config: &Config, state: &State) -> bool {
    state.replicas.iter().all(|replica| replica.tip.height() == config.heights)
}

fn committed_later(config: &Config, state: &State) -> bool {
    all_committed(config, state) && state.replicas.iter().all(|replica| replica.view > 0)
}
