//! How contracts see the state.

use amulet_protocol::state::StateKey;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// New values by key; `None` removes the entry.
pub type Changes = BTreeMap<StateKey, Option<Vec<u8>>>;

/// A state held in memory.
pub type MemoryState = BTreeMap<StateKey, Vec<u8>>;

/// Read access to the state as it is before a transaction.
pub trait StateRead {
    /// Why the store could not answer.
    type Error;

    /// The encoded value at a key; `None` if there is none.
    ///
    /// # Errors
    /// The store's own.
    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, Self::Error>;
}

impl StateRead for MemoryState {
    type Error = Infallible;

    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.get(key).cloned())
    }
}
