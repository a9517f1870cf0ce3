//! One transaction in execution: the state it sees, and what it has changed so far.

use crate::state::{self, Changes, StateRead};
use crate::{Applied, ApplyError, BlockContext};
use amulet_protocol::codec;
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{Did, Timestamp, TxId};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::SignedTransaction;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Why a contract stopped.
pub(crate) enum Stop<E> {
    /// A rule is broken.
    Refused(RefusalCode),
    /// The state could not be read.
    Failed(ApplyError<E>),
}

/// What a contract's step returns.
pub(crate) type Done<S, T = ()> = Result<T, Stop<<S as StateRead>::Error>>;

/// The state with this transaction's changes on top.
pub(crate) struct Step<'a, S> {
    state: &'a S,
    /// Who calls.
    pub(crate) sender: Did,
    /// The transaction.
    pub(crate) id: TxId,
    /// The block.
    pub(crate) context: BlockContext,
    changes: Changes,
    history: Vec<(Did, HistoryEntry)>,
}

impl<E> From<RefusalCode> for Stop<E> {
    fn from(code: RefusalCode) -> Self {
        Self::Refused(code)
    }
}

/// Refuses with `code` unless `rule` holds.
pub(crate) fn ensure(rule: bool, code: RefusalCode) -> Result<(), RefusalCode> {
    if rule { Ok(()) } else { Err(code) }
}

impl<S: StateRead> StateRead for Step<'_, S> {
    type Error = S::Error;

    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, S::Error> {
        match self.changes.get(key) {
            Some(changed) => Ok(changed.clone()),
            None => self.state.read(key),
        }
    }
}

impl<'a, S: StateRead> Step<'a, S> {
    pub(crate) fn new(state: &'a S, transaction: &SignedTransaction, context: BlockContext) -> Self {
        let (sender, id) = (transaction.transaction().sender, transaction.id());
        Self { state, sender, id, context, changes: BTreeMap::new(), history: Vec::new() }
    }

    /// Time of the block.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.time
    }

    pub(crate) fn get<T: BorshDeserialize>(&self, key: &StateKey) -> Done<S, Option<T>> {
        state::get(self, key).map_err(Stop::Failed)
    }

    /// The value at a key that the genesis state fills.
    pub(crate) fn get_filled<T: BorshDeserialize>(&self, key: &StateKey) -> Done<S, T> {
        state::get_filled(self, key).map_err(Stop::Failed)
    }

    pub(crate) fn exists(&self, key: &StateKey) -> Done<S, bool> {
        Ok(self.read(key).map_err(|error| Stop::Failed(ApplyError::State(error)))?.is_some())
    }

    pub(crate) fn put(&mut self, key: StateKey, value: &impl BorshSerialize) {
        self.changes.insert(key, Some(codec::encode(value)));
    }

    pub(crate) fn remove(&mut self, key: StateKey) {
        self.changes.insert(key, None);
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) fn record_entry(&mut self, did: Did, entry: HistoryEntry) {
        self.history.push((did, entry));
    }

    pub(crate) fn finish(self) -> Applied {
        let events =
            self.history.iter().map(|(did, entry)| (*did, entry.number, entry.event.clone())).collect();
        Applied { changes: self.changes, outcome: Outcome::Applied { events }, history: self.history }
    }
}
