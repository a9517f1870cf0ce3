//! Which validator set certifies which block.
//!
//! The state after block h says who certifies block h + 1 ([`current`]). At the end of each block, after its last
//! transaction, whoever executes it makes the changes of [`advance`]: they are none, unless a decided change of the set
//! applies from the next block on. Then they begin a new epoch, and the block is the last of the old one. The sets of
//! former epochs stay readable ([`at`]).

use crate::ApplyError;
use crate::state::{self, Changes, StateRead};
use amulet_crypto::signing::PUBLIC_KEY_BYTES;
use amulet_protocol::codec;
use amulet_protocol::governance::{EpochState, MembershipState, ScheduledChange, Seat};
use amulet_protocol::ids::{Did, Epoch, Height};
use amulet_protocol::quorum::{VALIDATORS_MAX, VALIDATORS_MIN};
use amulet_protocol::state::StateKey;
use amulet_protocol::validators::{Validator, ValidatorSet};
use std::collections::BTreeSet;

/// An [`EpochState`] as it is encoded. To take a key's curve point out of its bytes costs a square root.
type EpochBytes = (Height, Vec<Seat>, Vec<(Did, [u8; PUBLIC_KEY_BYTES], Vec<u8>)>);

/// What the functions here give, or why the state could not say it.
pub type Answer<S, T> = Result<T, ApplyError<<S as StateRead>::Error>>;

/// The epoch in force for the block after this state, its first height and its set's digest. Cheaper than [`current`],
/// which decodes every key.
///
/// # Errors
/// [`ApplyError`] when the state cannot be read, or was not made by [`genesis_state`](crate::genesis_state).
pub fn membership<S: StateRead>(state: &S) -> Answer<S, MembershipState> {
    state::get_filled(state, &StateKey::Membership)
}

/// The epoch in force for the block after this state, with its validators.
///
/// # Errors
/// As [`membership`].
pub fn current<S: StateRead>(state: &S) -> Answer<S, EpochState> {
    let epoch = membership(state)?.epoch;
    state::get_filled(state, &StateKey::Epoch(epoch))
}

/// The organisations that have a validator in the epoch in force for the block after this state. Cheaper than [`current`]:
/// keys stay as they are written.
///
/// # Errors
/// As [`membership`].
pub fn organisations<S: StateRead>(state: &S) -> Answer<S, BTreeSet<Did>> {
    let epoch = membership(state)?.epoch;
    let (_, _, validators): EpochBytes = state::get_filled(state, &StateKey::Epoch(epoch))?;
    Ok(validators.into_iter().map(|(organisation, _, _)| organisation).collect())
}

/// An epoch up to the one in force; `None` for one that has not begun.
///
/// # Errors
/// [`ApplyError`] when the state cannot be read.
pub fn at<S: StateRead>(state: &S, epoch: Epoch) -> Answer<S, Option<EpochState>> {
    state::get(state, &StateKey::Epoch(epoch))
}

/// The epoch in force for block `height + 1`, from the state that the transactions of block `height` left, whether or
/// not the changes of [`advance`] were made.
///
/// # Errors
/// As [`membership`].
pub fn after<S: StateRead>(state: &S, height: Height) -> Answer<S, EpochState> {
    match next(state, height)? {
        Some((_, epoch)) => Ok(epoch),
        None => current(state),
    }
}

/// What the end of block `height` changes, from the state that its transactions left. None, or the start of an epoch.
/// To be made once they stand is harmless: there is nothing left to change.
///
/// # Errors
/// As [`membership`].
pub fn advance<S: StateRead>(state: &S, height: Height) -> Answer<S, Changes> {
    let Some((membership, epoch)) = next(state, height)? else {
        return Ok(Changes::new());
    };
    let mut changes = Changes::from([
        (StateKey::Epoch(membership.epoch), Some(codec::encode(&epoch))),
        (StateKey::Membership, Some(codec::encode(&membership))),
    ]);
    // Who has left is not asked any more.
    for validator in current(state)?.validators.members() {
        let addresses = StateKey::Addresses(validator.organisation);
        let has_left = epoch.seat_of(validator.organisation).is_none();
        if has_left && state.read(&addresses).map_err(ApplyError::State)?.is_some() {
            changes.insert(addresses, None);
        }
    }
    Ok(changes)
}

/// The epoch that begins after block `height`, if one does.
fn next<S: StateRead>(state: &S, height: Height) -> Answer<S, Option<(MembershipState, EpochState)>> {
    let mut membership = membership(state)?;
    let first = height.next();
    let due = membership.scheduled.partition_point(|change| change.first <= first);
    if due == 0 {
        return Ok(None);
    }
    let mut plan = Plan::of(&current(state)?);
    for change in membership.scheduled.drain(..due) {
        plan.make(&change);
    }
    // What was decided was tried against everything decided before it, so this cannot happen in a sound state.
    let corrupt = || ApplyError::Corrupt { key: StateKey::Membership };
    let epoch = plan.epoch(first).ok_or_else(corrupt)?;
    membership.epoch = membership.epoch.next();
    membership.first = first;
    membership.validators_hash = epoch.validators.hash();
    Ok(Some((membership, epoch)))
}

/// A validator set while changes are made to it.
pub(crate) struct Plan {
    members: Vec<(Seat, Validator)>,
}

impl Plan {
    pub(crate) fn of(epoch: &EpochState) -> Self {
        Self {
            members: epoch.seats.iter().copied().zip(epoch.validators.members().iter().cloned()).collect(),
        }
    }

    /// Makes one change: who stays keeps their place in the order, who comes goes to the end.
    pub(crate) fn make(&mut self, change: &ScheduledChange) {
        let place = self.members.iter().position(|(seat, _)| *seat == change.seat);
        match (place, change.becomes.clone()) {
            (Some(place), Some(validator)) => self.members[place].1 = validator,
            (Some(place), None) => drop(self.members.remove(place)),
            (None, Some(validator)) => self.members.push((change.seat, validator)),
            (None, None) => {}
        }
    }

    /// Whether the set has a size that a set may have.
    pub(crate) fn has_size(&self) -> bool {
        (VALIDATORS_MIN..=VALIDATORS_MAX).contains(&self.members.len())
    }

    fn epoch(self, first: Height) -> Option<EpochState> {
        let (seats, validators) = self.members.into_iter().unzip();
        Some(EpochState { first, seats, validators: ValidatorSet::new(validators).ok()? })
    }
}
