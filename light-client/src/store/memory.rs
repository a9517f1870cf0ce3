//! A store that forgets when the program ends.

use super::{StoreError, StoredHeader, TrustedHeaderStore};
use std::sync::Mutex;

/// Keeps the header in memory: for tests, and for a workstation that many people use.
#[derive(Debug, Default)]
pub struct MemoryStore {
    bytes: Mutex<Option<Vec<u8>>>,
}

impl MemoryStore {
    /// A store with these bytes in it, as another store might have left them.
    #[must_use]
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes: Mutex::new(Some(bytes)) }
    }

    /// The bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.bytes.lock().expect("no user of the store panics").clone()
    }
}

impl TrustedHeaderStore for MemoryStore {
    fn load(&self) -> Result<Option<StoredHeader>, StoreError> {
        self.bytes().map(|bytes| StoredHeader::from_bytes(&bytes)).transpose()
    }

    fn save(&self, header: &StoredHeader) -> Result<(), StoreError> {
        *self.bytes.lock().expect("no user of the store panics") = Some(header.to_bytes());
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        *self.bytes.lock().expect("no user of the store panics") = None;
        Ok(())
    }
}
