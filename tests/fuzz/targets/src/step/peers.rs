//! What the other replicas say. Certificates in it are well-formed, because others do not reach the core.

use amulet_pbft::certificate::Signatures;
use amulet_pbft::config::primary_of;
use amulet_pbft::message::{
    Checkpoint, NewView, PayloadReply, PayloadRequest, Phase, PrePrepare, Prepare, Proposal, Signed, Status,
    ViewChange,
};
use amulet_pbft::{CommitCertificate, Message, Outcome, PreparedCertificate, Rejection};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::codec;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use borsh::BorshDeserialize;

use super::bytes::Bytes;
use super::world::{Block, SIZE, World, signed};

/// View-changes remembered.
const VIEW_CHANGES_MAX: usize = 24;

impl World {
    pub(super) fn peers_speak(&mut self, bytes: &mut Bytes<'_>) {
        let peer = ReplicaId(bytes.below(usize::from(SIZE)) as u16);
        match bytes.below(12) {
            0 | 1 => self.pre_prepare(bytes),
            2 => self.vote(bytes, &[peer], false),
            3 | 4 => self.vote(bytes, &peers(), false),
            5 => self.vote(bytes, &[peer], true),
            6 | 7 => self.vote(bytes, &peers(), true),
            8 => self.view_changes(bytes),
            9 => self.new_view(bytes),
            10 => self.checkpoint(bytes, peer),
            _ => self.gossip(bytes, peer),
        }
    }

    fn near_view(&self, bytes: &mut Bytes<'_>) -> View {
        View(self.replica.view().0 + [0, 0, 0, 1][bytes.below(4)])
    }

    fn near_height(&self, bytes: &mut Bytes<'_>) -> Height {
        Height(self.tip.height.0 + 1 + bytes.below(self.config.depth() as usize + 1) as u64)
    }

    fn pre_prepare(&mut self, bytes: &mut Bytes<'_>) {
        let (view, height) = (self.near_view(bytes), self.near_height(bytes));
        let parents = self.parents_at(height);
        let Some(parent) = bytes.pick(&parents) else { return };
        let block = Block::on(parent, height, bytes.below(2) as u8);
        let payload = block.payload.clone();
        let proposal = self.remember(block, view);
        let primary = primary_of(view, self.config.quorum());
        self.receive(Message::PrePrepare(signed(PrePrepare { proposal }, primary), payload));
    }

    fn vote(&mut self, bytes: &mut Bytes<'_>, senders: &[ReplicaId], to_commit: bool) {
        // Newer proposals are more likely to be of use.
        let newest: Vec<Proposal> = self.proposals.iter().rev().take(8).copied().collect();
        let Some(proposal) = bytes.pick(&newest) else { return };
        for sender in senders {
            let message = if to_commit {
                Message::Commit(signed(commit_vote(&proposal), *sender))
            } else {
                Message::Prepare(signed(Prepare { proposal }, *sender))
            };
            self.receive(message);
        }
    }

    fn checkpoint(&mut self, bytes: &mut Bytes<'_>, peer: ReplicaId) {
        let height = Height((self.tip.height.0 / 4 + bytes.below(3) as u64) * 4);
        let header_hash = if bytes.below(4) == 3 {
            HeaderHash(crate::seeds::digest(b"other"))
        } else {
            self.tip.header_hash
        };
        let senders = if bytes.below(2) == 0 { peers() } else { vec![peer] };
        for sender in senders {
            self.receive(Message::Checkpoint(signed(Checkpoint { height, header_hash }, sender)));
        }
    }

    fn gossip(&mut self, bytes: &mut Bytes<'_>, peer: ReplicaId) {
        let (view, height) = (self.near_view(bytes), self.near_height(bytes));
        let message = match bytes.below(3) {
            0 => {
                let phases = vec![Phase::Preparing, Phase::AwaitingProposal, Phase::Committing];
                let phases = phases.into_iter().take(bytes.below(4)).collect();
                let height =
                    Height(self.tip.height.0.saturating_sub(bytes.below(2) as u64) + bytes.below(2) as u64);
                let target = View(view.0 + bytes.below(2) as u64);
                Message::Status(signed(Status { view, target, height, stable: Height(0), phases }, peer))
            }
            1 => {
                let Some(block) = bytes.pick(&self.blocks) else { return };
                let payload_digest = block.payload.digest();
                Message::PayloadRequest(signed(PayloadRequest { height, payload_digest }, peer))
            }
            _ => {
                let Some(block) = bytes.pick(&self.blocks) else { return };
                let payload_digest = block.payload.digest();
                let reply = PayloadReply { height: block.height, payload_digest };
                Message::PayloadReply(signed(reply, peer), block.payload)
            }
        };
        self.receive(message);
    }

    fn view_changes(&mut self, bytes: &mut Bytes<'_>) {
        let new_view = View(self.replica.view().0 + 1 + bytes.below(3) as u64);
        for _ in 0..=bytes.below(3) {
            let sender = ReplicaId(bytes.below(usize::from(SIZE)) as u16);
            if let Some(view_change) = self.view_change(bytes, new_view, sender) {
                self.receive(Message::ViewChange(view_change));
            }
        }
    }

    /// A view-change with a base that is the tip or right above, and linked certificates of lower views.
    fn view_change(
        &mut self,
        bytes: &mut Bytes<'_>,
        new_view: View,
        sender: ReplicaId,
    ) -> Option<Signed<ViewChange>> {
        if sender == self.me() {
            return None;
        }
        let is_ahead = bytes.below(6) == 5;
        let candidates: Vec<Proposal> =
            self.proposals.iter().filter(|proposal| proposal.view < new_view).copied().collect();
        let on_tip: Vec<Proposal> =
            candidates.iter().filter(|proposal| proposal.parent == self.tip.header_hash).copied().collect();
        let ahead = bytes.pick(&on_tip).filter(|_| is_ahead);
        let base =
            ahead.map(|proposal| self.commit_certificate(&proposal)).or_else(|| self.tip.certificate.clone());
        let (mut below, mut height) = match &base {
            Some(certificate) => (certificate.vote.header_hash, certificate.vote.height),
            None => (self.tip.header_hash, Height(0)),
        };
        let mut prepared = Vec::new();
        for _ in 0..bytes.below(self.config.depth() as usize + 1) {
            height = height.next();
            let linked: Vec<Proposal> = candidates
                .iter()
                .filter(|proposal| proposal.height == height && proposal.parent == below)
                .copied()
                .collect();
            let Some(proposal) = bytes.pick(&linked) else { break };
            below = proposal.header_hash;
            prepared.push(self.prepared_certificate(&proposal));
        }
        let view_change = signed(ViewChange { new_view, base, prepared }, sender);
        self.view_changes.push(view_change.clone());
        if self.view_changes.len() > VIEW_CHANGES_MAX {
            self.view_changes.remove(0);
        }
        Some(view_change)
    }

    /// A new-view from view-changes said before and new ones, with the proposals that the selection rule demands; sometimes
    /// with one left out, which must be refused.
    fn new_view(&mut self, bytes: &mut Bytes<'_>) {
        let view = View(self.replica.view().0 + 1 + bytes.below(3) as u64);
        let primary = primary_of(view, self.config.quorum());
        let mut view_changes: Vec<Signed<ViewChange>> = Vec::new();
        for sender in (0..SIZE).map(ReplicaId) {
            let said = self.view_changes.iter().rev();
            let said =
                said.into_iter().find(|said| said.sender == sender && said.content.new_view == view).cloned();
            view_changes.extend(said.or_else(|| self.view_change(bytes, view, sender)));
        }
        view_changes.sort_by_key(|view_change| view_change.sender);
        let (_, mut selected) = select(view, &view_changes);
        let is_bent = bytes.below(16) == 15 && selected.pop().is_some();
        self.proposals.extend(&selected);
        let pre_prepares =
            selected.into_iter().map(|proposal| signed(PrePrepare { proposal }, primary)).collect();
        let new_view = signed(NewView { view, view_changes, pre_prepares }, primary);
        let outcome = self.receive(Message::NewView(new_view));
        let is_refused = matches!(outcome, Some(Outcome::Ignored(Rejection::NewViewMismatch { .. })));
        assert!(is_bent || !is_refused, "a new-view that follows the selection rule is taken");
        let is_taken = matches!(outcome, Some(Outcome::Accepted));
        assert!(!is_bent || !is_taken, "a new-view that bends its certificate is refused");
    }

    pub(super) fn commit_certificate(&self, proposal: &Proposal) -> CommitCertificate {
        let vote = commit_vote(proposal);
        let signatures =
            (0..3).map(ReplicaId).map(|sender| (sender, signed(vote, sender).signature)).collect();
        CommitCertificate { vote, signatures }
    }

    fn prepared_certificate(&self, proposal: &Proposal) -> PreparedCertificate {
        let primary = primary_of(proposal.view, self.config.quorum());
        let vote = |sender| (sender, signed(Prepare { proposal: *proposal }, sender).signature);
        let backups = (0..SIZE).map(ReplicaId).filter(|sender| *sender != primary);
        let prepares: Signatures = backups.take(2).map(vote).collect();
        let pre_prepare = signed(PrePrepare { proposal: *proposal }, primary);
        PreparedCertificate::try_from_slice(&codec::encode(&(pre_prepare, prepares)))
            .expect("a certificate is a pre-prepare and votes")
    }
}

fn peers() -> Vec<ReplicaId> {
    (0..SIZE).map(ReplicaId).collect()
}

fn commit_vote(proposal: &Proposal) -> CommitVote {
    CommitVote { height: proposal.height, view: proposal.view, header_hash: proposal.header_hash }
}

/// The highest proven base, and the selection rule, written down a second time (PBFT-VC-5). Of conflicting bases, which only
/// more than f liars can prove, the first counts.
pub(super) fn select(view: View, view_changes: &[Signed<ViewChange>]) -> (Height, Vec<Proposal>) {
    let bases = view_changes.iter().rev().filter_map(|view_change| view_change.content.base.as_ref());
    let base = bases.max_by_key(|base| base.vote.height);
    let base_height = base.map_or(Height(0), |certificate| certificate.vote.height);
    let mut height = base_height;
    let mut below = base.map(|certificate| certificate.vote.header_hash);
    let mut selected: Vec<Proposal> = Vec::new();
    loop {
        height = height.next();
        let best = view_changes
            .iter()
            .flat_map(|view_change| &view_change.content.prepared)
            .map(PreparedCertificate::proposal)
            .filter(|proposal| proposal.height == height)
            .filter(|proposal| below.is_none_or(|below| proposal.parent == below))
            .max_by_key(|proposal| proposal.view);
        let Some(best) = best else { return (base_height, selected) };
        below = Some(best.header_hash);
        selected.push(Proposal { view, ..*best });
    }
}
