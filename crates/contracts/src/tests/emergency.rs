use super::*;
use crate::testing::{DAY_MS, card, emergency, sealed};
use amulet_protocol::calls::{
    CardLocator, DeclarationId, DisputeEmergency, PublishCard, ReviewEmergency, RevokeCard,
};
use amulet_protocol::consent::{EmergencyReason, ReviewFinding};
use amulet_protocol::limits::{
    DECLARATIONS_PER_DAY_ALARM, DECLARATIONS_PER_DAY_MAX, EMERGENCY_REVIEW_TIME_MS, EMERGENCY_TIME_MS,
    HOLDERS_MAX,
};
use amulet_protocol::state::{CardState, DeclarationState};

const FIRST: CardLocator = CardLocator([1; 5]);
const SECOND: CardLocator = CardLocator([2; 5]);

/// A world in which `wang` has card 1.
fn carded() -> World {
    let mut world = World::new();
    let call = Call::PublishCard(card(1, world.did("h0")));
    world.call("wang", call).unwrap();
    world
}

#[test]
pub(super) fn a_new_card_takes_the_place_of_the_old() {
    let mut world = carded();
    let key = StateKey::CardOf(world.did("wang"));
    assert_eq!(world.read::<CardLocator>(&key), Some(FIRST));
    assert_eq!(world.last_event("wang"), Event::CardPublished { locator: FIRST });
    world.later(5);
    let call = Call::PublishCard(card(2, world.did("h1")));
    world.call("wang", call).unwrap();
    assert_eq!(world.read::<CardLocator>(&key), Some(SECOND));
    assert_eq!(world.read::<CardState>(&StateKey::Card(FIRST)).unwrap().revoked_at, Some(world.now));
    assert_eq!(world.read::<CardState>(&StateKey::Card(SECOND)).unwrap().revoked_at, None);
    let events = world.events("wang");
    let expected = [Event::CardRevoked { locator: FIRST }, Event::CardPublished { locator: SECOND }];
    assert_eq!(events[events.len() - 2..], expected);
    let declare = Call::DeclareEmergency(emergency(1));
    assert_eq!(world.call("li", declare), Err(RefusalCode::CardRevoked));
}

#[test]
pub(super) fn a_revoked_card_opens_nothing_and_cannot_be_revoked_again() {
    let mut world = carded();
    let revoke = Call::RevokeCard(RevokeCard { locator: FIRST });
    assert_eq!(world.call("zhao", revoke.clone()), Err(RefusalCode::NotYourCard));
    let unknown = Call::RevokeCard(RevokeCard { locator: SECOND });
    assert_eq!(world.call("wang", unknown), Err(RefusalCode::UnknownCard));
    world.call("wang", revoke.clone()).unwrap();
    assert_eq!(world.read::<CardLocator>(&StateKey::CardOf(world.did("wang"))), None);
    assert_eq!(world.last_event("wang"), Event::CardRevoked { locator: FIRST });
    assert_eq!(world.call("wang", revoke), Err(RefusalCode::CardRevoked));
    assert_eq!(world.call("li", Call::DeclareEmergency(emergency(1))), Err(RefusalCode::CardRevoked));
    let again = Call::PublishCard(card(1, world.did("h0")));
    assert_eq!(world.call("wang", again), Err(RefusalCode::LocatorTaken));
    let next = Call::PublishCard(card(2, world.did("h0")));
    world.call("wang", next).unwrap();
}

#[test]
pub(super) fn malformed_cards_are_refused() {
    let mut world = carded();
    let (h0, li) = (world.did("h0"), world.did("li"));
    let (shortest, longest) = (*EMERGENCY_TIME_MS.start(), *EMERGENCY_TIME_MS.end());
    let cases: [Case<PublishCard, RefusalCode>; 7] = [
        (&|call| call.locator = FIRST, RefusalCode::LocatorTaken),
        (&|call| call.holders.clear(), RefusalCode::BadList),
        (&|call| call.holders.push(h0), RefusalCode::BadList),
        (&|call| call.holders = vec![h0; HOLDERS_MAX + 1], RefusalCode::BadList),
        (&|call| call.holders.push(li), RefusalCode::UnknownHolder),
        (&|call| call.access_ms = shortest - 1, RefusalCode::BadDuration),
        (&|call| call.access_ms = longest + 1, RefusalCode::BadDuration),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = card(9, h0);
        change(&mut call);
        assert_eq!(world.call("zhao", Call::PublishCard(call)), Err(code), "case {index}");
    }
    let call = Call::PublishCard(card(9, h0));
    assert_eq!(world.call("h0", call), Err(RefusalCode::UnknownPatient), "a hospital has no card");
}

#[test]
pub(super) fn a_declaration_ends_by_itself_and_is_told_to_both() {
    let mut world = carded();
    let id = world.call("li", Call::DeclareEmergency(emergency(1))).map(DeclarationId).unwrap();
    let state: DeclarationState = world.read(&StateKey::Declaration(id)).unwrap();
    assert_eq!((state.patient, state.practitioner), (world.did("wang"), world.did("li")));
    assert_eq!((state.declared_at, state.until), (world.now, world.now.plus_millis(DAY_MS)));
    let (practitioner, until) = (world.did("li"), state.until);
    let event = Event::EmergencyDeclared { declaration: id, locator: FIRST, practitioner, until };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
    assert_eq!(world.last_event("h0"), event, "and to the employer, who reviews it");
}

#[test]
pub(super) fn the_glass_is_broken_by_practitioners_for_others_and_with_a_reason() {
    let mut world = carded();
    assert_eq!(world.call("zhao", Call::DeclareEmergency(emergency(1))), Err(RefusalCode::NotAPractitioner));
    assert_eq!(world.call("li", Call::DeclareEmergency(emergency(8))), Err(RefusalCode::UnknownCard));
    let mut other = emergency(1);
    other.reason = EmergencyReason::Other;
    assert_eq!(world.call("li", Call::DeclareEmergency(other.clone())), Err(RefusalCode::NoteNeeded));
    other.note = Some(sealed(&world.actors["wang"], 1_000));
    assert_eq!(world.call("li", Call::DeclareEmergency(other.clone())), Err(RefusalCode::BadSealed));
    other.note = Some(sealed(&world.actors["wang"], 800));
    world.call("li", Call::DeclareEmergency(other)).unwrap();
    let own = Call::PublishCard(card(3, world.did("h0")));
    world.call("li", own).unwrap();
    assert_eq!(world.call("li", Call::DeclareEmergency(emergency(3))), Err(RefusalCode::SelfDealing));
    world.later(365 * DAY_MS);
    assert_eq!(world.call("li", Call::DeclareEmergency(emergency(1))), Err(RefusalCode::NotAPractitioner));
}

#[test]
pub(super) fn a_card_that_the_state_lost_is_damage() {
    let mut world = carded();
    let key = StateKey::Card(FIRST);
    world.state.remove(&key);
    let call = Call::PublishCard(card(2, world.did("h0")));
    let transaction = world.sign("wang", call);
    let result = apply(&world.state, &transaction, &world.context());
    assert_eq!(result, Err(crate::ApplyError::Corrupt { key }));
}

fn declare(world: &mut World) -> Result<DeclarationId, RefusalCode> {
    world.call("li", Call::DeclareEmergency(emergency(1))).map(DeclarationId)
}

#[test]
pub(super) fn a_clinician_who_declares_for_everyone_alarms_their_employer_and_is_stopped() {
    let mut world = carded();
    for number in 1..=DECLARATIONS_PER_DAY_MAX {
        declare(&mut world).unwrap();
        let practitioner = world.did("li");
        let alarm = Event::ManyEmergencies { practitioner, declarations: u32::try_from(number).unwrap() };
        let alarmed = number >= DECLARATIONS_PER_DAY_ALARM;
        assert_eq!(world.last_event("h0") == alarm, alarmed, "declaration {number}");
        assert_eq!(world.last_event("li") == alarm, alarmed, "declaration {number}");
        world.later(1);
    }
    assert_eq!(declare(&mut world), Err(RefusalCode::TooManyDeclarations));
    // The oldest has left the window, and no other.
    world.later(DAY_MS - u64::try_from(DECLARATIONS_PER_DAY_MAX).unwrap());
    declare(&mut world).unwrap();
    assert_eq!(declare(&mut world), Err(RefusalCode::TooManyDeclarations));
    world.later(DAY_MS);
    declare(&mut world).unwrap();
    let told = world.last_event("h0");
    assert!(matches!(told, Event::EmergencyDeclared { .. }), "the employer hears of each: {told:?}");
}

#[test]
pub(super) fn a_patient_reports_a_declaration_once_and_all_sides_hear() {
    let mut world = carded();
    let declaration = declare(&mut world).unwrap();
    let dispute = Call::DisputeEmergency(DisputeEmergency { declaration });
    for stranger in ["zhao", "li", "h0"] {
        assert_eq!(world.call(stranger, dispute.clone()), Err(RefusalCode::NotYourDeclaration));
    }
    let unknown = DeclarationId(TxId(amulet_crypto::digest::sm3(b"no declaration")));
    let none = Call::DisputeEmergency(DisputeEmergency { declaration: unknown });
    assert_eq!(world.call("wang", none), Err(RefusalCode::UnknownDeclaration));
    world.call("wang", dispute.clone()).unwrap();
    let event = Event::EmergencyDisputed { declaration, practitioner: world.did("li") };
    for concerned in ["wang", "li", "h0"] {
        assert_eq!(world.last_event(concerned), event);
    }
    let state: DeclarationState = world.read(&StateKey::Declaration(declaration)).unwrap();
    assert_eq!(state.disputed_at, Some(world.now));
    assert_eq!(world.call("wang", dispute), Err(RefusalCode::AlreadyDisputed));
}

#[test]
pub(super) fn the_employer_at_the_time_reviews_a_declaration_once() {
    let mut world = carded();
    let declaration = declare(&mut world).unwrap();
    let state: DeclarationState = world.read(&StateKey::Declaration(declaration)).unwrap();
    assert_eq!(state.review_by(), world.now.plus_millis(EMERGENCY_REVIEW_TIME_MS));
    let finding = ReviewFinding::NotJustified;
    let review = Call::ReviewEmergency(ReviewEmergency { declaration, finding });
    for stranger in ["wang", "li", "h1"] {
        assert_eq!(world.call(stranger, review.clone()), Err(RefusalCode::NotYourDeclaration));
    }
    // Late, and after the practitioner has left: it is due all the same.
    world.later(366 * DAY_MS);
    world.call("h0", review.clone()).unwrap();
    let event = Event::EmergencyReviewed { declaration, practitioner: world.did("li"), finding };
    for concerned in ["wang", "li", "h0"] {
        assert_eq!(world.last_event(concerned), event);
    }
    let state: DeclarationState = world.read(&StateKey::Declaration(declaration)).unwrap();
    assert_eq!(state.review, Some((finding, world.now)));
    assert_eq!(world.call("h0", review), Err(RefusalCode::AlreadyReviewed));
    let unknown = DeclarationId(TxId(amulet_crypto::digest::sm3(b"no declaration")));
    let none = Call::ReviewEmergency(ReviewEmergency { declaration: unknown, finding });
    assert_eq!(world.call("h0", none), Err(RefusalCode::UnknownDeclaration));
}
