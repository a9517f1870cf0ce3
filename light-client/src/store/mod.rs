//! Where a device keeps the header it trusts. All of it can be fetched again, so a lost or corrupt store costs one sync
//! and is never believed: what it holds is verified like an answer of a hospital.

#[cfg(target_arch = "wasm32")]
mod browser;
mod format;
mod memory;
#[cfg(not(target_arch = "wasm32"))]
mod sled;

#[cfg(not(target_arch = "wasm32"))]
pub use self::sled::SledStore;
#[cfg(target_arch = "wasm32")]
pub use browser::BrowserStore;
pub use format::{STORED_BYTES_MAX, StoredHeader};
pub use memory::MemoryStore;

/// Why the store fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What is stored is not what was written.
    #[error("the stored header is corrupt")]
    Corrupt,
    /// The store was written by another version of this program.
    #[error("the store has format {found}, not {expected}")]
    Version {
        /// Found.
        found: u16,
        /// Expected.
        expected: u16,
    },
    /// The stored header does not verify on this chain.
    #[error("the stored header does not verify on this chain")]
    Foreign,
    /// The store's own files were damaged.
    #[error("the store's files were damaged")]
    Damaged,
    /// The store is in use by another process.
    #[error("the store is in use by another process")]
    InUse,
    /// Reading or writing fails.
    #[error("the store cannot be used: {kind}")]
    Backend {
        /// Kind of failure, as the operating system names it.
        kind: std::io::ErrorKind,
    },
    /// This browser gives the page no storage (private window, or switched off).
    #[error("this browser gives the page no storage")]
    NoStorage,
    /// The browser's storage is full.
    #[error("the browser's storage is full")]
    Full,
}

/// Keeps one trusted header.
pub trait TrustedHeaderStore: Send + Sync {
    /// The stored header; `None` when nothing was stored yet.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    fn load(&self) -> Result<Option<StoredHeader>, StoreError>;

    /// Replaces the stored header. It has reached the store when this returns; after an abrupt stop the old or the new one
    /// is there, or the store reports [`StoreError::Corrupt`].
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::NoStorage`], [`StoreError::Full`].
    fn save(&self, header: &StoredHeader) -> Result<(), StoreError>;

    /// Forgets everything, also what cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::NoStorage`].
    fn clear(&self) -> Result<(), StoreError>;
}
