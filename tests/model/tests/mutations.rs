//! The model can fail: each deliberate fault is found, within the bounds named here, as a violation of the property named
//! here.

#![allow(clippy::unwrap_used)]

use amulet_model::properties::{AGREEMENT, CAN_GO_ON, NOTHING_LOST, PREPARED_ONCE};
use amulet_model::{Action, Block, Config, Interleaving, Mutation, NotPossible, Plan, REPLICAS, check, walk};

/// Fault, views, heights, Byzantine replica, property.
const FOUND: [(Mutation, usize, usize, u8, &str); 14] = [
    (Mutation::QuorumOfTwo, 1, 1, 0, AGREEMENT),
    (Mutation::VoteTwice, 1, 1, 0, PREPARED_ONCE),
    (Mutation::RestartForgetsAccepted, 1, 1, 0, PREPARED_ONCE),
    (Mutation::ParentUnchecked, 1, 2, 0, AGREEMENT),
    (Mutation::ViewChangeForgetsPrepared, 2, 1, 0, NOTHING_LOST),
    (Mutation::RestartForgetsPrepared, 2, 1, 0, NOTHING_LOST),
    (Mutation::RestartForgetsViewChange, 2, 1, 0, NOTHING_LOST),
    (Mutation::NewViewUnchecked, 2, 1, 1, NOTHING_LOST),
    (Mutation::BaseGuardRemoved, 2, 1, 0, AGREEMENT),
    (Mutation::CommitVotesUngated, 2, 2, 0, NOTHING_LOST),
    (Mutation::ViewChangeShowsOneHeight, 2, 2, 0, NOTHING_LOST),
    (Mutation::SelectIgnoresParents, 2, 2, 0, CAN_GO_ON),
    (Mutation::KeepUnlinked, 2, 2, 0, CAN_GO_ON),
    (Mutation::SelectLowestView, 3, 1, 0, NOTHING_LOST),
];

#[test]
fn every_fault_is_found() {
    for (mutation, views, heights, byzantine, property) in FOUND {
        let config = Config::new(views, heights, byzantine, Interleaving::ByView).with(mutation);
        let report = check(config);
        assert!(report.violates(property), "{mutation:?} with {views} views, {heights} heights: {report}");
    }
}

#[test]
fn no_fault_shows_within_narrower_bounds() {
    for (mutation, views, heights, _, _) in FOUND {
        let narrower = [(views - 1, heights), (views, heights - 1)];
        for (views, heights) in narrower.into_iter().filter(|(views, heights)| *views > 0 && *heights > 0) {
            for byzantine in 0..REPLICAS {
                let report =
                    check(Config::new(views, heights, byzantine, Interleaving::ByView).with(mutation));
                assert!(
                    report.violations.is_empty(),
                    "{mutation:?} with {views} views, {heights} heights: {report}"
                );
            }
        }
    }
}

#[test]
fn every_fault_has_a_test() {
    let with_a_walk = Mutation::GateAnyView;
    for mutation in Mutation::ALL {
        let is_found = FOUND.iter().any(|(found, ..)| *found == mutation);
        assert!(is_found || mutation == with_a_walk, "{mutation:?}");
    }
}

/// Why the commit vote for h + 1 waits for h to be prepared *in this view*. Replica 2 prepared X at height 1 in view 0, and
/// replica 0 prepared Y there in view 1. View 2 carries X; replica 2 votes to commit the block above X on the strength
/// of its old certificate. In view 3 the certificate for Y is of a higher view than that for X, and the committed block
/// above X is lost.
#[test]
fn a_certificate_of_an_earlier_view_does_not_open_the_gate() {
    let x = Block::GENESIS.child(0, 0);
    let y = Block::GENESIS.child(1, 0);
    let above = x.child(2, 0);
    let fresh = Plan::default();
    let carries = |block: Block| {
        let mut plan = Plan::default();
        plan.carried[0] = block;
        plan
    };
    let accept = |replica, block| Action::Accept { replica, block };
    let prepare = |replica, height| Action::Prepare { replica, height };
    let leave = |replica| Action::LeaveView { replica };
    let actions = [
        // View 0, whose primary is faulty: X is prepared at replica 2.
        accept(1, x),
        accept(2, x),
        prepare(2, 1),
        leave(0),
        leave(1),
        leave(2),
        // View 1, started without replica 2's view-change: Y is prepared at replica 0.
        Action::StartView { replica: 0, plan: fresh },
        Action::EnterView { replica: 1, plan: fresh },
        accept(0, y),
        accept(1, y),
        prepare(0, 1),
        leave(0),
        leave(1),
        leave(2),
        // View 2, started without replica 0's: X is carried.
        Action::StartView { replica: 1, plan: carries(x) },
        Action::EnterView { replica: 2, plan: carries(x) },
        accept(1, x),
        accept(2, x),
        accept(1, above),
        accept(2, above),
        prepare(1, 1),
        prepare(1, 2),
        // Replica 2 has not heard that X is prepared again.
        prepare(2, 2),
        leave(0),
        leave(2),
        // View 3, started without replica 1's.
        Action::StartView { replica: 2, plan: carries(y) },
    ];
    let config = Config::new(4, 2, 0, Interleaving::ByView);
    let without_gate = walk(&config.clone().with(Mutation::GateAnyView), &actions);
    assert!(without_gate.unwrap().contains(&NOTHING_LOST));
    let action = prepare(2, 2);
    assert_eq!(walk(&config, &actions), Err(NotPossible { index: 22, action }), "the gate is shut");
    assert!(walk(&config, &actions[..22]).unwrap().is_empty());
}
