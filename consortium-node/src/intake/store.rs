//! Putting ciphertexts into this hospital's vault and into one other's.

use super::seal::Sealed;
use super::{IntakeError, IntakeParts};
use crate::network::{PeerRequest, PeerResponse};
use amulet_crypto::digest::Digest;
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::ids::{BlobId, Did, ReplicaId};
use futures::future::try_join_all;

/// Ciphertexts written at once, so that the file system can sync them together.
const WRITES_AT_ONCE: usize = 16;
/// Ciphertexts handed to the other hospital at once: it has to write and sync them before it answers.
const BATCH_BLOBS: usize = 64;
/// Bytes handed over at once; one ciphertext alone may be larger.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A record whose ciphertext two hospitals hold.
pub(super) struct Stored {
    pub entry: RecordEntry,
    pub label: String,
    pub content: Digest,
}

/// Records with the hospital that holds the second copy.
pub(super) struct StoredRecords {
    pub mirror: ReplicaId,
    pub records: Vec<Stored>,
}

/// Stores all ciphertexts twice.
pub(super) async fn store(parts: &IntakeParts, sealed: Vec<Sealed>) -> Result<StoredRecords, IntakeError> {
    for together in sealed.chunks(WRITES_AT_ONCE) {
        let writes: Vec<_> =
            together.iter().map(|record| parts.vault.put(record.ciphertext.clone())).collect();
        try_join_all(writes).await?;
    }
    let Some((mirror, holder)) = mirror(parts, &sealed).await else {
        remove(parts, None, sealed.iter().map(|record| record.entry.blob).collect()).await;
        return Err(IntakeError::NoMirror);
    };
    let holders = vec![parts.sender.organisation(), holder];
    let stored = |sealed: Sealed| {
        let Sealed { entry, label, content, .. } = sealed;
        Stored { entry: RecordEntry { holders: holders.clone(), ..entry }, label, content }
    };
    Ok(StoredRecords { mirror, records: sealed.into_iter().map(stored).collect() })
}

/// Removes ciphertexts that will not be registered. What cannot be removed now is swept later.
pub(super) async fn remove(parts: &IntakeParts, mirror: Option<ReplicaId>, blobs: Vec<BlobId>) {
    for blob in &blobs {
        if let Err(error) = parts.vault.remove(*blob).await {
            tracing::warn!(%error, "unused ciphertext stays until it is swept");
        }
    }
    if let Some(mirror) = mirror {
        parts.network.ask(mirror, PeerRequest::DropBlobs(blobs)).await;
    }
}

/// The first other hospital, counted from this one on, that keeps all copies.
async fn mirror(parts: &IntakeParts, sealed: &[Sealed]) -> Option<(ReplicaId, Did)> {
    let own = parts.sender.organisation();
    let validators = parts.ledger.validators();
    let members = validators.members();
    let size = members.len();
    for step in 1..size {
        let index = (usize::from(parts.own.0) + step) % size;
        let holder = members[index].organisation;
        let replica = ReplicaId(u16::try_from(index).expect("a validator set has at most 100 members"));
        if holder != own && replicate(parts, replica, sealed).await {
            return Some((replica, holder));
        }
    }
    None
}

async fn replicate(parts: &IntakeParts, to: ReplicaId, sealed: &[Sealed]) -> bool {
    let mut sent = 0;
    for batch in batches(sealed) {
        let blobs = batch.iter().map(|record| record.ciphertext.clone()).collect();
        match parts.network.ask(to, PeerRequest::StoreBlobs(blobs)).await {
            Some(PeerResponse::Stored) => sent += batch.len(),
            _ => {
                tracing::warn!(replica = to.0, "hospital did not keep copies; trying the next");
                let stored = sealed[..sent].iter().map(|record| record.entry.blob).collect();
                parts.network.ask(to, PeerRequest::DropBlobs(stored)).await;
                return false;
            }
        }
    }
    true
}

/// Splits into runs of at most [`BATCH_BLOBS`] and, but for a single larger one, [`BATCH_BYTES`].
fn batches(sealed: &[Sealed]) -> Vec<&[Sealed]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, record) in sealed.iter().enumerate() {
        let full = index - start == BATCH_BLOBS || bytes + record.ciphertext.len() > BATCH_BYTES;
        if full && index > start {
            batches.push(&sealed[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += record.ciphertext.len();
    }
    batches.push(&sealed[start..]);
    batches
}
