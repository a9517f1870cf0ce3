//! At most once: the window of nonces that each sender has used.
//!
//! Nonces may arrive in any order as long as they lie within the window, so that one lost transaction does not hold up
//! those after it.

use crate::state::StateRead;
use crate::step::{Done, Step};
use amulet_protocol::ids::Nonce;
use amulet_protocol::limits::NONCE_WINDOW;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Account, StateKey};

/// Marks the nonce as used, or refuses.
pub(crate) fn use_nonce<S: StateRead>(step: &mut Step<'_, S>, nonce: Nonce) -> Done<S> {
    let key = StateKey::Account(step.sender);
    let account: Account = step.get(&key)?.unwrap_or_default();
    let account = take(account, nonce)?;
    step.put(key, &account);
    Ok(())
}

/// The account after `nonce` was used.
fn take(account: Account, nonce: Nonce) -> Result<Account, RefusalCode> {
    let Account { highest, mut used } = account;
    if nonce.0 == 0 || nonce.0.saturating_sub(highest.0) > NONCE_WINDOW {
        return Err(RefusalCode::NonceOutOfWindow);
    }
    if nonce > highest {
        let distance = nonce.0 - highest.0;
        used = shift(used, distance);
        if highest.0 > 0 {
            set(&mut used, distance - 1);
        }
        return Ok(Account { highest: nonce, used });
    }
    let Some(bit) = (highest.0 - nonce.0).checked_sub(1).filter(|bit| *bit < NONCE_WINDOW) else {
        return Err(RefusalCode::NonceUsed);
    };
    if is_set(&used, bit) {
        return Err(RefusalCode::NonceUsed);
    }
    set(&mut used, bit);
    Ok(Account { highest, used })
}

/// Moves every bit up by `distance`, at most [`NONCE_WINDOW`]; what leaves the window is forgotten.
fn shift(used: [u64; 4], distance: u64) -> [u64; 4] {
    let mut moved = [0; 4];
    for bit in (0..NONCE_WINDOW - distance).filter(|bit| is_set(&used, *bit)) {
        set(&mut moved, bit + distance);
    }
    moved
}

fn is_set(used: &[u64; 4], bit: u64) -> bool {
    used[word(bit)] >> (bit % 64) & 1 == 1
}

fn set(used: &mut [u64; 4], bit: u64) {
    used[word(bit)] |= 1 << (bit % 64);
}

fn word(bit: u64) -> usize {
    usize::try_from(bit / 64).expect("a bit of the window is in one of four words")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn zero_and_far_ahead_are_outside_the_window() {
        let account = take(Account::default(), Nonce(5)).unwrap();
        for bad in [0, 5 + NONCE_WINDOW + 1, u64::MAX] {
            assert_eq!(take(account, Nonce(bad)), Err(RefusalCode::NonceOutOfWindow));
        }
        assert!(take(account, Nonce(5 + NONCE_WINDOW)).is_ok());
    }

    #[test]
    fn the_last_nonce_of_the_window_is_remembered_and_the_one_before_is_taken_for_used() {
        let account = take(Account::default(), Nonce(1)).unwrap();
        let account = take(account, Nonce(1 + NONCE_WINDOW)).unwrap();
        assert_eq!(take(account, Nonce(1)), Err(RefusalCode::NonceUsed));
        let account = take(account, Nonce(2)).unwrap();
        let account = take(account, Nonce(3 + NONCE_WINDOW)).unwrap();
        assert_eq!(take(account, Nonce(2)), Err(RefusalCode::NonceUsed));
        assert!(take(account, Nonce(3)).is_ok());
    }

    proptest! {
        /// Against a plain set of used numbers.
        #[test]
        fn every_nonce_is_taken_at_most_once_in_any_order(nonces in prop::collection::vec(0u64..600, 1..300)) {
            let (mut account, mut used) = (Account::default(), BTreeSet::new());
            for nonce in nonces {
                let highest = used.last().copied().unwrap_or(0);
                let expected = if nonce == 0 || nonce > highest + NONCE_WINDOW {
                    Err(RefusalCode::NonceOutOfWindow)
                } else if used.contains(&nonce) || nonce + NONCE_WINDOW < highest {
                    Err(RefusalCode::NonceUsed)
                } else {
                    Ok(())
                };
                let taken = take(account, Nonce(nonce));
                prop_assert_eq!(taken.map(|_| ()), expected);
                if let Ok(after) = taken {
                    account = after;
                    used.insert(nonce);
                }
            }
        }
    }
}
