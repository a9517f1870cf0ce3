use super::*;
use crate::testing::request;
use amulet_protocol::calls::RegisterIdentity;
use amulet_protocol::ids::Nonce;
use amulet_protocol::limits::NONCE_WINDOW;
use amulet_protocol::state::{Account, Identity};
use amulet_protocol::transaction::Transaction;

#[test]
fn a_registered_identity_is_in_the_state_and_in_its_own_history() {
    let world = World::new();
    let identity: Identity = world.read(&StateKey::Identity(world.did("wang"))).unwrap();
    assert_eq!(identity.signing, *world.actors["wang"].signing.public_key());
    assert_eq!(identity.agreement, *world.actors["wang"].agreement.public_key());
    assert_eq!(identity.registered, Height(1));
    assert_eq!(world.events("wang"), [Event::IdentityRegistered]);
}

#[test]
fn nobody_registers_twice_and_the_attempt_uses_the_nonce() {
    let mut world = World::new();
    for name in ["wang", "h0"] {
        let before = nonce(&world, name);
        let call = world.actors[name].registration();
        assert_eq!(world.call(name, call), Err(RefusalCode::IdentityExists));
        assert_eq!(nonce(&world, name).0, before.0 + 1);
    }
}

#[test]
fn a_did_belongs_to_the_key_that_it_is_the_digest_of() {
    let mut world = World::new();
    let (stranger, thief) = (Actor::new(90), Actor::new(91));
    let chain = world.chain;
    let registration = |signing: &Actor| {
        Call::RegisterIdentity(RegisterIdentity {
            signing: signing.signing.public_key().clone(),
            agreement: thief.agreement.public_key().clone(),
        })
    };
    let theirs = stranger.sign_numbered(chain, Nonce(1), registration(&thief));
    inadmissible(&mut world, &theirs, RefusalCode::DidMismatch);
    let call = registration(&stranger);
    let transaction = Transaction { version: 1, chain, sender: stranger.did, nonce: Nonce(1), call };
    inadmissible(&mut world, &transaction.sign(&thief.signing), RefusalCode::WrongKey);
}

#[test]
fn nothing_but_a_registration_is_taken_from_a_stranger() {
    let mut world = World::new();
    let call = Call::RequestAccess(request(world.did("wang"), world.now));
    let transaction = Actor::new(90).sign_numbered(world.chain, Nonce(1), call);
    inadmissible(&mut world, &transaction, RefusalCode::UnknownSender);
}

#[test]
fn another_key_or_another_chain_speaks_for_nobody() {
    let mut world = World::new();
    for name in ["wang", "h0"] {
        let call = world.actors[name].registration();
        let (chain, sender) = (world.chain, world.did(name));
        let forged = Transaction { version: 1, chain, sender, nonce: Nonce(40), call: call.clone() };
        inadmissible(&mut world, &forged.sign(&Actor::new(90).signing), RefusalCode::WrongKey);
        let elsewhere = ChainId(amulet_crypto::digest::sm3(b"another chain"));
        let transaction = world.actors[name].sign_numbered(elsewhere, Nonce(40), call);
        inadmissible(&mut world, &transaction, RefusalCode::WrongKey);
    }
}

#[test]
fn a_transaction_is_executed_once_and_its_nonce_stays_within_the_window() {
    let mut world = World::new();
    let call = world.actors["wang"].registration();
    let transaction = world.sign("wang", call.clone());
    assert!(matches!(world.execute(&transaction), Verdict::Executed(_)));
    inadmissible(&mut world, &transaction, RefusalCode::NonceUsed);
    let highest = nonce(&world, "wang").0;
    for bad in [0, highest + NONCE_WINDOW + 1] {
        let transaction = world.actors["wang"].sign_numbered(world.chain, Nonce(bad), call.clone());
        inadmissible(&mut world, &transaction, RefusalCode::NonceOutOfWindow);
    }
}

fn nonce(world: &World, name: &str) -> Nonce {
    world.read::<Account>(&StateKey::Account(world.did(name))).unwrap_or_default().highest
}

fn inadmissible(world: &mut World, transaction: &SignedTransaction, code: RefusalCode) {
    let before = world.state.clone();
    assert_eq!(world.execute(transaction), Verdict::Inadmissible(code));
    assert_eq!(world.state, before, "an inadmissible transaction changes nothing");
}
