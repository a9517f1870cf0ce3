//! Replicas that do not keep to the protocol. A liar runs the real engine; what leaves it is bent on its way out, each
//! receiver's copy by itself, and signed with the liar's own key.

mod copies;
mod forge;

use crate::packet::Packet;
use crate::rng::{Rng, Stream};
use crate::schedule::{Behaviour, Liar, PROGRESS, Plan};
use crate::setting::Setting;
use crate::signatures::QuickSigner;
use crate::time::Micros;
use amulet_node::consensus::EpochInForce;
use amulet_pbft::message::{NewView, PrePrepare, Prepare, Proposal, Signed, Status, ViewChange};
use amulet_pbft::{Evidence, Message, Payload};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use copies::CopyLies;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Messages that a liar remembers, to say them again.
const HEARD_MAX: usize = 200;
/// Votes heard of a thousand that a boasting liar holds against their author.
const SLANDERS_PER_MILLE: u64 = 10;
/// Heights whose blocks a liar remembers.
const BLOCKS_MAX: usize = 16;
/// What a slow primary leaves of the others' patience.
const MARGIN: Micros = Micros::millis(250);

/// One liar's state.
pub struct LiarMind {
    behaviours: BTreeSet<Behaviour>,
    replica: ReplicaId,
    quorum: Quorum,
    signer: QuickSigner,
    rng: Rng,
    heard: VecDeque<Message>,
    new_views: Vec<Signed<NewView>>,
    /// The newest vote of each, from whoever boasts.
    votes: BTreeMap<ReplicaId, Signed<CommitVote>>,
    /// Who gets nothing, from whoever withholds.
    shunned: BTreeSet<u16>,
    /// The other block told in place of a block.
    others: BTreeMap<HeaderHash, (HeaderHash, amulet_pbft::PayloadDigest)>,
    /// The newest block proposed at each of the last heights.
    blocks: BTreeMap<Height, (Proposal, Payload)>,
    copies: CopyLies,
}

/// Messages in place of one, each with how long it is held back.
type Lies = Vec<(Micros, Message)>;

impl LiarMind {
    /// The mind of a planned liar.
    #[must_use]
    pub fn new(liar: &Liar, plan: &Plan, setting: &Setting) -> Self {
        let mut rng = Rng::new(plan.seed ^ u64::from(liar.replica) << 32, Stream::Liars);
        let count = usize::try_from(rng.range(1, u64::from(plan.replicas))).expect("few");
        let shunned = rng.choose(count, usize::from(plan.replicas));
        Self {
            behaviours: liar.behaviours.iter().copied().collect(),
            replica: ReplicaId(liar.replica),
            quorum: Quorum::for_size(usize::from(plan.replicas)).expect("4 to 100 replicas"),
            signer: setting.quick_signer(liar.replica, Epoch::default()),
            rng,
            heard: VecDeque::new(),
            new_views: Vec::new(),
            votes: BTreeMap::new(),
            shunned: shunned.into_iter().filter_map(|index| u16::try_from(index).ok()).collect(),
            others: BTreeMap::new(),
            blocks: BTreeMap::new(),
            copies: CopyLies::default(),
        }
    }

    /// Takes its place in the epoch that its node is in.
    pub fn enter(&mut self, epoch: &EpochInForce) {
        let member = epoch.own.and_then(|own| Some((own, epoch.set.validators.get(own)?)));
        let Some((own, member)) = member else { return };
        self.replica = own;
        self.quorum = epoch.set.validators.quorum();
        self.signer.key = member.key.clone();
    }

    /// What a liar who is no validator any more says of a proposal that it got hold of: votes, as if it still were one.
    #[must_use]
    pub fn haunt(&mut self, packet: &Packet) -> Vec<Packet> {
        let Some(Message::PrePrepare(signed, _)) = packet.untrusted() else { return Vec::new() };
        self.signer.domain.epoch = packet.epoch();
        let proposal = signed.content.proposal;
        let (height, view, header_hash) = (proposal.height, proposal.view, proposal.header_hash);
        let prepare = Signed::new(Prepare { proposal }, self.replica, &self.signer);
        let commit = Signed::new(CommitVote { height, view, header_hash }, self.replica, &self.signer);
        let votes = [Message::Prepare(prepare), Message::Commit(commit)];
        votes.iter().filter_map(|vote| Packet::of(vote, packet.epoch())).collect()
    }

    /// Whether it behaves so.
    #[must_use]
    pub fn has(&self, behaviour: Behaviour) -> bool {
        self.behaviours.contains(&behaviour)
    }

    /// Two honest votes of one replica, of different views or heights, as if they contradicted each other.
    pub fn slander(&mut self, message: &Message) -> Option<Evidence> {
        let Message::Commit(vote) = message else { return None };
        if !self.has(Behaviour::Boast) {
            return None;
        }
        let before = self.votes.insert(vote.sender, vote.clone())?;
        self.rng.chance(SLANDERS_PER_MILLE).then(|| Evidence::Commits(before, vote.clone()))
    }

    /// Takes note of what others say.
    pub fn on_heard(&mut self, message: &Message) {
        if let Message::PrePrepare(signed, payload) = message
            && self.has(Behaviour::OrderBelowBase)
        {
            self.keep_block(signed.content.proposal, payload);
        }
        if self.has(Behaviour::Replay) {
            if self.heard.len() == HEARD_MAX {
                let at = usize::try_from(self.rng.range(0, HEARD_MAX as u64)).expect("small");
                self.heard.remove(at);
            }
            self.heard.push_back(message.clone());
        }
    }

    /// What one receiver gets in place of a message.
    pub fn bend(&mut self, packet: &Packet, to: ReplicaId) -> Vec<(Micros, Packet)> {
        let Some(message) = packet.untrusted() else { return Vec::new() };
        self.signer.domain.epoch = packet.epoch();
        if let Message::NewView(signed) = &message {
            self.new_views.push(signed.clone());
            self.new_views.truncate(8);
        }
        let mut lies = vec![(Micros(0), message)];
        for behaviour in self.behaviours.clone() {
            lies = lies.into_iter().flat_map(|lie| self.bend_one(behaviour, lie, to)).collect();
        }
        lies.into_iter()
            .filter_map(|(delay, message)| Some((delay, Packet::of(&message, packet.epoch())?)))
            .collect()
    }

    fn bend_one(&mut self, behaviour: Behaviour, lie: (Micros, Message), to: ReplicaId) -> Lies {
        let (delay, message) = lie;
        match behaviour {
            Behaviour::Equivocate if to.0 % 2 == 1 => vec![(delay, self.equivocate(message))],
            Behaviour::Contradict => {
                let other = self.equivocate(message.clone());
                vec![(delay, message), (delay + Micros::millis(1), other)]
            }
            Behaviour::PrepareAsPrimary => self.prepare_as_primary(delay, message),
            Behaviour::WrongParent => vec![(delay, self.wrong_parent(message))],
            Behaviour::OrderBelowBase => self.order_below_base(delay, message),
            Behaviour::Withhold if self.shunned.contains(&to.0) => Vec::new(),
            Behaviour::Silent => Vec::new(),
            Behaviour::Replay => self.replay(delay, message),
            Behaviour::ForgeCertificates => self.forge(delay, message),
            Behaviour::WrongNewView => vec![(delay, self.wrong_new_view(message))],
            Behaviour::WrongViewChange => self.wrong_view_change(delay, message),
            Behaviour::InvalidBlocks => vec![(delay, self.invalid_block(message))],
            Behaviour::Slow => {
                let most = match message {
                    Message::PrePrepare(..) => PROGRESS - MARGIN,
                    _ => Micros::millis(self.rng.range(0, 500)),
                };
                vec![(delay + most, message)]
            }
            Behaviour::CommitEarly => self.commit_early(delay, message),
            Behaviour::Boast => self.boast(delay, message),
            _ => vec![(delay, message)],
        }
    }

    /// Another block, or a vote for one.
    fn equivocate(&mut self, message: Message) -> Message {
        match message {
            Message::PrePrepare(signed, payload) => {
                let Some((other, payload)) = forge::another_block(&signed.content.proposal, &payload) else {
                    return Message::PrePrepare(signed, payload);
                };
                let told = (other.header_hash, other.payload_digest);
                self.others.insert(signed.content.proposal.header_hash, told);
                let content = PrePrepare { proposal: other };
                Message::PrePrepare(Signed::new(content, self.replica, &self.signer), payload)
            }
            Message::Prepare(signed) => {
                let mut proposal = signed.content.proposal;
                (proposal.header_hash, proposal.payload_digest) = self
                    .others
                    .get(&proposal.header_hash)
                    .copied()
                    .unwrap_or((HeaderHash(proposal.payload_digest.0), proposal.payload_digest));
                Message::Prepare(Signed::new(Prepare { proposal }, self.replica, &self.signer))
            }
            Message::Commit(signed) => {
                let mut vote = signed.content;
                let other = self.others.get(&vote.header_hash).map(|(hash, _)| *hash);
                vote.header_hash = other.unwrap_or(HeaderHash(amulet_crypto::digest::sm3(b"another block")));
                Message::Commit(Signed::new(vote, self.replica, &self.signer))
            }
            other => other,
        }
    }

    fn replay(&mut self, delay: Micros, message: Message) -> Lies {
        self.on_heard(&message);
        let mut lies = vec![(delay, message)];
        if self.rng.chance(150) {
            let at = usize::try_from(self.rng.range(0, self.heard.len() as u64)).expect("small");
            lies.extend(self.heard.get(at).map(|old| (delay, old.clone())));
        }
        lies
    }

    fn forge(&mut self, delay: Micros, message: Message) -> Lies {
        match message {
            Message::ViewChange(signed) => {
                let forged = forge::view_change(&mut self.rng, &signed.content, self.quorum);
                vec![(delay, self.view_change(forged))]
            }
            Message::NewView(signed) => {
                let forged = forge::new_view(&mut self.rng, &signed.content, self.quorum);
                vec![(delay, Message::NewView(Signed::new(forged, self.replica, &self.signer)))]
            }
            Message::Commit(signed) if self.rng.chance(300) => {
                // In everybody's name.
                let own = Message::Commit(signed.clone());
                let forged = (0..self.quorum.size())
                    .filter_map(|id| u16::try_from(id).ok())
                    .map(|id| Message::Commit(Signed { sender: ReplicaId(id), ..signed.clone() }));
                std::iter::once(own).chain(forged).map(|message| (delay, message)).collect()
            }
            other => vec![(delay, other)],
        }
    }

    fn wrong_new_view(&mut self, message: Message) -> Message {
        let Message::NewView(signed) = message else { return message };
        let mut content = signed.content.clone();
        match self.rng.range(0, 4) {
            0 => content.pre_prepares.clear(),
            1 => {
                content.view_changes.pop();
            }
            2 => {
                for pre_prepare in &mut content.pre_prepares {
                    let mut other = pre_prepare.content;
                    other.proposal.header_hash = HeaderHash(amulet_crypto::digest::sm3(b"another block"));
                    *pre_prepare = Signed::new(other, self.replica, &self.signer);
                }
            }
            _ => {
                if let Some(old) = self.rng.pick(&self.new_views).cloned() {
                    return Message::NewView(old);
                }
            }
        }
        Message::NewView(Signed::new(content, self.replica, &self.signer))
    }

    fn wrong_view_change(&mut self, delay: Micros, message: Message) -> Lies {
        match message {
            Message::ViewChange(signed) => {
                let mut content = signed.content.clone();
                match self.rng.range(0, 3) {
                    0 => (content.base, content.prepared) = (None, Vec::new()),
                    1 => content.prepared.clear(),
                    _ => content.new_view = View(content.new_view.0 + self.rng.range(1, 1_000)),
                }
                vec![(delay, self.view_change(content))]
            }
            Message::Status(status) if self.rng.chance(20) => {
                // Out of the blue.
                let new_view = View(status.content.view.0 + self.rng.range(1, 4));
                let wish = ViewChange { new_view, base: None, prepared: Vec::new() };
                let wish = self.view_change(wish);
                vec![(delay, Message::Status(status)), (delay, wish)]
            }
            other => vec![(delay, other)],
        }
    }

    fn invalid_block(&mut self, message: Message) -> Message {
        let Message::PrePrepare(signed, payload) = message else { return message };
        let (proposal, payload) = forge::invalid_block(&mut self.rng, &signed.content.proposal, &payload);
        let content = PrePrepare { proposal };
        Message::PrePrepare(Signed::new(content, self.replica, &self.signer), payload)
    }

    fn prepare_as_primary(&self, delay: Micros, message: Message) -> Lies {
        let Message::PrePrepare(signed, _) = &message else { return vec![(delay, message)] };
        let vote = Prepare { proposal: signed.content.proposal };
        let vote = Message::Prepare(Signed::new(vote, self.replica, &self.signer));
        vec![(delay, message), (delay + Micros(1), vote)]
    }

    fn wrong_parent(&self, message: Message) -> Message {
        let Message::PrePrepare(signed, payload) = message else { return message };
        let parent = HeaderHash(amulet_crypto::digest::sm3(b"another block"));
        let content = PrePrepare { proposal: Proposal { parent, ..signed.content.proposal } };
        Message::PrePrepare(Signed::new(content, self.replica, &self.signer), payload)
    }

    /// The new-view, and then, in its view, the newest blocks that it proves final: who is behind has a use for them.
    fn order_below_base(&mut self, delay: Micros, message: Message) -> Lies {
        if let Message::PrePrepare(signed, payload) = &message {
            self.keep_block(signed.content.proposal, payload);
        }
        let Message::NewView(signed) = &message else { return vec![(delay, message)] };
        let view = signed.content.view;
        let base = signed.content.view_changes.iter().map(|wish| wish.content.base_height()).max();
        let base = base.unwrap_or_default();
        let below = self.blocks.range(..=base).rev().take(2).filter_map(|(_, (proposal, payload))| {
            let (proposal, payload) = forge::in_view(proposal, payload, view, self.replica)?;
            let signed = Signed::new(PrePrepare { proposal }, self.replica, &self.signer);
            Some((delay + Micros(100), Message::PrePrepare(signed, payload)))
        });
        let below: Lies = below.collect();
        std::iter::once((delay, message)).chain(below).collect()
    }

    fn keep_block(&mut self, proposal: Proposal, payload: &Payload) {
        self.blocks.insert(proposal.height, (proposal, payload.clone()));
        if self.blocks.len() > BLOCKS_MAX {
            self.blocks.pop_first();
        }
    }

    fn commit_early(&mut self, delay: Micros, message: Message) -> Lies {
        let proposal = match &message {
            Message::PrePrepare(signed, _) => signed.content.proposal,
            Message::Prepare(signed) => signed.content.proposal,
            _ => return vec![(delay, message)],
        };
        let (height, view, header_hash) = (proposal.height, proposal.view, proposal.header_hash);
        let vote = Signed::new(CommitVote { height, view, header_hash }, self.replica, &self.signer);
        vec![(delay, Message::Commit(vote)), (delay, message)]
    }

    fn boast(&mut self, delay: Micros, message: Message) -> Lies {
        let Message::Status(signed) = &message else { return vec![(delay, message)] };
        let mut status: Status = signed.content.clone();
        status.height = Height(status.height.0 + self.rng.range(1, 2_000));
        if self.rng.chance(300) {
            status.target = View(status.target.0 + self.rng.range(1, 50));
        }
        if self.rng.chance(300) {
            status.stable = status.height;
        }
        let boast = Message::Status(Signed::new(status, self.replica, &self.signer));
        vec![(delay, boast)]
    }

    fn view_change(&self, content: ViewChange) -> Message {
        Message::ViewChange(Signed::new(content, self.replica, &self.signer))
    }

    /// What a liar answers to who asks it for blocks.
    pub fn bend_blocks(&mut self, mut blocks: Vec<UntrustedCertifiedBlock>) -> Vec<UntrustedCertifiedBlock> {
        if self.has(Behaviour::Silent) {
            return Vec::new();
        }
        if self.has(Behaviour::ForgeCertificates) || self.has(Behaviour::InvalidBlocks) {
            match self.rng.range(0, 4) {
                0 => blocks.iter_mut().for_each(|block| block.certificate.signatures.truncate(1)),
                1 => blocks.iter_mut().for_each(|block| block.block.transactions.clear()),
                2 => blocks.reverse(),
                _ => {}
            }
        }
        blocks
    }
}

impl Packet {
    /// A message on the wire, in an epoch.
    #[must_use]
    pub fn of(message: &Message, epoch: Epoch) -> Option<Self> {
        Self::new(Arc::new(message.encode(epoch)))
    }
}
