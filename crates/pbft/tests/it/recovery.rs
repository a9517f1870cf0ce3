//! Starting again: rules PBFT-RC-1 to PBFT-RC-6.

use amulet_pbft::{
    Effect, Input, LogEntry, LogRecord, Mode, RecoverError, Rejection, Replica, Requests, TimerKind, Tip,
    Verdict, is_lost,
};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};

use crate::bench::*;
use crate::support::{FakeSigner, config, genesis_hash, header_hash};

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";

fn records(effects: &[Effect]) -> Vec<LogRecord> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Persist(record) => Some(record.clone()),
            _ => None,
        })
        .collect()
}

fn genesis() -> Tip {
    Tip::genesis(genesis_hash())
}

/// PBFT-RC-3: what a backup voted for is what it votes for again, and nothing else in this view.
#[test]
pub fn a_backup_votes_again_for_the_same_block_only() {
    let mut before = Bench::new(1, 4);
    let log = records(&before.prepare(0, 1, A, &[]));
    let (mut after, effects) = Bench::recovered(1, 4, genesis(), log);
    assert_eq!(kinds(&effects), ["validate 1 New", "broadcast status", "start Heartbeat", "start Progress"]);
    assert_eq!(after.refusal_of(pre_prepare(0, 1, B, 4)), Rejection::Equivocation { offender: ReplicaId(0) });
    let effects = after.validated(proposal(0, 1, A), Verdict::Valid);
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast prepare"]);
}

/// PBFT-RC-3: a primary does not propose a second block at a height where it proposed one.
#[test]
pub fn a_primary_does_not_propose_twice() {
    let mut before = Bench::new(0, 4);
    before.wait();
    let block = amulet_pbft::ProposedBlock {
        view: View(0),
        height: Height(1),
        parent: proposal(0, 1, A).parent,
        header_hash: header_hash(A),
        payload: payload(A),
        ends_epoch: false,
    };
    let log = records(&before.take(Input::Proposal(block)));
    let (mut after, _) = Bench::recovered(0, 4, genesis(), log);
    assert_eq!(kinds(&after.take(Input::Requests(Requests::Waiting))), Vec::<String>::new());
    after.validated(proposal(0, 1, A), Verdict::Valid);
    // A backup that still misses it a heartbeat later gets the same again.
    after.fire(amulet_pbft::TimerKind::Heartbeat);
    let effects = after.hear(status(2, 0, 0, amulet_pbft::message::Phase::AwaitingProposal));
    let Effect::Send(_, sent) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!(*sent, pre_prepare(0, 1, A, 4));
}

/// PBFT-RC-3: a replica that voted to commit still shows the block as prepared when it leaves the view.
#[test]
pub fn what_was_prepared_stays_prepared() {
    let mut before = Bench::new(2, 4);
    let log = records(&before.prepare(0, 1, A, &[1]));
    let (mut after, _) = Bench::recovered(2, 4, genesis(), log);
    let effects = after.fire(TimerKind::Progress);
    let Some(Effect::Broadcast(amulet_pbft::Message::ViewChange(sent))) = effects.get(1) else {
        panic!("{effects:?}")
    };
    assert_eq!(sent.content.prepared, [prepared_certificate(0, 1, A, &[1, 2], 4)]);
}

/// PBFT-RC-3: once the block is executed again, the commit vote goes out again without new prepares.
#[test]
pub fn a_commit_vote_is_sent_again() {
    let mut before = Bench::new(2, 4);
    let log = records(&before.prepare(0, 1, A, &[1]));
    let (mut after, _) = Bench::recovered(2, 4, genesis(), log);
    let effects = after.validated(proposal(0, 1, A), Verdict::Valid);
    assert!(kinds(&effects).contains(&"broadcast commit".to_owned()), "{effects:?}");
}

/// PBFT-RC-2: having asked for a view it votes in none below, and asks again at once.
#[test]
pub fn a_view_that_was_left_stays_left() {
    let mut before = Bench::new(3, 4);
    before.wait();
    let log = records(&before.fire(TimerKind::Progress));
    let (mut after, effects) = Bench::recovered(3, 4, genesis(), log);
    assert_eq!(kinds(&effects), ["broadcast status", "broadcast view-change", "start Heartbeat"]);
    assert_eq!(after.replica.mode(), Mode::ViewChange { target: View(1) });
    assert_eq!(
        after.refusal_of(pre_prepare(0, 1, A, 4)),
        Rejection::StaleView { message: View(0), current: View(1) }
    );
}

/// PBFT-RC-2: back in the view entered, bound to what it carries.
#[test]
pub fn a_view_that_was_entered_is_entered_again() {
    let mut before = Bench::new(2, 4);
    let mut log = records(&before.prepare(0, 1, A, &[1]));
    let view_changes = vec![
        view_change(0, 1, None, vec![]),
        view_change(1, 1, None, vec![]),
        view_change(3, 1, None, vec![prepared_certificate(0, 1, A, &[1, 2], 4)]),
    ];
    log.extend(records(&before.hear(new_view(1, view_changes, vec![signed_pre_prepare(1, 1, A, 4)], 4))));
    let (mut after, effects) = Bench::recovered(2, 4, genesis(), log);
    assert_eq!((after.replica.view(), after.replica.mode()), (View(1), Mode::Normal));
    assert!(kinds(&effects).contains(&"validate 1 Carried".to_owned()), "{effects:?}");
    assert_eq!(after.refusal_of(pre_prepare(1, 1, B, 4)), Rejection::Equivocation { offender: ReplicaId(1) });
}

/// PBFT-RC-1: a ledger that lost blocks, a log of somebody else, a tip without proof: no start.
#[test]
pub fn a_log_that_does_not_fit_is_refused() {
    let start = |id: u16, tip, records| {
        let signer = Box::new(FakeSigner(ReplicaId(id), Epoch(0)));
        Replica::recover(config(id, 4, TIMEOUTS), signer, tip, records).map(|_| ()).unwrap_err()
    };
    let mut backup = Bench::new(1, 4);
    backup.take(synced(commit_certificate(0, 1, A, &[0, 2, 3])));
    let log = records(&backup.prepare(0, 2, B, &[]));
    assert_eq!(
        start(1, genesis(), log),
        RecoverError::LedgerBehind { committed: Height(0), voted: Height(2) }
    );
    let foreign = vec![record(LogEntry::ViewChange(view_change(2, 1, None, vec![])))];
    assert_eq!(
        start(1, genesis(), foreign),
        RecoverError::ForeignRecord { found: ReplicaId(2), replica: ReplicaId(1) }
    );
    let unproven = Tip { height: Height(1), header_hash: header_hash(A), certificate: None };
    assert_eq!(start(1, unproven, vec![]), RecoverError::TipCertificate { height: Height(1) });
    let other = Tip {
        height: Height(1),
        header_hash: header_hash(B),
        certificate: Some(commit_certificate(0, 1, A, &[0, 2, 3])),
    };
    assert_eq!(start(1, other, vec![]), RecoverError::TipCertificate { height: Height(1) });
}

/// PBFT-RC-1: a ledger from before an epoch in which this replica has voted. Without this it would catch up, enter that epoch
/// with nothing remembered, and vote again.
#[test]
fn a_log_of_a_later_epoch_is_refused() {
    let mut backup = Bench::new(1, 4);
    let log = records(&backup.prepare(0, 1, A, &[]));
    let later: Vec<_> = log.into_iter().map(|record| LogRecord { epoch: Epoch(1), ..record }).collect();
    let signer = Box::new(FakeSigner(ReplicaId(1), Epoch(0)));
    let refused = Replica::recover(config(1, 4, TIMEOUTS), signer, genesis(), later).map(|_| ());
    assert_eq!(refused, Err(RecoverError::LedgerBehindEpoch { epoch: 0, voted: 1 }));
}

/// PBFT-RC-3: records of settled heights mean nothing any more.
#[test]
pub fn records_of_settled_heights_are_forgotten() {
    let mut before = Bench::new(1, 4);
    let log = records(&before.prepare(0, 1, A, &[2]));
    let tip = Tip {
        height: Height(1),
        header_hash: header_hash(A),
        certificate: Some(commit_certificate(0, 1, A, &[0, 1, 2])),
    };
    let (_, effects) = Bench::recovered(1, 4, tip, log);
    assert_eq!(kinds(&effects), ["broadcast status", "start Heartbeat"]);
}

/// The tip that backup 1 reaches by adopting blocks, and its log.
fn at_checkpoint() -> (Tip, Vec<LogRecord>) {
    let mut before = Bench::new(1, 4);
    let effects: Vec<_> = (1..=4_u8)
        .flat_map(|height| {
            before.take(synced(commit_certificate(0, u64::from(height), &[height], &[0, 2, 3])))
        })
        .collect();
    (before.replica.tip().clone(), records(&effects))
}

/// PBFT-RC-5: without the own vote the two others' would never be enough, and with every window full the three would stand
/// still until the fourth comes back.
#[test]
pub fn the_own_checkpoint_vote_counts_after_a_start() {
    let (tip, log) = at_checkpoint();
    let (mut after, effects) = Bench::recovered(1, 4, tip, log);
    assert_eq!(kinds(&effects), ["broadcast status", "start Heartbeat"]);
    after.hear(checkpoint(2, 4, &[4]));
    let effects = after.hear(checkpoint(3, 4, &[4]));
    assert_eq!(kinds(&effects), ["persist Stable", "stable 4"]);
}

/// PBFT-RC-5: the stop came after the block was durable and before the vote was.
#[test]
pub fn a_checkpoint_that_a_stop_kept_from_being_voted_for_is_voted_for() {
    let (tip, _) = at_checkpoint();
    let (mut after, effects) = Bench::recovered(1, 4, tip, Vec::new());
    let expected = ["persist Checkpoint", "broadcast checkpoint", "broadcast status", "start Heartbeat"];
    assert_eq!(kinds(&effects), expected);
    after.hear(checkpoint(2, 4, &[4]));
    assert!(kinds(&after.hear(checkpoint(3, 4, &[4]))).contains(&"stable 4".to_owned()));
}

/// PBFT-RC-6: a lost log counts in its own epoch only.
#[test]
pub fn a_replica_whose_log_was_lost_starts_in_the_next_epoch() {
    let lost = vec![record(LogEntry::Lost)];
    assert!(is_lost(&lost, Epoch(0)) && !is_lost(&lost, Epoch(1)));
    let start = |config: amulet_pbft::Config, tip| {
        let signer = Box::new(FakeSigner(ReplicaId(1), config.epoch()));
        Replica::recover(config, signer, tip, lost.clone()).map(|_| ())
    };
    let own = config(1, 4, TIMEOUTS);
    assert_eq!(start(own.clone(), genesis()), Err(RecoverError::Lost { epoch: 0 }));
    let (tip, _) = at_checkpoint();
    assert_eq!(start(own.in_epoch(Epoch(1), tip.height.next()), tip), Ok(()));
}
