//! View-changes, and what they oblige a new view to begin with (rule PBFT-VC-5).

use std::collections::BTreeSet;

use crate::block::{Block, HEIGHTS_MAX};
use crate::config::{CORRECT, Config, FAULTS, Mutation};
use crate::state::{Heights, Prepared, State};

/// What a replica shows when it asks for a view (rule PBFT-VC-1).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ViewChange {
    /// The block of its last commit certificate.
    pub base: Block,
    /// Its prepared certificates right above the base, each built on the one below (rule PBFT-MB-4).
    pub prepared: [Prepared; HEIGHTS_MAX],
}

impl ViewChange {
    /// Rule PBFT-MB-4: the certificates are for the heights right after the base, each built on the one below. Others are
    /// refused before they count.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        let mut below = self.base;
        let mut has_ended = false;
        self.prepared.iter().skip(self.base.height()).all(|prepared| {
            if !prepared.block.is_some() {
                has_ended = true;
                return true;
            }
            let is_next = !has_ended && prepared.block.parent() == below;
            below = prepared.block;
            is_next
        })
    }
}

/// What a new view begins with.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Plan {
    /// The highest block that a view-change proves final.
    pub base: Block,
    /// What is proposed again above it.
    pub carried: Heights,
}

impl Plan {
    /// The selection rule: from the highest proven base up, at each height the certificate of the highest view whose
    /// parent is the block selected below; to the first height with none.
    #[must_use]
    pub fn select(config: &Config, view_changes: &[ViewChange]) -> Self {
        let base = view_changes
            .iter()
            .map(|view_change| view_change.base)
            .max_by_key(|base| base.height())
            .unwrap_or_default();
        let mut plan = Self { base, carried: Heights::default() };
        let mut below = base;
        for index in base.height()..config.heights {
            let candidates = view_changes
                .iter()
                .map(|view_change| view_change.prepared[index])
                .filter(|prepared| prepared.block.is_some())
                .filter(|prepared| {
                    config.has(Mutation::SelectIgnoresParents) || prepared.block.parent() == below
                });
            let best = if config.has(Mutation::SelectLowestView) {
                candidates.min_by_key(|prepared| prepared.view)
            } else {
                candidates.max_by_key(|prepared| prepared.view)
            };
            let Some(best) = best else { break };
            plan.carried[index] = best.block;
            below = best.block;
        }
        plan
    }

    /// Whether each carried block is built on the one below.
    #[must_use]
    pub fn is_chain(&self) -> bool {
        let mut below = self.base;
        self.carried.iter().skip(self.base.height()).take_while(|block| block.is_some()).all(|block| {
            let is_linked = block.parent() == below;
            below = *block;
            is_linked
        })
    }

    /// Whether the view cannot contradict that `block` is final: it is at or below the base, or carried.
    #[must_use]
    pub fn keeps(&self, block: Block) -> bool {
        self.base.extends(block)
            || (block.height() > self.base.height() && self.carried[block.height() - 1] == block)
    }
}

/// The view-change of a correct replica.
#[must_use]
pub fn view_change_of(config: &Config, replica: &crate::state::Replica) -> ViewChange {
    let mut prepared = replica.prepared;
    if config.has(Mutation::ViewChangeForgetsPrepared) {
        prepared = Default::default();
    }
    if config.has(Mutation::ViewChangeShowsOneHeight) {
        prepared
            .iter_mut()
            .skip(replica.tip.height() + 1)
            .for_each(|prepared| *prepared = Prepared::default());
    }
    ViewChange { base: replica.tip, prepared }
}

/// All that a faulty replica can truthfully show when it asks for `view`: any base with a commit certificate, and above it
/// any linked prepared certificates of lower views that exist.
#[must_use]
pub fn forgeable_view_changes(config: &Config, state: &State, view: usize) -> Vec<ViewChange> {
    let needed = config.correct_votes_needed();
    let mut certificates = state.prepared_certificates(needed);
    certificates.retain(|certificate| usize::from(certificate.view) < view);
    let mut bases = vec![Block::GENESIS];
    for certificate in state.commit_certificates(needed) {
        if !bases.contains(&certificate.block) {
            bases.push(certificate.block);
        }
    }
    let mut found = Vec::new();
    for base in bases {
        extend(ViewChange { base, prepared: Default::default() }, base, &certificates, &mut found);
    }
    found
}

fn extend(shown: ViewChange, below: Block, certificates: &[Prepared], found: &mut Vec<ViewChange>) {
    found.push(shown);
    for certificate in certificates {
        if certificate.block.parent() == below {
            let mut longer = shown;
            longer.prepared[certificate.block.height() - 1] = *certificate;
            extend(longer, certificate.block, certificates, found);
        }
    }
}

/// The plans that the primary of `view` can justify: a quorum of view-changes, the Byzantine one's among them or not. A
/// correct primary uses its own, `own`, and no more than a quorum; a faulty one picks as it likes.
#[must_use]
pub fn justified_plans(config: &Config, state: &State, view: usize, own: Option<usize>) -> BTreeSet<Plan> {
    let shown = &state.view_changes[view];
    let forged = forgeable_view_changes(config, state, view);
    let mut plans = BTreeSet::new();
    for subset in 1_usize..1 << CORRECT {
        let members: Vec<ViewChange> = (0..CORRECT)
            .filter(|replica| subset & 1 << replica != 0)
            .filter_map(|replica| shown[replica])
            .filter(ViewChange::is_linked)
            .collect();
        let is_whole = members.len() == subset.count_ones() as usize;
        if !is_whole || own.is_some_and(|own| subset & 1 << own == 0) {
            continue;
        }
        if members.len() >= config.quorum() {
            plans.insert(Plan::select(config, &members));
        }
        let is_quorum = members.len() + FAULTS >= config.quorum();
        let is_wanted = own.is_none() || members.len() + FAULTS == config.quorum();
        if is_quorum && is_wanted {
            for forged in &forged {
                let mut all = members.clone();
                all.push(*forged);
                plans.insert(Plan::select(config, &all));
            }
        }
    }
    if own.is_none() && config.has(Mutation::NewViewUnchecked) {
        plans.insert(Plan::default());
    }
    plans
}
