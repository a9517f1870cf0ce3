//! What the client keeps, by type.

use super::format::{
    self, FORKS_BYTES_MAX, HEADER_BYTES_MAX, NODES_BYTES_MAX, PROGRESS_BYTES_MAX, STORED_BYTES_MAX,
};
use super::{
    ClientStore, HEADERS_KEPT_MAX, Slot, StoreError, StoredFork, StoredHeader, StoredNodes, StoredProgress,
};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec;
use amulet_protocol::ids::Height;
use borsh::{BorshDeserialize, BorshSerialize};

/// A store of values that are bounded, have a version and a digest. A value that is not what was written is an error of
/// [`StoreError`]; whether it is true is not its business.
pub struct Kept {
    store: Box<dyn ClientStore>,
}

impl Kept {
    /// What is kept in a back end.
    #[must_use]
    pub fn new(store: Box<dyn ClientStore>) -> Self {
        Self { store }
    }

    /// The trusted header.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    pub async fn head(&self) -> Result<Option<StoredHeader>, StoreError> {
        self.load(Slot::Head, STORED_BYTES_MAX).await
    }

    /// Replaces the trusted header. One whose trail is too long for [`STORED_BYTES_MAX`] is not kept.
    ///
    /// # Errors
    /// As [`ClientStore::write`].
    pub async fn keep_head(&self, head: &StoredHeader) -> Result<(), StoreError> {
        self.save(Slot::Head, head, STORED_BYTES_MAX).await
    }

    /// What an unfinished sync has reached.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    pub async fn progress(&self) -> Result<Option<StoredProgress>, StoreError> {
        self.load(Slot::Progress, PROGRESS_BYTES_MAX).await
    }

    /// Replaces what an unfinished sync has reached; more than [`PROGRESS_BYTES_MAX`] is not kept.
    ///
    /// # Errors
    /// As [`ClientStore::write`].
    pub async fn keep_progress(&self, progress: &StoredProgress) -> Result<(), StoreError> {
        self.save(Slot::Progress, progress, PROGRESS_BYTES_MAX).await
    }

    /// Forgets what an unfinished sync has reached.
    ///
    /// # Errors
    /// As [`ClientStore::remove`].
    pub async fn drop_progress(&self) -> Result<(), StoreError> {
        self.store.remove(Slot::Progress).await
    }

    /// The forks that were found.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    pub async fn forks(&self) -> Result<Vec<StoredFork>, StoreError> {
        Ok(self.load(Slot::Forks, FORKS_BYTES_MAX).await?.unwrap_or_default())
    }

    /// Replaces the forks; none leaves nothing, and more than [`FORKS_BYTES_MAX`] is not kept.
    ///
    /// # Errors
    /// As [`ClientStore::write`].
    pub async fn keep_forks(&self, forks: &Vec<StoredFork>) -> Result<(), StoreError> {
        if forks.is_empty() {
            return self.store.remove(Slot::Forks).await;
        }
        self.save(Slot::Forks, forks, FORKS_BYTES_MAX).await
    }

    /// Where the nodes are.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    pub async fn nodes(&self) -> Result<Option<StoredNodes>, StoreError> {
        self.load(Slot::Nodes, NODES_BYTES_MAX).await
    }

    /// Replaces where the nodes are; more than [`NODES_BYTES_MAX`] is not kept.
    ///
    /// # Errors
    /// As [`ClientStore::write`].
    pub async fn keep_nodes(&self, nodes: &StoredNodes) -> Result<(), StoreError> {
        self.save(Slot::Nodes, nodes, NODES_BYTES_MAX).await
    }

    /// Forgets where the nodes are.
    ///
    /// # Errors
    /// As [`ClientStore::remove`].
    pub async fn drop_nodes(&self) -> Result<(), StoreError> {
        self.store.remove(Slot::Nodes).await
    }

    /// The header of a height, if one is kept.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    pub async fn header(&self, height: Height) -> Result<Option<UntrustedSignedHeader>, StoreError> {
        let kept: Option<UntrustedSignedHeader> = self.load(slot_of(height), HEADER_BYTES_MAX).await?;
        Ok(kept.filter(|kept| kept.header.height == height))
    }

    /// Keeps a header in the place of another; one above [`HEADER_BYTES_MAX`] is not kept.
    ///
    /// # Errors
    /// As [`ClientStore::write`].
    pub async fn keep_header(&self, header: &UntrustedSignedHeader) -> Result<(), StoreError> {
        self.save(slot_of(header.header.height), header, HEADER_BYTES_MAX).await
    }

    /// Forgets the header at a height, or what is in its place.
    ///
    /// # Errors
    /// As [`ClientStore::remove`].
    pub async fn drop_header(&self, height: Height) -> Result<(), StoreError> {
        self.store.remove(slot_of(height)).await
    }

    /// Forgets everything, also what cannot be read.
    ///
    /// # Errors
    /// As [`ClientStore::clear`].
    pub async fn clear(&self) -> Result<(), StoreError> {
        self.store.clear().await
    }

    async fn load<T: BorshDeserialize>(&self, slot: Slot, limit: usize) -> Result<Option<T>, StoreError> {
        let bytes = self.store.read(slot).await?;
        bytes.map(|bytes| format::open(slot, &bytes, limit)).transpose()
    }

    async fn save(
        &self,
        slot: Slot,
        value: &(impl BorshSerialize + Sync),
        limit: usize,
    ) -> Result<(), StoreError> {
        if codec::encode(value).len() > limit {
            // An older value would be mistaken for the newest.
            return self.store.remove(slot).await;
        }
        self.store.write(slot, format::seal(slot, value)).await
    }
}

fn slot_of(height: Height) -> Slot {
    let number = height.0 % u64::from(HEADERS_KEPT_MAX);
    Slot::Header(u8::try_from(number).expect("a remainder is below its divisor, which has 8 bits"))
}
