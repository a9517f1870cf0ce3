//! The browser's store: `localStorage`. One header and the few validator sets before it need no database.

use super::{STORED_BYTES_MAX, StoreError, StoredHeader, TrustedHeaderStore};

/// Keeps the header in the page's `localStorage`, as hexadecimal text.
#[derive(Clone, Debug)]
pub struct BrowserStore {
    key: String,
}

impl BrowserStore {
    /// The store under `name`, which tells apart the networks that one origin serves.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { key: format!("amulet.trusted-header.{name}") }
    }
}

impl TrustedHeaderStore for BrowserStore {
    fn load(&self) -> Result<Option<StoredHeader>, StoreError> {
        let text = storage()?.get_item(&self.key).map_err(|_| StoreError::NoStorage)?;
        text.map(|text| StoredHeader::from_bytes(&from_hex(&text)?)).transpose()
    }

    fn save(&self, header: &StoredHeader) -> Result<(), StoreError> {
        storage()?.set_item(&self.key, &hex::encode(header.to_bytes())).map_err(|_| StoreError::Full)
    }

    fn clear(&self) -> Result<(), StoreError> {
        storage()?.remove_item(&self.key).map_err(|_| StoreError::NoStorage)
    }
}

fn storage() -> Result<web_sys::Storage, StoreError> {
    web_sys::window().and_then(|window| window.local_storage().ok().flatten()).ok_or(StoreError::NoStorage)
}

/// The bound is checked before anything is decoded: other pages of this origin can write here too.
fn from_hex(text: &str) -> Result<Vec<u8>, StoreError> {
    if text.len() > 2 * STORED_BYTES_MAX {
        return Err(StoreError::Corrupt);
    }
    hex::decode(text).map_err(|_| StoreError::Corrupt)
}
