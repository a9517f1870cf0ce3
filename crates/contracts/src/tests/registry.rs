use super::*;
use crate::testing::DAY_MS;
use amulet_protocol::calls::RegisterPractitioner;
use amulet_protocol::limits::NAME_BYTES_MAX;
use amulet_protocol::state::Practitioner;

#[test]
fn an_organisation_registers_renews_and_ends_its_practitioners() {
    let mut world = World::new();
    let li = world.did("li");
    let event = Event::PractitionerRegistered { practitioner: li };
    assert_eq!(world.last_event("li"), event);
    let mut renewal = practitioner(li, world.now);
    renewal.valid_until = world.now.plus_millis(1);
    world.call("h0", Call::RegisterPractitioner(renewal)).unwrap();
    assert_eq!(world.events("li"), [Event::IdentityRegistered, event.clone(), event]);
    let state: Practitioner = world.read(&StateKey::Practitioner(li)).unwrap();
    assert_eq!(state.organisation, world.did("h0"));
    assert!(state.counts_at(world.now));
    assert!(!state.counts_at(world.now.plus_millis(1)), "the end is the first moment that does not count");
}

#[test]
fn only_organisations_register_practitioners() {
    let mut world = World::new();
    let call = Call::RegisterPractitioner(practitioner(world.did("wang"), world.now));
    assert_eq!(world.call("li", call), Err(RefusalCode::NotAnOrganisation));
}

#[test]
fn only_registered_identities_become_practitioners() {
    let mut world = World::new();
    let call = Call::RegisterPractitioner(practitioner(Actor::new(90).did, world.now));
    assert_eq!(world.call("h0", call), Err(RefusalCode::UnknownPractitioner));
}

#[test]
fn another_hospital_takes_a_practitioner_over_only_after_the_end() {
    let mut world = World::new();
    let li = world.did("li");
    let takeover = Call::RegisterPractitioner(practitioner(li, world.now.plus_millis(366 * DAY_MS)));
    assert_eq!(world.call("h1", takeover.clone()), Err(RefusalCode::EmployedElsewhere));
    world.later(365 * DAY_MS);
    world.call("h1", takeover).unwrap();
    let state: Practitioner = world.read(&StateKey::Practitioner(li)).unwrap();
    assert_eq!(state.organisation, world.did("h1"));
}

#[test]
fn empty_and_endless_names_and_ended_validities_are_refused() {
    let mut world = World::new();
    let good = practitioner(world.did("li"), world.now);
    let with = |change: &dyn Fn(&mut RegisterPractitioner)| {
        let mut call = good.clone();
        change(&mut call);
        Call::RegisterPractitioner(call)
    };
    let now = world.now;
    let cases = [
        (with(&|call| call.name.clear()), RefusalCode::BadName),
        (with(&|call| call.department.clear()), RefusalCode::BadName),
        (with(&|call| call.name = "x".repeat(NAME_BYTES_MAX + 1)), RefusalCode::BadName),
        (with(&|call| call.valid_until = call.valid_from), RefusalCode::BadValidity),
        (with(&|call| (call.valid_from, call.valid_until) = (Timestamp(1), now)), RefusalCode::BadValidity),
    ];
    for (call, code) in cases {
        assert_eq!(world.call("h0", call), Err(code));
    }
    world.call("h0", with(&|call| call.name = "x".repeat(NAME_BYTES_MAX))).unwrap();
}
