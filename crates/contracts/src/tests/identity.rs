use super::*;
use crate::testing::{request, sealed};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::{CardLocator, RegisterIdentity, RevokeCard};
use amulet_protocol::ids::Nonce;
use amulet_protocol::limits::{KEY_REPLACEMENTS_MAX, NONCE_WINDOW};
use amulet_protocol::replacement::ReplaceKeys;
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

/// A replacement of `name`'s keys by `new`'s.
fn replacement(world: &World, name: &str, new: &Actor) -> ReplaceKeys {
    let agreement = new.agreement.public_key().clone();
    ReplaceKeys::sign(world.did(name), &new.signing, agreement, sealed(new, 64), world.chain)
}

fn replace(world: &mut World, name: &str, call: ReplaceKeys) -> Result<TxId, RefusalCode> {
    world.call(name, Call::ReplaceKeys(Box::new(call)))
}

/// `name` acts with `new`'s keys from now on.
fn take(world: &mut World, name: &'static str, new: Actor) {
    let actor = world.actors.get_mut(name).unwrap();
    (actor.signing, actor.agreement) = (new.signing, new.agreement);
}

#[test]
pub(super) fn replaced_keys_speak_for_nobody_and_the_new_ones_for_the_same_did() {
    let mut world = World::new();
    let new = Actor::new(90);
    let call = replacement(&world, "wang", &new);
    replace(&mut world, "wang", call).unwrap();
    let identity: Identity = world.read(&StateKey::Identity(world.did("wang"))).unwrap();
    assert_eq!(identity.signing, *new.signing.public_key());
    assert_eq!(identity.agreement, *new.agreement.public_key());
    assert_eq!((identity.registered, identity.replacements), (Height(1), 1));
    assert_eq!(world.read::<Did>(&StateKey::SpeaksFor(new.did)), Some(world.did("wang")));
    let event = Event::KeysReplaced { identity: world.did("wang") };
    assert_eq!(world.events("wang"), [Event::IdentityRegistered, event]);
    let by_old = world.sign("wang", Call::RevokeCard(RevokeCard { locator: CardLocator([1; 5]) }));
    inadmissible(&mut world, &by_old, RefusalCode::WrongKey);
    take(&mut world, "wang", new);
    let call = replacement(&world, "wang", &Actor::new(91));
    replace(&mut world, "wang", call).unwrap();
}

#[test]
pub(super) fn a_practitioners_employer_hears_of_replaced_keys() {
    let mut world = World::new();
    let call = replacement(&world, "li", &Actor::new(90));
    replace(&mut world, "li", call).unwrap();
    let event = Event::KeysReplaced { identity: world.did("li") };
    assert_eq!(world.events("h0").last(), Some(&event));
    assert_eq!(world.events("li").last(), Some(&event));
}

#[test]
pub(super) fn no_key_comes_back_or_speaks_for_two() {
    let mut world = World::new();
    let new = Actor::new(90);
    let (own, others, hospitals) =
        (replaced_actor(&world, "wang"), replaced_actor(&world, "zhao"), replaced_actor(&world, "h0"));
    for taken in [&own, &others, &hospitals] {
        let call = replacement(&world, "wang", taken);
        assert_eq!(replace(&mut world, "wang", call), Err(RefusalCode::KeyTaken));
    }
    let call = replacement(&world, "wang", &new);
    replace(&mut world, "wang", call).unwrap();
    let call = replacement(&world, "zhao", &new);
    assert_eq!(replace(&mut world, "zhao", call), Err(RefusalCode::KeyTaken));
    take(&mut world, "wang", new);
    let call = replacement(&world, "wang", &own);
    assert_eq!(
        replace(&mut world, "wang", call),
        Err(RefusalCode::KeyTaken),
        "the first key is over for good"
    );
    let mut new = Actor::new(90);
    let registration = new.registration();
    let registration = new.sign(world.chain, registration);
    let verdict = world.execute(&registration);
    let Verdict::Executed(applied) = verdict else { panic!("{verdict:?}") };
    assert_eq!(applied.outcome, Outcome::Refused { code: RefusalCode::KeyTaken });
}

/// The keys that somebody has now, again.
fn replaced_actor(world: &World, name: &str) -> Actor {
    let now = &world.actors[name];
    let mut same = Actor::new(1);
    same.signing = SigningKey::from_bytes(&now.signing.expose_secret()).unwrap();
    same.did = now.did;
    same
}

#[test]
pub(super) fn a_key_speaks_for_nobody_without_its_holders_word() {
    let mut world = World::new();
    let (new, other) = (Actor::new(90), Actor::new(91));
    let good = replacement(&world, "wang", &new);
    let elsewhere = ChainId(amulet_crypto::digest::sm3(b"another chain"));
    let (did, agreement) = (world.did("wang"), new.agreement.public_key().clone());
    let cases: [(&str, ReplaceKeys); 4] = [
        ("for another DID", replacement(&world, "zhao", &new)),
        ("by another key", ReplaceKeys { signing: other.signing.public_key().clone(), ..good.clone() }),
        (
            "with another agreement key",
            ReplaceKeys { agreement: other.agreement.public_key().clone(), ..good.clone() },
        ),
        ("for another chain", ReplaceKeys::sign(did, &new.signing, agreement, sealed(&new, 64), elsewhere)),
    ];
    for (what, call) in cases {
        assert_eq!(replace(&mut world, "wang", call), Err(RefusalCode::NotPossessed), "{what}");
    }
    let large = ReplaceKeys { former: sealed(&new, 200), ..good.clone() };
    assert_eq!(replace(&mut world, "wang", large), Err(RefusalCode::BadSealed));
    assert_eq!(
        replace(&mut world, "h0", good),
        Err(RefusalCode::UnknownSender),
        "a hospital's key is the members' affair"
    );
}

#[test]
pub(super) fn keys_are_replaced_so_often_and_no_more() {
    let mut world = World::new();
    for round in 0..u64::from(KEY_REPLACEMENTS_MAX) {
        let new = Actor::new(1_000 + round);
        let call = replacement(&world, "wang", &new);
        replace(&mut world, "wang", call).unwrap();
        take(&mut world, "wang", new);
    }
    let call = replacement(&world, "wang", &Actor::new(90));
    assert_eq!(replace(&mut world, "wang", call), Err(RefusalCode::TooManyReplacements));
}

fn nonce(world: &World, name: &str) -> Nonce {
    world.read::<Account>(&StateKey::Account(world.did(name))).unwrap_or_default().highest
}

fn inadmissible(world: &mut World, transaction: &SignedTransaction, code: RefusalCode) {
    let before = world.state.clone();
    assert_eq!(world.execute(transaction), Verdict::Inadmissible(code));
    assert_eq!(world.state, before, "an inadmissible transaction changes nothing");
}
