//! A store that forgets when the program ends.

use super::{ClientStore, Slot, StoreError};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// Keeps all in memory: for tests, for a workstation that many people use, and where another store cannot be opened.
#[derive(Debug, Default)]
pub struct MemoryStore {
    slots: Mutex<BTreeMap<Slot, Vec<u8>>>,
    trouble_to_report: Mutex<Option<StoreError>>,
}

impl MemoryStore {
    /// An empty store that takes the place of one that cannot be used; the first read says why.
    #[must_use]
    pub fn in_place_of(unusable: StoreError) -> Self {
        Self { slots: Mutex::default(), trouble_to_report: Mutex::new(Some(unusable)) }
    }

    /// The bytes of a slot.
    #[must_use]
    pub fn bytes(&self, slot: Slot) -> Option<Vec<u8>> {
        self.slots().get(&slot).cloned()
    }

    /// Puts bytes into a slot, as another store might have left them.
    pub fn put(&self, slot: Slot, bytes: Vec<u8>) {
        self.slots().insert(slot, bytes);
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<Slot, Vec<u8>>> {
        self.slots.lock().expect("no user of the store panics")
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl ClientStore for MemoryStore {
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(trouble) = self.trouble_to_report.lock().expect("no user of the store panics").take() {
            return Err(trouble);
        }
        Ok(self.bytes(slot))
    }

    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.put(slot, bytes);
        Ok(())
    }

    async fn remove(&self, slot: Slot) -> Result<(), StoreError> {
        self.slots().remove(&slot);
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.slots().clear();
        Ok(())
    }
}
