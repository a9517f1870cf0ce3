//! The normal case: pre-prepare, prepare, commit (OSDI'99 section 4.2).

use amulet_protocol::certificate::CommitVote;
use amulet_protocol::evidence::Evidence;
use amulet_protocol::ids::{HeaderHash, Height, View};

use crate::certificate::{CommitCertificate, PreparedCertificate};
use crate::effect::{Effect, Provenance};
use crate::input::{ProposedBlock, Requests, Verdict};
use crate::message::{Message, PrePrepare, Prepare, Proposal, Signed};
use crate::payload::Payload;
use crate::record::LogEntry;
use crate::recovery::Tip;
use crate::rejection::Rejection;
use crate::replica::{Mode, Prepared, Replica};
use crate::slot::{Progress, Slot};
use crate::timer::TimerKind;

impl Replica {
    /// Rule PBFT-NC-1: the primary of an active view asks for a block when requests wait, nothing is in flight, the
    /// height is inside the window, and all that the view's certificate proved final is here.
    pub(crate) fn propose_if_due(&mut self) {
        let height = self.active_height();
        let is_due = self.mode == Mode::Normal
            && self.is_primary()
            && self.requests == Requests::Waiting
            && matches!(self.slot.progress, Progress::Idle)
            && height > self.base
            && height <= self.checkpoints.high(&self.config)
            && self.asked != Some((self.view, height));
        if is_due {
            self.asked = Some((self.view, height));
            self.effects.push(Effect::Propose { view: self.view, height, parent: self.tip.header_hash });
        }
    }

    /// Rule PBFT-NC-2: the primary proposes one block at a height of its view, and has it on disk first.
    pub(crate) fn on_proposal(&mut self, block: ProposedBlock) -> Result<(), Rejection> {
        let ProposedBlock { view, height, header_hash, payload, ends_epoch } = block;
        let is_awaited = self.mode == Mode::Normal
            && self.asked == Some((view, height))
            && (view, height) == (self.view, self.active_height())
            && matches!(self.slot.progress, Progress::Idle);
        if !is_awaited {
            return Err(Rejection::NotAwaited { view, height, header_hash });
        }
        let parent = self.tip.header_hash;
        let proposal = Proposal { view, height, parent, header_hash, payload_digest: payload.digest() };
        let pre_prepare = self.sign(PrePrepare { proposal });
        self.persist(LogEntry::Accepted(pre_prepare.clone(), payload.clone()));
        self.effects.push(Effect::Broadcast(Message::PrePrepare(pre_prepare.clone(), payload.clone())));
        self.retained.keep(payload.clone());
        self.slot.progress = Progress::PrePrepared(pre_prepare, payload);
        self.slot.ends_epoch = ends_epoch;
        self.advance_slot();
        Ok(())
    }

    /// Rule PBFT-NC-3: a backup takes the first proposal of its view's primary at the height in flight, and has the
    /// block executed. Called with messages of the current view and height only.
    pub(crate) fn on_pre_prepare(
        &mut self,
        new: Signed<PrePrepare>,
        payload: Payload,
    ) -> Result<(), Rejection> {
        let (sender, primary) = (new.sender, self.primary());
        if sender != primary {
            return Err(Rejection::NotPrimary { sender, primary, view: self.view });
        }
        if self.active_height() <= self.base {
            return Err(Rejection::Settled { height: self.active_height(), committed: self.base });
        }
        match self.slot.progress.pre_prepare() {
            None => {
                self.validate(new, payload);
                Ok(())
            }
            Some(known) if known.content != new.content => {
                let evidence = Evidence::PrePrepares(known.clone(), new);
                Err(self.accuse(evidence))
            }
            Some(_) if matches!(self.slot.progress, Progress::AwaitingPayload(_)) => {
                self.validate(new, payload);
                Ok(())
            }
            Some(_) => Err(Rejection::Duplicate { sender }),
        }
    }

    /// Has the driver execute a proposal.
    pub(crate) fn validate(&mut self, pre_prepare: Signed<PrePrepare>, payload: Payload) {
        let Proposal { view, height, parent, header_hash, .. } = pre_prepare.content.proposal;
        if parent != self.tip.header_hash {
            self.slot.progress = Progress::Refused(pre_prepare);
            self.start_view_change(self.view.next());
            return;
        }
        let provenance =
            if self.carried.contains_key(&height) { Provenance::Carried } else { Provenance::New };
        self.effects.push(Effect::Validate {
            view,
            height,
            parent,
            header_hash,
            payload: payload.clone(),
            provenance,
        });
        self.slot.progress = Progress::Validating(pre_prepare, payload);
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
        let Progress::Validating(pre_prepare, payload) = &self.slot.progress else { return Err(not_awaited) };
        let proposal = pre_prepare.content.proposal;
        if (proposal.view, proposal.height, proposal.header_hash) != (view, height, header_hash) {
            return Err(not_awaited);
        }
        let (pre_prepare, payload) = (pre_prepare.clone(), payload.clone());
        match verdict {
            Verdict::Valid => {
                self.slot.ends_epoch = ends_epoch;
                self.accept(pre_prepare, payload);
            }
            Verdict::Invalid => {
                self.slot.progress = Progress::Refused(pre_prepare);
                self.start_view_change(self.view.next());
            }
        }
        Ok(())
    }

    /// Rule PBFT-NC-4. The primary's pre-prepare is its vote, so only backups send a prepare.
    fn accept(&mut self, pre_prepare: Signed<PrePrepare>, payload: Payload) {
        let proposal = pre_prepare.content.proposal;
        self.retained.keep(payload.clone());
        self.persist(LogEntry::Accepted(pre_prepare.clone(), payload.clone()));
        if !self.is_primary() {
            let prepare = self.sign(Prepare { proposal });
            self.slot.prepares.insert(prepare.sender, prepare.clone());
            self.effects.push(Effect::Broadcast(Message::Prepare(prepare)));
        }
        self.slot.progress = Progress::PrePrepared(pre_prepare, payload);
        // Known after a restart: this replica was prepared, and has voted to commit.
        let before = self.prepared.clone().filter(|prepared| *prepared.certificate.proposal() == proposal);
        match before {
            Some(prepared) => self.vote_to_commit(prepared.certificate),
            None => self.advance_slot(),
        }
    }

    /// Rule PBFT-NC-6: one prepare of each backup counts at a view and height.
    pub(crate) fn on_prepare(&mut self, vote: Signed<Prepare>) -> Result<(), Rejection> {
        let (sender, primary) = (vote.sender, self.primary());
        if sender == primary {
            return Err(Rejection::PrimaryDoesNotPrepare { primary });
        }
        match self.slot.prepares.get(&sender) {
            None => {
                self.slot.prepares.insert(sender, vote);
                self.advance_slot();
                Ok(())
            }
            Some(known) if known.content == vote.content => Err(Rejection::Duplicate { sender }),
            Some(known) => {
                let evidence = Evidence::Prepares(known.clone(), vote);
                Err(self.accuse(evidence))
            }
        }
    }

    /// Rule PBFT-NC-8: one commit of each replica counts at a view and height.
    pub(crate) fn on_commit(&mut self, vote: Signed<CommitVote>) -> Result<(), Rejection> {
        let sender = vote.sender;
        match self.slot.commits.get(&sender) {
            None => {
                self.slot.commits.insert(sender, vote);
                self.advance_slot();
                Ok(())
            }
            Some(known) if known.content == vote.content => Err(Rejection::Duplicate { sender }),
            Some(known) => {
                let evidence = Evidence::Commits(known.clone(), vote);
                Err(self.accuse(evidence))
            }
        }
    }

    /// Goes on as far as the votes allow.
    fn advance_slot(&mut self) {
        match self.slot.prepared(self.config.quorum()) {
            Some(certificate) => self.vote_to_commit(certificate),
            None => self.commit_if_local(),
        }
    }

    /// Rule PBFT-NC-7: once prepared, and with that on disk, vote to commit.
    fn vote_to_commit(&mut self, certificate: PreparedCertificate) {
        let Progress::PrePrepared(_, payload) = &self.slot.progress else { return };
        let payload = payload.clone();
        let Proposal { view, height, header_hash, .. } = *certificate.proposal();
        self.persist(LogEntry::Prepared(certificate.clone(), payload.clone()));
        let commit = self.sign(CommitVote { height, view, header_hash });
        self.slot.commits.insert(commit.sender, commit.clone());
        self.effects.push(Effect::Broadcast(Message::Commit(commit)));
        self.prepared = Some(Prepared { certificate: certificate.clone(), payload: payload.clone() });
        self.slot.progress = Progress::Prepared(certificate, payload);
        self.commit_if_local();
    }

    /// Rule PBFT-NC-9: a block with a commit certificate is final.
    fn commit_if_local(&mut self) {
        let Some(certificate) = self.slot.committed_local(self.config.quorum()) else { return };
        let Some((_, payload)) = self.slot.progress.accepted() else { return };
        let payload = payload.clone();
        self.effects.push(Effect::Commit { certificate: certificate.clone(), payload });
        self.settle_height(certificate, self.slot.ends_epoch);
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
        Ok(())
    }

    /// Moves on to the next height.
    fn settle_height(&mut self, certificate: CommitCertificate, ends_epoch: bool) {
        let CommitVote { height, header_hash, .. } = certificate.vote;
        self.tip = Tip { height, header_hash, certificate: Some(certificate) };
        self.slot = Slot::default();
        self.prepared = None;
        self.retained.clear();
        self.asked = None;
        if self.mode == Mode::Normal {
            self.failures = 0;
        }
        self.stop_timer(TimerKind::Progress);
        self.take_checkpoint(height, header_hash);
        if ends_epoch {
            self.mode = Mode::Ended;
            return;
        }
        self.begin_height();
    }

    /// Takes up what the view demands at the height in flight, and looks again at what was kept for it.
    pub(crate) fn begin_height(&mut self) {
        let height = self.active_height();
        self.carried = self.carried.split_off(&height);
        if self.mode == Mode::Normal
            && height > self.base
            && let Some(pre_prepare) = self.carried.get(&height).cloned()
        {
            match self.find_payload(pre_prepare.content.proposal.payload_digest) {
                Some(payload) => self.validate(pre_prepare, payload),
                None => {
                    self.slot.progress = Progress::AwaitingPayload(pre_prepare);
                    self.request_payload();
                }
            }
        }
        self.ready.extend(self.future.take());
    }

    /// Rule PBFT-EV-1: a contradiction is reported once for each replica and height.
    fn accuse(&mut self, evidence: Evidence) -> Rejection {
        let offender = evidence.offender();
        if self.slot.accused.insert(offender) {
            self.effects.push(Effect::Report(Box::new(evidence)));
        }
        Rejection::Equivocation { offender }
    }
}
