//! Which contents were taken in, so that the same bundle posted twice registers nothing twice.
//!
//! A content is noted under its record's identity before the record is registered. It counts as taken in once the ledger
//! has that record. A registration that was cut off, or is still on its way, leaves a note that counts for nothing yet,
//! so a content can have several.

use super::index::{IndexError, VaultIndex};
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_protocol::ids::{Did, RecordId};
use redb::{MultimapTableDefinition, ReadableDatabase, WriteTransaction};

const TAG: Tag = Tag::new("amulet/v1/taken-content");

/// Digest of a content to the records it was registered as.
const TAKEN: MultimapTableDefinition<&[u8; 32], &[u8; 32]> = MultimapTableDefinition::new("taken");

pub(super) fn create(write: &WriteTransaction) -> Result<(), IndexError> {
    write.open_multimap_table(TAKEN)?;
    Ok(())
}

/// Names a content of a patient. `label` is `Type/id`: the same text under another identity is another record.
#[must_use]
pub fn content_digest(patient: Did, label: &str, content: &[u8]) -> Digest {
    tagged(TAG, &[patient.as_bytes(), label.as_bytes(), content])
}

impl VaultIndex {
    /// The records as which a content was, or was to be, registered.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn taken_as(&self, content: Digest) -> Result<Vec<RecordId>, IndexError> {
        let taken = self.db().begin_read()?.open_multimap_table(TAKEN)?;
        let records = taken.get(content.as_bytes())?;
        records.map(|id| Ok(RecordId(Digest::from_bytes(*id?.value())))).collect()
    }

    /// Notes contents before their records are registered. Durable on return.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn note_taken(
        &self,
        contents: impl IntoIterator<Item = (Digest, RecordId)>,
    ) -> Result<(), IndexError> {
        let write = self.db().begin_write()?;
        {
            let mut taken = write.open_multimap_table(TAKEN)?;
            for (content, record) in contents {
                taken.insert(content.as_bytes(), record.as_bytes())?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Forgets contents whose registration was refused.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn forget_taken(
        &self,
        contents: impl IntoIterator<Item = (Digest, RecordId)>,
    ) -> Result<(), IndexError> {
        let write = self.db().begin_write()?;
        {
            let mut taken = write.open_multimap_table(TAKEN)?;
            for (content, record) in contents {
                taken.remove(content.as_bytes(), record.as_bytes())?;
            }
        }
        write.commit()?;
        Ok(())
    }
}
