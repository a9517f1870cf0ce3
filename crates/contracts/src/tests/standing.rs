//! Standing grants: new records reach their readers while they last, and no longer.

use super::*;
use crate::testing::{
    DAY_MS, grant, reading, record_id, records, request, sealed_keys, staff, staff_key, term, unasked,
};
use crate::{Due, flows_due};
use amulet_protocol::calls::{
    GrantAccess, GrantId, KeyFlow, NarrowAccess, PauseAccess, RegisterPractitioner, RegisterRecords,
    RequestId, ResumeAccess, RevokeAccess,
};
use amulet_protocol::consent::{Category, DataClass, Day};
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::limits::STANDING_GRANTS_MAX;

/// The registration of records of `wang` by `h0`, without flows.
fn new_records(world: &World, numbers: std::ops::Range<u64>) -> RegisterRecords {
    records(numbers, world.did("h0"), &world.actors["wang"])
}

fn due(world: &World, call: &RegisterRecords) -> Vec<Due> {
    flows_due(&world.state, call.patient, &call.records, world.now).unwrap()
}

/// The same with the flows that are due.
fn with_flows(world: &World, mut call: RegisterRecords) -> RegisterRecords {
    let keys = sealed_keys(&world.actors["li"]);
    let flow = |due: Due| KeyFlow { grant: due.grant, keys: keys.clone() };
    call.flows = due(world, &call).into_iter().map(flow).collect();
    call
}

fn register(world: &mut World, numbers: std::ops::Range<u64>) {
    let call = with_flows(world, new_records(world, numbers));
    world.call("h0", Call::RegisterRecords(call)).unwrap();
}

/// A grant by `wang` to `li` of laboratory results to come, for ten days.
fn standing(world: &World) -> GrantAccess {
    let until = world.now.plus_millis(10 * DAY_MS);
    let grant = unasked(Grantee::Person(world.did("li")), 0..0, until);
    GrantAccess { standing: vec![Category::Labs], ..grant }
}

fn given(world: &mut World) -> GrantId {
    let call = standing(world);
    GrantId(world.call("wang", Call::GrantAccess(call)).unwrap())
}

fn state(world: &World, id: GrantId) -> GrantState {
    world.read(&StateKey::Grant(id)).unwrap()
}

#[test]
pub(super) fn new_records_reach_the_reader_with_no_action_of_the_patient() {
    let mut world = World::new();
    let id = given(&mut world);
    let mut call = new_records(&world, 0..3);
    call.records[1].category = Category::Imaging;
    call.records[2].class = DataClass::Core;
    let call = with_flows(&world, call);
    assert_eq!(call.flows.len(), 1);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    assert_eq!(state(&world, id).records, [record_id(0)], "neither imaging nor core");
    let (grantee, provider) = (world.did("li"), world.did("h0"));
    let event = Event::RecordsOpened { grant: id, grantee, provider, records: 1 };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    world.call("li", Call::UseAccess(reading(id, 0..1))).unwrap();
    let imaging = Call::UseAccess(reading(id, 1..2));
    assert_eq!(world.call("li", imaging), Err(RefusalCode::NotGranted));
}

#[test]
pub(super) fn a_hospital_leaves_out_no_flow_that_is_due_and_adds_none_that_is_not() {
    let mut world = World::new();
    let first = given(&mut world);
    let second = given(&mut world);
    let good = with_flows(&world, new_records(&world, 0..1));
    let mut ordered = [first, second];
    ordered.sort_unstable();
    assert_eq!(good.flows.iter().map(|flow| flow.grant).collect::<Vec<_>>(), ordered);
    let stranger = GrantId(TxId(amulet_crypto::digest::sm3(b"no grant")));
    let cases: [Case<RegisterRecords, RefusalCode>; 5] = [
        (&|call| call.flows.clear(), RefusalCode::FlowsDiffer),
        (&|call| call.flows.truncate(1), RefusalCode::FlowsDiffer),
        (&|call| call.flows.reverse(), RefusalCode::FlowsDiffer),
        (&|call| call.flows[1].grant = stranger, RefusalCode::FlowsDiffer),
        (&|call| call.flows[1].keys.envelope.clear(), RefusalCode::BadSealed),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = good.clone();
        change(&mut call);
        assert_eq!(world.call("h0", Call::RegisterRecords(call)), Err(code), "case {index}");
    }
    assert!(state(&world, first).records.is_empty());
    world.call("h0", Call::RegisterRecords(good)).unwrap();
}

#[test]
pub(super) fn no_key_flows_after_the_end_of_a_grant_nor_while_it_is_paused() {
    for end in 0..5 {
        let mut world = World::new();
        let id = given(&mut world);
        let stale = with_flows(&world, new_records(&world, 0..1));
        match end {
            0 => drop(world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap()),
            1 => drop(world.call("wang", Call::PauseAccess(PauseAccess { grant: id })).unwrap()),
            2 => world.later(10 * DAY_MS),
            3 => {
                let left = RegisterPractitioner {
                    valid_from: Timestamp(0),
                    valid_until: world.now.plus_millis(1),
                    ..practitioner(world.did("li"), world.now)
                };
                world.call("h0", Call::RegisterPractitioner(left)).unwrap();
                world.later(1);
            }
            _ => {
                register(&mut world, 5..6);
                let call = NarrowAccess {
                    grant: id,
                    records: vec![record_id(5)],
                    standing: Vec::new(),
                    term: state(&world, id).term,
                };
                world.call("wang", Call::NarrowAccess(call)).unwrap();
            }
        }
        assert_eq!(due(&world, &stale), [], "end {end}");
        let refused = world.call("h0", Call::RegisterRecords(stale));
        assert_eq!(refused, Err(RefusalCode::FlowsDiffer), "end {end}");
        register(&mut world, 0..1);
        assert!(!state(&world, id).records.contains(&record_id(0)), "end {end}");
        if end == 1 {
            world.call("wang", Call::ResumeAccess(ResumeAccess { grant: id })).unwrap();
            register(&mut world, 1..2);
            assert_eq!(state(&world, id).records, [record_id(1)], "from the resumption on");
        }
    }
}

#[test]
pub(super) fn what_is_opened_later_is_of_the_categories_asked_for_and_of_no_time_that_ends() {
    let mut world = World::new();
    register(&mut world, 0..1);
    let mut ask = request(world.did("wang"), world.now);
    ask.record_dates.to = Some(Day(20_000));
    let past = RequestId(world.call("li", Call::RequestAccess(ask.clone())).unwrap());
    ask.record_dates.to = None;
    let open = RequestId(world.call("li", Call::RequestAccess(ask)).unwrap());
    let answer = |world: &World, id, standing| {
        let until = world.now.plus_millis(DAY_MS);
        Call::GrantAccess(GrantAccess { standing, ..grant(id, 0..1, &world.actors["li"], until) })
    };
    for (id, standing) in [(past, vec![Category::Labs]), (open, vec![Category::Labs, Category::Imaging])] {
        let call = answer(&world, id, standing);
        assert_eq!(world.call("wang", call), Err(RefusalCode::BeyondRequest));
    }
    let call = answer(&world, open, vec![Category::Labs]);
    world.call("wang", call).unwrap();
}

#[test]
pub(super) fn new_records_reach_staff_by_their_hospitals_key() {
    let mut world = World::new();
    let key = staff_key(&world.actors["h0"]);
    world.call("h0", key).unwrap();
    let until = world.now.plus_millis(DAY_MS);
    let to_staff = unasked(Grantee::Staff(staff(world.did("h0"))), 0..0, until);
    let call = GrantAccess { standing: vec![Category::Labs], ..to_staff };
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    let call = new_records(&world, 0..1);
    let to = world.actors["h0"].agreement.public_key().clone();
    assert_eq!(due(&world, &call), [Due { grant: id, to, records: vec![record_id(0)] }]);
    register(&mut world, 0..1);
    world.call("li", Call::UseAccess(reading(id, 0..1))).unwrap();
}

#[test]
pub(super) fn there_is_a_limit_to_standing_grants_and_ended_ones_make_room() {
    let mut world = World::new();
    let first = given(&mut world);
    for _ in 1..STANDING_GRANTS_MAX {
        given(&mut world);
    }
    let one_more = Call::GrantAccess(standing(&world));
    assert_eq!(world.call("wang", one_more.clone()), Err(RefusalCode::TooManyStanding));
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: first })).unwrap();
    world.call("wang", one_more).unwrap();
    let call = new_records(&world, 0..1);
    assert_eq!(due(&world, &call).len(), STANDING_GRANTS_MAX);
}

#[test]
pub(super) fn a_grant_that_opens_no_more_records_to_come_makes_room_for_another() {
    let mut world = World::new();
    let first = given(&mut world);
    register(&mut world, 0..1);
    for _ in 1..STANDING_GRANTS_MAX {
        given(&mut world);
    }
    let term = term(state(&world, first).term.valid_until);
    let closed = NarrowAccess { grant: first, records: vec![record_id(0)], standing: Vec::new(), term };
    world.call("wang", Call::NarrowAccess(closed)).unwrap();
    let one_more = Call::GrantAccess(standing(&world));
    world.call("wang", one_more).unwrap();
    assert_eq!(due(&world, &new_records(&world, 1..2)).len(), STANDING_GRANTS_MAX);
}

#[test]
pub(super) fn narrowing_takes_records_to_come_out_and_adds_none() {
    let mut world = World::new();
    let mut call = standing(&world);
    call.standing = vec![Category::Labs, Category::Imaging];
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    register(&mut world, 0..1);
    let term = term(state(&world, id).term.valid_until);
    let narrow = |standing| {
        Call::NarrowAccess(NarrowAccess { grant: id, records: vec![record_id(0)], standing, term })
    };
    let same = narrow(vec![Category::Labs, Category::Imaging]);
    assert_eq!(world.call("wang", same), Err(RefusalCode::NotNarrower));
    let other = narrow(vec![Category::Labs, Category::Visits]);
    assert_eq!(world.call("wang", other), Err(RefusalCode::NotNarrower));
    world.call("wang", narrow(vec![Category::Imaging])).unwrap();
    assert_eq!(due(&world, &new_records(&world, 1..2)), []);
    let nothing = NarrowAccess { grant: id, records: Vec::new(), standing: Vec::new(), term };
    assert_eq!(world.call("wang", Call::NarrowAccess(nothing)), Err(RefusalCode::BadList));
}
