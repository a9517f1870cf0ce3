//! Starting: for the first time, or after a stop, from the ledger's tip and the durable records.

use std::collections::BTreeMap;

use amulet_crypto::signing::PublicKey;
use amulet_protocol::ids::{Epoch, HeaderHash, Height, ReplicaId, View};

use crate::certificate::CommitCertificate;
use crate::config::Config;
use crate::effect::Effect;
use crate::message::{Message, NewView, PrePrepare, Signed, ViewChange};
use crate::new_view::Plan;
use crate::payload::Payload;
use crate::planted::Bug;
use crate::record::{LogEntry, LogRecord};
use crate::replica::{Mode, Prepared, Replica};
use crate::signer::Signer;
use crate::slot::Progress;
use crate::timer::TimerKind;

/// The last committed block, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Hash of its header.
    pub header_hash: HeaderHash,
    /// The proof; `None` for the genesis block only.
    pub certificate: Option<CommitCertificate>,
}

impl Tip {
    /// The start of a chain.
    #[must_use]
    pub fn genesis(header_hash: HeaderHash) -> Self {
        Self { height: Height(0), header_hash, certificate: None }
    }
}

/// Why a replica cannot start from what is on disk. Each means that starting could contradict what it signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// A record was written by another replica: the log belongs to another node, or the number was changed.
    #[error("the log is of replica {found}, this is {replica}")]
    ForeignRecord {
        /// Who signed the record.
        found: ReplicaId,
        /// This replica.
        replica: ReplicaId,
    },
    /// The log speaks of a height that comes after blocks that neither the ledger nor the log has: the ledger lost blocks.
    #[error(
        "the ledger ends at {committed}, but this replica has voted at {voted}, on top of blocks that are gone"
    )]
    LedgerBehind {
        /// The ledger's tip.
        committed: Height,
        /// The highest height in the log.
        voted: Height,
    },
    /// The log speaks of an epoch that begins after the blocks that the ledger has: the ledger lost blocks.
    #[error("the ledger is in epoch {epoch}, but this replica has voted in epoch {voted}")]
    LedgerBehindEpoch {
        /// The ledger's epoch.
        epoch: u64,
        /// The latest epoch in the log.
        voted: u64,
    },
    /// What this replica said in the epoch was lost: it takes no part in it ([`is_lost`]).
    #[error("the log of epoch {epoch} was lost: this replica takes part again in the next epoch")]
    Lost {
        /// The epoch.
        epoch: u64,
    },
    /// The ledger's last block has no commit certificate, or one for another block.
    #[error("the ledger's block {height} has no certificate of its own")]
    TipCertificate {
        /// The ledger's tip.
        height: Height,
    },
}

/// The records of this epoch by kind, those of heights only above the tip; of each the last one given.
#[derive(Default)]
struct Records {
    accepted: BTreeMap<Height, (Signed<PrePrepare>, Payload)>,
    prepared: BTreeMap<Height, Prepared>,
    view_change: Option<Signed<ViewChange>>,
    new_view: Option<Signed<NewView>>,
}

/// Rule PBFT-RC-1: a replica enters an epoch when the block that ends the one before is durable. So a record of a later
/// epoch shows that the ledger lost blocks. Also for a node that is no validator in the ledger's epoch: it may be one again in
/// the next, where it has voted.
///
/// # Errors
/// [`RecoverError::LedgerBehindEpoch`].
pub fn check_epochs(records: &[LogRecord], epoch: Epoch) -> Result<(), RecoverError> {
    match records.iter().map(|record| record.epoch).max().filter(|voted| *voted > epoch) {
        Some(voted) => Err(RecoverError::LedgerBehindEpoch { epoch: epoch.0, voted: voted.0 }),
        None => Ok(()),
    }
}

/// Rule PBFT-RC-6: whether the log of this epoch was lost. The node then only follows the blocks of the others until the next
/// epoch begins: in that it has said nothing, and nothing said before counts there.
#[must_use]
pub fn is_lost(records: &[LogRecord], epoch: Epoch) -> bool {
    records.iter().any(|record| record.epoch == epoch && record.entry == LogEntry::Lost)
}

/// Rule PBFT-RC-7: the keys under which nobody knows what was said, for log and ledger were lost. A node under one of them
/// only follows, until an epoch begins in which it has another.
#[must_use]
pub fn lost_keys(records: &[LogRecord]) -> Vec<PublicKey> {
    let keys = records.iter().filter_map(|record| match &record.entry {
        LogEntry::KeysLost(keys) => Some(keys.as_slice()),
        _ => None,
    });
    keys.flatten().cloned().collect()
}

impl Replica {
    /// A replica that has never voted. The effects are to be carried out before the first input.
    ///
    /// # Errors
    /// [`RecoverError::TipCertificate`], see there.
    pub fn new(
        config: Config,
        signer: Box<dyn Signer>,
        tip: Tip,
    ) -> Result<(Self, Vec<Effect>), RecoverError> {
        Self::recover(config, signer, tip, Vec::new())
    }

    /// The replica that wrote `records`, with the ledger at `tip` (rules PBFT-RC-1 to PBFT-RC-5). The order of records
    /// does not matter if there is one for each key; else the last one counts. The effects are to be carried out before
    /// the first input.
    ///
    /// # Errors
    /// [`RecoverError`] when ledger and log do not fit together; the replica must not vote then.
    pub fn recover(
        config: Config,
        signer: Box<dyn Signer>,
        tip: Tip,
        records: Vec<LogRecord>,
    ) -> Result<(Self, Vec<Effect>), RecoverError> {
        let is_proven = match &tip.certificate {
            None => tip.height == Height(0),
            Some(proof) => (proof.vote.height, proof.vote.header_hash) == (tip.height, tip.header_hash),
        };
        if !is_proven {
            return Err(RecoverError::TipCertificate { height: tip.height });
        }
        check_epochs(&records, config.epoch())?;
        let mut replica = Self::at(config, signer, tip);
        let records = replica.sort_records(records)?;
        replica.restore_checkpoint();
        replica.restore_view(records.new_view, records.view_change);
        replica.restore_slots(records.accepted, records.prepared);
        replica.announce();
        let effects = replica.finish();
        Ok((replica, effects))
    }

    fn sort_records(&mut self, records: Vec<LogRecord>) -> Result<Records, RecoverError> {
        let mut sorted = Records::default();
        for record in records {
            if record.epoch != self.config.epoch() {
                continue;
            }
            match record.entry {
                LogEntry::Accepted(pre_prepare, payload) => {
                    let height = pre_prepare.content.proposal.height;
                    sorted.accepted.insert(height, (pre_prepare, payload));
                }
                LogEntry::Prepared(certificate, payload) => {
                    let height = certificate.proposal().height;
                    sorted.prepared.insert(height, Prepared { certificate, payload });
                }
                LogEntry::ViewChange(view_change) => {
                    self.check_author(view_change.sender)?;
                    sorted.view_change = Some(view_change);
                }
                LogEntry::NewView(new_view) => sorted.new_view = Some(new_view),
                LogEntry::Checkpoint(vote) => {
                    self.check_author(vote.sender)?;
                    let voted = vote.content.height;
                    if voted > self.tip.height {
                        return Err(RecoverError::LedgerBehind { committed: self.tip.height, voted });
                    }
                    self.checkpoints.own = Some(vote);
                }
                // The driver, who knows the keys, starts no replica under one of these.
                LogEntry::KeysLost(_) => {}
                LogEntry::Lost => return Err(RecoverError::Lost { epoch: record.epoch.0 }),
                LogEntry::Stable(certificate) => {
                    self.checkpoints.raise(certificate.checkpoint.height);
                    self.checkpoints.stable = Some(certificate);
                }
            }
        }
        // Rule PBFT-EP-4: the epoch before has certified the block that this one starts from.
        self.checkpoints.raise(self.config.epoch_start());
        // As when blocks beyond the window are adopted (PBFT-CP-4).
        if self.tip.height > self.checkpoints.high(&self.config) {
            self.checkpoints.raise(self.tip.height);
        }
        let next = self.active_height();
        sorted.accepted = sorted.accepted.split_off(&next);
        sorted.prepared = sorted.prepared.split_off(&next);
        self.check_gaps(&sorted)?;
        Ok(sorted)
    }

    /// Rule PBFT-RC-1: a block is accepted on top of the tip or of another accepted one, and its record is deleted when it
    /// is final and durable. So a gap between the tip and a record shows that the ledger lost blocks.
    fn check_gaps(&self, records: &Records) -> Result<(), RecoverError> {
        let voted = records.accepted.keys().chain(records.prepared.keys()).max().copied();
        let Some(voted) = voted.filter(|_| !self.is_planted(Bug::SkipAcceptedRecord)) else { return Ok(()) };
        let accepted = records.accepted.len() as u64;
        if accepted != voted.0 - self.tip.height.0 {
            return Err(RecoverError::LedgerBehind { committed: self.tip.height, voted });
        }
        Ok(())
    }

    /// Rule PBFT-RC-5: the vote given before counts again, and the vote for the tip that a stop may have kept from being
    /// given is given now. Where no replica is to spare, a window whose checkpoints lack one vote each would stay shut.
    fn restore_checkpoint(&mut self) {
        self.checkpoints.restore_own();
        let voted = self.checkpoints.own.as_ref().map(|vote| vote.content.height);
        let Tip { height, header_hash, .. } = self.tip;
        if voted < Some(height) {
            self.take_checkpoint(height, header_hash);
        }
    }

    fn check_author(&self, found: ReplicaId) -> Result<(), RecoverError> {
        let replica = self.config.replica();
        if found != replica {
            return Err(RecoverError::ForeignRecord { found, replica });
        }
        Ok(())
    }

    /// Rule PBFT-RC-2: back into the view entered last, or to asking for the one asked for last.
    fn restore_view(&mut self, new_view: Option<Signed<NewView>>, view_change: Option<Signed<ViewChange>>) {
        if let Some(new_view) = new_view {
            let plan = Plan::select(new_view.content.view, &new_view.content.view_changes, &self.config);
            self.install_view(new_view, &plan);
        }
        if let Some(view_change) = view_change.filter(|asked| asked.content.new_view > self.view) {
            self.mode = Mode::ViewChange { target: view_change.content.new_view };
            self.failures = 1;
            self.carried.clear();
            self.view_changes.insert(view_change.sender, view_change);
        }
    }

    /// Rule PBFT-RC-3: the proposals voted for in this view are the only ones to vote for; what was prepared stays so. The
    /// blocks are executed anew, because the outcome of execution was not kept.
    fn restore_slots(
        &mut self,
        accepted: BTreeMap<Height, (Signed<PrePrepare>, Payload)>,
        prepared: BTreeMap<Height, Prepared>,
    ) {
        self.prepared = prepared;
        for (height, (pre_prepare, payload)) in accepted {
            self.retained.keep(height, payload.clone());
            let is_forgotten = self.is_planted(Bug::RestoreFirstOnly) && height > self.active_height();
            if self.is_active(pre_prepare.content.proposal.view) && !is_forgotten {
                self.slot_mut(height).progress = Progress::Held(pre_prepare, payload);
            }
        }
        self.take_up_carried();
        self.request_payloads();
        self.advance();
    }

    fn is_active(&self, view: View) -> bool {
        self.mode == Mode::Normal && view == self.view
    }

    /// Rule PBFT-RC-4: says where it is, so that the others answer with what it missed.
    fn announce(&mut self) {
        self.effects.push(Effect::Broadcast(Message::Status(self.status())));
        if let Mode::ViewChange { .. } = self.mode
            && let Some(own) = self.view_changes.get(&self.config.replica())
        {
            self.effects.push(Effect::Broadcast(Message::ViewChange(own.clone())));
        }
        self.start_timer(TimerKind::Heartbeat, self.config.timeouts().heartbeat);
    }
}
