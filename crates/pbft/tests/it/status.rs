//! Making up for what was lost: rules PBFT-RT-1 to PBFT-RT-7.

use amulet_pbft::message::{PayloadReply, PayloadRequest, Phase};
use amulet_pbft::{Effect, Input, Message, Rejection, TimerKind, Verdict};
use amulet_protocol::ids::{Height, ReplicaId};

use crate::bench::*;

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";

fn settled(n: usize) -> Bench {
    let mut backup = Bench::new(1, n);
    backup.take(synced(commit_certificate(0, 1, A, &[0, 2, 3])));
    backup
}

/// PBFT-RT-1: each heartbeat says where this replica is, and starts the next.
#[test]
pub fn a_heartbeat_tells_where_a_replica_is() {
    let mut backup = Bench::new(3, 4);
    assert_eq!(kinds(&backup.fire(TimerKind::Heartbeat)), ["broadcast status", "start Heartbeat"]);
    backup.wait();
    backup.fire(TimerKind::Progress);
    assert_eq!(
        kinds(&backup.fire(TimerKind::Heartbeat)),
        ["broadcast status", "broadcast view-change", "start Heartbeat"]
    );
}

/// PBFT-RT-2: who is behind is told so; who is ahead tells.
#[test]
pub fn answers_go_to_who_is_behind() {
    let mut backup = settled(4);
    assert_eq!(kinds(&backup.hear(status(2, 0, 0, Phase::AwaitingProposal))), ["send status to 2"]);
    assert_eq!(kinds(&backup.hear(status(2, 0, 2, Phase::AwaitingProposal))), Vec::<String>::new());
    assert_eq!(kinds(&backup.hear(status(2, 0, 3, Phase::AwaitingProposal))), ["catch up to 3 from 2"]);
}

/// PBFT-RT-2: a replica that missed the start of a view gets it, with its proof.
#[test]
pub fn a_missed_new_view_is_sent_again() {
    let mut backup = Bench::new(3, 4);
    let view_changes = [0, 1, 2].map(|from| view_change(from, 1, None, vec![])).to_vec();
    let start = new_view(1, view_changes, vec![], 4);
    backup.hear(start.clone());
    let effects = backup.hear(status(2, 0, 0, Phase::AwaitingProposal));
    assert_eq!(effects, [Effect::Send(ReplicaId(2), start)]);
    assert_eq!(kinds(&backup.hear(status(2, 1, 0, Phase::AwaitingProposal))), Vec::<String>::new());
}

/// PBFT-RT-2: votes are sent again as far as the other may lack them.
#[test]
pub fn lost_votes_are_sent_again() {
    let mut backup = Bench::new(1, 4);
    backup.prepare(0, 1, A, &[2]);
    let effects = backup.hear(status(2, 0, 0, Phase::Preparing));
    assert_eq!(kinds(&effects), Vec::<String>::new(), "they may be on their way still");
    backup.fire(TimerKind::Heartbeat);
    let expected: [(Phase, &[&str]); 3] = [
        (Phase::AwaitingProposal, &["send prepare to 2", "send commit to 2"]),
        (Phase::Preparing, &["send prepare to 2", "send commit to 2"]),
        (Phase::Committing, &["send commit to 2"]),
    ];
    for (phase, sent) in expected {
        assert_eq!(kinds(&backup.hear(status(2, 0, 0, phase))), sent);
    }
}

/// PBFT-RT-2: a checkpoint vote that was lost does not leave another's window behind.
#[test]
pub fn a_lost_checkpoint_vote_is_sent_again() {
    let mut backup = Bench::new(1, 4);
    for height in 1..=4_u64 {
        backup.take(synced(commit_certificate(0, height, &[height as u8], &[0, 2, 3])));
    }
    let effects = backup.hear(status(2, 0, 4, Phase::AwaitingProposal));
    assert_eq!(effects, [Effect::Send(ReplicaId(2), checkpoint(1, 4, &[4]))]);
}

/// PBFT-RT-3: one block behind is only the order of arrival, until a heartbeat has passed without progress.
#[test]
pub fn being_one_behind_for_long_starts_a_catch_up_from_each_in_turn() {
    let mut backup = settled(4);
    backup.hear(status(2, 0, 2, Phase::AwaitingProposal));
    backup.hear(status(3, 0, 2, Phase::AwaitingProposal));
    assert_eq!(kinds(&backup.fire(TimerKind::Heartbeat)), ["broadcast status", "start Heartbeat"]);
    let mut hints = Vec::new();
    for _ in 0..2 {
        let effects = backup.fire(TimerKind::Heartbeat);
        hints.extend(effects.iter().filter_map(|effect| match effect {
            Effect::CatchUp { to: Height(2), hint } => Some(hint.0),
            _ => None,
        }));
    }
    hints.sort_unstable();
    assert_eq!(hints, [2, 3]);
}

/// PBFT-RT-4: a block that peers proved replaces whatever was under way at its height.
#[test]
pub fn a_synced_block_settles_its_height() {
    let mut backup = Bench::new(1, 4);
    backup.hear(pre_prepare(0, 1, B, 4));
    backup.take(synced(commit_certificate(3, 1, A, &[0, 2, 3])));
    let late = Input::Validated {
        view: amulet_protocol::ids::View(0),
        height: Height(1),
        header_hash: proposal(0, 1, B).header_hash,
        verdict: Verdict::Invalid,
        ends_epoch: false,
    };
    assert!(matches!(backup.refusal(late), Rejection::NotAwaited { .. }));
    assert_eq!(backup.replica.tip().height, Height(1));
    let again = synced(commit_certificate(3, 1, A, &[0, 2, 3]));
    assert_eq!(backup.refusal(again), Rejection::Settled { height: Height(1), committed: Height(1) });
}

/// PBFT-RT-5 to PBFT-RT-7: a carried block that is not here is asked for, from another holder each time, and taken
/// from whoever has it.
#[test]
pub fn a_missing_carried_block_is_fetched() {
    let mut backup = Bench::new(3, 4);
    let shown = prepared_certificate(0, 1, A, &[1, 2], 4);
    let view_changes = vec![
        view_change(0, 1, None, vec![]),
        view_change(1, 1, None, vec![]),
        view_change(2, 1, None, vec![shown]),
    ];
    let effects = backup.hear(new_view(1, view_changes, vec![signed_pre_prepare(1, 1, A, 4)], 4));
    assert!(kinds(&effects).contains(&"send payload-request to 2".to_owned()), "{effects:?}");
    let asked: Vec<_> = (0..2)
        .map(|_| {
            kinds(&backup.fire(TimerKind::Heartbeat))
                .into_iter()
                .find(|kind| kind.contains("payload"))
                .unwrap()
        })
        .collect();
    assert_eq!(asked, ["send payload-request to 0", "send payload-request to 1"]);
    let reply = |block: &[u8]| {
        let content = PayloadReply { height: Height(1), payload_digest: payload(block).digest() };
        Message::PayloadReply(signed(0, content), payload(block))
    };
    assert_eq!(backup.refusal_of(reply(B)), Rejection::PayloadNotAwaited { digest: payload(B).digest() });
    assert_eq!(kinds(&backup.hear(reply(A))), ["validate 1 Carried"]);
}

/// PBFT-RT-6: who voted for a block keeps it beyond the view, for those who need it in the next.
#[test]
pub fn a_block_voted_for_is_given_to_who_asks() {
    let mut backup = Bench::new(2, 4);
    backup.prepare(0, 1, A, &[]);
    backup.fire(TimerKind::Progress);
    let request = |block: &[u8]| {
        let content = PayloadRequest { height: Height(1), payload_digest: payload(block).digest() };
        Message::PayloadRequest(signed(3, content))
    };
    assert_eq!(kinds(&backup.hear(request(A))), ["send payload-reply to 3"]);
    assert_eq!(backup.refusal_of(request(B)), Rejection::PayloadNotHeld { digest: payload(B).digest() });
}
