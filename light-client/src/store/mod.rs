//! What a device keeps of the chain. All of it but the forks it found can be fetched again, so a lost or corrupt store
//! costs one sync and is never believed: what it holds is verified like an answer of a hospital.
//!
//! A [`ClientStore`] is a back end: it keeps bytes in a fixed number of [`Slot`]s and knows nothing of them. [`Kept`] is what
//! the client uses: it gives the bytes a version and a digest, and bounds them.

mod format;
#[cfg(target_arch = "wasm32")]
mod indexed_db;
mod kept;
mod memory;
#[cfg(not(target_arch = "wasm32"))]
mod sled;

#[cfg(not(target_arch = "wasm32"))]
pub use self::sled::SledStore;
pub use format::{
    FORKS_BYTES_MAX, FORKS_KEPT_MAX, HEADER_BYTES_MAX, NODES_BYTES_MAX, PROGRESS_BYTES_MAX, STORED_BYTES_MAX,
    StoredAddresses, StoredFork, StoredHeader, StoredNodes, StoredProgress, Told, VERSION,
};
#[cfg(target_arch = "wasm32")]
pub use indexed_db::IndexedDbStore;
pub use kept::Kept;
pub use memory::MemoryStore;

/// Proven headers kept. A wallet's newest access log lines name about this many blocks, and at four validators they take
/// about 250 KB.
pub const HEADERS_KEPT_MAX: u8 = u8::MAX;

/// A place for one value. There are [`HEADERS_KEPT_MAX`] + 4, so a store cannot grow without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The trusted header, with the trail of epochs that leads to it: a [`StoredHeader`].
    Head,
    /// What an unfinished sync has reached: a [`StoredProgress`].
    Progress,
    /// Forks that were found, with who was told: a list of [`StoredFork`].
    Forks,
    /// Where the ledger says that the validators' nodes are: a [`StoredNodes`].
    Nodes,
    /// One of the proven headers, each at a number of its height below [`HEADERS_KEPT_MAX`]; a later one of the same
    /// number takes its place.
    Header(u8),
}

impl Slot {
    /// Its name in a back end.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Head => "head".into(),
            Self::Progress => "progress".into(),
            Self::Forks => "forks".into(),
            Self::Nodes => "nodes".into(),
            Self::Header(number) => format!("header-{number}"),
        }
    }
}

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
    /// The store's own files were damaged or of another program, and it was made anew.
    #[error("the store's files were damaged")]
    Damaged,
    /// The store was deleted while it was open, and was made anew.
    #[error("the store was deleted while it was open")]
    Vanished,
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
    /// There is no room left for what was to be written.
    #[error("the storage is full")]
    Full,
}

/// A back end: keeps bytes by slot. Two programs or pages may share one, if it lets them ([`StoreError::InUse`] if not):
/// the last write counts, and each checks what it reads.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait ClientStore: Send + Sync {
    /// What is in a slot; `None` when nothing was written yet.
    ///
    /// # Errors
    /// [`StoreError`] but for `Corrupt`, `Version` of a value, and `Foreign`, which only the reader can tell. An error that
    /// says that the store was made anew is told once.
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError>;

    /// Replaces what is in a slot. It has reached the store when this returns; after an abrupt stop the old or the new bytes
    /// are there, or what [`Kept`] notices.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::NoStorage`], [`StoreError::Full`]: the old bytes are still there.
    /// [`StoreError::Damaged`], [`StoreError::Vanished`]: the new bytes are there, those of other slots are lost.
    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Forgets what is in a slot.
    ///
    /// # Errors
    /// As [`ClientStore::clear`].
    async fn remove(&self, slot: Slot) -> Result<(), StoreError>;

    /// Forgets everything, also what cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::NoStorage`].
    async fn clear(&self) -> Result<(), StoreError>;
}

/// A store that outlives its client.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl<S: ClientStore + ?Sized> ClientStore for std::sync::Arc<S> {
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        S::read(self, slot).await
    }

    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError> {
        S::write(self, slot, bytes).await
    }

    async fn remove(&self, slot: Slot) -> Result<(), StoreError> {
        S::remove(self, slot).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        S::clear(self).await
    }
}
