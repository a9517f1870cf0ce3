//! The replica, its driver with disk and ledger, and what has been said so far.

use std::collections::BTreeMap;

use amulet_crypto::signing::{Signature, SigningContext};
use amulet_pbft::message::{Content, Proposal, Signed, ViewChange};
use amulet_pbft::{
    Cause, CommitCertificate, Config, Effect, Input, LogRecord, Message, Outcome, Payload, ProposedBlock,
    RecordKey, Replica, Requests, Signer, Suspicion, Timeouts, Timer, TimerKind, Tip, UntrustedMessage,
    Verdict,
};
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;

use super::bytes::Bytes;
use super::rules::Rules;
use crate::decoders::gullible;
use crate::seeds::digest;

/// A deliberate bug, in builds that have them.
#[cfg(feature = "planted")]
pub(super) type Planted = Option<amulet_pbft::planted::Bug>;
/// No bug: this build has none.
#[cfg(not(feature = "planted"))]
pub(super) type Planted = Option<std::convert::Infallible>;

#[cfg(feature = "planted")]
fn plant(config: Config, planted: Planted) -> Config {
    config.with_planted(planted.into_iter().collect())
}

#[cfg(not(feature = "planted"))]
fn plant(config: Config, _: Planted) -> Config {
    config
}

/// Replicas in the set.
pub(super) const SIZE: u16 = 4;

/// Proposals remembered, so that later choices can name them.
const PROPOSALS_MAX: usize = 64;

/// A block of the world: its header hash and payload follow from height, parent and variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) height: Height,
    pub(super) parent: HeaderHash,
    pub(super) header_hash: HeaderHash,
    pub(super) payload: Payload,
}

impl Block {
    pub(super) fn on(parent: HeaderHash, height: Height, variant: u8) -> Self {
        let bytes = [parent.0.as_bytes().as_slice(), &height.0.to_le_bytes(), &[variant]].concat();
        let payload = Payload::new(bytes.clone()).expect("a small payload");
        Self { height, parent, header_hash: HeaderHash(digest(&bytes)), payload }
    }

    pub(super) fn proposal(&self, view: View) -> Proposal {
        Proposal {
            view,
            height: self.height,
            parent: self.parent,
            header_hash: self.header_hash,
            payload_digest: self.payload.digest(),
        }
    }
}

/// Signs the same content the same way again, and different ones differently.
#[derive(Clone, Copy)]
pub(super) struct CheapSigner(pub(super) ReplicaId);

impl Signer for CheapSigner {
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
        let sum = digest(&[context.tag().as_bytes(), &self.0.0.to_le_bytes(), message].concat());
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(sum.as_bytes());
        Signature::from_bytes(bytes)
    }
}

pub(super) fn signed<T: Content>(content: T, sender: ReplicaId) -> Signed<T> {
    Signed::new(content, sender, &CheapSigner(sender))
}

pub(super) struct World {
    pub(super) config: Config,
    pub(super) replica: Replica,
    pub(super) tip: Tip,
    pub(super) log: BTreeMap<RecordKey, LogRecord>,
    pub(super) timers: BTreeMap<TimerKind, Timer>,
    /// Every block that anybody named, genesis left out.
    pub(super) blocks: Vec<Block>,
    /// Every proposal that anybody made.
    pub(super) proposals: Vec<Proposal>,
    pub(super) view_changes: Vec<Signed<ViewChange>>,
    asked: Vec<(View, Height, HeaderHash)>,
    validations: Vec<(View, Height, HeaderHash)>,
    /// Of the next step with more effects than this, only so many are carried out before the replica stops and starts
    /// again.
    stop_after: Option<usize>,
    rules: Rules,
}

impl World {
    pub(super) fn start(bytes: &mut Bytes<'_>, planted: Planted) -> Self {
        let quorum = Quorum::for_size(usize::from(SIZE)).expect("four validators are a set");
        let me = ReplicaId(bytes.below(usize::from(SIZE)) as u16);
        let depth = bytes.below(4) as u64 + 1;
        let config = Config::new(me, quorum, Timeouts::default(), 4, 16)
            .and_then(|config| config.with_depth(depth))
            .expect("the settings fit each other");
        let config = plant(config, planted);
        let tip = Tip::genesis(HeaderHash(digest(b"genesis")));
        let (replica, effects) = Replica::new(config.clone(), Box::new(CheapSigner(me)), tip.clone())
            .expect("nothing contradicts an empty log");
        let mut world = Self {
            config,
            replica,
            tip,
            log: BTreeMap::new(),
            timers: BTreeMap::new(),
            blocks: Vec::new(),
            proposals: Vec::new(),
            view_changes: Vec::new(),
            asked: Vec::new(),
            validations: Vec::new(),
            stop_after: None,
            rules: Rules::default(),
        };
        world.carry_out(effects, usize::MAX);
        world
    }

    pub(super) fn me(&self) -> ReplicaId {
        self.config.replica()
    }

    /// One thing happens.
    pub(super) fn advance(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(20) {
            0..=11 => self.peers_speak(bytes),
            12 => self.propose(bytes),
            13 => self.judge(bytes, Verdict::Valid),
            14 => self.judge(bytes, Verdict::Invalid),
            15 => self.give(Input::Requests(if bytes.below(4) == 3 {
                Requests::Empty
            } else {
                Requests::Waiting
            })),
            16 => {
                let timers: Vec<Timer> = self.timers.values().copied().collect();
                if let Some(timer) = bytes.pick(&timers) {
                    self.timers.remove(&timer.kind);
                    self.give(Input::TimerFired(timer));
                }
            }
            17 => {
                let cause = bytes.pick(&[Cause::Slow, Cause::Unfair]).expect("two causes");
                self.give(Input::Suspect(Suspicion { view: self.replica.view(), cause }));
            }
            18 => self.sync(bytes),
            _ => match bytes.below(4) {
                0 => self.restart(),
                count => self.stop_after = Some(count - 1),
            },
        }
    }

    /// What the replica made of a message; nothing if it did not get as far.
    pub(super) fn receive(&mut self, message: Message) -> Option<Outcome> {
        if message.sender() == self.me() {
            return None;
        }
        let wire = message.encode(Epoch(0));
        let decoded = UntrustedMessage::decode(&wire).expect("a message decodes from its encoding");
        decoded.verify(&gullible()).ok().map(|verified| self.hand_in(Input::Message(verified)))
    }

    fn give(&mut self, input: Input) {
        let _ = self.hand_in(input);
    }

    fn hand_in(&mut self, input: Input) -> Outcome {
        let step = self.replica.step(input);
        let outcome = step.outcome;
        match self.stop_after.take() {
            Some(count) if count < step.effects.len() => {
                self.carry_out(step.effects, count);
                self.restart();
            }
            _ => self.carry_out(step.effects, usize::MAX),
        }
        outcome
    }

    pub(super) fn remember(&mut self, block: Block, view: View) -> Proposal {
        let proposal = block.proposal(view);
        if !self.blocks.contains(&block) {
            self.blocks.push(block);
        }
        if !self.proposals.contains(&proposal) {
            self.proposals.push(proposal);
        }
        // What is no longer near is of no use.
        let committed = self.tip.height;
        if self.proposals.len() > PROPOSALS_MAX {
            self.proposals.retain(|proposal| proposal.height >= committed);
            self.proposals.truncate(PROPOSALS_MAX);
        }
        proposal
    }

    /// The header hashes that a block at `height` may stand on.
    pub(super) fn parents_at(&self, height: Height) -> Vec<HeaderHash> {
        if height.0 == self.tip.height.0 + 1 {
            return vec![self.tip.header_hash];
        }
        let below = self.blocks.iter().filter(|block| block.height.0 + 1 == height.0);
        below.map(|block| block.header_hash).collect()
    }

    fn propose(&mut self, bytes: &mut Bytes<'_>) {
        let Some((view, height, parent)) = bytes.pick(&self.asked) else { return };
        self.asked.retain(|asked| *asked != (view, height, parent));
        let block = Block::on(parent, height, 0);
        self.remember(block.clone(), view);
        let Block { header_hash, payload, .. } = block;
        let ends_epoch = bytes.below(32) == 31;
        self.give(Input::Proposal(ProposedBlock { view, height, parent, header_hash, payload, ends_epoch }));
    }

    fn judge(&mut self, bytes: &mut Bytes<'_>, verdict: Verdict) {
        let Some((view, height, header_hash)) = bytes.pick(&self.validations) else { return };
        self.validations.retain(|asked| *asked != (view, height, header_hash));
        let ends_epoch = bytes.below(32) == 31;
        self.give(Input::Validated { view, height, header_hash, verdict, ends_epoch });
    }

    fn sync(&mut self, bytes: &mut Bytes<'_>) {
        let (tip, next) = (self.tip.header_hash, self.tip.height.next());
        let known: Vec<Block> = self.blocks.iter().filter(|block| block.parent == tip).cloned().collect();
        let block = bytes.pick(&known).unwrap_or_else(|| Block::on(tip, next, 7));
        let view = View(self.replica.view().0 + bytes.below(2) as u64);
        let proposal = self.remember(block, view);
        let certificate = self.commit_certificate(&proposal);
        self.adopt(certificate.clone());
        self.give(Input::Synced { certificate, ends_epoch: false });
    }

    fn adopt(&mut self, certificate: CommitCertificate) {
        let (height, header_hash) = (certificate.vote.height, certificate.vote.header_hash);
        self.tip = Tip { height, header_hash, certificate: Some(certificate) };
        self.blocks.retain(|block| block.height >= height);
    }

    fn restart(&mut self) {
        let records = self.log.values().cloned().collect();
        let signer = Box::new(CheapSigner(self.me()));
        let recovered = Replica::recover(self.config.clone(), signer, self.tip.clone(), records);
        let (replica, effects) = recovered.expect("a log that the core wrote fits the ledger it drove");
        self.replica = replica;
        self.timers.clear();
        self.asked.clear();
        self.validations.clear();
        self.carry_out(effects, usize::MAX);
    }

    /// Does what the core asks for, in order, and checks the rules on the way.
    fn carry_out(&mut self, effects: Vec<Effect>, count: usize) {
        self.rules.check_size(&self.config, &self.replica, &effects);
        for effect in effects.into_iter().take(count) {
            match effect {
                Effect::Persist(record) => {
                    self.log.insert(record.key(), record);
                }
                Effect::Send(to, message) => {
                    assert_ne!(to, self.me(), "no message to oneself");
                    self.speak(message);
                }
                Effect::Broadcast(message) => self.speak(message),
                Effect::StartTimer(timer, _) => {
                    self.timers.insert(timer.kind, timer);
                }
                Effect::StopTimer(kind) => {
                    self.timers.remove(&kind);
                }
                Effect::Propose { view, height, parent } => self.asked.push((view, height, parent)),
                Effect::Validate { view, height, header_hash, parent, .. } => {
                    self.rules.check_parent(&self.tip, &self.log, height, parent);
                    self.validations.push((view, height, header_hash));
                }
                Effect::Commit { certificate, payload } => {
                    self.rules.check_commit(&self.config, &self.tip, &self.log, &certificate, &payload);
                    self.adopt(certificate);
                }
                Effect::Stable { .. } => self.log.retain(|key, _| !key.is_obsolete(self.tip.height)),
                Effect::Report(evidence) => self.rules.check_report(&evidence),
                Effect::CatchUp { .. } => {}
            }
        }
    }

    fn speak(&mut self, message: Message) {
        self.rules.check_spoken(&self.config, &self.tip, &self.log, &message);
        if let Message::PrePrepare(signed, _) = &message {
            let proposal = signed.content.proposal;
            let built = self.blocks.iter().find(|block| block.header_hash == proposal.header_hash);
            let parent = built.map(|block| block.parent);
            assert!(
                parent.is_none_or(|parent| parent == proposal.parent),
                "a proposal names its block's parent"
            );
        }
        match message {
            Message::PrePrepare(signed, _) => self.proposals.push(signed.content.proposal),
            Message::ViewChange(signed) => self.view_changes.push(signed),
            _ => {}
        }
    }
}
