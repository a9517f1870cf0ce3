//! View changes as tables of steps: rules PBFT-VC-1 to PBFT-VC-7, PBFT-TM-2 to PBFT-TM-4.

use amulet_pbft::{Effect, Input, Message, Millis, Mode, Rejection, TimerKind, Verdict};
use amulet_protocol::ids::{Height, ReplicaId, View};

use crate::bench::*;

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";

fn find_new_view(effects: &[Effect]) -> &amulet_pbft::message::NewView {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Broadcast(Message::NewView(signed)) => Some(&signed.content),
            _ => None,
        })
        .expect("a new-view was sent")
}

/// PBFT-VC-1: the record is durable first; what was prepared is shown; the old view gets no vote any more.
#[test]
pub fn leaving_a_view_shows_what_was_prepared_and_ends_voting_in_it() {
    let mut backup = Bench::new(2, 4);
    backup.prepare(0, 1, A, &[1]);
    let effects = backup.fire(TimerKind::Progress);
    assert_eq!(kinds(&effects), ["persist ViewChange", "broadcast view-change"]);
    let Effect::Broadcast(Message::ViewChange(sent)) = &effects[1] else { panic!() };
    assert_eq!(sent.content.new_view, View(1));
    assert_eq!(sent.content.prepared, [prepared_certificate(0, 1, A, &[1, 2], 4)]);
    for late in [commit(0, 0, 1, A), prepare(3, 0, 1, A), pre_prepare(0, 1, B, 4)] {
        assert_eq!(backup.refusal_of(late), Rejection::StaleView { message: View(0), current: View(1) });
    }
}

/// PBFT-VC-3: one request to leave may be a liar's, f + 1 are not; the views passed over are not visited.
#[test]
pub fn f_plus_one_requests_are_joined() {
    let mut backup = Bench::new(3, 4);
    assert_eq!(
        kinds(&backup.hear(Message::ViewChange(view_change(0, 9, None, vec![])))),
        Vec::<String>::new()
    );
    assert_eq!(backup.replica.mode(), Mode::Normal);
    let effects = backup.hear(Message::ViewChange(view_change(1, 2, None, vec![])));
    assert_eq!(kinds(&effects), ["persist ViewChange", "broadcast view-change", "start NewView"]);
    assert_eq!(backup.replica.mode(), Mode::ViewChange { target: View(2) });
}

/// PBFT-VC-4, PBFT-VC-5: the block prepared in the highest view is carried over, whoever shows it and in what order.
#[test]
pub fn the_block_prepared_in_the_highest_view_is_carried() {
    for newest_first in [true, false] {
        let mut primary = Bench::new(3, 4);
        let mut shown = vec![
            vec![prepared_certificate(0, 1, A, &[1, 2], 4)],
            vec![prepared_certificate(1, 1, B, &[0, 2], 4)],
        ];
        if newest_first {
            shown.reverse();
        }
        let second = shown.pop().unwrap();
        primary.hear(Message::ViewChange(view_change(0, 3, None, shown.pop().unwrap())));
        let effects = primary.hear(Message::ViewChange(view_change(1, 3, None, second)));
        let new_view = find_new_view(&effects);
        let proposals: Vec<_> = new_view.pre_prepares.iter().map(|sent| sent.content.proposal).collect();
        assert_eq!(proposals, [proposal(3, 1, B)]);
        assert_eq!(primary.replica.view(), View(3));
        let kinds = kinds(&effects);
        let persisted = kinds.iter().position(|kind| kind == "persist NewView").unwrap();
        let sent = kinds.iter().position(|kind| kind == "broadcast new-view").unwrap();
        assert!(persisted < sent);
    }
}

/// PBFT-VC-5: what somebody proved final is not carried again, and the view starts above it.
#[test]
pub fn a_proven_base_ends_older_certificates() {
    let mut primary = Bench::new(1, 4);
    let proof = commit_certificate(0, 1, A, &[0, 2, 3]);
    primary.hear(Message::ViewChange(view_change(
        0,
        1,
        None,
        vec![prepared_certificate(0, 1, A, &[2, 3], 4)],
    )));
    let effects = primary.hear(Message::ViewChange(view_change(2, 1, Some(proof), vec![])));
    assert_eq!(find_new_view(&effects).pre_prepares, []);
    assert!(kinds(&effects).contains(&"catch up to 1 from 2".to_owned()));
}

/// PBFT-VC-6: a backup computes the proposals itself. A primary that forgets or invents one is refused.
#[test]
pub fn a_new_view_that_bends_its_certificate_is_refused() {
    let certificate = || {
        vec![
            view_change(0, 1, None, vec![prepared_certificate(0, 1, A, &[2, 3], 4)]),
            view_change(1, 1, None, vec![]),
            view_change(2, 1, None, vec![]),
        ]
    };
    let mut backup = Bench::new(3, 4);
    for wrong in [vec![], vec![signed_pre_prepare(1, 1, B, 4)]] {
        assert_eq!(
            backup.refusal_of(new_view(1, certificate(), wrong, 4)),
            Rejection::NewViewMismatch { view: View(1) }
        );
        assert_eq!(backup.replica.view(), View(0));
    }
    let effects = backup.hear(new_view(1, certificate(), vec![signed_pre_prepare(1, 1, A, 4)], 4));
    // It has no copy of the block, and asks the replica that showed the certificate.
    assert_eq!(kinds(&effects), ["persist NewView", "send payload-request to 0", "start Progress"]);
    assert_eq!(backup.replica.view(), View(1));
}

/// PBFT-VC-6: an earlier view than the one asked for is not entered, however well it is justified.
#[test]
pub fn a_stale_new_view_is_refused() {
    let justified = |view| {
        let view_changes = [0, 1, 2].map(|from| view_change(from, view, None, vec![])).to_vec();
        new_view(view, view_changes, vec![], 4)
    };
    let mut backup = Bench::new(3, 4);
    backup.hear(Message::ViewChange(view_change(0, 2, None, vec![])));
    backup.hear(Message::ViewChange(view_change(1, 2, None, vec![])));
    assert_eq!(backup.refusal_of(justified(1)), Rejection::StaleView { message: View(1), current: View(2) });
    backup.hear(justified(2));
    assert_eq!(backup.refusal_of(justified(2)), Rejection::Duplicate { sender: ReplicaId(2) });
    assert_eq!(backup.refusal_of(justified(1)), Rejection::StaleView { message: View(1), current: View(2) });
}

/// PBFT-VC-7: up to the base of the view nothing is ordered, though this replica has not got there yet.
#[test]
pub fn nothing_is_ordered_up_to_the_base() {
    let mut backup = Bench::new(3, 4);
    let proof = commit_certificate(0, 1, A, &[0, 1, 2]);
    let view_changes = vec![
        view_change(0, 1, Some(proof.clone()), vec![]),
        view_change(1, 1, None, vec![]),
        view_change(2, 1, None, vec![]),
    ];
    let effects = backup.hear(new_view(1, view_changes, vec![], 4));
    assert_eq!(kinds(&effects), ["persist NewView", "catch up to 1 from 0"]);
    assert_eq!(
        backup.refusal_of(pre_prepare(1, 1, B, 4)),
        Rejection::Settled { height: Height(1), committed: Height(1) }
    );
    backup.take(Input::Synced { certificate: proof, ends_epoch: false });
    assert_eq!(kinds(&backup.hear(pre_prepare(1, 2, B, 4))), ["validate 2 New", "start Progress"]);
}

/// PBFT-VC-7: the carried block comes first. It is judged by the chain alone, and another one in its place is proof of
/// a lie.
#[test]
pub fn the_carried_block_comes_first() {
    let mut backup = Bench::new(2, 4);
    backup.prepare(0, 1, A, &[1]);
    backup.fire(TimerKind::Progress);
    let view_changes = vec![
        view_change(0, 1, None, vec![]),
        view_change(1, 1, None, vec![]),
        view_change(2, 1, None, vec![prepared_certificate(0, 1, A, &[1, 2], 4)]),
    ];
    let effects = backup.hear(new_view(1, view_changes, vec![signed_pre_prepare(1, 1, A, 4)], 4));
    assert_eq!(kinds(&effects), ["persist NewView", "validate 1 Carried", "start Progress"]);
    let step = backup.step(Input::Message(verified(pre_prepare(1, 1, B, 4), 4)));
    assert_eq!(kinds(&step.effects), ["report 1"]);
    backup.validated(proposal(1, 1, A), Verdict::Valid);
    let effects = backup.hear(prepare(3, 1, 1, A));
    assert_eq!(kinds(&effects), ["persist Prepared(Height(1))", "broadcast commit"]);
}

/// PBFT-TM-3: running ahead of the others would leave this replica alone, so the wait starts with a quorum.
#[test]
pub fn the_wait_for_a_new_view_starts_with_a_quorum() {
    let mut backup = Bench::new(3, 4);
    backup.wait();
    assert_eq!(kinds(&backup.fire(TimerKind::Progress)), ["persist ViewChange", "broadcast view-change"]);
    assert_eq!(
        kinds(&backup.hear(Message::ViewChange(view_change(0, 1, None, vec![])))),
        Vec::<String>::new()
    );
    let effects = backup.hear(Message::ViewChange(view_change(2, 1, None, vec![])));
    assert_eq!(kinds(&effects), ["start NewView"]);
    // The new primary stays silent: on to the next.
    assert_eq!(kinds(&backup.fire(TimerKind::NewView)), ["persist ViewChange", "broadcast view-change"]);
    assert_eq!(backup.replica.mode(), Mode::ViewChange { target: View(2) });
}

/// PBFT-TM-2, PBFT-TM-4: each view without a commit doubles the wait, up to the maximum; a commit resets it.
#[test]
pub fn waits_double_up_to_the_maximum_and_a_commit_resets_them() {
    let mut backup = Bench::new(3, 4);
    backup.wait();
    let mut waits = vec![backup.running_for(TimerKind::Progress)];
    for view in [1, 2, 5, 6] {
        backup.fire(TimerKind::Progress);
        let view_changes = [0, 1, 2].map(|from| view_change(from, view, None, vec![])).to_vec();
        backup.hear(new_view(view, view_changes, vec![], 4));
        waits.push(backup.running_for(TimerKind::Progress));
    }
    assert_eq!(waits, [1_000, 1_000, 2_000, 4_000, 5_000].map(Millis));
    backup.prepare(6, 1, A, &[0]);
    backup.hear(commit(0, 6, 1, A));
    backup.hear(commit(2, 6, 1, A));
    assert_eq!(backup.running_for(TimerKind::Progress), Millis(1_000));
}

/// PBFT-TM-5: a replica that hears too few others waits for them, and does not park itself in a view of its own.
#[test]
pub fn a_replica_that_is_cut_off_stays_in_its_view() {
    let mut backup = Bench::new(3, 4);
    backup.wait();
    backup.hear(status(0, 0, 0, amulet_pbft::message::Phase::AwaitingProposal));
    assert_eq!(kinds(&backup.fire_unheard(TimerKind::Progress)), ["start Progress"]);
    assert_eq!(backup.replica.mode(), Mode::Normal);
    for other in [0, 1] {
        backup.hear(status(other, 0, 0, amulet_pbft::message::Phase::AwaitingProposal));
    }
    assert_eq!(
        kinds(&backup.fire_unheard(TimerKind::Progress)),
        ["persist ViewChange", "broadcast view-change"]
    );
}

/// PBFT-VC-2: the newest request of each replica counts, and of what is past none.
#[test]
pub fn old_requests_to_leave_are_refused() {
    let mut backup = Bench::new(3, 4);
    backup.hear(Message::ViewChange(view_change(0, 3, None, vec![])));
    assert_eq!(
        backup.refusal_of(Message::ViewChange(view_change(0, 2, None, vec![]))),
        Rejection::StaleView { message: View(2), current: View(3) }
    );
    assert_eq!(
        backup.refusal_of(Message::ViewChange(view_change(0, 3, None, vec![]))),
        Rejection::Duplicate { sender: ReplicaId(0) }
    );
    assert_eq!(
        backup.refusal_of(Message::ViewChange(view_change(1, 0, None, vec![]))),
        Rejection::StaleView { message: View(0), current: View(0) }
    );
}
