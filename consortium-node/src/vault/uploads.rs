//! Ciphertexts that are kept before the ledger names them: wallets' uploads, few for each owner, and peers' copies.

use super::index::{IndexError, PEER_BLOBS, VaultIndex, decode};
use amulet_protocol::codec;
use amulet_protocol::ids::{BlobId, Did, ReplicaId};
use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::collections::BTreeSet;

/// Uploads kept of one owner until a card names them: a card that is being made, and some tries.
pub const UPLOADS_PER_OWNER_MAX: usize = 4;
/// Uploads kept in all until cards name them; identities are free, so there has to be a limit: 1 GiB of the largest.
pub const UPLOADS_TOTAL_MAX: usize = 4_096;

/// Number, ascending with time, to (owner, ciphertext).
const UPLOADS: TableDefinition<u64, &[u8]> = TableDefinition::new("uploads");

type Upload = (Did, BlobId);

pub(super) fn create(write: &WriteTransaction) -> Result<(), IndexError> {
    write.open_table(UPLOADS)?;
    Ok(())
}

/// Forgets an upload that the ledger names now.
pub(super) fn forget(write: &WriteTransaction, blob: BlobId) -> Result<(), IndexError> {
    let mut uploads = write.open_table(UPLOADS)?;
    let all = list(&uploads)?;
    for (number, _) in all.iter().filter(|(_, (_, named))| *named == blob) {
        uploads.remove(number)?;
    }
    Ok(())
}

impl VaultIndex {
    /// Notes an upload before it is put into the vault. Returns the ciphertexts that have to give way: the oldest of
    /// this owner, or of all, beyond the limits, except what somebody else has uploaded as well or the ledger names.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn note_upload(&self, owner: Did, blob: BlobId) -> Result<Vec<BlobId>, IndexError> {
        let mut gone = Vec::new();
        let write = self.db().begin_write()?;
        {
            let mut uploads = write.open_table(UPLOADS)?;
            let mut all = list(&uploads)?;
            let mut drop = |all: &mut Vec<(u64, Upload)>, at: usize| -> Result<BlobId, IndexError> {
                let (number, (_, blob)) = all.remove(at);
                uploads.remove(number)?;
                Ok(blob)
            };
            if let Some(again) = all.iter().position(|(_, upload)| *upload == (owner, blob)) {
                drop(&mut all, again)?;
            }
            while all.iter().filter(|(_, (of, _))| *of == owner).count() >= UPLOADS_PER_OWNER_MAX {
                let oldest = all.iter().position(|(_, (of, _))| *of == owner);
                gone.push(drop(&mut all, oldest.expect("there are several"))?);
            }
            while all.len() >= UPLOADS_TOTAL_MAX {
                gone.push(drop(&mut all, 0)?);
            }
            let number = all.last().map_or(0, |(number, _)| number + 1);
            uploads.insert(number, codec::encode(&(owner, blob)).as_slice())?;
            let still: BTreeSet<BlobId> = all.iter().map(|(_, (_, kept))| *kept).chain([blob]).collect();
            gone.retain(|blob| !still.contains(blob));
        }
        write.commit()?;
        let mut unused = Vec::new();
        for blob in gone {
            if !self.is_used(blob)? {
                unused.push(blob);
            }
        }
        Ok(unused)
    }

    /// Notes ciphertexts that a peer stores here, before they are put into the vault.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn note_peer_blobs(&self, peer: ReplicaId, blobs: &[BlobId]) -> Result<(), IndexError> {
        let write = self.db().begin_write()?;
        {
            let mut peers = write.open_table(PEER_BLOBS)?;
            for blob in blobs {
                peers.insert(blob.as_bytes(), peer.0)?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Of these ciphertexts, those that this peer stored here and the ledger does not name: what the peer may drop.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn droppable(&self, peer: ReplicaId, blobs: &[BlobId]) -> Result<Vec<BlobId>, IndexError> {
        let peers = self.db().begin_read()?.open_table(PEER_BLOBS)?;
        let mut droppable = Vec::new();
        for blob in blobs {
            let theirs = peers.get(blob.as_bytes())?.is_some_and(|by| by.value() == peer.0);
            if theirs && !self.is_used(*blob)? {
                droppable.push(*blob);
            }
        }
        Ok(droppable)
    }
}

fn list(uploads: &impl ReadableTable<u64, &'static [u8]>) -> Result<Vec<(u64, Upload)>, IndexError> {
    let entry = |entry: Result<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &'static [u8]>), _>| {
        let (number, upload) = entry?;
        Ok((number.value(), decode(upload.value())?))
    };
    uploads.iter()?.map(entry).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::{Digest, sm3};
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::ids::ChainId;

    fn did(seed: u64) -> Did {
        Did::of_key(SigningKey::generate(&mut SeededEntropy::new(seed)).public_key())
    }

    fn blob(number: u8) -> BlobId {
        BlobId(sm3(&[number]))
    }

    fn index() -> (tempfile::TempDir, VaultIndex) {
        let folder = tempfile::tempdir().unwrap();
        let index = VaultIndex::open(&folder.path().join("vault.redb"), ChainId(Digest::ZERO)).unwrap();
        (folder, index)
    }

    #[test]
    fn the_oldest_upload_of_an_owner_gives_way_and_others_stay() {
        let (_folder, index) = index();
        index.note_upload(did(2), blob(100)).unwrap();
        for number in 0..4 {
            assert_eq!(index.note_upload(did(1), blob(number)).unwrap(), []);
        }
        assert_eq!(index.note_upload(did(1), blob(3)).unwrap(), [], "the same upload again takes no place");
        assert_eq!(index.note_upload(did(1), blob(4)).unwrap(), [blob(0)]);
        assert_eq!(index.note_upload(did(1), blob(5)).unwrap(), [blob(1)]);
    }

    #[test]
    fn what_somebody_else_uploaded_too_is_not_removed() {
        let (_folder, index) = index();
        index.note_upload(did(2), blob(0)).unwrap();
        for number in 0..4 {
            index.note_upload(did(1), blob(number)).unwrap();
        }
        assert_eq!(index.note_upload(did(1), blob(4)).unwrap(), []);
    }

    #[test]
    fn a_peer_may_drop_only_what_it_stored() {
        let (_folder, index) = index();
        index.note_peer_blobs(ReplicaId(1), &[blob(1)]).unwrap();
        assert_eq!(index.droppable(ReplicaId(1), &[blob(1), blob(2)]).unwrap(), [blob(1)]);
        assert_eq!(index.droppable(ReplicaId(2), &[blob(1)]).unwrap(), []);
    }

    #[test]
    fn an_index_of_another_chain_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.redb");
        let (here, there) = (ChainId(Digest::ZERO), ChainId(sm3(b"there")));
        drop(VaultIndex::open(&path, there).unwrap());
        let refused = VaultIndex::open(&path, here).map(|_| ());
        assert!(
            matches!(refused, Err(IndexError::OtherChain { found, expected }) if (found, expected) == (there, here))
        );
    }
}
