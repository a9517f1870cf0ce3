//! Grants for the staff of organisations, and the transactions that opened further records under a grant.

use super::index::{IndexError, VaultIndex, decode};
use amulet_protocol::calls::{GrantId, KeyFlow};
use amulet_protocol::codec;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{Did, TxId};
use redb::{ReadableDatabase, ReadableTableMetadata, TableDefinition, WriteTransaction};

/// (Organisation, number that ascends with time) to a grant for its staff.
const GRANTS: TableDefinition<(&[u8; 20], u64), &[u8]> = TableDefinition::new("staff_grants");
/// (Grant, number that ascends with time) to a transaction with keys for it.
const FLOWS: TableDefinition<(&[u8; 32], u64), &[u8]> = TableDefinition::new("flows");

pub(super) fn create(write: &WriteTransaction) -> Result<(), IndexError> {
    write.open_table(GRANTS)?;
    write.open_table(FLOWS)?;
    Ok(())
}

pub(super) fn note_grant(write: &WriteTransaction, id: GrantId, grantee: &Grantee) -> Result<(), IndexError> {
    let Some(staff) = grantee.staff() else { return Ok(()) };
    let mut grants = write.open_table(GRANTS)?;
    let number = grants.len()?;
    grants.insert((staff.organisation.as_bytes(), number), codec::encode(&id).as_slice())?;
    Ok(())
}

pub(super) fn note_flows(write: &WriteTransaction, id: TxId, flows: &[KeyFlow]) -> Result<(), IndexError> {
    let mut table = write.open_table(FLOWS)?;
    for flow in flows {
        let number = table.len()?;
        table.insert((flow.grant.0.as_bytes(), number), codec::encode(&id).as_slice())?;
    }
    Ok(())
}

impl VaultIndex {
    /// The grants for the staff of an organisation, newest first, at most `limit` of them.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn staff_grants(&self, organisation: Did, limit: usize) -> Result<Vec<GrantId>, IndexError> {
        let grants = self.db().begin_read()?.open_table(GRANTS)?;
        let organisation = organisation.as_bytes();
        let range = grants.range((organisation, 0)..=(organisation, u64::MAX))?;
        range.rev().take(limit).map(|entry| decode(entry?.1.value())).collect()
    }

    /// The transactions that opened further records under a grant, oldest first.
    ///
    /// # Errors
    /// [`IndexError`] by variant.
    pub fn flows(&self, grant: GrantId) -> Result<Vec<TxId>, IndexError> {
        let flows = self.db().begin_read()?.open_table(FLOWS)?;
        let grant = grant.0.as_bytes();
        flows.range((grant, 0)..=(grant, u64::MAX))?.map(|entry| decode(entry?.1.value())).collect()
    }
}
