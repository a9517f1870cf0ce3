//! Who grants are for: people, and the staff of an organisation; with and without a request.

use super::consent::asked;
use super::*;
use crate::testing::{DAY_MS, grant, reading, record_id, records, request, staff, staff_key, unasked};
use amulet_protocol::calls::{
    ConfirmDeletion, ExtendAccess, GrantAccess, GrantId, RegisterPractitioner, RequestId, RevokeAccess,
};
use amulet_protocol::consent::{Category, PractitionerRole, Purpose};
use amulet_protocol::grant::{Deletion, GrantState, Term};
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::limits::{ACCESS_TIME_MAX_MS, NAME_BYTES_MAX};
use amulet_protocol::state::{Answer, RequestState};

/// A world in which `h0` registered records 0 to 3 of `wang` and published a key for its staff.
fn world() -> World {
    let mut world = World::new();
    let call = records(0..4, world.did("h0"), &world.actors["wang"]);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let key = staff_key(&world.actors["h0"]);
    world.call("h0", key).unwrap();
    world
}

fn until(world: &World) -> Timestamp {
    world.now.plus_millis(DAY_MS)
}

fn give(world: &mut World, call: GrantAccess) -> Result<GrantId, RefusalCode> {
    world.call("wang", Call::GrantAccess(call)).map(GrantId)
}

fn read(world: &mut World, name: &str, id: GrantId) -> Result<TxId, RefusalCode> {
    world.call(name, Call::UseAccess(reading(id, 0..1)))
}

/// Registers somebody new at a hospital.
fn employ(world: &mut World, hospital: &str, name: &'static str, department: &str, role: PractitionerRole) {
    let person = Actor::new(100 + world.actors.len() as u64);
    world.actors.insert(name, person);
    let call = world.actors[name].registration();
    world.call(name, call).unwrap();
    let registration = practitioner(world.did(name), world.now);
    let call = RegisterPractitioner { department: department.into(), role, ..registration };
    world.call(hospital, Call::RegisterPractitioner(call)).unwrap();
}

#[test]
pub(super) fn a_patient_gives_access_unasked() {
    let mut world = world();
    let to = Grantee::Person(world.did("li"));
    let call = unasked(to.clone(), 0..2, until(&world));
    let id = give(&mut world, call).unwrap();
    let state: GrantState = world.read(&StateKey::Grant(id)).unwrap();
    assert_eq!((state.request, state.grantee, state.purpose), (None, to, Purpose::OngoingCare));
    let event = Event::AccessGranted { grant: id, request: None, grantee: world.did("li") };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    read(&mut world, "li", id).unwrap();
    assert_eq!(read(&mut world, "chen", id), Err(RefusalCode::NotYourGrant));
}

#[test]
pub(super) fn what_is_given_unasked_keeps_to_the_same_limits() {
    let mut world = world();
    let (li, now) = (Grantee::Person(world.did("li")), world.now);
    let good = unasked(li, 0..2, until(&world));
    let core = {
        let mut call = records(9..10, world.did("h0"), &world.actors["wang"]);
        call.records[0].class = amulet_protocol::consent::DataClass::Core;
        world.call("h0", Call::RegisterRecords(call)).unwrap();
        record_id(9)
    };
    let [wang, zhao, h1] = ["wang", "zhao", "h1"].map(|name| world.did(name));
    let long = Staff { department: Some("x".repeat(NAME_BYTES_MAX + 1)), ..staff(world.did("h0")) };
    let cases: [Case<GrantAccess, RefusalCode>; 9] = [
        (&|call| call.grantee = Grantee::Person(wang), RefusalCode::SelfDealing),
        (&|call| call.grantee = Grantee::Person(zhao), RefusalCode::UnknownPractitioner),
        (&|call| call.grantee = Grantee::Staff(staff(h1)), RefusalCode::BadGrantee),
        (&|call| call.grantee = Grantee::Staff(staff(zhao)), RefusalCode::BadGrantee),
        (&|call| call.grantee = Grantee::Staff(long.clone()), RefusalCode::BadGrantee),
        (&|call| call.term.valid_until = now.plus_millis(ACCESS_TIME_MAX_MS + 1), RefusalCode::BadDuration),
        (&|call| call.records.clear(), RefusalCode::BadList),
        (&|call| call.records = vec![core], RefusalCode::CoreRecord),
        (&|call| call.standing = vec![Category::Labs; 2], RefusalCode::BadList),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = good.clone();
        change(&mut call);
        assert_eq!(give(&mut world, call), Err(code), "case {index}");
    }
    let mut longest = good;
    longest.term.valid_until = now.plus_millis(ACCESS_TIME_MAX_MS);
    give(&mut world, longest).unwrap();
}

#[test]
pub(super) fn a_relative_reads_without_being_a_practitioner_and_nobody_else_does() {
    let mut world = world();
    let to = Grantee::Person(world.did("zhao"));
    let call = GrantAccess { purpose: Purpose::FamilyCarer, ..unasked(to.clone(), 0..2, until(&world)) };
    let id = give(&mut world, call.clone()).unwrap();
    read(&mut world, "zhao", id).unwrap();
    assert_eq!(read(&mut world, "li", id), Err(RefusalCode::NotYourGrant));
    let stranger = Grantee::Person(Actor::new(90).did);
    let unknown = GrantAccess { grantee: stranger, ..call };
    assert_eq!(give(&mut world, unknown), Err(RefusalCode::UnknownPractitioner));
    let by_hospital = Call::GrantAccess(unasked(to, 0..2, until(&world)));
    assert_eq!(world.call("h1", by_hospital), Err(RefusalCode::UnknownPatient));
}

#[test]
pub(super) fn a_patient_who_is_one_of_the_staff_has_their_reading_in_their_history_once() {
    let mut world = world();
    let own = practitioner(world.did("wang"), world.now);
    world.call("h0", Call::RegisterPractitioner(own)).unwrap();
    let call = unasked(Grantee::Staff(staff(world.did("h0"))), 0..2, until(&world));
    let id = give(&mut world, call).unwrap();
    let before = world.events("wang").len();
    read(&mut world, "wang", id).unwrap();
    assert_eq!(world.events("wang").len(), before + 1);
    assert_eq!(world.last_event("h0"), world.last_event("wang"));
}

#[test]
pub(super) fn staff_read_while_they_are_staff_and_their_hospital_answers_for_it() {
    let mut world = world();
    employ(&mut world, "h0", "sun", "Cardiology", PractitionerRole::Nurse);
    let call = unasked(Grantee::Staff(staff(world.did("h0"))), 0..2, until(&world));
    let id = give(&mut world, call).unwrap();
    let event = Event::AccessGranted { grant: id, request: None, grantee: world.did("h0") };
    assert_eq!((world.last_event("wang"), world.last_event("h0")), (event.clone(), event));
    assert_eq!(read(&mut world, "chen", id), Err(RefusalCode::NotYourGrant), "of another hospital");
    assert_eq!(
        read(&mut world, "h0", id),
        Err(RefusalCode::NotYourGrant),
        "the hospital is nobody who reads"
    );
    for name in ["li", "sun"] {
        read(&mut world, name, id).unwrap();
        let event = Event::RecordsRead { grant: id, practitioner: world.did(name), records: 1 };
        for concerned in ["wang", name, "h0"] {
            assert_eq!(world.last_event(concerned), event);
        }
    }
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap();
    let confirm = Call::ConfirmDeletion(ConfirmDeletion { grant: id });
    assert_eq!(world.call("li", confirm.clone()), Err(RefusalCode::NotYourGrant));
    world.call("h0", confirm).unwrap();
    let state: GrantState = world.read(&StateKey::Grant(id)).unwrap();
    assert_eq!(state.deletion(world.now), Deletion::Confirmed { at: world.now });
}

#[test]
pub(super) fn a_department_or_a_role_is_a_part_of_the_staff() {
    let mut world = world();
    employ(&mut world, "h0", "sun", "Cardiology", PractitionerRole::Nurse);
    employ(&mut world, "h0", "qian", "Cardiology", PractitionerRole::Attending);
    employ(&mut world, "h1", "wu", "Cardiology", PractitionerRole::Nurse);
    let all = staff(world.did("h0"));
    let department = Staff { department: Some("Cardiology".into()), ..all.clone() };
    let nurses = Staff { role: Some(PractitionerRole::Nurse), ..all };
    for (staff, who) in [(department, ["sun", "qian"]), (nurses, ["sun", "sun"])] {
        let call = unasked(Grantee::Staff(staff), 0..2, until(&world));
        let id = give(&mut world, call).unwrap();
        for name in ["li", "sun", "qian", "wu"] {
            let expected = if who.contains(&name) { Ok(()) } else { Err(RefusalCode::NotYourGrant) };
            assert_eq!(read(&mut world, name, id).map(|_| ()), expected, "{name}");
        }
    }
}

#[test]
pub(super) fn a_request_for_colleagues_is_answered_for_all_of_them_or_for_the_asker_alone() {
    let mut world = world();
    let colleagues = staff(world.did("h0"));
    let mut call = request(world.did("wang"), world.now);
    call.staff = Some(Staff { role: Some(PractitionerRole::Nurse), ..colleagues.clone() });
    let not_one_of_them = world.call("li", Call::RequestAccess(call.clone()));
    assert_eq!(not_one_of_them, Err(RefusalCode::BadGrantee));
    call.staff = Some(staff(world.did("h1")));
    assert_eq!(world.call("chen", Call::RequestAccess(call.clone())), Err(RefusalCode::BadGrantee), "no key");
    call.staff = Some(colleagues.clone());
    let ask = |world: &mut World| world.call("li", Call::RequestAccess(call.clone())).map(RequestId);
    let [first, second] = [ask(&mut world).unwrap(), ask(&mut world).unwrap()];
    let [li, chen] = ["li", "chen"].map(|name| Grantee::Person(world.did(name)));
    let answer = |world: &World, id, grantee| GrantAccess {
        grantee,
        ..grant(id, 0..2, &world.actors["li"], until(world))
    };
    let other = answer(&world, first, chen);
    assert_eq!(give(&mut world, other), Err(RefusalCode::NotAsRequested));
    let mut purpose = answer(&world, first, li.clone());
    purpose.purpose = Purpose::SecondOpinion;
    assert_eq!(give(&mut world, purpose), Err(RefusalCode::NotAsRequested));
    for (id, grantee) in [(first, Grantee::Staff(colleagues)), (second, li)] {
        let call = answer(&world, id, grantee);
        let grant = give(&mut world, call).unwrap();
        let state: RequestState = world.read(&StateKey::Request(id)).unwrap();
        assert_eq!(state.answer, Answer::Granted(grant));
        read(&mut world, "li", grant).unwrap();
    }
}

#[test]
pub(super) fn a_request_of_one_is_not_answered_for_all_their_colleagues() {
    let (mut world, id) = asked();
    let key = staff_key(&world.actors["h0"]);
    world.call("h0", key).unwrap();
    let grantee = Grantee::Staff(staff(world.did("h0")));
    let call = GrantAccess { grantee, ..grant(id, 0..2, &world.actors["li"], until(&world)) };
    assert_eq!(give(&mut world, call), Err(RefusalCode::NotAsRequested));
}

#[test]
pub(super) fn a_grant_for_staff_is_extended_as_any_other() {
    let mut world = world();
    let call = unasked(Grantee::Staff(staff(world.did("h0"))), 0..2, until(&world));
    let term = call.term;
    let id = give(&mut world, call).unwrap();
    let longer = Term { valid_until: term.valid_until.plus_millis(DAY_MS), ..term };
    world.call("wang", Call::ExtendAccess(ExtendAccess { grant: id, term: longer })).unwrap();
    let grantee = world.did("h0");
    assert_eq!(
        world.last_event("h0"),
        Event::AccessExtended { grant: id, grantee, until: longer.valid_until }
    );
}

#[test]
pub(super) fn only_an_organisation_has_a_key_for_staff() {
    let mut world = world();
    let key = staff_key(&world.actors["li"]);
    assert_eq!(world.call("li", key), Err(RefusalCode::NotAnOrganisation));
    assert_eq!(world.last_event("h0"), Event::StaffKeyPublished);
}
