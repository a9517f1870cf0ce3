//! Catching up with the others: certified blocks from one peer after the other.

use super::{Engine, EngineError, Role};
use crate::consensus::event::{Action, EngineTimer, Now, TimerName};
use crate::consensus::job::{Judgement, Task};
use crate::consensus::sync::CommittedBlock;
use amulet_pbft::planted::Bug;
use amulet_pbft::{CommitCertificate, Input, Tip};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Height, ReplicaId};
use std::collections::VecDeque;

/// Where catching up stands. One peer is asked at a time, and what it gave is adopted before anybody is asked again.
#[derive(Default)]
pub(super) enum CatchUp {
    /// Nothing is under way.
    #[default]
    Idle,
    /// A peer was asked; the others are next, in this order.
    Asking { next: VecDeque<ReplicaId> },
    /// Committed blocks are being executed, in order of height.
    Adopting { blocks: VecDeque<CommittedBlock> },
}

impl Engine {
    /// Begins to catch up with a peer that says it is ahead, unless that is under way.
    pub(super) fn catch_up(&mut self, hint: ReplicaId, out: &mut Vec<Action>) {
        if let CatchUp::Idle = self.catch_up {
            let next = self.epoch.others().into_iter().filter(|replica| *replica != hint).collect();
            self.ask(hint, next, out);
        }
    }

    /// An observer hears nothing of the others' agreement, so it asks one of them now and then.
    pub(super) fn follow(&mut self, out: &mut Vec<Action>) {
        let Role::Observer(tip) = &self.role else { return };
        let (others, turn) = (self.epoch.others(), self.batches);
        self.batches += 1;
        let turn = usize::try_from(turn ^ tip.height.0).unwrap_or(0).checked_rem(others.len());
        if let Some(peer) = turn.and_then(|turn| others.get(turn)) {
            self.catch_up(*peer, out);
        }
        let timer =
            EngineTimer { epoch: self.epoch.set.epoch, name: TimerName::Follow, generation: self.batches };
        out.push(Action::SetTimer { timer, after: self.parts.settings.timeouts.heartbeat });
    }

    fn ask(&mut self, peer: ReplicaId, next: VecDeque<ReplicaId>, out: &mut Vec<Action>) {
        self.catch_up = CatchUp::Asking { next };
        out.push(Action::Fetch { peer, from: self.tip().height.next() });
    }

    /// Asks the next peer, if there is one left.
    fn ask_next(&mut self, out: &mut Vec<Action>) {
        if let CatchUp::Asking { mut next } = std::mem::take(&mut self.catch_up)
            && let Some(peer) = next.pop_front()
        {
            self.ask(peer, next, out);
        }
    }

    pub(super) fn on_fetched(
        &mut self,
        peer: ReplicaId,
        blocks: Option<Vec<UntrustedCertifiedBlock>>,
        out: &mut Vec<Action>,
    ) {
        let CatchUp::Asking { .. } = self.catch_up else { return };
        let next = self.tip().height.next();
        let first =
            blocks.as_deref().and_then(|blocks| blocks.first()).map(|block| block.block.header.height);
        match (blocks, first) {
            // Blocks may have been committed since the peer was asked.
            (Some(blocks), Some(from)) if from <= next => {
                if self.is_planted(Bug::AdoptUnproven) {
                    self.on_checked(peer, Some(CommittedBlock::unproven(blocks)), out);
                    return;
                }
                let verifier = self.epoch.verifier.clone();
                self.run(Task::CheckBlocks { peer, from, blocks, verifier }, out);
            }
            _ => self.ask_next(out),
        }
    }

    /// Who sends anything that is not committed is passed over: a peer must not be able to keep this node behind.
    pub(super) fn on_checked(
        &mut self,
        peer: ReplicaId,
        committed: Option<Vec<CommittedBlock>>,
        out: &mut Vec<Action>,
    ) {
        match committed {
            Some(blocks) => {
                self.catch_up = CatchUp::Adopting { blocks: blocks.into() };
                self.adopt_next(peer, false, out);
            }
            None => {
                tracing::warn!(replica = peer.0, "peer sent blocks that were never committed");
                self.ask_next(out);
            }
        }
    }

    /// Has the next committed block executed. When there is none left and some were of use, the peer has more perhaps.
    fn adopt_next(&mut self, peer: ReplicaId, was_useful: bool, out: &mut Vec<Action>) {
        let next = self.tip().height.next();
        let CatchUp::Adopting { blocks } = &mut self.catch_up else { return };
        while blocks.pop_front_if(|block| block.height() < next).is_some() {}
        match blocks.pop_front() {
            Some(block) => self.run(Task::Execute { peer, block: Box::new(block) }, out),
            None if was_useful => self.ask(peer, VecDeque::new(), out),
            None => self.catch_up = CatchUp::Idle,
        }
    }

    pub(super) fn on_executed(
        &mut self,
        now: Now,
        peer: ReplicaId,
        height: Height,
        certificate: CommitCertificate,
        judged: Judgement,
        out: &mut Vec<Action>,
    ) -> Result<(), EngineError> {
        // It may have been committed in the normal course meanwhile.
        let is_next = height == self.tip().height.next();
        if is_next {
            let Judgement::Right(executed) = judged else { return Err(EngineError::Diverged { height }) };
            let (header_hash, ends_epoch) = (executed.hash(), executed.ends_epoch());
            self.apply(now, executed, certificate.clone(), out);
            if let Role::Observer(tip) = &mut self.role {
                *tip = Tip { height, header_hash, certificate: Some(certificate) };
                self.enter_next_epoch(now, out)?;
            } else {
                self.step(now, Input::Synced { certificate, ends_epoch }, out)?;
            }
        }
        self.adopt_next(peer, is_next, out);
        Ok(())
    }
}
