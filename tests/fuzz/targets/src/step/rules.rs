//! What a replica owes the others, whatever they do.

use std::collections::BTreeMap;

use amulet_pbft::message::{Content, Proposal, ViewChange};
use amulet_pbft::{
    CommitCertificate, Config, Effect, Evidence, LogEntry, LogRecord, Message, Payload, RecordKey, Replica,
    Tip, UntrustedMessage,
};
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};

use super::peers::select;
use crate::decoders::gullible;

/// Effects of one step, kept messages that became due included: for each height in flight and peer a few.
const EFFECTS_PER_STEP_MAX: usize = 400;

type Log = BTreeMap<RecordKey, LogRecord>;

/// What was said before, also before restarts.
#[derive(Default)]
pub(super) struct Rules {
    /// Contents by kind, view and height.
    votes: BTreeMap<(&'static str, View, Height), Vec<u8>>,
    /// Header hash of each commit vote.
    commits: BTreeMap<(View, Height), HeaderHash>,
    /// The highest view asked for.
    asked_for: View,
}

impl Rules {
    /// Tables are bounded, as far as they show.
    pub(super) fn check_size(&self, config: &Config, replica: &Replica, effects: &[Effect]) {
        assert!(effects.len() <= EFFECTS_PER_STEP_MAX, "{} effects of one step", effects.len());
        let in_flight = replica.in_flight().len() as u64;
        assert!(in_flight <= config.depth(), "{in_flight} blocks in flight, at most {}", config.depth());
    }

    /// A block is executed on the tip, or on what was accepted below it (PBFT-NC-3).
    pub(super) fn check_parent(&self, tip: &Tip, log: &Log, height: Height, parent: HeaderHash) {
        if height == tip.height.next() {
            assert_eq!(parent, tip.header_hash, "the block after the tip stands on the tip");
            return;
        }
        let below = accepted(log, Height(height.0 - 1)).map(|(_, hash)| hash);
        assert_eq!(Some(parent), below, "a block stands on the one accepted below it");
    }

    /// Blocks are final in order, under a quorum, and were executed here.
    pub(super) fn check_commit(
        &self,
        config: &Config,
        tip: &Tip,
        log: &Log,
        certificate: &CommitCertificate,
        payload: &Payload,
    ) {
        let vote = certificate.vote;
        assert_eq!(vote.height, tip.height.next(), "blocks are committed in order of height");
        let mut signers: Vec<ReplicaId> = certificate.signatures.iter().map(|(signer, _)| *signer).collect();
        signers.dedup();
        assert!(signers.len() >= config.quorum().threshold(), "a quorum of different replicas voted");
        let Some(LogEntry::Accepted(pre_prepare, accepted)) = entry(log, RecordKey::Accepted(vote.height))
        else {
            panic!("a block is committed that was not accepted");
        };
        assert_eq!(pre_prepare.content.proposal.header_hash, vote.header_hash);
        assert_eq!(pre_prepare.content.proposal.parent, tip.header_hash, "the chain has no breaks");
        assert_eq!(accepted, payload);
    }

    /// Nothing is said that contradicts what was said before, or is not on disk (PBFT-RC).
    pub(super) fn check_spoken(&mut self, config: &Config, tip: &Tip, log: &Log, message: &Message) {
        assert_eq!(message.sender(), config.replica());
        let sent = UntrustedMessage::new(Epoch(0), message.clone()).verify(&gullible());
        assert!(sent.is_ok(), "the others would refuse this: {:?}", sent.err());
        match message {
            Message::PrePrepare(signed, _) => {
                let proposal = signed.content.proposal;
                check_plan(log, &proposal);
                self.vote("proposal", proposal.view, proposal.height, &signed.content);
                let expected = Some((proposal.view, proposal.header_hash));
                assert_eq!(accepted(log, proposal.height), expected, "durable before it leaves");
            }
            Message::Prepare(signed) => {
                let proposal = signed.content.proposal;
                check_plan(log, &proposal);
                self.vote("proposal", proposal.view, proposal.height, &signed.content);
                let expected = Some((proposal.view, proposal.header_hash));
                assert_eq!(accepted(log, proposal.height), expected, "durable before it leaves");
            }
            Message::Commit(signed) => {
                let vote = signed.content;
                self.vote("commit", vote.view, vote.height, &signed.content);
                self.commits.insert((vote.view, vote.height), vote.header_hash);
                self.check_gate(tip, log, vote.view, vote.height, vote.header_hash);
            }
            Message::Checkpoint(signed) => {
                self.vote("checkpoint", View(0), signed.content.height, &signed.content);
                assert!(signed.content.height <= tip.height, "a checkpoint is of durable state");
            }
            Message::ViewChange(signed) => {
                let is_new = self.vote("view-change", signed.content.new_view, Height(0), &signed.content);
                if is_new {
                    check_shown(tip, log, &signed.content);
                }
                let Some(LogEntry::ViewChange(durable)) = entry(log, RecordKey::ViewChange) else {
                    panic!("a view-change left that is not durable");
                };
                assert_eq!(durable, signed, "durable before it leaves");
                self.asked_for = self.asked_for.max(signed.content.new_view);
            }
            Message::NewView(signed) => {
                let (_, selected) = select(signed.content.view, &signed.content.view_changes);
                let proposed = signed.content.pre_prepares.iter().map(|proposed| proposed.content.proposal);
                assert!(proposed.eq(selected), "a new-view follows the selection rule");
                let Some(LogEntry::NewView(durable)) = entry(log, RecordKey::NewView) else {
                    panic!("a new-view left that is not durable");
                };
                assert!(durable.content.view >= signed.content.view, "durable before it leaves");
            }
            _ => {}
        }
    }

    /// An accusation convicts.
    pub(super) fn check_report(&self, evidence: &Evidence) {
        let verdict = evidence.check_by(Epoch(0), &|_, _, _, _| true);
        assert_eq!(verdict, Ok(evidence.offender()), "evidence is proof");
    }

    /// Whether it is said for the first time.
    fn vote(&mut self, kind: &'static str, view: View, height: Height, content: &impl Content) -> bool {
        let bytes = content.signing_bytes();
        let is_new = !self.votes.contains_key(&(kind, view, height));
        let said = self.votes.entry((kind, view, height)).or_insert_with(|| bytes.clone());
        assert_eq!(*said, bytes, "two {kind}s for view {view:?}, height {height:?}");
        if matches!(kind, "proposal" | "commit") {
            assert!(
                view >= self.asked_for,
                "a {kind} in view {view:?}, after {:?} was asked for",
                self.asked_for
            );
        }
        is_new
    }

    /// PBFT-NC-7: a commit vote leaves after its certificate is durable, and after the height below is prepared in this
    /// view, or committed.
    fn check_gate(&self, tip: &Tip, log: &Log, view: View, height: Height, hash: HeaderHash) {
        if height <= tip.height {
            return;
        }
        let Some(LogEntry::Prepared(certificate, _)) = entry(log, RecordKey::Prepared(height)) else {
            panic!("a commit vote left without a durable certificate");
        };
        let proposal = certificate.proposal();
        assert_eq!((proposal.view, proposal.header_hash), (view, hash), "durable before it leaves");
        let below = if height == tip.height.next() {
            Some(tip.header_hash)
        } else {
            self.commits.get(&(view, Height(height.0 - 1))).copied()
        };
        assert_eq!(Some(proposal.parent), below, "the height below is prepared in this view, or final");
    }
}

/// PBFT-NC-3, PBFT-VC-7: nothing at or below the view's base, and above it first what the view carries over.
fn check_plan(log: &Log, proposal: &Proposal) {
    let Some(LogEntry::NewView(new_view)) = entry(log, RecordKey::NewView) else { return };
    if new_view.content.view != proposal.view {
        return;
    }
    let (base, selected) = select(proposal.view, &new_view.content.view_changes);
    assert!(proposal.height > base, "nothing is voted for at or below the base");
    let carried = selected.iter().find(|carried| carried.height == proposal.height);
    assert!(carried.is_none_or(|carried| carried == proposal), "carried proposals come first");
}

/// PBFT-VC-1: the tip's certificate, and all that is prepared above it and linked.
fn check_shown(tip: &Tip, log: &Log, shown: &ViewChange) {
    assert_eq!(shown.base, tip.certificate, "the base is the tip");
    let (mut height, mut below) = (tip.height.next(), tip.header_hash);
    let mut expected = Vec::new();
    while let Some(LogEntry::Prepared(certificate, _)) = entry(log, RecordKey::Prepared(height))
        && certificate.proposal().parent == below
    {
        (height, below) = (height.next(), certificate.proposal().header_hash);
        expected.push(certificate.clone());
    }
    assert_eq!(shown.prepared, expected, "what is prepared is shown");
}

fn entry(log: &Log, key: RecordKey) -> Option<&LogEntry> {
    log.get(&key).map(|record| &record.entry)
}

/// View and header hash of the accepted proposal.
fn accepted(log: &Log, height: Height) -> Option<(View, HeaderHash)> {
    match entry(log, RecordKey::Accepted(height)) {
        Some(LogEntry::Accepted(pre_prepare, _)) => {
            let proposal = pre_prepare.content.proposal;
            Some((proposal.view, proposal.header_hash))
        }
        _ => None,
    }
}
