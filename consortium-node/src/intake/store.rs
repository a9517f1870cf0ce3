//! Putting ciphertexts into this hospital's vault and into one other's. What is of class core stays here: no other hospital
//! gets even its ciphertext, and the ledger carries the commitment alone.

use super::seal::Sealed;
use super::{IntakeError, IntakeParts};
use crate::network::{PeerRequest, PeerResponse};
use amulet_crypto::content::ContentKey;
use amulet_crypto::digest::Digest;
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::consent::DataClass;
use amulet_protocol::ids::{BlobId, Did, ReplicaId};
use futures::future::try_join_all;

/// Ciphertexts written at once, so that the file system can sync them together.
const WRITES_AT_ONCE: usize = 16;
/// Ciphertexts handed to the other hospital at once: it has to write and sync them before it answers.
const BATCH_BLOBS: usize = 64;
/// Bytes handed over at once; one ciphertext alone may be larger.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A record whose ciphertext is stored.
pub(super) struct Stored {
    pub entry: RecordEntry,
    pub key: ContentKey,
    pub label: String,
    pub content: Digest,
}

/// Records with the hospital that holds the second copies, if any of them may leave this one.
pub(super) struct StoredRecords {
    pub mirror: Option<ReplicaId>,
    pub records: Vec<Stored>,
}

/// Stores all ciphertexts here, and those that may leave the hospital in another one.
pub(super) async fn store(parts: &IntakeParts, sealed: Vec<Sealed>) -> Result<StoredRecords, IntakeError> {
    for together in sealed.chunks(WRITES_AT_ONCE) {
        let writes: Vec<_> =
            together.iter().map(|record| parts.vault.put(record.ciphertext.clone())).collect();
        try_join_all(writes).await?;
    }
    let own = parts.sender.organisation();
    let leaves: Vec<&Sealed> = sealed.iter().filter(|sealed| !stays_here(sealed)).collect();
    let mirror = if leaves.is_empty() { None } else { mirror(parts, &leaves).await };
    if mirror.is_none() && !leaves.is_empty() {
        remove(parts, None, sealed.iter().map(|record| record.entry.blob).collect()).await;
        return Err(IntakeError::NoMirror);
    }
    let stored = |sealed: Sealed| {
        let other = mirror.filter(|_| !stays_here(&sealed)).map(|(_, holder)| holder);
        let holders = std::iter::once(own).chain(other).collect();
        let Sealed { entry, key, label, content, .. } = sealed;
        Stored { entry: RecordEntry { holders, ..entry }, key, label, content }
    };
    let records = sealed.into_iter().map(stored).collect();
    Ok(StoredRecords { mirror: mirror.map(|(replica, _)| replica), records })
}

fn stays_here(sealed: &Sealed) -> bool {
    sealed.entry.class == DataClass::Core
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
async fn mirror(parts: &IntakeParts, sealed: &[&Sealed]) -> Option<(ReplicaId, Did)> {
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

async fn replicate(parts: &IntakeParts, to: ReplicaId, sealed: &[&Sealed]) -> bool {
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
fn batches<'s, 'r>(sealed: &'s [&'r Sealed]) -> Vec<&'s [&'r Sealed]> {
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
