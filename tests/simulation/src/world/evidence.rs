//! From a contradiction that a replica noticed to the record on the ledger.

use super::clients::Sender;
use super::{Happening, World};
use crate::checkers::{Checked, Checker, Finding, ensure};
use crate::notary::with_real_signatures;
use crate::time::Micros;
use amulet_node::consensus::Offence;
use amulet_node::ledger::Ledger;
use amulet_pbft::Evidence;
use amulet_protocol::calls::{Call, ReportEvidence};
use amulet_protocol::evidence::EvidenceRecord;
use amulet_protocol::governance::EpochState;
use amulet_protocol::ids::{Epoch, ReplicaId};
use amulet_protocol::state::StateKey;
use amulet_protocol::validators::ValidatorSet;

/// How often a node passes a report on that is not recorded yet, and looks for it.
const AGAIN_EVERY: Micros = Micros::seconds(3);

impl World {
    /// A replica has found another one out. The proof must convince anybody.
    pub(super) fn on_evidence(&mut self, index: usize, epoch: Epoch, evidence: &Evidence) -> Checked {
        self.summary.evidence += 1;
        self.watches[index].on_report(evidence.offender());
        let Some(up) = &self.nodes[index].up else { return Ok(()) };
        let Some(set) = set_of(&up.ledger, epoch) else { return Ok(()) };
        if self.nodes[index].is_correct {
            self.check_offender(epoch, &set, evidence.offender())?;
        }
        let report =
            ReportEvidence { epoch, evidence: with_real_signatures(evidence, epoch, &set, &self.cast) };
        let offence = Offence::of(&report);
        let (life, at, is_correct) = (self.nodes[index].life, self.now, self.nodes[index].is_correct);
        let Some(up) = &mut self.nodes[index].up else { return Ok(()) };
        if up.reports.add(report) && is_correct {
            self.findings.add(Finding { node: index, life, at, offence });
        }
        self.report_next(index)
    }

    fn check_offender(&self, epoch: Epoch, set: &ValidatorSet, offender: ReplicaId) -> Checked {
        let accused = set.get(offender).and_then(|member| self.setting.number_of(&member.organisation));
        let is_correct = accused.is_some_and(|accused| self.nodes[usize::from(accused)].is_correct);
        ensure(!is_correct, Checker::Evidence, || {
            format!("replica {offender} of epoch {epoch} is correct and accused")
        })
    }

    /// Sends the next report of a node that would tell the ledger anything.
    fn report_next(&mut self, index: usize) -> Checked {
        loop {
            let Some(up) = &mut self.nodes[index].up else { return Ok(()) };
            if up.reports.under_way.is_some() {
                return Ok(());
            }
            let Some(report) = up.reports.take_next() else { return Ok(()) };
            if Offence::of(&report).is_recorded_in(&up.ledger).unwrap_or(false) {
                continue;
            }
            let hospital = &mut self.cast.hospitals[usize::from(self.nodes[index].replica)];
            let transaction = hospital.sign(self.cast.chain, Call::ReportEvidence(Box::new(report)));
            let submission = self.admit(transaction, Sender::Node(index));
            if let Some(up) = &mut self.nodes[index].up {
                up.reports.under_way = Some(submission);
            }
            let look = Happening::LookAtReport { node: index, life: self.nodes[index].life };
            self.queue.push(self.now + AGAIN_EVERY, look);
            self.queue.push(self.now, Happening::Submit { node: index, submission, is_gossip: false });
            return Ok(());
        }
    }

    /// A node looks whether its report has come through, and passes it on again if not.
    pub(super) fn look_at_report(&mut self, index: usize, life: u64) -> Checked {
        if !self.is_running(index, life) {
            return Ok(());
        }
        let Some(up) = &mut self.nodes[index].up else { return Ok(()) };
        let Some(submission) = up.reports.under_way else { return Ok(()) };
        if up.ledger.contains(self.submissions[submission].transaction.id()).unwrap_or(false) {
            up.reports.under_way = None;
            return self.report_next(index);
        }
        self.queue.push(self.now + AGAIN_EVERY, Happening::LookAtReport { node: index, life });
        self.take(index, submission, false)
    }

    /// A liar brings up something against somebody that proves nothing; the contracts have to refuse it.
    pub(super) fn slander(&mut self, index: usize, epoch: Epoch, evidence: &Evidence) -> Checked {
        let Some(set) = set_of(self.chain.oracle(), epoch) else { return Ok(()) };
        let evidence = with_real_signatures(evidence, epoch, &set, &self.cast);
        let call = Call::ReportEvidence(Box::new(ReportEvidence { epoch, evidence }));
        let hospital = &mut self.cast.hospitals[usize::from(self.nodes[index].replica)];
        let transaction = hospital.sign(self.cast.chain, call);
        let submission = self.admit(transaction, Sender::Node(index));
        self.take(index, submission, false)
    }

    /// At the end of a calm: what correct replicas found before it, and did not forget in a stop, is on every correct ledger.
    pub(super) fn check_evidence(&self, found_before: Micros) -> Checked {
        let is_alive = |finding: &Finding| {
            let node = &self.nodes[finding.node];
            node.up.is_some() && node.life == finding.life
        };
        for node in self.nodes.iter().filter(|node| node.is_correct && !self.is_left_behind(node)) {
            if let Some(up) = &node.up {
                self.findings.check(node.replica, &up.ledger, found_before, is_alive)?;
            }
        }
        self.check_accused().map(|_| ())
    }

    /// Nobody correct is named on the ledger; how many records there are.
    pub(super) fn check_accused(&self) -> Result<u64, (Checker, String)> {
        let ledger = self.chain.oracle();
        let mut count = 0;
        for epoch in (0..=ledger.epoch().epoch.0).map(Epoch) {
            let Some(set) = set_of(ledger, epoch) else { continue };
            for offender in (0..set.members().len()).filter_map(|index| u16::try_from(index).ok()) {
                let key = StateKey::Evidence { epoch, offender: ReplicaId(offender) };
                let records: Option<Vec<EvidenceRecord>> =
                    ledger.read(&key).map_err(|error| (Checker::Health, error.to_string()))?;
                if let Some(records) = records {
                    self.check_offender(epoch, &set, ReplicaId(offender))?;
                    count += records.len() as u64;
                }
            }
        }
        Ok(count)
    }
}

/// The validators of an epoch, as a ledger knows them.
fn set_of(ledger: &Ledger, epoch: Epoch) -> Option<ValidatorSet> {
    let state: Option<EpochState> = ledger.read(&StateKey::Epoch(epoch)).ok()?;
    Some(state?.validators)
}
