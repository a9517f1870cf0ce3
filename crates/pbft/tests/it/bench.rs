//! One replica on a bench: the test plays the driver and all other replicas.

use amulet_pbft::certificate::PreparedCertificate;
use amulet_pbft::message::{
    Checkpoint, Content, NewView, PrePrepare, Prepare, Proposal, Signed, Status, UntrustedMessage, ViewChange,
};
use amulet_pbft::{
    CommitCertificate, Effect, Input, LogEntry, LogRecord, Message, Millis, Outcome, Payload, Rejection,
    Replica, Requests, Step, Timeouts, Timer, TimerKind, Tip, Verdict, VerifiedMessage,
};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};
use borsh::BorshDeserialize;

use crate::support::{FakeSigner, config, genesis_hash, header_hash, keys};

pub const TIMEOUTS: Timeouts =
    Timeouts { progress: Millis(1_000), progress_max: Millis(5_000), heartbeat: Millis(500) };

pub struct Bench {
    pub replica: Replica,
    pub n: usize,
    /// The run of each timer that was started last.
    pub timers: Vec<(Timer, Millis)>,
}

impl Bench {
    pub fn new(id: u16, n: usize) -> Self {
        Self::recovered(id, n, Tip::genesis(genesis_hash()), Vec::new()).0
    }

    pub fn with_depth(id: u16, n: usize, depth: u64) -> Self {
        Self::recovered_with_depth(id, n, depth, Tip::genesis(genesis_hash()), Vec::new()).0
    }

    pub fn recovered(id: u16, n: usize, tip: Tip, records: Vec<LogRecord>) -> (Self, Vec<Effect>) {
        Self::recovered_with_depth(id, n, 1, tip, records)
    }

    pub fn recovered_with_depth(
        id: u16,
        n: usize,
        depth: u64,
        tip: Tip,
        records: Vec<LogRecord>,
    ) -> (Self, Vec<Effect>) {
        let config = config(id, n, TIMEOUTS).with_depth(depth).unwrap();
        let signer = Box::new(FakeSigner(ReplicaId(id), Epoch(0)));
        let (replica, effects) = Replica::recover(config, signer, tip, records).unwrap();
        let mut bench = Self { replica, n, timers: Vec::new() };
        bench.note_timers(&effects);
        (bench, effects)
    }

    fn note_timers(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::StartTimer(timer, millis) = effect {
                self.timers.push((*timer, *millis));
            }
        }
    }

    pub fn step(&mut self, input: Input) -> Step {
        let step = self.replica.step(input);
        self.note_timers(&step.effects);
        step
    }

    /// The effects of an input that must be taken.
    pub fn take(&mut self, input: Input) -> Vec<Effect> {
        let step = self.step(input);
        assert_eq!(step.outcome, Outcome::Accepted);
        step.effects
    }

    /// The effects of a message that must be taken.
    pub fn hear(&mut self, message: Message) -> Vec<Effect> {
        self.take(Input::Message(verified(message, self.n)))
    }

    /// Why an input is ignored.
    pub fn refusal(&mut self, input: Input) -> Rejection {
        match self.step(input).outcome {
            Outcome::Ignored(rejection) => rejection,
            Outcome::Accepted => panic!("the input was taken"),
        }
    }

    /// Why a message is ignored.
    pub fn refusal_of(&mut self, message: Message) -> Rejection {
        self.refusal(Input::Message(verified(message, self.n)))
    }

    pub fn wait(&mut self) -> Vec<Effect> {
        self.take(Input::Requests(Requests::Waiting))
    }

    /// Lets the running timer of a kind run down. While it ran, all others were heard.
    pub fn fire(&mut self, kind: TimerKind) -> Vec<Effect> {
        let me = self.replica.config().replica().0;
        for other in (0..self.n as u16).filter(|other| *other != me) {
            let (view, height) = (self.replica.view().0, self.replica.tip().height.0);
            self.hear(status(other, view, height, amulet_pbft::message::Phase::Committing));
        }
        self.fire_unheard(kind)
    }

    /// Lets the running timer of a kind run down.
    pub fn fire_unheard(&mut self, kind: TimerKind) -> Vec<Effect> {
        let timer =
            self.timers.iter().rev().find(|(timer, _)| timer.kind == kind).expect("the timer was started").0;
        self.take(Input::TimerFired(timer))
    }

    /// How long the timer that was started last runs.
    pub fn running_for(&self, kind: TimerKind) -> Millis {
        self.timers.iter().rev().find(|(timer, _)| timer.kind == kind).expect("the timer was started").1
    }

    pub fn validated(&mut self, proposal: Proposal, verdict: Verdict) -> Vec<Effect> {
        let Proposal { view, height, header_hash, .. } = proposal;
        self.take(Input::Validated { view, height, header_hash, verdict, ends_epoch: false })
    }

    /// Has a backup accept and prepare `block`, with votes from `voters`.
    pub fn prepare(&mut self, view: u64, height: u64, block: &[u8], voters: &[u16]) -> Vec<Effect> {
        self.hear(pre_prepare(view, height, block, self.n));
        let mut effects = self.validated(proposal(view, height, block), Verdict::Valid);
        for voter in voters {
            effects.extend(self.hear(prepare(*voter, view, height, block)));
        }
        effects
    }
}

pub fn verified(message: Message, n: usize) -> VerifiedMessage {
    UntrustedMessage::new(Epoch(0), message).verify(&keys(n)).unwrap()
}

pub fn signed<T: Content>(from: u16, content: T) -> Signed<T> {
    Signed::new(content, ReplicaId(from), &FakeSigner(ReplicaId(from), Epoch(0)))
}

pub fn synced(certificate: CommitCertificate) -> Input {
    Input::Synced { certificate, ends_epoch: false }
}

pub fn record(entry: LogEntry) -> LogRecord {
    LogRecord { epoch: Epoch(0), entry }
}

pub fn payload(block: &[u8]) -> Payload {
    Payload::new(block.to_vec()).unwrap()
}

/// What a block stands on in these tests: the genesis, at height 2 the one of blocks a and b that it is not itself, and
/// above that the block whose only byte is its height.
fn parent(height: u64, block: &[u8]) -> HeaderHash {
    match height {
        1 => genesis_hash(),
        2 if block == b"block a" => header_hash(b"block b"),
        2 => header_hash(b"block a"),
        _ => header_hash(&[height as u8 - 1]),
    }
}

pub fn proposal(view: u64, height: u64, block: &[u8]) -> Proposal {
    Proposal {
        view: View(view),
        height: Height(height),
        parent: parent(height, block),
        header_hash: header_hash(block),
        payload_digest: payload(block).digest(),
    }
}

/// The pre-prepare of the primary of `view`.
pub fn signed_pre_prepare(view: u64, height: u64, block: &[u8], n: usize) -> Signed<PrePrepare> {
    let primary = u16::try_from(view % n as u64).unwrap();
    signed(primary, PrePrepare { proposal: proposal(view, height, block) })
}

pub fn pre_prepare(view: u64, height: u64, block: &[u8], n: usize) -> Message {
    Message::PrePrepare(signed_pre_prepare(view, height, block, n), payload(block))
}

pub fn prepare(from: u16, view: u64, height: u64, block: &[u8]) -> Message {
    Message::Prepare(signed(from, Prepare { proposal: proposal(view, height, block) }))
}

pub fn vote(view: u64, height: u64, block: &[u8]) -> CommitVote {
    CommitVote { height: Height(height), view: View(view), header_hash: header_hash(block) }
}

pub fn commit(from: u16, view: u64, height: u64, block: &[u8]) -> Message {
    Message::Commit(signed(from, vote(view, height, block)))
}

pub fn checkpoint(from: u16, height: u64, block: &[u8]) -> Message {
    Message::Checkpoint(signed(from, Checkpoint { height: Height(height), header_hash: header_hash(block) }))
}

pub fn commit_certificate(view: u64, height: u64, block: &[u8], signers: &[u16]) -> CommitCertificate {
    let vote = vote(view, height, block);
    let signatures = signers.iter().map(|from| (ReplicaId(*from), signed(*from, vote).signature)).collect();
    CommitCertificate { vote, signatures }
}

/// A certificate by the primary of `view` and `voters`.
pub fn prepared_certificate(
    view: u64,
    height: u64,
    block: &[u8],
    voters: &[u16],
    n: usize,
) -> PreparedCertificate {
    let content = Prepare { proposal: proposal(view, height, block) };
    let votes: Vec<_> =
        voters.iter().map(|from| (ReplicaId(*from), signed(*from, content).signature)).collect();
    // Certificates have no public constructor; a hostile peer makes one from bytes, as here.
    let bytes = borsh::to_vec(&(signed_pre_prepare(view, height, block, n), votes)).unwrap();
    PreparedCertificate::try_from_slice(&bytes).unwrap()
}

pub fn view_change(
    from: u16,
    new_view: u64,
    base: Option<CommitCertificate>,
    prepared: Vec<PreparedCertificate>,
) -> Signed<ViewChange> {
    signed(from, ViewChange { new_view: View(new_view), base, prepared })
}

/// The new-view of the primary of `view`.
pub fn new_view(
    view: u64,
    view_changes: Vec<Signed<ViewChange>>,
    pre_prepares: Vec<Signed<PrePrepare>>,
    n: usize,
) -> Message {
    let primary = u16::try_from(view % n as u64).unwrap();
    Message::NewView(signed(primary, NewView { view: View(view), view_changes, pre_prepares }))
}

pub fn status(from: u16, view: u64, height: u64, phase: amulet_pbft::message::Phase) -> Message {
    let content = Status {
        view: View(view),
        target: View(view),
        height: Height(height),
        stable: Height(0),
        phases: vec![phase],
    };
    Message::Status(signed(from, content))
}

/// The effects' kinds, so that a table shows order and nothing else.
pub fn kinds(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Persist(record) => format!("persist {:?}", record.key()),
            Effect::Send(to, message) => format!("send {} to {to}", message.kind()),
            Effect::Broadcast(message) => format!("broadcast {}", message.kind()),
            Effect::StartTimer(timer, _) => format!("start {:?}", timer.kind),
            Effect::StopTimer(kind) => format!("stop {kind:?}"),
            Effect::Propose { height, .. } => format!("propose {height}"),
            Effect::Validate { height, provenance, .. } => format!("validate {height} {provenance:?}"),
            Effect::Commit { certificate, .. } => format!("commit {}", certificate.vote.height),
            Effect::Stable { height } => format!("stable {height}"),
            Effect::CatchUp { to, hint } => format!("catch up to {to} from {hint}"),
            Effect::Report(evidence) => format!("report {}", evidence.offender()),
        })
        .collect()
}
