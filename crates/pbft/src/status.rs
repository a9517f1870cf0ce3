//! Making up for lost messages: status messages, retransmission, payload requests, catching up.
//!
//! The network may lose anything. Every heartbeat a replica says how far it is, and whoever is ahead answers with what
//! the sender lacks. So a lost message costs one heartbeat, and a replica that was away finds its way back.

use std::collections::{BTreeMap, BTreeSet};

use amulet_protocol::ids::{Height, ReplicaId};

use crate::effect::Effect;
use crate::message::{Message, PayloadReply, PayloadRequest, Phase, Signed, Status};
use crate::new_view::payload_holders;
use crate::payload::Payload;
use crate::rejection::Rejection;
use crate::replica::{Mode, Replica};
use crate::slot::Progress;
use crate::timer::TimerKind;

/// What the others say of themselves.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// The highest height that each says it has committed: their word, not proof.
    heights: BTreeMap<ReplicaId, Height>,
    /// This replica's height at its last heartbeat.
    last_height: Height,
    /// Those heard since the progress timer started.
    pub(crate) heard: BTreeSet<ReplicaId>,
    /// Heartbeats so far; takes turns among those who may help.
    heartbeats: u64,
}

impl Peers {
    /// One of those who say they are above `height`, another one each time.
    fn ahead_of(&self, height: Height) -> Option<(ReplicaId, Height)> {
        let ahead: Vec<_> = self.heights.iter().filter(|(_, claimed)| **claimed > height).collect();
        let turn = usize::try_from(self.heartbeats).unwrap_or(0).checked_rem(ahead.len())?;
        ahead.get(turn).map(|(replica, claimed)| (**replica, **claimed))
    }
}

impl Replica {
    /// Takes note of a height that `replica` says it has committed.
    pub(crate) fn note_height(&mut self, replica: ReplicaId, height: Height) {
        let known = self.peers.heights.entry(replica).or_default();
        *known = height.max(*known);
    }

    pub(crate) fn status(&self) -> Signed<Status> {
        self.sign(Status {
            view: self.view,
            target: self.target(),
            height: self.tip.height,
            stable: self.checkpoints.low,
            phases: vec![self.slot.progress.phase()],
        })
    }

    /// Rule PBFT-RT-1: with every heartbeat, say how far this replica is, and again what it still waits for.
    pub(crate) fn on_heartbeat(&mut self) {
        self.peers.heartbeats = self.peers.heartbeats.wrapping_add(1);
        self.effects.push(Effect::Broadcast(Message::Status(self.status())));
        if let Mode::ViewChange { .. } = self.mode
            && let Some(own) = self.view_changes.get(&self.config.replica())
        {
            self.effects.push(Effect::Broadcast(Message::ViewChange(own.clone())));
        }
        self.request_payload();
        self.catch_up_if_stuck();
        self.start_timer(TimerKind::Heartbeat, self.config.timeouts().heartbeat);
    }

    /// Rule PBFT-RT-3: behind, and no further than at the last heartbeat. In between, being one block behind is only
    /// the order in which messages arrived.
    fn catch_up_if_stuck(&mut self) {
        let height = self.tip.height;
        if self.peers.last_height == height
            && let Some((hint, to)) = self.peers.ahead_of(height)
        {
            self.effects.push(Effect::CatchUp { to, hint });
        }
        self.peers.last_height = height;
    }

    /// Rule PBFT-RT-2: answers a status with what its sender lacks. Each answer goes to a replica that is behind in the
    /// same respect, so answers do not answer each other for ever.
    pub(crate) fn on_status(&mut self, signed: &Signed<Status>) -> Result<(), Rejection> {
        let (sender, status) = (signed.sender, &signed.content);
        self.note_height(sender, status.height);
        if status.height.0 > self.tip.height.0.saturating_add(1) {
            self.effects.push(Effect::CatchUp { to: status.height, hint: sender });
        }
        if status.height < self.tip.height {
            self.effects.push(Effect::Send(sender, Message::Status(self.status())));
        }
        let is_waiting_for_view = status.view < self.view && status.target <= self.view;
        if is_waiting_for_view && let Some(new_view) = &self.new_view {
            self.effects.push(Effect::Send(sender, Message::NewView(new_view.clone())));
        }
        if let Some(own) = &self.checkpoints.own
            && own.content.height > status.stable
        {
            self.effects.push(Effect::Send(sender, Message::Checkpoint(own.clone())));
        }
        let is_alongside = self.mode == Mode::Normal
            && (status.view, status.target, status.height) == (self.view, self.view, self.tip.height);
        if is_alongside {
            let phase = status.phases.first().copied().unwrap_or(Phase::AwaitingProposal);
            self.repeat_votes(sender, phase);
        }
        Ok(())
    }

    /// Sends again what this replica said about the height in flight, as far as the other may lack it.
    fn repeat_votes(&mut self, to: ReplicaId, phase: Phase) {
        let me = self.config.replica();
        let mut messages = Vec::new();
        if self.is_primary()
            && phase == Phase::AwaitingProposal
            && let Some((pre_prepare, payload)) = self.slot.progress.accepted()
        {
            messages.push(Message::PrePrepare(pre_prepare.clone(), payload.clone()));
        }
        if phase < Phase::Committing {
            messages.extend(self.slot.prepares.get(&me).cloned().map(Message::Prepare));
        }
        messages.extend(self.slot.commits.get(&me).cloned().map(Message::Commit));
        self.effects.extend(messages.into_iter().map(|message| Effect::Send(to, message)));
    }

    /// Rule PBFT-RT-5: asks for the payload of a carried proposal, another holder each heartbeat.
    pub(crate) fn request_payload(&mut self) {
        let Progress::AwaitingPayload(pre_prepare) = &self.slot.progress else { return };
        let Some(new_view) = &self.new_view else { return };
        let proposal = pre_prepare.content.proposal;
        let mut holders = payload_holders(&proposal, &new_view.content.view_changes);
        holders.retain(|holder| *holder != self.config.replica());
        let turn = usize::try_from(self.peers.heartbeats).unwrap_or(0).checked_rem(holders.len());
        let Some(holder) = turn.and_then(|turn| holders.get(turn)) else { return };
        let request =
            self.sign(PayloadRequest { height: proposal.height, payload_digest: proposal.payload_digest });
        self.effects.push(Effect::Send(*holder, Message::PayloadRequest(request)));
    }

    /// Rule PBFT-RT-6: gives a payload of the height in flight to who asks.
    pub(crate) fn on_payload_request(&mut self, request: &Signed<PayloadRequest>) -> Result<(), Rejection> {
        let PayloadRequest { height, payload_digest } = request.content;
        let payload =
            self.find_payload(payload_digest).ok_or(Rejection::PayloadNotHeld { digest: payload_digest })?;
        let reply = self.sign(PayloadReply { height, payload_digest });
        self.effects.push(Effect::Send(request.sender, Message::PayloadReply(reply, payload)));
        Ok(())
    }

    /// Rule PBFT-RT-7: takes the payload that is awaited, from whomever; its digest is in the proposal.
    pub(crate) fn on_payload_reply(
        &mut self,
        reply: &Signed<PayloadReply>,
        payload: Payload,
    ) -> Result<(), Rejection> {
        let digest = reply.content.payload_digest;
        match &self.slot.progress {
            Progress::AwaitingPayload(pre_prepare)
                if pre_prepare.content.proposal.payload_digest == digest =>
            {
                self.validate(pre_prepare.clone(), payload);
                Ok(())
            }
            _ => Err(Rejection::PayloadNotAwaited { digest }),
        }
    }
}
