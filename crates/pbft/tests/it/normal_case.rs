//! The normal case as a table of steps: rules PBFT-NC-1 to PBFT-NC-10, PBFT-CP-1 to PBFT-CP-3, PBFT-EV-1.

use amulet_pbft::{
    Effect, Input, Mode, ProposedBlock, Rejection, Replica, Requests, TimerKind, Tip, Verdict,
};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};

use crate::bench::*;
use crate::support::{FakeSigner, config, genesis_hash, header_hash, is_proof};

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";

fn block(view: u64, height: u64, bytes: &[u8]) -> Input {
    Input::Proposal(ProposedBlock {
        view: View(view),
        height: Height(height),
        parent: proposal(view, height, bytes).parent,
        header_hash: header_hash(bytes),
        payload: payload(bytes),
        ends_epoch: false,
    })
}

/// PBFT-NC-1, PBFT-NC-2: asked once, on disk before it leaves, and only one block.
#[test]
pub fn a_primary_proposes_one_block_and_has_it_on_disk_first() {
    let mut primary = Bench::new(0, 4);
    let effects = primary.wait();
    assert_eq!(kinds(&effects), ["propose 1", "start Progress"]);
    assert!(matches!(&effects[0], Effect::Propose { parent, .. } if *parent == genesis_hash()));
    assert_eq!(kinds(&primary.wait()), Vec::<String>::new());
    let effects = primary.take(block(0, 1, A));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast pre-prepare"]);
    let refusal = primary.refusal(block(0, 1, B));
    assert_eq!(
        refusal,
        Rejection::NotAwaited { view: View(0), height: Height(1), header_hash: header_hash(B) }
    );
}

/// PBFT-NC-1, PBFT-NC-2: while the driver builds on a block in flight, another becomes final in its place. The block is void,
/// and the driver is asked again.
#[test]
fn a_block_built_on_what_is_no_longer_below_is_void() {
    let asked = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Propose { height, parent, .. } => Some((*height, *parent)),
            _ => None,
        })
    };
    let two_at_once = config(0, 4, TIMEOUTS).with_depth(2).unwrap();
    let signer = Box::new(FakeSigner(ReplicaId(0), Epoch(0)));
    let (replica, _) = Replica::new(two_at_once, signer, Tip::genesis(genesis_hash())).unwrap();
    let mut primary = Bench { replica, n: 4, timers: Vec::new() };
    primary.wait();
    assert_eq!(asked(&primary.take(block(0, 1, A))), Some((Height(2), header_hash(A))));
    let adopted = synced(commit_certificate(1, 1, B, &[1, 2, 3]));
    assert_eq!(asked(&primary.take(adopted)), Some((Height(2), header_hash(B))));
    let on_a = block(0, 2, b"built on a");
    assert_eq!(
        primary.refusal(on_a),
        Rejection::NotAwaited { view: View(0), height: Height(2), header_hash: header_hash(b"built on a") }
    );
}

/// PBFT-NC-1: what a driver has nothing for is asked again when something comes.
#[test]
pub fn a_primary_with_nothing_to_propose_is_asked_again() {
    let mut primary = Bench::new(0, 4);
    primary.wait();
    assert_eq!(kinds(&primary.take(Input::Requests(Requests::Empty))), ["stop Progress"]);
    assert!(matches!(primary.refusal(block(0, 1, A)), Rejection::NotAwaited { .. }));
    assert_eq!(kinds(&primary.wait()), ["propose 1", "start Progress"]);
}

/// PBFT-NC-3, 4, 6, 7, 8, 9: the whole way of a block on a backup, each vote after its record.
#[test]
pub fn a_backup_validates_prepares_and_commits_in_this_order() {
    let mut backup = Bench::new(1, 4);
    assert_eq!(kinds(&backup.hear(pre_prepare(0, 1, A, 4))), ["validate 1 New", "start Progress"]);
    let effects = backup.validated(proposal(0, 1, A), Verdict::Valid);
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast prepare"]);
    let effects = backup.hear(prepare(2, 0, 1, A));
    assert_eq!(kinds(&effects), ["persist Prepared(Height(1))", "broadcast commit"]);
    assert_eq!(kinds(&backup.hear(commit(0, 0, 1, A))), Vec::<String>::new());
    let effects = backup.hear(commit(3, 0, 1, A));
    assert_eq!(kinds(&effects), ["commit 1", "stop Progress"]);
    let Effect::Commit { certificate, payload: committed } = &effects[0] else { panic!() };
    assert_eq!(*certificate, commit_certificate(0, 1, A, &[0, 1, 3]));
    assert_eq!(*committed, payload(A));
    assert_eq!(backup.replica.tip().height, Height(1));
}

/// PBFT-NC-6, PBFT-NC-8: votes that overtake the proposal count, but nothing is voted for before it was executed.
#[test]
pub fn votes_that_overtake_the_proposal_count() {
    let mut backup = Bench::new(1, 4);
    for from in [2, 3] {
        backup.hear(prepare(from, 0, 1, A));
        backup.hear(commit(from, 0, 1, A));
    }
    assert_eq!(kinds(&backup.hear(pre_prepare(0, 1, A, 4))), ["validate 1 New", "start Progress"]);
    let effects = backup.validated(proposal(0, 1, A), Verdict::Valid);
    assert_eq!(
        kinds(&effects),
        [
            "persist Accepted(Height(1))",
            "broadcast prepare",
            "persist Prepared(Height(1))",
            "broadcast commit",
            "commit 1",
            "stop Progress"
        ]
    );
}

/// PBFT-NC-6, PBFT-NC-8: at n = 6 a quorum is 4, not 2f + 1 = 3.
#[test]
pub fn a_quorum_of_six_is_four() {
    let mut backup = Bench::new(1, 6);
    assert_eq!(kinds(&backup.prepare(0, 1, A, &[2])), ["persist Accepted(Height(1))", "broadcast prepare"]);
    assert_eq!(kinds(&backup.hear(prepare(3, 0, 1, A))), ["persist Prepared(Height(1))", "broadcast commit"]);
    backup.hear(commit(2, 0, 1, A));
    assert_eq!(kinds(&backup.hear(commit(3, 0, 1, A))), Vec::<String>::new());
    assert_eq!(kinds(&backup.hear(commit(4, 0, 1, A))), ["commit 1", "stop Progress"]);
}

/// PBFT-NC-6: votes for another block, and the primary's own, make no quorum.
#[test]
pub fn only_matching_votes_of_backups_count() {
    let mut backup = Bench::new(1, 4);
    backup.prepare(0, 1, A, &[]);
    assert_eq!(kinds(&backup.hear(prepare(2, 0, 1, B))), Vec::<String>::new());
    assert_eq!(
        backup.refusal_of(prepare(0, 0, 1, A)),
        Rejection::PrimaryDoesNotPrepare { primary: ReplicaId(0) }
    );
    assert_eq!(kinds(&backup.hear(prepare(3, 0, 1, A))), ["persist Prepared(Height(1))", "broadcast commit"]);
    // Two votes for B and one's own for A.
    backup.hear(commit(2, 0, 1, B));
    assert_eq!(kinds(&backup.hear(commit(3, 0, 1, B))), Vec::<String>::new());
}

/// PBFT-NC-3: who is not the primary proposes nothing.
#[test]
pub fn only_the_primary_proposes() {
    let mut backup = Bench::new(1, 4);
    let foreign = signed(2, amulet_pbft::message::PrePrepare { proposal: proposal(0, 1, A) });
    assert_eq!(
        backup.refusal_of(amulet_pbft::Message::PrePrepare(foreign, payload(A))),
        Rejection::NotPrimary { sender: ReplicaId(2), primary: ReplicaId(0), view: View(0) }
    );
}

/// PBFT-NC-5: a block that execution refuses is not voted for, and ends the view.
#[test]
pub fn a_wrong_block_ends_the_view() {
    let mut backup = Bench::new(1, 4);
    backup.hear(pre_prepare(0, 1, A, 4));
    let effects = backup.validated(proposal(0, 1, A), Verdict::Invalid);
    assert_eq!(kinds(&effects), ["persist ViewChange", "broadcast view-change", "stop Progress"]);
    assert_eq!(backup.replica.mode(), Mode::ViewChange { target: View(1) });
}

/// PBFT-NC-3: an answer about another block than the one asked about is void.
#[test]
pub fn a_verdict_about_another_block_is_void() {
    let mut backup = Bench::new(1, 4);
    backup.hear(pre_prepare(0, 1, A, 4));
    let void = Input::Validated {
        view: View(0),
        height: Height(1),
        header_hash: header_hash(B),
        verdict: Verdict::Valid,
        ends_epoch: false,
    };
    assert_eq!(
        backup.refusal(void),
        Rejection::NotAwaited { view: View(0), height: Height(1), header_hash: header_hash(B) }
    );
}

/// PBFT-NC-10: behind is refused, ahead is kept and counts when its time comes, beyond the window is refused.
#[test]
pub fn messages_count_at_their_height() {
    let mut backup = Bench::new(1, 4);
    backup.hear(pre_prepare(0, 2, B, 4));
    backup.hear(prepare(2, 0, 2, B));
    backup.prepare(0, 1, A, &[2]);
    backup.hear(commit(0, 0, 1, A));
    let effects = backup.hear(commit(2, 0, 1, A));
    assert_eq!(kinds(&effects), ["commit 1", "stop Progress", "validate 2 New", "start Progress"]);
    let effects = backup.validated(proposal(0, 2, B), Verdict::Valid);
    assert!(kinds(&effects).contains(&"broadcast commit".to_owned()), "the kept vote counted: {effects:?}");
    assert_eq!(
        backup.refusal_of(commit(3, 0, 1, A)),
        Rejection::Settled { height: Height(1), committed: Height(1) }
    );
    assert_eq!(
        backup.refusal_of(commit(3, 0, 17, A)),
        Rejection::OutsideWaterMarks { height: Height(17), low: Height(0), high: Height(16) }
    );
}

/// PBFT-EV-1: each kind of contradiction is proven once.
#[test]
pub fn contradictions_are_reported_once_with_proof() {
    let keys = crate::support::keys(4);
    let pairs = [
        (pre_prepare(0, 1, A, 4), pre_prepare(0, 1, B, 4), 0),
        (prepare(2, 0, 1, A), prepare(2, 0, 1, B), 2),
        (commit(3, 0, 1, A), commit(3, 0, 1, B), 3),
        (checkpoint(2, 4, A), checkpoint(2, 4, B), 2),
    ];
    for (first, second, offender) in pairs {
        let mut backup = Bench::new(1, 4);
        backup.hear(first.clone());
        assert_eq!(
            backup.refusal_of(first),
            Rejection::Duplicate { sender: ReplicaId(offender) },
            "saying it twice is no contradiction"
        );
        let step = backup.step(Input::Message(verified(second.clone(), 4)));
        let Some(Effect::Report(evidence)) = step.effects.first() else { panic!("no report: {step:?}") };
        assert_eq!(evidence.offender(), ReplicaId(offender));
        assert!(is_proof(evidence, &keys));
        let step = backup.step(Input::Message(verified(second, 4)));
        assert_eq!(kinds(&step.effects), Vec::<String>::new(), "reported once");
    }
}

/// PBFT-EV-1: two honest votes in different views are no proof.
#[test]
pub fn votes_in_different_views_are_no_evidence() {
    let keys = crate::support::keys(4);
    let commits = |view| signed(3, vote(view, 1, A));
    assert!(!is_proof(&amulet_pbft::Evidence::Commits(commits(0), commits(1)), &keys));
    let mut forged = signed(3, vote(0, 1, B));
    forged.sender = ReplicaId(2);
    assert!(!is_proof(&amulet_pbft::Evidence::Commits(signed(2, vote(0, 1, A)), forged), &keys));
}

/// PBFT-CP-1 to PBFT-CP-3: a vote after each fourth block, stable with a quorum, and the window moves.
#[test]
pub fn checkpoints_move_the_window() {
    let mut backup = Bench::new(1, 4);
    for height in 1..=4_u64 {
        let bytes = [height as u8];
        let certificate = commit_certificate(0, height, &bytes, &[0, 2, 3]);
        let effects = backup.take(Input::Synced { certificate, ends_epoch: false });
        let expected: &[&str] =
            if height == 4 { &["persist Checkpoint", "broadcast checkpoint"] } else { &[] };
        assert_eq!(kinds(&effects), expected, "height {height}");
    }
    assert_eq!(backup.refusal_of(checkpoint(2, 5, &[4])), Rejection::NoCheckpoint { height: Height(5) });
    backup.hear(checkpoint(2, 4, &[4]));
    assert_eq!(kinds(&backup.hear(checkpoint(3, 4, &[4]))), ["persist Stable", "stable 4"]);
    assert_eq!(
        backup.refusal_of(checkpoint(0, 4, &[4])),
        Rejection::OutsideWaterMarks { height: Height(4), low: Height(4), high: Height(20) }
    );
}

/// PBFT-NC-1: at the high water mark the primary waits for a checkpoint instead of running ahead of the others.
#[test]
pub fn a_primary_stops_at_the_high_water_mark() {
    let mut primary = Bench::new(0, 4);
    for height in 1..=16_u64 {
        primary.take(synced(commit_certificate(0, height, &[height as u8], &[1, 2, 3])));
    }
    assert_eq!(kinds(&primary.wait()), ["start Progress"]);
    primary.hear(checkpoint(1, 16, &[16]));
    assert!(kinds(&primary.hear(checkpoint(2, 16, &[16]))).contains(&"propose 17".to_owned()));
}

/// PBFT-CP-4: a replica that was away for longer than the window takes part again where the others are.
#[test]
pub fn blocks_adopted_beyond_the_window_move_it() {
    let mut backup = Bench::new(1, 4);
    for height in 1..=30_u64 {
        backup.take(synced(commit_certificate(0, height, &[height as u8], &[0, 2, 3])));
    }
    assert_eq!(kinds(&backup.hear(pre_prepare(0, 31, A, 4))), ["validate 31 New", "start Progress"]);
    backup.hear(checkpoint(2, 32, A));
    backup.hear(checkpoint(3, 32, A));
    assert!(kinds(&backup.hear(checkpoint(0, 32, A))).contains(&"stable 32".to_owned()));
    let tip = amulet_pbft::Tip {
        height: Height(30),
        header_hash: header_hash(&[30]),
        certificate: Some(commit_certificate(0, 30, &[30], &[0, 2, 3])),
    };
    let (mut restarted, _) = Bench::recovered(1, 4, tip, vec![]);
    assert_eq!(kinds(&restarted.hear(pre_prepare(0, 31, A, 4))), ["validate 31 New", "start Progress"]);
}

/// PBFT-TM-1: a firing that was on its way when the timer was stopped means nothing.
#[test]
pub fn a_late_firing_is_ignored() {
    let mut backup = Bench::new(1, 4);
    backup.wait();
    let (timer, _) = *backup.timers.iter().find(|(timer, _)| timer.kind == TimerKind::Progress).unwrap();
    backup.take(Input::Requests(Requests::Empty));
    assert_eq!(backup.refusal(Input::TimerFired(timer)), Rejection::StaleTimer(timer));
    assert_eq!(backup.replica.mode(), Mode::Normal);
}
