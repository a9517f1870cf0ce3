//! What is overdue in the whole consortium, for those who watch over it: deletion and erasure receipts that were not given, emergencies
//! that were not reviewed, and patients who were not answered in time. All of it stands on the ledger.

use crate::ledger::{Ledger, LedgerError, StateChunk, TransferRequest, TransferResponse};
use amulet_crypto::digest::Digest;
use amulet_protocol::codec;
use amulet_protocol::erasure::ErasureState;
use amulet_protocol::grant::{Deletion, GrantState};
use amulet_protocol::ids::{Did, RecordId, Timestamp};
use amulet_protocol::state::{DeclarationState, StateKey};
use serde::{Deserialize, Serialize};

/// How many are listed at once: the longest overdue.
pub const OVERDUE_MAX: usize = 10_000;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum OverdueError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A value of the state cannot be read.
    #[error("the ledger's state is damaged at {0:?}")]
    Damaged(StateKey),
}

/// What is overdue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overdue {
    /// The longest overdue first, at most [`OVERDUE_MAX`].
    pub duties: Vec<OverdueDuty>,
    /// How many there are.
    pub total: u64,
}

/// Something owed to a patient and not done in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OverdueDuty {
    /// What.
    pub kind: DutyKind,
    /// The grant or the declaration, by the transaction that made it; the record that is to be erased.
    pub id: String,
    /// Who owes it: a hospital, or a person who read.
    #[schema(value_type = String)]
    pub owed_by: Did,
    /// To whom.
    #[schema(value_type = String)]
    pub patient: Did,
    /// By when it was due, in milliseconds since 1970.
    pub due: u64,
}

/// A kind of duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// The review of an emergency access.
    Review,
    /// The receipt for the deletion of what was read.
    Deletion,
    /// The answer to a patient who asked to have a record erased.
    ErasureAnswer,
    /// The receipt for the erasure of a record that was held.
    Erasure,
}

/// Goes through the state after the newest block; takes a while on a large ledger. Blocks on the disk.
///
/// # Errors
/// [`OverdueError`].
pub fn overdue(ledger: &Ledger, now: Timestamp) -> Result<Overdue, OverdueError> {
    let (mut duties, mut from) = (Vec::new(), Digest::ZERO);
    // The state of one block, even if blocks are committed meanwhile; it stays readable for long enough.
    let height = ledger.tip().height;
    let now = now.max(ledger.tip().time);
    loop {
        let request = TransferRequest::State { height, from };
        let TransferResponse::State(StateChunk { rows, is_last, .. }) = ledger.transfer(&request)? else {
            // Pruned in the middle: begin again at the newest block.
            return overdue(ledger, now);
        };
        let last = rows.last().map(|(key, _)| key.hash());
        // The last row comes again as the first of the next.
        let fresh = rows.into_iter().skip(usize::from(from != Digest::ZERO));
        for (key, value) in fresh {
            if let StateKey::Erasure(id) = key {
                duties.extend(erasure(id, &value, now)?);
            } else {
                duties.extend(duty(key, &value, now)?);
            }
        }
        match last {
            Some(key) if !is_last => from = key,
            _ => break,
        }
    }
    duties.sort_by(|a, b| (a.due, &a.id, a.owed_by).cmp(&(b.due, &b.id, b.owed_by)));
    let total = duties.len() as u64;
    duties.truncate(OVERDUE_MAX);
    Ok(Overdue { duties, total })
}

fn duty(key: StateKey, value: &[u8], now: Timestamp) -> Result<Option<OverdueDuty>, OverdueError> {
    let found = match key {
        StateKey::Grant(id) => {
            let grant: GrantState =
                codec::decode(value, usize::MAX).map_err(|_| OverdueError::Damaged(StateKey::Grant(id)))?;
            let Deletion::Overdue { by } = grant.deletion(now) else { return Ok(None) };
            (DutyKind::Deletion, id.to_string(), grant.grantee.did(), grant.patient, by)
        }
        StateKey::Declaration(id) => {
            let declaration: DeclarationState = codec::decode(value, usize::MAX)
                .map_err(|_| OverdueError::Damaged(StateKey::Declaration(id)))?;
            let by = declaration.review_by();
            if declaration.review.is_some() || now < by {
                return Ok(None);
            }
            (DutyKind::Review, id.to_string(), declaration.organisation, declaration.patient, by)
        }
        _ => return Ok(None),
    };
    let (kind, id, owed_by, patient, by) = found;
    Ok(Some(OverdueDuty { kind, id, owed_by, patient, due: by.0 }))
}

/// What is owed for the erasure of a record: several holders may owe a receipt.
fn erasure(id: RecordId, value: &[u8], now: Timestamp) -> Result<Vec<OverdueDuty>, OverdueError> {
    let state: ErasureState =
        codec::decode(value, usize::MAX).map_err(|_| OverdueError::Damaged(StateKey::Erasure(id)))?;
    let duty = |kind, owed_by, patient, due: Timestamp| OverdueDuty {
        kind,
        id: id.to_string(),
        owed_by,
        patient,
        due: due.0,
    };
    Ok(match &state {
        ErasureState::Asked { provider, patient, .. } => {
            let late = state.answer_by().filter(|by| *by <= now);
            let overdue = late.map(|by| duty(DutyKind::ErasureAnswer, *provider, *patient, by));
            overdue.into_iter().collect()
        }
        ErasureState::Erased(erased) if erased.confirm_by() <= now => {
            let by = erased.confirm_by();
            erased.owing().map(|holder| duty(DutyKind::Erasure, holder, erased.patient, by)).collect()
        }
        ErasureState::Erased(_) | ErasureState::Kept { .. } => Vec::new(),
    })
}

#[cfg(test)]
mod tests;
