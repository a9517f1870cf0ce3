//! Rules that several contracts share.

use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use amulet_crypto::sealed_box::SealedBox;
use amulet_protocol::grant_keys::SealedKeys;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{GRANT_ENVELOPE_BYTES_MAX, HOLDERS_MAX, SEALED_KEY_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::StateKey;
use std::collections::BTreeSet;

/// Refuses a list that is empty, longer than `max`, or not strictly ascending.
pub(crate) fn ascending<T: Ord>(list: &[T], max: usize) -> Result<(), RefusalCode> {
    let ordered = list.windows(2).all(|pair| pair[0] < pair[1]);
    ensure(!list.is_empty() && list.len() <= max && ordered, RefusalCode::BadList)
}

/// Refuses holders that are none, too many, repeated, or no organisations.
pub(crate) fn holders<S: StateRead>(step: &Step<'_, S>, holders: &[Did]) -> Done<S> {
    let distinct: BTreeSet<_> = holders.iter().collect();
    let counted = !holders.is_empty() && holders.len() <= HOLDERS_MAX;
    ensure(counted && distinct.len() == holders.len(), RefusalCode::BadList)?;
    for holder in distinct {
        ensure(step.exists(&StateKey::Organisation(*holder))?, RefusalCode::UnknownHolder)?;
    }
    Ok(())
}

/// Refuses a sealed box of more than `max` bytes.
pub(crate) fn sealed(sealed: &SealedBox, max: usize) -> Result<(), RefusalCode> {
    ensure(sealed.as_bytes().len() <= max, RefusalCode::BadSealed)
}

/// Refuses sealed keys whose box or envelope is empty or too long.
pub(crate) fn keys(keys: &SealedKeys) -> Result<(), RefusalCode> {
    sealed(&keys.sealed_key, SEALED_KEY_BYTES_MAX)?;
    ensure((1..=GRANT_ENVELOPE_BYTES_MAX).contains(&keys.envelope.len()), RefusalCode::BadSealed)
}

/// Refuses unless `patient` is registered as an identity.
pub(crate) fn patient<S: StateRead>(step: &Step<'_, S>, patient: Did) -> Done<S> {
    Ok(ensure(step.exists(&StateKey::Identity(patient))?, RefusalCode::UnknownPatient)?)
}
