//! The state before the first transaction.

use crate::state::MemoryState;
use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::state::{OrganisationState, StateKey};

/// The state after block 0: the organisations of the genesis document, which sign by the keys given there.
#[must_use]
pub fn genesis_state(genesis: &Genesis) -> MemoryState {
    let entry = |organisation: &amulet_protocol::genesis::Organisation| {
        let state = OrganisationState {
            name_en: organisation.name_en.clone(),
            name_zh: organisation.name_zh.clone(),
            key: organisation.key.clone(),
        };
        (StateKey::Organisation(organisation.did()), codec::encode(&state))
    };
    genesis.organisations.iter().map(entry).collect()
}
