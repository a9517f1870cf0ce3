use super::*;
use crate::testing::{record, record_id, records, sealed};
use amulet_protocol::calls::{RecordEntry, RegisterRecords};
use amulet_protocol::consent::DataClass;
use amulet_protocol::limits::{HOLDERS_MAX, RECORDS_PER_TRANSACTION_MAX};
use amulet_protocol::state::RecordState;

#[test]
pub(super) fn a_hospital_registers_records_and_the_patient_learns_of_it() {
    let mut world = World::new();
    let mut call = records(0..3, world.did("h0"), &world.actors["wang"]);
    call.records[1].class = DataClass::Core;
    call.records[2].holders.push(world.did("h3"));
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let record: RecordState = world.read(&StateKey::Record(record_id(2))).unwrap();
    assert_eq!((record.patient, record.provider), (world.did("wang"), world.did("h0")));
    assert_eq!(record.holders, [world.did("h0"), world.did("h3")]);
    let event = Event::RecordsRegistered { provider: world.did("h0"), records: 3 };
    assert_eq!(world.last_event("wang"), event);
    assert!(world.events("h0").is_empty());
}

#[test]
pub(super) fn people_register_no_records_and_strangers_have_none() {
    let mut world = World::new();
    let call = records(0..1, world.did("li"), &world.actors["wang"]);
    assert_eq!(world.call("li", Call::RegisterRecords(call)), Err(RefusalCode::NotAnOrganisation));
    let call = records(0..1, world.did("h0"), &Actor::new(90));
    assert_eq!(world.call("h0", Call::RegisterRecords(call)), Err(RefusalCode::UnknownPatient));
}

#[test]
pub(super) fn a_record_is_registered_once_and_all_or_none() {
    let mut world = World::new();
    let h0 = world.did("h0");
    let call = records(0..2, h0, &world.actors["wang"]);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let overlapping = records(1..3, h0, &world.actors["zhao"]);
    assert_eq!(world.call("h0", Call::RegisterRecords(overlapping)), Err(RefusalCode::RecordExists));
    let mut repeated = records(5..7, h0, &world.actors["zhao"]);
    repeated.records[1].id = repeated.records[0].id;
    assert_eq!(world.call("h0", Call::RegisterRecords(repeated)), Err(RefusalCode::RecordExists));
    for number in [2, 5] {
        assert_eq!(world.read::<RecordState>(&StateKey::Record(record_id(number))), None);
    }
    assert_eq!(world.events("zhao"), [Event::IdentityRegistered]);
}

#[test]
pub(super) fn malformed_registrations_are_refused() {
    let mut world = World::new();
    let (h0, h1, li) = (world.did("h0"), world.did("h1"), world.did("li"));
    let good = record(0, h0, &world.actors["wang"]);
    let cases: [Case<RecordEntry, RefusalCode>; 7] = [
        (&|entry| entry.holders.clear(), RefusalCode::BadList),
        (&|entry| entry.holders = vec![h1, h0], RefusalCode::BadList),
        (&|entry| entry.holders = vec![h0, h0], RefusalCode::BadList),
        (&|entry| entry.holders = vec![h0; HOLDERS_MAX + 1], RefusalCode::BadList),
        (&|entry| entry.holders.push(li), RefusalCode::UnknownHolder),
        (&|entry| entry.holders.push(Actor::new(90).did), RefusalCode::UnknownHolder),
        (&|entry| entry.sealed_key = sealed(&Actor::new(90), 200), RefusalCode::BadSealed),
    ];
    for (change, code) in cases {
        let mut entry = good.clone();
        change(&mut entry);
        let call = RegisterRecords { patient: world.did("wang"), records: vec![entry], flows: Vec::new() };
        assert_eq!(world.call("h0", Call::RegisterRecords(call)), Err(code));
    }
    for count in [0, RECORDS_PER_TRANSACTION_MAX + 1] {
        let call = RegisterRecords {
            patient: world.did("wang"),
            records: vec![good.clone(); count],
            flows: Vec::new(),
        };
        assert_eq!(world.call("h0", Call::RegisterRecords(call)), Err(RefusalCode::BadList));
    }
}
