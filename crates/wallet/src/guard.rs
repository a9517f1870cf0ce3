//! How often a wallet's passphrase may be tried on this device.
//!
//! Each try is counted and written down before it is judged, so that stopping the program saves no guess. The first few are
//! free, because people mistype; then each costs a wait. A clock that is set back starts the wait anew, so it never shortens
//! one, and a wait that was begun under a wrong clock lasts no longer than its length once the clock is right.
//!
//! What this cannot do: whoever sets the clock of the device forward skips a wait, and whoever copies the wallet file guesses
//! elsewhere, against Argon2id alone.

use amulet_protocol::codec;
use amulet_protocol::ids::Timestamp;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::keyfile::KeyFileId;
use crate::store::{DeviceStore, StoreError};

/// Wrong tries that cost nothing.
pub const FREE_TRIES: u32 = 4;
const MINUTE_MS: u64 = 60_000;
/// The wait after the fifth wrong try, the sixth, and so on; the last one for all that follow.
pub const WAITS_MS: [u64; 5] = [MINUTE_MS / 2, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS];
/// Bytes of a file.
const GUARD_BYTES_MAX: usize = 64;
/// Of a file that is there and cannot be read: somebody may have wished to reset it, or it is damaged.
const FAILURES_OF_DAMAGED: u32 = FREE_TRIES + 3;

/// What is remembered of the tries at a wallet's passphrase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Guard {
    /// Wrong tries since the last right one.
    failures: u32,
    /// When the last of them was, or when the clock was found set back.
    since: Timestamp,
}

/// The passphrase may not be tried yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after {failures} wrong tries the next is possible in {wait_ms} ms")]
pub struct Waiting {
    /// Wrong tries since the last right one.
    pub failures: u32,
    /// Milliseconds to wait.
    pub wait_ms: u64,
}

impl Guard {
    /// Reads what a device remembers of a wallet.
    ///
    /// # Errors
    /// [`StoreError::Name`], [`StoreError::System`].
    pub fn load(store: &dyn DeviceStore, id: KeyFileId, now: Timestamp) -> Result<Self, StoreError> {
        let damaged = Self { failures: FAILURES_OF_DAMAGED, since: now };
        let bytes = match store.read(&file_name(id)) {
            Err(error) if error.is_unreadable() => return Ok(damaged),
            read => read?,
        };
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        Ok(codec::decode(&bytes, GUARD_BYTES_MAX).unwrap_or(damaged))
    }

    /// Writes it; nothing to remember leaves no file.
    ///
    /// # Errors
    /// Those of the store.
    pub fn save(&self, store: &dyn DeviceStore, id: KeyFileId) -> Result<(), StoreError> {
        match self.failures {
            0 => store.remove(&file_name(id)),
            _ => store.write(&file_name(id), &codec::encode(self)),
        }
    }

    /// This guard with one more try counted as wrong, until it turns out right.
    ///
    /// # Errors
    /// [`Waiting`] while it may not be tried; `self` is then as it is to be kept.
    pub fn try_at(&mut self, now: Timestamp) -> Result<Self, Waiting> {
        let Self { failures, .. } = *self;
        if now < self.since {
            self.since = now;
        }
        let left = wait_after(failures).saturating_sub(now.millis_since(self.since));
        if left > 0 {
            return Err(Waiting { failures, wait_ms: left });
        }
        Ok(Self { failures: failures.saturating_add(1), since: now })
    }
}

fn wait_after(failures: u32) -> u64 {
    let Some(place) = failures.checked_sub(FREE_TRIES + 1) else { return 0 };
    let place = usize::try_from(place).unwrap_or(usize::MAX).min(WAITS_MS.len() - 1);
    WAITS_MS[place]
}

/// Name of the file beside the wallet's own.
#[must_use]
pub fn file_name(id: KeyFileId) -> String {
    format!("{id}.guard")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::{MemoryStore, UnreadableStore};
    use amulet_crypto::entropy::SeededEntropy;

    fn id() -> KeyFileId {
        KeyFileId::generate(&mut SeededEntropy::new(1))
    }

    /// Tries until a wait is due; gives the number of tries.
    fn tries(guard: &mut Guard, now: Timestamp) -> (u32, Waiting) {
        for tried in 0.. {
            match guard.try_at(now) {
                Ok(next) => *guard = next,
                Err(waiting) => return (tried, waiting),
            }
        }
        unreachable!("a wait comes")
    }

    #[test]
    fn waits_grow_to_an_hour_and_no_further() {
        let mut guard = Guard::default();
        let mut now = Timestamp(1_000);
        let (free, mut waiting) = tries(&mut guard, now);
        assert_eq!(free, FREE_TRIES + 1);
        let mut waits = Vec::new();
        for _ in 0..7 {
            waits.push(waiting.wait_ms);
            let early = Timestamp(now.0 + waiting.wait_ms - 1);
            assert_eq!(guard.try_at(early).unwrap_err().wait_ms, 1);
            now = Timestamp(now.0 + waiting.wait_ms);
            let (tried, next) = tries(&mut guard, now);
            assert_eq!(tried, 1, "one try for each wait");
            waiting = next;
        }
        assert_eq!(waits, [30_000, 60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000]);
    }

    #[test]
    fn a_clock_set_back_never_shortens_a_wait_and_one_set_right_never_lengthens_it_for_long() {
        let mut guard = Guard::default();
        let far = Timestamp(10_000_000_000);
        tries(&mut guard, far);
        let back = Timestamp(5_000);
        assert_eq!(guard.try_at(back).unwrap_err().wait_ms, WAITS_MS[0], "it begins anew");
        assert_eq!(guard.try_at(Timestamp(4_000)).unwrap_err().wait_ms, WAITS_MS[0], "and again");
        guard.try_at(Timestamp(4_000 + WAITS_MS[0])).unwrap();
    }

    #[test]
    fn what_is_counted_survives_a_restart_and_a_damaged_file_waits_without_locking_out() {
        let store = MemoryStore::default();
        let now = Timestamp(7_000);
        let mut guard = Guard::load(&store, id(), now).unwrap();
        tries(&mut guard, now);
        guard.save(&store, id()).unwrap();
        assert_eq!(Guard::load(&store, id(), now).unwrap(), guard);
        store.write(&file_name(id()), b"!").unwrap();
        let mut damaged = Guard::load(&store, id(), now).unwrap();
        let waiting = damaged.try_at(now).unwrap_err();
        assert_eq!(waiting.wait_ms, WAITS_MS[2]);
        damaged.save(&store, id()).unwrap();
        let mut later = Guard::load(&store, id(), now).unwrap();
        later.try_at(Timestamp(now.0 + WAITS_MS[2])).unwrap();
        Guard::default().save(&store, id()).unwrap();
        assert_eq!(store.read(&file_name(id())).unwrap(), None);
        let mut unreadable = Guard::load(&UnreadableStore, id(), now).unwrap();
        assert_eq!(unreadable.try_at(now).unwrap_err().wait_ms, WAITS_MS[2]);
    }
}
