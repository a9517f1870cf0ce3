//! The normal case: pre-prepare, prepare, commit (OSDI'99 section 4.2), at several heights at once.

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::consensus::{PrePrepare, Prepare, Proposal, Signed};
use amulet_protocol::evidence::Evidence;
use amulet_protocol::ids::{HeaderHash, Height, View};

use crate::certificate::CommitCertificate;
use crate::effect::{Effect, Provenance};
use crate::input::{ProposedBlock, Requests, Verdict};
use crate::message::Message;
use crate::payload::Payload;
use crate::planted::Bug;
use crate::record::LogEntry;
use crate::recovery::Tip;
use crate::rejection::Rejection;
use crate::replica::{Mode, Prepared, Replica};
use crate::slot::{Progress, Vote};
use crate::timer::TimerKind;

impl Replica {
    /// Rule PBFT-NC-1: the primary of an active view asks for a block when requests wait, the block below is accepted,
    /// depth and window allow it, and all that the view's certificate proved final is here.
    pub(crate) fn propose_if_due(&mut self) {
        if self.mode != Mode::Normal || !self.is_primary() || self.requests != Requests::Waiting {
            return;
        }
        let Some((height, parent)) = self.next_free() else { return };
        let is_due = height > self.base
            && height <= self.highest_in_flight()
            && height <= self.checkpoints.high(&self.config)
            && self.asked != Some((self.view, height, parent));
        if is_due {
            self.asked = Some((self.view, height, parent));
            self.effects.push(Effect::Propose { view: self.view, height, parent });
        }
    }

    /// The height above the accepted blocks, with the hash of the highest of these; `None` if something is there already,
    /// or the epoch ends below (rule PBFT-EP-2).
    fn next_free(&self) -> Option<(Height, HeaderHash)> {
        let (mut height, mut parent) = (self.active_height(), self.tip.header_hash);
        while let Some(slot) = self.slots.get(&height) {
            let Some(accepted) = slot.progress.accepted_hash() else { break };
            if slot.ends_epoch && !self.is_planted(Bug::OutliveEpoch) {
                return None;
            }
            (height, parent) = (height.next(), accepted);
        }
        let is_free = self.slots.get(&height).is_none_or(|slot| matches!(slot.progress, Progress::Idle));
        is_free.then_some((height, parent))
    }

    /// Rule PBFT-NC-2: the primary proposes one block at a height of its view, and has it on disk first. A block that was
    /// built on what is no longer below it is void: another became final there.
    pub(crate) fn on_proposal(&mut self, block: ProposedBlock) -> Result<(), Rejection> {
        let ProposedBlock { view, height, parent, header_hash, payload, ends_epoch } = block;
        let is_awaited = self.mode == Mode::Normal
            && view == self.view
            && self.asked == Some((view, height, parent))
            && self.next_free() == Some((height, parent));
        if !is_awaited {
            return Err(Rejection::NotAwaited { view, height, header_hash });
        }
        let proposal = Proposal { view, height, parent, header_hash, payload_digest: payload.digest() };
        let pre_prepare = self.sign(PrePrepare { proposal });
        self.persist_accepted(&pre_prepare, &payload);
        self.effects.push(Effect::Broadcast(Message::PrePrepare(pre_prepare.clone(), payload.clone())));
        self.retained.keep(height, payload.clone());
        let slot = self.slot_mut(height);
        slot.progress = Progress::PrePrepared(pre_prepare, payload);
        slot.ends_epoch = ends_epoch;
        self.advance();
        Ok(())
    }

    fn persist_accepted(&mut self, pre_prepare: &Signed<PrePrepare>, payload: &Payload) {
        if !self.is_planted(Bug::SkipAcceptedRecord) {
            self.persist(LogEntry::Accepted(pre_prepare.clone(), payload.clone()));
        }
    }

    /// Rule PBFT-NC-3: a backup takes the first proposal of its view's primary at each height in flight. Called with
    /// messages of the current view and of heights that have a slot.
    pub(crate) fn on_pre_prepare(
        &mut self,
        new: Signed<PrePrepare>,
        payload: Payload,
    ) -> Result<(), Rejection> {
        let (sender, primary) = (new.sender, self.primary());
        let height = new.content.proposal.height;
        if sender != primary {
            return Err(Rejection::NotPrimary { sender, primary, view: self.view });
        }
        if height <= self.base && !self.is_planted(Bug::OrderBelowBase) {
            return Err(Rejection::Settled { height, committed: self.base });
        }
        if let Some(last) = self.epoch_end().filter(|last| height > *last) {
            return Err(Rejection::BeyondEpoch { height, last });
        }
        let takes_second = self.is_planted(Bug::TakeSecondProposal);
        let slot = self.slot_mut(height);
        match slot.progress.pre_prepare() {
            Some(known) if known.content != new.content && !takes_second => {
                let evidence = Evidence::PrePrepares(known.clone(), new);
                return Err(self.accuse(height, evidence));
            }
            Some(known)
                if known.content == new.content && !matches!(slot.progress, Progress::AwaitingPayload(_)) =>
            {
                return Err(Rejection::Duplicate { sender });
            }
            _ => slot.progress = Progress::Held(new, payload),
        }
        self.advance();
        Ok(())
    }

    /// Height of the accepted block that ends the epoch (rule PBFT-EP-2).
    fn epoch_end(&self) -> Option<Height> {
        if self.is_planted(Bug::OutliveEpoch) {
            return None;
        }
        self.slots.iter().find(|(_, slot)| slot.ends_epoch).map(|(height, _)| *height)
    }

    /// Rules PBFT-NC-4 and PBFT-NC-5: a right block is prepared, once that is on disk; a wrong one ends the view.
    pub(crate) fn on_validated(
        &mut self,
        view: View,
        height: Height,
        header_hash: HeaderHash,
        verdict: Verdict,
        ends_epoch: bool,
    ) -> Result<(), Rejection> {
        let not_awaited = Rejection::NotAwaited { view, height, header_hash };
        let slot = self.slots.get_mut(&height).ok_or(not_awaited)?;
        let Progress::Validating(pre_prepare, payload) = &slot.progress else { return Err(not_awaited) };
        let proposal = pre_prepare.content.proposal;
        if (proposal.view, proposal.header_hash) != (view, header_hash) {
            return Err(not_awaited);
        }
        let (pre_prepare, payload) = (pre_prepare.clone(), payload.clone());
        if verdict == Verdict::Valid || self.config.is_planted(Bug::VoteForInvalid) {
            slot.ends_epoch = ends_epoch;
            if ends_epoch {
                self.slots.split_off(&height.next());
            }
            self.accept(pre_prepare, payload);
            self.advance();
        } else {
            self.refuse(height, pre_prepare);
        }
        Ok(())
    }

    /// Rule PBFT-NC-5: a primary that proposes what no correct replica votes for is left.
    fn refuse(&mut self, height: Height, pre_prepare: Signed<PrePrepare>) {
        self.slot_mut(height).progress = Progress::Refused(pre_prepare);
        self.start_view_change(self.view.next());
    }

    /// Rule PBFT-NC-4. The primary's pre-prepare is its vote, so only backups send a prepare.
    fn accept(&mut self, pre_prepare: Signed<PrePrepare>, payload: Payload) {
        let proposal = pre_prepare.content.proposal;
        self.retained.keep(proposal.height, payload.clone());
        self.persist_accepted(&pre_prepare, &payload);
        let is_backup = !self.is_primary();
        if is_backup {
            let prepare = self.sign(Prepare { proposal });
            self.slot_mut(proposal.height).prepares.insert(prepare.clone());
            self.effects.push(Effect::Broadcast(Message::Prepare(prepare)));
        }
        self.slot_mut(proposal.height).progress = Progress::PrePrepared(pre_prepare, payload);
    }

    /// Rule PBFT-NC-6: one prepare of each backup counts at a view and height.
    pub(crate) fn on_prepare(&mut self, vote: Signed<Prepare>) -> Result<(), Rejection> {
        let (sender, primary) = (vote.sender, self.primary());
        if sender == primary && !self.is_planted(Bug::CountPrimaryTwice) {
            return Err(Rejection::PrimaryDoesNotPrepare { primary });
        }
        let height = vote.content.proposal.height;
        let counts_twice = self.is_planted(Bug::CountDuplicates);
        let slot = self.slot_mut(height);
        match slot.prepares.insert(vote.clone()) {
            Vote::Counted => {
                self.advance();
                Ok(())
            }
            Vote::Duplicate => {
                if counts_twice {
                    slot.prepares.add(sender, vote.content);
                    self.advance();
                }
                Err(Rejection::Duplicate { sender })
            }
            Vote::Contradicts(known) => Err(self.accuse(height, Evidence::Prepares(known, vote))),
        }
    }

    /// Rule PBFT-NC-8: one commit of each replica counts at a view and height.
    pub(crate) fn on_commit(&mut self, vote: Signed<CommitVote>) -> Result<(), Rejection> {
        let (sender, height) = (vote.sender, vote.content.height);
        let counts_twice = self.is_planted(Bug::CountDuplicates);
        let slot = self.slot_mut(height);
        match slot.commits.insert(vote.clone()) {
            Vote::Counted => {
                self.catch_up_if_passed(&vote);
                self.advance();
                Ok(())
            }
            Vote::Duplicate => {
                if counts_twice {
                    slot.commits.add(sender, vote.content);
                    self.advance();
                }
                Err(Rejection::Duplicate { sender })
            }
            Vote::Contradicts(known) => Err(self.accuse(height, Evidence::Commits(known, vote))),
        }
    }

    /// Does what proposals and votes at hand allow, from the tip up: execute a block once the one below is accepted, vote
    /// to commit once the one below is prepared, commit in order. Every way in which a height goes on is here.
    pub(crate) fn advance(&mut self) {
        let (mut height, mut parent) = (self.active_height(), self.tip.header_hash);
        let mut is_below_prepared = true;
        while self.mode == Mode::Normal || self.is_planted(Bug::VoteInLeftView) {
            self.judge(height, parent);
            let Some(accepted) = self.slots.get(&height).and_then(|slot| slot.progress.accepted_hash())
            else {
                return;
            };
            if is_below_prepared || self.is_planted(Bug::CommitOverGap) {
                self.vote_to_commit_if_prepared(height);
            }
            let is_next = height == self.active_height() || self.is_planted(Bug::CommitOutOfOrder);
            if is_next && self.commit_if_local(height) {
                (height, parent) = (self.active_height(), self.tip.header_hash);
                is_below_prepared = true;
                continue;
            }
            let Some(slot) = self.slots.get(&height) else { return };
            is_below_prepared = matches!(slot.progress, Progress::Prepared(..));
            (height, parent) = (height.next(), accepted);
        }
    }

    /// Rule PBFT-NC-11: a proposal is executed when the block below it is accepted or final, and within the depth. One
    /// that names another parent is refused, and so is one that was taken before another block became final below it.
    fn judge(&mut self, height: Height, parent: HeaderHash) {
        let Some(slot) = self.slots.get(&height) else { return };
        let Some(pre_prepare) = slot.progress.pre_prepare() else { return };
        let pre_prepare = pre_prepare.clone();
        if pre_prepare.content.proposal.parent != parent && !self.is_planted(Bug::IgnoreParent) {
            if !matches!(slot.progress, Progress::Refused(_)) {
                self.refuse(height, pre_prepare);
            }
            return;
        }
        let Progress::Held(_, payload) = &slot.progress else { return };
        let is_due = height <= self.highest_in_flight()
            && (height > self.base || self.is_planted(Bug::OrderBelowBase));
        if is_due {
            self.validate(pre_prepare, payload.clone());
        }
    }

    /// Has the driver execute a proposal.
    fn validate(&mut self, pre_prepare: Signed<PrePrepare>, payload: Payload) {
        let Proposal { view, height, parent, header_hash, .. } = pre_prepare.content.proposal;
        let provenance =
            if self.carried.contains_key(&height) { Provenance::Carried } else { Provenance::New };
        if self.is_planted(Bug::VoteUnexecuted) {
            return self.accept(pre_prepare, payload);
        }
        self.effects.push(Effect::Validate {
            view,
            height,
            parent,
            header_hash,
            payload: payload.clone(),
            provenance,
        });
        self.slot_mut(height).progress = Progress::Validating(pre_prepare, payload);
    }

    /// Rule PBFT-NC-7: once prepared, with the height below prepared in this view or final, and with that on disk, vote to
    /// commit. What this replica has prepared thus has no gaps.
    fn vote_to_commit_if_prepared(&mut self, height: Height) {
        let threshold = self.threshold();
        let Some(slot) = self.slots.get(&height) else { return };
        let Progress::PrePrepared(pre_prepare, payload) = &slot.progress else { return };
        // Known after a restart: this replica was prepared, and has voted to commit.
        let before = self
            .prepared
            .get(&height)
            .map(|prepared| &prepared.certificate)
            .filter(|certificate| certificate.pre_prepare().content == pre_prepare.content);
        let mut certificate = before.cloned().or_else(|| slot.prepared(threshold));
        if self.is_planted(Bug::CommitUnprepared) {
            let none = std::iter::empty();
            certificate =
                certificate.or_else(|| Some(crate::PreparedCertificate::new(pre_prepare.clone(), none)));
        }
        let Some(certificate) = certificate else { return };
        let payload = payload.clone();
        let Proposal { view, header_hash, .. } = *certificate.proposal();
        if !self.is_planted(Bug::SkipPreparedRecord) {
            self.persist(LogEntry::Prepared(certificate.clone(), payload.clone()));
        }
        let commit = self.sign(CommitVote { height, view, header_hash });
        self.prepared.insert(height, Prepared { certificate: certificate.clone(), payload: payload.clone() });
        let slot = self.slot_mut(height);
        slot.commits.insert(commit.clone());
        slot.progress = Progress::Prepared(certificate, payload);
        self.effects.push(Effect::Broadcast(Message::Commit(commit)));
    }

    /// Rule PBFT-NC-9: the block above the tip is final with a commit certificate. Whether it was.
    fn commit_if_local(&mut self, height: Height) -> bool {
        let Some(slot) = self.slots.get(&height) else { return false };
        let threshold = self.threshold();
        let mut certificate = slot.committed_local(threshold);
        if self.is_planted(Bug::CountOtherBlocks) && slot.commits.count_all() >= threshold {
            let own = slot.commits.get(self.config.replica()).map(|commit| commit.content);
            certificate = own
                .map(|vote| CommitCertificate { vote, signatures: slot.commits.signatures(&vote).collect() });
        }
        let (Some(certificate), Some((_, payload))) = (certificate, slot.progress.accepted()) else {
            return false;
        };
        let (payload, ends_epoch) = (payload.clone(), slot.ends_epoch);
        self.effects.push(Effect::Commit { certificate: certificate.clone(), payload });
        self.settle_height(certificate, ends_epoch);
        true
    }

    /// Rule PBFT-RT-4: a block that peers proved final is adopted, whatever this replica was doing at its height.
    pub(crate) fn on_synced(
        &mut self,
        certificate: CommitCertificate,
        ends_epoch: bool,
    ) -> Result<(), Rejection> {
        let (height, committed) = (certificate.vote.height, self.tip.height);
        if height <= committed {
            return Err(Rejection::Settled { height, committed });
        }
        if height > self.checkpoints.high(&self.config) {
            // While this replica was away the others' window moved on, and their checkpoint votes lie beyond its own.
            // The certificate proves as much as a checkpoint's would, so the window moves along (PBFT-CP-4).
            self.checkpoints.raise(height);
        }
        self.settle_height(certificate, ends_epoch);
        self.advance();
        Ok(())
    }

    /// Moves the tip, and forgets what is below.
    fn settle_height(&mut self, certificate: CommitCertificate, ends_epoch: bool) {
        let CommitVote { height, header_hash, .. } = certificate.vote;
        self.tip = Tip { height, header_hash, certificate: Some(certificate) };
        let next = self.active_height();
        self.slots = self.slots.split_off(&next);
        self.prepared = self.prepared.split_off(&next);
        self.carried = self.carried.split_off(&next);
        self.retained.settle(height);
        if self.mode == Mode::Normal {
            self.failures = 0;
        }
        self.stop_timer(TimerKind::Progress);
        self.take_checkpoint(height, header_hash);
        if ends_epoch {
            self.end_epoch();
        } else {
            self.take_ready();
        }
    }

    /// Rule PBFT-EP-3: with the epoch's last block final, this replica is done.
    fn end_epoch(&mut self) {
        self.mode = Mode::Ended;
        self.slots.clear();
        self.prepared.clear();
        self.ready.clear();
    }

    /// Rule PBFT-EV-1: a contradiction is reported once for each replica and height.
    fn accuse(&mut self, height: Height, evidence: Evidence) -> Rejection {
        let offender = evidence.offender();
        let is_new = self.slot_mut(height).accused.insert(offender);
        if is_new && !self.is_planted(Bug::HideEquivocation) {
            self.effects.push(Effect::Report(Box::new(evidence)));
        }
        Rejection::Equivocation { offender }
    }

    /// The bug of that name.
    pub(crate) fn accuse_honest(&mut self, message: &Message) {
        if let Message::Commit(vote) = message
            && let Some(slot) = self.slots.get(&vote.content.height)
            && let Some(known) = slot.commits.get(vote.sender).filter(|known| known.content != vote.content)
        {
            let evidence = Evidence::Commits(known.clone(), vote.clone());
            self.effects.push(Effect::Report(Box::new(evidence)));
        }
    }
}
