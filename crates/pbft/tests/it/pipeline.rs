//! Several heights in flight: rules PBFT-NC-1, PBFT-NC-7, PBFT-NC-11, PBFT-VC-1, PBFT-VC-5, PBFT-RC-1, PBFT-RC-3,
//! PBFT-RT-2, PBFT-RT-8, PBFT-EP-1 to PBFT-EP-4, PBFT-MB-8, PBFT-MB-9.

use std::cell::Cell;

use amulet_crypto::signing::{Signature, SigningContext};
use amulet_pbft::certificate::PreparedCertificate;
use amulet_pbft::limits::{MESSAGE_BYTES_MAX, PIPELINE_DEPTH_MAX};
use amulet_pbft::message::{NewView, Phase, PrePrepare, Prepare, Proposal, Signed, ViewChange};
use amulet_pbft::{
    Effect, Input, LogRecord, Message, Mode, ProposedBlock, RecoverError, Rejection, Replica, Requests,
    TimerKind, Tip, UntrustedMessage, Verdict, Verifier,
};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use borsh::BorshDeserialize;

use crate::bench::*;
use crate::support::{FakeKeys, FakeSigner, config, genesis_hash, header_hash, keys};

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";
const C: &[u8] = b"block c";
const D: &[u8] = b"block d";

/// `block` on top of `parent`; height 1 stands on the genesis.
fn on(view: u64, height: u64, parent: &[u8], block: &[u8]) -> Proposal {
    let parent = if height == 1 { genesis_hash() } else { header_hash(parent) };
    Proposal { parent, ..proposal(view, height, block) }
}

fn propose(proposal: Proposal, block: &[u8]) -> Message {
    let primary = (proposal.view.0 % 4) as u16;
    Message::PrePrepare(signed(primary, PrePrepare { proposal }), payload(block))
}

fn vote_for(from: u16, proposal: Proposal) -> Message {
    Message::Prepare(signed(from, Prepare { proposal }))
}

fn certificate(proposal: Proposal, voters: &[u16], n: u64) -> PreparedCertificate {
    let primary = (proposal.view.0 % n) as u16;
    let votes: Vec<_> =
        voters.iter().map(|from| (ReplicaId(*from), signed(*from, Prepare { proposal }).signature)).collect();
    let bytes = borsh::to_vec(&(signed(primary, PrePrepare { proposal }), votes)).unwrap();
    PreparedCertificate::try_from_slice(&bytes).unwrap()
}

/// A block that was built on A, B and C, or as many of them as come below it.
fn built(height: u64, block: &[u8], ends_epoch: bool) -> Input {
    let below = [A, B, C].into_iter().take_while(|below| *below != block).last();
    Input::Proposal(ProposedBlock {
        view: View(0),
        height: Height(height),
        parent: below.map_or_else(genesis_hash, header_hash),
        header_hash: header_hash(block),
        payload: payload(block),
        ends_epoch,
    })
}

fn verdict(proposal: Proposal, ends_epoch: bool) -> Input {
    let Proposal { view, height, header_hash, .. } = proposal;
    Input::Validated { view, height, header_hash, verdict: Verdict::Valid, ends_epoch }
}

fn records(effects: &[Effect]) -> Vec<LogRecord> {
    let record = |effect: &Effect| match effect {
        Effect::Persist(record) => Some(record.clone()),
        _ => None,
    };
    effects.iter().filter_map(record).collect()
}

fn shown(effects: &[Effect]) -> Vec<Proposal> {
    let sent = effects.iter().find_map(|effect| match effect {
        Effect::Broadcast(Message::ViewChange(sent)) => Some(sent),
        _ => None,
    });
    sent.unwrap().content.prepared.iter().map(|certificate| *certificate.proposal()).collect()
}

/// A backup that accepted A, B and C at heights 1 to 3 of view 0, and its records.
fn with_three_accepted() -> (Bench, Vec<LogRecord>) {
    let mut backup = Bench::with_depth(2, 4, 8);
    let mut log = Vec::new();
    for (proposal, block) in [(on(0, 1, A, A), A), (on(0, 2, A, B), B), (on(0, 3, B, C), C)] {
        backup.hear(propose(proposal, block));
        log.extend(records(&backup.take(verdict(proposal, false))));
    }
    (backup, log)
}

/// PBFT-NC-1: each block on top of the last, up to the depth, and on when one is final.
#[test]
pub fn a_primary_fills_the_pipeline_and_stops_at_its_depth() {
    let mut primary = Bench::with_depth(0, 4, 2);
    assert_eq!(kinds(&primary.wait()), ["propose 1", "start Progress"]);
    let effects = primary.take(built(1, A, false));
    let Some(Effect::Propose { height: Height(2), parent, .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    assert_eq!(*parent, header_hash(A));
    assert_eq!(primary.replica.in_flight(), [header_hash(A)]);
    let effects = primary.take(built(2, B, false));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(2))", "broadcast pre-prepare"]);
    assert_eq!(primary.replica.in_flight(), [header_hash(A), header_hash(B)]);
    for from in [1, 2] {
        primary.hear(vote_for(from, on(0, 1, A, A)));
        primary.hear(commit(from, 0, 1, A));
    }
    assert_eq!(primary.replica.tip().height, Height(1));
    assert_eq!(primary.replica.in_flight(), [header_hash(B)]);
    assert!(kinds(&primary.take(Input::Requests(Requests::Empty))).is_empty());
    assert_eq!(kinds(&primary.wait()), ["propose 3"]);
}

/// PBFT-NC-11: proposals that overtake the one below wait for it, and are judged on top of it.
#[test]
pub fn a_proposal_waits_for_the_one_below() {
    let mut backup = Bench::with_depth(2, 4, 8);
    assert_eq!(kinds(&backup.hear(propose(on(0, 2, A, B), B))), ["start Progress"]);
    assert_eq!(kinds(&backup.hear(propose(on(0, 1, A, A), A))), ["validate 1 New"]);
    let effects = backup.take(verdict(on(0, 1, A, A), false));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast prepare", "validate 2 New"]);
    let Some(Effect::Validate { parent, .. }) = effects.last() else { panic!() };
    assert_eq!(*parent, header_hash(A));
}

/// PBFT-NC-11: a block on top of another than the one accepted below ends the view.
#[test]
pub fn a_proposal_on_top_of_another_block_is_refused() {
    let mut backup = Bench::with_depth(2, 4, 8);
    backup.hear(propose(on(0, 1, A, A), A));
    backup.hear(propose(on(0, 2, C, B), B));
    let effects = backup.take(verdict(on(0, 1, A, A), false));
    assert!(kinds(&effects).contains(&"broadcast view-change".to_owned()), "{effects:?}");
    assert!(!kinds(&effects).iter().any(|kind| kind.starts_with("validate")));
}

/// PBFT-NC-7, PBFT-NC-9: votes for height 2 are complete first; its commit vote waits for height 1, and so does its commit.
#[test]
pub fn a_commit_vote_waits_for_the_height_below() {
    let mut backup = Bench::with_depth(2, 4, 8);
    let (first, second) = (on(0, 1, A, A), on(0, 2, A, B));
    for (proposal, block) in [(first, A), (second, B)] {
        backup.hear(propose(proposal, block));
        backup.take(verdict(proposal, false));
    }
    assert_eq!(kinds(&backup.hear(vote_for(1, second))), Vec::<String>::new());
    for from in [0, 1, 3] {
        assert_eq!(kinds(&backup.hear(commit(from, 0, 2, B))), Vec::<String>::new());
    }
    assert_eq!(
        kinds(&backup.hear(vote_for(1, first))),
        [
            "persist Prepared(Height(1))",
            "broadcast commit",
            "persist Prepared(Height(2))",
            "broadcast commit"
        ]
    );
    backup.hear(commit(0, 0, 1, A));
    assert_eq!(kinds(&backup.hear(commit(1, 0, 1, A))), ["commit 1", "stop Progress", "commit 2"]);
}

/// PBFT-NC-7: what was prepared below in an earlier view does not open the gate in this one.
#[test]
pub fn a_certificate_of_an_earlier_view_does_not_open_the_gate() {
    let (mut backup, _) = with_three_accepted();
    backup.hear(vote_for(1, on(0, 1, A, A)));
    backup.fire(TimerKind::Progress);
    let view_changes = vec![
        view_change(0, 1, None, vec![certificate(on(0, 1, A, A), &[1, 2], 4)]),
        view_change(1, 1, None, vec![]),
        view_change(3, 1, None, vec![]),
    ];
    let carried = signed(1, PrePrepare { proposal: on(1, 1, A, A) });
    backup.hear(new_view(1, view_changes, vec![carried], 4));
    backup.take(verdict(on(1, 1, A, A), false));
    backup.hear(propose(on(1, 2, A, D), D));
    backup.take(verdict(on(1, 2, A, D), false));
    // Height 2 has its quorum in view 1; height 1 has only the one of view 0.
    assert_eq!(kinds(&backup.hear(vote_for(3, on(1, 2, A, D)))), Vec::<String>::new());
    let effects = backup.hear(vote_for(0, on(1, 1, A, A)));
    assert_eq!(kinds(&effects).iter().filter(|kind| **kind == "broadcast commit").count(), 2);
}

/// PBFT-VC-1: everything that is prepared is shown; what is not on top of the tip any more is not, also after a restart.
#[test]
pub fn only_what_is_linked_to_the_tip_is_shown() {
    let (mut backup, mut log) = with_three_accepted();
    for proposal in [on(0, 1, A, A), on(0, 2, A, B), on(0, 3, B, C)] {
        log.extend(records(&backup.hear(vote_for(1, proposal))));
    }
    let other = commit_certificate(1, 1, D, &[0, 1, 3]);
    let tip = |block, certificate| Tip {
        height: Height(1),
        header_hash: header_hash(block),
        certificate: Some(certificate),
    };
    let same = commit_certificate(0, 1, A, &[0, 1, 3]);
    let (mut restarted, _) = Bench::recovered_with_depth(2, 4, 8, tip(A, same), log.clone());
    assert_eq!(shown(&restarted.fire(TimerKind::Progress)), [on(0, 2, A, B), on(0, 3, B, C)]);
    let (_, effects) = Bench::recovered_with_depth(2, 4, 8, tip(D, other.clone()), log);
    // What it accepted on top of A is void now that D is final, so the view ends.
    assert_eq!(shown(&effects), []);
    // While it runs: another block than A becomes final below.
    let effects = backup.take(synced(other));
    assert_eq!(shown(&effects), []);
}

/// PBFT-VC-5: the highest view wins at each height, but only on top of what won below; and there it ends.
#[test]
pub fn the_selection_follows_parents() {
    let mut primary = Bench::with_depth(3, 4, 8);
    let of_view_0 = vec![
        certificate(on(0, 1, A, A), &[1, 2], 4),
        certificate(on(0, 2, A, B), &[1, 2], 4),
        certificate(on(0, 3, B, D), &[1, 2], 4),
    ];
    let of_view_1 = vec![certificate(on(1, 1, A, C), &[0, 2], 4)];
    let select = |primary: &mut Bench, target, first, second| {
        primary.hear(Message::ViewChange(view_change(0, target, None, first)));
        let effects = primary.hear(Message::ViewChange(view_change(1, target, None, second)));
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Broadcast(Message::NewView(sent)) => Some(sent.content.pre_prepares.clone()),
            _ => None,
        });
        found.unwrap().iter().map(|sent| sent.content.proposal).collect::<Vec<_>>()
    };
    let all = select(&mut Bench::with_depth(3, 4, 8), 3, of_view_0.clone(), vec![]);
    assert_eq!(all, [on(3, 1, A, A), on(3, 2, A, B), on(3, 3, B, D)]);
    assert_eq!(select(&mut primary, 3, of_view_0, of_view_1), [on(3, 1, A, C)]);
}

/// PBFT-RC-3: a backup takes up all that it accepted, in order, and votes for nothing else there.
#[test]
pub fn several_accepted_heights_survive_a_restart() {
    let (_, log) = with_three_accepted();
    let (mut after, effects) = Bench::recovered_with_depth(2, 4, 8, Tip::genesis(genesis_hash()), log);
    assert!(kinds(&effects).contains(&"validate 1 New".to_owned()), "{effects:?}");
    let rival = propose(on(0, 3, B, D), D);
    assert_eq!(after.refusal_of(rival), Rejection::Equivocation { offender: ReplicaId(0) });
    let effects = after.take(verdict(on(0, 1, A, A), false));
    assert!(kinds(&effects).contains(&"validate 2 New".to_owned()), "{effects:?}");
    after.take(verdict(on(0, 2, A, B), false));
    after.take(verdict(on(0, 3, B, C), false));
    assert_eq!(after.replica.in_flight(), [A, B, C].map(header_hash));
}

/// PBFT-RC-3: a primary proposes again only above all that it proposed before it stopped.
#[test]
pub fn a_primary_goes_on_above_what_it_proposed() {
    let mut before = Bench::with_depth(0, 4, 8);
    before.wait();
    let mut log = records(&before.take(built(1, A, false)));
    log.extend(records(&before.take(built(2, B, false))));
    let (mut after, _) = Bench::recovered_with_depth(0, 4, 8, Tip::genesis(genesis_hash()), log);
    assert_eq!(kinds(&after.wait()), Vec::<String>::new());
    after.take(verdict(on(0, 1, A, A), false));
    let effects = after.take(verdict(on(0, 2, A, B), false));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(2))", "propose 3"]);
}

/// PBFT-RC-1: a record whose predecessors are neither in the ledger nor in the log.
#[test]
pub fn a_gap_in_the_log_is_noticed() {
    let (_, mut log) = with_three_accepted();
    log.retain(|record| record.key() != amulet_pbft::RecordKey::Accepted(Height(2)));
    let config = config(2, 4, TIMEOUTS).with_depth(8).unwrap();
    let signer = Box::new(FakeSigner(ReplicaId(2), Epoch(0)));
    let refused = Replica::recover(config, signer, Tip::genesis(genesis_hash()), log).map(|_| ());
    let expected = RecoverError::LedgerBehind { committed: Height(0), voted: Height(3) };
    assert_eq!(refused.unwrap_err(), expected);
}

/// PBFT-RT-8: a pre-prepare was lost, and the others have gone by.
#[test]
pub fn a_block_that_passed_by_is_fetched_at_once() {
    let mut backup = Bench::with_depth(2, 4, 8);
    backup.hear(commit(0, 0, 1, A));
    backup.hear(commit(1, 0, 1, A));
    assert_eq!(kinds(&backup.hear(commit(3, 0, 1, A))), ["catch up to 1 from 3"]);
}

/// PBFT-RT-2: each height is answered by how far the other is with it, and few blocks at a time.
#[test]
pub fn lost_messages_of_several_heights_are_sent_again() {
    let mut primary = Bench::with_depth(0, 4, 8);
    primary.wait();
    for (height, block) in [(1, A), (2, B), (3, C)] {
        primary.take(built(height, block, false));
    }
    primary.fire(TimerKind::Heartbeat);
    let effects = primary.hear(status(2, 0, 0, Phase::Preparing));
    assert_eq!(kinds(&effects), ["send pre-prepare to 2", "send pre-prepare to 2"]);
    let Effect::Send(_, Message::PrePrepare(sent, _)) = &effects[0] else { panic!() };
    assert_eq!(sent.content.proposal.height, Height(2));
}

/// PBFT-EP-2, PBFT-EP-3: nothing above the epoch's last block, and nothing at all after it.
#[test]
pub fn an_epoch_ends_with_its_last_block() {
    let mut primary = Bench::with_depth(0, 4, 8);
    primary.wait();
    let effects = primary.take(built(1, A, true));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast pre-prepare"]);

    let mut backup = Bench::with_depth(2, 4, 8);
    let last = on(0, 1, A, A);
    backup.hear(propose(on(0, 2, A, B), B));
    backup.hear(propose(last, A));
    let effects = backup.take(verdict(last, true));
    assert_eq!(kinds(&effects), ["persist Accepted(Height(1))", "broadcast prepare"]);
    let above = Rejection::BeyondEpoch { height: Height(2), last: Height(1) };
    assert_eq!(backup.refusal_of(propose(on(0, 2, A, C), C)), above);
    backup.hear(vote_for(1, last));
    backup.hear(commit(0, 0, 1, A));
    let effects = backup.hear(commit(1, 0, 1, A));
    assert_eq!(kinds(&effects), ["commit 1", "stop Progress", "stop Heartbeat"]);
    assert_eq!(backup.replica.mode(), Mode::Ended);
    assert_eq!(backup.refusal_of(commit(3, 0, 1, A)), Rejection::EpochEnded { last: Height(1) });
}

/// PBFT-EP-1, PBFT-EP-4: the next epoch starts in views of its own, with a window of its own, without the records of the one
/// before, and its view-changes show no certificate of it.
#[test]
pub fn the_next_epoch_starts_from_the_last_block() {
    let (_, old) = with_three_accepted();
    let epoch = Epoch(1);
    let first_view = epoch.first_view();
    let tip = Tip {
        height: Height(16),
        header_hash: header_hash(A),
        certificate: Some(commit_certificate(0, 16, A, &[0, 1, 2])),
    };
    let config = config(2, 4, TIMEOUTS).with_depth(8).unwrap().in_epoch(epoch, Height(17));
    let signer = FakeSigner(ReplicaId(2), epoch);
    let (mut replica, effects) = Replica::recover(config, Box::new(signer), tip, old).unwrap();
    assert_eq!(kinds(&effects), ["broadcast status", "start Heartbeat"]);
    assert_eq!((replica.view(), replica.low_water_mark()), (first_view, Height(16)));
    let keys = FakeKeys(Quorum::for_size(4).unwrap(), epoch);
    let hear = |replica: &mut Replica, message| {
        let message = UntrustedMessage::new(epoch, message).verify(&keys).unwrap();
        replica.step(Input::Message(message))
    };
    for from in [0_u16, 1] {
        let content = ViewChange { new_view: first_view.next(), base: None, prepared: vec![] };
        let signer = FakeSigner(ReplicaId(from), epoch);
        let step = hear(&mut replica, Message::ViewChange(Signed::new(content, ReplicaId(from), &signer)));
        if from == 1 {
            let Some(Effect::Broadcast(Message::ViewChange(sent))) = step.effects.get(1) else {
                panic!("{step:?}")
            };
            assert_eq!(sent.content.base, None);
        }
    }
    let stray = UntrustedMessage::new(Epoch(0), status(1, 0, 0, Phase::Preparing));
    assert!(replica.horizon().is_stale(&stray));
    let stray = stray.verify(&crate::support::keys(4)).unwrap();
    let refused = replica.step(Input::Message(stray)).outcome;
    let expected = Rejection::Epoch { found: Epoch(0), expected: epoch };
    assert_eq!(refused, amulet_pbft::Outcome::Ignored(expected));
}

/// PBFT-MB-8: known, late and foreign messages are told before anything is checked; new ones are not called stale.
#[test]
pub fn what_is_stale_is_known_before_signatures_are_checked() {
    let (mut backup, _) = with_three_accepted();
    let unverified = |message: Message| UntrustedMessage::new(Epoch(0), message);
    let vote = vote_for(1, on(0, 2, A, B));
    assert!(!backup.replica.horizon().is_stale(&unverified(vote.clone())));
    backup.hear(vote.clone());
    assert!(backup.replica.horizon().is_stale(&unverified(vote)));
    assert!(backup.replica.horizon().is_stale(&unverified(propose(on(0, 3, B, C), C))));
    let rival = propose(on(0, 3, B, D), D);
    assert!(!backup.replica.horizon().is_stale(&unverified(rival)), "a contradiction is news");
    assert!(backup.replica.horizon().is_stale(&unverified(commit(1, 0, 999, A))));
    backup.fire(TimerKind::Progress);
    assert!(backup.replica.horizon().is_stale(&unverified(commit(1, 0, 1, A))), "of the view that was left");
}

struct Counting {
    keys: FakeKeys,
    checks: Cell<usize>,
}

impl Verifier for Counting {
    fn epoch(&self) -> Epoch {
        self.keys.epoch()
    }

    fn quorum(&self) -> Quorum {
        self.keys.quorum()
    }

    fn is_valid(&self, signer: ReplicaId, context: SigningContext, bytes: &[u8], found: &Signature) -> bool {
        self.checks.set(self.checks.get() + 1);
        self.keys.is_valid(signer, context, bytes, found)
    }
}

/// PBFT-MB-1, PBFT-MB-9: the largest new-view of 100 validators fits into a message, and costs as many checks as there are
/// different votes in it.
#[test]
pub fn the_largest_new_view_fits_and_costs_its_different_votes() {
    let (n, quorum) = (100, 67_u16);
    let depth = PIPELINE_DEPTH_MAX;
    let view = 1;
    let base = |skipped: u16| {
        let signers: Vec<u16> = (0..quorum).map(|signer| (signer + skipped) % 100).collect();
        let mut signers = signers;
        signers.sort_unstable();
        commit_certificate(0, 1, A, &signers)
    };
    let block = |height: u64| [height as u8];
    let chain = |skipped: u16| {
        let mut voters: Vec<u16> = (1..quorum).map(|voter| 1 + (voter + skipped) % 99).collect();
        voters.sort_unstable();
        (2..2 + depth)
            .map(|height| {
                let below = block(height - 1);
                let parent = if height == 2 { A } else { &below[..] };
                certificate(on(0, height, parent, &block(height)), &voters, n)
            })
            .collect::<Vec<_>>()
    };
    // Each shows another quorum of the same votes.
    let view_changes: Vec<_> =
        (0..quorum).map(|from| view_change(from, view, Some(base(from)), chain(from))).collect();
    let pre_prepares = (2..2 + depth)
        .map(|height| {
            let below = block(height - 1);
            let parent = if height == 2 { A } else { &below[..] };
            signed(1, PrePrepare { proposal: on(view, height, parent, &block(height)) })
        })
        .collect();
    let content = NewView { view: View(view), view_changes, pre_prepares };
    let bytes = Message::NewView(signed(1, content)).encode(Epoch(0));
    assert!(
        bytes.len() <= MESSAGE_BYTES_MAX && bytes.len() > MESSAGE_BYTES_MAX - 256 * 1024,
        "{}",
        bytes.len()
    );
    let verifier = Counting { keys: keys(n as usize), checks: Cell::new(0) };
    UntrustedMessage::decode(&bytes).unwrap().verify(&verifier).unwrap();
    let different = 1 + 67 + 100 + depth as usize * (1 + 99 + 1);
    assert_eq!(verifier.checks.get(), different);
}
