//! How contracts see the state.

use crate::ApplyError;
use amulet_protocol::state::StateKey;
use borsh::BorshDeserialize;
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

/// The decoded value at a key.
pub(crate) fn get<T: BorshDeserialize, S: StateRead>(
    state: &S,
    key: &StateKey,
) -> Result<Option<T>, ApplyError<S::Error>> {
    let bytes = state.read(key).map_err(ApplyError::State)?;
    let decode =
        |bytes: Vec<u8>| borsh::from_slice(&bytes).map_err(|_| ApplyError::Corrupt { key: key.clone() });
    bytes.map(decode).transpose()
}

/// The decoded value at a key that the genesis state fills.
pub(crate) fn get_filled<T: BorshDeserialize, S: StateRead>(
    state: &S,
    key: &StateKey,
) -> Result<T, ApplyError<S::Error>> {
    get(state, key)?.ok_or_else(|| ApplyError::Corrupt { key: key.clone() })
}
