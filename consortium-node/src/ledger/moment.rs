//! Judging many transactions by one state of the ledger.

use super::error::LedgerError;
use super::state_tree::StateAt;
use super::store::Snapshot;
use amulet_contracts::rules::explain_reading;
use amulet_contracts::{BlockContext, Due, admissible, flows_due};
use amulet_protocol::calls::{GrantId, RecordEntry};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, Did, Timestamp, TxId};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::rules::ExplainedReading;
use amulet_protocol::transaction::SignedTransaction;

/// The ledger as it was when this was made: further looks are cheap, and know nothing of blocks committed since.
pub struct Moment {
    snapshot: Snapshot,
    tip: Header,
    chain: ChainId,
}

impl Moment {
    pub(super) fn new(snapshot: Snapshot, chain: ChainId) -> Result<Self, LedgerError> {
        Ok(Self { tip: snapshot.tip()?, snapshot, chain })
    }

    /// Whether a transaction is in a committed block, applied or refused.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn contains(&self, id: TxId) -> Result<bool, LedgerError> {
        Ok(self.snapshot.place(id)?.is_some())
    }

    /// Which standing grants of a patient open which of these new records, if they are registered now.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn flows_due(&self, patient: Did, records: &[RecordEntry]) -> Result<Vec<Due>, LedgerError> {
        let state = StateAt { snapshot: &self.snapshot, height: self.tip.height };
        Ok(flows_due(&state, patient, records, self.tip.time.plus_millis(1))?)
    }

    /// What the rule book says of a reading of all that a grant opens; `None` if there is no such grant.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn explain_reading(
        &self,
        grant: GrantId,
        reader: Did,
        now: Timestamp,
    ) -> Result<Option<ExplainedReading>, LedgerError> {
        let state = StateAt { snapshot: &self.snapshot, height: self.tip.height };
        Ok(explain_reading(&state, grant, reader, now)?)
    }

    /// Why no block on top of the tip may hold a transaction: it is committed already, or its key or nonce is not good for
    /// its sender. `None` if one may, whatever the contracts will say to its call.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn refusal(&self, transaction: &SignedTransaction) -> Result<Option<RefusalCode>, LedgerError> {
        let state = StateAt { snapshot: &self.snapshot, height: self.tip.height };
        let (height, time) = (self.tip.height.next(), self.tip.time.plus_millis(1));
        let context = BlockContext { chain: self.chain, height, time };
        Ok(admissible(&state, transaction, &context).map_err(LedgerError::from)?.err())
    }
}
