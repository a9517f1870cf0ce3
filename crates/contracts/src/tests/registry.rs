use super::*;
use crate::testing::DAY_MS;
use amulet_protocol::addresses::{AddressesState, PublishAddresses};
use amulet_protocol::calls::RegisterPractitioner;
use amulet_protocol::governance::{ApproveMembership, MembershipChange, ProposalId, ProposeMembership, Seat};
use amulet_protocol::limits::{
    ADDRESS_BYTES_MAX, ADDRESSES_PER_ORGANISATION_MAX, ADDRESSES_TIME_MAX_MS, NAME_BYTES_MAX,
};
use amulet_protocol::state::Practitioner;

#[test]
pub(super) fn an_organisation_registers_renews_and_ends_its_practitioners() {
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
pub(super) fn only_organisations_register_practitioners() {
    let mut world = World::new();
    let call = Call::RegisterPractitioner(practitioner(world.did("wang"), world.now));
    assert_eq!(world.call("li", call), Err(RefusalCode::NotAnOrganisation));
}

#[test]
pub(super) fn only_registered_identities_become_practitioners() {
    let mut world = World::new();
    let call = Call::RegisterPractitioner(practitioner(Actor::new(90).did, world.now));
    assert_eq!(world.call("h0", call), Err(RefusalCode::UnknownPractitioner));
}

#[test]
pub(super) fn another_hospital_takes_a_practitioner_over_only_after_the_end() {
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
pub(super) fn empty_and_endless_names_and_ended_validities_are_refused() {
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

/// Two addresses of an organisation whose validator has its DID as peer identity, as in [`World`].
fn addresses(world: &World, name: &str) -> PublishAddresses {
    let peer = world.did(name).to_string().trim_start_matches("did:amulet:").to_owned();
    PublishAddresses {
        addresses: vec![format!("/ip4/10.0.0.1/tcp/9101/p2p/{peer}"), "https://h0.example".into()],
        valid_until: world.now.plus_millis(ADDRESSES_TIME_MAX_MS),
    }
}

#[test]
pub(super) fn an_organisation_publishes_replaces_and_withdraws_where_its_nodes_are() {
    let mut world = World::new();
    let key = StateKey::Addresses(world.did("h0"));
    let mut call = addresses(&world, "h0");
    let height = world.height;
    world.call("h0", Call::PublishAddresses(call.clone())).unwrap();
    let state: AddressesState = world.read(&key).unwrap();
    assert_eq!((&state.addresses, state.published), (&call.addresses, height));
    assert_eq!(state.valid_until, call.valid_until);
    call.addresses.remove(0);
    world.call("h0", Call::PublishAddresses(call.clone())).unwrap();
    assert_eq!(world.read::<AddressesState>(&key).unwrap().addresses, call.addresses);
    call.addresses.clear();
    world.call("h0", Call::PublishAddresses(call)).unwrap();
    assert_eq!(world.read::<AddressesState>(&key), None);
}

#[test]
pub(super) fn only_validators_publish_addresses_and_only_their_own() {
    let mut world = World::new();
    let own = addresses(&world, "h0");
    let refused = Err(RefusalCode::NotAValidator);
    assert_eq!(world.call("li", Call::PublishAddresses(own.clone())), refused);
    assert_eq!(world.call("h1", Call::PublishAddresses(own)), Err(RefusalCode::BadAddress));
}

#[test]
pub(super) fn addresses_that_are_none_or_too_many_or_count_too_long_are_refused() {
    let mut world = World::new();
    let good = addresses(&world, "h0");
    let with = |change: &dyn Fn(&mut PublishAddresses)| {
        let mut call = good.clone();
        change(&mut call);
        Call::PublishAddresses(call)
    };
    let now = world.now;
    let many = (0..=ADDRESSES_PER_ORGANISATION_MAX).map(|n| format!("https://h{n}.example")).collect();
    let many: Vec<String> = many;
    let cases = [
        (with(&|call| call.addresses.reverse()), RefusalCode::BadList),
        (with(&|call| call.addresses[0] = call.addresses[1].clone()), RefusalCode::BadList),
        (with(&|call| call.addresses.clone_from(&many)), RefusalCode::BadList),
        (with(&|call| call.addresses[1] = "https://h0.example/".into()), RefusalCode::BadAddress),
        (with(&|call| call.addresses[1] = "x".repeat(ADDRESS_BYTES_MAX + 1)), RefusalCode::BadAddress),
        (with(&|call| call.valid_until = now), RefusalCode::BadValidity),
        (with(&|call| call.valid_until = call.valid_until.plus_millis(1)), RefusalCode::BadValidity),
    ];
    for (call, code) in cases {
        assert_eq!(world.call("h0", call), Err(code));
    }
    let most = many[1..].to_vec();
    world.call("h0", with(&|call| call.addresses.clone_from(&most))).unwrap();
}

#[test]
pub(super) fn the_addresses_of_an_organisation_that_leaves_are_removed_when_it_has_left() {
    let mut world = World::new();
    for name in ["h0", "h1"] {
        let call = Call::PublishAddresses(addresses(&world, name));
        world.call(name, call).unwrap();
    }
    let newcomer = Actor::new(70);
    let add = super::super::testing::addition(&newcomer, world.chain);
    decide(&mut world, add, &["h2", "h3"]);
    let there = |world: &World, name: &str| world.state.contains_key(&StateKey::Addresses(world.did(name)));
    assert!(there(&world, "h1"));
    decide(&mut world, MembershipChange::Remove { seat: Seat(1) }, &["h1", "h2", "h3"]);
    assert!(!there(&world, "h1"));
    assert!(there(&world, "h0"));
    let again = Call::PublishAddresses(addresses(&world, "h1"));
    assert_eq!(world.call("h1", again), Err(RefusalCode::NotAValidator));
}

/// Decides a change that begins with the next block.
fn decide(world: &mut World, change: MembershipChange, approvals: &[&str]) {
    let call = ProposeMembership { change, not_before: Height(0) };
    let proposal = world.call("h0", Call::ProposeMembership(Box::new(call))).unwrap();
    let proposal = ProposalId(proposal);
    for name in approvals {
        world.call(name, Call::ApproveMembership(ApproveMembership { proposal })).unwrap();
    }
}
