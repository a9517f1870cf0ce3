//! Ciphertexts that do not fit into memory: written piece by piece under a name of their own, and moved to the name of their digest
//! once it is known; read piece by piece.

use super::{Vault, VaultError, place};
use amulet_crypto::digest::{Digest, IncrementalDigest, Sm3Hasher};
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_protocol::ids::BlobId;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStoreExt, WriteMultipart};
use std::num::NonZeroU64;
use std::time::Duration;

/// Bytes of the largest ciphertext that is written as a stream: what an S3 service moves in one request is at most 5 GiB.
pub const STREAM_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes written at once; S3 services take at least 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one stream on their way to the store. With the one that is filled they bound a stream's memory.
const PARTS_AT_ONCE: usize = 2;
/// Bytes after which a paced reader rests: few enough that others' requests come through between.
const PACED_BYTES: u64 = 256 * 1024;
/// Where streams are written until they have ended.
pub(super) const INCOMING: &str = "incoming";

/// A ciphertext that is being written. Dropped before [`Incoming::finish`] it leaves what a sweep removes.
pub struct Incoming {
    vault: Vault,
    staged: ObjectPath,
    parts: WriteMultipart,
    hasher: Sm3Hasher,
    bytes: u64,
}

/// A ciphertext as it lies in the vault, from some byte on.
pub struct Outgoing {
    /// Bytes of the whole.
    pub size: u64,
    /// The pieces. Nothing vouches for them: the reader checks what it gets, by the digest or by the seal of each chunk.
    pub pieces: BoxStream<'static, Result<axum::body::Bytes, VaultError>>,
}

/// What a check of one ciphertext found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is whole, and has so many bytes.
    Whole(u64),
    /// There is none.
    Missing,
    /// There are other bytes under its name.
    Damaged,
}

impl Vault {
    /// Starts to write a ciphertext whose digest is not known yet.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn begin(&self) -> Result<Incoming, VaultError> {
        let mut name = [0; 16];
        SystemEntropy.fill(&mut name);
        let staged = ObjectPath::from(format!("{INCOMING}/{}", hex::encode(name)));
        let upload = self.store.put_multipart(&staged).await?;
        let parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        Ok(Incoming { vault: self.clone(), staged, parts, hasher: Sm3Hasher::new(), bytes: 0 })
    }

    /// A ciphertext from a byte on, in pieces; `None` if there is no copy here, or it has no such byte.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn stream(&self, id: BlobId, from: u64) -> Result<Option<Outgoing>, VaultError> {
        let range = (from > 0).then_some(GetRange::Offset(from));
        let size = match self.size(id).await? {
            Some(size) if from < size || from == 0 => size,
            _ => return Ok(None),
        };
        let found = match self.store.get_opts(&place(id), GetOptions { range, ..GetOptions::default() }).await
        {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Outgoing { size, pieces: found.into_stream().map_err(VaultError::from).boxed() }))
    }

    /// Bytes of a ciphertext; `None` if there is no copy here.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn size(&self, id: BlobId) -> Result<Option<u64>, VaultError> {
        match self.store.head(&place(id)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Some bytes of a ciphertext, fewer at its end; `None` if there is no copy here.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn piece(&self, id: BlobId, from: u64, length: u64) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(size) = self.size(id).await? else { return Ok(None) };
        let to = size.min(from.saturating_add(length));
        if from >= to {
            return Ok(Some(Vec::new()));
        }
        match self.store.get_range(&place(id), from..to).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a ciphertext to its end and compares its digest; at this many bytes a second, or as fast as the store goes.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn check(&self, id: BlobId, bytes_per_second: Option<NonZeroU64>) -> Result<Found, VaultError> {
        let Some(mut outgoing) = self.stream(id, 0).await? else { return Ok(Found::Missing) };
        let (mut hasher, mut bytes, mut unpaid) = (Sm3Hasher::new(), 0, 0);
        while let Some(piece) = outgoing.pieces.try_next().await? {
            hasher.update(&piece);
            bytes += piece.len() as u64;
            unpaid += piece.len() as u64;
            if let Some(rate) = bytes_per_second
                && unpaid >= PACED_BYTES
            {
                tokio::time::sleep(Duration::from_millis(unpaid * 1_000 / rate)).await;
                unpaid = 0;
            }
        }
        Ok(if finish(hasher) == id { Found::Whole(bytes) } else { Found::Damaged })
    }
}

impl Incoming {
    /// Takes the next bytes. What it keeps in memory is bounded: it waits while the store is slower.
    ///
    /// # Errors
    /// [`VaultError::StreamTooLarge`], [`VaultError::Store`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > STREAM_BYTES_MAX {
            return Err(VaultError::StreamTooLarge { found: self.bytes });
        }
        self.hasher.update(bytes);
        self.parts.wait_for_capacity(PARTS_AT_ONCE).await?;
        self.parts.write(bytes);
        Ok(())
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps what was written under the name of its digest. On return it is durable.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn finish(self) -> Result<BlobId, VaultError> {
        let id = finish(self.hasher);
        self.parts.finish().await?;
        self.vault.store.rename(&self.staged, &place(id)).await?;
        Ok(id)
    }

    /// Keeps what was written if it has this digest, else throws it away.
    ///
    /// # Errors
    /// [`VaultError::OtherContent`], [`VaultError::Store`].
    pub async fn finish_as(self, expected: BlobId) -> Result<(), VaultError> {
        let found = finish(self.hasher.clone());
        if found != expected {
            self.abort().await;
            return Err(VaultError::OtherContent { expected, found });
        }
        self.finish().await.map(|_| ())
    }

    /// Throws away what was written. What cannot be removed now is swept later.
    pub async fn abort(self) {
        if let Err(error) = self.parts.abort().await {
            tracing::debug!(%error, "an unfinished ciphertext stays until it is swept");
        }
    }
}

fn finish(hasher: Sm3Hasher) -> BlobId {
    BlobId(Digest::from_bytes(hasher.finalize().into()))
}
