//! Ledgers are pruned, machines are replaced, and who is too far behind copies the others' ledger.

use super::{Happening, World};
use crate::checkers::{Checked, Checker, ensure};
use crate::node::Copying;
use crate::time::Micros;
use amulet_crypto::signing::PublicKey;
use amulet_node::consensus::{Answer, Next, TransferError};
use amulet_node::ledger::{BLOCKS_PER_SNAPSHOT, ChunkSizes, Pruned, TransferRequest, TransferResponse};
use amulet_protocol::governance::EpochState;
use amulet_protocol::ids::{Epoch, Height, ReplicaId};
use amulet_protocol::limits::BLOCK_BYTES_MAX;
use amulet_protocol::state::StateKey;

/// How often a node looks whether it is far behind.
const LOOK_EVERY: Micros = Micros::seconds(5);
/// How long a node waits for a piece from one peer.
const PATIENCE: Micros = Micros::seconds(3);
/// Time between two steps of pruning.
const PRUNE_PAUSE: Micros = Micros::millis(50);
/// How long a node with a new ledger is away, in microseconds.
const AWAY: std::ops::Range<u64> = 50_000..2_000_000;
/// How much honest peers put into one answer: little, so that a copy has many pieces and is often interrupted.
const SIZES: ChunkSizes = ChunkSizes { headers: 24, state_bytes: 8 * 1_024, history_entries: 48 };
/// Bytes that a message between nodes may have; larger ones are not read to their end.
const ANSWER_BYTES_MAX: usize = 2 * BLOCK_BYTES_MAX;
/// What the file of a half-done copy may be larger than the largest ledger, in bytes: what the store asks for at the start.
const COPY_SLACK: usize = 4 << 20;

impl World {
    /// Starts what a running node does beside consensus: it prunes its ledger and looks whether it is far behind.
    pub(super) fn begin_upkeep(&mut self, index: usize) {
        let life = self.nodes[index].life;
        if self.setting.copies_ledgers {
            self.queue.push(self.now + LOOK_EVERY, Happening::LookBehind { node: index, life });
            self.queue.push(self.now + PRUNE_PAUSE, Happening::Prune { node: index, life });
        }
    }

    /// After a block: pruning has something to do if the floor rises.
    pub(super) fn prune_after(&mut self, index: usize, tip: Height) {
        let rises =
            |keeps: u64| tip.0.checked_sub(keeps).is_some_and(|floor| floor % BLOCKS_PER_SNAPSHOT == 0);
        if self.nodes[index].keeps.is_some_and(rises) || self.setting.has_bug("prune-too-far") {
            let life = self.nodes[index].life;
            self.queue.push(self.now + PRUNE_PAUSE, Happening::Prune { node: index, life });
        }
    }

    pub(super) fn prune(&mut self, index: usize, life: u64) -> Checked {
        if !self.is_running(index, life) {
            return Ok(());
        }
        let (Some(keeps), Some(up)) = (self.nodes[index].keeps, self.nodes[index].up.as_ref()) else {
            return Ok(());
        };
        #[cfg(feature = "planted")]
        let step = match self.setting.has_bug("prune-too-far") && self.nodes[index].is_correct {
            true => up.ledger.prune_too_far(),
            false => up.ledger.prune(keeps),
        };
        #[cfg(not(feature = "planted"))]
        let step = up.ledger.prune(keeps);
        match step {
            Ok(Pruned::More) => {
                self.trace.note(self.now, "prune", index, 0);
                self.queue.push(self.now + PRUNE_PAUSE, Happening::Prune { node: index, life });
                self.check_floor(index)
            }
            Ok(Pruned::Done) => self.check_floor(index),
            Err(error) if self.nodes[index].disks.has_failed() => self.stop(index, &error),
            // As the node does, it goes on, and prunes after some later block.
            Err(error) => self.check_disk(index, &error),
        }
    }

    /// No more is removed than the policy says, and the newest snapshot stays for who copies it.
    fn check_floor(&self, index: usize) -> Checked {
        let node = &self.nodes[index];
        let (Some(up), true) = (&node.up, node.is_correct) else { return Ok(()) };
        let failed = |error: amulet_node::ledger::LedgerError| (Checker::Health, error.to_string());
        let (tip, floor) = (up.ledger.tip().height, up.ledger.floor().map_err(failed)?);
        let kept = tip.0.saturating_sub(node.keeps.unwrap_or(tip.0));
        let allowed = Height(kept - kept % BLOCKS_PER_SNAPSHOT).max(node.copied);
        ensure(floor <= allowed, Checker::Copies, || {
            format!("replica {} at {tip} has removed what lies below {floor}, not {allowed}", node.replica)
        })
    }

    /// A node could not write to a file beside its ledger and log: only its disk can be to blame.
    fn check_disk(&self, index: usize, error: &dyn std::fmt::Display) -> Checked {
        let node = &self.nodes[index];
        ensure(self.is_disk_at_fault(index) || !node.is_correct, Checker::Health, || {
            format!("replica {}: {error}", node.replica)
        })
    }

    pub(super) fn look_behind(&mut self, index: usize, life: u64) -> Checked {
        if !self.is_running(index, life) {
            return Ok(());
        }
        let next = self.copying(index).map(|copying| copying.copier.look());
        next.map_or(Ok(()), |next| self.copy_on(index, next))
    }

    fn copying(&mut self, index: usize) -> Option<&mut Copying> {
        self.nodes[index].up.as_mut()?.copying.as_mut()
    }

    /// Does what a copier says.
    fn copy_on(&mut self, index: usize, next: Result<Next, TransferError>) -> Checked {
        let life = self.nodes[index].life;
        let look = Happening::LookBehind { node: index, life };
        match next {
            Ok(Next::Ask(questions)) if !questions.is_empty() => {
                self.ask_for_pieces(index, questions);
                return Ok(());
            }
            Ok(Next::Rest | Next::Ask(_)) => self.queue.push(self.now + LOOK_EVERY, look),
            Ok(Next::Copied(height)) => {
                self.trace.note(self.now, "copied", index, height.0);
                self.nodes[index].end();
                self.nodes[index].is_between_epochs = true;
                let at = self.now + Micros(self.work_rng.range(AWAY.start, AWAY.end));
                self.queue.push(at, Happening::Start { node: index });
            }
            Err(error) if self.nodes[index].disks.has_failed() => return self.stop(index, &error),
            Err(error) => {
                self.trace.note(self.now, "no copy", index, 0);
                self.trace.say(self.now, || format!("{index}: {error}"));
                self.queue.push(self.now + LOOK_EVERY, look);
                if let TransferError::Ledger(error) = error {
                    return self.check_disk(index, &error);
                }
            }
        }
        Ok(())
    }

    fn ask_for_pieces(&mut self, index: usize, questions: Vec<(ReplicaId, TransferRequest)>) {
        let life = self.nodes[index].life;
        let Some(copying) = self.copying(index) else { return };
        copying.round += 1;
        copying.asked.clone_from(&questions);
        copying.answers.clear();
        let (round, set) = (copying.round, copying.set.clone());
        for (peer, request) in questions {
            let member = set.validators.get(peer);
            let number = member.and_then(|member| self.setting.number_of(&member.organisation));
            let server = number.map(usize::from);
            let time = server.and_then(|server| self.network.travel(index, server, "transfer")[0]);
            let asked = CopyRound { node: index, life, round, peer };
            match (server, time) {
                (Some(server), Some(time)) => {
                    let request = Box::new(request);
                    self.queue.push(self.now + time, Happening::PieceAsked { asked, server, request });
                }
                _ => self.no_piece(asked),
            }
        }
    }

    fn no_piece(&mut self, asked: CopyRound) {
        let answer = Happening::PieceAnswered { asked, is_honest: true, answer: None };
        self.queue.push(self.now + PATIENCE, answer);
    }

    /// A peer answers from its ledger, or lies.
    pub(super) fn answer_piece(
        &mut self,
        asked: CopyRound,
        server: usize,
        request: &TransferRequest,
    ) -> Checked {
        let node = &self.nodes[server];
        let is_honest = node.is_correct;
        let honest = match &node.up {
            Some(up) => match self.serve(up, request, is_honest) {
                Ok(answer) => Some(answer),
                Err(error) => {
                    self.check_disk(server, &error)?;
                    None
                }
            },
            None => None,
        };
        let replica = node.replica;
        let answer = match (honest, self.minds.get_mut(&replica)) {
            (Some(answer), Some(mind)) => mind.bend_piece(request, answer),
            (answer, _) => answer,
        };
        let fits = |answer: &TransferResponse| {
            borsh::to_vec(answer).is_ok_and(|bytes| bytes.len() <= ANSWER_BYTES_MAX)
        };
        let time = self.network.travel(server, asked.node, "transfer")[0];
        match (answer.filter(|answer| is_honest || fits(answer)), time) {
            (Some(answer), Some(time)) => {
                let answer = Some(Box::new(answer));
                self.queue.push(self.now + time, Happening::PieceAnswered { asked, is_honest, answer });
            }
            _ => self.no_piece(asked),
        }
        Ok(())
    }

    fn serve(
        &self,
        up: &crate::node::Up,
        request: &TransferRequest,
        is_honest: bool,
    ) -> Result<TransferResponse, amulet_node::ledger::LedgerError> {
        if is_honest
            && self.setting.has_bug("serve-newest")
            && let TransferRequest::State { from, .. } = request
        {
            let newest = TransferRequest::State { height: up.ledger.tip().height, from: *from };
            return up.ledger.transfer_in(&newest, &SIZES);
        }
        up.ledger.transfer_in(request, &SIZES)
    }

    pub(super) fn take_piece(
        &mut self,
        asked: CopyRound,
        is_honest: bool,
        answer: Option<TransferResponse>,
    ) -> Checked {
        let CopyRound { node: index, life, round, peer } = asked;
        if !self.is_running(index, life) {
            return Ok(());
        }
        let (now, busy) = (self.now, self.nodes[index].busy_until);
        if busy > now {
            let answer = Happening::PieceAnswered { asked, is_honest, answer: answer.map(Box::new) };
            self.queue.push(busy, answer);
            return Ok(());
        }
        let Some(copying) = self.copying(index).filter(|copying| copying.round == round) else {
            return Ok(());
        };
        copying.answers.push(((peer, answer), is_honest));
        if copying.answers.len() < copying.asked.len() {
            return Ok(());
        }
        let answers = std::mem::take(&mut copying.answers);
        let before = copying.asked.clone();
        let is_good = matches!(answers.as_slice(), [((_, Some(answer)), true)] if is_piece(answer));
        let answers: Vec<Answer> = answers.into_iter().map(|(answer, _)| answer).collect();
        let next = copying.copier.answered(answers);
        self.trace.note(now, "piece", index, round);
        if let (Ok(Next::Ask(after)), true, true) = (&next, is_good, self.nodes[index].is_correct)
            && let ([(peer, before)], [(_, after)]) = (before.as_slice(), after.as_slice())
        {
            ensure(before != after, Checker::Copies, || {
                format!(
                    "replica {} does not take what {peer}, which is honest, gives",
                    self.nodes[index].replica
                )
            })?;
        }
        self.check_copy_size(index)?;
        self.copy_on(index, next)
    }

    /// A half-done copy takes no more room than a ledger.
    fn check_copy_size(&self, index: usize) -> Checked {
        let largest = self.nodes.iter().map(|node| node.disks.ledger.len()).max().unwrap_or(0);
        let (copy, replica) = (self.nodes[index].disks.copy.len(), self.nodes[index].replica);
        ensure(copy <= 2 * largest + COPY_SLACK, Checker::Memory, || {
            format!(
                "replica {replica} has a copy of {copy} B under way, and no ledger has more than {largest} B"
            )
        })
    }

    /// A node that starts on a copied ledger has what the others have, to the last value.
    pub(super) fn check_copied(&mut self, index: usize, before: Height) -> Checked {
        let node = &mut self.nodes[index];
        let Some(up) = &node.up else { return Ok(()) };
        let tip = up.ledger.tip().height;
        self.summary.copies += 1;
        (node.copied, node.durable) = (tip, tip);
        if !node.is_correct {
            return Ok(());
        }
        let (replica, epoch, own) = (node.replica, up.in_force.set.epoch.0, up.in_force.own);
        self.chain.check_copy(replica, &up.ledger)?;
        if let Some(own) = own {
            for height in (before.0 + 1..=tip.0).map(Height) {
                if let Some(hash) = self.chain.hash_at(height) {
                    self.promises.on_committed(epoch, own, height, hash);
                }
            }
        }
        Ok(())
    }

    /// A machine is replaced: nothing of the old one is left but its keys, and the operator says so to the new one. Not
    /// while as many members are faulty as the set bears.
    pub(super) fn wipe(&mut self, index: usize) {
        let replica = self.nodes[index].replica;
        let Some(set) = self.epoch_state() else { return };
        let members = self.members(&set);
        let is_faulty = |member: u16| {
            let node = &self.nodes[usize::from(member)];
            let key = |own: &PublicKey| set.validators.members().iter().any(|member| member.key == *own);
            !node.is_correct || node.lost_keys.iter().any(key)
        };
        let faulty = members.iter().filter(|member| is_faulty(**member)).count();
        if members.contains(&replica) && faulty >= (members.len() - 1) / 3 {
            return;
        }
        self.trace.note(self.now, "wiped", index, 0);
        self.summary.wipes += 1;
        let keys = self.keys_of(replica);
        self.crash(index, crate::disk::Unsynced::Lost);
        let node = &mut self.nodes[index];
        node.disks.erase();
        (node.durable, node.copied, node.is_copy_unchecked) = (Height(0), Height(0), false);
        (node.lost_keys, node.must_abstain) = (keys, true);
    }

    /// Every key that a hospital ever had as a validator.
    fn keys_of(&self, replica: u16) -> Vec<PublicKey> {
        let oracle = self.chain.oracle();
        let did = self.setting.hospitals[usize::from(replica)];
        let sets = (0..=oracle.epoch().epoch.0)
            .filter_map(|epoch| oracle.read::<EpochState>(&StateKey::Epoch(Epoch(epoch))).ok()?);
        let mut keys: Vec<PublicKey> = Vec::new();
        for set in sets {
            let own = set.validators.members().iter().filter(|member| member.organisation == did);
            for key in own.map(|member| &member.key) {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        keys
    }

    /// Nothing leaves a replica under a key of which nobody knows what it said.
    pub(super) fn check_silence(&self, index: usize) -> Checked {
        let node = &self.nodes[index];
        let Some(up) = &node.up else { return Ok(()) };
        let key = up.in_force.own.and_then(|own| up.in_force.set.validators.get(own)).map(|own| &own.key);
        let is_lost = key.is_some_and(|key| node.lost_keys.contains(key));
        ensure(!is_lost, Checker::Promises, || {
            format!("replica {} votes under a key whose votes were lost with its disk", node.replica)
        })
    }
}

/// Whether an answer is a piece of a copy.
fn is_piece(answer: &TransferResponse) -> bool {
    matches!(
        answer,
        TransferResponse::Headers(_) | TransferResponse::State(_) | TransferResponse::Histories(_)
    )
}

/// Which question an answer is for.
#[derive(Clone, Copy)]
pub(crate) struct CopyRound {
    /// Who asked.
    pub(crate) node: usize,
    /// In which run.
    pub(crate) life: u64,
    /// In which round of questions.
    pub(crate) round: u64,
    /// Whom.
    pub(crate) peer: ReplicaId,
}
