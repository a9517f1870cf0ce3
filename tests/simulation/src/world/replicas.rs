//! What replicas are told, and what becomes of what they do.

use super::{Happening, World};
use crate::checkers::{Checked, Checker, Standing, Watch, ensure};
use crate::disk::Unsynced;
use crate::packet::Packet;
use crate::schedule::FaultKind;
use crate::time::Micros;
use amulet_node::consensus::{Action, EngineTimer, Event, GateRefusal, Log, SPECULATIVE_BLOCKS_MAX};
use amulet_node::mempool::MEMPOOL_TRANSACTIONS_MAX;
use amulet_pbft::Replica;
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::ids::{Epoch, Height, ReplicaId};
use std::sync::Arc;

/// Shortest and longest time that a job takes, in microseconds.
const WORK: std::ops::Range<u64> = 200..6_000;
/// How long a replica waits for blocks from one peer.
const FETCH_PATIENCE: Micros = Micros::seconds(3);
/// Blocks in one answer of a peer.
const BLOCKS_PER_ANSWER: u64 = 16;
/// How soon a replica that could not start tries again.
const START_AGAIN: Micros = Micros::seconds(2);

impl World {
    pub(super) fn start(&mut self, index: usize) -> Checked {
        let node = &mut self.nodes[index];
        if node.up.is_some() || self.is_held_down(index) {
            return Ok(());
        }
        self.trace.note(self.now, "start", index, 0);
        let node = &mut self.nodes[index];
        node.is_between_epochs = false;
        let (had_copy, before) = (!node.disks.copy.is_empty(), node.durable);
        let started = node.start(&self.setting, self.now);
        let is_in_place = had_copy && node.disks.copy.is_empty();
        node.is_copy_unchecked |= is_in_place;
        match started {
            Ok(actions) => {
                self.check_durable(index)?;
                let is_unchecked = std::mem::take(&mut self.nodes[index].is_copy_unchecked);
                if is_unchecked && self.tip_of(index) > before {
                    self.check_copied(index, before)?;
                }
                self.begin_upkeep(index);
                self.watches[index].on_start();
                self.carry_out(index, actions)?;
                self.check_duties(index)
            }
            Err(error) => {
                let is_disk = self.is_disk_at_fault(index);
                self.crash(index, Unsynced::Lost);
                ensure(is_disk || !self.nodes[index].is_correct, Checker::Health, || {
                    format!("replica {} does not start: {error}", self.nodes[index].replica)
                })?;
                self.queue.push(self.now + START_AGAIN, Happening::Start { node: index });
                Ok(())
            }
        }
    }

    /// A replica that started has every block that was durable before.
    fn check_durable(&self, index: usize) -> Checked {
        let node = &self.nodes[index];
        let tip = self.tip_of(index);
        ensure(tip >= node.durable || !node.is_correct, Checker::Durability, || {
            format!("replica {} had block {} and starts at {tip}", node.replica, node.durable)
        })
    }

    fn tip_of(&self, index: usize) -> Height {
        self.nodes[index].up.as_ref().map_or(Height(0), |up| up.ledger.tip().height)
    }

    pub(super) fn deliver(&mut self, from: u16, index: usize, packet: Packet) -> Checked {
        let node = &self.nodes[index];
        let Some(up) = &node.up else { return Ok(()) };
        if node.busy_until > self.now {
            self.queue.push(node.busy_until, Happening::Deliver { from, node: index, packet });
            return Ok(());
        }
        self.summary.messages += 1;
        self.trace.note(self.now, packet.kind(), index, u64::from(from));
        let peer = up.member(&self.setting.hospitals[usize::from(from)]);
        let message = match up.engine.gate().admit(peer, packet.bytes()) {
            Ok(message) => message,
            Err(GateRefusal::EpochAhead { .. }) => {
                return self.feed(index, |_| peer.map(|peer| Event::PeerAhead { peer }));
            }
            Err(_) => return Ok(()),
        };
        self.conflicts.on_heard(index, message.epoch().0, message.message());
        if let Some(standing) = self.standing(index) {
            self.watches[index].on_heard(&standing, message.message());
        }
        if let Some(mind) = self.minds.get_mut(&self.nodes[index].replica) {
            mind.on_heard(message.message());
            if let Some(evidence) = mind.slander(message.message()) {
                self.slander(index, message.epoch(), &evidence)?;
            }
        }
        self.feed(index, |_| Some(Event::Message(message)))
    }

    pub(super) fn on_timer(&mut self, index: usize, life: u64, timer: EngineTimer) -> Checked {
        if !self.is_running(index, life) || self.nodes[index].timers.get(&timer.name) != Some(&timer) {
            return Ok(());
        }
        if self.nodes[index].busy_until > self.now {
            let at = self.nodes[index].busy_until;
            self.queue.push(at, Happening::Timer { node: index, life, timer });
            return Ok(());
        }
        self.nodes[index].timers.remove(&timer.name);
        self.trace.note(self.now, "timer", index, timer.generation);
        self.feed(index, |_| Some(Event::Timer(timer)))
    }

    /// Tells a replica of transactions that came in.
    pub(super) fn feed_news(&mut self, index: usize) -> Checked {
        let now = self.nodes[index].now(self.now);
        match self.nodes[index].up.as_mut().map(|up| up.tell(now)) {
            Some(Ok(actions)) => self.carry_out(index, actions),
            Some(Err(error)) => self.stop(index, &error),
            None => Ok(()),
        }
    }

    /// Hands an event to a replica and does what it says.
    pub(super) fn feed(&mut self, index: usize, event: impl FnOnce(&Self) -> Option<Event>) -> Checked {
        let Some(event) = event(self) else { return Ok(()) };
        let now = self.nodes[index].now(self.now);
        let Some(up) = self.nodes[index].up.as_mut() else { return Ok(()) };
        match up.handle(now, event) {
            Ok(actions) => {
                self.carry_out(index, actions)?;
                self.check_duties(index)?;
                self.check_custody(index)?;
                self.check_memory(index)
            }
            Err(error) => self.stop(index, &error),
        }
    }

    /// Does what a replica says, in order. It may stop between any two actions, and in the midst of a write.
    fn carry_out(&mut self, index: usize, actions: Vec<Action>) -> Checked {
        let life = self.nodes[index].life;
        let mut at = self.now.max(self.nodes[index].busy_until);
        for action in actions {
            if !self.is_running(index, life) {
                return Ok(());
            }
            self.carry_out_one(index, action, &mut at)?;
        }
        if self.is_running(index, life) {
            self.nodes[index].busy_until = at;
        }
        Ok(())
    }

    fn carry_out_one(&mut self, index: usize, action: Action, at: &mut Micros) -> Checked {
        let life = self.nodes[index].life;
        let sync = self.nodes[index].sync;
        let Some(up) = self.nodes[index].up.as_mut() else { return Ok(()) };
        match action {
            Action::Append(records) => {
                *at = *at + sync;
                if self.setting.has_bug("skip-log-before-vote") {
                    return Ok(());
                }
                match up.log.append(&records) {
                    Ok(()) => Ok(()),
                    Err(error) => self.stop(index, &error),
                }
            }
            Action::Prune(height) => match up.log.prune(height) {
                Ok(()) => Ok(()),
                Err(error) => self.stop(index, &error),
            },
            Action::Commit { block, certificate } => {
                *at = *at + sync;
                let commit = || up.ledger.commit(&block, certificate.clone());
                let committed = match self.setting.has_bug("execute-block-twice") {
                    true => commit().and_then(|_| commit()),
                    false => commit(),
                };
                let (epoch, own) = (up.in_force.set.epoch.0, up.in_force.own);
                match committed {
                    Ok(tip) => {
                        self.trace.note(self.now, "commit!", index, tip.height.0);
                        self.nodes[index].durable = tip.height;
                        self.watches[index].settle(tip.height);
                        if self.nodes[index].is_correct {
                            if let Some(own) = own {
                                self.promises.on_committed(epoch, own, tip.height, tip.hash);
                            }
                            self.chain.on_commit(&block, &certificate)?;
                        }
                        self.prune_after(index, tip.height);
                        Ok(())
                    }
                    Err(error) => self.stop(index, &error),
                }
            }
            Action::Send { to, bytes } => self.send(index, &[to], bytes, *at),
            Action::Broadcast { bytes } => {
                let others = up.in_force.others();
                self.send(index, &others, bytes, *at)
            }
            Action::SetTimer { timer, after } => {
                let node = &mut self.nodes[index];
                node.timers.insert(timer.name, timer);
                let due = *at + node.countdown(after);
                self.queue.push(due, Happening::Timer { node: index, life, timer });
                Ok(())
            }
            Action::StopTimer(name) => {
                self.nodes[index].timers.remove(&name);
                Ok(())
            }
            Action::Run(job) => {
                let due = *at + Micros(self.work_rng.range(WORK.start, WORK.end));
                self.queue.push(due, Happening::Work { node: index, life, job: Box::new(job) });
                Ok(())
            }
            Action::Fetch { peer, from } => {
                let number = up.organisation(peer).and_then(|peer| self.setting.number_of(&peer));
                let time =
                    number.and_then(|number| self.network.travel(index, usize::from(number), "fetch")[0]);
                match time {
                    Some(time) => {
                        let asked = Happening::FetchAsked { node: index, life, peer, from };
                        self.queue.push(*at + time, asked);
                    }
                    None => self.no_answer(index, life, peer),
                }
                Ok(())
            }
            Action::SubmitEvidence { epoch, evidence } => self.on_evidence(index, epoch, &evidence),
            Action::EpochBegan(epoch) => {
                self.trace.note(self.now, "epoch", index, epoch.set.epoch.0);
                self.summary.epochs = self.summary.epochs.max(epoch.set.epoch.0);
                up.in_force = *epoch;
                // What was heard and said in another epoch binds nobody in this one.
                self.watches[index] = Watch::default();
                self.plan_restart(index);
                Ok(())
            }
        }
    }

    /// A replica cannot go on. That is right when its disk failed, and a fault of the replica otherwise.
    pub(super) fn stop(&mut self, index: usize, error: &dyn std::fmt::Display) -> Checked {
        let is_disk = self.is_disk_at_fault(index);
        let (replica, is_correct) = (self.nodes[index].replica, self.nodes[index].is_correct);
        self.trace.note(self.now, "stop", index, 0);
        let unsynced = if self.disk_rng.chance(500) { Unsynced::Torn } else { Unsynced::Lost };
        self.crash(index, unsynced);
        self.queue.push(self.now + START_AGAIN, Happening::Start { node: index });
        ensure(is_disk || !is_correct, Checker::Health, || format!("replica {replica} stopped: {error}"))
    }

    pub(super) fn is_disk_at_fault(&self, index: usize) -> bool {
        let replica = self.nodes[index].replica;
        let is_full = self
            .plan
            .active(self.now)
            .any(|fault| matches!(fault.kind, FaultKind::FullDisk { replica: full } if full == replica));
        self.nodes[index].disks.has_failed() || is_full
    }

    /// Sends to several replicas: each copy takes its own way, and a liar tells each what it likes.
    fn send(&mut self, index: usize, to: &[ReplicaId], bytes: Arc<Vec<u8>>, at: Micros) -> Checked {
        let Some(packet) = Packet::new(bytes) else { return Ok(()) };
        let (replica, is_correct) = (self.nodes[index].replica, self.nodes[index].is_correct);
        let Some(up) = &self.nodes[index].up else { return Ok(()) };
        if is_correct {
            self.check_silence(index)?;
            let honest = self.setting.honest_verifier(&up.in_force.set);
            let message = packet.verified(&honest);
            let message = message.ok_or_else(|| {
                (
                    Checker::Promises,
                    format!("replica {replica} sends a {} that does not verify", packet.kind()),
                )
            })?;
            let own = up.in_force.own.unwrap_or(ReplicaId(replica));
            self.promises.on_sent(packet.epoch().0, own, message.message())?;
            if let Some(standing) = self.standing(index) {
                let said = self.watches[index].on_sent(&standing, to, message.message());
                said.map_err(|detail| (Checker::Promises, format!("replica {replica}: {detail}")))?;
            }
        }
        let crash = self.crash_on_send(replica, packet.kind());
        if !matches!(crash, Some((_, false))) {
            for to in to {
                let organisation = self.nodes[index].up.as_ref().and_then(|up| up.organisation(*to));
                if let Some(number) = organisation.and_then(|found| self.setting.number_of(&found)) {
                    self.send_one(index, *to, number, &packet, at);
                }
            }
        }
        if let Some((unsynced, _)) = crash {
            self.crash(index, unsynced);
        }
        self.haunt(&packet, at);
        Ok(())
    }

    /// Liars that were voted out get hold of proposals, and vote as if they still were validators.
    fn haunt(&mut self, packet: &Packet, at: Micros) {
        if packet.kind() != "pre-prepare" || packet.epoch() == Epoch(0) {
            return;
        }
        let is_out = |number: u16| {
            let up = self.nodes[usize::from(number)].up.as_ref();
            up.is_some_and(|up| up.in_force.own.is_none() && up.in_force.set.epoch == packet.epoch())
        };
        let ghosts: Vec<u16> = self.minds.keys().copied().filter(|number| is_out(*number)).collect();
        for ghost in ghosts {
            let votes = self.minds.get_mut(&ghost).map(|mind| mind.haunt(packet)).unwrap_or_default();
            for vote in &votes {
                (0..self.plan.hospitals()).for_each(|to| self.put_on_wire(usize::from(ghost), to, vote, at));
            }
        }
    }

    fn send_one(&mut self, index: usize, to: ReplicaId, number: u16, packet: &Packet, at: Micros) {
        let replica = self.nodes[index].replica;
        let Some(mind) = self.minds.get_mut(&replica) else {
            self.put_on_wire(index, number, packet, at);
            return;
        };
        if let Some(up) = &self.nodes[index].up {
            mind.enter(&up.in_force);
        }
        for (delay, packet) in mind.bend(packet, to) {
            self.put_on_wire(index, number, &packet, at + delay);
        }
    }

    fn put_on_wire(&mut self, index: usize, to: u16, packet: &Packet, at: Micros) {
        let from = self.nodes[index].replica;
        for node in self.nodes_of(ReplicaId(to)) {
            for time in self.network.travel(index, node, packet.kind()).into_iter().flatten() {
                self.queue.push(at + time, Happening::Deliver { from, node, packet: packet.clone() });
            }
        }
    }

    /// A peer answers with what its ledger has.
    pub(super) fn answer_fetch(&mut self, index: usize, life: u64, peer: ReplicaId, from: Height) {
        let asked = self.nodes[index].up.as_ref().and_then(|up| up.organisation(peer));
        let Some(number) = asked.and_then(|asked| self.setting.number_of(&asked)) else { return };
        let blocks = self.nodes[usize::from(number)].up.as_ref().map(|up| {
            let last = up.ledger.tip().height.0.min(from.0 + BLOCKS_PER_ANSWER - 1);
            let found = (from.0..=last).map_while(|height| up.ledger.block(Height(height)).ok().flatten());
            found.collect::<Vec<UntrustedCertifiedBlock>>()
        });
        let blocks = match (blocks, self.minds.get_mut(&number)) {
            (Some(blocks), Some(mind)) => Some(mind.bend_blocks(blocks)),
            (blocks, _) => blocks,
        };
        match (blocks, self.network.travel(usize::from(number), index, "fetch")[0]) {
            (Some(blocks), Some(time)) => {
                let answer = Happening::FetchAnswered { node: index, life, peer, blocks: Some(blocks) };
                self.queue.push(self.now + time, answer);
            }
            _ => self.no_answer(index, life, peer),
        }
    }

    fn no_answer(&mut self, node: usize, life: u64, peer: ReplicaId) {
        let answer = Happening::FetchAnswered { node, life, peer, blocks: None };
        self.queue.push(self.now + FETCH_PATIENCE, answer);
    }

    /// Where a correct replica that runs and is a validator stands.
    fn standing(&self, index: usize) -> Option<Standing> {
        let node = &self.nodes[index];
        let up = node.up.as_ref().filter(|_| node.is_correct)?;
        let (epoch, tip) = (&up.in_force, up.ledger.tip());
        if epoch.set.epoch != up.engine.epoch().set.epoch || up.engine.replica().is_none() {
            return None;
        }
        Some(Standing {
            own: epoch.own?,
            quorum: epoch.set.validators.quorum(),
            first: epoch.set.first,
            view: up.engine.status().view,
            tip: (tip.height, tip.hash),
            depth: self.setting.consensus.depth,
        })
    }

    fn check_duties(&mut self, index: usize) -> Checked {
        let Some(standing) = self.standing(index) else { return Ok(()) };
        let done = self.watches[index].check_duties(&standing);
        done.map_err(|detail| (Checker::Duties, format!("replica {}: {detail}", self.nodes[index].replica)))
    }

    fn check_memory(&mut self, index: usize) -> Checked {
        let Some(up) = &self.nodes[index].up else { return Ok(()) };
        let (blocks, waiting) = (up.engine.speculative_blocks(), up.mempool.len());
        let view = up.engine.status().view;
        self.summary.views = self.summary.views.max(view.0 - view.epoch().first_view().0);
        ensure(blocks <= SPECULATIVE_BLOCKS_MAX, Checker::Memory, || {
            format!("{blocks} executed blocks are kept, at most {SPECULATIVE_BLOCKS_MAX} should be")
        })?;
        for table in up.engine.replica().map(Replica::tables).into_iter().flatten() {
            ensure(table.entries <= table.bound, Checker::Memory, || {
                format!("{} {} are kept, at most {} should be", table.entries, table.name, table.bound)
            })?;
        }
        ensure(waiting <= MEMPOOL_TRANSACTIONS_MAX, Checker::Memory, || {
            format!("{waiting} transactions wait, at most {MEMPOOL_TRANSACTIONS_MAX} should")
        })?;
        Ok(())
    }
}
