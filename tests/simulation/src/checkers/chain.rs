//! The one chain that correct replicas build, and what an independent ledger finds in it.

use super::epochs::Epochs;
use super::{Checked, Checker, ensure};
use crate::cast::Cast;
use crate::setting::SharedChecks;
use crate::signatures::QuickVotes;
use amulet_crypto::digest::Digest;
use amulet_node::ledger::{
    ExecutedBlock, Ledger, LedgerError, StateChunk, TransferRequest, TransferResponse,
};
use amulet_protocol::certificate::UntrustedCommitCertificate;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{Did, HeaderHash, Height, Nonce, TxId};
use amulet_protocol::light::UntrustedReceiptProof;
use amulet_protocol::state::StateKey;
use redb::Database;
use redb::backends::InMemoryBackend;
use std::collections::{BTreeMap, BTreeSet};

/// The chain so far.
pub struct Chain {
    /// Hashes of settled blocks, from height 1 on.
    settled: Vec<HeaderHash>,
    submitted: BTreeSet<TxId>,
    executed: BTreeMap<(Did, Nonce), (Height, TxId)>,
    acknowledged: BTreeMap<TxId, Height>,
    words: BTreeSet<TxId>,
    oracle: Ledger,
    epochs: Epochs,
    checked: SharedChecks,
}

impl Chain {
    /// The chain at its genesis.
    ///
    /// # Panics
    /// When the genesis document is no good.
    #[must_use]
    pub fn new(cast: &Cast, checked: SharedChecks) -> Self {
        let db = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .expect("a database in memory opens");
        let oracle = Ledger::over(db, &cast.genesis, Box::new(QuickVotes)).expect("the genesis is good");
        Self {
            settled: Vec::new(),
            submitted: BTreeSet::new(),
            executed: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            words: BTreeSet::new(),
            oracle,
            epochs: Epochs::new(cast.validators.as_ref().clone()),
            checked,
        }
    }

    /// Takes note of a transaction that a client sends.
    pub fn on_submitted(&mut self, id: TxId) {
        self.submitted.insert(id);
    }

    /// A correct replica has committed a block.
    ///
    /// # Errors
    /// When it breaks agreement, validity or at-most-once execution.
    pub fn on_commit(&mut self, block: &ExecutedBlock, certificate: &UntrustedCommitCertificate) -> Checked {
        let (height, hash) = (block.height(), block.hash());
        let index = usize::try_from(height.0).expect("few blocks") - 1;
        if let Some(settled) = self.settled.get(index) {
            return ensure(*settled == hash, Checker::Agreement, || {
                format!("block {height} is {settled} and {hash}")
            });
        }
        ensure(index == self.settled.len(), Checker::Agreement, || {
            format!("block {height} is committed and block {} is not", self.settled.len() + 1)
        })?;
        self.check_transactions(block)?;
        self.execute_again(block, certificate)?;
        self.epochs.on_settled(block, certificate, &self.oracle.epoch())?;
        self.settled.push(hash);
        Ok(())
    }

    fn check_transactions(&mut self, block: &ExecutedBlock) -> Checked {
        let height = block.height();
        for (transaction, id) in block.block().transactions.iter().zip(block.transaction_ids()) {
            ensure(self.submitted.contains(&id), Checker::Validity, || {
                format!("block {height} holds {id}, which nobody submitted")
            })?;
            let key = (transaction.transaction.sender, transaction.transaction.nonce);
            if let Some((earlier, other)) = self.executed.insert(key, (height, id)) {
                let detail =
                    format!("{other} at height {earlier} and {id} at height {height} have one nonce");
                return Err((Checker::AtMostOnce, detail));
            }
        }
        Ok(())
    }

    /// The independent ledger, which no fault touches, must find the block exactly as it says it is.
    fn execute_again(&self, block: &ExecutedBlock, certificate: &UntrustedCommitCertificate) -> Checked {
        let refuse = |error: String| (Checker::Validity, format!("block {}: {error}", block.height()));
        let executed = self
            .oracle
            .validate(&[], block.block().clone(), None, &self.checked)
            .map_err(|error| refuse(error.to_string()))?;
        self.oracle.commit(&executed, certificate.clone()).map_err(|error| refuse(error.to_string()))?;
        Ok(())
    }

    /// A client holds a receipt with its proof.
    ///
    /// # Errors
    /// When the proof is of another chain of blocks than the settled one.
    pub fn on_receipt(&mut self, id: TxId, proof: &UntrustedReceiptProof) -> Result<bool, (Checker, String)> {
        let header = &proof.header.header;
        // Who may certify a block that is not settled yet is not known to this client.
        let Ok(Some(validators)) = self.oracle.validators_at(header.height) else { return Ok(false) };
        let certified = proof.header.clone().verify_by(&QuickVotes, header.chain, &validators);
        let is_proven = certified.is_ok()
            && proof.receipt.transaction == id
            && proof.proof.verify(header.receipts_root, &proof.receipt.leaf()).is_ok();
        if !is_proven {
            return Ok(false);
        }
        let settled = self.hash_at(header.height);
        ensure(settled.is_none_or(|settled| settled == header.hash()), Checker::Agreement, || {
            format!("a receipt is proven in another block at height {}", header.height)
        })?;
        self.acknowledged.insert(id, header.height);
        Ok(true)
    }

    /// A client was told that its transaction is settled, without proof: at the end it must be.
    pub fn on_word(&mut self, id: TxId) {
        self.words.insert(id);
    }

    /// Whether a nonce was executed.
    #[must_use]
    pub fn executed(&self, sender: Did, nonce: Nonce) -> Option<Height> {
        self.executed.get(&(sender, nonce)).map(|(height, _)| *height)
    }

    /// Whether another transaction was executed under a nonce.
    #[must_use]
    pub fn executed_instead(&self, sender: Did, nonce: Nonce, id: TxId) -> bool {
        self.executed.get(&(sender, nonce)).is_some_and(|(_, executed)| *executed != id)
    }

    /// The ledger that no fault touches, at the newest settled block.
    #[must_use]
    pub fn oracle(&self) -> &Ledger {
        &self.oracle
    }

    /// Height of the newest settled block.
    #[must_use]
    pub fn height(&self) -> Height {
        Height(self.settled.len() as u64)
    }

    /// Transactions settled.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.executed.len()
    }

    /// Hash of a settled block.
    #[must_use]
    pub fn hash_at(&self, height: Height) -> Option<HeaderHash> {
        self.settled.get(usize::try_from(height.0.checked_sub(1)?).ok()?).copied()
    }

    /// A ledger that was copied from others: tip, headers, every value of the state and every history are those of the
    /// independent ledger.
    ///
    /// # Errors
    /// When something differs.
    pub fn check_copy(&self, replica: u16, ledger: &Ledger) -> Checked {
        let tip = ledger.tip();
        let wrong = |what: String| {
            (Checker::Copies, format!("replica {replica} copied block {}: {what}", tip.height))
        };
        let failed = |error: LedgerError| (Checker::Health, error.to_string());
        ensure(self.hash_at(tip.height) == Some(tip.hash), Checker::Copies, || {
            wrong("it is not the settled one".into()).1
        })?;
        for height in (0..=tip.height.0).map(Height) {
            if ledger.header(height).map_err(failed)? != self.oracle.header(height).map_err(failed)? {
                return Err(wrong(format!("header {height} is another one")));
            }
        }
        let same = |request: TransferRequest| -> Result<TransferResponse, (Checker, String)> {
            let own = ledger.transfer(&request).map_err(failed)?;
            if own != self.oracle.transfer(&request).map_err(failed)? {
                return Err(wrong(format!("it differs in {request:?}")));
            }
            Ok(own)
        };
        let mut from = Digest::ZERO;
        loop {
            let answer = same(TransferRequest::State { height: tip.height, from })?;
            let TransferResponse::State(StateChunk { rows, is_last, .. }) = answer else {
                return Err(wrong("its state is not there".into()));
            };
            for (key, value) in &rows {
                if let (StateKey::History(did), Ok(head)) = (key, borsh::from_slice::<HistoryHead>(value)) {
                    same(TransferRequest::Histories(vec![(*did, head.count)]))?;
                }
            }
            match rows.last() {
                Some((key, _)) if !is_last => from = key.hash(),
                _ => return Ok(()),
            }
        }
    }

    /// What a replica holds at the end: every acknowledged transaction above its floor up to its tip, in the settled blocks; an
    /// archive has no floor.
    ///
    /// # Errors
    /// When one is lost.
    pub fn check_ledger(&self, replica: u16, ledger: &Ledger, is_archive: bool) -> Checked {
        let tip = ledger.tip();
        let floor = ledger.floor().map_err(|error| (Checker::Health, error.to_string()))?;
        ensure(!is_archive || floor == Height(0), Checker::Acknowledged, || {
            format!("replica {replica} is to keep everything, and has removed what lies below {floor}")
        })?;
        ensure(
            tip.height == Height(0) || self.hash_at(tip.height) == Some(tip.hash),
            Checker::Agreement,
            || format!("replica {replica} ends at {} with another block", tip.height),
        )?;
        for (id, height) in &self.acknowledged {
            let found = ledger.receipt(*id).map_err(|error| (Checker::Health, error.to_string()))?;
            let is_there = found.as_ref().is_some_and(|(at, _)| at == height);
            // A ledger that was copied has no bodies at its floor.
            ensure(is_there || *height > tip.height || *height <= floor, Checker::Acknowledged, || {
                format!("replica {replica} has lost {id}, acknowledged at height {height}")
            })?;
        }
        let settled: BTreeSet<TxId> = self.executed.values().map(|(_, id)| *id).collect();
        if let Some(lost) = self.words.iter().find(|id| !settled.contains(id)) {
            return Err((Checker::Acknowledged, format!("{lost} was acknowledged and is in no block")));
        }
        // An acknowledgment is a quorum's word, so the chain must reach it.
        let highest = self.acknowledged.values().max();
        ensure(highest.is_none_or(|highest| *highest <= self.height()), Checker::Acknowledged, || {
            "an acknowledged block is settled nowhere".into()
        })
    }

    /// The state root of the newest settled block, as the independent ledger has it.
    ///
    /// # Errors
    /// When a replica with the same tip has another.
    pub fn check_root(&self, replica: u16, ledger: &Ledger) -> Checked {
        let height = ledger.tip().height;
        let (own, oracle) = (ledger.header(height), self.oracle.header(height));
        let same =
            matches!((own, oracle), (Ok(Some(own)), Ok(Some(oracle))) if own.state_root == oracle.state_root);
        ensure(same, Checker::Validity, || format!("replica {replica} has another state at height {height}"))
    }
}
