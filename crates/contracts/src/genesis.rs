//! The state before the first transaction.

use crate::rules::DEFAULT_RULES;
use crate::state::MemoryState;
use amulet_protocol::codec;
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::governance::{EpochState, MembershipState, OpenProposal, Seat, ValidatorKeyState};
use amulet_protocol::ids::{Epoch, Height};
use amulet_protocol::rules::RuleBookState;
use amulet_protocol::state::{OrganisationState, StateKey};
use amulet_protocol::validators::{Validator, ValidatorSet};

/// The state after block 0: the organisations of the genesis document, which sign by the keys given there, and its
/// validators as epoch 0.
///
/// # Errors
/// [`GenesisError`] if the document is no good.
pub fn genesis_state(genesis: &Genesis) -> Result<MemoryState, GenesisError> {
    let validators = genesis.validate()?;
    let organisation = |organisation: &amulet_protocol::genesis::Organisation| {
        let state = OrganisationState {
            name_en: organisation.name_en.clone(),
            name_zh: organisation.name_zh.clone(),
            key: organisation.key.clone(),
        };
        (StateKey::Organisation(organisation.did()), codec::encode(&state))
    };
    let key = |(seat, validator): (Seat, &Validator)| {
        let state = ValidatorKeyState { organisation: validator.organisation, seat, rotated_at: None };
        (StateKey::ValidatorKey(validator.key.fingerprint()), codec::encode(&state))
    };
    let mut state: MemoryState = genesis.organisations.iter().map(organisation).collect();
    state.extend((0..).map(Seat).zip(validators.members()).map(key));
    state.extend(membership(validators));
    state.extend(rule_book());
    Ok(state)
}

/// The default rule book, with nothing proposed.
fn rule_book() -> [(StateKey, Vec<u8>); 2] {
    let book = RuleBookState { version: 1, policies: DEFAULT_RULES.to_owned(), adopted: Height(0) };
    [
        (StateKey::RuleBook, codec::encode(&book)),
        (StateKey::OpenRules, codec::encode(&Vec::<OpenProposal>::new())),
    ]
}

/// Epoch 0, with nothing proposed.
fn membership(validators: ValidatorSet) -> [(StateKey, Vec<u8>); 3] {
    let first = Height(0);
    let seats: Vec<Seat> = (0..).map(Seat).take(validators.members().len()).collect();
    let next_seat = Seat(u32::try_from(seats.len()).expect("a validator set has at most 100 members"));
    let membership = MembershipState {
        epoch: Epoch(0),
        first,
        validators_hash: validators.hash(),
        next_seat,
        scheduled: Vec::new(),
    };
    [
        (StateKey::Membership, codec::encode(&membership)),
        (StateKey::Epoch(Epoch(0)), codec::encode(&EpochState { first, seats, validators })),
        (StateKey::OpenProposals, codec::encode(&Vec::<OpenProposal>::new())),
    ]
}
