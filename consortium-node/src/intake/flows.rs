//! The keys of new records for the readers of the patient's standing grants.

use super::store::Stored;
use super::{IntakeError, IntakeParts};
use amulet_contracts::Due;
use amulet_crypto::content::ContentKey;
use amulet_crypto::entropy::SystemEntropy;
use amulet_protocol::calls::{KeyFlow, RecordEntry};
use amulet_protocol::grant_keys::{GrantKeys, KeyBinding};
use amulet_protocol::ids::Did;
use std::collections::BTreeMap;

/// Bytes of one key in a flow: the record's identity and its SM4 key.
pub(super) const KEY_BYTES: usize = 48;
/// Bytes of a flow beside its keys, at most: the grant, the box, and the seals.
pub(super) const BESIDE_KEYS_BYTES: usize = 512;

/// Seals the keys of these records to everybody to whom the ledger says they are due now.
pub(super) fn seal(
    parts: &IntakeParts,
    patient: Did,
    records: &[Stored],
) -> Result<Vec<KeyFlow>, IntakeError> {
    let entries: Vec<RecordEntry> = records.iter().map(|record| record.entry.clone()).collect();
    let keys: BTreeMap<_, _> = records.iter().map(|record| (record.entry.id, &record.key)).collect();
    let provider = parts.sender.organisation();
    let flow = |Due { grant, to, records }: Due| {
        let key = |id| (id, ContentKey::from_bytes(&keys[&id].expose_secret()));
        let keys = GrantKeys::new(records.into_iter().map(key).collect());
        let sealed = keys.seal(&to, &KeyBinding::Flow { grant, provider }, &mut SystemEntropy)?;
        Ok(KeyFlow { grant, keys: sealed })
    };
    parts.ledger.moment()?.flows_due(patient, &entries)?.into_iter().map(flow).collect()
}
