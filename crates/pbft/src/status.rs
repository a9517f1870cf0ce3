//! Making up for lost messages: status messages, retransmission, payload requests, catching up.
//!
//! The network may lose anything. Every heartbeat a replica says how far it is, and whoever is ahead answers with what
//! the sender lacks. So a lost message costs one heartbeat, and a replica that was away finds its way back.

use std::collections::{BTreeMap, BTreeSet};

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{Height, ReplicaId};

use crate::effect::Effect;
use crate::limits::{NEW_VIEW_ANSWERS, PAYLOADS_PER_ANSWER};
use crate::message::{Message, PayloadReply, PayloadRequest, Phase, Proposal, Signed, Status};
use crate::new_view::payload_holders;
use crate::payload::Payload;
use crate::planted::Bug;
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
    pub(crate) heartbeats: u64,
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
            phases: self.phases(),
        })
    }

    /// How far each height is, from the one after the tip to the highest of which anything is known.
    fn phases(&self) -> Vec<Phase> {
        let in_flight = self.slots.range(..=self.highest_in_flight());
        let highest = in_flight.map(|(height, _)| height.0).next_back().unwrap_or(self.tip.height.0);
        (self.active_height().0..=highest)
            .map(|height| {
                let slot = self.slots.get(&Height(height));
                slot.map_or(Phase::AwaitingProposal, |slot| slot.progress.phase())
            })
            .collect()
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
        self.request_payloads();
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
            self.catch_up(to, hint);
        }
        self.peers.last_height = height;
    }

    /// Rule PBFT-RT-8: others have committed a block of which nothing is here: its pre-prepare was lost, or it is another
    /// one. They will not send it again, for it is behind them.
    pub(crate) fn catch_up_if_passed(&mut self, vote: &Signed<CommitVote>) {
        let Some(slot) = self.slots.get(&vote.content.height) else { return };
        let is_here = slot.progress.payload().is_some()
            && slot
                .progress
                .pre_prepare()
                .is_some_and(|known| known.content.proposal.header_hash == vote.content.header_hash);
        if !is_here && slot.commits.count(&vote.content) == self.threshold() {
            self.catch_up(vote.content.height, vote.sender);
        }
    }

    pub(crate) fn catch_up(&mut self, to: Height, hint: ReplicaId) {
        if !self.is_planted(Bug::NeverCatchUp) {
            self.effects.push(Effect::CatchUp { to, hint });
        }
    }

    /// Rule PBFT-RT-2: answers a status with what its sender lacks. Each answer goes to a replica that is behind in the
    /// same respect, so answers do not answer each other for ever.
    pub(crate) fn on_status(&mut self, signed: &Signed<Status>) -> Result<(), Rejection> {
        let (sender, status) = (signed.sender, &signed.content);
        self.note_height(sender, status.height);
        if status.height > self.highest_in_flight() {
            self.catch_up(status.height, sender);
        }
        if status.height < self.tip.height {
            self.effects.push(Effect::Send(sender, Message::Status(self.status())));
        }
        let is_waiting_for_view = status.view < self.view && status.target <= self.view;
        if is_waiting_for_view
            && self.is_new_view_turn()
            && let Some(new_view) = &self.new_view
        {
            self.effects.push(Effect::Send(sender, Message::NewView(new_view.clone())));
        }
        if let Some(own) = &self.checkpoints.own
            && own.content.height > status.stable
        {
            self.effects.push(Effect::Send(sender, Message::Checkpoint(own.clone())));
        }
        let is_in_view = (status.view, status.target) == (self.view, self.view);
        if self.mode == Mode::Normal && is_in_view {
            self.repeat_votes(sender, status);
        }
        Ok(())
    }

    /// A new-view is large, and any replica of the view has it: a few answer at a time, others with each heartbeat.
    fn is_new_view_turn(&self) -> bool {
        let size = self.config.quorum().size() as u64;
        let turn = u64::from(self.config.replica().0).wrapping_add(self.peers.heartbeats) % size;
        turn < NEW_VIEW_ANSWERS
    }

    /// Sends again what this replica said about the heights that both have in flight, as far as the other may lack it. What
    /// came up since the last heartbeat is left out: most likely it is on its way still.
    fn repeat_votes(&mut self, to: ReplicaId, status: &Status) {
        if self.is_planted(Bug::NeverRepeat) {
            return;
        }
        let me = self.config.replica();
        let mut payloads = PAYLOADS_PER_ANSWER;
        let mut messages = Vec::new();
        for (height, slot) in self.slots.range(status.height.next()..) {
            if slot.since == self.peers.heartbeats {
                continue;
            }
            let place = usize::try_from(height.0 - status.height.0 - 1).unwrap_or(usize::MAX);
            let phase = status.phases.get(place).copied().unwrap_or(Phase::AwaitingProposal);
            if self.is_primary()
                && phase == Phase::AwaitingProposal
                && payloads > 0
                && let Some((pre_prepare, payload)) = slot.progress.accepted()
            {
                payloads -= 1;
                messages.push(Message::PrePrepare(pre_prepare.clone(), payload.clone()));
            }
            if phase < Phase::Committing {
                messages.extend(slot.prepares.get(me).cloned().map(Message::Prepare));
            }
            messages.extend(slot.commits.get(me).cloned().map(Message::Commit));
        }
        self.effects.extend(messages.into_iter().map(|message| Effect::Send(to, message)));
    }

    /// Rule PBFT-RT-5: asks for the payloads of carried proposals, another holder each heartbeat.
    pub(crate) fn request_payloads(&mut self) {
        let Some(new_view) = self.new_view.as_ref().filter(|_| !self.is_planted(Bug::NeverAskForPayload))
        else {
            return;
        };
        let mut requests = Vec::new();
        for slot in self.slots.values() {
            let Progress::AwaitingPayload(pre_prepare) = &slot.progress else { continue };
            let proposal = pre_prepare.content.proposal;
            let mut holders = payload_holders(&proposal, &new_view.content.view_changes);
            holders.retain(|holder| *holder != self.config.replica());
            let turn = usize::try_from(self.peers.heartbeats).unwrap_or(0).checked_rem(holders.len());
            let Some(holder) = turn.and_then(|turn| holders.get(turn)) else { continue };
            let Proposal { height, payload_digest, .. } = proposal;
            let request = self.sign(PayloadRequest { height, payload_digest });
            requests.push(Effect::Send(*holder, Message::PayloadRequest(request)));
        }
        self.effects.extend(requests);
    }

    /// Rule PBFT-RT-6: gives a payload of a height in flight to who asks.
    pub(crate) fn on_payload_request(&mut self, request: &Signed<PayloadRequest>) -> Result<(), Rejection> {
        let PayloadRequest { height, payload_digest } = request.content;
        let payload = self.find_payload(height, payload_digest);
        let payload = payload.ok_or(Rejection::PayloadNotHeld { digest: payload_digest })?;
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
        let PayloadReply { height, payload_digest: digest } = reply.content;
        let slot = self.slots.get_mut(&height).ok_or(Rejection::PayloadNotAwaited { digest })?;
        match &slot.progress {
            Progress::AwaitingPayload(pre_prepare)
                if pre_prepare.content.proposal.payload_digest == digest =>
            {
                slot.progress = Progress::Held(pre_prepare.clone(), payload);
                self.advance();
                Ok(())
            }
            _ => Err(Rejection::PayloadNotAwaited { digest }),
        }
    }
}
